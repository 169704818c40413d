/**
 * Take-over: a customer claims a device that another customer owns, where its profile allows it (N1 to N3). The device
 * itself must have opened a window for it, or signed a challenge. Either it happens at once, or the owner is given notice: then it is pending,
 * and it happens at its instant, unless the owner objects or the ownership ends before.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId, UserId } from '../base/ids.ts';
import { type SecretDigest, sameDigest } from '../base/secret.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Decision } from '../runtime/decider.ts';
import { type ClaimPolicy, consentNeeded, usesUpPermission } from './claim-policy.ts';
import { type BeginsEpoch, beginEpoch } from './credentials.ts';
import {
  accept,
  type ByImpersonator,
  type Consented,
  EPOCH_CHANGED,
  type GivenAttributes,
  givenIn,
  IGNORE,
  type InEpoch,
  type Recorded,
  type Refusal,
  refuse,
} from './messages.ts';
import type { ClaimWindowClosed } from './opening.ts';
import { type OwnershipRules, takeOverNeedsProof } from './ownership-rules.ts';
import { mismatchedProof, proofKeyOf, type ShownProof, withoutChallenges } from './proof.ts';
import { type Device, isForbidden, isInEpoch, openWindow, ownerEpochOf, type TakeOver } from './state.ts';

// ---------------------------------------------------------------------------------------------------- asking for it

export interface TakeOverAsked extends Recorded<'TakeOverAsked'>, GivenAttributes {
  /** Who wants the device. */
  readonly customerId: CustomerId;
  readonly userId: UserId;
  /** When it happens, if nobody objects. */
  readonly dueAt: Instant;
  /** The owner epoch in which it was asked for; in any other it does not happen. */
  readonly inEpoch: number;
  /** Who owns the device. */
  readonly ownerId: CustomerId;
}

/** What somebody shows who claims a device that another owns. */
export interface TakeOverClaim extends Consented {
  readonly customerId: CustomerId;
  readonly userId: UserId;
  readonly secretDigest: SecretDigest;
  readonly proof?: ShownProof;
}

const ALREADY_CLAIMED = refuse({ reason: 'already-claimed' });

/**
 * A claim of a device that somebody owns. Who shows nothing that fits hears what he hears where there is no take-over,
 * `already-claimed`; with a window open for it, or a proof shown, that it is the wrong one.
 */
export function takeOver(
  policy: ClaimPolicy,
  device: Device,
  claim: TakeOverClaim,
  ownerId: CustomerId,
  at: Instant,
): Decision<DeviceTakenOver | TakeOverAsked, Refusal> {
  const { takeOver: when, takeOverNoticeMs } = policy.ownership;
  const { customerId, userId } = claim;
  if (when === 'never' || ownerId === customerId || isForbidden(device)) return ALREADY_CLAIMED;
  const pending = device.takeOver;
  // One at a time: who asked first is answered the same again, another as if there were none.
  if (pending !== undefined) return pending.customerId === customerId ? IGNORE : ALREADY_CLAIMED;
  const mismatch = mismatchedEvidence(policy.ownership, device, claim, at);
  if (mismatch !== undefined) return refuse(mismatch);
  const unasked = consentNeeded(policy, device, claim, 'take-over');
  if (unasked !== undefined) return unasked;
  switch (when) {
    case 'at-once':
      return takenOver(policy, device, { ...claim, previousCustomerId: ownerId }, at);
    case 'after-notice': {
      const dueAt = at + takeOverNoticeMs;
      const inEpoch = ownerEpochOf(device);
      const asked = { type: 'TakeOverAsked', at, customerId, userId, dueAt, inEpoch, ownerId } as const;
      return accept({ ...asked, ...givenIn(claim) });
    }
    default:
      return unreachable(when);
  }
}

/**
 * The device itself says that this customer has it in hand: it opened a window with the customer's secret, or signed the
 * customer's challenge. Neither a server key nor a gateway's window says so.
 */
function mismatchedEvidence(
  rules: OwnershipRules,
  device: Device,
  { customerId, secretDigest, proof }: TakeOverClaim,
  at: Instant,
): Refusal | undefined {
  if (takeOverNeedsProof(rules)) {
    const isShown = proof !== undefined && rules.claimProof !== 'none' && proofKeyOf(device) !== null;
    return isShown ? mismatchedProof(device, customerId, proof, at) : { reason: 'already-claimed' };
  }
  const open = openWindow(device, at);
  if (open === null || open.openedBy !== 'device') return { reason: 'already-claimed' };
  return sameDigest(open.secretDigest, secretDigest) ? undefined : { reason: 'wrong-secret' };
}

/** The window is used up, its secret has done its work; and so are challenges. */
export function takeOverAsked(device: Device, event: TakeOverAsked & ByImpersonator): Device {
  const { customerId, userId, at, dueAt, inEpoch, impersonatorId } = event;
  const by = impersonatorId === undefined ? {} : { impersonatorId };
  return {
    ...withoutChallenges(device),
    window: null,
    takeOver: { customerId, userId, askedAt: at, dueAt, inEpoch, ...by, ...givenIn(event) },
  };
}

// ------------------------------------------------------------------------------------------------------ it happens

