/** What all messages to and from a device share: who asks, when something happened, and why a device says no. */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, DeviceId, UserId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import type { TraceText } from '../base/tracing.ts';
import type { Decision } from '../runtime/decider.ts';

/** On a command: which user asks, for the audit trail; absent where no user does. */
export interface AskedBy {
  readonly userId?: UserId;
}

/** On a command that changes the owner or deletes the device: it holds only in one of these owner epochs (R5); absent: in any. */
export interface InEpoch {
  readonly inEpochs?: readonly number[];
}

/** Server attributes that the operator's policy gave with its consent to a claim (C12); absent: none. */
export interface GivenAttributes {
  readonly attributes?: JsonObject;
}

/** On a command that claims: what the operator's policy said (C12). */
export interface Consented extends GivenAttributes {
  /** The owner epoch for which it has allowed this claim. */
  readonly consentIn?: number;
}

/** On an event: what happened, and when. */
export interface Recorded<Type extends string> {
  readonly type: Type;
  readonly at: Instant;
}

/** By what an owner came to a device, or parted with it (R6). */
export const EVIDENCE = [
  'claim',
  'secret',
  'server-key',
  'proof',
  'kit',
  'assignment',
  'transfer',
  'give-back',
  'unassignment',
  'take-over',
  'reset',
] as const;
export type Evidence = (typeof EVIDENCE)[number];

/** A change of owner, without names. */
export type Handover = readonly [at: Instant, by: Evidence];

/** Also which user did it, and for which customer if for one. Both are absent in older records. */
export interface RecordedBy<Type extends string> extends Recorded<Type> {
  readonly userId?: UserId;
  readonly customerId?: CustomerId;
}

/** An administrator who looked in as the user that a command or an event names. */
export interface ByImpersonator {
  readonly impersonatorId?: UserId;
}

/** On a command or an event: the trace that it is a part of, where one is recorded. No decision depends on it. */
export interface Traced {
  readonly trace?: TraceText;
}

/** What was given, in the form in which an event keeps it. */
export function givenIn({ attributes }: GivenAttributes): GivenAttributes {
  return attributes === undefined ? {} : { attributes };
}

/** Who asked, in the form in which an event keeps it. */
export function recordedBy({
  userId,
  customerId,
}: {
  readonly userId?: UserId;
  readonly customerId?: CustomerId | null;
}): { readonly userId?: UserId; readonly customerId?: CustomerId } {
  const asUser = userId === undefined ? {} : { userId };
  return customerId === undefined || customerId === null ? asUser : { ...asUser, customerId };
}

