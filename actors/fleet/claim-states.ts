/**
 * Which devices of a tenant have a claim state now, answered from indexes.
 *
 * What events decide has lists (`lists.ofGroup`). What time decides is looked up when it is asked for: an opened window writes no
 * key of its own, since opening is what devices do most, but it has an alarm; and keys are listed by the instant at which they
 * elapse. Both are few beside the devices, so a state is a list, less those that have another state just now, plus some of
 * another list. How many there are follows from the count of the list, without a walk.
 *
 * Open windows are looked for in the shorter of two: the alarms of the whole server, or the tenant's devices that could have one.
 * Where both take too long, or too many keys have elapsed, it is said in which lists the devices are, and each head has to be asked.
 */
import { instantOf } from '../base/by-instant.ts';
import type { Instant } from '../base/clock.ts';
import type { DeviceId, TenantId } from '../base/ids.ts';
import { Recent } from '../base/recent.ts';
import { nextTurn } from '../base/slices.ts';
import { CLAIM_GROUPS, type ClaimGroup, type ClaimState } from '../device/claim-state.ts';
import { openGroupIn, openGroupOf, openGroupUnforbidden } from '../device/head-glance.ts';
import { deviceOf, lists } from '../device/indexes.ts';
import { decodeHead } from '../device/persistence.ts';
import type { Journal, ListMember } from '../journal/journal.ts';
import type { Index } from '../store/store.ts';
import { beginEffort, type Effort } from './id-joins.ts';
import { fromNearerEnd, type RowRange } from './search.ts';

/** Open windows of a tenant that are looked at, each of which costs a device's head; and devices, where those are fewer. */
const WINDOWS_MAX = 5_000;
/** So few devices are looked at without their alarms. */
const FEW = 500;
/** How long alarms of all tenants are read for windows, where more than `WINDOWS_MAX` heads were. */
const ALARMS_MS = 60;
/** How long they are read at all, however few heads that takes: those of others cost a row each. */
const ALARMS_MAX_MS = 3 * ALARMS_MS;
/** Some 100 bytes each. */
const TENANTS_REMEMBERED = 100_000;
const ALARM_PAGE = 1_000;
/** Heads that are read at once. */
const HEADS_AT_ONCE = 250;
/** Elapsed keys of a tenant that are looked at. */
const ELAPSED_MAX = 10_000;
/** Rows that are read at once. */
const PAGE = 500;

/** A claim state at an instant. */
export interface StateAt {
  readonly state: ClaimState;
  readonly at: Instant;
}

/** The devices in a state: those of a list, less some, plus others. In the order of creation, which is that of ids. */
export interface KnownState {
  readonly type: 'known';
  /** Undefined: there are the others alone. */
  readonly list: string | undefined;
  /** Ascending. */
  readonly without: readonly DeviceId[];
  /** Ascending. */
  readonly others: readonly DeviceId[];
  readonly total: number;
}

/** The devices in a state are in these lists, among others that are in other states. */
interface AmongOthers {
  readonly type: 'among';
  readonly lists: readonly string[];
}

export type InState = KnownState | AmongOthers;

export interface ClaimStates {
  /** Undefined: the lists are not made yet. */
  find(tenantId: TenantId, state: StateAt): Promise<InState | undefined>;
}

/** Tenants of which all devices are known to be in the lists of their group and of their profile: this list names them. */
export const WHOLE = 'device-lists-whole';

/** Whether every device of a tenant is in the list of its group, which those of an older store are not at first. */
async function areGroupsWhole(index: Index, tenantId: TenantId): Promise<boolean> {
  return (
    (await isIn(index, { list: WHOLE, member: tenantId })) || (await lackInGroups(index, tenantId)) === 0
  );
}

export async function isIn(index: Index, { list, member }: ListMember): Promise<boolean> {
  const [found] = await index.page(list, { offset: 0, limit: 1, prefix: member });
  return found === member;
}

/**
 * How many devices are in no group, as each should be in one. While devices change groups it may be any number, also a negative
 * one, as the counts are read one beside the other.
 */
export async function lackInGroups(index: Index, tenantId: TenantId): Promise<number> {
  const [all = 0, ...counts] = await Promise.all([
    index.count(lists.byCreation(tenantId)),
    ...CLAIM_GROUPS.map((group) => index.count(lists.ofGroup(tenantId, group))),
  ]);
  return all - counts.reduce((sum, count) => sum + count, 0);
}

/** Devices with open windows, and of which group each is. */
type OpenWindows = ReadonlyMap<DeviceId, ClaimGroup>;

