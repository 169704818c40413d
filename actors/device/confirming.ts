/**
 * A customer claims a device (C2 to C5, C8, C11, C12): with the secret of its window, the server key, a proof of possession,
 * or the code of a kit. Of a device that somebody owns that is a take-over, or refused (`take-over.ts`).
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId, UserId } from '../base/ids.ts';
import { type SecretDigest, sameDigest } from '../base/secret.ts';
import type { Decision } from '../runtime/decider.ts';
import { attributesGiven, whyTooLarge, withoutKeys } from './attributes.ts';
import { type ClaimPolicy, consentNeeded, usesUpPermission } from './claim-policy.ts';
import { type BeginsEpoch, beginEpoch } from './credentials.ts';
import {
  accept,
  type Consented,
  EPOCH_CHANGED,
  type Evidence,
  type GivenAttributes,
  givenIn,
  IGNORE,
  type Recorded,
  type Refusal,
  refuse,
} from './messages.ts';
import { ownerChanged } from './owner-change.ts';
import { mismatchedProof, proofKeyOf, type ShownProof } from './proof.ts';
import {
  CLAIMING_ALLOWED,
  type Device,
  isForbidden,
  isOwnedBy,
  mayBeClaimed,
  type OwnedGateway,
  type Owner,
  openWindow,
  ownerEpochOf,
} from './state.ts';
import { type DeviceTakenOver, type TakeOverAsked, takeOver, takeOverAsked } from './take-over.ts';

export interface ConfirmClaim extends Consented {
  readonly type: 'ConfirmClaim';
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
  readonly userId: UserId;
  readonly secretDigest: SecretDigest;
  /** Of the key that was meant, where the secret has the form of a key made here and is typed otherwise (C3). */
  readonly typedKeyDigest?: SecretDigest;
  /** The gateway that opened the window, as it is now: asked for with `gateway-unchecked` where it matters. */
  readonly gateway?: OwnedGateway;
  /** Set if the secret is written as a proof of possession is (C11). */
  readonly proof?: ShownProof;
}

export interface DeviceClaimed extends Recorded<'DeviceClaimed'>, BeginsEpoch, GivenAttributes {
  readonly customerId: CustomerId;
  readonly userId: UserId;
  /** Whether the attribute `claimingAllowed` was used up by this claim (C4). */
  readonly claimingAllowedDeleted: boolean;
  /** When the window was opened that was open then; absent: none was, or an earlier version wrote it. */
  readonly windowOpenedAt?: Instant;
}

export function confirm(
  policy: ClaimPolicy,
  device: Device,
  command: ConfirmClaim,
  at: Instant,
): Decision<DeviceClaimed | DeviceTakenOver | TakeOverAsked, Refusal> {
  if (device.owner !== null) {
    return ifItHasRoom(policy, device, takeOver(policy, device, command, device.owner.customerId, at));
  }
  // O3: before the secret is looked at, so that a forbidden device tells nobody which secret is right.
  if (isForbidden(device)) return refuse({ reason: 'claiming-not-allowed' });

  const evidence = matchEvidence(policy, device, command, at);
  if (typeof evidence !== 'string') return refuse(evidence); // C6: and the window stays open
  const unasked = consentNeeded(policy, device, command, evidence);
  return unasked ?? claimBy(policy, device, command, evidence, at);
}

function claimBy(
  policy: ClaimPolicy,
  device: Device,
  command: ConfirmClaim | ClaimByKit,
  evidence: Evidence,
  at: Instant,
): Decision<DeviceClaimed, Refusal> {
  const { customerId, userId } = command;
  const claimingAllowedDeleted = usesUpPermission(policy, device);
  const begins = beginEpoch(device, policy.ownership, at);
  const open = openWindow(device, at);
  const since = open === null ? {} : { windowOpenedAt: open.openedAt };
  const claim: DeviceClaimed = {
    type: 'DeviceClaimed',
    at,
    customerId,
    userId,
    claimingAllowedDeleted,
    ...begins,
    evidence,
    ...since,
    ...givenIn(command),
  };
  return ifItHasRoom(policy, device, accept(claim));
}

/** C12: refused where the device has no room for the attributes that the policy gave. */
function ifItHasRoom<Event extends DeviceClaimed | DeviceTakenOver | TakeOverAsked>(
  { maxAttributeBytes }: ClaimPolicy,
  device: Device,
  decision: Decision<Event, Refusal>,
): Decision<Event, Refusal> {
  if (decision.type !== 'accept' || decision.event.attributes === undefined) return decision;
  const { event } = decision;
  const after = event.type === 'TakeOverAsked' ? takeOverAsked(device, event) : claimed(device, event);
  const tooLarge = whyTooLarge(maxAttributeBytes, after, false);
  return tooLarge === undefined ? decision : refuse(tooLarge);
}

