/**
 * By what a device changed hands, and when: kept in its record, so that a new owner can see how often and how that happened,
 * and not to whom (rule R6). The whole story with names is the tenant's audit trail.
 */
import type { Instant } from '../base/clock.ts';
import type { BeginsEpoch } from './credentials.ts';
import type { Evidence, Handover } from './messages.ts';
import { type Device, ownerEpochOf } from './state.ts';

/** What each kind of change of owner came about by, where the event itself does not say more. */
const BY_EVENT = {
  /** By a claim of which no more is known: an older record. */
  DeviceClaimed: 'claim',
  DeviceAssigned: 'assignment',
  DeviceTransferred: 'transfer',
  DeviceTakenOver: 'take-over',
  DeviceReset: 'reset',
  DeviceReclaimed: 'give-back',
  DeviceUnassigned: 'unassignment',
} as const satisfies Readonly<Record<string, Evidence>>;

/** An event that changes the owner. */
export interface OwnershipChange extends BeginsEpoch {
  readonly type: keyof typeof BY_EVENT;
  readonly at: Instant;
}

export function evidenceOf({ type, evidence }: OwnershipChange): Evidence {
  return evidence ?? BY_EVENT[type];
}

/** How many changes of owner are told; how many there were says the owner epoch. */
const HANDOVERS_MAX = 32;
/** Of these, how many may be apart: they are written with every event of the device. */
const RECENT_HANDOVERS_MAX = 6;

/**
 * The device with the changes of owner that lie behind the present owner, if there is one, after one more. While there are none it has
 * no list: it was claimed and is still owned.
 *
 * @param left the device as it was left by this change, but for these: a copy, and nobody else's
 * @param before the device before it
 */
export function withHandovers(left: Device, before: Device, change: OwnershipChange): Device {
  const came = cameBy(before);
  const recent: Handover[] = [...(before.recentHandovers ?? [])];
  if (came !== undefined) recent.push(came);
  if (left.owner === null) recent.push([change.at, evidenceOf(change)]);
  if (recent.length === 0) return left;
  if (recent.length <= RECENT_HANDOVERS_MAX) return Object.assign(left, { recentHandovers: recent });
  const { recentHandovers: _, ...rest } = left;
  return { ...rest, handovers: [...(before.handovers ?? []), ...recent].slice(-HANDOVERS_MAX) };
}

/** The change that made the present owner; undefined: there is none, or it is the owner from the device's birth. */
function cameBy(device: Device): Handover | undefined {
  const { owner } = device;
  return owner === null || ownerEpochOf(device) === 0 ? undefined : [owner.since, owner.evidence ?? owner.by];
}

/** One change of owner. */
export interface KnownChange {
  /** The owner epoch that began with it. */
  readonly epoch: number;
  readonly at: Instant;
  readonly by: Evidence;
}

/** The changes of owner that are known, the oldest first. There were as many as the owner epoch says. */
export function knownChanges(device: Device): readonly KnownChange[] {
  const came = cameBy(device);
  const behind = [...(device.handovers ?? []), ...(device.recentHandovers ?? [])].slice(-HANDOVERS_MAX);
  const all = came === undefined ? behind : [...behind, came];
  const before = ownerEpochOf(device) - all.length;
  return all.map(([at, by], nth) => ({ epoch: before + nth + 1, at, by }));
}
