/** Finding devices, over the real actors on both embedded stores. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId, TenantId } from '../../actors/base/ids.ts';
import type { JsonObject } from '../../actors/base/json.ts';
import type { DeviceCommand } from '../../actors/device/device.ts';
import { indexEntries, keys, lists } from '../../actors/device/indexes.ts';
import type { Refusal } from '../../actors/device/messages.ts';
import { decodeHead, encodeDetails } from '../../actors/device/persistence.ts';
import type { Directory, ListQuery } from '../../actors/fleet/devices.ts';
import { createDirectory } from '../../actors/fleet/directory.ts';
import { changesBetween } from '../../actors/journal/index-changes.ts';
import { openLmdbStore } from '../../actors/store/lmdb/lmdb.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import {
  assign,
  CUSTOMER,
  OTHER_CUSTOMER,
  OTHER_TENANT,
  provision,
  remove,
  save,
  TENANT,
  unassign,
} from '../kit/given.ts';
import { UNHURRIED } from '../kit/unhurried.ts';
import { type AlarmWorld, alarmWorld, deviceId } from './alarms-world.ts';

interface Context {
  store: Store;
  world: AlarmWorld;
  directory: Directory;
}

const ALL: ListQuery = { page: 0, pageSize: 1_000 };

/** Provisions a device. Resolves to the reason if it is refused. */
async function create(
  { world }: Context,
  n: number,
  name: string,
  more: { readonly token?: string; readonly tenantId?: TenantId; readonly type?: string } = {},
): Promise<Refusal | undefined> {
  const { token = `token-${n}`, tenantId = TENANT, type = 'default' } = more;
  const credentials = { type: 'ACCESS_TOKEN', credentialsId: token, sealedToken: '***' } as const;
  return tell({ world }, n, { ...provision(), name, tenantId, deviceType: type, credentials });
}

async function tell(
  { world }: Pick<Context, 'world'>,
  n: number,
  command: DeviceCommand,
): Promise<Refusal | undefined> {
  const answer = await world.devices.ask(deviceId(n), command);
  if (answer.type === 'unavailable') throw new Error(answer.reason);
  return answer.type === 'refused' ? answer.refusal : undefined;
}

/** Gives a unique key to a device whose head does not have it. */
async function leaveKeyTo({ journal }: Store, key: string, stream: DeviceId): Promise<void> {
  const { sequence: expected, state } = await journal.load(stream);
  const index = { take: { unique: [key], members: [] }, release: { unique: [], members: [] } };
  await journal.append({ stream, expected, event: '{}', state, alarmAt: null, index });
}

const rename = (
  name: string,
  label: string | null = null,
  additionalInfo: JsonObject | null = null,
): DeviceCommand => ({
  type: 'UpdateDevice',
  tenantId: TENANT,
  customerId: null,
  name,
  deviceType: 'default',
  label,
  additionalInfo,
});

const giveToken = (credentialsId: string): DeviceCommand => ({
  type: 'ChangeCredentials',
  tenantId: TENANT,
  credentials: { type: 'ACCESS_TOKEN', credentialsId, sealedToken: '***' },
});

const namesOf = async (page: ReturnType<Directory['ofTenant']>) => (await page).items.map(({ name }) => name);

