/**
 * Searches for the devices that fit filters, in the order of creation or of names. What bounds a search is the time that it
 * takes: until its page is there, and then some more, in which it counts how many there are. Where a page takes longer, what
 * was found is given, with the place behind which the next search goes on. Who counts pages instead may wait for a full one.
 */
import type { DeviceId } from '../base/ids.ts';
import { deviceOf, memberByName } from '../device/indexes.ts';
import type { DeviceRecord } from '../device/state.ts';
import type { Index } from '../store/store.ts';
import type { ListQuery } from './devices.ts';
import { type DeviceList, type Filters, filterOf, hasFilter, headsThat, rowRangeOf } from './filters.ts';
import { beginEffort, type Effort, joined } from './id-joins.ts';
import type { ReadDevices } from './live-devices.ts';
import type { Found, RowRange, SearchBounds } from './search.ts';

/** A page of many devices may take longer: so much for each. Who asks for all that fit asks for a large page. */
const MS_PER_DEVICE = 0.5;
/** Times as many devices are looked at for a page before time is minded. */
const PAGE_LOOKS = 4;
/** A read of a list counts as so many looks: in a store elsewhere each is a round trip, however few rows it gives. */
const READ_LOOKS = 20;
/** Rows of the list by name that are read at first, twice as many each time. */
const ROWS_FIRST = 64;
const ROWS_MAX = 1_000;
/** Where each of them costs a head. */
const HEADS_MAX = 250;

export interface FilteredSearch {
  byCreation(query: ListQuery, filters: Filters): Promise<Found>;
  byName(devices: DeviceList, query: ListQuery, filters: Filters): Promise<Found>;
}

/** How a search ended. */
interface Ending {
  readonly ids: readonly DeviceId[];
  /** How many fit, of those that were looked at. */
  readonly found: number;
  readonly looked: number;
  /** Behind which place it would go on; undefined: it came to the end. */
  readonly stoppedAt?: string | undefined;
  /** How many fit in all, if that is known otherwise. */
  readonly total: number | undefined;
}

