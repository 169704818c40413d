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

/** How many changes of owner a record keeps; how many there were says the owner epoch. */
const HANDOVERS_MAX = 32;

/**
 * The changes of owner that lie behind the present owner, if there is one, after one more. Undefined while there are none,
 * so a device that was claimed and is still owned has no list.
 *
 * @param isOwned whether the device has an owner after it
 */
export function handoversAfter(
  device: Device,
  change: OwnershipChange,
  isOwned: boolean,
): readonly Handover[] | undefined {
  const { handovers = [] } = device;
  const came = cameBy(device);
  const gone: readonly Handover[] = isOwned ? [] : [[change.at, evidenceOf(change)]];
  if (came === undefined && gone.length === 0) return device.handovers;
  return [...handovers, ...(came === undefined ? [] : [came]), ...gone].slice(-HANDOVERS_MAX);
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
  const all = [...(device.handovers ?? []), ...(came === undefined ? [] : [came])];
  const before = ownerEpochOf(device) - all.length;
  return all.map(([at, by], nth) => ({ epoch: before + nth + 1, at, by }));
}