/** Why a device says no. Callers may be told less; what they are told is mapped at each edge. */
export type Refusal =
  | { readonly reason: 'unknown-device' }
  | { readonly reason: 'already-provisioned' }
  /** The credentials shown are no longer the device's: the session behind them is over. */
  | { readonly reason: 'credentials-revoked' }
  /** The gateway does not speak for this device (O8). */
  | { readonly reason: 'not-behind-gateway' }
  /** Between a device and its port alone: the secret is right, and the epoch of the gateway is to be looked up (O9). */
  | { readonly reason: 'gateway-unchecked'; readonly gateway: DeviceId }
  /** The tenant has, or the gateway has created, as many devices as there may be. */
  | { readonly reason: 'too-many-devices'; readonly of: 'tenant' | 'gateway'; readonly max: number }
  /** The credentials shown can do nothing any more but fetch those that replace them (O9). */
  | { readonly reason: 'credentials-superseded' }
  | { readonly reason: 'already-claimed' }
  | { readonly reason: 'claiming-not-allowed' }
  /** The message is late: one that came after it has opened a window since (O5). */
  | { readonly reason: 'superseded' }
  /** now + duration leaves the range of safe integers: treated like any malformed message (O4). */
  | { readonly reason: 'duration-out-of-range' }
  | { readonly reason: 'duration-too-long'; readonly maxDurationMs: number }
  /** Of a window or a server key: fewer characters than `minSecretLength` of the ownership rules (O10). */
  | { readonly reason: 'secret-too-short'; readonly minSecretLength: number }
  /** Too many windows: its actor was not even asked (`limits/quota.ts`). Or another reset so soon after the last (N5). */
  | { readonly reason: 'rate-limited'; readonly retryAfterMs: number }
  /** The device may not end its ownership, or a gateway asked for it (N4). */
  | { readonly reason: 'reset-not-allowed' }
  /** A message that may be an old one, after a reset that may have been its own (N5). */
  | { readonly reason: 'reset-repeated' }
  /** Somebody has asked to take the device over, and its owner may still object (N2). */
  | { readonly reason: 'take-over-pending' }
  | { readonly reason: 'no-window' }
  | { readonly reason: 'window-elapsed' }
  | { readonly reason: 'wrong-secret' }
  /** The device's profile wants a proof of possession, and a secret was shown (C11). */
  | { readonly reason: 'proof-required' }
  /** Not signed by the device's key, for this server and device, over a challenge of this customer (C11). */
  | { readonly reason: 'wrong-proof' }
  /** The proof or its challenge is too old (C11). */
  | { readonly reason: 'proof-outdated' }
  /** All is in order, and the operator's policy has not allowed it in this owner epoch (C12). The port to devices asks it. */
  | {
      readonly reason: 'consent-needed';
      readonly ownerEpoch: number;
      readonly evidence: Evidence;
      readonly name: string;
      readonly deviceType: string;
    }
  /** The operator's policy does not allow the claim (C12): with its code, and a sentence for a person, if it gave one. */
  | {
      readonly reason: 'policy-refused';
      readonly policyReason: string;
      readonly policyMessage: string | null;
    }
  /** The device has no key to sign with, or its profile takes no proofs (C11). */
  | { readonly reason: 'proof-not-possible' }
  /** The secret is right, but its window waits for the tenant's approval (O9). */
  | { readonly reason: 'window-pending' }
  /** The window that was to be approved is not the one that waits. */
  | { readonly reason: 'window-replaced' }
  | { readonly reason: 'not-owner' }
  | { readonly reason: 'not-assigned' }
  /** The command holds for another owner epoch than the device is in (R5). */
  | { readonly reason: 'epoch-changed' }
  /** There is no such offer, or it is for somebody else (H3). */
  | { readonly reason: 'no-offer' }
  /** The offer was for the one who asks, and its instant has passed (H4). */
  | { readonly reason: 'offer-elapsed' }
  /** Another device has an offer under this id: the caller draws another one. */
  | { readonly reason: 'transfer-taken' }
  | { readonly reason: 'attributes-too-large'; readonly maxBytes: number }
  /** An attribute that steers claiming has a value or a scope in which it would steer nothing (O3, C3). */
  | { readonly reason: 'steering-attribute-malformed'; readonly fault: SteeringFault }
  /** An access token that somebody chose, and that is too easy to guess. */
  | { readonly reason: 'token-too-short'; readonly minTokenLength: number }
  /** The device has another label than the command is for, or its owner has described it meanwhile (R4). */
  | { readonly reason: 'description-changed' }
  /** Another device of the tenant has the name. */
  | { readonly reason: 'name-taken' }
  /** Another device, of any tenant, has these credentials. */
  | { readonly reason: 'credentials-taken' };

/** What is wrong with `claimingAllowed`, `claimingData` or `claimPublicKey`. */
export type SteeringFault =
  | 'allowed-not-boolean'
  | 'wrong-scope'
  | 'expiry-in-seconds'
  | 'expiry-past'
  | 'key-malformed';

export type RefusalReason = Refusal['reason'];

type Refused = Extract<Decision<never, Refusal>, { readonly type: 'refuse' }>;

/** It is so already: nothing is written, and the caller hears success. */
export const IGNORE: Decision<never, never> = { type: 'ignore' };
export const UNKNOWN: Refused = { type: 'refuse', refusal: { reason: 'unknown-device' } };

/** A command for another owner epoch than the device is in (R5). */
export const EPOCH_CHANGED: Refused = { type: 'refuse', refusal: { reason: 'epoch-changed' } };

export function accept<Event>(event: Event): Decision<Event, never> {
  return { type: 'accept', event };
}

export function refuse(refusal: Refusal): Refused {
  return { type: 'refuse', refusal };
}
