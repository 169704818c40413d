/**
 * Why a claim was refused: a header beside ThingsBoard's FAILURE and CLAIMED, which its clients ignore, so that pages
 * can tell people what to do. It is not sent where refusals are uniform.
 */
import type { ReasonCode } from '../../actors/claiming/reasons.ts';

export const CLAIM_REFUSAL_HEADER = 'Claim-Refusal';
/** With `wrong-secret`: how many more wrong secrets are accepted for now. */
export const ATTEMPTS_LEFT_HEADER = 'Claim-Attempts-Left';

/** With `policy-refused`: the code that the operator's policy gave, and its sentence for the customer, percent-encoded. */
export const POLICY_REASON_HEADER = 'Claim-Policy-Reason';
export const POLICY_MESSAGE_HEADER = 'Claim-Policy-Message';

/** On an answer that repeats an earlier one for the same `Idempotency-Key`. */
export const REPLAYED_HEADER = 'Idempotency-Replayed';

export const CLAIM_REFUSALS = [
  'wrong-secret',
  'no-window',
  'window-elapsed',
  'window-pending',
  'claiming-not-allowed',
  'already-claimed',
  'already-yours',
  'proof-required',
  'wrong-proof',
  'proof-outdated',
  'policy-refused',
] as const satisfies readonly ReasonCode[];
export type ClaimRefusal = (typeof CLAIM_REFUSALS)[number];

export function isClaimRefusal(text: string): text is ClaimRefusal {
  return CLAIM_REFUSALS.some((refusal) => refusal === text);
}
