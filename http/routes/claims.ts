/**
 * Confirming a claim and giving a device back: the main job, from the customer's side.
 *
 * The device's actor decides; here the caller is told less than the actor says (no window, elapsed and wrong secret
 * are all FAILURE), and wrong secrets are counted against those who send them (rule C6).
 */

import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { KeptAnswer } from '../../actors/accounts/replays.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Instant } from '../../actors/base/clock.ts';
import { type DeviceId, NULL_UUID, parseId, type UserId } from '../../actors/base/ids.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { RefusalReason } from '../../actors/device/messages.ts';
import { type Device, mayBeClaimed } from '../../actors/device/state.ts';
import type { DeviceAnswer, Devices, Directory } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import { attempt, attemptsLeft, createLimiter, type Party } from '../auth/attempts.ts';
import { CUSTOMER, type CustomerUser, type Grant, TENANT_AND_CUSTOMER } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { claimResultView, viewDevice } from '../views/device.ts';
import {
  ATTEMPTS_LEFT_HEADER,
  CLAIM_REFUSAL_HEADER,
  type ClaimRefusal,
  REPLAYED_HEADER,
} from '../wire/claim-refusal.ts';
import {
  badRequest,
  keyReused,
  notFound,
  refusedByDevice,
  tokenExpired,
  tooManyRequests,
  unavailable,
} from '../wire/errors.ts';
import { type JsonReply, json, type Reply } from '../wire/reply.ts';
import { NAME_MAX } from '../wire/schemas.ts';
import { customerOf, deviceIdByName } from './access.ts';
import { doneReply } from './answers.ts';
import { unlessCustomerGone } from './tenure.ts';

export interface ClaimNeeds {
  readonly audit: AuditTrail;
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly profiles: Profiles;
  readonly secrets: Secrets;
  readonly counters?: Counters | undefined;
  readonly settings: Pick<ApiSettings, 'limits' | 'uniformRefusals' | 'claimingByDefault'>;
}

const NOBODY = NULL_UUID as DeviceId; // an id that no device has

/** What an API key for claiming is good for. */
const CLAIMING: readonly Grant[] = ['everything', 'claiming'];

const inPath = z.object({
  deviceName: z.string().refine((name) => name.trim() !== '', "Parameter 'deviceName' can't be empty!"),
});

/**
 * Absent, null and empty are all the empty secret (rule C2); a number is its text, as ThingsBoard reads it. One that
 * lost digits on its way through JavaScript would be another secret than the one that was sent: it is refused.
 */
