/**
 * Why a claim was refused: a header beside ThingsBoard's FAILURE and CLAIMED, which its clients ignore, so that pages
 * can tell people what to do. It is not sent where refusals are uniform.
 */
import type { ReasonCode } from '../../actors/claiming/reasons.ts';

export const CLAIM_REFUSAL_HEADER = 'Claim-Refusal';
/** With `wrong-secret`: how many more wrong secrets are accepted for now. */
export const ATTEMPTS_LEFT_HEADER = 'Claim-Attempts-Left';

/** On an answer that repeats an earlier one for the same `Idempotency-Key`. */
export const REPLAYED_HEADER = 'Idempotency-Replayed';

export const CLAIM_REFUSALS = [
  'wrong-secret',
  'no-window',
  'window-elapsed',
  'claiming-not-allowed',
  'already-claimed',
  'already-yours',
  'proof-required',
  'wrong-proof',
  'proof-outdated',
] as const satisfies readonly ReasonCode[];
export type ClaimRefusal = (typeof CLAIM_REFUSALS)[number];

export function isClaimRefusal(text: string): text is ClaimRefusal {
  return CLAIM_REFUSALS.some((refusal) => refusal === text);
}
