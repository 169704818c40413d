/** What clients see of a device's changes of owner. */
import { z } from 'zod';
import type { Loss } from '../../actors/audit/losses.ts';
import { EVIDENCE } from '../../actors/device/messages.ts';
import { entityId, instant } from './parts.ts';

export const ownershipView = z.object({
  ownerEpoch: z.int().nonnegative(),
  owned: z.boolean(),
  changes: z.array(
    z.object({
      /** The owner epoch that began with it. */
      epoch: z.int().positive(),
      at: instant,
      by: z.enum(EVIDENCE),
    }),
  ),
  /** Whether these are all changes. A device keeps the last 33; older versions kept none. */
  complete: z.boolean(),
});

export const statementView = z.object({
  /** A JWS in its compact form, EdDSA; `/.well-known/jwks.json` has the key. */
  statement: z.string(),
});

/** A device that a customer has lost without giving it back; nothing of what became of it since. */
export const lossView = z
  .object({
    deviceId: entityId('DEVICE'),
    /** What it was called then. */
    deviceName: z.string(),
    lostTime: instant,
    by: z.enum(['reset', 'take-over']),
  })
  .meta({ id: 'LostDevice' });

export function viewLoss({ deviceId, deviceName, at, by }: Loss): z.infer<typeof lossView> {
  return { deviceId: { entityType: 'DEVICE', id: deviceId }, deviceName, lostTime: at, by };
}
