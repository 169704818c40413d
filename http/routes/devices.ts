/** Devices: created, changed, listed and deleted by the tenant; read and relabelled by the customer who owns them. */

import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Clock } from '../../actors/base/clock.ts';
import { type DeviceId, newId, type TenantId } from '../../actors/base/ids.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import { mapInSlices } from '../../actors/base/slices.ts';
import type { Device, DeviceRecord } from '../../actors/device/state.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { accessToken, credentialsFields, credentialsOf, credentialsValueOf } from '../auth/credentials.ts';
import {
  type CustomerUser,
  TENANT,
  TENANT_AND_CUSTOMER,
  type TenantAdministrator,
} from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { credentialsView, viewCredentials } from '../views/credentials.ts';
import { deviceView, viewDevice } from '../views/device.ts';
import { pageView } from '../views/page.ts';
import { badRequest, notFound, permissionDenied, tokenExpired } from '../wire/errors.ts';
import { empty, isProblem, json, type Reply } from '../wire/reply.ts';
import {
  additionalInfo,
  customerId,
  deviceId,
  devicePaging,
  optionalText,
  profileId,
  reference,
  requiredText,
} from '../wire/schemas.ts';
import { customerOf, deviceByName, mayRead, visibleCustomer, visibleDevice } from './access.ts';
import { DEVICE_PAGE, deviceReply, pageOfDevices, SEARCH_GAVE_UP } from './answers.ts';
import { unlessCustomerGone, unlessTenantGone } from './tenure.ts';

