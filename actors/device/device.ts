/**
 * The life of a device. Start here and read down: each step has the command that asks for it, the event that records
 * it, the rules that decide (numbered as in RULES.md), and what the event does to the record (`state.ts`). The same for
 * what has little to do with claiming is in `registration.ts` and `attributes.ts`.
 *
 *   absent ── ProvisionDevice ──► unowned ── InitiateClaim ──► window open ── ConfirmClaim ──► owned
 *                                 ▲     ▲                          │                            │
 *                                 │     └── ExpireDue ─────────────┘                            │
 *                                 └──────────── ReclaimDevice, UnassignDevice ──────────────────┘
 *
 * From owned to owned by another customer: ConfirmClaim where take-overs are allowed, at once or after notice
 * (`take-over.ts`). From owned to unowned, or to a window: ResetDevice (`reset.ts`).
 *
 * Not drawn: ConfirmClaim with a server key and AssignDevice lead from unowned to owned too; OfferDevice and AcceptOffer from
 * one owner to the next (`transfer.ts`); an administrator's ReclaimDevice closes a window; DeleteDevice leads from everywhere to absent.
 *
 * `decide` and `evolve` are pure: no clock, crypto, chance or I/O; digests come in the command, the instant beside it.
 * Around them: `persistence.ts` writes events and records down, `../fleet/live-devices.ts` runs a device as an actor
 * (`../runtime/event-sourced.ts`: recover, decide, append, evolve, answer).
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId, UserId } from '../base/ids.ts';
import { type SecretDigest, sameDigest } from '../base/secret.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Decider, Decision } from '../runtime/decider.ts';
import {
  type AttributesDeleted,
  type AttributesSaved,
  attributesDeleted,
  attributesSaved,
  type DeleteAttributes,
  deleteAttributes,
  type SaveAttributes,
  saveAttributes,
  withoutKeys,
  withoutWritings,
  withValues,
} from './attributes.ts';
import {
  type AdoptCredentials,
  type ApproveWindow,
  adoptCredentials,
  approveWindow,
  type BeginsEpoch,
  beginEpoch,
  type ChangeCredentials,
  type ClaimWindowApproved,
  type CredentialsChanged,
  type CredentialsRead,
  type CredentialsRotated,
  credentialsChanged,
  credentialsRotated,
  type DeviceRules,
  epochBegun,
  type FetchCredentials,
  fetchCredentials,
  type ReadCredentials,
  readCredentials,
  whyCredentialsFail,
  windowApproved,
} from './credentials.ts';
import { type OwnershipChange, withHandovers } from './evidence.ts';
import { speaksFor } from './gateways.ts';
import {
  accept,
  type ByImpersonator,
  EPOCH_CHANGED,
  type Evidence,
  IGNORE,
  type InEpoch,
  type Recorded,
  type Refusal,
  recordedBy,
  refuse,
  type Traced,
  UNKNOWN,
} from './messages.ts';
import type { OpensWindow } from './opening.ts';
import {
  type ChallengeIssued,
  challengeIssued,
  type IssueChallenge,
  issueChallenge,
  mismatchedProof,
  proofKeyOf,
  type ShownProof,
  withoutChallenges,
} from './proof.ts';
import { type ClaimsRefused, type NoteRefusedClaims, noteRefusedClaims } from './refused-claims.ts';
import {
  type DeleteDevice,
  type DeviceDeleted,
  type DeviceProvisioned,
  type DeviceUpdated,
  type ProvisionDevice,
  provision,
  provisioned,
  type UpdateDevice,
  update,
  updated,
} from './registration.ts';
import { type DeviceReset, type ResetDevice, type ResetNoted, resetStep } from './reset.ts';
import {
  absentDevice,
  assignedTo,
  CLAIMING_ALLOWED,
  type ClaimWindow,
  type Device,
  type DeviceState,
  isForbidden,
  isInEpoch,
  isOwnedBy,
  mayBeClaimed,
  mayWrite,
  type OwnedGateway,
  type Owner,
  openWindow,
  ownerEpochOf,
  withoutPending,
} from './state.ts';
import {
  type ClaimWindowClosed,
  type CompleteTakeOver,
  completionStep,
  type DeviceTakenOver,
  type EndTakeOver,
  endTakeOver,
  mayEndTakeOver,
  mayOpenWhileOwned,
  type TakeOverAsked,
  type TakeOverEnded,
  takeOverAsked,
  takeOverStep,
  withoutTakeOver,
} from './take-over.ts';
import {
  type AcceptOffer,
  acceptOffer,
  type DeclineOffer,
  type DeviceOffered,
  type DeviceTransferred,
  declineOffer,
  deviceOffered,
  type OfferDeclined,
  type OfferDevice,
  type OfferExpired,
  type OfferWithdrawn,
  offerDevice,
  transferredTo,
  type WithdrawOffer,
  withdrawOffer,
  withoutOffer,
} from './transfer.ts';

/** What the operator decides about claiming, the same for every device. */
export interface ClaimPolicy {
  /** `security.claim.allowClaimingByDefault`: without the attribute `claimingAllowed`, may a device be claimed? */
  readonly allowClaimingByDefault: boolean;
  /** `security.claim.duration`: how long a window is open when the device does not say, in ms; at least 1. */
  readonly defaultDurationMs: number;
  /** `security.claim.maxDuration`: the longest a device may ask for, in ms; 0: no limit. */
  readonly maxDurationMs: number;
  /** The ownership rules of devices whose profile says nothing else. */
  readonly ownership: DeviceRules;
  /** Whether the operator's policy is asked before a claim is final (C12). Default: no. */
  readonly asksConsent?: boolean;
  /** How large a device's attributes may be together, in bytes of JSON. */
  readonly maxAttributeBytes: number;
}