/** C11: what the device signed stands for its window and the secret of it, and where a proof is required nothing else does. */
function matchEvidence(
  { ownership, allowClaimingByDefault }: ClaimPolicy,
  device: Device,
  command: ConfirmClaim,
  at: Instant,
): Refusal | Evidence {
  const { claimProof } = ownership;
  if (command.proof !== undefined && claimProof !== 'none' && proofKeyOf(device) !== null) {
    // It opens what a window would open, and so only where the device may open one (O3).
    if (!mayBeClaimed(device, allowClaimingByDefault)) return { reason: 'claiming-not-allowed' };
    return mismatchedProof(device, command.customerId, command.proof, at) ?? 'proof';
  }
  return claimProof === 'required' ? { reason: 'proof-required' } : matchSecret(device, command, at);
}

/**
 * C2, C3: the window's secret and the server-side key do the same, each before its own instant (C8). Says which it was, or
 * why it was neither.
 */
function matchSecret(
  device: Device,
  { secretDigest: digest, typedKeyDigest, gateway }: ConfirmClaim,
  at: Instant,
): Refusal | Evidence {
  const { serverKey, pendingWindow } = device;
  const open = openWindow(device, at);
  const keyValid = serverKey !== null && at < serverKey.expiresAt;

  if (keyValid && [digest, typedKeyDigest ?? digest].some((one) => sameDigest(serverKey.secretDigest, one))) {
    return 'server-key';
  }
  if (open !== null && sameDigest(open.secretDigest, digest)) {
    // O9: what a gateway opened ends with the gateway's own owner epoch.
    if (open.gateway === undefined) return 'secret';
    if (gateway?.id !== open.gateway.id) return { reason: 'gateway-unchecked', gateway: open.gateway.id };
    return gateway.ownerEpoch === open.gateway.ownerEpoch ? 'secret' : { reason: 'window-elapsed' };
  }
  if (pendingWindow !== undefined && at < pendingWindow.closesAt) {
    // O9: a guess at its secret is counted like any other.
    const isRight = sameDigest(pendingWindow.secretDigest, digest);
    return { reason: isRight ? 'window-pending' : 'wrong-secret' };
  }
  if (open !== null || keyValid) return { reason: 'wrong-secret' };
  const elapsed = device.window !== null || serverKey !== null || pendingWindow !== undefined;
  return { reason: elapsed ? 'window-elapsed' : 'no-window' };
}

/** K3: by the code of a kit that the device is in. Whose code it is, and whether it holds, was looked at before. */
export interface ClaimByKit extends Consented {
  readonly type: 'ClaimByKit';
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
  readonly userId: UserId;
  /** The owner epoch in which the device was put into the kit: the kit claims it in no other (O9). */
  readonly grantedIn: number;
}

export function claimByKit(
  policy: ClaimPolicy,
  device: Device,
  command: ClaimByKit,
  at: Instant,
): Decision<DeviceClaimed, Refusal> {
  const { customerId, grantedIn } = command;
  if (device.owner !== null) {
    // Asked a second time, since the answer got lost: the kit has claimed it.
    const isDone = isOwnedBy(device, customerId) && ownerEpochOf(device) === grantedIn + 1;
    return isDone ? IGNORE : refuse({ reason: 'already-claimed' });
  }
  if (ownerEpochOf(device) !== grantedIn) return EPOCH_CHANGED;
  if (isForbidden(device)) return refuse({ reason: 'claiming-not-allowed' }); // O3
  if (policy.ownership.claimProof === 'required') return refuse({ reason: 'proof-required' }); // C11
  const unasked = consentNeeded(policy, device, command, 'kit');
  return unasked ?? claimBy(policy, device, command, 'kit', at);
}

/** C4: with the claim, the window and the server-side key are gone. C12: and what was given with it is there. */
export function claimed(device: Device, event: DeviceClaimed | DeviceTakenOver): Device {
  const { customerId, at: since, evidence } = event;
  const by = event.type === 'DeviceClaimed' ? 'claim' : 'take-over';
  const owner: Owner = { customerId, since, by, ...(evidence === undefined ? {} : { evidence }) };
  const gone = ownerChanged(device, event, owner);
  const left = gone.serverKey === null ? gone : { ...gone, serverKey: null };
  const used = event.claimingAllowedDeleted
    ? { ...left, attributes: withoutKeys(left.attributes, 'SERVER_SCOPE', [CLAIMING_ALLOWED]) }
    : left;
  return attributesGiven(used, event);
}
