/**
 * Claims that were refused, told afterwards and many at once: whoever claims waits for none of it, and the record of the device
 * stays as it is. Here are no rules of claiming; who asks for it and how often is bounded in `../audit/refusals.ts`.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId } from '../base/ids.ts';
import type { Decision } from '../runtime/decider.ts';
import { accept, type Recorded, type Refusal } from './messages.ts';
import type { Device } from './state.ts';

/** How somebody claimed: with a secret or a proof, or with the code of a kit that the device is in. */
export type ClaimedBy = 'secret' | 'kit';

interface Counted {
  /** When the first of them was refused, by the clock of whoever counted. */
  readonly since: Instant;
  /** How often each reason was given (`Refusal`). */
  readonly reasons: Readonly<Record<string, number>>;
  /** How often each way was tried; together as many. */
  readonly by: Readonly<Partial<Record<ClaimedBy, number>>>;
}

export interface NoteRefusedClaims extends Counted {
  readonly type: 'NoteRefusedClaims';
  readonly tenantId: TenantId;
}

export interface ClaimsRefused extends Recorded<'ClaimsRefused'>, Counted {
  /** Whose the device was when it was told; absent: nobody's. */
  readonly ownerId?: CustomerId;
}

export function noteRefusedClaims(
  { owner }: Device,
  { since, reasons, by }: NoteRefusedClaims,
  at: Instant,
): Decision<ClaimsRefused, Refusal> {
  const ofOwner = owner === null ? {} : { ownerId: owner.customerId };
  return accept({ type: 'ClaimsRefused', at, since, reasons, by, ...ofOwner });
}