/** `decide` takes the ownership rules of the device's profile; without them the server's defaults hold. */
export type DeviceDecider = Decider<DeviceState, DeviceCommand, DeviceEvent, Refusal, DeviceRules>;

export type DeviceCommand = (ProvisionDevice | LaterCommand) & ByImpersonator & Traced;
type LaterCommand =
  | InitiateClaim
  | IssueChallenge
  | ResetDevice
  | ConfirmClaim
  | CompleteTakeOver
  | EndTakeOver
  | ClaimByKit
  | ReclaimDevice
  | AssignDevice
  | UnassignDevice
  | OfferDevice
  | AcceptOffer
  | DeclineOffer
  | WithdrawOffer
  | ExpireDue
  | UpdateDevice
  | ChangeCredentials
  | SaveAttributes
  | DeleteAttributes
  | DeleteDevice
  | FetchCredentials
  | AdoptCredentials
  | ReadCredentials
  | ApproveWindow
  | NoteRefusedClaims;

/**
 * Events are complete: what a policy decided when they happened is written in them. So replaying them gives the same
 * record under any policy, on any node, for ever.
 */
export type DeviceEvent = (DeviceProvisioned | LaterEvent) & ByImpersonator & Traced;
type LaterEvent =
  | ClaimWindowOpened
  | ChallengeIssued
  | DeviceReset
  | ResetNoted
  | DeviceClaimed
  | TakeOverAsked
  | DeviceTakenOver
  | TakeOverEnded
  | DeviceReclaimed
  | ClaimWindowClosed
  | DeviceAssigned
  | DeviceUnassigned
  | ClaimWindowExpired
  | DeviceOffered
  | DeviceTransferred
  | OfferDeclined
  | OfferWithdrawn
  | OfferExpired
  | DeviceUpdated
  | CredentialsChanged
  | AttributesSaved
  | AttributesDeleted
  | DeviceDeleted
  | CredentialsRotated
  | CredentialsRead
  | ClaimWindowApproved
  | ClaimsRefused;

type DeviceDecision = Decision<DeviceEvent, Refusal>;

/** The device machine under a policy. */
export function createDeviceDecider(policy: ClaimPolicy): DeviceDecider {
  return {
    initial: absentDevice,
    evolve,
    decide(state, command, at, rules = policy.ownership) {
      if (command.type === 'ProvisionDevice') {
        return state.status === 'absent' ? provision(command, at) : refuse({ reason: 'already-provisioned' });
      }
      if (state.status === 'absent') return command.type === 'ExpireDue' ? IGNORE : UNKNOWN;
      const decision = decideLater({ ...policy, ownership: rules }, state, command, at);
      const impersonatorId = command.impersonatorId ?? state.takeOver?.impersonatorId;
      const named = impersonatorId === undefined ? decision : inTheNameOf(command, decision, impersonatorId);
      return inTrace(state, command, named);
    },
  };
}

