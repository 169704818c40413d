/**
 * A challenge for a proof of possession (rule C11): a nonce that the customer takes to the device, for the device to sign.
 * The signed text goes into the body of the claim, where the secret goes otherwise (`claims.ts`).
 *
 * Where refusals are uniform, whoever may not have a challenge gets one that is good for nothing.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../actors/base/clock.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import { challengeDigest } from '../../actors/claiming/proofs.ts';
import { CHALLENGE_MS } from '../../actors/device/proof.ts';
import type { DeviceState } from '../../actors/device/state.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import { attempt, createLimiter } from '../auth/attempts.ts';
import { CUSTOMER, type CustomerUser, impersonation } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { instant } from '../views/parts.ts';
import { notFound, refusedByDevice, tooManyRequests, unavailable } from '../wire/errors.ts';
import { json, type Reply } from '../wire/reply.ts';
import { deviceIdByName } from './access.ts';
import { CLAIMING, deviceNameInPath } from './claims.ts';

export interface ChallengeNeeds {
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly counters?: Counters | undefined;
  readonly settings: Pick<ApiSettings, 'limits' | 'uniformRefusals' | 'proofAudience'>;
}

const NONCE_BYTES = 32;

const challengeView = z.object({
  /** What the device signs as `nonce`; base64url. */
  nonce: z.string(),
  /** It works until just before this instant. */
  expiresAt: instant,
  /** What the device signs as `aud`. */
  audience: z.string(),
});

export function challengeRoutes(needs: ChallengeNeeds): Route[] {
  const { limits } = needs.settings;
  // Each challenge is an event that is kept, so there is a limit to them, as there is to windows.
  const perCustomer = createLimiter('claim-challenges', limits.challengesPerCustomer, needs.counters);
  return [
    defineRoute({
      method: 'POST',
      path: '/api/customer/device/:deviceName/claim/challenge',
      summary: 'Get a challenge that the device signs, to claim it with a proof of possession',
      roles: CUSTOMER,
      grants: CLAIMING,
      params: deviceNameInPath,
      responses: {
        200: {
          description: 'The challenge, in place of the one that the customer may have had',
          schema: challengeView,
        },
        400: {
          description: 'The device has an owner, or no key to sign with, or its profile takes no proofs',
        },
        403: { description: 'The device may not be claimed' },
        404: { description: 'The tenant has no device of this name' },
        429: { description: 'Too many challenges for this customer' },
      },
      async handle({ principal, params }) {
        const parties = [{ limiter: perCustomer, key: principal.customerId }];
        const outcome = await attempt(
          parties,
          () => issue(needs, principal, params.deviceName),
          () => 1, // all of them count
        );
        return outcome.type === 'blocked'
          ? tooManyRequests('Too many challenges, try again later', outcome.retryAfterMs)
          : outcome;
      },
    }),
  ];
}

async function issue(
  { devices, directory, secrets, clock, settings }: ChallengeNeeds,
  principal: CustomerUser,
  deviceName: string,
): Promise<Reply> {
  const { uniformRefusals, proofAudience: audience } = settings;
  const { tenantId, customerId, userId } = principal;
  const nonce = randomBytes(NONCE_BYTES).toString('base64url');
  const decoy = json({ nonce, expiresAt: clock.now() + CHALLENGE_MS, audience });
  const id = await deviceIdByName(directory, tenantId, deviceName);
  if (id === undefined) return uniformRefusals ? decoy : notFound;
  const nonceDigest = challengeDigest(secrets, id, nonce);
  const answer = await devices.ask(id, {
    type: 'IssueChallenge',
    tenantId,
    customerId,
    userId,
    ...impersonation(principal),
    nonceDigest,
    validMs: CHALLENGE_MS,
  });
  if (answer.type === 'unavailable') return unavailable(answer.reason);
  if (answer.type === 'refused') return uniformRefusals ? decoy : refusedByDevice(answer.refusal);
  const expiresAt = expiryOf(answer.state, nonceDigest);
  return expiresAt === undefined ? notFound : json({ nonce, expiresAt, audience });
}

function expiryOf(state: DeviceState, nonceDigest: string): number | undefined {
  const challenges = state.status === 'absent' ? [] : (state.challenges ?? []);
  return challenges.find((open) => open.nonceDigest === nonceDigest)?.expiresAt;
}
