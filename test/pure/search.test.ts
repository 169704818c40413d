/**
 * Searching in long lists: what is found, and how much is read for it. What is read is counted, not timed: rows of the
 * index, and heads of devices.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId, ProfileId } from '../../actors/base/ids.ts';
import { DEVICES_PER_TURN } from '../../actors/base/slices.ts';
import type { DeviceCommand } from '../../actors/device/device.ts';
import type { ListQuery } from '../../actors/fleet/devices.ts';
import type { SearchBounds } from '../../actors/fleet/search.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import { pageOfDevices } from '../../http/routes/answers.ts';
import { localeOf } from '../../http/web/locale.ts';
import { deviceCount, totalOf } from '../../http/web/parts/list.tsx';
import { deviceListPaging } from '../../http/wire/schemas.ts';
import { countingDirectory } from '../kit/counting.ts';
import { assign, CUSTOMER, idOf, provision, TENANT } from '../kit/given.ts';
import { UNHURRIED } from '../kit/unhurried.ts';
import { type AlarmWorld, alarmWorld, deviceId } from './alarms-world.ts';

interface Context {
  store: Store;
  world: AlarmWorld;
}

const PAGE: ListQuery = { page: 0, pageSize: 10 };
const NUMBERED = { page: 0, pageSize: 10, untilFull: true };
const PARTS = { ...NUMBERED, untilFull: false };
const SMALL: SearchBounds = {
  ...UNHURRIED,
  rowsMax: 2_000,
  headsMax: 1_500,
  totalMax: 500,
  sortMax: 200,
};
const PROFILE = idOf<ProfileId>(77);

async function tell({ world }: Context, n: number, command: DeviceCommand): Promise<void> {
  const answer = await world.devices.ask(deviceId(n), command);
  assert.is(answer.type, 'accepted');
}

async function make(
  context: Context,
  from: number,
  to: number,
  of: (n: number) => Partial<Made>,
): Promise<void> {
  for (let n = from; n < to; n += 500) {
    const some = Array.from({ length: Math.min(500, to - n) }, (_, k) => n + k);
    await Promise.all(
      some.map((k) => {
        const {
          name = `Pump ${String(k).padStart(5, '0')}`,
          type = 'default',
          label = null,
          profileId,
        } = of(k);
        const credentials = { type: 'ACCESS_TOKEN', credentialsId: `t${k}`, sealedToken: '***' } as const;
        const fields = { ...provision(), name, deviceType: type, label, credentials };
        return tell(context, k, { ...fields, ...(profileId === undefined ? {} : { profileId }) });
      }),
    );
  }
}

interface Made {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly profileId: ProfileId;
}

const test = suite<Context>('searching in long lists');
test.before.each((context) => {
  const store = createMemoryStore();
  Object.assign(context, { store, world: alarmWorld(store) });
});
test.after.each(async ({ store, world }) => {
  await world.stop();
  await store.close();
});

const names = (page: { readonly items: readonly { readonly name: string }[] }) =>
  page.items.map(({ name }) => name);

test('with 20,000 devices a search for the beginning of names, or for a type, costs as little as a page', async (c) => {
  await make(c, 0, 20_000, (n) => ({ type: n % 2 === 0 ? 'even' : 'odd' }));
  const { directory, looked } = countingDirectory(c.store, { ...UNHURRIED, rowsMax: 10_000 });
  const cost = async (query: Partial<ListQuery>) => {
    looked.rows = 0;
    looked.heads = 0;
    const found = await directory.ofTenant(TENANT, { ...PAGE, ...query });
    return { total: found.total, items: found.items.length, ...looked };
  };
  assert.equal(await cost({}), { total: 20_000, items: 10, rows: 10, heads: 10 });
  assert.equal(await cost({ sortProperty: 'name' }), { total: 20_000, items: 10, rows: 10, heads: 10 });
  const begins = { textSearch: 'PUMP 0001', sortProperty: 'name' } as const;
  assert.equal(await cost(begins), { total: 10, items: 10, rows: 10, heads: 10 });
  assert.equal(await cost({ textSearch: 'pump 00017' }), { total: 1, items: 1, rows: 1, heads: 1 });
  const many = await cost({ textSearch: 'pump' });
  assert.equal(many, { total: 10_000, items: 10, rows: 11, heads: 10 }, 'a total of at least');
  assert.equal(await cost({ type: 'odd' }), { total: 10_000, items: 10, rows: 11, heads: 10 });

  looked.rows = 0;
  assert.equal(await directory.typesOf(TENANT, 10), ['even', 'odd']);
  assert.is(looked.rows, 2);
  assert.equal(await directory.typesOf(TENANT, 1), ['even']);

  assert.equal(await cost({ textSearch: 'ump 00017' }), { total: 1, items: 1, rows: 10_001, heads: 1 });
  const none = await cost({ textSearch: 'ump 19999' });
  assert.equal(none, { total: 0, items: 0, rows: 10_001, heads: 0 }, 'the bound');
});

test('a search in a long list is a search for what begins with it, then for labels, then within the bound', async (c) => {
  await make(c, 0, 3_000, (n) => ({ ...(n % 1_000 === 7 ? { label: `Red ${n}` } : {}) }));
  await make(c, 3_000, 3_001, () => ({ name: 'A pump 00001 of old' }));
  const { directory } = countingDirectory(c.store, SMALL);
  const search = (textSearch: string, more: Partial<ListQuery> = {}) =>
    directory.ofTenant(TENANT, { ...PAGE, textSearch, sortProperty: 'name', ...more });

  assert.equal(names(await search('pump 00001')), ['Pump 00001'], 'what has it inside is not looked for');
  assert.equal(names(await search('RED 1')), ['Pump 01007'], 'by label');
  const inside = await search('mp 00001');
  assert.equal(names(inside), ['A pump 00001 of old', 'Pump 00001']);
  assert.is(inside.cutAfter, 2_000);
  const late = await search('mp 02999');
  assert.equal([late.total, late.cutAfter], [0, 2_000]);
  const label = await search('ed 2007');
  assert.equal([label.total, label.cutAfter], [0, 2_000], 'labels count as well');
  assert.equal((await search('pump\0')).total, 0);
});

test('the pages of a search in a long list fit together, and its total is never less than what was seen', async (c) => {
  await make(c, 0, 3_000, () => ({}));
  const { directory } = countingDirectory(c.store, SMALL);
  for (const sortOrder of ['ASC', 'DESC'] as const) {
    for (const textSearch of ['pump 001', 'pump 0', 'p']) {
      for (const sortProperty of ['name', 'createdTime'] as const) {
        const seen: string[] = [];
        for (let page = 0; ; page += 1) {
          const query = { page, pageSize: 170, textSearch, sortOrder, sortProperty };
          const found = await directory.ofTenant(TENANT, query);
          seen.push(...names(found));
          assert.ok(found.total >= seen.length);
          if ((page + 1) * 170 >= found.total) break; // as `hasNext` is decided
        }
        const all = Array.from({ length: 3_000 }, (_, n) => `Pump ${String(n).padStart(5, '0')}`);
        const expected = all.filter((name) => name.toLowerCase().startsWith(textSearch));
        assert.equal(seen, sortOrder === 'ASC' ? expected : expected.reverse());
      }
    }
  }
});

test('a search in a short list is in the order asked for, and sees every name and label', async (c) => {
  const words = ['delta', 'alpha', 'Charlie', 'bravo', 'Alphabet', 'echo'];
  await make(c, 0, words.length, (n) => ({
    name: words[n] ?? '',
    ...(words[n] === 'echo' ? { label: 'an ALPHA one' } : {}),
  }));
  const { directory } = countingDirectory(c.store, SMALL);
  const search = async (more: Partial<ListQuery>) =>
    names(await directory.ofTenant(TENANT, { ...PAGE, textSearch: 'Alpha', ...more }));
  assert.equal(await search({}), ['alpha', 'Alphabet', 'echo']);
  assert.equal(await search({ sortOrder: 'DESC' }), ['echo', 'Alphabet', 'alpha']);
  assert.equal(await search({ sortProperty: 'name' }), ['alpha', 'Alphabet', 'echo']);
  assert.equal(await search({ sortProperty: 'name', sortOrder: 'DESC', page: 1, pageSize: 2 }), ['alpha']);
  assert.equal(await search({ page: 1, pageSize: 1 }), ['Alphabet']);
});

test('filters without an index look at devices until time is up, say where that was, and go on there', async (c) => {
  await make(c, 0, 2_500, (n) => ({ ...(n >= 2_490 ? { profileId: PROFILE, type: 'rare' } : {}) }));
  const { directory, looked } = countingDirectory(c.store, {
    ...SMALL,
    pageMs: -1_000,
    countMs: -1_000,
    looksMin: 250,
  });
  const filter = (query: Partial<ListQuery>) => directory.ofTenant(TENANT, { ...PAGE, ...query });

  const rare = await filter({ type: 'rare', sortProperty: 'name' });
  assert.equal([rare.total, rare.items.length, rare.atLeast], [10, 10, undefined], 'few are sorted');
  for (let n = 0; n < 2_500; n += 1) await tell(c, n, assign(CUSTOMER));
  looked.heads = 0;
  const ofCustomer = (after?: string) =>
    directory.ofCustomer(TENANT, CUSTOMER, {
      ...PAGE,
      type: 'rare',
      ...(after === undefined ? {} : { after }),
    });
  const cut = await ofCustomer();
  assert.equal([cut.total, cut.atLeast], [0, true]);
  assert.ok(looked.heads === cut.cutAfter && looked.heads < 2_000, `${looked.heads} heads`);
  const further = await ofCustomer((await ofCustomer(cut.next)).next);
  assert.equal([further.items.length, further.next], [10, undefined]);
  assert.is((await filter({ type: 'rare' })).total, 10, 'in order of creation it has an index');
  const ofProfile = await filter({ profileId: PROFILE });
  assert.equal([ofProfile.total, ofProfile.items.length], [10, 10]);
  assert.is((await filter({ profileId: PROFILE, type: 'default' })).total, 0);

  const wanted = new Set<DeviceId>([deviceId(3), deviceId(1_999), deviceId(2_001)]);
  const where = (id: DeviceId) => wanted.has(id);
  const some = await filter({ where });
  assert.equal([some.total, some.atLeast], [1, true]);
  assert.ok(some.cutAfter !== undefined && some.next !== undefined);
  assert.is((await filter({ where, textSearch: 'pump 02' })).total, 1);
  assert.is((await filter({ where, type: 'default', textSearch: 'pump 02' })).total, 1);
});

test('a customer’s list is searched by name and label, of its own devices alone', async (c) => {
  await make(c, 0, 30, (n) => ({ ...(n === 4 || n === 25 ? { label: 'Kitchen' } : {}) }));
  for (let n = 0; n < 20; n += 1) await tell(c, n, assign(CUSTOMER));
  const { directory } = countingDirectory(c.store, SMALL);
  const search = (textSearch: string) => directory.ofCustomer(TENANT, CUSTOMER, { ...PAGE, textSearch });
  assert.equal(names(await search('kitch')), ['Pump 00004']);
  assert.is((await search('PUMP')).total, 20);
  assert.equal(names(await search('p 00007')), ['Pump 00007']);

  const long = countingDirectory(c.store, { ...SMALL, headsMax: 10 }).directory;
  const ofLong = (textSearch: string) => long.ofCustomer(TENANT, CUSTOMER, { ...PAGE, textSearch });
  assert.equal(names(await ofLong('pump 0001')).length, 10);
  assert.equal((await ofLong('kitch')).items.length, 1);
});

test('a long page is read in slices, with turns for others in between', async (context) => {
  await make(context, 0, 3_000, () => ({}));
  const { directory } = countingDirectory(context.store, UNHURRIED);
  let turns = 0;
  let done = false;
  const others = (async () => {
    for (; !done; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  })();
  const page = await directory.ofTenant(TENANT, { page: 0, pageSize: 10_000 });
  done = true;
  await others;
  assert.equal(
    page.items.map(({ id }) => id),
    Array.from({ length: 3_000 }, (_, n) => deviceId(n)),
  );
  assert.ok(turns >= 3_000 / DEVICES_PER_TURN - 1, `${turns} turns`);
});

test('lists show only the attribute that steers claiming', async (context) => {
  await make(context, 0, 2, () => ({}));
  const values = { claimingAllowed: false, notes: 'x'.repeat(500) };
  await tell(context, 1, {
    type: 'SaveAttributes',
    tenantId: TENANT,
    customerId: null,
    scope: 'SERVER_SCOPE',
    values,
  });
  const { directory } = countingDirectory(context.store, UNHURRIED);
  for (const query of [PAGE, { ...PAGE, textSearch: 'pump' }, { ...PAGE, type: 'default' }]) {
    const { items } = await directory.ofTenant(TENANT, query);
    const shown = items.map(({ attributes }) =>
      Object.keys({ ...attributes.SERVER_SCOPE, ...attributes.SHARED_SCOPE }),
    );
    assert.equal(shown, [[], ['claimingAllowed']]);
  }
  const whole = await directory.byName(TENANT, 'Pump 00001');
  assert.equal(Object.keys(whole?.attributes.SERVER_SCOPE ?? {}), ['claimingAllowed', 'notes']);
});

test('a search that gave up without finding anything is not an empty page', () => {
  const view = (item: number) => item;
  assert.is(pageOfDevices({ items: [1], total: 1, cutAfter: 100 }, NUMBERED, view).type, 'json');
  const behind = { ...NUMBERED, page: 7 };
  assert.is(pageOfDevices({ items: [], total: 5, cutAfter: 100 }, behind, view).type, 'json');
  assert.is(pageOfDevices({ items: [], total: 0 }, NUMBERED, view).type, 'json');
  const gaveUp = pageOfDevices({ items: [], total: 0, cutAfter: 100 }, NUMBERED, view);
  assert.is(gaveUp.type === 'problem' && gaveUp.status, 400);
});

test('a page that is not full yet says how to go on, and is no error for who asks for parts', () => {
  const view = (item: number) => item;
  const cut = { total: 3, atLeast: true, cutAfter: 100, next: 'pump 7\0id' } as const;
  const partly = pageOfDevices({ items: [1], ...cut }, PARTS, view);
  const next = headersOf(partly)?.['X-Next-Part'] ?? '';
  assert.is(partly.type === 'json' && JSON.stringify(partly.body).includes('"hasNext":true'), true);
  const after = new URLSearchParams(next).get('after') ?? '';
  assert.equal(deviceListPaging.parse({ pageSize: '10', page: '0', after }).after, cut.next);
  assert.is(pageOfDevices({ items: [], ...cut }, PARTS, view).type, 'json');
  assert.not.ok(deviceListPaging.safeParse({ pageSize: '10', page: '0', after, textSearch: 'a' }).success);
  // Who counts pages must not go on for ever, and would miss what is behind a page that is not full.
  for (const items of [[], [1, 2, 3]]) {
    const counted = pageOfDevices({ items, ...cut }, NUMBERED, view);
    assert.ok(counted.type === 'problem' && counted.message.includes(next), 'it is told how to go on');
  }
  const full = Array.from({ length: 10 }, (_, n) => n);
  assert.is(pageOfDevices({ items: full, ...cut }, NUMBERED, view).type, 'json');
});

test('a page that is asked for by its number is looked for until it is full, however slow the search', async (c) => {
  await make(c, 0, 900, (n) => ({ type: n % 3 === 0 ? 'rare' : 'other' }));
  for (let n = 0; n < 900; n += 1) await tell(c, n, assign(CUSTOMER));
  // Time is up for parts at once, and never for a page.
  const bounds = { ...SMALL, pageMs: -1_000, countMs: -1_000, hardMs: -1_000, fullPageMs: 1e9, looksMin: 8 };
  const { directory } = countingDirectory(c.store, bounds);
  const find = (query: ReturnType<typeof deviceListPaging.parse>) =>
    directory.ofCustomer(TENANT, CUSTOMER, { ...query, type: 'rare' });
  const found: string[] = [];
  for (let page = 0; page < 3; page += 1) {
    const some = await find(deviceListPaging.parse({ pageSize: '100', page: String(page) }));
    assert.is(some.items.length, 100);
    found.push(...names(some));
  }
  assert.is(new Set(found).size, 300, 'each device is on one page');
  const part = await find(deviceListPaging.parse({ pageSize: '100', page: '0', after: '' }));
  assert.ok(part.items.length < 100 && part.next !== undefined, 'who asks for parts does not wait');
});

const headersOf = (reply: ReturnType<typeof pageOfDevices>) =>
  reply.type === 'json' ? reply.headers : undefined;

test('a page whose total is not all there is says so, in the answer and in words', () => {
  const view = (item: number) => item;
  const words = (headers: Record<string, string> | undefined, filtered: boolean) => {
    const answer = { status: 200, text: '', json: {}, headers: new Headers(headers) };
    return deviceCount(
      localeOf({ language: 'en', acceptLanguage: undefined, timeZoneCookie: undefined, overlays: {} }),
      { totalElements: 305, ...totalOf(answer) },
      filtered,
    );
  };

  const whole = headersOf(pageOfDevices({ items: [1], total: 305 }, NUMBERED, view));
  assert.equal(whole, {});
  assert.is(words(whole, true), '305 devices found');

  const counted = headersOf(pageOfDevices({ items: [1], total: 305, atLeast: true }, NUMBERED, view));
  assert.equal(counted, { 'X-Total-Is': 'at-least' });
  assert.is(words(counted, false), 'At least 305 devices');

  const cut = headersOf(
    pageOfDevices({ items: [1], total: 305, atLeast: true, cutAfter: 20_000 }, NUMBERED, view),
  );
  assert.equal(cut, { 'X-Total-Is': 'at-least', 'X-Searched-Devices': '20000' });
  assert.is(
    words(cut, true),
    'At least 305 devices found, among the first 20,000; there are more to look at',
  );
});

test('a range is counted to its end, as far as a total is exact', async (c) => {
  await make(c, 0, 120, () => ({}));
  const { directory } = countingDirectory(c.store, { ...SMALL, totalMax: 100 });
  const ofType = (page: number) => directory.ofTenant(TENANT, { page, pageSize: 50, type: 'default' });
  for (const [page, total, atLeast] of [
    [0, 100, true],
    [1, 101, true],
    [2, 120, undefined],
    [9, 100, true],
  ] as const) {
    const found = await ofType(page);
    assert.equal([page, found.total, found.atLeast], [page, total, atLeast]);
  }
});

test.run();