/** Names the administrator who looked in as the user; a take-over is of who asked for it, and nothing else is. */
function inTheNameOf(
  command: DeviceCommand,
  decision: DeviceDecision,
  impersonatorId: UserId,
): DeviceDecision {
  if (decision.type !== 'accept') return decision;
  const isCompletion = command.type === 'CompleteTakeOver' && decision.event.type === 'DeviceTakenOver';
  const isTheirs = command.impersonatorId !== undefined || isCompletion;
  return isTheirs ? accept({ ...decision.event, impersonatorId }) : decision;
}

/** What becomes of a window is a part of the trace of its opening, unless it has a trace of its own. */
const OF_WINDOWS: ReadonlySet<DeviceEvent['type']> = new Set([
  'DeviceClaimed',
  'TakeOverAsked',
  'DeviceTakenOver',
  'ClaimWindowApproved',
  'ClaimWindowClosed',
  'ClaimWindowExpired',
]);

function inTrace(
  { window, pendingWindow }: Device,
  { trace: own }: DeviceCommand,
  decision: DeviceDecision,
): DeviceDecision {
  const earlier = window?.trace ?? pendingWindow?.trace;
  if ((own ?? earlier) === undefined || decision.type !== 'accept') return decision;
  const trace = own ?? (OF_WINDOWS.has(decision.event.type) ? earlier : undefined);
  return trace === undefined ? decision : accept({ ...decision.event, trace });
}

function decideLater(
  policy: ClaimPolicy,
  device: Device,
  command: LaterCommand,
  at: Instant,
): DeviceDecision {
  // Who names a tenant sees that tenant's devices only; another's does not exist for it.
  if ('tenantId' in command && command.tenantId !== device.tenantId) return UNKNOWN;

  switch (command.type) {
    case 'InitiateClaim':
      return initiate(policy, device, command, at);
    case 'IssueChallenge':
      return issueChallenge(policy.allowClaimingByDefault, device, command, at, policy.ownership);
    case 'ResetDevice':
      return reset(policy, device, command, at);
    case 'ConfirmClaim':
      return confirm(policy, device, command, at);
    case 'ApproveWindow':
      return approveWindow(device, command, at);
    case 'CompleteTakeOver':
      return completeTakeOver(policy, device, command, at);
    case 'EndTakeOver':
      if (!mayEndTakeOver(device, command.customerId)) return refuse({ reason: 'not-owner' });
      return isInEpoch(device, command) ? endTakeOver(device, command, at) : EPOCH_CHANGED;
    case 'ClaimByKit':
      return claimByKit(policy, device, command, at);
    case 'ReclaimDevice':
      return reclaim(policy, device, command, at);
    case 'AssignDevice':
      return assign(policy, device, command, at);
    case 'UnassignDevice':
      return unassign(policy, device, command, at);
    case 'OfferDevice':
      return offerDevice(policy.ownership, device, command, at);
    case 'AcceptOffer':
      return acceptOffer(policy.ownership, device, command, at);
    case 'DeclineOffer':
      return declineOffer(device, command, at);
    case 'WithdrawOffer':
      return withdrawOffer(device, command, at);
    case 'ExpireDue':
      return expire(device, at);
    case 'UpdateDevice':
      return update(device, command, at);
    case 'ChangeCredentials':
      return accept({
        type: 'CredentialsChanged',
        at,
        ...recordedBy(command),
        credentials: command.credentials,
      });
    case 'FetchCredentials':
      return fetchCredentials(device, command, at);
    case 'AdoptCredentials':
      return adoptCredentials(device, command, at);
    case 'ReadCredentials':
      return readCredentials(device, command, at);
    case 'NoteRefusedClaims':
      return noteRefusedClaims(device, command, at);
    case 'SaveAttributes':
      return saveAttributes(policy, device, command, at);
    case 'DeleteAttributes':
      return deleteAttributes(device, command, at);
    case 'DeleteDevice':
      if (!isInEpoch(device, command)) return EPOCH_CHANGED;
      return accept({ type: 'DeviceDeleted', at, tenantId: device.tenantId, name: device.name });
    default:
      return unreachable(command);
  }
}

/** Folds one event into the state. Throws on an event that no decision can produce in this state: that is a bug. */
export function evolve(state: DeviceState, event: DeviceEvent): DeviceState {
  if (event.type === 'DeviceProvisioned') {
    if (state.status !== 'absent') throw new Error('DeviceProvisioned on a device that exists');
    return provisioned(event);
  }
  if (state.status === 'absent') throw new Error(`${event.type} on a device that does not exist`);
  return evolveLater(state, event);
}

