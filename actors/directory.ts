/**
 * Finds devices: by credentials, by name, in the listings of tenants and customers.
 *
 * An index entry only says where to look. What is returned is the device's head, and only if the head agrees with the
 * entry: so an entry that is late or left over (possible where a store spreads over machines) is never visible.
 */
import { readDevice } from './device/devices.ts';
import { deviceOf, foldName, keys, lists } from './device/indexes.ts';
import type { DeviceRecord } from './device/protocol.ts';
import type { Directory, ListQuery, Page } from './devices.ts';
import type { DeviceId } from './ids.ts';
import type { Journal } from './journal/journal.ts';
import type { Index } from './store/store.ts';

/** Heads read between two turns of the event loop while a listing is searched. */
const CHUNK = 500;

export function createDirectory(journal: Journal, index: Index): Directory {
  async function lookup(
    key: string,
    agrees: (device: DeviceRecord) => boolean,
  ): Promise<DeviceRecord | undefined> {
    const id = await index.lookup(key);
    if (id === undefined) return undefined;
    const device = await readDevice(journal, id as DeviceId);
    return device !== undefined && agrees(device) ? device : undefined;
  }

  async function list(
    name: string,
    query: ListQuery,
    agrees: (device: DeviceRecord) => boolean,
  ): Promise<Page<DeviceRecord>> {
    const { page, pageSize, sortOrder } = query;
    const descending = sortOrder === 'DESC';
    const offset = page * pageSize;

    if (query.textSearch === undefined && query.type === undefined && query.where === undefined) {
      const members = await index.page(name, { offset, limit: pageSize, descending });
      const items = await readAll(members, agrees);
      return { items, total: await index.count(name) };
    }

    const wanted = matcher(query);
    const items: DeviceRecord[] = [];
    let total = 0;
    for await (const devices of chunks(name, descending, (found) => agrees(found) && wanted(found))) {
      for (const device of devices) {
        if (total >= offset && items.length < pageSize) items.push(device);
        total += 1;
      }
    }
    return { items, total };
  }

  /** Every device of a list, a chunk per turn so that nobody else waits for a search. */
  async function* chunks(name: string, descending: boolean, agrees: (device: DeviceRecord) => boolean) {
    let after: { readonly after: string } | undefined;
    for (;;) {
      const members = await index.page(name, { offset: 0, limit: CHUNK, descending, ...after });
      yield await readAll(members, agrees);
      const last = members.at(-1);
      if (last === undefined || members.length < CHUNK) return;
      after = { after: last };
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function readAll(
    members: readonly string[],
    agrees: (device: DeviceRecord) => boolean,
  ): Promise<DeviceRecord[]> {
    const found = await Promise.all(members.map((member) => readDevice(journal, deviceOf(member))));
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
        query.sortProperty === 'name' ? lists.byName(tenantId) : lists.byCreation(tenantId),
        query,
        (device) => device.tenantId === tenantId,
      ),

    async typesOf(tenantId) {
      const types = new Set<string>();
      const own = (device: DeviceRecord) => device.tenantId === tenantId;
      for await (const devices of chunks(lists.byCreation(tenantId), false, own)) {
        for (const device of devices) types.add(device.type);
      }
      return [...types].sort();
    },

    // A customer's devices are kept by name alone, to keep a claim cheap; the order of creation is not offered.
    ofCustomer: (tenantId, customerId, query) =>
      list(
        lists.ofCustomer(customerId),
        query,
        (device) => device.tenantId === tenantId && device.owner?.customerId === customerId,
      ),
  };
}

function matcher({ textSearch, type, where }: ListQuery): (device: DeviceRecord) => boolean {
  const text = textSearch === undefined ? '' : foldName(textSearch);
  return (device) =>
    (type === undefined || device.type === type) &&
    (where === undefined || where(device)) &&
    (foldName(device.name).includes(text) || foldName(device.label ?? '').includes(text));
}
