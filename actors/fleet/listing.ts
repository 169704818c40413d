/**
 * Answers a query on a list of devices: chooses the index that answers most of it, and looks at devices' heads only for
 * what no index answers. How rows are then looked at, within which bounds, is in `search.ts`.
 */
import type { DeviceId, TenantId } from '../base/ids.ts';
import { mapInSlices } from '../base/slices.ts';
import { isCleanText } from '../base/text.ts';
import { claimStateOf } from '../device/claim-state.ts';
import { deviceOf, foldName, lists, memberByName, searchedText, typePrefix } from '../device/indexes.ts';
import type { DeviceRecord } from '../device/state.ts';
import type { Index } from '../store/store.ts';
import { type ClaimStates, type InState, idsInState } from './claim-states.ts';
import type { ListQuery } from './devices.ts';
import {
  type Found,
  fromNearerEnd,
  type RowRange,
  range,
  type Scan,
  type SearchBounds,
  scan,
  searchText,
} from './search.ts';

/** Whose devices are listed, and in which lists they are. */
export interface DeviceList {
  readonly tenantId: TenantId;
  /** The list by name, which there always is. */
  readonly byName: string;
  /** Whether these are all devices of the tenant, which are also listed by creation, by label and by type. */
  readonly wholeTenant: boolean;
  /** Whether a device's head agrees that it belongs into the list. */
  readonly agrees: (device: DeviceRecord) => boolean;
}

export interface Listing {
  find(devices: DeviceList, query: ListQuery): Promise<Found>;
}

/** The index that answers most of a query, and what it leaves to be asked of each device's head. */
interface Source {
  readonly list: string;
  /** What all members begin with that are asked for. */
  readonly prefix?: string;
  readonly head: Scan['head'];
  /** How a page is cut from the list when nothing is left to be asked. */
  readonly unfiltered: 'page' | 'range' | 'scan';
}

