/**
 * Lists of devices by several filters at once: whatever lists they are joined from, in whichever order, and however often a search
 * runs out of time, each device that fits is given once, in order, and what is called exact is.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId, ProfileId } from '../../actors/base/ids.ts';
import { CLAIM_STATES, claimStateOf } from '../../actors/device/claim-state.ts';
import type { Device, DeviceRecord } from '../../actors/device/state.ts';
import { WHOLE } from '../../actors/fleet/claim-states.ts';
import type { Directory, ListQuery } from '../../actors/fleet/devices.ts';
import { createDirectory } from '../../actors/fleet/directory.ts';
import { readDevice } from '../../actors/fleet/live-devices.ts';
import type { SearchBounds } from '../../actors/fleet/search.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import { createDice, type Dice } from '../kit/dice.ts';
import { CUSTOMER, idOf, NOW, TENANT } from '../kit/given.ts';
import { manyId, writeDevices } from '../kit/many-devices.ts';
import { UNHURRIED } from '../kit/unhurried.ts';

const OTHER_TENANT = idOf<typeof TENANT>(900);
const [DEFAULT, STRICT] = [idOf<ProfileId>(901), idOf<ProfileId>(902)];
const COUNT = 250;
const owner = { customerId: CUSTOMER, since: NOW, by: 'claim' } as const;
const windowUntil = (closesAt: number) =>
  ({ secretDigest: 'digest', openedAt: NOW, closesAt, openedBy: 'device' }) as const;
const keyUntil = (expiresAt: number) =>
  ({ secretDigest: 'digest', sealedSecret: '***', expiresAt, savedAt: NOW }) as const;
const forbidden = {
  SERVER_SCOPE: { claimingAllowed: { value: false, savedAt: NOW } },
  SHARED_SCOPE: {},
} as const;

function anyDevice(dice: Dice): Partial<Device> {
  const roll = (below: number) => dice.between(0, below - 1);
  const profile = [{}, { profileId: null }, { profileId: DEFAULT }, { profileId: STRICT }][roll(4)];
  return {
    ...profile,
    // Names in another order than that of creation.
    name: `Pump ${roll(1_000)} ${roll(1_000_000)}`,
    owner: roll(3) === 0 ? owner : null,
    type: roll(10) === 0 ? 'rare' : 'valve',
    ...(roll(6) === 0 ? { attributes: forbidden } : {}),
    window: roll(4) === 0 ? windowUntil(NOW + roll(3)) : null,
    serverKey: roll(3) === 0 ? keyUntil(NOW + roll(3)) : null,
    // A profile or a customer of this tenant is no other one's.
    ...(roll(12) === 0 ? { tenantId: OTHER_TENANT, profileId: null, owner: null } : {}),
  };
}

interface Asked {
  readonly query: Partial<ListQuery>;
  readonly fits: (device: DeviceRecord) => boolean;
}

const anything: Asked = { query: {}, fits: () => true };
const STATES: readonly Asked[] = [
  anything,
  ...CLAIM_STATES.map((state) => ({
    query: { claimState: { state, at: NOW + 1 } },
    fits: (device: DeviceRecord) => claimStateOf(device, NOW + 1) === state,
  })),
];
const TYPES: readonly Asked[] = [
  anything,
  ...['rare', 'valve', 'none'].map((type) => ({
    query: { type },
    fits: (device: DeviceRecord) => device.type === type,
  })),
];
const PROFILES: readonly Asked[] = [
  anything,
  { query: { profileId: STRICT }, fits: ({ profileId }) => profileId === STRICT },
  {
    query: { profileId: DEFAULT, orNoProfile: true },
    fits: ({ profileId }) => (profileId ?? DEFAULT) === DEFAULT,
  },
];
const even = (id: DeviceId) => Number.parseInt(id.slice(-1), 16) % 2 === 0;
const OTHERS: readonly Asked[] = [anything, { query: { where: even }, fits: ({ id }) => even(id) }];

function* combined(...choices: readonly (readonly Asked[])[]): Generator<Asked> {
  const [first, ...rest] = choices;
  if (first === undefined) return yield anything;
  for (const one of first) {
    for (const other of combined(...rest)) {
      yield { query: { ...one.query, ...other.query }, fits: (each) => one.fits(each) && other.fits(each) };
    }
  }
}

async function everyDevice(store: Store): Promise<readonly DeviceRecord[]> {
  const all = await Promise.all(
    Array.from({ length: COUNT }, (_, n) => readDevice(store.journal, manyId(n))),
  );
  return all.filter((device) => device !== undefined).filter(({ tenantId }) => tenantId === TENANT);
}

const ORDERS = (['createdTime', 'name'] as const).flatMap((sortProperty) =>
  (['ASC', 'DESC'] as const).map((sortOrder) => ({ sortProperty, sortOrder })),
);

function inOrder(devices: readonly DeviceRecord[], { sortProperty, sortOrder }: (typeof ORDERS)[number]) {
  const keyed = devices.map(({ id, name }) => ({
    id,
    key: sortProperty === 'name' ? `${name.toLowerCase()}\0${id}` : id,
  }));
  keyed.sort((one, other) => (one.key < other.key ? -1 : 1));
  return (sortOrder === 'ASC' ? keyed : keyed.reverse()).map(({ id }) => id);
}

/** All that fit, page after page, and behind the places at which a search ran out of time. */
async function allParts(
  list: (query: ListQuery) => ReturnType<Directory['ofTenant']>,
  query: Omit<ListQuery, 'page'>,
  expected: number,
) {
  const found: DeviceId[] = [];
  let after: string | undefined;
  for (let page = 0; ; ) {
    const got = await list({ ...query, page, ...(after === undefined ? {} : { after }) });
    found.push(...got.items.map(({ id }) => id));
    assert.ok(got.total <= expected, 'no more are told than there are');
    if (got.atLeast === undefined) assert.is(got.total, expected, 'what is called exact is');
    assert.is(got.next !== undefined, got.cutAfter !== undefined);
    if (got.next !== undefined) [page, after] = [0, got.next];
    else if ((page + 1) * query.pageSize < got.total) page += 1;
    else return found;
  }
}

