/** A pending take-over, as the owner of the device, its tenant and the newcomer see it (rules N2, N3). */
import { z } from 'zod';
import type { CustomerId } from '../../actors/base/ids.ts';
import type { TakeOver } from '../../actors/device/state.ts';
import { entityId, instant } from './parts.ts';

export const takeOverView = z
  .object({
    askedAt: instant,
    /** When the device changes hands, unless somebody ends the take-over before. */
    completesAt: instant,
    /** The owner epoch in which it was asked for: what `If-Match: "epoch-7"` compares with. */
    ownerEpoch: z.int().nonnegative(),
    /** Who wants the device; null for its owner, who is not told. */
    customerId: entityId('CUSTOMER').nullable(),
  })
  .meta({ id: 'TakeOver' });

/** A claim that is pending, for clients that ask for it. */
export const pendingClaimView = z
  .object({ response: z.literal('PENDING'), takeOver: takeOverView })
  .meta({ id: 'PendingClaim' });

/** @param viewer the customer who looks; null: the tenant */
export function viewTakeOver(
  { customerId, askedAt, dueAt, inEpoch }: TakeOver,
  viewer: CustomerId | null,
): z.infer<typeof takeOverView> {
  const told = viewer === null || viewer === customerId;
  return {
    askedAt,
    completesAt: dueAt,
    ownerEpoch: inEpoch,
    customerId: told ? { entityType: 'CUSTOMER', id: customerId } : null,
  };
}
