/** Devices: created, changed and deleted by the tenant; read and relabelled by the customer who owns them. */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Clock } from '../../actors/base/clock.ts';
import { type DeviceId, newId, type TenantId } from '../../actors/base/ids.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import type { DeviceRecord } from '../../actors/device/state.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { accessToken, credentialsFields, credentialsOf } from '../auth/credentials.ts';
import {
  type CustomerUser,
  impersonation,
  TENANT,
  TENANT_AND_CUSTOMER,
  type TenantAdministrator,
} from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { deviceView } from '../views/device.ts';
import { badRequest, notFound, permissionDenied, tokenExpired } from '../wire/errors.ts';
import { unlessVisible } from '../wire/names.ts';
import { empty, isProblem, json, type Reply } from '../wire/reply.ts';
import {
  additionalInfo,
  customerId,
  deviceId,
  optionalText,
  profileId,
  reference,
  requiredText,
} from '../wire/schemas.ts';
import { customerOf, visibleCustomer, visibleDevice } from './access.ts';
import { deviceReply, viewOfDevice } from './answers.ts';
import { deleteAs, unlessCustomerGone, unlessTenantGone } from './tenure.ts';

export interface DeviceNeeds {
  readonly audit: AuditTrail;
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly profiles: Profiles;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

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

export function deviceRoutes(needs: DeviceNeeds): Route[] {
  return [saveDevice(needs), createWithCredentials(needs), readDevice(needs), deleteDevice(needs)];
}

function saveDevice(needs: DeviceNeeds): Route {
  const { devices, profiles } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/device',
    stores: true,
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
        const hidden = unlessVisible(namesOf(body, before.value));
        if (hidden !== undefined) return hidden;
        const customer = customerOf(principal);
        // A device without a profile stays without one when a client sends back what it read.
        const now = before.value.profileId ?? (await profiles.defaultIdOf(tenantId));
        const asRead = body.deviceProfileId === now ? undefined : body.deviceProfileId;
        const fields = await fieldsOf(
          profiles,
          tenantId,
          { ...body, deviceProfileId: asRead },
          before.value.type,
        );
        if (isProblem(fields)) return fields;
        const who = { customerId: customer, userId: principal.userId, ...impersonation(principal) };
        const command = { type: 'UpdateDevice', ...who, ...fields } as const;
        return deviceReply(profiles, id, await devices.ask(id, command));
      }

      const credentials = { credentialsType: 'ACCESS_TOKEN', credentialsId: query.accessToken } as const;
      return create(needs, principal, body, credentials);
    },
  });
}

function createWithCredentials(needs: DeviceNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/device-with-credentials',
    stores: true,
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
      // Changing both would take two commands, and the second might fail.
      if (device.id !== undefined) return badRequest('The device should be a new one, without an id!');
      return create(needs, principal, device, credentials);
    },
  });
}

function readDevice({ devices, profiles }: DeviceNeeds): Route {
  return defineRoute({
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
      return device.type === 'found' ? json(await viewOfDevice(profiles, device.value)) : device;
    },
  });
}

function deleteDevice({ audit, devices, profiles }: DeviceNeeds): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/api/device/:deviceId',
    summary: 'Delete a device; its name and access token are free again',
    roles: TENANT,
    params: inPath,
    responses: { 200: { description: 'Deleted' }, 404: { description: 'No such device' } },
    async handle({ principal, params }) {
      const answer = await deleteAs({ audit, devices }, principal, params.deviceId);
      if (answer.type !== 'accepted') return deviceReply(profiles, params.deviceId, answer);
      return empty;
    },
  });
}

function namesOf({ name, type, label }: DeviceBody, now: DeviceRecord | undefined) {
  return [
    ['Device name', name, now?.name],
    ['Device type', type, now?.type],
    ['Device label', label, now?.label],
  ] as const;
}

/** The fields that a body gives a device. Without a type it has the profile's name as its type, as in ThingsBoard. */
async function fieldsOf(profiles: Profiles, tenantId: TenantId, body: DeviceBody, type: string | undefined) {
  const { name, label, additionalInfo: info, deviceProfileId } = body;
  const common = { tenantId, name, label, additionalInfo: info };
  if (deviceProfileId === undefined) return { ...common, deviceType: body.type ?? type ?? 'default' };
  const profile = await profiles.find(tenantId, deviceProfileId);
  if (profile === undefined) return notFound;
  return { ...common, deviceType: body.type ?? profile.name, profileId: profile.id };
}

async function create(
  needs: DeviceNeeds,
  principal: Caller,
  body: DeviceBody,
  input: Parameters<typeof credentialsOf>[2],
): Promise<Reply> {
  const { accounts, devices, profiles, secrets, clock } = needs;
  if (principal.authority !== 'TENANT_ADMIN') return permissionDenied;
  const hidden = unlessVisible(namesOf(body, undefined));
  if (hidden !== undefined) return hidden;
  if (body.customerId !== undefined) {
    const customer = await visibleCustomer(accounts, principal, body.customerId);
    if (customer.type !== 'found') return customer;
  }
  const { tenantId } = principal;
  const created = newId<DeviceId>(clock.now());
  const credentials = credentialsOf(secrets, created, input);
  if (isProblem(credentials)) return credentials;
  const fields = await fieldsOf(profiles, tenantId, body, undefined);
  if (isProblem(fields)) return fields;
  const answer = await devices.ask(created, {
    type: 'ProvisionDevice',
    ...fields,
    customerId: body.customerId ?? null,
    credentials,
    userId: principal.userId,
  });
  const kept = await unlessTenantGone(needs, created, tenantId, answer);
  if (kept === undefined) return tokenExpired;
  if (body.customerId === undefined) return deviceReply(profiles, created, kept);
  const tenure = { tenantId, userId: principal.userId, customerId: body.customerId };
  const owned = await unlessCustomerGone(needs, created, tenure, kept);
  return owned === undefined ? notFound : deviceReply(profiles, created, owned);
}
