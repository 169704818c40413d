/**
 * Lists of devices by claim state: what indexes answer is what the heads of all devices say, in every order, page and company of
 * other filters, while windows end and keys elapse; and lists of an older store are made, by one who may be interrupted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memberByInstant } from '../../actors/base/by-instant.ts';
import type { DeviceId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import {
  CLAIM_GROUPS,
  CLAIM_STATES,
  type ClaimState,
  claimGroupOf,
  claimStateOf,
} from '../../actors/device/claim-state.ts';
import { openGroupIn, openGroupUnforbidden } from '../../actors/device/head-glance.ts';
import { deviceOf, indexEntries, lists } from '../../actors/device/indexes.ts';
import {
  decodeStanding,
  encodeDetails,
  encodeStanding,
  encodeState,
  UnreadableRecord,
} from '../../actors/device/persistence.ts';
import { type Device, type DeviceRecord, isForbidden } from '../../actors/device/state.ts';
import { checkClaimLists, createClaimLists, forgetClaimLists } from '../../actors/fleet/claim-lists.ts';
import { createClaimStates, WHOLE } from '../../actors/fleet/claim-states.ts';
import type { Directory, ListQuery } from '../../actors/fleet/devices.ts';
import { createDirectory } from '../../actors/fleet/directory.ts';
import { readDevice } from '../../actors/fleet/live-devices.ts';
import type { SearchBounds } from '../../actors/fleet/search.ts';
import { changesBetween } from '../../actors/journal/index-changes.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import { createSimClock } from '../kit/clock.ts';
import { countingDirectory, like } from '../kit/counting.ts';
import { createDice, type Dice } from '../kit/dice.ts';
import { CUSTOMER, idOf, NOW, TENANT } from '../kit/given.ts';
import { manyId, writeDevices } from '../kit/many-devices.ts';
import { UNHURRIED } from '../kit/unhurried.ts';
import { until } from '../kit/until.ts';

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
const MINUTE_MS = 60_000;

const owner = { customerId: CUSTOMER, since: NOW, by: 'claim' } as const;
const forbidden = {
  SERVER_SCOPE: { claimingAllowed: { value: false, savedAt: NOW } },
  SHARED_SCOPE: {},
} as const;
const windowUntil = (closesAt: number) =>
  ({ secretDigest: 'digest', openedAt: NOW, closesAt, openedBy: 'device' }) as const;
const keyUntil = (expiresAt: number) =>
  ({ secretDigest: 'digest', sealedSecret: '***', expiresAt, savedAt: NOW }) as const;

/** Any state that a device can be in, with what elapses within ten minutes or does not. */
function anyDevice(dice: Dice): Partial<Device> {
  const roll = (below: number) => dice.between(0, below - 1);
  const ends = NOW + roll(20) * (MINUTE_MS / 2);
  return {
    owner: roll(3) === 0 ? owner : null,
    type: roll(2) === 0 ? 'valve' : 'default',
    ...(roll(4) === 0 ? { attributes: forbidden } : {}),
    window: roll(4) === 0 ? windowUntil(ends) : null,
    serverKey: roll(3) === 0 ? keyUntil(NOW + roll(20) * (MINUTE_MS / 2)) : null,
  };
}

async function everyDevice(store: Store, count: number): Promise<DeviceRecord[]> {
  const all = await Promise.all(
    Array.from({ length: count }, (_, n) => readDevice(store.journal, manyId(n))),
  );
  return all.filter((device) => device !== undefined);
}

async function allPages(directory: Directory, query: Omit<ListQuery, 'page'>) {
  const found: DeviceId[] = [];
  for (let page = 0; ; page += 1) {
    const { items, total, ...rest } = await directory.ofTenant(TENANT, { ...query, page });
    assert.equal(rest, {}, 'an exact answer');
    found.push(...items.map(({ id }) => id));
    if ((page + 1) * query.pageSize >= total) return { found, total };
  }
}

