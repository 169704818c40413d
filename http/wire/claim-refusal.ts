/**
 * Why a claim was refused: a header beside ThingsBoard's FAILURE and CLAIMED, which its clients ignore, so that pages
 * can tell people what to do. Where refusals are uniform it is not sent, but for `take-over-pending`, which nobody hears but
 * who has shown what it takes.
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
/** On a 202 that the client asked for by `Prefer: respond-async` (RFC 7240 §4.1). */
export const PREFERENCE_HEADER = 'Preference-Applied';
export const RESPOND_ASYNC = 'respond-async';

export const CLAIM_REFUSALS = [
  'wrong-secret',
  'no-window',
  'window-elapsed',
  'window-pending',
  'claiming-not-allowed',
  'already-claimed',
  'already-yours',
  'take-over-pending',
  'proof-required',
  'wrong-proof',
  'proof-outdated',
  'policy-refused',
] as const satisfies readonly ReasonCode[];
export type ClaimRefusal = (typeof CLAIM_REFUSALS)[number];

export function isClaimRefusal(text: string): text is ClaimRefusal {
  return CLAIM_REFUSALS.some((refusal) => refusal === text);
}
