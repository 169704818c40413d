/**
 * Finds devices: by credentials, by name, in the lists of tenants and customers.
 *
 * An index entry only says where to look. What is returned is the device's head, and only if the head agrees with the
 * entry. So an entry that is late or left over, which is possible where a store spreads over machines, is never seen.
 */
import { type CustomerId, type DeviceId, storedId, type TenantId } from '../base/ids.ts';
import { Recent } from '../base/recent.ts';
import type { CredentialsId } from '../base/secret.ts';
import { nextTurn, slices } from '../base/slices.ts';
import { composed, findSpelling } from '../base/spelling.ts';
import { claimStateOf } from '../device/claim-state.ts';
import { isGateway } from '../device/gateways.ts';
import { deviceOf, keys, lists, namePrefix, textOf } from '../device/indexes.ts';
import { decodeHead } from '../device/persistence.ts';
import { CLAIMING_ALLOWED, type Device, type DeviceRecord, type OfferedTo } from '../device/state.ts';
import type { Journal } from '../journal/journal.ts';
import { versionOf } from '../runtime/engine.ts';
import type { Index } from '../store/store.ts';
import { createClaimStates } from './claim-states.ts';
import type { CredentialsHolder, Directory, ListQuery, Page } from './devices.ts';
import type { DeviceList } from './filters.ts';
import type { JustRead } from './just-read.ts';
import { createListing } from './listing.ts';
import { createReadDevices, readDevice } from './live-devices.ts';
import { SEARCH_BOUNDS, type SearchBounds } from './search.ts';

/** Offers of one list that are told. */
const OFFERS_MAX = 100;
/** Those of one customer that go before others': who offers a lot does not hide what somebody else offers. */
const OFFERS_OF_ONE = 10;
/** Offers of one list that are looked at. */
const OFFERS_LOOKED_AT = 5_000;
/** Holders that are remembered, half a kilobyte each. */
const HOLDERS_MAX = 16_384;

export function createDirectory(
  journal: Journal,
  index: Index,
  bounds: SearchBounds = SEARCH_BOUNDS,
  justRead?: JustRead,
): Directory {
  const read = createReadDevices(journal);
  const listing = createListing(index, bounds, createClaimStates(journal, index), read);

  async function idAt(key: string): Promise<DeviceId | undefined> {
    const id = await index.lookup(key);
    return id === undefined ? undefined : storedId(id);
  }

  async function lookup(
    key: string,
    agrees: (device: DeviceRecord) => boolean,
  ): Promise<DeviceRecord | undefined> {
    const id = await idAt(key);
    const device = id === undefined ? undefined : await readDevice(journal, id);
    return device !== undefined && agrees(device) ? device : undefined;
  }

  /** Those that came last. */
  const holders = new Recent<CredentialsId, KnownHolder>(HOLDERS_MAX);

  async function lookUpHolder(credentialsId: CredentialsId): Promise<CredentialsHolder | undefined> {
    const id = await idAt(keys.credentials(credentialsId));
    // In this order: what is written after this look makes the holder known by a number that is past.
    const detailsFrom = id === undefined ? undefined : journal.detailsFrom?.(id);
    const read = id === undefined ? undefined : versionOf(await journal.load(id), decodeHead);
    if (id === undefined || read === undefined) return undefined;
    const device = read.value;
    if (device.status === 'absent' || !holds(device, credentialsId)) return undefined;
    justRead?.keep(id, read);
    const holder = holderIn(id, device);
    if (detailsFrom !== undefined && device.credentials.type !== 'X509_CERTIFICATE')
      holders.set(credentialsId, { holder, detailsFrom });
    return holder;
  }

  async function page(list: DeviceList, query: ListQuery): Promise<Page<DeviceRecord>> {
    const { ids, ...found } = await listing.find(list, query);
    const items: DeviceRecord[] = [];
    let infoLeft = bounds.infoMax;
    // Each is cut to what lists show at once: all of them as they are may be a gigabyte.
    for await (const some of slices(ids)) {
      for (const device of await read(some)) {
        if (device === undefined || !list.agrees(device) || !isInState(device, query)) continue;
        if (infoLeft >= 0 && device.additionalInfo !== null)
          infoLeft -= JSON.stringify(device.additionalInfo).length;
        items.push(infoLeft < 0 ? { ...asListed(device), additionalInfo: null } : asListed(device));
      }
    }
    return { items, ...found, ...(infoLeft < 0 ? { isCutShort: true } : {}) };
  }

  /** The devices of a list of offers that agree. Each owner's first few come before the rest of anybody's. */
  async function offersIn(
    list: string,
    tenantId: TenantId,
    agrees: (to: OfferedTo) => boolean,
  ): Promise<readonly DeviceRecord[]> {
    const found: DeviceRecord[] = [];
    const others: DeviceRecord[] = [];
    const foundOf = new Map<CustomerId | undefined, number>();
    let behind: { readonly after: string } | undefined;
    for (let looked = 0; looked < OFFERS_LOOKED_AT; looked += OFFERS_MAX) {
      const members = await index.page(list, { offset: 0, limit: OFFERS_MAX, ...behind });
      for (const device of await read(members.map(deviceOf))) {
        if (device?.tenantId !== tenantId || device.offer === undefined) continue;
        if (!agrees(device.offer.to)) continue;
        const offerer = device.owner?.customerId;
        const ofOne = foundOf.get(offerer) ?? 0;
        foundOf.set(offerer, ofOne + 1);
        if (ofOne < OFFERS_OF_ONE) found.push(device);
        else if (others.length < OFFERS_MAX) others.push(device);
      }
      const last = members.at(-1);
      if (members.length < OFFERS_MAX || last === undefined || found.length >= OFFERS_MAX) break;
      behind = { after: last };
      await nextTurn();
    }
    return [...found, ...others].slice(0, OFFERS_MAX);
  }

  return {
    byCredentials: (credentialsId) =>
      lookup(keys.credentials(credentialsId), (device) => holds(device, credentialsId)),

    holderOf(credentialsId) {
      const known = holders.get(credentialsId);
      const isStill = known !== undefined && journal.detailsFrom?.(known.holder.id) === known.detailsFrom;
      return isStill ? known.holder : lookUpHolder(credentialsId);
    },

    idOf: (tenantId, name) => findSpelling(name, (spelling) => idAt(keys.name(tenantId, spelling))),

    async idOfTyped(tenantId, name) {
      const found = new Set<DeviceId>();
      await findSpelling(name, async (spelling) => {
        const query = { offset: 0, limit: 2, prefix: namePrefix(spelling) };
        for (const member of await index.page(lists.byName(tenantId), query)) found.add(deviceOf(member));
        return undefined; // goes on: the same name in another spelling is another device that fits
      });
      const [only, other] = found;
      return other === undefined ? only : undefined;
    },

    byName: (tenantId, name) =>
      findSpelling(name, (spelling) =>
        lookup(
          keys.name(tenantId, spelling),
          (device) => device.tenantId === tenantId && composed(device.name) === composed(name),
        ),
      ),

    ofTenant: (tenantId, query) =>
      page(
        {
          tenantId,
          byName: lists.byName(tenantId),
          wholeTenant: true,
          agrees: (device) => device.tenantId === tenantId,
        },
        query,
      ),

    // A customer's devices are listed by name alone, which keeps a claim cheap; the order of creation is not offered.
    ofCustomer: (tenantId, customerId, query) =>
      page(
        {
          tenantId,
          byName: lists.ofCustomer(customerId),
          wholeTenant: false,
          agrees: (device) => device.tenantId === tenantId && device.owner?.customerId === customerId,
        },
        query,
      ),

    ofTransfer: (id) => idAt(keys.transfer(id)),

    async offeredTo(tenantId, { customerId, addressDigests }) {
      const toCustomer = await offersIn(
        lists.offeredTo(customerId),
        tenantId,
        (to) => to.type === 'customer' && to.customerId === customerId,
      );
      const toAddress = await Promise.all(
        addressDigests.map((digest) =>
          offersIn(
            lists.offeredToAddress(digest),
            tenantId,
            (to) => to.type === 'address' && to.addressDigest === digest,
          ),
        ),
      );
      return [toCustomer, ...toAddress].flat().map(asListed);
    },

    typesOf: (tenantId, atMost) => typesOf(journal, index, tenantId, atMost),
  };
}