const BOUNDS: readonly SearchBounds[] = [
  UNHURRIED,
  // More than are sorted as a whole.
  { ...UNHURRIED, sortMax: 20 },
];

test('claim states: what the indexes answer is what every head says, in every order and page, at every instant', async () => {
  const COUNT = 300;
  for (const seed of [1, 2, 3]) {
    const dice = createDice(seed);
    const store = createMemoryStore();
    await writeDevices(store, 0, COUNT, () => anyDevice(dice));
    const devices = await everyDevice(store, COUNT);
    for (const bounds of BOUNDS) {
      const directory = createDirectory(store.journal, store.index, bounds);
      for (const at of [NOW, NOW + 4.5 * MINUTE_MS, NOW + 20 * MINUTE_MS]) {
        let seen = 0;
        for (const state of CLAIM_STATES) {
          const expected = devices.filter((device) => claimStateOf(device, at) === state).map(({ id }) => id);
          seen += expected.length;
          for (const sortProperty of ['createdTime', 'name'] as const) {
            for (const sortOrder of ['ASC', 'DESC'] as const) {
              const query = { pageSize: 17, claimState: { state, at }, sortProperty, sortOrder };
              const { found, total } = await allPages(directory, query);
              const wanted = sortOrder === 'ASC' ? expected : [...expected].reverse();
              assert.equal(found, wanted, `${seed} ${state} ${sortProperty} ${sortOrder}`);
              assert.is(total, expected.length);
            }
          }
          const valves = devices.filter(({ id, type }) => expected.includes(id) && type === 'valve');
          const ofType = await allPages(directory, {
            pageSize: 17,
            type: 'valve',
            claimState: { state, at },
          });
          assert.equal(
            ofType.found,
            valves.map(({ id }) => id),
          );
        }
        assert.is(seen, COUNT, 'each device is in one state');
      }
    }
    await store.close();
  }
});

test('claim states: what a glance at a head tells of its window is what all of the head says, in every form that it has', async () => {
  const dice = createDice(11);
  const store = createMemoryStore();
  await writeDevices(store, 0, 400, () => ({
    ...anyDevice(dice),
    ...(dice.between(0, 3) === 0 ? { label: 'its claimingAllowed is "false"' } : {}),
    ...(dice.between(0, 3) === 0 ? { ownerEpoch: dice.between(0, 9) } : {}),
    ...(dice.between(0, 3) === 0 ? { recentHandovers: [[NOW, 'kit']] as const } : {}),
  }));
  const seen = new Set<string>();
  for (const { id: _, ...device } of await everyDevice(store, 400)) {
    const details = encodeDetails(device, undefined);
    const inParts = encodeStanding(device);
    const v = device.recentHandovers === undefined ? 2 : 3;
    const json = JSON.stringify({ v, ...decodeStanding(inParts) });
    for (const at of [NOW, NOW + 4.5 * MINUTE_MS, NOW + 20 * MINUTE_MS]) {
      const expected = claimStateOf(device, at) === 'WINDOW_OPEN' ? claimGroupOf(device) : undefined;
      seen.add(`${expected}`);
      assert.is(openGroupIn(inParts, details, at), expected, inParts);
      assert.is(openGroupIn(json, details, at), expected, json);
      assert.is(openGroupIn(encodeState(device), undefined, at), expected);
      assert.is(openGroupUnforbidden(encodeState(device), at), expected);
      if (isForbidden(device)) continue;
      for (const state of [inParts, json]) assert.is(openGroupUnforbidden(state, at), expected, state);
    }
  }
  assert.equal([...seen].sort(), ['free', 'keyed', 'undefined']);
  const unreadable = (state: string, details: string | undefined) =>
    assert.throws(
      () => openGroupIn(state, details, NOW),
      (error: unknown) => error instanceof UnreadableRecord,
    );
  const line = encodeStanding({ owner: null, window: windowUntil(NOW + 1), serverKey: null });
  unreadable(line, undefined);
  unreadable(`${line};`, '{"v":2,"tenantId":"x"}');
  unreadable('{"v":3}', '{"v":2,"tenantId":"x"}');
  unreadable(line, '{"v":3,"tenantId":"x"}');
  for (const state of [`${line};`, `${line};1 kit`, '{"v":3}', '{"v":2'])
    assert.throws(
      () => openGroupUnforbidden(state, NOW),
      (error: unknown) => error instanceof UnreadableRecord,
    );
  await store.close();
});