export interface DeviceNeeds {
  readonly audit: AuditTrail;
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly profiles: Profiles;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

const IDS_MAX = 1000;

const inPath = z.object({ deviceId });

const deviceBody = z.object(
  {
    id: reference(deviceId),
    name: requiredText('Device name'),
    type: optionalText('Device type'),
    label: optionalText('Device label'),
    additionalInfo,
    customerId: reference(customerId),
    deviceProfileId: reference(profileId),
  },
  { error: 'The body should be a JSON object!' },
);

type DeviceBody = z.output<typeof deviceBody>;
type Caller = TenantAdministrator | CustomerUser;

const credentialsBody = z.object(
  {
    deviceId: z
      .object({ id: deviceId }, { error: 'deviceId should be specified!' })
      .transform((given) => given.id),
    ...credentialsFields,
  },
  { error: 'The body should be a JSON object!' },
);

export function deviceRoutes(needs: DeviceNeeds): Route[] {
  const { accounts, audit, devices, directory, profiles, secrets, clock } = needs;
  const credentialsReply = (id: DeviceId, device: Device) =>
    viewCredentials(id, device, credentialsValueOf(secrets, id, device.credentials));

  const view = async (device: DeviceRecord) =>
    viewDevice(device.id, device, await profiles.defaultIdOf(device.tenantId));

  async function byName(tenantId: TenantId, name: string): Promise<Reply> {
    const device = await deviceByName(directory, tenantId, name);
    return device === undefined ? notFound : json(await view(device));
  }

  /** What a body says of a device. Without a type it has the profile's name as its type, as in ThingsBoard. */
  async function fieldsOf(tenantId: TenantId, body: DeviceBody, type: string | undefined) {
    const { name, label, additionalInfo: info, deviceProfileId } = body;
    const common = { tenantId, name, label, additionalInfo: info };
    if (deviceProfileId === undefined) return { ...common, deviceType: body.type ?? type ?? 'default' };
    const profile = await profiles.find(tenantId, deviceProfileId);
    if (profile === undefined) return notFound;
    return { ...common, deviceType: body.type ?? profile.name, profileId: profile.id };
  }

  async function create(
    principal: Caller,
    body: DeviceBody,
    given: Parameters<typeof credentialsOf>[2],
  ): Promise<Reply> {
    if (principal.authority !== 'TENANT_ADMIN') return permissionDenied;
    if (body.customerId !== undefined) {
      const customer = await visibleCustomer(accounts, principal, body.customerId);
      if (customer.type !== 'found') return customer;
    }
    const { tenantId } = principal;
    const created = newId<DeviceId>(clock.now());
    const credentials = credentialsOf(secrets, created, given);
    if (isProblem(credentials)) return credentials;
    const fields = await fieldsOf(tenantId, body, undefined);
    if (isProblem(fields)) return fields;
    const answer = await devices.ask(created, {
      type: 'ProvisionDevice',
      ...fields,
      customerId: body.customerId ?? null,
      credentials,
    });
    const kept = await unlessTenantGone(needs, created, tenantId, answer);
    if (kept === undefined) return tokenExpired;
    if (body.customerId === undefined) return deviceReply(profiles, created, kept);
    const tenure = { tenantId, userId: principal.userId, customerId: body.customerId };
    const owned = await unlessCustomerGone(needs, created, tenure, kept);
    return owned === undefined ? notFound : deviceReply(profiles, created, owned);
  }

  return [
    defineRoute({
      method: 'POST',
      path: '/api/device',
      summary: 'Create a device, or with an id: change its name, type, label and additional info',
      roles: TENANT_AND_CUSTOMER,
      query: z.object({ accessToken: accessToken.optional() }),
      body: deviceBody,
      responses: {
        200: { description: 'The device', schema: deviceView },
        400: { description: 'The name is taken or malformed, or the access token is taken' },
        403: { description: 'A customer may only change devices that it owns' },
        404: { description: 'No such device or customer' },
      },
      async handle({ principal, query, body }) {
        const { tenantId } = principal;
        const { id } = body;
        if (id !== undefined) {
          const before = await visibleDevice(devices, principal, id);
          if (before.type !== 'found') return before;
          const customer = customerOf(principal);
          // What names no profile goes on doing so when a client sends back what it read.
          const now = before.value.profileId ?? (await profiles.defaultIdOf(tenantId));
          const asRead = body.deviceProfileId === now ? undefined : body.deviceProfileId;
          const fields = await fieldsOf(tenantId, { ...body, deviceProfileId: asRead }, before.value.type);
          if (isProblem(fields)) return fields;
          const who = { customerId: customer, userId: principal.userId };
          const command = { type: 'UpdateDevice', ...who, ...fields } as const;
          return deviceReply(profiles, id, await devices.ask(id, command));
        }

        const credentials = { credentialsType: 'ACCESS_TOKEN', credentialsId: query.accessToken } as const;
        return create(principal, body, credentials);
      },
    }),

    defineRoute({
      method: 'POST',
      path: '/api/device-with-credentials',
      summary: 'Create a device together with its credentials',
      roles: TENANT_AND_CUSTOMER,
      body: z.object(
        {
          device: deviceBody,
          credentials: z.object(credentialsFields),
        },
        { error: 'The body should be {"device": …, "credentials": …}!' },
      ),
      responses: {
        200: { description: 'The device', schema: deviceView },
        400: { description: 'The name or the credentials are taken or malformed, or the device has an id' },
        403: { description: 'A customer makes no devices' },
        404: { description: 'No such customer' },
      },
      handle({ principal, body: { device, credentials } }) {
        // Changing both at once would be two commands, and only one of them might happen.
        if (device.id !== undefined) return badRequest('The device should be a new one, without an id!');
        return create(principal, device, credentials);
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/device/:deviceId',
      summary: 'A device',
      roles: TENANT_AND_CUSTOMER,
      params: inPath,
      responses: {
        200: { description: 'The device', schema: deviceView },
        403: { description: 'Another customer owns it, or nobody' },
        404: { description: 'No such device' },
      },
      async handle({ principal, params }) {
        const device = await visibleDevice(devices, principal, params.deviceId);
        return device.type === 'found' ? json(await view(device.value)) : device;
      },
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/device/:deviceId',
      summary: 'Delete a device; its name and access token are free again',
      roles: TENANT,
      params: inPath,
      responses: { 200: { description: 'Deleted' }, 404: { description: 'No such device' } },
      async handle({ principal, params }) {
        const command = { type: 'DeleteDevice', tenantId: principal.tenantId } as const;
        const before = await devices.read(params.deviceId);
        const answer = await devices.ask(params.deviceId, command);
        if (answer.type !== 'accepted') return deviceReply(profiles, params.deviceId, answer);
        const { tenantId, userId } = principal;
        audit.note({
          tenantId,
          action: 'DELETED',
          deviceId: params.deviceId,
          deviceName: before?.name,
          customerId: before?.owner?.customerId,
          userId,
          data: {},
          failure: undefined,
        });
        return empty;
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/device/:deviceId/credentials',
      summary: "A device's credentials",
      roles: TENANT_AND_CUSTOMER,
      grants: ['everything'],
      params: inPath,
      responses: {
        200: { description: 'The credentials', schema: credentialsView },
        403: { description: 'Another customer owns it, or nobody' },
        404: { description: 'No such device' },
      },
      async handle({ principal, params }) {
        const device = await visibleDevice(devices, principal, params.deviceId);
        return device.type === 'found' ? json(credentialsReply(device.value.id, device.value)) : device;
      },
    }),

    defineRoute({
      method: 'POST',
      path: '/api/device/credentials',
      summary: "Change a device's credentials; the old ones stop working at once",
      roles: TENANT,
      body: credentialsBody,
      responses: {
        200: { description: 'The credentials', schema: credentialsView },
        400: {
          description:
            'Another device has these credentials, or they are malformed or of a type that is not supported',
        },
        404: { description: 'No such device' },
      },
      async handle({ principal, body }) {
        if (body.credentialsType === 'ACCESS_TOKEN' && !body.credentialsId) {
          return badRequest('Device credentials id should be specified!');
        }
        const credentials = credentialsOf(secrets, body.deviceId, body);
        if (isProblem(credentials)) return credentials;
        const { tenantId, userId } = principal;
        const command = { type: 'ChangeCredentials', tenantId, userId, credentials } as const;
        const answer = await devices.ask(body.deviceId, command);
        return answer.type === 'accepted' && answer.state.status === 'provisioned'
          ? json(credentialsReply(body.deviceId, answer.state))
          : deviceReply(profiles, body.deviceId, answer);
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/tenant/devices',
      summary: "The tenant's devices, or with deviceName: the one of that name",
      roles: TENANT,
      query: z.union([z.object({ deviceName: z.string() }), devicePaging]),
      responses: {
        200: {
          description: `${DEVICE_PAGE} With deviceName: the device.`,
          schema: z.union([pageView(deviceView), deviceView]),
        },
        400: { description: SEARCH_GAVE_UP },
        404: { description: 'No device of this name' },
      },
      async handle({ principal, query }) {
        if ('deviceName' in query) return byName(principal.tenantId, query.deviceName);
        const page = await directory.ofTenant(principal.tenantId, query);
        return pageOfDevices({ ...page, items: await mapInSlices(page.items, view) }, query, (item) => item);
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/tenant/device',
      summary: "The tenant's device of a name",
      roles: TENANT,
      query: z.object({ deviceName: z.string({ error: 'deviceName should be specified!' }) }),
      responses: {
        200: { description: 'The device', schema: deviceView },
        404: { description: 'No device of this name' },
      },
      handle: ({ principal, query }) => byName(principal.tenantId, query.deviceName),
    }),

    defineRoute({
      method: 'GET',
      path: '/api/devices',
      summary: 'Several devices by their ids; those the caller may not see are left out',
      roles: TENANT_AND_CUSTOMER,
      query: z.object({
        deviceIds: z
          .string({ error: 'deviceIds should be specified!' })
          .transform((text) => text.split(',').filter((id) => id !== ''))
          .pipe(z.array(deviceId).max(IDS_MAX, `At most ${IDS_MAX} ids at once!`)),
      }),
      responses: { 200: { description: 'The devices', schema: z.array(deviceView) } },
      async handle({ principal, query }) {
        const all = await Promise.all([...new Set(query.deviceIds)].map((id) => devices.read(id)));
        const visible = all
          .filter((device) => device !== undefined)
          .filter((device) => mayRead(principal, device));
        return json(await Promise.all(visible.map(view)));
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/customer/:customerId/devices',
      summary: 'The devices that a customer owns',
      roles: TENANT_AND_CUSTOMER,
      params: z.object({ customerId }),
      query: devicePaging,
      responses: {
        200: { description: DEVICE_PAGE, schema: pageView(deviceView) },
        400: { description: SEARCH_GAVE_UP },
        403: { description: 'Another customer' },
        404: { description: 'No such customer' },
      },
      async handle({ principal, params, query }) {
        const customer = await visibleCustomer(accounts, principal, params.customerId);
        if (customer.type !== 'found') return customer;
        const page = await directory.ofCustomer(principal.tenantId, params.customerId, query);
        return pageOfDevices({ ...page, items: await mapInSlices(page.items, view) }, query, (item) => item);
      },
    }),
  ];
}
