/**
 * Why a claim was refused, told beside ThingsBoard's FAILURE and CLAIMED in a header that its clients do not look at, so
 * that people can be told what to do. Where refusals are uniform it is not sent.
 */

export const CLAIM_REFUSAL_HEADER = 'Claim-Refusal';
/** With `wrong-secret`: how many more of them are borne with for now. */
export const ATTEMPTS_LEFT_HEADER = 'Claim-Attempts-Left';

/** With an answer that is given again to a request that was repeated under its `Idempotency-Key`. */
export const REPLAYED_HEADER = 'Idempotency-Replayed';

export const CLAIM_REFUSALS = [
  'wrong-secret',
  'no-window',
  'window-elapsed',
  'not-allowed',
  'already-claimed',
  'already-yours',
] as const;
export type ClaimRefusal = (typeof CLAIM_REFUSALS)[number];

export function isClaimRefusal(text: string): text is ClaimRefusal {
  return CLAIM_REFUSALS.some((known) => known === text);
}
