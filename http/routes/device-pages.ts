/**
 * Lists of devices in pages: those of a tenant and those of a customer, each in one view or another. Here is who may read
 * them and how they are answered; what a view shows is said by the lists themselves (`device-lists.ts`, `device-infos.ts`).
 */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { DeviceRecord } from '../../actors/device/state.ts';
import type { Directory, ListQuery, Page } from '../../actors/fleet/devices.ts';
import {
  type CustomerUser,
  TENANT,
  TENANT_AND_CUSTOMER,
  type TenantAdministrator,
} from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { pageView } from '../views/page.ts';
import type { Reply } from '../wire/reply.ts';
import { customerId } from '../wire/schemas.ts';
import { visibleCustomer } from './access.ts';
import { DEVICE_PAGE, SEARCH_GAVE_UP } from './answers.ts';

interface DevicePageNeeds {
  readonly accounts: Accounts;
  readonly directory: Directory;
}

export type ReadDevices = (query: ListQuery) => Promise<Page<DeviceRecord>>;

interface DevicePages<Query> {
  readonly path: `/${string}`;
  readonly summary: string;
  readonly query: z.ZodType<Query>;
  /** How one device looks in it. */
  readonly view: z.ZodType;
  /** @param read reads a page of the devices that the list is about */
  reply(principal: TenantAdministrator | CustomerUser, query: Query, read: ReadDevices): Promise<Reply>;
}

interface TenantPages<Query> extends DevicePages<Query> {
  /** It may also answer one device, by its name. */
  readonly orOne?: true;
}

export function pagesOfTenant<Query>(
  { directory }: DevicePageNeeds,
  { path, summary, query, view, reply, orOne }: TenantPages<Query>,
): Route {
  const page = pageView(view);
  return defineRoute({
    method: 'GET',
    path,
    summary,
    roles: TENANT,
    query,
    responses: {
      200: orOne
        ? { description: `${DEVICE_PAGE} With deviceName: the device.`, schema: z.union([page, view]) }
        : { description: DEVICE_PAGE, schema: page },
      400: { description: SEARCH_GAVE_UP },
      ...(orOne ? { 404: { description: 'No device of this name' } } : {}),
    },
    handle: (call) =>
      reply(call.principal, call.query, (wanted) => directory.ofTenant(call.principal.tenantId, wanted)),
  });
}

/** @param path with the parameter `customerId` */
export function pagesOfCustomer<Query>(
  { accounts, directory }: DevicePageNeeds,
  { path, summary, query, view, reply }: DevicePages<Query>,
): Route {
  return defineRoute({
    method: 'GET',
    path,
    summary,
    roles: TENANT_AND_CUSTOMER,
    params: z.object({ customerId }),
    query,
    responses: {
      200: { description: DEVICE_PAGE, schema: pageView(view) },
      400: { description: SEARCH_GAVE_UP },
      403: { description: 'Another customer' },
      404: { description: 'No such customer' },
    },
    async handle({ principal, params, query: asked }) {
      const customer = await visibleCustomer(accounts, principal, params.customerId);
      if (customer.type !== 'found') return customer;
      const { tenantId, id } = customer.value;
      return reply(principal, asked, (wanted) => directory.ofCustomer(tenantId, id, wanted));
    },
  });
}