test('claim states: by name in a list too long for that, the first pages are right, and the total is known', async () => {
  const store = createMemoryStore();
  const dice = createDice(5);
  await writeDevices(store, 0, 600, () => anyDevice(dice));
  const owned = (await everyDevice(store, 600)).filter((device) => device.owner !== null).map(({ id }) => id);
  // Time is up after some devices.
  const bounds = { ...UNHURRIED, sortMax: 20, rowsMax: 50, pageMs: -1_000, looksMin: 100 };
  const directory = createDirectory(store.journal, store.index, bounds);
  const page = (number: number) =>
    directory.ofTenant(TENANT, {
      page: number,
      pageSize: 30,
      sortProperty: 'name',
      claimState: { state: 'OWNED', at: NOW },
    });
  const first = await page(1);
  assert.equal(
    first.items.map(({ id }) => id),
    owned.slice(30, 60),
  );
  assert.equal([first.total, first.atLeast], [owned.length, undefined]);
  const behind = await page(6);
  assert.is(behind.total, owned.length);
  const { cutAfter = 0 } = behind;
  assert.ok(cutAfter >= 400 && cutAfter < 600, `it says how far it looked: ${cutAfter}`);
  await store.close();
});

/** Like a large fleet: half is owned; 300 windows are open and 40 keys have elapsed, wherever they are. */
function ofFleet(n: number): Partial<Device> {
  const window = n % 100 === 97 ? { window: windowUntil(NOW + MINUTE_MS) } : {};
  const key = { serverKey: keyUntil(n % 1_000 === 3 ? NOW : NOW + MINUTE_MS) };
  if (n % 2 === 0) return { owner };
  if (n % 10 === 1) return { attributes: forbidden };
  return n % 10 === 3 ? key : window;
}

test('claim states: with 30,000 devices a page costs what it shows, beside the open windows; each count is exact', async () => {
  const store = createMemoryStore();
  await writeDevices(store, 0, 30_000, ofFleet);
  const { directory, looked } = countingDirectory(store, UNHURRIED);
  const totals: Readonly<Record<ClaimState, number>> = {
    UNCLAIMED: 9_000 - 300 + 30,
    WINDOW_OPEN: 300,
    HAS_KEY: 3_000 - 30,
    FORBIDDEN: 3_000,
    OWNED: 15_000,
  };
  for (const state of CLAIM_STATES) {
    const find = () => {
      Object.assign(looked, { rows: 0, heads: 0 });
      return directory.ofTenant(TENANT, { page: 20, pageSize: 10, claimState: { state, at: NOW } });
    };
    let found = await find();
    // It costs more where going through the open windows took too long: this process stood still meanwhile.
    await until(`${state} costs little`, async () => {
      // A few rows of two lists for each open window.
      if (looked.heads <= 10 + 300 && looked.rows <= 2_000 + 300 * 8) return true;
      found = await find();
      return false;
    }).catch(() => assert.unreachable(`${state}: ${looked.heads} heads, ${looked.rows} rows`));
    assert.equal([found.total, found.atLeast, found.cutAfter], [totals[state], undefined, undefined], state);
    assert.is(found.items.length, 10);
  }
  await store.close();
});

