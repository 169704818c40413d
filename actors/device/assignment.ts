/** The tenant's administrator makes a customer the owner, and ends that again (R3), with no secret and no window. */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId, UserId } from '../base/ids.ts';
import type { Decision } from '../runtime/decider.ts';
import { type ClaimPolicy, restoresPermission } from './claim-policy.ts';
import { type BeginsEpoch, beginEpoch } from './credentials.ts';
import {
  accept,
  EPOCH_CHANGED,
  IGNORE,
  type InEpoch,
  type Recorded,
  type Refusal,
  refuse,
} from './messages.ts';
import { type Device, isInEpoch, isOwnedBy } from './state.ts';

export interface AssignDevice extends InEpoch {
  readonly type: 'AssignDevice';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly customerId: CustomerId;
}

export interface DeviceAssigned extends Recorded<'DeviceAssigned'>, BeginsEpoch {
  readonly customerId: CustomerId;
  readonly previousCustomerId: CustomerId | null;
  readonly userId: UserId;
}

export function assign(
  policy: ClaimPolicy,
  device: Device,
  command: AssignDevice,
  at: Instant,
): Decision<DeviceAssigned, Refusal> {
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

export interface DeviceUnassigned extends Recorded<'DeviceUnassigned'>, BeginsEpoch {
  readonly previousCustomerId: CustomerId;
  readonly userId: UserId;
  /** As in `DeviceReclaimed`: unassigning follows the same rules (R3). */
  readonly claimingAllowedRestored: boolean;
}

export function unassign(
  policy: ClaimPolicy,
  device: Device,
  command: UnassignDevice,
  at: Instant,
): Decision<DeviceUnassigned, Refusal> {
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
    claimingAllowedRestored: restoresPermission(policy, device), // R3: the rule of R2
    ...beginEpoch(device, policy.ownership, at),
  });
}
