/**
 * What becomes of a device's credentials when its owner changes (O9): authority ends with ownership, and whoever has
 * read or copied a token would otherwise act as the device for ever.
 *
 *   keep        nothing: the credentials stay, as in ThingsBoard
 *   rotate      the event has the next credentials. From then on the present ones fetch those and do nothing else; they
 *               end when the next ones are first used, or when their time is up
 *   quarantine  the credentials stay, and a window that they open waits until the tenant approves it
 *
 * Who has the old token can fetch the new one: no server can tell it from the device by that. So where a customer has read
 * the credentials, what replaces them is quarantined too. A certificate is not replaced: what a customer reads of it is
 * public, and its key is the device's own.
 *
 * Only the tenant ends a quarantine, by giving the device other credentials. Chance is not drawn here: the next
 * credentials come with the rules.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId, UserId } from '../base/ids.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Decision } from '../runtime/decider.ts';
import {
  type AskedBy,
  accept,
  type Evidence,
  IGNORE,
  type Recorded,
  type RecordedBy,
  type Refusal,
  recordedBy,
  refuse,
} from './messages.ts';
import type { OwnershipRules } from './ownership-rules.ts';
import {
  type Credentials,
  type Device,
  isOwnedBy,
  type NextCredentials,
  nextEpoch,
  ownerEpochOf,
  withoutPending,
} from './state.ts';

/** What holds for one device: its rules, and what was drawn by chance for this command. */
export interface DeviceRules extends OwnershipRules {
  /** Of the kind that the device has. Needed where its credentials rotate; without it they are quarantined. */
  readonly freshCredentials?: Credentials | undefined;
}

// ------------------------------------------------------------------------------------------------ a change of owner

/** On an event that changes the owner: what begins with it. `beginEpoch` makes it. */
export interface BeginsEpoch {
  /** Absent in older records: one more than before (R5). */
  readonly ownerEpoch?: number;
  /** By what it came about, where the kind of event does not say it (R6). Absent in older records. */
  readonly evidence?: Evidence;
  /** The device gets other credentials (O9). */
  readonly nextCredentials?: NextCredentials;
  /** What its credentials open waits for the tenant's approval from now on (O9). */
  readonly quarantined?: true;
}

/** What begins with a change of owner; every event that changes the owner has it. */
export function beginEpoch(device: Device, rules: DeviceRules, at: Instant): BeginsEpoch {
  const ownerEpoch = nextEpoch(device);
  switch (rules.onOwnerChange) {
    case 'keep':
      return { ownerEpoch };
    case 'rotate':
      return { ownerEpoch, ...rotation(device, rules, at) };
    case 'quarantine':
      return { ownerEpoch, quarantined: true };
    default:
      return unreachable(rules.onOwnerChange);
  }
}

function rotation(device: Device, rules: DeviceRules, at: Instant): BeginsEpoch {
  if (device.credentials.type === 'X509_CERTIFICATE') return {};
  // Those of the last change, if the device has not used them yet: it may have stored them and forgotten its older ones.
  const credentials = device.nextCredentials?.credentials ?? rules.freshCredentials;
  if (credentials === undefined) return { quarantined: true };
  const nextCredentials = { credentials, until: at + rules.rotationGraceMs };
  return device.credentialsRead ? { nextCredentials, quarantined: true } : { nextCredentials };
}

/** The device in its new owner epoch. A record from before epochs has none: it counts one more. */
export function epochBegun(device: Device, event: BeginsEpoch): Device {
  const { ownerEpoch = nextEpoch(device), nextCredentials, quarantined } = event;
  const begun = { ...withoutPending(device), ownerEpoch };
  if (nextCredentials === undefined) return quarantined ? { ...begun, quarantined } : begun;
  const { credentialsRead: _ofTheOld, ...rotated } = { ...begun, nextCredentials };
  return quarantined ? { ...rotated, quarantined } : rotated;
}

// ------------------------------------------------------------------------------------------- showing the credentials

/** Why the credentials cannot act for the device; undefined: they can. */
export function whyCredentialsFail(
  device: Device,
  credentialsId: string,
  at: Instant,
): 'credentials-revoked' | 'credentials-superseded' | undefined {
  const { credentials, nextCredentials } = device;
  if (credentials.credentialsId !== credentialsId) return 'credentials-revoked';
  if (nextCredentials === undefined) return undefined;
  return at < nextCredentials.until ? 'credentials-superseded' : 'credentials-revoked';
}

/** The device shows credentials and asks for those that replace them. Nothing is written; the answer has them. */
export interface FetchCredentials {
  readonly type: 'FetchCredentials';
  readonly credentialsId: string;
}

