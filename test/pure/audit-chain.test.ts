/** The audit trail as a hash chain: whatever is changed, left out or added shows; and what the trail says of accounts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createBlocks } from '../../actors/audit/blocks.ts';
import type { AuditEntry } from '../../actors/audit/entry.ts';
import type { Line } from '../../actors/audit/line.ts';
import { fairShares } from '../../actors/audit/shares.ts';
import { newId, type TenantId, type UserId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { openRecords } from '../../actors/records/records.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import {
  claimByWindow,
  claimPath,
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
  assert.ok(total >= 350 && total < 650 + 350, String(total));
  assert.is((await createBlocks(store).verify(TENANT, [])).type, 'whole');
  const { blocks } = await written(300);
  assert.is(await blocks.prune(TENANT, { forMs: 1, entries: 1 }, 9_999_999), 0);
});

/** Entries of two people: a few of Alice's, then those of somebody who claims and gives back all day. */
const [ALICE, MALLORY, LAMP, PUMP] = [newId<UserId>(1), newId<UserId>(2), newId(3), newId(4)];
const alices = (n: number): Line => [
  n,
  'ASSIGNED_TO_CUSTOMER',
  `alice-${n}`,
  LAMP,
  'lamp',
  ALICE,
  ALICE,
  {},
  0,
];
const mallorys = (n: number): Line => [
  100 + n,
  n % 3 === 0 ? 'LOGIN' : n % 3 === 1 ? 'ASSIGNED_TO_CUSTOMER' : 'UNASSIGNED_FROM_CUSTOMER',
  `mallory-${n}`,
  n % 3 === 0 ? 0 : PUMP,
  0,
  MALLORY,
  MALLORY,
  {},
  0,
];
const KEEP = { forMs: 0, entries: 400 } as const;

async function flooded(rounds: number) {
  const store = createMemoryStore();
  const blocks = createBlocks(store);
  await blocks.append(
    TENANT,
    Array.from({ length: 30 }, (_, n) => alices(n)),
    undefined,
  );
  for (let round = 0; round < rounds; round += 1) {
    const some = Array.from({ length: 600 }, (_, n) => mallorys(round * 600 + n));
    await blocks.append(TENANT, some, undefined);
    await blocks.prune(TENANT, KEEP, 9_999);
  }
  return { store, blocks };
}

const inOneOrder = (items: readonly AuditEntry[]) =>
  items.toSorted((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1));

test('attack: whoever fills the trail with own doings pushes out nobody else’s, and the chain is whole', async () => {
  const { store, blocks } = await flooded(10);
  const all = await blocks.find(TENANT, { ...ALL, sortOrder: 'ASC' });
  const of = (user: string) => all.items.filter(({ userId }) => userId === user);
  assert.equal(
    of(ALICE).map(({ at }) => at),
    Array.from({ length: 30 }, (_, n) => n),
    'all of hers, in their order, before all others',
  );
  assert.is(all.total, all.items.length);
  assert.ok(
    all.total < 1_300,
    `${all.total} of 6,030: what may be kept, as many of older ones, and two blocks`,
  );
  assert.equal((await blocks.find(TENANT, { ...ALL, userId: ALICE })).total, 30);
  for (const sortOrder of ['ASC', 'DESC'] as const) {
    const paged: AuditEntry[] = [];
    for (let page = 0; page * 70 < all.total; page += 1) {
      paged.push(...(await blocks.find(TENANT, { page, pageSize: 70, sortOrder })).items);
    }
    // That old ones went is told beside those that were kept, with its own, later instant: only a page is in the order of time.
    assert.equal(inOneOrder(paged), inOneOrder(all.items), sortOrder);
  }
  const found = await createBlocks(store).verify(TENANT, [await blocks.head(TENANT)]);
  assert.ok(
    found.type === 'whole' && found.missed.length === 0 && found.pruned > 5_000,
    JSON.stringify(found),
  );
  const parts = await store.index.page(`audit-kept/${TENANT}`, { offset: 0, limit: 100 });
  assert.is(parts.length, 2, 'what was kept before is gone');
});

test('attack: an old entry that was kept is changed or left out, and it shows', async () => {
  const changes: readonly ((lines: readonly Line[]) => readonly Line[])[] = [
    (lines) => lines.with(3, alices(77)),
    (lines) => lines.toSpliced(3, 1),
    () => [],
  ];
  for (const change of changes) {
    const { store, blocks } = await flooded(3);
    assert.is((await blocks.verify(TENANT, [])).type, 'whole');
    const kept = openRecords<{ readonly lines: readonly Line[] }>(store, 'audit-kept');
    const [part = ''] = await store.index.page(`audit-kept/${TENANT}`, { offset: 0, limit: 1 });
    await kept.update(`${TENANT}/${part}`, (before) => ({ lines: change(before?.lines ?? []) }));
    assert.is((await blocks.verify(TENANT, [])).type, 'broken');
  }
});

test('attack: an anchor that names other entries as those that were kept is none', async () => {
  const { store, blocks } = await flooded(3);
  const anchors = openRecords<{ readonly kept?: object }>(store, 'audit-anchor');
  await anchors.update(TENANT, (anchor) => {
    const { kept: _, ...without } = anchor ?? {};
    return without;
  });
  assert.is((await blocks.verify(TENANT, [])).type, 'broken');
});