function evolveLater(device: Device, event: LaterEvent & ByImpersonator & Traced): DeviceState {
  switch (event.type) {
    case 'ClaimWindowOpened':
      return windowOpened(device, event);
    case 'ChallengeIssued':
      return challengeIssued(device, event);
    case 'DeviceReset':
      return wasReset(device, event);
    case 'DeviceClaimed':
    case 'DeviceTakenOver':
      return claimed(device, event);
    case 'ResetNoted':
      return { ...device, lastResetAt: event.at };
    case 'TakeOverAsked':
      return takeOverAsked(device, event);
    case 'TakeOverEnded':
      return withoutTakeOver(device);
    case 'DeviceAssigned':
      return changed(device, event, assignedTo(event.customerId, event.at));
    case 'DeviceReclaimed':
    case 'DeviceUnassigned':
      return givenBack(device, event);
    case 'ClaimWindowApproved':
      return windowApproved(device);
    case 'ClaimWindowClosed':
      return { ...withoutPending(device), window: null };
    case 'ClaimWindowExpired':
      return event.pending ? withoutPending(device) : { ...device, window: null };
    case 'DeviceOffered':
      return deviceOffered(device, event);
    case 'DeviceTransferred':
      return changed(device, event, transferredTo(event));
    case 'OfferDeclined':
    case 'OfferWithdrawn':
    case 'OfferExpired':
      return withoutOffer(device);
    case 'DeviceUpdated':
      return updated(device, event);
    case 'CredentialsChanged':
      return credentialsChanged(device, event);
    case 'CredentialsRotated':
      return credentialsRotated(device);
    case 'CredentialsRead':
      return { ...device, credentialsRead: true };
    case 'ClaimsRefused':
      return device;
    case 'AttributesSaved':
      return attributesSaved(device, event);
    case 'AttributesDeleted':
      return attributesDeleted(device, event);
    case 'DeviceDeleted':
      return absentDevice;
    default:
      return unreachable(event);
  }
}

// ------------------------------------------------------------------------------------ opening a window (O1 to O5)

export interface InitiateClaim extends OpensWindow {
  readonly type: 'InitiateClaim';
}

/** A message that waited for longer is taken for late. Less is no reason to doubt the order, nor to compare two clocks. */
export const LATE_MS = 1_000;

/** A new window, in place of the one that may have been open (O5). */
interface ClaimWindowOpened extends Recorded<'ClaimWindowOpened'> {
  readonly secretDigest: SecretDigest;
  readonly closesAt: Instant;
  readonly openedBy: 'device' | 'gateway';
  /** As in `ClaimWindow`. */
  readonly gateway?: OwnedGateway;
  /** It waits for the tenant's approval, and an open window stays (O9). */
  readonly pending?: true;
  /** As in `ClaimWindow`. */
  readonly arrivedAt?: Instant;
  /** By a reset, told while nobody owned the device: it counts as one all the same (N5). */
  readonly byReset?: true;
}

function initiate(policy: ClaimPolicy, device: Device, command: InitiateClaim, at: Instant): DeviceDecision {
  const refused = mayNotSpeak(device, command, at);
  if (refused !== undefined) return refused;
  if (device.owner !== null) {
    // O2. For a take-over the device speaks for itself: a gateway need not be near it, nor an ex-owner with its token (N1).
    const speaksForItself = command.openedBy.type === 'device' && !device.quarantined;
    const mayOpen = speaksForItself && mayOpenWhileOwned(policy.ownership);
    if (!mayOpen) return refuse({ reason: 'already-claimed' });
    if (device.takeOver !== undefined) return refuse({ reason: 'take-over-pending' });
  }
  return open(policy, device, command, at);
}

/** Whether who sends this is not, or no longer, the device or a gateway of its tenant. */
function mayNotSpeak(device: Device, { openedBy }: OpensWindow, at: Instant): DeviceDecision | undefined {
  if (openedBy.type === 'device') {
    const reason = whyCredentialsFail(device, openedBy.credentialsId, at);
    return reason === undefined ? undefined : refuse({ reason });
  }
  if (openedBy.tenantId !== device.tenantId) return UNKNOWN;
  // O8: before anything else, so that such a gateway learns nothing of the tenant's other devices.
  return speaksFor(openedBy.authority, device) ? undefined : refuse({ reason: 'not-behind-gateway' });
}

