/**
 * Finds devices: by credentials, by name, in the listings of tenants and customers.
 *
 * An index entry only says where to look. What is returned is the device's head, and only if the head agrees with the
 * entry: so an entry that is late or left over (possible where a store spreads over machines) is never visible.
 */

import type { DeviceId, TenantId } from '../base/ids.ts';
import { mapInSlices, nextTurn } from '../base/slices.ts';
import { isCleanText } from '../base/text.ts';
import { deviceOf, foldName, keys, lists, textOf, typePrefix } from '../device/indexes.ts';
import { CLAIMING_ALLOWED, type DeviceRecord } from '../device/state.ts';
import type { Journal } from '../journal/journal.ts';
import type { Index } from '../store/store.ts';
import type { Directory, ListQuery, Page } from './devices.ts';
import { readDevice } from './live-devices.ts';
import { type Found, range, SEARCH_BOUNDS, type SearchBounds, scan, searchText } from './search.ts';

export function createDirectory(
  journal: Journal,
  index: Index,
  bounds: SearchBounds = SEARCH_BOUNDS,
): Directory {
  async function lookup(
    key: string,
    agrees: (device: DeviceRecord) => boolean,
  ): Promise<DeviceRecord | undefined> {
    const id = await index.lookup(key);
    if (id === undefined) return undefined;
    const device = await readDevice(journal, id as DeviceId);
    return device !== undefined && agrees(device) ? device : undefined;
  }

  async function list(source: Source, query: ListQuery): Promise<Page<DeviceRecord>> {
    const found = await find(source, query);
    const read = await mapInSlices(found.ids, async (id) => {
      const device = await readDevice(journal, id);
      return device !== undefined && source.agrees(device) ? listed(device) : undefined;
    });
    const items = read.filter((device) => device !== undefined);
    return {
      items,
      total: found.total,
      ...(found.cutAfter === undefined ? {} : { cutAfter: found.cutAfter }),
    };
  }

  async function find(source: Source, query: ListQuery): Promise<Found> {
    const { page, pageSize, sortOrder, sortProperty, textSearch, type, profileId, where, having } = query;
    const { orNoProfile = false } = query;
    const { tenantId, agrees } = source;
    const window = { offset: page * pageSize, limit: pageSize, descending: sortOrder === 'DESC' };
    const byName = sortProperty === 'name' || !source.wholeTenant;
    const wanted = (device: DeviceRecord) =>
      agrees(device) &&
      (type === undefined || device.type === type) &&
      (having === undefined || having(device)) &&
      (profileId === undefined || (device.profileId ?? (orNoProfile ? profileId : null)) === profileId);
    const filtered = type !== undefined || profileId !== undefined || having !== undefined;
    const head = filtered ? (ids: readonly DeviceId[]) => readAll(ids, wanted).then(idsOf) : undefined;

    if (textSearch !== undefined && textSearch !== '') {
      if (!isCleanText(textSearch)) return { ids: [], total: 0 }; // no name has such characters
      const text = foldName(textSearch);
      const contains = ({ name, label }: DeviceRecord) =>
        foldName(name).includes(text) || foldName(label ?? '').includes(text);
      return searchText(index, bounds, {
        text,
        list: source.byName,
        ...(source.wholeTenant ? { labels: lists.byLabel(tenantId) } : {}),
        window,
        byName,
        id: where,
        head,
        containing: (ids) => readAll(ids, (device) => wanted(device) && contains(device)).then(idsOf),
      });
    }
    const ordered = byName ? source.byName : lists.byCreation(tenantId);
    const row = where === undefined ? () => true : (member: string) => where(deviceOf(member));
    if (where === undefined && !filtered) {
      const { members, total } = await plainPage(ordered, window);
      return { ids: members.map(deviceOf), total };
    }
    if (!byName && profileId !== undefined && !orNoProfile) {
      // Those that name a profile are in its list, in order of creation.
      const only = type === undefined && having === undefined ? undefined : head;
      return scan(index, bounds, {
        list: lists.ofProfile(profileId),
        window,
        inOrder: true,
        row,
        head: only,
      });
    }
    if (!byName && type !== undefined && profileId === undefined) {
      const ofType = { list: lists.byType(tenantId), prefix: typePrefix(type) };
      return where === undefined && having === undefined
        ? range(index, bounds, ofType.list, ofType.prefix, window)
        : scan(index, bounds, { ...ofType, window, inOrder: true, row, head: having && head });
    }
    return scan(index, bounds, { list: ordered, window, inOrder: true, row, head });
  }

  /** A page of a list as it lies. One in the second half is read from the end: skipping members takes time. */
  async function plainPage(
    list: string,
    { offset, limit, descending }: { offset: number; limit: number; descending: boolean },
  ): Promise<{ readonly members: readonly string[]; readonly total: number }> {
    const total = await index.count(list);
    const behind = total - offset - limit;
    if (offset >= total) return { members: [], total };
    if (behind >= offset) return { members: await index.page(list, { offset, limit, descending }), total };
    const fromEnd = { offset: Math.max(0, behind), limit: Math.min(limit, total - offset) };
    const members = await index.page(list, { ...fromEnd, descending: !descending });
    return { members: [...members].reverse(), total };
  }

  async function readAll(
    ids: readonly DeviceId[],
    agrees: (device: DeviceRecord) => boolean,
  ): Promise<DeviceRecord[]> {
    const found = await mapInSlices(ids, (id) => readDevice(journal, id));
    return found.filter((device): device is DeviceRecord => device !== undefined && agrees(device));
  }

  return {
    byCredentials: (credentialsId) =>
      lookup(keys.credentials(credentialsId), (device) => device.credentials.credentialsId === credentialsId),

    idOf: async (tenantId, name) => (await index.lookup(keys.name(tenantId, name))) as DeviceId | undefined,

    byName: (tenantId, name) =>
      lookup(keys.name(tenantId, name), (device) => device.tenantId === tenantId && device.name === name),

    ofTenant: (tenantId, query) =>
      list(
        {
          tenantId,
          byName: lists.byName(tenantId),
          wholeTenant: true,
          agrees: (device) => device.tenantId === tenantId,
        },
        query,
      ),

    // One look per type, however many devices are of it.
    async typesOf(tenantId) {
      const types: string[] = [];
      for (let after: { readonly after: string } | undefined; ; await nextTurn()) {
        const [member] = await index.page(lists.byType(tenantId), { offset: 0, limit: 1, ...after });
        if (member === undefined) return types;
        const type = textOf(member);
        const device = await readDevice(journal, deviceOf(member));
        const isSo = device?.tenantId === tenantId && device.type === type;
        if (isSo) types.push(type);
        after = { after: isSo ? `${type}\u0001` : member }; // types have no control characters
      }
    },

    // A customer's devices are kept by name alone, to keep a claim cheap; the order of creation is not offered.
    ofCustomer: (tenantId, customerId, query) =>
      list(
        {
          tenantId,
          byName: lists.ofCustomer(customerId),
          wholeTenant: false,
          agrees: (device) => device.tenantId === tenantId && device.owner?.customerId === customerId,
        },
        query,
      ),
  };
}

/** Whose devices, and where they are listed. */
interface Source {
  readonly tenantId: TenantId;
  readonly byName: string;
  /** Whether it is all devices of the tenant, which are listed by creation, by label and by type as well. */
  readonly wholeTenant: boolean;
  readonly agrees: (device: DeviceRecord) => boolean;
}

/** As lists have it. Attributes may take 64 KiB, and a page be of ten thousand devices. */
function listed(device: DeviceRecord): DeviceRecord {
  const { [CLAIMING_ALLOWED]: allowed } = device.attributes.SERVER_SCOPE;
  const SERVER_SCOPE = allowed === undefined ? {} : { [CLAIMING_ALLOWED]: allowed };
  return { ...device, attributes: { SERVER_SCOPE, SHARED_SCOPE: {} } };
}

function idsOf(devices: readonly DeviceRecord[]): DeviceId[] {
  return devices.map(({ id }) => id);
}
