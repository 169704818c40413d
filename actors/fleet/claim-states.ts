/**
 * Which devices of a tenant have a claim state now, answered from indexes.
 *
 * What events decide has lists (`lists.ofGroup`). What time decides is looked up when it is asked for: an opened window writes no
 * key of its own, since opening is what devices do most, but it has an alarm; and keys are listed by the instant at which they
 * elapse. Both are few beside the devices, so a state is a list, less those that have another state just now, plus some of
 * another list. How many there are follows from the count of the list, without a walk.
 *
 * Of alarms and of elapsed keys a bounded number is looked at. Where there are more, nothing is answered here, and the caller has
 * to look at devices one by one.
 */
import type { Instant } from '../base/clock.ts';
import type { DeviceId, TenantId } from '../base/ids.ts';
import { mapInSlices, nextTurn } from '../base/slices.ts';
import { CLAIM_GROUPS, type ClaimState, claimGroupOf, claimStateOf } from '../device/claim-state.ts';
import { deviceOf, instantOf, lists } from '../device/indexes.ts';
import type { DeviceRecord } from '../device/state.ts';
import type { Journal, ListMember } from '../journal/journal.ts';
import type { Index } from '../store/store.ts';
import { fromNearerEnd, type RowRange } from './search.ts';

/** Alarms of all tenants that are looked at for open windows; each costs a device's head. */
const ALARMS_MAX = 5_000;
/** In the table of alarms are also those that nobody awaits any more: so many pages are read of it. */
const ALARM_PAGES_MAX = 20;
const ALARM_PAGE = 1_000;
/** Elapsed keys of a tenant that are looked at. */
const ELAPSED_MAX = 10_000;
/** Rows that are read at once. */
const PAGE = 500;
/** Behind every alarm. */
const FOREVER = Number.MAX_SAFE_INTEGER;

/** A claim state at an instant. */
export interface StateAt {
  readonly state: ClaimState;
  readonly at: Instant;
}

/** The devices in a state: those of a list, less some, plus others. In the order of creation, which is that of ids. */
export interface InState {
  /** Undefined: there are the others alone. */
  readonly list: string | undefined;
  /** Ascending. */
  readonly without: readonly DeviceId[];
  /** Ascending. */
  readonly others: readonly DeviceId[];
  readonly total: number;
}

export interface ClaimStates {
  /** Undefined: no index answers it now. */
  find(tenantId: TenantId, state: StateAt): Promise<InState | undefined>;
}

/** Tenants of which all devices are known to be in the list of their group: this list names them. */
export const WHOLE = 'claim-groups-whole';

/** Whether every device of a tenant is in the list of its group, which those of an older store are not at first. */
async function areGroupsWhole(index: Index, tenantId: TenantId): Promise<boolean> {
  return (await isIn(index, { list: WHOLE, member: tenantId })) || (await doGroupsAddUp(index, tenantId));
}

export async function isIn(index: Index, { list, member }: ListMember): Promise<boolean> {
  const [found] = await index.page(list, { offset: 0, limit: 1, prefix: member });
  return found === member;
}

/** Whether there are as many devices in the groups as there are at all. Each is in one of them at most. */
export async function doGroupsAddUp(index: Index, tenantId: TenantId): Promise<boolean> {
  const [all = 0, ...counts] = await Promise.all([
    index.count(lists.byCreation(tenantId)),
    ...CLAIM_GROUPS.map((group) => index.count(lists.ofGroup(tenantId, group))),
  ]);
  return counts.reduce((sum, count) => sum + count, 0) === all;
}

