/** The port to the operator's policy (rule C12): asked before a claim is final. Who answers is composed at the start. */
import type { DeviceId } from '../base/ids.ts';
import type { ClaimByKit, ConfirmClaim } from '../device/confirming.ts';
import type { GivenAttributes, Refusal } from '../device/messages.ts';
import type { Unavailable } from '../runtime/decider.ts';

/** What a device says when nothing but the policy's consent is missing. */
export type ConsentNeeded = Extract<Refusal, { readonly reason: 'consent-needed' }>;
type PolicyRefused = Extract<Refusal, { readonly reason: 'policy-refused' }>;

export interface ConsentRequest {
  readonly deviceId: DeviceId;
  readonly command: ConfirmClaim | ClaimByKit;
  readonly needed: ConsentNeeded;
}

/** No answer is no consent: `unavailable`. */
export type Consent =
  | ({ readonly type: 'allowed' } & GivenAttributes)
  | { readonly type: 'refused'; readonly refusal: PolicyRefused }
  | Unavailable;

/** Never rejects, and answers within its own time limit. */
export type AskConsent = (request: ConsentRequest) => Promise<Consent>;