test('claim states: where more windows are open than are looked at, devices are looked at one by one, and that is told', async () => {
  const store = createMemoryStore();
  await writeDevices(store, 0, 6_000, (n) => (n < 5_500 ? { window: windowUntil(NOW + MINUTE_MS) } : {}));
  const bounds = { ...UNHURRIED, pageMs: -1_000, countMs: -1_000 };
  const directory = createDirectory(store.journal, store.index, bounds);
  const find = (state: ClaimState, after?: string) =>
    directory.ofTenant(TENANT, {
      page: 0,
      pageSize: 10,
      claimState: { state, at: NOW },
      ...(after === undefined ? {} : { after }),
    });
  const open = await find('WINDOW_OPEN');
  assert.equal([open.items.length, open.atLeast, open.cutAfter], [10, true, undefined]);
  // Each read counts as a few of the thousand looks.
  assert.ok(open.total >= 800 && open.total < 1_500, `${open.total} counted until time is up`);
  assert.equal([(await find('OWNED')).total, (await find('OWNED')).atLeast], [0, undefined]);
  // What is far behind is found by going on.
  let free = await find('UNCLAIMED');
  for (let parts = 0; free.items.length === 0; parts += 1) {
    assert.ok(
      free.cutAfter !== undefined && free.next !== undefined && parts < 6,
      'it says where it goes on',
    );
    free = await find('UNCLAIMED', free.next);
  }
  assert.equal(free.items[0]?.id, manyId(5_500));
  await store.close();
});

test('claim states: open windows of others make nothing inexact', async () => {
  const store = createMemoryStore();
  const others = idOf<typeof TENANT>(900);
  const open = { window: windowUntil(NOW + MINUTE_MS) };
  await writeDevices(store, 0, 13_000, (n) => {
    if (n < 6_000) return { ...open, tenantId: others };
    return n % 1_000 === 7 ? open : {};
  });
  const directory = createDirectory(store.journal, store.index);
  for (const [state, total] of [
    ['WINDOW_OPEN', 7],
    ['UNCLAIMED', 7_000 - 7],
  ] as const) {
    // On a slow machine whose devices they are is learnt in several steps.
    await until(`${state} is exact`, async () => {
      const found = await directory.ofTenant(TENANT, {
        page: 0,
        pageSize: 10,
        claimState: { state, at: NOW },
      });
      return found.atLeast === undefined && found.total === total;
    });
  }
  await store.close();
});

test('claim states: alarms of others are not read for ever, though it is known whose they are', async () => {
  const store = createMemoryStore();
  const others = idOf<typeof TENANT>(900);
  await writeDevices(store, 0, 1, () => ({ tenantId: others, window: windowUntil(NOW + MINUTE_MS) }));
  await writeDevices(store, 1, 602, () => ({}));
  await store.index.add(WHOLE, TENANT);
  let reads = 0;
  const alarms: Store['journal']['alarms'] = async () => {
    reads += 1;
    assert.ok(reads < 50, 'it ends');
    await delay(20);
    return { alarms: [{ stream: manyId(0), dueAt: NOW + MINUTE_MS }], next: 'more' };
  };
  const states = createClaimStates(
    { alarms, loadMany: (streams, part) => store.journal.loadMany(streams, part) },
    store.index,
  );
  const found = await states.find(TENANT, { state: 'WINDOW_OPEN', at: NOW });
  assert.is(found?.type === 'known' && found.total, 0, 'the devices were looked at instead');
  await store.close();
});

test('claim states: of a customer’s devices all are owned', async () => {
  const store = createMemoryStore();
  await writeDevices(store, 0, 10, (n) => (n < 4 ? { owner } : {}));
  const directory = createDirectory(store.journal, store.index, UNHURRIED);
  for (const [state, total] of [
    ['OWNED', 4],
    ['UNCLAIMED', 0],
  ] as const) {
    const query = { page: 0, pageSize: 10, claimState: { state, at: NOW } };
    assert.is((await directory.ofCustomer(TENANT, CUSTOMER, query)).total, total);
  }
  await store.close();
});

