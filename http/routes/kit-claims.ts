/**
 * Claiming a kit by the code on its box (rules K3 to K5). Wrong codes are counted against who shows them, apart from wrong
 * secrets: with 79 bits, and so few tries, guessing is in vain. Whoever shows a code that there is holds the box, and
 * hears why it opens nothing; all others hear `kit-unknown`.
 */
import { z } from 'zod';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { KitReason, Kits } from '../../actors/kits/model.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import { attempt, createLimiter } from '../auth/attempts.ts';
import { CUSTOMER, impersonation } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { claimedKitView, viewClaimedKit } from '../views/kit.ts';
import { notFound, refusedKit, tooManyRequests } from '../wire/errors.ts';
import { json } from '../wire/reply.ts';
import { requiredText } from '../wire/schemas.ts';
import { CLAIMING } from './claims.ts';
import { impersonatorOf } from './user-notes.ts';

export interface KitClaimNeeds {
  readonly kits: Kits;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly counters?: Counters | undefined;
  readonly settings: Pick<ApiSettings, 'limits' | 'uniformRefusals'>;
}

export function kitClaimRoutes(needs: KitClaimNeeds): Route[] {
  return [claimKit(needs), readClaimedKit(needs)];
}

function claimKit({ kits, audit, clock, counters, settings }: KitClaimNeeds): Route {
  const { wrongKitCodesPerCustomer, wrongKitCodesPerAddress } = settings.limits;
  const perCustomer = createLimiter('kit-codes-customer', wrongKitCodesPerCustomer, counters);
  const perAddress = createLimiter('kit-codes-address', wrongKitCodesPerAddress, counters);
  return defineRoute({
    method: 'POST',
    path: '/api/customer/claim/kit',
    summary: "Claim all devices of a kit for the caller's customer, by the code on its box",
    description:
      "Answered when the kit is the customer's; its devices follow within seconds, and GET tells what became of each. " +
      'Asked again with the same code, it is the same answer.',
    roles: CUSTOMER,
    grants: CLAIMING,
    body: z.object({ code: requiredText('The code') }, { error: 'The body should be {"code": …}!' }),
    responses: {
      200: { description: 'The kit is yours', schema: claimedKitView },
      400: { description: 'The code has expired, is revoked, or was used by another customer' },
      404: { description: 'There is no such code' },
      429: { description: 'Too many wrong codes from you' },
    },
    async handle({ principal, body: { code }, address }) {
      const { tenantId, customerId, userId } = principal;
      const answer = await attempt(
        [
          { limiter: perCustomer, key: customerId },
          { limiter: perAddress, key: address },
        ],
        () => kits.claim({ tenantId, customerId, userId, ...impersonation(principal) }, code),
        (outcome) => (outcome.type === 'refused' && outcome.reason === 'kit-unknown' ? 1 : 0),
      );
      if (answer.type === 'blocked') {
        return tooManyRequests(
          'Too many wrong codes, try again later',
          answer.retryAfterMs,
          'too-many-wrong-codes',
        );
      }
      const who = { tenantId, customerId, userId };
      if (answer.type === 'refused') {
        const data = { kit: null, ...impersonatorOf(principal) };
        const nothing = { deviceId: undefined, deviceName: undefined, data };
        audit.note({ ...nothing, ...who, action: 'CLAIM_REFUSED', failure: answer.reason });
        return refusedKit(toldReason(answer.reason, settings.uniformRefusals));
      }
      return json(viewClaimedKit(answer.kit, clock.now()));
    },
  });
}

function toldReason(reason: KitReason, uniform: boolean): KitReason {
  return uniform ? 'kit-unknown' : reason;
}

function readClaimedKit({ kits, clock }: KitClaimNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/customer/claim/kit/:kitId',
    summary: "What became of each device of a kit that the caller's customer has claimed",
    roles: CUSTOMER,
    grants: [...CLAIMING, 'reading'],
    params: z.object({ kitId: z.string() }),
    responses: {
      200: { description: 'The kit', schema: claimedKitView },
      404: { description: 'No such kit, or another customer claimed it' },
    },
    async handle({ principal, params }) {
      const kit = await kits.find(principal.tenantId, params.kitId);
      const isTheirs = kit?.claim?.customerId === principal.customerId;
      return kit !== undefined && isTheirs ? json(viewClaimedKit(kit, clock.now())) : notFound;
    },
  });
}
