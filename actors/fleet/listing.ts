/**
 * Answers a query on a list of devices: chooses the index that answers most of it, and looks at devices' heads only for
 * what no index answers. How rows are then looked at, within which bounds, is in `search.ts`.
 */
import type { DeviceId, TenantId } from '../base/ids.ts';
import { mapInSlices } from '../base/slices.ts';
import { isCleanText } from '../base/text.ts';
import { deviceOf, foldName, lists, searchedText, typePrefix } from '../device/indexes.ts';
import type { DeviceRecord } from '../device/state.ts';
import type { Index } from '../store/store.ts';
import type { ListQuery } from './devices.ts';
import {
  type Found,
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
  read: (id: DeviceId) => Promise<DeviceRecord | undefined>,
): Listing {
  async function find(devices: DeviceList, query: ListQuery): Promise<Found> {
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
    const { type, profileId, orNoProfile = false, having } = query;
    const head = headsThat(filterOf(devices, query));
    if (isByName(devices, query)) {
      return { list: devices.byName, head: hasFilter(query) ? head : undefined, unfiltered: 'page' };
    }
    if (profileId !== undefined && !orNoProfile) {
      // Devices that name a profile are in its list, in the order of creation.
      const isAnswered = type === undefined && having === undefined;
      return { list: lists.ofProfile(profileId), head: isAnswered ? undefined : head, unfiltered: 'scan' };
    }
    if (type !== undefined && profileId === undefined) {
      const ofType = { list: lists.byType(tenantId), prefix: typePrefix(type) };
      return { ...ofType, head: having === undefined ? undefined : head, unfiltered: 'range' };
    }
    const list = lists.byCreation(tenantId);
    return { list, head: hasFilter(query) ? head : undefined, unfiltered: 'page' };
  }

  async function findText(devices: DeviceList, query: ListQuery, textSearch: string): Promise<Found> {
    if (!isCleanText(textSearch)) return { ids: [], total: 0 }; // no name has such characters
    const text = searchedText(foldName(textSearch));
    const fits = filterOf(devices, query);
    const contains = ({ name, label }: DeviceRecord) =>
      searchedText(foldName(name)).includes(text) || searchedText(foldName(label ?? '')).includes(text);
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

  /** A page of a list as it lies. One in the second half is read from the end, since skipping members takes time. */
  async function page(list: string, { offset, limit, descending }: RowRange): Promise<Found> {
    const total = await index.count(list);
    if (offset >= total) return { ids: [], total };
    const behind = total - offset - limit;
    if (behind >= offset) {
      const members = await index.page(list, { offset, limit, descending });
      return { ids: members.map(deviceOf), total };
    }
    const fromEnd = { offset: Math.max(0, behind), limit: Math.min(limit, total - offset) };
    const members = await index.page(list, { ...fromEnd, descending: !descending });
    return { ids: members.map(deviceOf).reverse(), total };
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

/** Whether the query asks for something that a device's row does not say. */
function hasFilter({ type, profileId, having }: ListQuery): boolean {
  return type !== undefined || profileId !== undefined || having !== undefined;
}

/** Whether a device is one that the query asks for, by its head. */
function filterOf(
  { agrees }: DeviceList,
  { type, profileId, orNoProfile = false, having }: ListQuery,
): (device: DeviceRecord) => boolean {
  return (device) =>
    agrees(device) &&
    (type === undefined || device.type === type) &&
    (having === undefined || having(device)) &&
    (profileId === undefined || (device.profileId ?? (orNoProfile ? profileId : null)) === profileId);
}