/**
 * Sent at or after the instant of a pending take-over, by whoever serves the alarms (`../claiming/take-overs.ts`), with
 * what only the accounts know.
 */
export interface CompleteTakeOver {
  readonly type: 'CompleteTakeOver';
  /** The take-over that was looked at: its customer and its epoch. */
  readonly customerId: CustomerId;
  readonly inEpoch: number;
  /** The newcomer and its user still exist and may sign in. */
  readonly newcomerStands: boolean;
}

/** From one owner to the next, never unowned in between. */
export interface DeviceTakenOver extends Recorded<'DeviceTakenOver'>, BeginsEpoch, GivenAttributes {
  readonly customerId: CustomerId;
  readonly previousCustomerId: CustomerId;
  /** Who asked for it. */
  readonly userId: UserId;
  /** As in `DeviceClaimed` (C4). */
  readonly claimingAllowedDeleted: boolean;
}

export function completeTakeOver(
  policy: ClaimPolicy,
  device: Device,
  command: CompleteTakeOver,
  at: Instant,
): Decision<DeviceTakenOver | TakeOverEnded, Refusal> {
  const { takeOver: pending, owner } = device;
  const isMeant = pending?.customerId === command.customerId && pending.inEpoch === command.inEpoch;
  if (pending === undefined || !isMeant || at < pending.dueAt) return IGNORE;
  if (owner === null || pending.inEpoch !== ownerEpochOf(device)) return ended(device, 'owner-changed', at);
  if (policy.ownership.takeOver === 'never' || isForbidden(device)) return ended(device, 'not-allowed', at);
  if (!command.newcomerStands) return ended(device, 'newcomer-gone', at);
  return takenOver(policy, device, { ...pending, previousCustomerId: owner.customerId }, at);
}

function takenOver(
  policy: ClaimPolicy,
  device: Device,
  asked: Pick<DeviceTakenOver, 'customerId' | 'previousCustomerId' | 'userId' | 'attributes'>,
  at: Instant,
): Decision<DeviceTakenOver, never> {
  const { customerId, previousCustomerId, userId } = asked;
  const who = { customerId, previousCustomerId, userId };
  const claimingAllowedDeleted = usesUpPermission(policy, device);
  const begins = beginEpoch(device, policy.ownership, at);
  const taken = { type: 'DeviceTakenOver', at, ...who, claimingAllowedDeleted, ...begins } as const;
  return accept({ ...taken, ...givenIn(asked) });
}

/** The pending take-over whose instant has come. */
export function dueTakeOver({ takeOver }: Pick<Device, 'takeOver'>, at: Instant): TakeOver | undefined {
  return takeOver !== undefined && at >= takeOver.dueAt ? takeOver : undefined;
}

// -------------------------------------------------------------------------------------------------------- it ends

/** The owner objects, the tenant cancels (customerId null), or the newcomer withdraws. */
export interface EndTakeOver extends InEpoch {
  readonly type: 'EndTakeOver';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly customerId: CustomerId | null;
}

type TakeOverEnd =
  | 'objected'
  | 'cancelled'
  | 'withdrawn'
  /** At its instant: forbidden meanwhile, or by another profile. */
  | 'not-allowed'
  | 'newcomer-gone'
  | 'owner-changed';

export interface TakeOverEnded extends Recorded<'TakeOverEnded'> {
  readonly why: TakeOverEnd;
  /** Who wanted the device. */
  readonly customerId: CustomerId;
  /** Who keeps it. */
  readonly ownerId: CustomerId | null;
  /** Who ended it; absent where nobody did. */
  readonly userId?: UserId;
}

function ended({ owner, takeOver }: Device, why: TakeOverEnd, at: Instant, userId?: UserId) {
  if (takeOver === undefined) return IGNORE;
  const who = { customerId: takeOver.customerId, ownerId: owner?.customerId ?? null };
  return accept<TakeOverEnded>({
    type: 'TakeOverEnded',
    at,
    why,
    ...who,
    ...(userId === undefined ? {} : { userId }),
  });
}

/** Whether who asks may end the take-over; a newcomer may end its own. */
export function mayEndTakeOver({ owner, takeOver }: Device, customerId: CustomerId | null): boolean {
  return customerId === null || customerId === owner?.customerId || customerId === takeOver?.customerId;
}

/** Where none is pending, a window that waits for one is closed, and else it is so already. */
export function endTakeOver(
  device: Device,
  command: EndTakeOver,
  at: Instant,
): Decision<TakeOverEnded | ClaimWindowClosed, Refusal> {
  const { customerId, userId } = command;
  if (!mayEndTakeOver(device, customerId)) return refuse({ reason: 'not-owner' });
  if (!isInEpoch(device, command)) return EPOCH_CHANGED;
  const { owner, takeOver, window } = device;
  if (takeOver !== undefined) {
    const why =
      customerId === null ? 'cancelled' : customerId === owner?.customerId ? 'objected' : 'withdrawn';
    return ended(device, why, at, userId);
  }
  return owner !== null && window !== null ? accept({ type: 'ClaimWindowClosed', at, userId }) : IGNORE;
}

/** The device without a pending take-over. */
export function withoutTakeOver(device: Device): Device {
  if (device.takeOver === undefined) return device;
  const { takeOver: _ended, ...rest } = device;
  return rest;
}
