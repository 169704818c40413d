/** Devices found by name, by ids, or in the lists of a tenant or a customer. */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { TenantId } from '../../actors/base/ids.ts';
import { mapInSlices } from '../../actors/base/slices.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { TENANT, TENANT_AND_CUSTOMER } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { deviceView } from '../views/device.ts';
import { notFound } from '../wire/errors.ts';
import { requiredList } from '../wire/query.ts';
import { json, type Reply } from '../wire/reply.ts';
import { deviceId, deviceListPaging } from '../wire/schemas.ts';
import { deviceByName, mayRead } from './access.ts';
import { pageOfDevices, viewOfDevice } from './answers.ts';
import { pagesOfCustomer, pagesOfTenant, type ReadDevices } from './device-pages.ts';

export interface DeviceListNeeds {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly profiles: Profiles;
}

const IDS_MAX = 1000;

export function deviceListRoutes(needs: DeviceListNeeds): Route[] {
  return [devicesOfTenant(needs), deviceOfName(needs), devicesByIds(needs), devicesOfCustomer(needs)];
}

function devicesOfTenant(needs: DeviceListNeeds): Route {
  return pagesOfTenant(needs, {
    path: '/api/tenant/devices',
    summary: "The tenant's devices, or with deviceName: the one of that name",
    query: z.object({ deviceName: z.string().optional() }).and(deviceListPaging),
    view: deviceView,
    orOne: true,
    reply: ({ tenantId }, { deviceName, ...list }, read) =>
      deviceName === undefined ? pageReply(needs, list, read) : byName(needs, tenantId, deviceName),
  });
}

function deviceOfName(needs: DeviceListNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/tenant/device',
    summary: "The tenant's device of a name",
    roles: TENANT,
    query: z.object({ deviceName: z.string({ error: 'deviceName should be specified!' }) }),
    responses: {
      200: { description: 'The device', schema: deviceView },
      404: { description: 'No device of this name' },
    },
    handle: ({ principal, query }) => byName(needs, principal.tenantId, query.deviceName),
  });
}

function devicesByIds({ devices, profiles }: DeviceListNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/devices',
    summary: 'Several devices by their ids; those the caller may not see are left out',
    roles: TENANT_AND_CUSTOMER,
    query: z.object({
      deviceIds: requiredList('deviceIds')
        .pipe(z.array(deviceId).max(IDS_MAX, `At most ${IDS_MAX} ids at once!`))
        .meta({
          documentedAs: { type: 'array', items: { type: 'string', format: 'uuid' }, maxItems: IDS_MAX },
        }),
    }),
    responses: { 200: { description: 'The devices', schema: z.array(deviceView) } },
    async handle({ principal, query }) {
      const all = await Promise.all([...new Set(query.deviceIds)].map((id) => devices.read(id)));
      const visible = all
        .filter((device) => device !== undefined)
        .filter((device) => mayRead(principal, device));
      return json(await Promise.all(visible.map((device) => viewOfDevice(profiles, device))));
    },
  });
}

function devicesOfCustomer(needs: DeviceListNeeds): Route {
  return pagesOfCustomer(needs, {
    path: '/api/customer/:customerId/devices',
    summary: 'The devices that a customer owns',
    query: deviceListPaging,
    view: deviceView,
    reply: (_principal, query, read) => pageReply(needs, query, read),
  });
}

async function pageReply(
  { profiles }: DeviceListNeeds,
  query: z.infer<typeof deviceListPaging>,
  read: ReadDevices,
): Promise<Reply> {
  const page = await read(query);
  const items = await mapInSlices(page.items, (device) => viewOfDevice(profiles, device));
  return pageOfDevices({ ...page, items }, query, (item) => item);
}

async function byName(
  { directory, profiles }: DeviceListNeeds,
  tenantId: TenantId,
  name: string,
): Promise<Reply> {
  const device = await deviceByName(directory, tenantId, name);
  return device === undefined ? notFound : json(await viewOfDevice(profiles, device));
}
