/**
 * The state of a device's claiming, by which lists of devices are filtered: each device is in just one at any instant.
 *
 * What an event decides is its *group*, which the indexes have. Within a group time alone makes the difference: a window ends,
 * a key elapses, and nothing is written then.
 */
import type { Instant } from '../base/clock.ts';
import { type Device, isForbidden, openWindow } from './state.ts';

export const CLAIM_STATES = ['UNCLAIMED', 'WINDOW_OPEN', 'HAS_KEY', 'FORBIDDEN', 'OWNED'] as const;

/**
 * OWNED: somebody owns it. FORBIDDEN: nobody does, and its tenant forbade claiming it. WINDOW_OPEN: its window is open. HAS_KEY: it
 * can be claimed with the key that its tenant set. UNCLAIMED: none of these.
 */
export type ClaimState = (typeof CLAIM_STATES)[number];

export const CLAIM_GROUPS = ['owned', 'forbidden', 'keyed', 'free'] as const;

/** `keyed`: nobody owns it, it may be claimed, and it has a key of its tenant, be that elapsed or not. `free`: the rest. */
export type ClaimGroup = (typeof CLAIM_GROUPS)[number];

type Claimable = Pick<Device, 'owner' | 'attributes' | 'serverKey' | 'window'>;

export function claimGroupOf(device: Claimable): ClaimGroup {
  if (device.owner !== null) return 'owned';
  if (isForbidden(device)) return 'forbidden';
  return device.serverKey === null ? 'free' : 'keyed';
}

export function claimStateOf(device: Claimable, at: Instant): ClaimState {
  const group = claimGroupOf(device);
  if (group === 'owned') return 'OWNED';
  if (group === 'forbidden') return 'FORBIDDEN';
  if (openWindow(device, at) !== null) return 'WINDOW_OPEN';
  return device.serverKey !== null && at < device.serverKey.expiresAt ? 'HAS_KEY' : 'UNCLAIMED';
}