export function createClaimStates(
  journal: Pick<Journal, 'due'>,
  index: Index,
  read: (id: DeviceId) => Promise<DeviceRecord | undefined>,
): ClaimStates {
  /** The tenant's devices with open windows, found by their alarms; undefined: there are more alarms than are looked at. */
  async function openWindows(tenantId: TenantId, at: Instant): Promise<readonly DeviceRecord[] | undefined> {
    const ids = new Set<DeviceId>();
    let after: string | undefined;
    for (let pages = 0; ; pages += 1) {
      const page = await journal.due(FOREVER, after, ALARM_PAGE);
      // A stream that has an alarm is a device's, with its id for a name.
      for (const { stream } of page.alarms) ids.add(stream as DeviceId);
      after = page.next;
      if (after === undefined) break;
      if (pages >= ALARM_PAGES_MAX || ids.size > ALARMS_MAX) return undefined;
      await nextTurn();
    }
    if (ids.size > ALARMS_MAX) return undefined;
    const devices = (await mapInSlices([...ids], read)).filter((device) => device !== undefined);
    return devices.filter(
      (device) => device.tenantId === tenantId && claimStateOf(device, at) === 'WINDOW_OPEN',
    );
  }

  /** Devices of the group `keyed` whose key has elapsed; undefined: more than are looked at. */
  async function elapsedKeys(tenantId: TenantId, at: Instant): Promise<readonly DeviceId[] | undefined> {
    const elapsed: DeviceId[] = [];
    for (let after: { readonly after: string } | undefined; ; await nextTurn()) {
      const members = await index.page(lists.byKeyExpiry(tenantId), { offset: 0, limit: PAGE, ...after });
      const some = members.filter((member) => instantOf(member) <= at);
      elapsed.push(...some.map(deviceOf));
      const last = members.at(-1);
      if (some.length < PAGE || last === undefined) return elapsed.sort();
      if (elapsed.length >= ELAPSED_MAX) return undefined;
      after = { after: last };
    }
  }

  async function part(
    list: string | undefined,
    without: readonly DeviceId[],
    others: readonly DeviceId[],
  ): Promise<InState> {
    const count = list === undefined ? 0 : await index.count(list);
    return { list, without, others, total: Math.max(0, count - without.length + others.length) };
  }

  return {
    async find(tenantId, { state, at }) {
      if (!(await areGroupsWhole(index, tenantId))) return undefined;
      const inGroup = (group: (typeof CLAIM_GROUPS)[number]) => lists.ofGroup(tenantId, group);
      if (state === 'OWNED') return part(inGroup('owned'), [], []);
      if (state === 'FORBIDDEN') return part(inGroup('forbidden'), [], []);
      const open = await openWindows(tenantId, at);
      if (open === undefined) return undefined;
      const openIn = (group: string) =>
        open.filter((device) => claimGroupOf(device) === group).map(({ id }) => id);
      if (state === 'WINDOW_OPEN') return part(undefined, [], open.map(({ id }) => id).sort());
      const elapsed = await elapsedKeys(tenantId, at);
      if (elapsed === undefined) return undefined;
      const openKeyed = new Set(openIn('keyed'));
      if (state === 'HAS_KEY')
        return part(inGroup('keyed'), [...new Set([...elapsed, ...openKeyed])].sort(), []);
      const without = openIn('free').sort();
      return part(
        inGroup('free'),
        without,
        elapsed.filter((id) => !openKeyed.has(id)),
      );
    },
  };
}

/** A part of them, in the order of creation. What lies before it is skipped and not read. */
export function idsInState(index: Index, inState: InState, rows: RowRange): Promise<readonly DeviceId[]> {
  return fromNearerEnd(rows, inState.total, (nearer) => merged(index, inState, nearer));
}

async function merged(
  index: Index,
  { list, without, others }: InState,
  { offset, limit, descending }: RowRange,
): Promise<readonly DeviceId[]> {
  const more = descending ? [...others].reverse() : others;
  if (list === undefined) return more.slice(offset, offset + limit);
  const isBefore = (one: string, other: string) => (descending ? one > other : one < other);
  const gone = new Set<DeviceId>(without);
  // Of what is skipped at most all others are from elsewhere, so the rest is skipped in the list.
  const start = Math.max(0, offset - more.length);
  const found: DeviceId[] = [];
  let position = 0;
  let nextOther = 0;
  const give = (id: DeviceId) => {
    if (position >= offset) found.push(id);
    position += 1;
  };
  let from: { readonly offset: number; readonly after?: string } = { offset: start };
  for (let isFirst = true; ; isFirst = false) {
    const members = await index.page(list, { limit: PAGE, descending, ...from });
    const [first] = members;
    if (isFirst && start > 0 && first !== undefined) {
      nextOther = more.filter((id) => isBefore(id, first)).length;
      position = start - without.filter((id) => isBefore(id, first)).length + nextOther;
    }
    for (const id of members.map(deviceOf)) {
      for (let other = more[nextOther]; other !== undefined && isBefore(other, id); other = more[nextOther]) {
        give(other);
        nextOther += 1;
      }
      if (!gone.has(id)) give(id);
      if (found.length >= limit) return found.slice(0, limit);
    }
    const last = members.at(-1);
    if (members.length < PAGE || last === undefined) break;
    from = { offset: 0, after: last };
    await nextTurn();
  }
  for (const other of more.slice(nextOther)) give(other);
  return found.slice(0, limit);
}