/** As on a machine on which time is always up. */
const OUT_OF_TIME: SearchBounds = {
  ...UNHURRIED,
  sortMax: 20,
  pageMs: -1_000,
  countMs: -1_000,
  looksMin: 8,
};
/** More than are sorted; more than are looked up at once. */
const MANY: SearchBounds = { ...UNHURRIED, sortMax: 20 };
const TOO_MANY: SearchBounds = { ...UNHURRIED, sortMax: 5, rowsMax: 30 };
const BOUNDS: readonly SearchBounds[] = [UNHURRIED, MANY, TOO_MANY, OUT_OF_TIME];

test('filters: whatever is combined, each device that fits is found once, in order, however soon time is up', async () => {
  for (const seed of [1]) {
    const dice = createDice(seed);
    const store = createMemoryStore();
    await writeDevices(store, 0, COUNT, () => anyDevice(dice));
    await store.index.add(WHOLE, TENANT);
    const devices = await everyDevice(store);
    for (const bounds of BOUNDS) {
      const directory = createDirectory(store.journal, store.index, bounds);
      for (const { query, fits } of combined(STATES, TYPES, PROFILES, OTHERS)) {
        const expected = devices.filter(fits);
        for (const order of ORDERS) {
          const asked = { ...query, ...order, pageSize: 17 };
          const found = await allParts((each) => directory.ofTenant(TENANT, each), asked, expected.length);
          assert.equal(found, inOrder(expected, order), `${seed} ${JSON.stringify(asked)}`);
        }
      }
      for (const { query, fits } of combined(TYPES, PROFILES, OTHERS)) {
        const expected = devices.filter(({ owner }) => owner?.customerId === CUSTOMER).filter(fits);
        for (const order of ORDERS.slice(2)) {
          const asked = { ...query, ...order, pageSize: 17 };
          const found = await allParts(
            (each) => directory.ofCustomer(TENANT, CUSTOMER, each),
            asked,
            expected.length,
          );
          assert.equal(found, inOrder(expected, order), `of a customer: ${seed} ${JSON.stringify(asked)}`);
        }
      }
    }
    await store.close();
  }
});

test.run();
