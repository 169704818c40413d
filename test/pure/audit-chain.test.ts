/** The audit trail as a hash chain: whatever is changed, left out or added shows; and what the trail says of accounts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createBlocks } from '../../actors/audit/blocks.ts';
import type { Line } from '../../actors/audit/line.ts';
import { newId, type TenantId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { openRecords } from '../../actors/records/records.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import {
  createRestWorld,
  PASSWORD,
  provision,
  restLaws,
  settle,
  systemAdministrator,
} from '../kit/rest-client.ts';

const TENANT = newId<TenantId>(0);
const lineNo = (n: number): Line => [1_000 + n, 'LOGIN', `note-${n}`, 0, 0, 0, 0, { n }, 0];
const lines = (from: number, count: number) => Array.from({ length: count }, (_, n) => lineNo(from + n));

interface AnyBlock {
  readonly upTo: number;
  readonly lines: readonly Line[];
  readonly chain?: object;
}

async function written(count: number) {
  const store = createMemoryStore();
  const blocks = createBlocks(store);
  for (let n = 0; n < count; n += 70)
    await blocks.append(TENANT, lines(n, Math.min(70, count - n)), undefined);
  const stored = openRecords<AnyBlock>(store, 'audit-block');
  const tamper = async (block: number, change: (block: AnyBlock) => AnyBlock | undefined) => {
    const key = `${TENANT}/${block}`;
    const before = await stored.get(key);
    if (before === undefined) throw new Error('no such block');
    const after = change(before);
    if (after === undefined) await stored.remove(key);
    else await stored.put(key, after);
  };
  return { store, blocks, tamper, verify: () => createBlocks(store).verify(TENANT, []) };
}

test('chain: a trail over many blocks is whole, its head counts its entries, and earlier heads are on the way', async () => {
  const { blocks, store } = await written(450);
  const early = await blocks.head(TENANT);
  await blocks.append(TENANT, lines(450, 100), undefined);
  const head = await createBlocks(store).head(TENANT);
  assert.is(head.entries, 550);
  assert.equal(await blocks.verify(TENANT, [early, head]), {
    type: 'whole',
    head,
    unchained: 0,
    pruned: 0,
    missed: [],
    tooOld: [],
  });
  const other = { entries: 450, hash: head.hash };
  assert.equal(await blocks.verify(TENANT, [other]), {
    type: 'whole',
    head,
    unchained: 0,
    pruned: 0,
    missed: [other],
    tooOld: [],
  });
});

test('chain: an entry that is changed, left out, added or moved breaks it, and so does a block that is gone', async () => {
  const changes: readonly ((block: AnyBlock) => AnyBlock | undefined)[] = [
    (block) => ({ ...block, lines: block.lines.with(7, lineNo(9_999)) }),
    (block) => ({ ...block, lines: block.lines.toSpliced(7, 1) }),
    (block) => ({ ...block, lines: [...block.lines, lineNo(9_999)] }),
    (block) => ({ ...block, lines: block.lines.toReversed() }),
    ({ chain: _, ...block }) => block,
    () => undefined,
  ];
  for (const [at, change] of changes.entries()) {
    const { tamper, verify } = await written(500);
    assert.is((await verify()).type, 'whole');
    await tamper(2, change);
    assert.equal(await verify(), { type: 'broken', part: 2 }, String(at));
  }
});

test('chain: whoever writes a whole new chain is found by a head that was kept elsewhere', async () => {
  const { blocks } = await written(250);
  const kept = await blocks.head(TENANT);
  const forged = createBlocks(createMemoryStore());
  await forged.append(TENANT, [...lines(0, 100), ...lines(101, 150)], undefined);
  const found = await forged.verify(TENANT, [kept]);
  assert.equal(found.type === 'whole' ? found.missed : [], [kept]);
});

test('chain: it begins behind what an older version wrote', async () => {
  const { store, tamper } = await written(250);
  for (const block of [1, 2]) await tamper(block, ({ chain: _, ...rest }) => rest);
  const later = createBlocks(store);
  assert.equal(await later.verify(TENANT, []), {
    type: 'whole',
    head: await later.head(TENANT),
    unchained: 250,
    pruned: 0,
    missed: [],
    tooOld: [],
  });
  await later.append(TENANT, lines(250, 200), undefined);
  const found = await later.verify(TENANT, []);
  assert.equal([found.type, found.type === 'whole' && found.unchained], ['whole', 200]);
  assert.is((await later.head(TENANT)).entries, 250);
});

test('chain: two processes that write one trail make one chain', async () => {
  const store = createMemoryStore();
  const both = [createBlocks(store), createBlocks(store)];
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(
      both.map((blocks, at) => blocks.append(TENANT, lines(round * 100 + at * 50, 30), undefined)),
    );
  }
  const found = await createBlocks(store).verify(TENANT, []);
  assert.is(found.type === 'whole' ? found.head.entries : 0, 1200);
});

const ALL = { page: 0, pageSize: 1_000 } as const;

test('retention: old blocks go, and what is left is a chain that says so and is searched as before', async () => {
  const { blocks, store, tamper } = await written(1_000);
  const [early, late] = [await blocks.head(TENANT), { entries: 1_000, hash: '' }];
  const old = { entries: 70, hash: 'of the first seventy' };
  // The entries are of the instants 1,000 to 2,000: up to 1,650 they are too old.
  assert.is(await blocks.prune(TENANT, { forMs: 350, entries: 0 }, 2_000), 600);
  assert.is(await blocks.prune(TENANT, { forMs: 350, entries: 0 }, 2_000), 0, 'there is nothing more to do');
  const found = await createBlocks(store).verify(TENANT, [early, old, late]);
  assert.ok(found.type === 'whole', JSON.stringify(found));
  assert.equal([found.pruned, found.missed, found.tooOld], [600, [late], [old]]);
  assert.is(found.head.entries, 1_001, 'with the entry that says so');

  const left = await blocks.find(TENANT, { ...ALL, sortOrder: 'ASC' });
  assert.is(left.total, 401);
  assert.equal([left.items[0]?.at, left.items.at(-1)?.action], [1_600, 'TRAIL_PRUNED']);
  assert.is((await blocks.find(TENANT, { ...ALL, startTime: 1_900, endTime: 1_949 })).total, 50);
  await blocks.append(TENANT, lines(1_000, 10), undefined);
  assert.is((await blocks.head(TENANT)).entries, 1_011);
  await tamper(4, (block) => ({ ...block, lines: block.lines.with(7, lineNo(9_999)) }));
  assert.equal(await createBlocks(store).verify(TENANT, []), { type: 'broken', part: 4 });
});

test('attack: whoever removes old blocks and sets an anchor without an entry of the chain is found', async () => {
  const { store, tamper } = await written(1_000);
  const stored = openRecords<{ chain?: { after: { entries: number; hash: string } } }>(store, 'audit-block');
  const head = (await stored.get(`${TENANT}/1`))?.chain?.after;
  assert.ok(head);
  await openRecords<object>(store, 'audit-anchor').put(TENANT, { number: 1, head });
  await tamper(1, () => undefined);
  assert.equal(await createBlocks(store).verify(TENANT, []), { type: 'broken', part: 1 });
});

test('retention: so many entries are kept at least, the two newest blocks always, and twice at once does no harm', async () => {
  const { store } = await written(1_000);
  const two = [createBlocks(store), createBlocks(store)];
  await Promise.all(two.map((blocks) => blocks.prune(TENANT, { forMs: 0, entries: 350 }, 2_000)));
  const { total } = await createBlocks(store).find(TENANT, ALL);
  assert.ok(total >= 350 && total < 650, String(total));
  assert.is((await createBlocks(store).verify(TENANT, [])).type, 'whole');
  const { blocks } = await written(300);
  assert.is(await blocks.prune(TENANT, { forMs: 1, entries: 1 }, 9_999_999), 0);
});

test('retention: what a crash left over of it is removed by the next time', async () => {
  const { store, blocks } = await written(1_000);
  const failing = createBlocks({
    ...store,
    index: { ...store.index, remove: () => Promise.reject(new StoreUnavailable('test', 'cut')) },
  });
  await failing.prune(TENANT, { forMs: 350, entries: 0 }, 2_000).catch(() => {});
  assert.is((await blocks.verify(TENANT, [])).type, 'whole');
  await createBlocks(store).prune(TENANT, { forMs: 350, entries: 0 }, 2_000);
  assert.is(await store.index.count(`audit/${TENANT}`), 3, 'of six blocks');
});

const { law, run } = restLaws('audit of accounts');

interface Entry {
  readonly actionType: string;
  readonly userId: { readonly id: string };
  readonly actionData: Readonly<Record<string, unknown>>;
}

law('what is done with users, passwords and keys is in the trail, and by whom', async ({ world, home }) => {
  const made = await home.admin.post('/api/user?sendActivationMail=false', {
    email: 'dora@home.test',
    authority: 'CUSTOMER_USER',
    customerId: { id: home.alice.customerId },
  });
  const { id } = (made.json as { id: { id: string } }).id;
  const activateToken = new URL(
    (await home.admin.get(`/api/user/${id}/activationLink`)).text,
  ).searchParams.get('activateToken');
  const activated = await world.nobody.post('/api/noauth/activate', {
    activateToken,
    password: 'three wet umbrellas',
  });
  const dora = world.as((activated.json as { token: string }).token);
  const change = { currentPassword: 'three wet umbrellas', newPassword: 'four dry umbrellas' };
  await world
    .as(((await dora.post('/api/auth/changePassword', change)).json as { token: string }).token)
    .post('/api/apiKey', { description: 'terminal' });
  await home.admin.post('/api/user', { id: { id }, email: 'theo@home.test', authority: 'CUSTOMER_USER' });
  await home.admin.post(`/api/user/${id}/userCredentialsEnabled?userCredentialsEnabled=false`);
  await home.admin.delete(`/api/user/${id}`);
  await world.audit.catchUp();
  const page = await home.admin.get(`/api/audit/logs/user/${id}?page=0&pageSize=100&sortOrder=ASC`);
  const entries = (page.json as { data: Entry[] }).data;
  const told = entries.map(({ actionType, actionData }) => [actionType, Object.keys(actionData).join()]);
  assert.equal(told, [
    ['ADDED', 'email,authority,by'],
    ['ACTIVATED', ''],
    ['LOGIN', ''],
    ['CREDENTIALS_UPDATED', 'password,revokedApiKeys'],
    ['CREDENTIALS_UPDATED', 'apiKey,apiKeyId,description,claimingOnly'],
    ['UPDATED', 'emailBefore,email,by'],
    ['SUSPENDED', 'by'],
    ['DELETED', 'email,by'],
  ]);
  assert.ok(entries.every(({ actionData: { by } }) => by === undefined || by === home.adminId));
  assert.not.match(page.text, 'umbrellas');

  const head = (await home.admin.get('/api/audit/head')).json as { entries: number; hash: string };
  assert.is(
    head.entries,
    (await home.admin.get('/api/audit/logs?page=0&pageSize=1')).json === undefined ? 0 : head.entries,
  );
  assert.match(head.hash, /^[\w-]{43}$/);
});

law(
  'what an administrator does who looks in as another user names the administrator',
  async ({ world, home }) => {
    const { token } = (await home.admin.get(`/api/user/${home.alice.userId}/token`)).json as {
      token: string;
    };
    await world.as(token).post('/api/customer/device/Nothing/claim', {});
    await world.as(token).get('/api/auth/user');
    await world.audit.catchUp();
    const page = await home.admin.get(
      `/api/audit/logs/user/${home.alice.userId}?page=0&pageSize=100&actionTypes=UPDATED`,
    );
    const [entry, ...others] = (page.json as { data: Entry[] }).data;
    assert.equal(others, []);
    assert.equal(entry?.actionData, {
      method: 'POST',
      route: '/api/customer/device/:deviceName/claim',
      status: 404,
      impersonator: home.adminId,
    });
  },
);

law(
  'what an administrator does who looks in to a device is in the history of the device, with the administrator',
  async ({ world, home }) => {
    const sysadmin = await systemAdministrator(world);
    const root = ((await sysadmin.get('/api/auth/user')).json as { id: { id: string } }).id.id;
    const pair = (await sysadmin.get(`/api/user/${home.adminId}/token`)).json as { token: string };
    const acting = world.as(pair.token);
    const id = await provision(world, home.tenantId, 'lamp', null);
    const attributes = `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`;
    assert.is((await acting.get(`/api/device/${id}/credentials`)).status, 200);
    assert.is((await acting.post(attributes, { colour: 'red' })).status, 200);
    assert.is((await acting.delete(`/api/device/${id}`)).status, 200);
    await acting.post('/api/auth/logout');
    await world.audit.catchUp();
    const path = `/api/audit/logs/entity/DEVICE/${id}?page=0&pageSize=100&sortOrder=ASC`;
    const entries = ((await home.admin.get(path)).json as { data: Entry[] }).data;
    const named = entries.filter(({ actionData }) => actionData.impersonator === root);
    const told = named.map(({ actionType, actionData }) => `${actionType} ${actionData.route ?? ''}`);
    const routes = ['/:deviceId', '/:deviceId/credentials'].map((rest) => `UPDATED /api/device${rest}`);
    const saved = 'UPDATED /api/plugins/telemetry/:entityType/:entityId/:scope';
    assert.equal(told.sort(), ['DELETED ', ...routes, saved].sort());
    const out = await home.admin.get('/api/audit/logs?page=0&pageSize=9&actionTypes=LOGOUT');
    assert.match(out.text, root);
  },
);

test('log: a failed login of a system administrator and a limit that was reached are lines, bounded', async () => {
  const written: { fields: object; message: string }[] = [];
  const write = (fields: object, message: string) => void written.push({ fields, message });
  const log: Log = { debug() {}, info: write, warn: write, error: write };
  const world = createRestWorld({ log });
  try {
    const home = await settle(world, 'home');
    await systemAdministrator(world);
    const [root] = (await world.accounts.users.list({ authority: 'SYS_ADMIN' }, { page: 0, pageSize: 1 }))
      .items;
    const fail = (username = '') =>
      world.nobody.post('/api/auth/login', { username, password: 'wrong-password' });
    await fail(root?.email);
    for (let n = 0; n < 15; n += 1) await fail(home.alice.email);
    const of = (text: string) => written.filter(({ message }) => message.includes(text));
    assert.is(of('a login as system administrator failed').length, 1);
    assert.ok(of('a limit was reached').length >= 1);
    assert.not.match(JSON.stringify(written), /wrong-password|@home/);
    assert.not.match(JSON.stringify(written), PASSWORD);
  } finally {
    await world.stop();
  }
});

test.run();
run();
