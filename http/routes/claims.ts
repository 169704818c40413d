/**
 * Confirming a claim and giving a device back: the main job, from the customer's side.
 *
 * The device's actor decides; here the caller is told less than the actor says (no window, elapsed and wrong secret
 * are all FAILURE), and wrong secrets are counted against those who send them (rule C6).
 */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { DeviceAnswer, Devices, Directory } from '../../actors/devices.ts';
import type { DeviceId } from '../../actors/ids.ts';
import type { Secrets } from '../../actors/secret.ts';
import { attempt, createLimiter } from '../attempts.ts';
import { notFound, refusedByDevice, tokenExpired, tooManyRequests, unavailable } from '../errors.ts';
import type { Grant } from '../principal.ts';
import { empty, json, type Reply } from '../reply.ts';
import { defineRoute, type Route } from '../route.ts';
import type { LimitSettings } from '../settings.ts';
import { claimResultView, viewDevice } from '../views.ts';
import { deviceIdByName } from './access.ts';
import { unlessCustomerGone } from './tenure.ts';

export interface ClaimNeeds {
  readonly audit: AuditTrail;
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly settings: { readonly limits: LimitSettings };
}

/** What an API key for claiming is good for. */
const CLAIMING: readonly Grant[] = ['everything', 'claiming'];

const inPath = z.object({
  deviceName: z.string().refine((name) => name.trim() !== '', "Parameter 'deviceName' can't be empty!"),
});

/** Absent, null and empty are all the empty secret (rule C2); a number is its text, as ThingsBoard reads it. */
const secretKey = z
  .union([z.string(), z.number().transform(String), z.boolean().transform(String)], {
    error: 'secretKey should be a text!',
  })
  .nullish()
  .transform((secret) => secret ?? '');

/** No body at all is the same as `{}`. */
const claimBody = z
  .object({ secretKey }, { error: 'The body should be a JSON object!' })
  .nullish()
  .transform((body) => body?.secretKey ?? '');

export function claimRoutes(needs: ClaimNeeds): Route[] {
  const { audit, devices, directory, secrets, settings } = needs;
  const { limits } = settings;
  const perDevice = createLimiter('customer-and-device', limits.wrongSecretsPerCustomerAndDevice);
  const perCustomer = createLimiter('customer', limits.wrongSecretsPerCustomer);
  const perAddress = createLimiter('address', limits.wrongSecretsPerAddress);

  return [
    defineRoute({
      method: 'POST',
      path: '/api/customer/device/:deviceName/claim',
      summary: "Claim a device for the caller's customer, by the secret that opened its claim window",
      roles: ['CUSTOMER_USER'],
      grants: CLAIMING,
      params: inPath,
      body: claimBody,
      responses: {
        200: { description: 'The device is yours', schema: claimResultView },
        400: {
          description: 'No open window, or another secret: FAILURE. Owned by anybody already: CLAIMED',
          schema: z.enum(['FAILURE', 'CLAIMED']),
        },
        404: { description: 'The tenant has no device of this name' },
        429: { description: 'Too many wrong secrets from you' },
      },
      async handle({ principal, params, body: secret, address }) {
        const { tenantId, customerId, userId } = principal;
        const id = await deviceIdByName(directory, tenantId, params.deviceName);
        if (id === undefined) return notFound;

        const parties = [
          { limiter: perDevice, key: `${customerId}/${id}` },
          { limiter: perCustomer, key: customerId },
          { limiter: perAddress, key: address },
        ];
        const secretDigest = secrets.digest(id, secret);
        const command = { type: 'ConfirmClaim', tenantId, customerId, userId, secretDigest } as const;
        const outcome = await attempt(parties, () => devices.ask(id, command), isWrongSecret);
        if (outcome.type === 'blocked') {
          return tooManyRequests('Too many wrong secrets, try again later', outcome.retryAfterMs);
        }
        if (outcome.type === 'refused') {
          // Attempts over the limit are not noted: a flood must not fill the trail.
          audit.note({
            tenantId,
            action: 'CLAIM_REFUSED',
            deviceId: id,
            deviceName: params.deviceName,
            customerId,
            userId,
            data: {},
            failure: outcome.refusal.reason,
          });
        }
        const answer = await unlessCustomerGone(needs, id, principal, outcome);
        return answer === undefined ? tokenExpired : claimReply(id, answer);
      },
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/customer/device/:deviceName/claim',
      summary: 'Give a device back, so that it can be claimed again',
      roles: ['CUSTOMER_USER', 'TENANT_ADMIN'],
      grants: CLAIMING,
      params: inPath,
      responses: {
        200: { description: 'Nobody owns it now' },
        403: { description: 'Another customer owns it' },
        404: { description: 'The tenant has no device of this name' },
      },
      async handle({ principal, params }) {
        const { tenantId, userId } = principal;
        const id = await deviceIdByName(directory, tenantId, params.deviceName);
        if (id === undefined) return notFound;

        const customerId = principal.authority === 'CUSTOMER_USER' ? principal.customerId : null;
        const answer = await devices.ask(id, { type: 'ReclaimDevice', tenantId, userId, customerId });
        switch (answer.type) {
          case 'accepted':
            return empty;
          case 'refused':
            return refusedByDevice(answer.refusal);
          case 'unavailable':
            return unavailable(answer.reason);
          default:
            return answer satisfies never;
        }
      },
    }),
  ];
}

function isWrongSecret(answer: DeviceAnswer): boolean {
  return answer.type === 'refused' && answer.refusal.reason === 'wrong-secret';
}

function claimReply(id: DeviceId, answer: DeviceAnswer): Reply {
  switch (answer.type) {
    case 'accepted':
      return answer.state.status === 'provisioned'
        ? json({ device: viewDevice(id, answer.state), response: 'SUCCESS' })
        : notFound;
    case 'unavailable':
      return unavailable(answer.reason);
    case 'refused':
      break;
    default:
      return answer satisfies never;
  }
  switch (answer.refusal.reason) {
    case 'already-claimed':
      return json('CLAIMED', 400);
    case 'no-window':
    case 'window-elapsed':
    case 'wrong-secret':
      return json('FAILURE', 400);
    default:
      return refusedByDevice(answer.refusal);
  }
}
