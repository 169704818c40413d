/**
 * Answers a query on a list of devices: as one list or a range of it says, by joining the lists of several filters
 * (`filtered.ts`), or by searching for a text (`search.ts`, which has the bounds).
 */
import { isCleanText } from '../base/text.ts';
import { deviceOf, foldName, lists, searchedText } from '../device/indexes.ts';
import type { DeviceRecord } from '../device/state.ts';
import type { Index } from '../store/store.ts';
import { type ClaimStates, type InState, idsInState } from './claim-states.ts';
import type { ListQuery } from './devices.ts';
import { createFilteredSearch, sorted } from './filtered.ts';
import {
  type DeviceList,
  type Filters,
  filterOf,
  filtersOf,
  hasFilter,
  headsThat,
  isByName,
  rowRangeOf,
} from './filters.ts';
import type { ReadDevices } from './live-devices.ts';
import { type Found, fromNearerEnd, type RowRange, range, type SearchBounds, searchText } from './search.ts';

export interface Listing {
  find(devices: DeviceList, query: ListQuery): Promise<Found>;
}

export function createListing(
  index: Index,
  bounds: SearchBounds,
  states: ClaimStates,
  read: ReadDevices,
): Listing {
  const filtered = createFilteredSearch(index, bounds, read);

  async function find(devices: DeviceList, asked: ListQuery): Promise<Found> {
    const { claimState, ...others } = asked;
    if (claimState !== undefined && !devices.wholeTenant) {
      // A customer's devices are those that it owns.
      return claimState.state === 'OWNED' ? find(devices, others) : { ids: [], total: 0 };
    }
    const inState = claimState && (await states.find(devices.tenantId, claimState));
    if (asked.textSearch) return findText(devices, asked, asked.textSearch, inState);
    const isPlain = asked.where === undefined && asked.after === undefined;
    if (isPlain && !hasFilter(asked)) return page(listOf(devices, asked), rowRangeOf(asked));
    const filters = await filtersOf(index, devices, asked, inState, read);
    if (isByName(devices, asked)) return filtered.byName(devices, asked, filters);
    const soon = isPlain && filters.head === undefined && (await fromOneList(asked, filters, inState));
    return soon || filtered.byCreation(asked, filters);
  }

  /** What one list answers by its count or a range; undefined: it takes more. */
  async function fromOneList(
    query: ListQuery,
    { sources: [source, other] }: Filters,
    inState: InState | undefined,
  ): Promise<Found | undefined> {
    if (source === undefined || other !== undefined) return undefined;
    const rows = rowRangeOf(query);
    if (inState?.type === 'known')
      return { ids: await idsInState(index, inState, rows), total: inState.total };
    const [ids, more] = source.lists;
    if (ids === undefined || more !== undefined) return undefined;
    const { list, prefix } = ids;
    return prefix === undefined ? page(list, rows) : range(index, bounds, list, prefix, rows);
  }

  async function findText(
    devices: DeviceList,
    query: ListQuery,
    textSearch: string,
    inState: InState | undefined,
  ): Promise<Found> {
    if (!isCleanText(textSearch)) return { ids: [], total: 0 }; // no name has such characters
    const text = searchedText(foldName(textSearch));
    const fits = filterOf(devices, query);
    const contains = containing(textSearch);
    if (inState?.type === 'known' && inState.total <= bounds.sortMax) {
      const { where = () => true } = query;
      const all = { offset: 0, limit: inState.total, descending: false };
      const ids = (await idsInState(index, inState, all)).filter(where);
      const found = (await read(ids)).filter((device) => device !== undefined);
      const fitting = found.filter((device) => fits(device) && contains(device));
      return sorted(fitting, rowRangeOf(query), isByName(devices, query));
    }
    return searchText(index, bounds, {
      text,
      list: devices.byName,
      ...(devices.wholeTenant ? { labels: lists.byLabel(devices.tenantId) } : {}),
      rows: rowRangeOf(query),
      byName: isByName(devices, query),
      id: query.where,
      head: hasFilter(query) ? headsThat(read, fits) : undefined,
      containing: headsThat(read, (device) => fits(device) && contains(device)),
    });
  }

  /** A page of a list as it lies. */
  async function page(list: string, rows: RowRange): Promise<Found> {
    const total = await index.count(list);
    const members = await fromNearerEnd(rows, total, (nearer) => index.page(list, nearer));
    return { ids: members.map(deviceOf), total };
  }

  return { find };
}

function listOf(devices: DeviceList, query: ListQuery): string {
  return isByName(devices, query) ? devices.byName : lists.byCreation(devices.tenantId);
}

/** Whether a device has a text in its name or its label. */
function containing(textSearch: string): (device: DeviceRecord) => boolean {
  const text = searchedText(foldName(textSearch));
  return ({ name, label }) =>
    searchedText(foldName(name)).includes(text) || searchedText(foldName(label ?? '')).includes(text);
}
