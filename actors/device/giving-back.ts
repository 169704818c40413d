/** Giving back (R1, R2, R5): the owner ends its ownership, or the tenant's administrator does; or closes a window that nobody used. */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId, UserId } from '../base/ids.ts';
import type { Decision } from '../runtime/decider.ts';
import { withValues } from './attributes.ts';
import { type ClaimPolicy, restoresPermission } from './claim-policy.ts';
import { type BeginsEpoch, beginEpoch } from './credentials.ts';
import type { OwnershipChange } from './evidence.ts';
import {
  accept,
  EPOCH_CHANGED,
  IGNORE,
  type InEpoch,
  type Recorded,
  type Refusal,
  refuse,
} from './messages.ts';
import type { ClaimWindowClosed } from './opening.ts';
import { ownerChanged } from './owner-change.ts';
import { CLAIMING_ALLOWED, type Device, isInEpoch, mayWrite } from './state.ts';

export interface ReclaimDevice extends InEpoch {
  readonly type: 'ReclaimDevice';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** The customer who gives its own device back, or null when the tenant's administrator takes it back. */
  readonly customerId: CustomerId | null;
}

export interface DeviceReclaimed extends Recorded<'DeviceReclaimed'>, BeginsEpoch {
  readonly previousCustomerId: CustomerId;
  readonly userId: UserId;
  /** Whether the attribute `claimingAllowed` appeared again as true (R2). */
  readonly claimingAllowedRestored: boolean;
}

export function reclaim(
  policy: ClaimPolicy,
  device: Device,
  command: ReclaimDevice,
  at: Instant,
): Decision<DeviceReclaimed | ClaimWindowClosed, Refusal> {
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
    claimingAllowedRestored: restoresPermission(policy, device), // R2
    ...beginEpoch(device, policy.ownership, at),
  });
}

/** An event that leaves the device without an owner. */
interface GivesBack extends OwnershipChange {
  readonly claimingAllowedRestored: boolean;
}

export function givenBack(device: Device, event: GivesBack): Device {
  const left = ownerChanged(device, event, null);
  if (!event.claimingAllowedRestored) return left;
  const allowed = { [CLAIMING_ALLOWED]: true };
  return { ...left, attributes: withValues(left.attributes, 'SERVER_SCOPE', allowed, event.at) };
}