/** The window, for whoever may open one. */
function open(policy: ClaimPolicy, device: Device, command: OpensWindow, at: Instant): DeviceDecision {
  const { openedBy, secretDigest, secretLength = 0 } = command;
  if (!mayBeClaimed(device, policy.allowClaimingByDefault)) return refuse({ reason: 'claiming-not-allowed' }); // O3

  if (isOvertaken(device, command, at)) return refuse({ reason: 'superseded' }); // O5

  // O1: not positive means the default. O4: an instant is stored, never a duration, and never cut.
  const durationMs = command.durationMs <= 0 ? policy.defaultDurationMs : command.durationMs;
  const closesAt = at + durationMs;
  if (!Number.isSafeInteger(durationMs) || !Number.isSafeInteger(closesAt)) {
    return refuse({ reason: 'duration-out-of-range' });
  }
  if (policy.maxDurationMs > 0 && durationMs > policy.maxDurationMs) {
    return refuse({ reason: 'duration-too-long', maxDurationMs: policy.maxDurationMs });
  }
  // N1: anybody who knows its name has the empty secret.
  const minSecretLength = Math.max(policy.ownership.minSecretLength, device.owner === null ? 0 : 1);
  if (secretLength < minSecretLength) return refuse({ reason: 'secret-too-short', minSecretLength }); // O10
  const asked = { type: 'ClaimWindowOpened', at, secretDigest, closesAt, openedBy: openedBy.type } as const;
  const { arrivedAt = at } = command;
  const opened = arrivedAt < at ? { ...asked, arrivedAt } : asked;
  const authority = openedBy.type === 'gateway' ? openedBy.authority : undefined;
  if (authority?.for === 'tenant') return accept(opened); // O9: it has the tenant's own word
  const asTrusted = device.quarantined ? { ...opened, pending: true as const } : opened;
  return accept(authority === undefined ? asTrusted : { ...asTrusted, gateway: authority.gateway });
}

/** O5: the message is late, and one that arrived after it has opened a window since. */
function isOvertaken({ window, pendingWindow }: Device, { arrivedAt }: OpensWindow, at: Instant): boolean {
  if (arrivedAt === undefined || at - arrivedAt <= LATE_MS) return false;
  const isNewer = (other: ClaimWindow) => (other.arrivedAt ?? other.openedAt) > arrivedAt;
  return (window !== null && isNewer(window)) || (pendingWindow !== undefined && isNewer(pendingWindow));
}

/** O5: a window that was open is replaced, secret and expiry; one that waits for approval replaces only its like. */
function windowOpened(device: Device, event: ClaimWindowOpened & Traced): Device {
  const { secretDigest, at, closesAt, openedBy, gateway, pending, arrivedAt, trace } = event;
  const inOrder = { secretDigest, openedAt: at, closesAt, openedBy };
  const asked = arrivedAt === undefined ? inOrder : { ...inOrder, arrivedAt };
  const opened = gateway === undefined ? asked : { ...asked, gateway };
  const window = trace === undefined ? opened : { ...opened, trace };
  const asToReset = event.byReset ? { ...device, lastResetAt: at } : device;
  return pending ? { ...asToReset, pendingWindow: window } : { ...asToReset, window };
}

// -------------------------------------------------------------------------------------- confirming (C2 to C5, C8)

export interface ConfirmClaim {
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
  /** The owner epoch for which the operator's policy has allowed this claim (C12). */
  readonly consentIn?: number;
}

interface DeviceClaimed extends Recorded<'DeviceClaimed'>, BeginsEpoch {
  readonly customerId: CustomerId;
  readonly userId: UserId;
  /** Whether the attribute `claimingAllowed` was used up by this claim (C4). */
  readonly claimingAllowedDeleted: boolean;
  /** When the window was opened that was open then; absent: none was, or an earlier version wrote it. */
  readonly windowOpenedAt?: Instant;
}

function confirm(policy: ClaimPolicy, device: Device, command: ConfirmClaim, at: Instant): DeviceDecision {
  if (device.owner !== null) return takeOver(policy, device, command, device.owner.customerId, at);
  // O3: before the secret is looked at, so that a forbidden device tells nobody which secret is right.
  if (isForbidden(device)) return refuse({ reason: 'claiming-not-allowed' });

  const evidence = matchEvidence(policy, device, command, at);
  if (typeof evidence !== 'string') return refuse(evidence); // C6: and the window stays open
  const unasked = consentNeeded(policy, device, command, evidence);
  return unasked ?? accept(claimBy(policy, device, command, evidence, at));
}

