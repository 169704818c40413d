/**
 * A device's credentials: read and changed by the tenant. Customers read them only where the operator allows it: a token
 * that an owner has read still works when the device belongs to somebody else (rule O9).
 */
import { z } from 'zod';
import type { DeviceId } from '../../actors/base/ids.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import type { Device } from '../../actors/device/state.ts';
import { shownBy } from '../../actors/fleet/credentials.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { credentialsFields, credentialsOf, credentialsValueOf } from '../auth/credentials.ts';
import { impersonation, TENANT, TENANT_AND_CUSTOMER } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { credentialsView, viewCredentials } from '../views/credentials.ts';
import { deviceView } from '../views/device.ts';
import { badRequest, credentialsAreTenants } from '../wire/errors.ts';
import { isProblem, json } from '../wire/reply.ts';
import { deviceId } from '../wire/schemas.ts';
import { visibleDevice } from './access.ts';
import { deviceReply } from './answers.ts';

export interface DeviceCredentialsNeeds {
  readonly devices: Devices;
  readonly profiles: Profiles;
  readonly secrets: Secrets;
  readonly settings: Pick<ApiSettings, 'customersReadCredentials'>;
}

const inPath = z.object({ deviceId });

const credentialsBody = z.object(
  {
    deviceId: z
      .object({ id: deviceId }, { error: 'deviceId should be specified!' })
      .transform((device) => device.id),
    ...credentialsFields,
  },
  { error: 'The body should be a JSON object!' },
);

export function deviceCredentialsRoutes(needs: DeviceCredentialsNeeds): Route[] {
  return [readCredentials(needs), changeCredentials(needs), approveWindow(needs)];
}

function readCredentials({ devices, profiles, secrets, settings }: DeviceCredentialsNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/device/:deviceId/credentials',
    summary: "A device's credentials",
    roles: TENANT_AND_CUSTOMER,
    grants: ['everything', 'delegated'],
    params: inPath,
    responses: {
      200: { description: 'The credentials', schema: credentialsView },
      403: {
        description:
          'Another customer owns it, or nobody; or the caller is a customer, and security.claim.customersReadCredentials is off',
      },
      404: { description: 'No such device' },
    },
    async handle({ principal, params }) {
      const device = await visibleDevice(devices, principal, params.deviceId);
      if (device.type !== 'found') return device;
      if (principal.authority === 'CUSTOMER_USER') {
        if (!settings.customersReadCredentials) return credentialsAreTenants;
        // O9: the device knows who has read its credentials, and that nobody became its owner meanwhile.
        const { tenantId, customerId, userId } = principal;
        const command = {
          type: 'ReadCredentials',
          tenantId,
          customerId,
          userId,
          ...impersonation(principal),
        } as const;
        const answer = await devices.ask(device.value.id, command);
        return answer.type === 'accepted' && answer.state.status === 'provisioned'
          ? json(credentialsOfDevice(secrets, device.value.id, answer.state))
          : deviceReply(profiles, device.value.id, answer);
      }
      return json(credentialsOfDevice(secrets, device.value.id, device.value));
    },
  });
}

function changeCredentials({ devices, profiles, secrets }: DeviceCredentialsNeeds): Route {
  return defineRoute({
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
      const command = {
        type: 'ChangeCredentials',
        tenantId,
        userId,
        credentials,
        ...impersonation(principal),
      } as const;
      const answer = await devices.ask(body.deviceId, command);
      return answer.type === 'accepted' && answer.state.status === 'provisioned'
        ? json(credentialsOfDevice(secrets, body.deviceId, answer.state))
        : deviceReply(profiles, body.deviceId, answer);
    },
  });
}

/** O9: a window of quarantined credentials can be claimed once the tenant says so. */
function approveWindow({ devices, profiles }: DeviceCredentialsNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/device/:deviceId/claim/approve',
    summary: 'Approve the claim window of a quarantined device: now it can be claimed',
    roles: TENANT,
    params: inPath,
    body: z.object({
      openedAt: z.int({ error: 'openedAt should be that of the window that waits!' }),
    }),
    responses: {
      200: { description: 'The window is open', schema: deviceView },
      400: { description: 'No window waits for approval, it has elapsed, or another one took its place' },
      404: { description: 'No such device' },
    },
    async handle({ principal, params: { deviceId: id }, body: { openedAt } }) {
      const { tenantId, userId } = principal;
      const command = {
        type: 'ApproveWindow',
        tenantId,
        userId,
        openedAt,
        ...impersonation(principal),
      } as const;
      return deviceReply(profiles, id, await devices.ask(id, command));
    },
  });
}

function credentialsOfDevice(secrets: Secrets, id: DeviceId, device: Device) {
  // O9: where they are being replaced, those that the device is to use.
  const credentials = device.nextCredentials?.credentials ?? device.credentials;
  return viewCredentials(id, device, credentials.type, {
    credentialsId: shownBy(secrets, id, credentials),
    credentialsValue: credentialsValueOf(secrets, id, credentials),
  });
}
