/**
 * The life of a device. Start here: what can be asked of a device (commands), what can happen to it (events), and for each
 * of them the file that has the whole step: the command, the rules that decide (numbered as in RULES.md), the event, and
 * what the event does to the record (`state.ts`).
 *
 *   absent ── ProvisionDevice ──► unowned ── InitiateClaim ──► window open ── ConfirmClaim ──► owned
 *                                 ▲     ▲                          │                            │
 *                                 │     └── ExpireDue ─────────────┘                            │
 *                                 └──────────── ReclaimDevice, UnassignDevice ──────────────────┘
 *
 * Not drawn: ConfirmClaim with a server key, ClaimByKit and AssignDevice lead from unowned to owned, too. From owned to owned by
 * another customer leads a take-over, at once or after notice, and an offer that is accepted. ResetDevice leads from owned
 * to unowned or to a window; an administrator's ReclaimDevice closes a window; DeleteDevice leads from everywhere to absent.
 *
 * `decide` and `evolve` are pure: no clock, crypto, chance or I/O; digests come in the command, the instant beside it.
 * Around them: `persistence.ts` writes events and records down, `../fleet/live-devices.ts` runs a device as an actor
 * (`../runtime/event-sourced.ts`: recover, decide, append, evolve, answer).
 */
import type { Instant } from '../base/clock.ts';
import type { UserId } from '../base/ids.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Decider, Decision } from '../runtime/decider.ts';
import {
  type AssignDevice,
  assign,
  type DeviceAssigned,
  type DeviceUnassigned,
  type UnassignDevice,
  unassign,
} from './assignment.ts';
import {
  type AttributesDeleted,
  type AttributesSaved,
  attributesDeleted,
  attributesSaved,
  type DeleteAttributes,
  deleteAttributes,
  type SaveAttributes,
  saveAttributes,
} from './attributes.ts';
import type { ClaimPolicy } from './claim-policy.ts';
import {
  type ClaimByKit,
  type ConfirmClaim,
  claimByKit,
  claimed,
  confirm,
  type DeviceClaimed,
} from './confirming.ts';
import {
  type AdoptCredentials,
  type ApproveWindow,
  adoptCredentials,
  approveWindow,
  type ChangeCredentials,
  type ClaimWindowApproved,
  type CredentialsChanged,
  type CredentialsRead,
  type CredentialsRotated,
  changeCredentials,
  credentialsChanged,
  credentialsRotated,
  type DeviceRules,
  type FetchCredentials,
  fetchCredentials,
  type ReadCredentials,
  readCredentials,
  windowApproved,
} from './credentials.ts';
import { type ClaimWindowExpired, type ExpireDue, expire } from './expiry.ts';
import { type DeviceReclaimed, givenBack, type ReclaimDevice, reclaim } from './giving-back.ts';
import {
  accept,
  type ByImpersonator,
  IGNORE,
  type Refusal,
  refuse,
  type Traced,
  UNKNOWN,
} from './messages.ts';
import {
  type ClaimWindowClosed,
  type ClaimWindowOpened,
  type InitiateClaim,
  initiate,
  windowOpened,
} from './opening.ts';
import { ownerChanged } from './owner-change.ts';
import { type ChallengeIssued, challengeIssued, type IssueChallenge, issueChallenge } from './proof.ts';
import { type ClaimsRefused, type NoteRefusedClaims, noteRefusedClaims } from './refused-claims.ts';
import {
  type DeleteDevice,
  type DeviceDeleted,
  type DeviceProvisioned,
  type DeviceUpdated,
  deleteDevice,
  type ProvisionDevice,
  provision,
  provisioned,
  type UpdateDevice,
  update,
  updated,
} from './registration.ts';
import { type DeviceReset, type ResetDevice, type ResetNoted, reset, wasReset } from './reset.ts';
import { absentDevice, assignedTo, type Device, type DeviceState, withoutPending } from './state.ts';
import {
  type CompleteTakeOver,
  completeTakeOver,
  type DeviceTakenOver,
  type EndTakeOver,
  endTakeOver,
  type TakeOverAsked,
  type TakeOverEnded,
  takeOverAsked,
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
      return endTakeOver(device, command, at);
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
      return changeCredentials(command, at);
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
      return deleteDevice(device, command, at);
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
      return ownerChanged(device, event, assignedTo(event.customerId, event.at));
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
      return ownerChanged(device, event, transferredTo(event));
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
