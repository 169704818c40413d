/** What clients see of a device's changes of owner. */
import { z } from 'zod';
import { EVIDENCE } from '../../actors/device/messages.ts';
import { instant } from './parts.ts';

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