function claimBy(
  policy: ClaimPolicy,
  device: Device,
  { customerId, userId }: Pick<ConfirmClaim, 'customerId' | 'userId'>,
  evidence: Evidence,
  at: Instant,
): DeviceClaimed {
  const claimingAllowedDeleted = isUsedUp(policy, device);
  const begins = beginEpoch(device, policy.ownership, at);
  const open = openWindow(device, at);
  const since = open === null ? {} : { windowOpenedAt: open.openedAt };
  return {
    type: 'DeviceClaimed',
    at,
    customerId,
    userId,
    claimingAllowedDeleted,
    ...begins,
    evidence,
    ...since,
  };
}

/** C12: all is in order, and the operator's policy has not yet allowed it in this owner epoch. */
function consentNeeded(
  { asksConsent }: ClaimPolicy,
  device: Device,
  { consentIn }: Pick<ConfirmClaim, 'consentIn'>,
  evidence: Evidence,
): DeviceDecision | undefined {
  const ownerEpoch = ownerEpochOf(device);
  if (!asksConsent || consentIn === ownerEpoch) return undefined;
  const { name, type: deviceType } = device;
  return refuse({ reason: 'consent-needed', ownerEpoch, evidence, name, deviceType });
}

/** C4: the attribute is used up, unless claiming needs none. */
function isUsedUp(policy: ClaimPolicy, device: Device): boolean {
  return !policy.allowClaimingByDefault && Object.hasOwn(device.attributes.SERVER_SCOPE, CLAIMING_ALLOWED);
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
export interface ClaimByKit {
  readonly type: 'ClaimByKit';
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
  readonly userId: UserId;
  /** The owner epoch in which the device was put into the kit: the kit claims it in no other (O9). */
  readonly grantedIn: number;
  /** As in `ConfirmClaim`. */
  readonly consentIn?: number;
}

function claimByKit(policy: ClaimPolicy, device: Device, command: ClaimByKit, at: Instant): DeviceDecision {
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
  return unasked ?? accept(claimBy(policy, device, command, 'kit', at));
}

/** C4: with the claim, the window and the server-side key are gone. */
function claimed(device: Device, event: DeviceClaimed | DeviceTakenOver): Device {
  const { customerId, at: since, evidence } = event;
  const by = event.type === 'DeviceClaimed' ? 'claim' : 'take-over';
  const owner: Owner = { customerId, since, by, ...(evidence === undefined ? {} : { evidence }) };
  const gone = changed(device, event, owner);
  const left = gone.serverKey === null ? gone : { ...gone, serverKey: null };
  if (!event.claimingAllowedDeleted) return left;
  return { ...left, attributes: withoutKeys(left.attributes, 'SERVER_SCOPE', [CLAIMING_ALLOWED]) };
}

// --------------------------------------------------------------------------------------------- take-over (N1 to N3)

/** A claim of a device that somebody owns: C5 answers it, unless it takes the device over. */
function takeOver(
  policy: ClaimPolicy,
  device: Device,
  command: ConfirmClaim,
  ownerId: CustomerId,
  at: Instant,
): DeviceDecision {
  const step = takeOverStep(policy.ownership, device, ownerId, command, at);
  const isWanted = step.type === 'at-once' || step.decision.type === 'accept';
  const unasked = isWanted ? consentNeeded(policy, device, command, 'take-over') : undefined;
  if (unasked !== undefined) return unasked;
  if (step.type === 'decided') return step.decision;
  return takenOver(policy, device, { ...command, previousCustomerId: ownerId }, at);
}

function completeTakeOver(
  policy: ClaimPolicy,
  device: Device,
  command: CompleteTakeOver,
  at: Instant,
): DeviceDecision {
  const step = completionStep(policy.ownership, device, command, at);
  return step.type === 'decided' ? step.decision : takenOver(policy, device, step, at);
}

function takenOver(
  policy: ClaimPolicy,
  device: Device,
  {
    customerId,
    previousCustomerId,
    userId,
  }: Pick<DeviceTakenOver, 'customerId' | 'previousCustomerId' | 'userId'>,
  at: Instant,
): DeviceDecision {
  const claimingAllowedDeleted = isUsedUp(policy, device);
  const who = { customerId, previousCustomerId, userId };
  const begins = beginEpoch(device, policy.ownership, at);
  return accept({ type: 'DeviceTakenOver', at, ...who, claimingAllowedDeleted, ...begins });
}

// ----------------------------------------------------------------------------------------- giving back (R1 to R3)

export interface ReclaimDevice extends InEpoch {
  readonly type: 'ReclaimDevice';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** The customer who gives its own device back, or null when the tenant's administrator takes it back. */
  readonly customerId: CustomerId | null;
}

interface DeviceReclaimed extends Recorded<'DeviceReclaimed'>, BeginsEpoch {
  readonly previousCustomerId: CustomerId;
  readonly userId: UserId;
  /** Whether the attribute `claimingAllowed` appeared again as true (R2). */
  readonly claimingAllowedRestored: boolean;
}

function reclaim(policy: ClaimPolicy, device: Device, command: ReclaimDevice, at: Instant): DeviceDecision {
  const { customerId, userId } = command;
  const { owner } = device;
  if (owner === null) {
    // R2: there is nothing to give back. A customer must not close somebody's window; the administrator may.
    // R5: nor has it an epoch of its own to name; which one the device is in is not for strangers to find out.
    if (customerId !== null) return command.inEpochs === undefined ? IGNORE : EPOCH_CHANGED;
    if (!isInEpoch(device, command)) return EPOCH_CHANGED;
    if (device.window === null && device.pendingWindow === undefined) return IGNORE;
    return accept({ type: 'ClaimWindowClosed', at, userId });
  }
  if (!mayWrite(device, customerId)) return refuse({ reason: 'not-owner' }); // R1
  if (!isInEpoch(device, command)) return EPOCH_CHANGED;
  return accept({
    type: 'DeviceReclaimed',
    at,
    previousCustomerId: owner.customerId,
    userId,
    claimingAllowedRestored: isRestored(policy, device), // R2
    ...beginEpoch(device, policy.ownership, at),
  });
}

/** R2: allowed again, for a claim used the permission up; unless the tenant has forbidden the device since. */
function isRestored(policy: ClaimPolicy, device: Device): boolean {
  return !policy.allowClaimingByDefault && !isForbidden(device);
}

function givenBack(device: Device, event: DeviceReclaimed | DeviceUnassigned | DeviceReset): Device {
  const left = changed(device, event, null);
  if (!event.claimingAllowedRestored) return left;
  const allowed = { [CLAIMING_ALLOWED]: true };
  return { ...left, attributes: withValues(left.attributes, 'SERVER_SCOPE', allowed, event.at) };
}

// -------------------------------------------------------------------------------------------- factory reset (N4, N5)

/** N4: a reset gives the device back, and its message may open a window, all at once or not at all. */
function reset(policy: ClaimPolicy, device: Device, command: ResetDevice, at: Instant): DeviceDecision {
  const refused = mayNotSpeak(device, command, at);
  if (refused !== undefined) return refused;
  const step = resetStep(policy.ownership, device, command, at);
  const opening: InitiateClaim = { ...command, type: 'InitiateClaim' };
  switch (step.type) {
    case 'refuse':
      return step;
    case 'note':
      return accept({ type: 'ResetNoted', at });
    case 'open': {
      const opened = initiate(policy, device, opening, at);
      const isNoted = step.isNoted && opened.type === 'accept' && opened.event.type === 'ClaimWindowOpened';
      return isNoted ? accept({ ...opened.event, byReset: true }) : opened;
    }
    case 'release': {
      if (device.owner === null) return IGNORE;
      const claimingAllowedRestored = isRestored(policy, device);
      const release: DeviceReset = {
        type: 'DeviceReset',
        at,
        previousCustomerId: device.owner.customerId,
        claimingAllowedRestored,
        ...beginEpoch(device, policy.ownership, at),
      };
      if (!step.opens) return accept(release);
      // The same message: that the credentials change with the owner does not matter to it.
      const opened = open(policy, givenBack(device, release), command, at);
      if (opened.type !== 'accept' || opened.event.type !== 'ClaimWindowOpened') return opened;
      const { secretDigest, closesAt, pending } = opened.event;
      const window = pending ? { secretDigest, closesAt, pending } : { secretDigest, closesAt };
      return accept({ ...release, window });
    }
    default:
      return unreachable(step);
  }
}

function wasReset(device: Device, event: DeviceReset & Traced): Device {
  const { at, window: opened, trace } = event;
  const released = { ...givenBack(device, event), lastResetAt: at };
  if (opened === undefined) return released;
  const { secretDigest, closesAt, pending } = opened;
  const inOrder = { secretDigest, openedAt: at, closesAt, openedBy: 'device' as const };
  const window = trace === undefined ? inOrder : { ...inOrder, trace };
  return pending ? { ...released, pendingWindow: window } : { ...released, window };
}

// -------------------------------------------------------------------- assigned and unassigned by the tenant (R3)

export interface AssignDevice extends InEpoch {
  readonly type: 'AssignDevice';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly customerId: CustomerId;
}

interface DeviceAssigned extends Recorded<'DeviceAssigned'>, BeginsEpoch {
  readonly customerId: CustomerId;
  readonly previousCustomerId: CustomerId | null;
  readonly userId: UserId;
}

function assign(policy: ClaimPolicy, device: Device, command: AssignDevice, at: Instant): DeviceDecision {
  const { customerId, userId } = command;
  if (!isInEpoch(device, command)) return EPOCH_CHANGED;
  if (isOwnedBy(device, customerId)) return IGNORE;
  const previousCustomerId = device.owner?.customerId ?? null;
  const begins = beginEpoch(device, policy.ownership, at);
  return accept({ type: 'DeviceAssigned', at, customerId, previousCustomerId, userId, ...begins });
}

export interface UnassignDevice extends InEpoch {
  readonly type: 'UnassignDevice';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** Unassign only from this customer; null: from any. */
  readonly customerId: CustomerId | null;
}

interface DeviceUnassigned extends Recorded<'DeviceUnassigned'>, BeginsEpoch {
  readonly previousCustomerId: CustomerId;
  readonly userId: UserId;
  /** As in `DeviceReclaimed`: unassigning follows the same rules (R3). */
  readonly claimingAllowedRestored: boolean;
}

function unassign(policy: ClaimPolicy, device: Device, command: UnassignDevice, at: Instant): DeviceDecision {
  const { owner } = device;
  if (!isInEpoch(device, command)) return EPOCH_CHANGED;
  if (owner === null || (command.customerId !== null && command.customerId !== owner.customerId)) {
    return refuse({ reason: 'not-assigned' });
  }
  return accept({
    type: 'DeviceUnassigned',
    at,
    previousCustomerId: owner.customerId,
    userId: command.userId,
    claimingAllowedRestored: isRestored(policy, device), // R3: the rule of R2
    ...beginEpoch(device, policy.ownership, at),
  });
}

// ------------------------------------------------------------------------------------------------ owner epochs (R5)

/**
 * The device after its owner changed: what was granted under the epoch that ends is gone (offers, challenges, take-overs,
 * windows), and what the owner wrote (R4). Every change of owner comes through here, and its event has what `beginEpoch`
 * decided; whoever changes more of the device begins with what this leaves.
 */
function changed(device: Device, event: OwnershipChange, owner: Owner | null): Device {
  const kept = withoutWritings(withoutChallenges(withoutOffer(withoutTakeOver(device))));
  const begun = Object.assign(epochBegun(kept, event), { window: null, owner }); // a copy already, and nobody else's
  return withHandovers(begun, device, event);
}

// --------------------------------------------------------------------------------------------------------- expiry

/** Sent only by the alarms, at or after the instant at which something of the device is due (`dueAt`). */
interface ExpireDue {
  readonly type: 'ExpireDue';
}

/** Makes prompt what C8 says anyhow: the window is closed, and now its secret's digest is wiped. */
interface ClaimWindowExpired extends Recorded<'ClaimWindowExpired'> {
  /** The one that waited for approval. */
  readonly pending?: true;
}

/** Never early, whatever the timer thought; what was replaced meanwhile has a later instant of its own. */
function expire(device: Device, at: Instant): DeviceDecision {
  const { offer, window, pendingWindow, nextCredentials } = device;
  if (offer !== undefined && offer.expiresAt <= at) {
    return accept({ type: 'OfferExpired', at, transferId: offer.transferId });
  }
  if (window !== null && window.closesAt <= at) return accept({ type: 'ClaimWindowExpired', at });
  if (pendingWindow !== undefined && pendingWindow.closesAt <= at) {
    return accept({ type: 'ClaimWindowExpired', at, pending: true });
  }
  if (nextCredentials !== undefined && nextCredentials.until <= at) {
    return accept({ type: 'CredentialsRotated', at, by: 'grace' });
  }
  return IGNORE;
}