/** Takes a store back to what an older version wrote. */
async function withoutLists({ index, journal }: Store, count: number): Promise<void> {
  for (const device of await everyDevice({ journal } as Store, count)) {
    await index.remove(lists.ofGroup(TENANT, claimGroupOf(device)), device.id);
    await index.remove(lists.withoutProfile(TENANT), device.id);
    const { serverKey } = device;
    if (serverKey !== null)
      await index.remove(lists.byKeyExpiry(TENANT), memberByInstant(serverKey.expiresAt, device.id));
  }
}

async function* onlyTenant() {
  yield TENANT;
}
const stands = async () => true;

test('claim states: an older store answers honestly until its lists are made; a making that broke off is begun anew', async () => {
  const COUNT = 900;
  const store = createMemoryStore();
  const dice = createDice(7);
  await writeDevices(store, 0, COUNT, () => anyDevice(dice));
  await withoutLists(store, COUNT);
  const bounds = { ...UNHURRIED, pageMs: -1_000, countMs: -1_000, looksMin: 60 };
  const directory = createDirectory(store.journal, store.index, bounds);
  const owned = () =>
    directory.ofTenant(TENANT, { page: 0, pageSize: 1_000, claimState: { state: 'OWNED', at: NOW } });
  const cut = await owned();
  assert.ok(cut.atLeast && cut.cutAfter !== undefined && cut.cutAfter < COUNT, `${cut.cutAfter}`);
  assert.is(await checkClaimLists(store, TENANT), undefined, 'it knows that they are not made');

  const told: string[] = [];
  const log: Log = { ...SILENT, info: (_fields, message) => told.push(message) };
  const make = () => createClaimLists(store, onlyTenant, createSimClock(NOW), log, stands);
  // The process ends after some devices.
  let loads = 0;
  const broken: Store = {
    ...store,
    journal: Object.assign(Object.create(store.journal), {
      load(stream: string) {
        loads += 1;
        if (loads > 300) throw new Error('the process ends');
        return store.journal.load(stream);
      },
    }),
  };
  await createClaimLists(broken, onlyTenant, createSimClock(NOW), log, stands)
    .round()
    .then(
      () => assert.unreachable(),
      () => undefined,
    );
  assert.is(await checkClaimLists(store, TENANT), undefined);
  assert.is((await owned()).atLeast, true, 'half a list is not believed');

  await make().round();
  assert.equal(await checkClaimLists(store, TENANT), { missing: 0, surplus: 0 });
  const expected = (await everyDevice(store, COUNT)).filter((device) => device.owner !== null);
  assert.equal([(await owned()).total, (await owned()).atLeast], [expected.length, undefined]);
  assert.equal(told.at(-1), 'lists of devices by claim state are whole');
  assert.is(await store.index.count(lists.withoutProfile(TENANT)), COUNT);
  await store.close();
});

test('claim states: a device that is claimed while its list is made is in the list of what it is then', async () => {
  const store = createMemoryStore();
  await writeDevices(store, 0, 40, () => ({}));
  await withoutLists(store, 40);
  const clock = createSimClock(NOW);
  let claimed = 0;
  // Whenever a free device is about to be entered, it has just been claimed.
  const racing: Store = {
    ...store,
    index: like(store.index, {
      async add(list, member) {
        const device = await readDevice(store.journal, deviceOf(member));
        if (list === lists.ofGroup(TENANT, 'free') && device !== undefined && claimed < 20) {
          claimed += 1;
          await claim(store, device);
        }
        await store.index.add(list, member);
      },
    }),
  };
  await createClaimLists(racing, onlyTenant, clock, SILENT, stands).round();
  assert.is(claimed, 20);
  assert.equal(await checkClaimLists(store, TENANT), { missing: 0, surplus: 0 });
  assert.is(await store.index.count(lists.ofGroup(TENANT, 'owned')), 20);
  await store.close();
});