function laws(storeName: string, open: () => { store: Store; dispose: () => void }): void {
  const test = suite<Context & { dispose: () => void }>(`directory: ${storeName}`);
  test.before.each((context) => {
    const { store, dispose } = open();
    const world = alarmWorld(store);
    Object.assign(context, {
      store,
      world,
      dispose,
      directory: createDirectory(store.journal, store.index, UNHURRIED),
    });
  });
  test.after.each(async ({ store, world, dispose }) => {
    await world.stop();
    await store.close();
    dispose();
  });

  test(`${storeName}: a device is found by its exact token and its exact name`, async (context) => {
    const { directory } = context;
    await create(context, 1, 'Pump 1', { token: 'Token' });
    assert.is((await directory.byCredentials('Token'))?.id, deviceId(1));
    assert.is((await directory.byName(TENANT, 'Pump 1'))?.id, deviceId(1));
    for (const token of ['token', 'Token ', 'Toke', '', 'x'.repeat(5_000), 'Token\0']) {
      assert.is(await directory.byCredentials(token), undefined, token);
    }
    for (const name of ['pump 1', 'Pump 1 ', 'Pump', '', 'x'.repeat(5_000)]) {
      assert.is(await directory.byName(TENANT, name), undefined, name);
    }
    assert.is(await directory.byName(OTHER_TENANT, 'Pump 1'), undefined);
  });

  test(`${storeName}: names are unique in a tenant, tokens in the server; a taken one is refused by its own reason`, async (c) => {
    await create(c, 1, 'Pump', { token: 'a' });
    assert.equal(await create(c, 2, 'Pump', { token: 'b' }), { reason: 'name-taken' });
    assert.is(await create(c, 2, 'Pump', { token: 'b', tenantId: OTHER_TENANT }), undefined);
    assert.equal(await create(c, 3, 'Other', { token: 'a', tenantId: OTHER_TENANT }), {
      reason: 'credentials-taken',
    });
    assert.is(await create(c, 3, 'Other', { token: 'c' }), undefined, 'the refused one can still be made');
    assert.equal(await tell(c, 3, rename('Pump')), { reason: 'name-taken' });
    assert.equal(await tell(c, 3, giveToken('a')), { reason: 'credentials-taken' });
    assert.is(await tell(c, 3, giveToken('c')), undefined, 'its own is not taken');
    assert.is((await c.directory.byName(OTHER_TENANT, 'Pump'))?.id, deviceId(2));
  });

  const [COMPOSED, APART] = ['Küche'.normalize('NFC'), 'Küche'.normalize('NFD')];

  test(`${storeName}: a name is one in whichever spelling (NFC, NFD), and is shown as it was given`, async (c) => {
    const { directory } = c;
    for (const [given, other, first] of [
      [APART, COMPOSED, 1],
      [COMPOSED, APART, 3],
    ] as const) {
      const second = first + 1;
      assert.is(await create(c, first, given, { token: given }), undefined);
      for (const name of [given, other]) {
        assert.is(await directory.idOf(TENANT, name), deviceId(first));
        assert.is((await directory.byName(TENANT, name))?.name, given);
        assert.is(await directory.idOfTyped(TENANT, name.toUpperCase()), deviceId(first));
        assert.equal(await namesOf(directory.ofTenant(TENANT, { ...ALL, textSearch: name.slice(1) })), [
          given,
        ]);
        assert.equal(await create(c, second, name), { reason: 'name-taken' });
      }
      assert.is(await tell(c, first, rename(other)), undefined, 'its own is not taken');
      assert.is((await directory.byName(TENANT, given))?.name, other);
      assert.is(await tell(c, first, rename('Pump')), undefined);
      for (const name of [given, other]) assert.is(await directory.idOf(TENANT, name), undefined);
      assert.is(await create(c, second, other, { token: other }), undefined, 'its name is free');
      for (const n of [first, second]) assert.is(await tell(c, n, remove), undefined);
    }
  });

  /** A device from before names were compared in NFC: it has the key of its name as it was given alone. */
  async function createEarlier(context: Context, n: number, name: string): Promise<void> {
    await create(context, n, `earlier ${n}`);
    const [stream, { journal }] = [deviceId(n), context.store];
    const { sequence: expected, state = '', details: stored } = await journal.load(stream);
    const before = decodeHead(state, stored);
    if (before.status === 'absent') throw new Error('it was created');
    const after = { ...before, name };
    const { take, release } = changesBetween(indexEntries(stream, before), indexEntries(stream, after));
    const index = { take: { ...take, unique: [keys.name(TENANT, name)] }, release };
    const entry = {
      stream,
      expected,
      event: '{}',
      state,
      details: encodeDetails(after, before),
      alarmAt: null,
      index,
    };
    assert.equal(await journal.append(entry), { type: 'appended' });
  }

  test(`${storeName}: beside a device from before none is made, nor renamed, that looks like it`, async (c) => {
    await createEarlier(c, 1, APART);
    await create(c, 2, 'Pump');
    for (const name of [APART, COMPOSED]) {
      assert.equal(await create(c, 3, name), { reason: 'name-taken' });
      assert.equal(await tell(c, 2, rename(name)), { reason: 'name-taken' });
      assert.is((await c.directory.byName(TENANT, name))?.id, deviceId(1));
    }
    assert.is(await tell(c, 1, remove), undefined);
    assert.is(await tell(c, 2, rename(COMPOSED)), undefined, 'both spellings are free');
    assert.equal(await create(c, 3, APART), { reason: 'name-taken' });
  });

  test(`${storeName}: a long name is made, whatever it is when it is taken apart`, async (c) => {
    const long = '각'.repeat(255);
    assert.is(await create(c, 1, long), undefined);
    for (const name of [long, long.normalize('NFD')]) {
      assert.is((await c.directory.byName(TENANT, name))?.id, deviceId(1));
    }
  });

  test(`${storeName}: a device from before is found in either spelling, and gets both when it is renamed`, async (c) => {
    const { directory } = c;
    await createEarlier(c, 1, APART);
    for (const name of [APART, COMPOSED]) {
      assert.is(await directory.idOf(TENANT, name), deviceId(1));
      assert.is((await directory.byName(TENANT, name))?.id, deviceId(1));
    }
    assert.is(await tell(c, 1, rename(COMPOSED)), undefined);
    for (const name of [APART, COMPOSED]) {
      assert.is((await directory.byName(TENANT, name))?.id, deviceId(1));
      assert.equal(await create(c, 2, name), { reason: 'name-taken' });
    }
  });

  test(`${storeName}: of two from before that look alike both stay, each found by its own spelling`, async (c) => {
    await createEarlier(c, 1, APART);
    await createEarlier(c, 2, COMPOSED);
    assert.is(await c.directory.idOf(TENANT, APART), deviceId(1));
    assert.is(await c.directory.idOf(TENANT, COMPOSED), deviceId(2));
    assert.is(await c.directory.idOfTyped(TENANT, COMPOSED.toUpperCase()), undefined, 'more than one fits');
    assert.is(await tell(c, 1, remove), undefined);
    for (const name of [APART, COMPOSED]) assert.is(await c.directory.idOf(TENANT, name), deviceId(2));
  });

  test(`${storeName}: many want one name at once, and exactly one gets it`, async (context) => {
    const refusals = await Promise.all(Array.from({ length: 30 }, (_, n) => create(context, n, 'Pump')));
    assert.is(refusals.filter((refusal) => refusal === undefined).length, 1);
    assert.is(refusals.filter((refusal) => refusal?.reason === 'name-taken').length, 29);
    assert.is((await context.directory.ofTenant(TENANT, ALL)).total, 1);
  });

  test(`${storeName}: after a new name, a new token or its deletion a device is found only as it is now`, async (c) => {
    const { directory } = c;
    await create(c, 1, 'Pump', { token: 'a' });
    await tell(c, 1, rename('Valve'));
    await tell(c, 1, giveToken('b'));
    assert.is(await directory.byName(TENANT, 'Pump'), undefined);
    assert.is(await directory.byCredentials('a'), undefined);
    assert.is((await directory.byName(TENANT, 'Valve'))?.id, deviceId(1));
    assert.is((await directory.byCredentials('b'))?.id, deviceId(1));
    assert.is(await create(c, 2, 'Pump', { token: 'a' }), undefined, 'what it had is free');

    await tell(c, 1, remove);
    assert.is(await directory.byName(TENANT, 'Valve'), undefined);
    assert.is(await directory.byCredentials('b'), undefined);
    assert.is((await directory.ofTenant(TENANT, ALL)).total, 1);
    assert.is(await create(c, 3, 'Valve', { token: 'b' }), undefined);
  });

  test(`${storeName}: a tenant’s devices are listed by creation or by name, both ways, page by page`, async (c) => {
    const { directory } = c;
    const created = ['delta', 'Alpha', 'charlie', 'Bravo', 'écho'];
    for (const [n, name] of created.entries()) await create(c, n, name);
    await create(c, 10, 'foreign', { tenantId: OTHER_TENANT });
    const byName = ['Alpha', 'Bravo', 'charlie', 'delta', 'écho'];
    const named: ListQuery = { ...ALL, sortProperty: 'name' };
    assert.equal(await namesOf(directory.ofTenant(TENANT, ALL)), created);
    assert.equal(
      await namesOf(directory.ofTenant(TENANT, { ...ALL, sortOrder: 'DESC' })),
      [...created].reverse(),
    );
    assert.equal(await namesOf(directory.ofTenant(TENANT, named)), byName);
    assert.equal(
      await namesOf(directory.ofTenant(TENANT, { ...named, sortOrder: 'DESC' })),
      [...byName].reverse(),
    );
    for (const sortOrder of ['ASC', 'DESC'] as const) {
      const ordered = sortOrder === 'ASC' ? byName : [...byName].reverse();
      for (const pageSize of [1, 2, 3, 4, 5, 6]) {
        for (const page of [0, 1, 2, 3, 4, 5]) {
          const query = { ...named, sortOrder, page, pageSize };
          const { items, total } = await directory.ofTenant(TENANT, query);
          assert.equal(
            items.map(({ name }) => name),
            ordered.slice(pageSize * page, pageSize * (page + 1)),
            JSON.stringify(query),
          );
          assert.is(total, 5);
        }
      }
    }
    assert.equal((await directory.ofTenant(TENANT, { ...ALL, page: 1e9, pageSize: 1_000 })).items, []);
  });

  test(`${storeName}: a search looks at name and label, and counts all it finds`, async (c) => {
    const { directory } = c;
    for (let n = 0; n < 1_203; n++) await create(c, n, `Pump ${n}`, { type: n % 2 === 0 ? 'even' : 'odd' });
    await tell(c, 7, { ...rename('Valve', 'the ÄRGER of 7'), deviceType: 'odd' } as DeviceCommand);
    const search = (textSearch: string, more: Partial<ListQuery> = {}) =>
      directory.ofTenant(TENANT, { ...ALL, textSearch, ...more });

    assert.equal(await namesOf(search('PUMP 120')), ['Pump 120', 'Pump 1200', 'Pump 1201', 'Pump 1202']);
    assert.equal(await namesOf(search('ärger')), ['Valve']);
    assert.is((await search('pump')).total, 1_202);
    assert.is((await search('pump', { type: 'odd' })).total, 600);
    assert.is((await search('', { type: 'even' })).total, 602);
    assert.equal(await namesOf(search('pump 11', { page: 2, pageSize: 5 })), [
      'Pump 119',
      'Pump 1100',
      'Pump 1101',
      'Pump 1102',
      'Pump 1103',
    ]);
    assert.is((await search('pump 11', { page: 2, pageSize: 5 })).total, 111);
    assert.is((await search('nothing like it')).total, 0);
  });

  test(`${storeName}: a customer’s list holds what it owns now, and nothing else`, async (c) => {
    const { directory } = c;
    for (const [n, name] of ['b', 'a', 'c'].entries()) await create(c, n, name);
    const ofCustomer = (customerId: typeof CUSTOMER, tenantId = TENANT) =>
      namesOf(directory.ofCustomer(tenantId, customerId, ALL));
    for (const n of [0, 1, 2]) await tell(c, n, assign(CUSTOMER));
    assert.equal(await ofCustomer(CUSTOMER), ['a', 'b', 'c']);
    assert.equal(await ofCustomer(CUSTOMER, OTHER_TENANT), []);
    await tell(c, 1, assign(OTHER_CUSTOMER));
    await tell(c, 2, unassign());
    assert.equal(await ofCustomer(CUSTOMER), ['b']);
    assert.equal(await ofCustomer(OTHER_CUSTOMER), ['a']);
    await tell(c, 1, rename('z'));
    assert.equal(await ofCustomer(OTHER_CUSTOMER), ['z']);
    await tell(c, 1, remove);
    assert.equal(await ofCustomer(OTHER_CUSTOMER), []);
  });

  test(`${storeName}: who comes again with credentials is known at once, and after any change of the device only as it is now`, async (c) => {
    const { directory, store } = c;
    const holder = async (token: string) => directory.holderOf(token);
    await create(c, 1, 'Pump', { token: 'a' });
    const first = await holder('a');
    assert.is(first?.id, deviceId(1));
    const again = directory.holderOf('a');
    // Only where the store tells at once whether its details are the same.
    if (store.journal.detailsFrom !== undefined) assert.is(again, first);
    else assert.equal(await again, first);

    await tell(c, 1, rename('Pump', null, { gateway: true }));
    assert.is((await holder('a'))?.isGateway, true);
    await tell(c, 1, giveToken('b'));
    assert.is(await holder('a'), undefined);
    assert.is((await holder('b'))?.id, deviceId(1));
    await create(c, 2, 'Valve', { token: 'a' });
    assert.is((await holder('a'))?.id, deviceId(2));
    await tell(c, 2, remove);
    assert.is(await holder('a'), undefined);
  });

  test(`${storeName}: index entries that are left over are not visible`, async (c) => {
    const { directory, store } = c;
    await create(c, 1, 'Pump', { token: 'a' });
    await leaveKeyTo(store, keys.credentials('stale'), deviceId(1));
    await leaveKeyTo(store, keys.credentials('ghost'), deviceId(99));
    await leaveKeyTo(store, keys.name(OTHER_TENANT, 'Pump'), deviceId(1));
    await store.index.add(lists.ofCustomer(CUSTOMER), `pump\0${deviceId(1)}`);
    await store.index.add(lists.byName(OTHER_TENANT), `pump\0${deviceId(1)}`);
    await store.index.add(lists.byCreation(TENANT), deviceId(99));
    assert.is(await directory.byCredentials('stale'), undefined);
    assert.is(await directory.byCredentials('ghost'), undefined);
    assert.is(await directory.byName(OTHER_TENANT, 'Pump'), undefined);
    assert.equal(await namesOf(directory.ofCustomer(TENANT, CUSTOMER, ALL)), []);
    assert.equal(await namesOf(directory.ofTenant(OTHER_TENANT, { ...ALL, sortProperty: 'name' })), []);
    assert.equal(await namesOf(directory.ofTenant(TENANT, ALL)), ['Pump']);
  });

  test(`${storeName}: after many changes the indexes hold exactly what the heads say`, async (c) => {
    const { directory, store } = c;
    const ids = Array.from({ length: 12 }, (_, n) => n);
    // All are there before the first is renamed: else one may take the name with which another is about to come.
    for (const n of ids) assert.is(await create(c, n, `Pump ${n}`), undefined);
    await Promise.all(
      ids.map(async (n) => {
        const steps: DeviceCommand[] = [
          assign(CUSTOMER),
          rename(`PUMP ${n}`),
          assign(OTHER_CUSTOMER),
          giveToken(`new-${n}`),
          unassign(),
          rename(`Pump ${(n + 1) % 12}`), // mostly taken at that moment
          assign(CUSTOMER),
          ...(n % 4 === 0 ? [remove] : []),
        ];
        for (const step of steps) await tell(c, n, step);
      }),
    );
    const { items } = await directory.ofTenant(TENANT, ALL);
    assert.is(items.length, 9);
    const wanted = items.flatMap((device) => indexEntries(device.id, device).members);
    const listNames = [
      lists.byCreation(TENANT),
      lists.byName(TENANT),
      lists.ofCustomer(CUSTOMER),
      lists.ofCustomer(OTHER_CUSTOMER),
    ];
    for (const list of listNames) {
      const members = wanted.filter((entry) => entry.list === list).map(({ member }) => member);
      const held = await store.index.page(list, { offset: 0, limit: 100 });
      assert.equal([...held].sort(), members.sort(), list);
      assert.is(await store.index.count(list), members.length, list);
    }
    for (const device of items) {
      const found: (DeviceId | undefined)[] = [
        (await directory.byName(TENANT, device.name))?.id,
        (await directory.byCredentials(device.credentials.credentialsId))?.id,
      ];
      assert.equal(found, [device.id, device.id]);
    }
  });

  test(`${storeName}: attack: lists show no attributes, however much is kept in them, for its owner or for the tenant`, async (c) => {
    assert.is(await create(c, 1, 'Pump 1'), undefined);
    const text = 'x'.repeat(1_000);
    for (const step of [
      save({ text, claimingAllowed: true }),
      assign(CUSTOMER),
      { ...save({ text: `${text}!` }), customerId: CUSTOMER },
      { ...rename('Pump 1', text), customerId: CUSTOMER },
    ]) {
      assert.is(await tell(c, 1, step), undefined);
    }
    const [listed] = (await c.directory.ofTenant(TENANT, ALL)).items;
    assert.not.match(JSON.stringify({ ...listed, label: null }), 'xxx');
    assert.is(listed?.attributes.SERVER_SCOPE.claimingAllowed?.value, true);
  });

  test(`${storeName}: attack: of a page that holds too much, the additionalInfo of the last is left out, and that is told`, async (c) => {
    const info = { text: 'x'.repeat(100) };
    for (const n of [1, 2, 3]) {
      assert.is(await create(c, n, `Pump ${n}`), undefined);
      assert.is(await tell(c, n, rename(`Pump ${n}`, null, info)), undefined);
    }
    const bounded = createDirectory(c.store.journal, c.store.index, { ...UNHURRIED, infoMax: 250 });
    const page = await bounded.ofTenant(TENANT, ALL);
    assert.equal(
      page.items.map(({ additionalInfo }) => additionalInfo),
      [info, info, null],
    );
    assert.is(page.isCutShort, true);
    assert.is((await bounded.ofTenant(TENANT, { page: 0, pageSize: 2 })).isCutShort, undefined);
  });

  test.run();
}

laws('memory', () => ({ store: createMemoryStore(), dispose() {} }));
laws('LMDB', () => {
  const path = mkdtempSync(join(tmpdir(), 'claimd-directory-'));
  return { store: openLmdbStore({ path }), dispose: () => rmSync(path, { recursive: true }) };
});