export function fetchCredentials(
  device: Device,
  { credentialsId }: FetchCredentials,
  at: Instant,
): Decision<never, Refusal> {
  const why = whyCredentialsFail(device, credentialsId, at);
  return why === 'credentials-revoked' ? refuse({ reason: why }) : IGNORE;
}

/** The device shows its next credentials for the first time: the old ones end. */
export interface AdoptCredentials {
  readonly type: 'AdoptCredentials';
  readonly credentialsId: string;
}

/** The next credentials are the device's. `use`: it has shown them; `grace`: the old ones' time is up. */
export interface CredentialsRotated extends Recorded<'CredentialsRotated'> {
  readonly by: 'use' | 'grace';
}

export function adoptCredentials(
  { credentials, nextCredentials }: Device,
  { credentialsId }: AdoptCredentials,
  at: Instant,
): Decision<CredentialsRotated, Refusal> {
  if (nextCredentials?.credentials.credentialsId === credentialsId) {
    return accept({ type: 'CredentialsRotated', at, by: 'use' });
  }
  return credentials.credentialsId === credentialsId ? IGNORE : refuse({ reason: 'credentials-revoked' });
}

export function credentialsRotated(device: Device): Device {
  const { nextCredentials, ...rest } = device;
  return nextCredentials === undefined ? device : { ...rest, credentials: nextCredentials.credentials };
}

// ------------------------------------------------------------------------------------------------ the tenant, customers

export interface ChangeCredentials extends AskedBy {
  readonly type: 'ChangeCredentials';
  readonly tenantId: TenantId;
  readonly credentials: Credentials;
}

export interface CredentialsChanged extends RecordedBy<'CredentialsChanged'> {
  readonly credentials: Credentials;
}

export function changeCredentials(
  command: ChangeCredentials,
  at: Instant,
): Decision<CredentialsChanged, never> {
  return accept({
    type: 'CredentialsChanged',
    at,
    ...recordedBy(command),
    credentials: command.credentials,
  });
}

/**
 * The tenant's alone, so they are new to whoever held the device before: they belong to this owner epoch (O8, O9), and
 * whatever held for the old ones is over.
 */
export function credentialsChanged(device: Device, { credentials }: CredentialsChanged): Device {
  const credentialsEpoch = ownerEpochOf(device);
  const { nextCredentials: _n, quarantined: _q, credentialsRead: _r, pendingWindow: _p, ...rest } = device;
  return { ...rest, credentials, ...(credentialsEpoch === 0 ? {} : { credentialsEpoch }) };
}

/** A customer reads the credentials: asked before they are shown, so that no change of owner comes between. */
export interface ReadCredentials extends AskedBy {
  readonly type: 'ReadCredentials';
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
}

/** Once for the same credentials; who else reads them adds nothing. */
export interface CredentialsRead extends RecordedBy<'CredentialsRead'> {}

export function readCredentials(
  device: Device,
  command: ReadCredentials,
  at: Instant,
): Decision<CredentialsRead, Refusal> {
  if (!isOwnedBy(device, command.customerId)) return refuse({ reason: 'not-owner' });
  if (device.credentialsRead || device.credentials.type === 'X509_CERTIFICATE') return IGNORE;
  return accept({ type: 'CredentialsRead', at, ...recordedBy(command) });
}

/** The tenant lets a window be claimed that waits for it. */
export interface ApproveWindow {
  readonly type: 'ApproveWindow';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** Which one: another may have taken its place since the tenant looked. */
  readonly openedAt: Instant;
}

export interface ClaimWindowApproved extends Recorded<'ClaimWindowApproved'> {
  readonly userId: UserId;
  readonly closesAt: Instant;
}

export function approveWindow(
  { owner, pendingWindow }: Device,
  { openedAt, userId }: ApproveWindow,
  at: Instant,
): Decision<ClaimWindowApproved, Refusal> {
  if (owner !== null) return refuse({ reason: 'already-claimed' });
  if (pendingWindow === undefined) return refuse({ reason: 'no-window' });
  if (pendingWindow.openedAt !== openedAt) return refuse({ reason: 'window-replaced' });
  const { closesAt } = pendingWindow;
  if (at >= closesAt) return refuse({ reason: 'window-elapsed' });
  return accept({ type: 'ClaimWindowApproved', at, userId, closesAt });
}

export function windowApproved(device: Device): Device {
  const { pendingWindow: window, ...rest } = device;
  return window === undefined ? device : { ...rest, window };
}