/** As the device's actor would write it. */
async function claim({ journal }: Store, device: DeviceRecord): Promise<void> {
  const { sequence } = await journal.load(device.id);
  const after = { ...device, owner };
  const { id: _, ...state } = after;
  const changes = changesBetween(indexEntries(device.id, device), indexEntries(device.id, state));
  const entry = { stream: device.id, expected: sequence, event: '{}', alarmAt: null, index: changes };
  assert.is((await journal.append({ ...entry, state: encodeStanding(state) })).type, 'appended');
}

test('claim states: lists that are wrong are found by a check, and put right in the round after the next', async () => {
  const store = createMemoryStore();
  await writeDevices(store, 0, 30, (n) => (n < 10 ? { owner } : {}));
  const rounds = createClaimLists(store, onlyTenant, createSimClock(NOW), SILENT, stands);
  await rounds.round();
  assert.equal(await checkClaimLists(store, TENANT), { missing: 0, surplus: 0 });
  await store.index.remove(lists.ofGroup(TENANT, 'owned'), manyId(3));
  await store.index.add(lists.ofGroup(TENANT, 'keyed'), manyId(4));
  await store.index.add(lists.ofGroup(TENANT, 'free'), manyId(77));
  await store.index.add(lists.byKeyExpiry(TENANT), memberByInstant(NOW, manyId(5)));
  assert.equal(await checkClaimLists(store, TENANT), { missing: 1, surplus: 3 });
  await rounds.round();
  await rounds.round();
  assert.equal(await checkClaimLists(store, TENANT), { missing: 0, surplus: 0 });
  assert.is(
    (await Promise.all(CLAIM_GROUPS.map((group) => store.index.count(lists.ofGroup(TENANT, group))))).reduce(
      (sum, count) => sum + count,
    ),
    30,
  );
  await store.close();
});

test('claim states: while devices change lists all the time nobody goes through them; what is wrong is found in a quiet moment', async () => {
  const store = createMemoryStore();
  await writeDevices(store, 0, 30, (n) => (n < 10 ? { owner } : {}));
  let [moving, counts, gone] = [true, 0, 0];
  const busy: Store = {
    ...store,
    index: like(store.index, {
      // On Redis a device is in no list of a group for a moment.
      async count(list, within) {
        counts += 1;
        const under = moving && list === lists.ofGroup(TENANT, 'free') ? 1 + (counts % 7) : 0;
        return (await store.index.count(list, within)) - under;
      },
      async remove(list, member) {
        if (list === WHOLE) gone += 1;
        await store.index.remove(list, member);
      },
    }),
  };
  const rounds = createClaimLists(busy, onlyTenant, createSimClock(NOW), SILENT, stands);
  for (let round = 0; round < 4; round += 1) await rounds.round();
  assert.is(gone, 0, 'nothing is doubted');
  await store.index.remove(lists.ofGroup(TENANT, 'free'), manyId(20));
  for (let round = 0; round < 3; round += 1) await rounds.round();
  assert.is(gone, 0);
  moving = false;
  for (let round = 0; round < 2; round += 1) await rounds.round();
  assert.is(gone, 1);
  assert.equal(await checkClaimLists(store, TENANT), { missing: 0, surplus: 0 });
  await store.close();
});

test('claim states: of a tenant that is deleted while its lists are made no mark is left', async () => {
  const store = createMemoryStore();
  await writeDevices(store, 0, 5, () => ({}));
  await withoutLists(store, 5);
  let isDeleted = false;
  // All of the deletion falls between the look at the last device and the mark.
  const racing: Store = {
    ...store,
    index: like(store.index, {
      async add(list, member) {
        if (list === WHOLE) {
          isDeleted = true;
          await forgetClaimLists(store, TENANT);
        }
        await store.index.add(list, member);
      },
    }),
  };
  await createClaimLists(racing, onlyTenant, createSimClock(NOW), SILENT, async () => !isDeleted).round();
  assert.ok(isDeleted);
  assert.is(await store.index.count(WHOLE), 0);
  await store.close();
});

test.run();