const secretKey = z
  .union([z.string(), z.int().transform(String), z.boolean().transform(String)], {
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
  const { accounts, audit, devices, directory, profiles, secrets, settings } = needs;
  const { limits, uniformRefusals: uniform } = settings;
  const perDevice = createLimiter(
    'customer-and-device',
    limits.wrongSecretsPerCustomerAndDevice,
    needs.counters,
  );
  const perCustomer = createLimiter('customer', limits.wrongSecretsPerCustomer, needs.counters);
  const perAddress = createLimiter('address', limits.wrongSecretsPerAddress, needs.counters);

  /** @param begunAt set when this request may have been carried out already, since then */
  async function confirm(
    principal: CustomerUser,
    deviceName: string,
    secret: string,
    address: string,
    begunAt: Instant | undefined,
  ): Promise<Reply> {
    const { tenantId, customerId, userId } = principal;
    const id = await deviceIdByName(directory, tenantId, deviceName);
    if (id === undefined && !uniform) return notFound;

    const parties = [
      // What is longer than a name is no device, and not worth remembering whole.
      { limiter: perDevice, key: `${customerId}/${id ?? deviceName.slice(0, NAME_MAX)}` },
      { limiter: perCustomer, key: customerId },
      { limiter: perAddress, key: address },
    ];
    const outcome = await attempt(
      parties,
      () => (id === undefined ? unknownDevice(secret) : ask(principal, id, secret)),
      uniform ? isRefused : isWrongSecret,
    );
    if (outcome.type === 'blocked') {
      return tooManyRequests('Too many wrong secrets, try again later', outcome.retryAfterMs);
    }
    if (outcome.type === 'refused') {
      const { reason: failure } = outcome.refusal;
      const doubtful = failure === 'already-claimed' && (uniform || begunAt !== undefined);
      const device = doubtful && id !== undefined ? await devices.read(id) : undefined;
      const owner = device?.owner?.customerId === customerId ? device.owner : undefined;
      // Ours since this very request was begun: the process ended between the claim and its answer.
      const before = begunAt !== undefined && owner?.by === 'claim' && owner.since >= begunAt;
      if (device !== undefined && before) return claimed(profiles, device.id, device);
      // Attempts over the limit are not noted: a flood must not fill the trail.
      note(principal, id, deviceName, failure);
      if (uniform && owner === undefined) return json('FAILURE', 400);
    }
    if (id === undefined) return notFound;
    const answer = await unlessCustomerGone(needs, id, { tenantId, customerId, userId }, outcome);
    if (answer === undefined) return tokenExpired;
    const reply = await claimReply(profiles, id, answer);
    if (uniform || answer.type !== 'refused' || reply.type !== 'json') return reply;
    return { ...reply, headers: await whyNot(principal, id, answer.refusal.reason, parties) };
  }

  /** What FAILURE and CLAIMED do not tell; see `../claim-refusal.ts`. */
  async function whyNot(
    { customerId }: CustomerUser,
    id: DeviceId,
    reason: RefusalReason,
    parties: readonly Party[],
  ): Promise<Record<string, string>> {
    const because = (refusal: ClaimRefusal) => ({ [CLAIM_REFUSAL_HEADER]: refusal });
    if (reason === 'wrong-secret') {
      const left = await attemptsLeft(parties);
      return { ...because(reason), ...(left === undefined ? {} : { [ATTEMPTS_LEFT_HEADER]: String(left) }) };
    }
    const device = await devices.read(id);
    if (reason === 'already-claimed') {
      return because(device?.owner?.customerId === customerId ? 'already-yours' : reason);
    }
    if (reason !== 'no-window' && reason !== 'window-elapsed') return {};
    const allowed = device === undefined || mayBeClaimed(device, settings.claimingByDefault);
    return because(allowed ? reason : 'not-allowed');
  }

  function ask({ tenantId, customerId, userId }: CustomerUser, id: DeviceId, secret: string) {
    const secretDigest = secrets.digest(id, secret);
    return devices.ask(id, { type: 'ConfirmClaim', tenantId, customerId, userId, secretDigest });
  }

  /** What asking a device that is there would cost is paid as well, as far as that is easy. */
  async function unknownDevice(secret: string): Promise<DeviceAnswer> {
    secrets.digest(NOBODY, secret);
    return { type: 'refused', refusal: { reason: 'unknown-device' } };
  }

  function note(
    principal: CustomerUser,
    deviceId: DeviceId | undefined,
    deviceName: string,
    failure: string,
  ) {
    const { tenantId, customerId, userId } = principal;
    audit.note({
      tenantId,
      action: 'CLAIM_REFUSED',
      deviceId,
      deviceName,
      customerId,
      userId,
      data: {},
      failure,
    });
  }

  return [
    defineRoute({
      method: 'POST',
      path: '/api/customer/device/:deviceName/claim',
      summary: "Claim a device for the caller's customer, by the secret that opened its claim window",
      roles: CUSTOMER,
      grants: CLAIMING,
      params: inPath,
      body: claimBody,
      idempotent: true,
      responses: {
        200: { description: 'The device is yours', schema: claimResultView },
        400: {
          description:
            'No open window, or another secret: FAILURE. Owned by anybody already: CLAIMED. Unless refusals are uniform the ' +
            'header Claim-Refusal says more (wrong-secret, no-window, window-elapsed, not-allowed, already-claimed, ' +
            'already-yours), and Claim-Attempts-Left how many more wrong secrets are borne with for now',
          schema: z.enum(['FAILURE', 'CLAIMED']),
        },
        404: { description: 'The tenant has no device of this name' },
        422: { description: 'The Idempotency-Key was used for another request' },
        429: { description: 'Too many wrong secrets from you' },
      },
      async handle({ principal, params, body: secret, address, idempotencyKey: key }) {
        const claim = (begunAt: Instant | undefined) =>
          confirm(principal, params.deviceName, secret, address, begunAt);
        if (key === undefined) return claim(undefined);
        if (key === '' || key.length > NAME_MAX)
          return badRequest('The Idempotency-Key is empty or too long!');
        const { userId } = principal;
        const fingerprint = fingerprintOf(secrets, userId, params.deviceName, secret);
        const outcome = await accounts.replays.run({ userId, key, fingerprint }, async (begunAt) => {
          const given = await claim(begunAt);
          return { given, keep: given.type === 'json' ? kept(given) : undefined };
        });
        switch (outcome.type) {
          case 'fresh':
            return outcome.given;
          case 'kept':
            return replayed(outcome.answer);
          case 'other':
            return keyReused;
          default:
            return unreachable(outcome);
        }
      },
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/customer/device/:deviceName/claim',
      summary: 'Give a device back, so that it can be claimed again',
      roles: TENANT_AND_CUSTOMER,
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
        if (uniform && principal.authority === 'CUSTOMER_USER') {
          const device = await devices.read(id);
          if (device?.owner?.customerId !== principal.customerId) return notFound;
        }

        const customerId = customerOf(principal);
        return doneReply(await devices.ask(id, { type: 'ReclaimDevice', tenantId, userId, customerId }));
      },
    }),
  ];
}

function isWrongSecret(answer: DeviceAnswer): boolean {
  return answer.type === 'refused' && answer.refusal.reason === 'wrong-secret';
}

function isRefused(answer: DeviceAnswer): boolean {
  return answer.type === 'refused';
}

async function claimed(profiles: Profiles, id: DeviceId, device: Device): Promise<Reply> {
  const view = viewDevice(id, device, await profiles.defaultIdOf(device.tenantId));
  return json({ device: view, response: 'SUCCESS' });
}

function kept({ status, body, headers }: JsonReply): KeptAnswer {
  return { status, body: JSON.stringify(body), ...(headers === undefined ? {} : { headers }) };
}

/** What was answered, and that it was answered before: a refusal may be out of date by now. */
function replayed({ status, body, headers }: KeptAnswer): Reply {
  return { ...json(JSON.parse(body), status), headers: { ...headers, [REPLAYED_HEADER]: 'true' } };
}

/** What is asked, under the server's key: the secret is in it. Ids of users and devices look alike. */
function fingerprintOf(secrets: Secrets, user: UserId, deviceName: string, secret: string): string {
  return secrets.digest(parseId<DeviceId>(user) ?? NOBODY, JSON.stringify([deviceName, secret]));
}

async function claimReply(profiles: Profiles, id: DeviceId, answer: DeviceAnswer): Promise<Reply> {
  switch (answer.type) {
    case 'accepted':
      return answer.state.status === 'provisioned' ? claimed(profiles, id, answer.state) : notFound;
    case 'unavailable':
      return unavailable(answer.reason);
    case 'refused':
      break;
    default:
      return unreachable(answer);
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
