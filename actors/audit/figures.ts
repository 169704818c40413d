/** Which figure of a tenant an entry of its audit trail counts for: the same for hours and for days. */
import type { Json, JsonObject } from '../base/json.ts';
import type { Action, AuditEntry } from './entry.ts';

export type Figure = 'windowsOpened' | 'claimed' | 'givenBack' | 'refused';

/** What may have opened a window: a reset ends an ownership and may do that too. */
export const OPENING_ACTIONS: readonly Action[] = [
  'CLAIM_WINDOW_OPENED',
  'CLAIM_WINDOW_APPROVED',
  'UNASSIGNED_FROM_CUSTOMER',
];

/** How `ASSIGNED_TO_CUSTOMER` came about where a customer claimed the device. */
const CLAIMED_BY: ReadonlySet<Json> = new Set(['claim', 'take-over']);

type Told = Pick<AuditEntry, 'action' | 'data'>;

export function opensWindow({ action, data }: Told): boolean {
  return OPENING_ACTIONS.includes(action) && typeof data.closesAt === 'number';
}

export function isClaim({ action, data }: Told): boolean {
  return action === 'ASSIGNED_TO_CUSTOMER' && CLAIMED_BY.has(data.by ?? null);
}

/** What an entry counts for. It may be two things: what gives a device back may open its window at once. */
export function figuresOf(entry: Told): readonly Figure[] {
  const opened: readonly Figure[] = opensWindow(entry) ? ['windowsOpened'] : [];
  if (entry.action === 'CLAIM_REFUSED') return ['refused'];
  if (isClaim(entry)) return ['claimed'];
  const isGivenBack = entry.action === 'UNASSIGNED_FROM_CUSTOMER' && entry.data.by === 'reclaim';
  return isGivenBack ? [...opened, 'givenBack'] : opened;
}

/** For how many refusals an entry stands (`repeats.ts`). */
export function timesOf({ repeated }: JsonObject): number {
  return typeof repeated === 'number' ? repeated : 1;
}