export function createClaimStates(journal: Pick<Journal, 'alarms' | 'loadMany'>, index: Index): ClaimStates {
  /** Whose device it is, which stays so: a device of another tenant with an alarm costs one look. */
  const tenantOf = new Recent<DeviceId, TenantId>(TENANTS_REMEMBERED);

  /** The tenant's devices with open windows; undefined: it takes too long to find them. */
  async function openWindows(tenantId: TenantId, at: Instant): Promise<OpenWindows | undefined> {
    const groups = (['free', 'keyed'] as const).map((group) => lists.ofGroup(tenantId, group));
    const counts = await Promise.all(groups.map((list) => index.count(list)));
    const able = counts.reduce((sum, count) => sum + count, 0);
    if (able <= FEW) return openIn(groups, tenantId, at);
    const found = await withAlarms(tenantId, at);
    return found ?? (able <= WINDOWS_MAX ? openIn(groups, tenantId, at) : undefined);
  }

  async function openIn(groups: readonly string[], tenantId: TenantId, at: Instant): Promise<OpenWindows> {
    const pages = await Promise.all(
      groups.map((list) => index.page(list, { offset: 0, limit: WINDOWS_MAX })),
    );
    const found = new Map<DeviceId, ClaimGroup>();
    await look(pages.flat().map(deviceOf), { tenantId, at, found, effort: beginEffort() });
    return found;
  }

  /** The tenant's devices among those that have an alarm; undefined: there are more, or more alarms of others, than are soon looked at. */
  async function withAlarms(tenantId: TenantId, at: Instant): Promise<OpenWindows | undefined> {
    const effort = beginEffort();
    const found = new Map<DeviceId, ClaimGroup>();
    const seen = new Set<DeviceId>();
    let looked = 0;
    for (let after: string | undefined; ; await effort.rest()) {
      const page = await journal.alarms(after, ALARM_PAGE);
      // A stream that has an alarm is a device's, with its id for a name.
      const ids = new Set(page.alarms.map(({ stream }) => stream as DeviceId));
      const perhaps = [...ids].filter((id) => !seen.has(id) && (tenantOf.get(id) ?? tenantId) === tenantId);
      for (const id of await look(perhaps, { tenantId, at, found, effort })) seen.add(id);
      looked += perhaps.length;
      after = page.next;
      if (seen.size > WINDOWS_MAX) return undefined;
      if (after === undefined) return found;
      if (effort.usedMs() > (looked > WINDOWS_MAX ? ALARMS_MS : ALARMS_MAX_MS)) return undefined;
    }
  }

  interface Look {
    readonly tenantId: TenantId;
    readonly at: Instant;
    /** Gets those with an open window. */
    readonly found: Map<DeviceId, ClaimGroup>;
    readonly effort: Effort;
  }

  /** Looks at devices for open windows, as many at a time as a slice may have. Resolves to those of the tenant. */
  async function look(ids: readonly DeviceId[], { tenantId, at, found, effort }: Look): Promise<DeviceId[]> {
    const own: DeviceId[] = [];
    // Where none is forbidden, nothing has to be known of their attributes.
    const part = (await index.count(lists.ofGroup(tenantId, 'forbidden'))) === 0 ? 'state' : undefined;
    const note = (id: DeviceId, group: ClaimGroup | undefined) => {
      own.push(id);
      if (group !== undefined) found.set(id, group);
    };
    for (let from = 0; from < ids.length; from += HEADS_AT_ONCE) {
      if (from > 0) await effort.rest();
      const some = ids.slice(from, from + HEADS_AT_ONCE);
      const known = some.filter((id) => tenantOf.get(id) === tenantId);
      for (const [id, { state, details }] of await headsOf(known, part)) {
        if (state === undefined) continue;
        note(id, part === 'state' ? openGroupUnforbidden(state, at) : openGroupIn(state, details, at));
      }
      const unknown = some.filter((id) => tenantOf.get(id) === undefined);
      for (const [id, { state, details }] of await headsOf(unknown)) {
        const device = state === undefined ? undefined : decodeHead(state, details);
        if (device?.status !== 'provisioned') continue;
        tenantOf.set(id, device.tenantId);
        if (device.tenantId === tenantId) note(id, openGroupOf(device, at));
      }
    }
    return own;
  }

  async function headsOf(ids: readonly DeviceId[], part?: 'state') {
    const heads = ids.length === 0 ? [] : await journal.loadMany(ids, part);
    return heads.flatMap((head, nth) => {
      const id = ids[nth];
      return id === undefined ? [] : [[id, head] as const];
    });
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
  ): Promise<KnownState> {
    const count = list === undefined ? 0 : await index.count(list);
    return {
      type: 'known',
      list,
      without,
      others,
      total: Math.max(0, count - without.length + others.length),
    };
  }

  return {
    async find(tenantId, { state, at }) {
      if (!(await areGroupsWhole(index, tenantId))) return undefined;
      const inGroup = (group: ClaimGroup) => lists.ofGroup(tenantId, group);
      const among = (...groups: readonly ClaimGroup[]): AmongOthers => ({
        type: 'among',
        lists: groups.map(inGroup),
      });
      if (state === 'OWNED') return part(inGroup('owned'), [], []);
      if (state === 'FORBIDDEN') return part(inGroup('forbidden'), [], []);
      const open = await openWindows(tenantId, at);
      if (open === undefined) return state === 'HAS_KEY' ? among('keyed') : among('free', 'keyed');
      const openOf = (group: ClaimGroup) => [...open].flatMap(([id, of]) => (of === group ? [id] : []));
      if (state === 'WINDOW_OPEN') return part(undefined, [], [...open.keys()].sort());
      const elapsed = await elapsedKeys(tenantId, at);
      if (elapsed === undefined) return state === 'HAS_KEY' ? among('keyed') : among('free', 'keyed');
      const openKeyed = new Set(openOf('keyed'));
      if (state === 'HAS_KEY')
        return part(inGroup('keyed'), [...new Set([...elapsed, ...openKeyed])].sort(), []);
      const without = openOf('free').sort();
      return part(
        inGroup('free'),
        without,
        elapsed.filter((id) => !openKeyed.has(id)),
      );
    },
  };
}

/** A part of them, in the order of creation. What lies before it is skipped and not read. */
export function idsInState(index: Index, inState: KnownState, rows: RowRange): Promise<readonly DeviceId[]> {
  return fromNearerEnd(rows, inState.total, (nearer) => merged(index, inState, nearer));
}

async function merged(
  index: Index,
  { list, without, others }: KnownState,
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