export function createFilteredSearch(index: Index, bounds: SearchBounds, read: ReadDevices): FilteredSearch {
  /** Whether a search should end: its page is there and some time was spent on counting, or its page takes too long. */
  function patience(
    { page, pageSize, untilFull = false }: ListQuery,
    total: number | undefined,
    areFew: boolean,
    effort: Effort,
  ) {
    const wanted = (page + 1) * pageSize;
    const pageMs = (untilFull ? bounds.fullPageMs : bounds.pageMs) + pageSize * MS_PER_DEVICE;
    const hardMs = bounds.hardMs + pageSize * MS_PER_DEVICE;
    return (found: number, looked: number, reads: number) => {
      if (found >= wanted && total !== undefined) return true;
      const used = effort.usedMs();
      if (used > (found <= wanted ? Math.max(hardMs, pageMs) : hardMs)) return true;
      if (areFew) return false;
      // A busy machine makes no page shorter than this, nor a small list uncertain.
      if (looked + READ_LOOKS * reads < (found > wanted ? 1 : PAGE_LOOKS) * bounds.looksMin) return false;
      return used > (found > wanted ? bounds.countMs : pageMs);
    };
  }

  /** All devices that fit, in the order of creation; undefined: there are too many, or it takes too long. */
  async function all({ where }: ListQuery, { sources, head, areFew }: Filters, effort: Effort) {
    const found = await joined(index, effort, {
      sources,
      descending: false,
      after: undefined,
      offset: 0,
      limit: bounds.rowsMax,
      fits: where,
      head,
      stops(so, looked, reads) {
        // The walk that follows has the other half.
        if (so >= bounds.rowsMax || effort.usedMs() > bounds.hardMs / 2) return true;
        if (areFew || looked + READ_LOOKS * reads < bounds.looksMin) return false;
        return effort.usedMs() > bounds.countMs;
      },
    });
    const isAll = found.stoppedAt === undefined && found.ids.length === found.total;
    return { found: found.total, ids: isAll ? found.ids : undefined };
  }

  /** @param chosen the devices that fit, if they are known: then no heads are read */
  async function walkByName(
    devices: DeviceList,
    query: ListQuery,
    chosen: ReadonlySet<DeviceId> | undefined,
    total: number | undefined,
    effort: Effort,
  ): Promise<Ending> {
    const { where = () => true } = query;
    const { descending, offset, limit } = rowRangeOf(query);
    const byHead = headsThat(read, filterOf(devices, query));
    const needsHeads = chosen === undefined && hasFilter(query);
    const stops = patience(query, total, false, effort);
    const ids: DeviceId[] = [];
    let [found, looked, reads, size] = [0, 0, 0, ROWS_FIRST];
    for (let after = query.after; ; await effort.rest()) {
      const from = after === undefined ? {} : { after };
      const members = await index.page(devices.byName, { offset: 0, limit: size, descending, ...from });
      const some = members.map(deviceOf).filter((id) => where(id) && (chosen?.has(id) ?? true));
      const fitting = needsHeads ? await byHead(some) : some;
      const skipped = Math.max(0, offset - found);
      ids.push(...fitting.slice(skipped, skipped + limit - ids.length));
      found += fitting.length;
      looked += members.length;
      reads += 1;
      after = members.at(-1);
      if (members.length < size || after === undefined) return { ids, found, looked, total };
      if (stops(found, looked, reads)) return { ids, found, looked, total, stoppedAt: after };
      size = Math.min(needsHeads ? HEADS_MAX : ROWS_MAX, 2 * size);
    }
  }

  return {
    async byCreation(query, { sources, head, total: known, areFew }) {
      const { descending, offset, limit } = rowRangeOf(query);
      const { after, where } = query;
      const effort = beginEffort();
      // Behind a place all count says nothing of how many are left.
      const total = after === undefined ? known : undefined;
      const { total: found, ...rest } = await joined(index, effort, {
        sources,
        descending,
        after,
        offset,
        limit,
        fits: where,
        head,
        stops: patience(query, total, areFew, effort),
      });
      return endedAt(query, { ...rest, found, total });
    },

    // Few are sorted. Of many the first pages are soon found by looking at devices in the order of their names.
    async byName(devices, query, filters) {
      const effort = beginEffort();
      const { sources, total: known } = filters;
      if (query.after !== undefined || sources.length === 0)
        return endedAt(query, await walkByName(devices, query, undefined, undefined, effort));
      if (known !== undefined && known > bounds.rowsMax)
        return endedAt(query, await walkByName(devices, query, undefined, known, effort));
      const { ids, found } = await all(query, filters, effort);
      if (ids !== undefined && ids.length <= bounds.sortMax) {
        const some = (await read(ids)).filter((device) => device !== undefined);
        return sorted(some.filter(filterOf(devices, query)), rowRangeOf(query), true);
      }
      const total = ids === undefined ? known : ids.length;
      const ending = await walkByName(devices, query, ids && new Set(ids), total, effort);
      return endedAt(query, { ...ending, found: Math.max(found, ending.found) });
    },
  };
}

function endedAt(query: ListQuery, { ids, found, looked, stoppedAt, total }: Ending): Found {
  const wanted = (query.page + 1) * query.pageSize;
  const cut = { cutAfter: looked, ...(stoppedAt === undefined ? {} : { next: stoppedAt }) };
  if (total !== undefined) {
    const isCut =
      stoppedAt !== undefined && ids.length < Math.min(query.pageSize, total - wanted + query.pageSize);
    return { ids, total, ...(isCut ? cut : {}) };
  }
  if (stoppedAt !== undefined) {
    const isCut = ids.length < query.pageSize || found <= wanted;
    return { ids, total: found, atLeast: true, ...(isCut ? cut : {}) };
  }
  return { ids, total: found, ...(query.after === undefined ? {} : { atLeast: true }) };
}

/** A part of these devices, in the order of their names or of their creation. */
export function sorted(
  devices: readonly DeviceRecord[],
  { offset, limit, descending }: RowRange,
  byName: boolean,
): Found {
  const keyed = devices.map(({ id, name }) => ({
    id,
    key: Buffer.from(byName ? memberByName(name, id) : id),
  }));
  keyed.sort((one, other) => one.key.compare(other.key));
  if (descending) keyed.reverse();
  return { ids: keyed.slice(offset, offset + limit).map(({ id }) => id), total: keyed.length };
}