/** A holder, while the newest details of its device are those of the append of this number. */
interface KnownHolder {
  readonly holder: CredentialsHolder;
  readonly detailsFrom: number;
}

function holds({ credentials, nextCredentials }: Device, credentialsId: CredentialsId): boolean {
  return (
    credentials.credentialsId === credentialsId ||
    nextCredentials?.credentials.credentialsId === credentialsId
  );
}

function holderIn(id: DeviceId, device: Device): CredentialsHolder {
  const { tenantId, profileId = null, credentials, nextCredentials } = device;
  const holder = { id, tenantId, profileId, credentials, isGateway: isGateway(device) };
  return nextCredentials === undefined ? holder : { ...holder, nextCredentials };
}

/** One look-up per type, however many devices are of it. */
async function typesOf(
  journal: Journal,
  index: Index,
  tenantId: TenantId,
  atMost: number,
): Promise<readonly string[]> {
  const types: string[] = [];
  for (let after: { readonly after: string } | undefined; types.length < atMost; await nextTurn()) {
    const [member] = await index.page(lists.byType(tenantId), { offset: 0, limit: 1, ...after });
    if (member === undefined) return types;
    const type = textOf(member);
    const device = await readDevice(journal, deviceOf(member));
    const agrees = device?.tenantId === tenantId && device.type === type;
    if (agrees) types.push(type);
    after = { after: agrees ? `${type}\u0001` : member }; // types have no control characters
  }
  return types;
}

function isInState(device: DeviceRecord, { claimState }: ListQuery): boolean {
  return claimState === undefined || claimStateOf(device, claimState.at) === claimState.state;
}

/** A device as lists show it. Attributes may take 64 KiB, and a page may have ten thousand devices. */
function asListed({
  tenantAttributes: _of,
  tenantDescription: _what,
  ...device
}: DeviceRecord): DeviceRecord {
  const { [CLAIMING_ALLOWED]: allowed } = device.attributes.SERVER_SCOPE;
  const SERVER_SCOPE = allowed === undefined ? {} : { [CLAIMING_ALLOWED]: allowed };
  return { ...device, attributes: { SERVER_SCOPE, SHARED_SCOPE: {} } };
}