export function createListing(
  index: Index,
  bounds: SearchBounds,
  states: ClaimStates,
  read: (id: DeviceId) => Promise<DeviceRecord | undefined>,
): Listing {
  async function find(devices: DeviceList, asked: ListQuery): Promise<Found> {
    const { claimState, ...others } = asked;
    if (claimState !== undefined && !devices.wholeTenant) {
      // A customer's devices are those that it owns.
      return claimState.state === 'OWNED' ? find(devices, others) : { ids: [], total: 0 };
    }
    const inState = claimState && (await states.find(devices.tenantId, claimState));
    return (inState && (await findInState(devices, asked, inState))) ?? findListed(devices, asked);
  }

  /** Undefined: it asks for more than the state, and there are too many in that to look at each. */
  async function findInState(
    devices: DeviceList,
    query: ListQuery,
    inState: InState,
  ): Promise<Found | undefined> {
    const { total } = inState;
    const rows = rowRangeOf(query);
    const byName = isByName(devices, query);
    const isStateAlone = !query.textSearch && !query.where && !query.type && !query.profileId;
    if (isStateAlone && !byName) return { ids: await idsInState(index, inState, rows), total };
    if (total <= bounds.sortMax) return sorted(await fittingIn(devices, query, inState), rows, byName);
    if (!isStateAlone) return undefined;
    // The first pages are soon found by looking at devices in the order of their names.
    const list = devices.byName;
    const head = headsThat(filterOf(devices, query));
    const soon = await scan(index, bounds, {
      list,
      rows,
      inOrder: true,
      row: () => true,
      head,
      known: total,
    });
    if (soon.cutAfter === undefined || (await index.count(list)) > bounds.rowsMax) return soon;
    const ids = new Set(await idsInState(index, inState, { offset: 0, limit: total, descending: false }));
    return scan(index, bounds, { list, rows, inOrder: true, row: (member) => ids.has(deviceOf(member)) });
  }

  /** All devices in a state that fit the rest of a query. */
  async function fittingIn(devices: DeviceList, query: ListQuery, inState: InState) {
    const { textSearch, where = () => true } = query;
    if (textSearch && !isCleanText(textSearch)) return [];
    const fits = filterOf(devices, query);
    const contains = containing(textSearch ?? '');
    const all = { offset: 0, limit: inState.total, descending: false };
    const ids = (await idsInState(index, inState, all)).filter(where);
    const found = await mapInSlices(ids, read);
    return found
      .filter((device) => device !== undefined)
      .filter((device) => fits(device) && contains(device));
  }

  async function findListed(devices: DeviceList, query: ListQuery): Promise<Found> {
    if (query.textSearch) return findText(devices, query, query.textSearch);
    const { where } = query;
    const { list, prefix = '', head, unfiltered } = sourceOf(devices, query);
    const rows = rowRangeOf(query);
    if (where === undefined && head === undefined) {
      if (unfiltered === 'page') return page(list, rows);
      if (unfiltered === 'range') return range(index, bounds, list, prefix, rows);
    }
    const row = where === undefined ? () => true : (member: string) => where(deviceOf(member));
    return scan(index, bounds, { list, prefix, rows, inOrder: true, row, head });
  }

  function sourceOf(devices: DeviceList, query: ListQuery): Source {
    const { tenantId } = devices;
    const { type, profileId, orNoProfile = false, claimState } = query;
    const head = headsThat(filterOf(devices, query));
    if (isByName(devices, query)) {
      return { list: devices.byName, head: hasFilter(query) ? head : undefined, unfiltered: 'page' };
    }
    if (profileId !== undefined && !orNoProfile) {
      // Devices that name a profile are in its list, in the order of creation.
      const isAnswered = type === undefined && claimState === undefined;
      return { list: lists.ofProfile(profileId), head: isAnswered ? undefined : head, unfiltered: 'scan' };
    }
    if (type !== undefined && profileId === undefined) {
      const ofType = { list: lists.byType(tenantId), prefix: typePrefix(type) };
      return { ...ofType, head: claimState === undefined ? undefined : head, unfiltered: 'range' };
    }
    const list = lists.byCreation(tenantId);
    return { list, head: hasFilter(query) ? head : undefined, unfiltered: 'page' };
  }

  async function findText(devices: DeviceList, query: ListQuery, textSearch: string): Promise<Found> {
    if (!isCleanText(textSearch)) return { ids: [], total: 0 }; // no name has such characters
    const text = searchedText(foldName(textSearch));
    const fits = filterOf(devices, query);
    const contains = containing(textSearch);
    return searchText(index, bounds, {
      text,
      list: devices.byName,
      ...(devices.wholeTenant ? { labels: lists.byLabel(devices.tenantId) } : {}),
      rows: rowRangeOf(query),
      byName: isByName(devices, query),
      id: query.where,
      head: hasFilter(query) ? headsThat(fits) : undefined,
      containing: headsThat((device) => fits(device) && contains(device)),
    });
  }

  /** A page of a list as it lies. */
  async function page(list: string, rows: RowRange): Promise<Found> {
    const total = await index.count(list);
    const members = await fromNearerEnd(rows, total, (nearer) => index.page(list, nearer));
    return { ids: members.map(deviceOf), total };
  }

  /** Reads devices, and gives the ids of those that fit. */
  function headsThat(fits: (device: DeviceRecord) => boolean): NonNullable<Scan['head']> {
    return async (ids) => {
      const devices = await mapInSlices(ids, read);
      return devices.flatMap((device) => (device !== undefined && fits(device) ? [device.id] : []));
    };
  }

  return { find };
}

function rowRangeOf({ page, pageSize, sortOrder }: ListQuery): RowRange {
  return { offset: page * pageSize, limit: pageSize, descending: sortOrder === 'DESC' };
}

function isByName({ wholeTenant }: DeviceList, { sortProperty }: ListQuery): boolean {
  return sortProperty === 'name' || !wholeTenant;
}

/** Whether a device has a text in its name or its label. */
function containing(textSearch: string): (device: DeviceRecord) => boolean {
  const text = searchedText(foldName(textSearch));
  return ({ name, label }) =>
    searchedText(foldName(name)).includes(text) || searchedText(foldName(label ?? '')).includes(text);
}

/** A part of these devices, in the order of their names or of their creation. */
function sorted(
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

/** Whether the query asks for something that a device's row does not say. */
function hasFilter({ type, profileId, claimState }: ListQuery): boolean {
  return type !== undefined || profileId !== undefined || claimState !== undefined;
}

/** Whether a device is one that the query asks for, by its head. */
function filterOf(
  { agrees }: DeviceList,
  { type, profileId, orNoProfile = false, claimState }: ListQuery,
): (device: DeviceRecord) => boolean {
  return (device) =>
    agrees(device) &&
    (type === undefined || device.type === type) &&
    (claimState === undefined || claimStateOf(device, claimState.at) === claimState.state) &&
    (profileId === undefined || (device.profileId ?? (orNoProfile ? profileId : null)) === profileId);
}