test('retention: a cut that a crash broke off anywhere is finished by the next time, and nothing is left over', async () => {
  for (let broken = 0; broken < 12; broken += 1) {
    const { store } = await flooded(2);
    const before = createBlocks(store);
    await before.append(
      TENANT,
      Array.from({ length: 600 }, (_, n) => mallorys(2_000 + n)),
      undefined,
    );
    let writes = 0;
    const mayFail = () => {
      writes += 1;
      if (writes > broken) throw new StoreUnavailable('test', 'cut');
    };
    const failing = createBlocks({
      ...store,
      index: {
        ...store.index,
        async add(...args) {
          mayFail();
          await store.index.add(...args);
        },
        async remove(...args) {
          mayFail();
          await store.index.remove(...args);
        },
      },
    });
    await failing.prune(TENANT, KEEP, 9_999).catch(() => {});
    const blocks = createBlocks(store);
    assert.is((await blocks.verify(TENANT, [])).type, 'whole', String(broken));
    await blocks.prune(TENANT, KEEP, 9_999);
    assert.is((await blocks.verify(TENANT, [])).type, 'whole', String(broken));
    assert.is((await blocks.find(TENANT, { ...ALL, userId: ALICE })).total, 30, String(broken));
    await blocks.append(
      TENANT,
      Array.from({ length: 600 }, (_, n) => mallorys(3_000 + n)),
      undefined,
    );
    await blocks.prune(TENANT, KEEP, 9_999);
    assert.is((await store.index.page(`audit-kept/${TENANT}`, { offset: 0, limit: 100 })).length, 2);
  }
});

test('retention: what was kept goes by its age, also where nothing new comes', async () => {
  const { store, blocks } = await flooded(3);
  const keep = { forMs: 2_000, entries: 400 };
  await blocks.prune(TENANT, keep, 2_000);
  assert.is((await blocks.find(TENANT, { ...ALL, userId: ALICE })).total, 30);
  await blocks.prune(TENANT, keep, 4_500);
  assert.is((await blocks.find(TENANT, { ...ALL, userId: ALICE })).total, 0);
  assert.is((await createBlocks(store).verify(TENANT, [])).type, 'whole');
});

test('shares: a series that is shorter than the others loses nothing; what was refused and what passes fill no one’s share', () => {
  const by = (user: string, action: Line[1], failure: Line[8], count: number) =>
    Array.from({ length: count }, (_, n): Line => [n, action, `${user}-${n}`, 0, 0, 0, user, {}, failure]);
  const stayed = (lines: readonly Line[], max: number) => {
    const counts: Record<string, number> = {};
    for (const [, action, , , , , user, , failure] of fairShares(lines, max)) {
      const series = `${user} ${action}${failure === 0 ? '' : ' refused'}`;
      counts[series] = (counts[series] ?? 0) + 1;
    }
    return counts;
  };
  assert.equal(
    stayed(
      [...by('a', 'UPDATED', 0, 20), ...by('m', 'UPDATED', 0, 900), ...by('a', 'LOGIN', 'wrong', 900)],
      100,
    ),
    { 'a UPDATED': 20, 'm UPDATED': 40, 'a LOGIN refused': 40 },
  );
  assert.equal(stayed([...by('a', 'LOGIN', 0, 50), ...by('m', 'UPDATED', 0, 70)], 100), {
    'a LOGIN': 30,
    'm UPDATED': 70,
  });
  const many = Array.from({ length: 500 }, (_, n) => by(`u${n}`, 'UPDATED', 0, 1)).flat();
  assert.is(fairShares(many, 100).length, 100);
  assert.equal(fairShares(many, 500), many);
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
    const events = ['ATTRIBUTES_UPDATED ', 'DELETED '];
    assert.equal(told.sort(), [...events, ...routes, saved].sort());
    const out = await home.admin.get('/api/audit/logs?page=0&pageSize=9&actionTypes=LOGOUT');
    assert.match(out.text, root);
  },
);

law(
  'every event of a device names the administrator who looked in as the user, and of others nobody',
  async ({ world, home }) => {
    const { alice, admin, adminId } = home;
    const { token } = (await admin.get(`/api/user/${alice.userId}/token`)).json as { token: string };
    const id = await provision(world, home.tenantId, 'lamp', null);
    for (const [customer, attribute] of [[world.as(token), 'theirs'] as const, [alice, 'own'] as const]) {
      await claimByWindow(world, customer, id, 'lamp');
      const path = `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`;
      assert.is((await customer.post(path, { [attribute]: 1 })).status, 200);
      assert.is((await customer.delete(`${path}?keys=${attribute}`)).status, 200);
      assert.is(
        (await customer.post('/api/customer/device/lamp/transfer', { to: home.bob.email })).status,
        200,
      );
      assert.is((await customer.delete('/api/customer/device/lamp/transfer')).status, 200);
      assert.is((await customer.delete(claimPath('lamp'))).status, 200);
    }
    await world.audit.catchUp();
    const path = `/api/audit/logs/entity/DEVICE/${id}?page=0&pageSize=100&sortOrder=ASC`;
    const entries = ((await admin.get(path)).json as { data: Entry[] }).data;
    const events = entries.filter(
      ({ actionData, userId }) => actionData.route === undefined && userId !== null,
    );
    const ofAlice = events.filter(({ userId }) => userId.id === alice.userId);
    const told = ofAlice.map(
      ({ actionType, actionData }) => `${actionType} ${actionData.impersonator ?? ''}`,
    );
    const each = [
      'ASSIGNED_TO_CUSTOMER',
      'ATTRIBUTES_UPDATED',
      'ATTRIBUTES_DELETED',
      'TRANSFER_OFFERED',
      'TRANSFER_WITHDRAWN',
      'UNASSIGNED_FROM_CUSTOMER',
    ];
    assert.equal(told, [
      ...each.map((action) => `${action} ${adminId}`),
      ...each.map((action) => `${action} `),
    ]);
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
