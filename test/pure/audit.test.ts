/** The audit trail: over REST, over crashes, and with many blocks. */
import { randomUUID } from 'node:crypto';
import type { Scheduler } from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAudit } from '../../actors/audit/audit.ts';
import { createBlocks } from '../../actors/audit/blocks.ts';
import { type AuditEntry, eventEntryId, type Note } from '../../actors/audit/entry.ts';
import { type Line, lineOfNote } from '../../actors/audit/line.ts';
import { type AuditQuery, BLOCK_ENTRIES } from '../../actors/audit/query.ts';
import type { CustomerId, DeviceId, TenantId, UserId } from '../../actors/base/ids.ts';
import type { Json } from '../../actors/base/json.ts';
import { silentLog } from '../../actors/base/log.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { type Store, StoreUnavailable } from '../../actors/store/store.ts';
import { daysView } from '../../http/routes/live.ts';
import { createSimClock } from '../kit/clock.ts';
import { CUSTOMER, idOf, TENANT, USER } from '../kit/given.ts';
import fc from '../kit/property.ts';
import {
  type Answer,
  type Caller,
  claimPath,
  HOUR_MS,
  isDone,
  isProblem,
  openWindow,
  PASSWORD,
  pageOf,
  provision,
  type RestWorld,
  restLaws,
  START,
  settle,
} from '../kit/rest-client.ts';
import { createSharedStore } from '../kit/shared-store.ts';

const { law, run } = restLaws('audit over REST');

const entries = (answer: Answer) => pageOf(answer).data;
const inShort = (answer: Answer) =>
  entries(answer).map(({ actionType, actionStatus, actionFailureDetails }) =>
    actionStatus === 'SUCCESS' ? actionType : `${actionType}: ${actionFailureDetails}`,
  );
const ALL = 'pageSize=100&page=0&sortOrder=ASC';

async function trail(world: RestWorld, admin: Caller, path: string, query = ''): Promise<Answer> {
  await world.audit.catchUp();
  return admin.get(`/api/audit/logs${path}?${ALL}${query}`);
}

/** A device's whole life, with guesses. */
async function life(world: RestWorld, home: Awaited<ReturnType<typeof settle>>): Promise<DeviceId> {
  const { admin, alice, bob } = home;
  const id = await provision(world, home.tenantId, 'D');
  await openWindow(world, id, 'top-secret');
  await bob.post(claimPath('D'), { secretKey: 'my-guess' });
  await alice.post(claimPath('D'), { secretKey: 'top-secret' });
  await bob.post(claimPath('D'), { secretKey: 'top-secret' });
  isDone(await alice.delete(claimPath('D')));
  const claimingData = { secretKey: 'server-secret', expirationTime: START + HOUR_MS };
  isDone(
    await admin.post(`/api/plugins/telemetry/${id}/SERVER_SCOPE`, { claimingData, colour: 'red-value' }),
  );
  isDone(await admin.delete(`/api/plugins/telemetry/${id}/SERVER_SCOPE?keys=colour`));
  await admin.post(`/api/customer/${bob.customerId}/device/${id}`);
  await admin.delete(`/api/customer/device/${id}`);
  await openWindow(world, id, 'again', 1000);
  world.clock.advance(1000);
  await world.devices.ask(id, { type: 'ExpireDue' });
  isDone(await admin.delete(`/api/device/${id}`));
  return id;
}

law(
  "audit: a device's life, every step once, refusals with their reason, nothing secret",
  async ({ world, home }) => {
    const id = await life(world, home);
    const answer = await trail(world, home.admin, `/entity/DEVICE/${id}`);
    const events = inShort(answer).filter((line) => !String(line).startsWith('CLAIM_REFUSED'));
    // Written before its answer, and so before the events of the same instant.
    assert.equal(
      events.filter((line) => line === 'DELETED'),
      ['DELETED'],
    );
    const others = events.filter((line) => line !== 'DELETED');
    assert.equal(others, [
      'ADDED',
      'CLAIM_WINDOW_OPENED',
      'ASSIGNED_TO_CUSTOMER',
      'UNASSIGNED_FROM_CUSTOMER',
      'ATTRIBUTES_UPDATED',
      'ATTRIBUTES_DELETED',
      'ASSIGNED_TO_CUSTOMER',
      'UNASSIGNED_FROM_CUSTOMER',
      'CLAIM_WINDOW_OPENED',
      'CLAIM_WINDOW_EXPIRED',
    ]);
    const refused = inShort(answer).filter((line) => String(line).startsWith('CLAIM_REFUSED'));
    assert.equal(refused, ['CLAIM_REFUSED: wrong-secret', 'CLAIM_REFUSED: already-claimed']);
    assert.not.match(answer.text, /top-secret|my-guess|server-secret|red-value|again|token of/);
    for (const entry of entries(answer)) {
      assert.equal(entry.entityId, { entityType: 'DEVICE', id });
      assert.is(entry.entityName, 'D');
    }
    const claim = entries(answer).find(({ actionType }) => actionType === 'ASSIGNED_TO_CUSTOMER');
    assert.equal(
      [claim?.customerId.id, claim?.userName, claim?.actionData],
      [
        home.alice.customerId,
        home.alice.email,
        {
          by: 'claim',
          assignedCustomerId: home.alice.customerId,
          ownerEpoch: 1,
          evidence: 'secret',
          // The clock stands until the second window ends.
          windowOpenedAt: world.clock.now() - 1_000,
        },
      ],
    );
    const month = await home.admin.get('/api/tenant/claimDays');
    const { timeToClaim } = daysView.parse(month.json);
    assert.is(timeToClaim.count, 1);
    assert.ok(timeToClaim.p90Ms !== null && timeToClaim.p90Ms <= 1_000, 'it was claimed at once');
  },
);

law(
  'audit: a page is in the order of time, whether it came as an event or as a note, of this device or of another',
  async ({ world, home: { admin, alice, bob, tenantId } }) => {
    const [one, other] = [await provision(world, tenantId, 'D'), await provision(world, tenantId, 'E')];
    for (const [name, id] of [
      ['D', one],
      ['E', other],
      ['D', one],
    ] as const) {
      world.clock.advance(10);
      await openWindow(world, id, 'right');
      world.clock.advance(10);
      await bob.post(claimPath(name), { secretKey: 'wrong' });
      world.clock.advance(10);
      await alice.post(claimPath(name), { secretKey: 'right' });
      world.clock.advance(10);
      await alice.delete(claimPath(name));
    }
    const timesOf = async (path: string, order: string) => {
      await world.audit.catchUp();
      const answer = await admin.get(`/api/audit/logs${path}?pageSize=100&page=0&sortOrder=${order}`);
      return entries(answer).map(({ createdTime }) => Number(createdTime));
    };
    for (const path of ['', `/entity/DEVICE/${one}`]) {
      const [up, down] = [await timesOf(path, 'ASC'), await timesOf(path, 'DESC')];
      assert.ok(up.length >= 8, path);
      assert.equal(
        up,
        up.toSorted((a, b) => a - b),
        path,
      );
      assert.equal(down, up.toReversed(), path);
    }
  },
);

law('audit: by customer, user, time and action', async ({ world, home }) => {
  await life(world, home);
  const { admin, alice, bob } = home;
  const of = async (path: string, query = '') => inShort(await trail(world, admin, path, query)).sort();
  assert.equal(await of(`/customer/${alice.customerId}`, '&actionTypes=ASSIGNED_TO_CUSTOMER'), [
    'ASSIGNED_TO_CUSTOMER',
  ]);
  assert.equal(await of(`/user/${bob.userId}`), [
    'CLAIM_REFUSED: already-claimed',
    'CLAIM_REFUSED: wrong-secret',
    'LOGIN',
  ]);
  assert.equal(await of(`/entity/USER/${bob.userId}`), ['LOGIN']);
  const late = `&startTime=${START + 1000}&endTime=${START + 1000}`;
  assert.equal(await of('', `${late}&actionTypes=CLAIM_WINDOW_EXPIRED,CLAIM_WINDOW_OPENED`), [
    'CLAIM_WINDOW_EXPIRED',
  ]);
  assert.equal(await of('', `&startTime=${START + 1001}`), []);
  const window = await of('', '&textSearch=window_EXP');
  assert.equal([...new Set(window)], ['CLAIM_WINDOW_EXPIRED'], 'text in the name of the action, in any case');
  assert.ok(window.length > 0);
  assert.equal(await of('', '&textSearch=no such device'), []);
  assert.equal(
    await of('', '&textSearch=LOGIN'),
    (await of('')).filter((entry) => String(entry).startsWith('LOGIN')),
  );
  for (const wrong of ['startTime=x', 'actionTypes=NOTHING', 'sortProperty=name'])
    isProblem(await admin.get(`/api/audit/logs?${wrong}`), 400, 31);
  isProblem(await admin.get(`/api/audit/logs/entity/ASSET/${bob.userId}`), 400, 31);
});

law(
  'audit: changes to a device are found by who made them, and by whose customer',
  async ({ world, home }) => {
    const { admin, adminId, alice, bob } = home;
    const id = await provision(world, home.tenantId, 'D', alice.customerId);
    const path = `/api/plugins/telemetry/${id}/SERVER_SCOPE`;
    isDone(await alice.post(path, { colour: 'red' }));
    isDone(await alice.delete(`${path}?keys=colour`));
    assert.is((await alice.post('/api/device', { id: { id }, name: 'D', label: 'mine' })).status, 200);
    isDone(await admin.post(path, { claimingAllowed: true }));
    const credentials = { deviceId: { id }, credentialsType: 'ACCESS_TOKEN', credentialsId: 'another' };
    assert.is((await admin.post('/api/device/credentials', credentials)).status, 200);

    const of = async (whose: string, by: Caller = admin) =>
      inShort(
        await trail(
          world,
          by,
          whose,
          '&actionTypes=ATTRIBUTES_UPDATED,ATTRIBUTES_DELETED,UPDATED,CREDENTIALS_UPDATED',
        ),
      );
    const hers = ['ATTRIBUTES_UPDATED', 'ATTRIBUTES_DELETED', 'UPDATED'];
    assert.equal(await of(`/user/${alice.userId}`), hers);
    assert.equal(await of(`/customer/${alice.customerId}`), hers);
    assert.equal(await of(`/user/${adminId}`), ['ATTRIBUTES_UPDATED', 'CREDENTIALS_UPDATED']);
    assert.equal(await of(`/user/${bob.userId}`), []);
  },
);

law('audit: of many attributes at once, those that steer claiming are named', async ({ world, home }) => {
  const { admin, tenantId } = home;
  const id = await provision(world, tenantId, 'D');
  const path = `/api/plugins/telemetry/${id}/SERVER_SCOPE`;
  const others = Array.from({ length: 25 }, (_, n) => `other${n}`);
  const steering = {
    claimPublicKey: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    claimingAllowed: false,
    claimingData: { secretKey: 'server-secret', expirationTime: START + HOUR_MS },
  };
  const keys = [...others, ...Object.keys(steering)];
  isDone(await admin.post(path, { ...Object.fromEntries(others.map((key) => [key, 1])), ...steering }));
  isDone(await admin.delete(`${path}?keys=${keys}`));
  const actions = 'ATTRIBUTES_UPDATED,ATTRIBUTES_DELETED';
  const [saved, deleted] = entries(
    await trail(world, admin, `/entity/DEVICE/${id}`, `&actionTypes=${actions}`),
  ).map(({ actionData }) => actionData);
  const named = ['claimingData', 'claimingAllowed', 'claimPublicKey', ...others].slice(0, 20);
  assert.equal(saved, { scope: 'SERVER_SCOPE', keys: named, claimingAllowed: false });
  assert.equal(deleted, { scope: 'SERVER_SCOPE', keys: named });
});

law(
  'audit: an administrator who takes the tokens of a user leaves a login of that user, with their own name',
  async ({ world, home }) => {
    const { admin, adminId, alice } = home;
    const taken = await admin.get(`/api/user/${alice.userId}/token`);
    assert.is(taken.status, 200);
    const logins = entries(await trail(world, admin, `/user/${alice.userId}`, '&actionTypes=LOGIN'));
    const until = world.clock.now() + 30 * 60_000; // what is taken is good for half an hour
    assert.equal(logins.at(-1)?.actionData, { by: adminId, until });
    assert.is(logins.at(-1)?.actionStatus, 'SUCCESS');
    const before = logins.length;
    isProblem(await alice.get(`/api/user/${alice.userId}/token`), 403, 20);
    assert.is(
      entries(await trail(world, admin, `/user/${alice.userId}`, '&actionTypes=LOGIN')).length,
      before,
    );
  },
);

law('audit: logins, failed logins of those who exist, logouts', async ({ world, home }) => {
  const { alice } = home;
  await world.nobody.post('/api/auth/login', { username: alice.email, password: 'a wrong password' });
  await world.nobody.post('/api/auth/login', { username: 'x@nobody.test', password: PASSWORD });
  isDone(await alice.post('/api/auth/logout'));
  await new Promise((resolve) => setImmediate(resolve));
  const answer = await trail(world, home.admin, `/user/${alice.userId}`);
  assert.equal(inShort(answer).sort(), ['LOGIN', 'LOGIN: bad-credentials', 'LOGOUT']);
  assert.not.match(answer.text, /a wrong password/);
});

law(
  'audit: what somebody hears is done is in the trail, whatever ends in that moment',
  async ({ world, home }) => {
    const { admin, alice } = home;
    const stored = async () =>
      (await createBlocks(world.store).find(home.tenantId, { page: 0, pageSize: 100 })).items;
    const newest = async () => (await stored())[0];
    const email = 'elsewhere@x.test';
    const device = await provision(world, home.tenantId, 'D');
    const changes: readonly (readonly [Caller, 'post' | 'delete', string, Json, string])[] = [
      [admin, 'post', '/api/customer', { title: 'Another' }, 'ADDED'],
      [admin, 'post', '/api/deviceProfile', { name: 'lamp' }, 'ADDED'],
      [alice, 'post', '/api/apiKey', { description: 'terminal' }, 'CREDENTIALS_UPDATED'],
      [
        admin,
        'post',
        '/api/user',
        { id: { id: alice.userId }, email, authority: 'CUSTOMER_USER' },
        'UPDATED',
      ],
      [
        admin,
        'post',
        `/api/user/${alice.userId}/userCredentialsEnabled?userCredentialsEnabled=true`,
        {},
        'ACTIVATED',
      ],
      [
        alice,
        'post',
        '/api/auth/changePassword',
        { currentPassword: PASSWORD, newPassword: 'another long phrase' },
        'CREDENTIALS_UPDATED',
      ],
      [admin, 'delete', `/api/user/${alice.userId}`, null, 'DELETED'],
      [admin, 'delete', `/api/device/${device}`, null, 'DELETED'],
    ];
    for (const [who, method, path, body, action] of changes) {
      const before = (await stored()).length;
      const answer = await (method === 'post' ? who.post(path, body) : who.delete(path));
      assert.is(answer.status, 200, answer.text);
      assert.is((await newest())?.action, action, path);
      assert.ok((await stored()).length > before, path);
    }
  },
);

law("audit: another tenant's trail cannot be read", async ({ world, home }) => {
  const id = await life(world, home);
  const other = await settle(world, 'other');
  const { alice } = home;
  for (const path of ['', `/customer/${alice.customerId}`, `/user/${alice.userId}`, `/entity/DEVICE/${id}`]) {
    const answer = await trail(world, other.admin, path);
    assert.not.ok(answer.text.includes(home.tenantId));
    assert.not.ok(answer.text.includes(id));
  }
});

law(
  'audit: events of a deleted device are written by a process that starts later, however far on the deletion is',
  async ({ world, home }) => {
    for (const between of [0, 2500]) {
      const id = await provision(world, home.tenantId, `D${between}`);
      await openWindow(world, id, 's');
      await happen(world.store, between);
      await world.devices.ask(id, { type: 'DeleteDevice', tenantId: home.tenantId });
      const next = createAudit(world.store, true, world.clock, silentLog);
      await next.catchUp();
      const { items } = await next.find(home.tenantId, { ...everything, deviceId: id });
      assert.equal(
        items.map(({ action, deviceName }) => `${action} ${deviceName}`),
        [`ADDED D${between}`, `CLAIM_WINDOW_OPENED D${between}`],
      );
    }
  },
);

law(
  'audit: a search that gave up without finding anything does not look like an empty trail',
  async ({ home }) => {
    for (const [sortOrder, parameter] of [
      ['DESC', 'endTime'],
      ['ASC', 'startTime'],
    ] as const) {
      const answer = await home.admin.get(`/api/audit/logs?pageSize=10&page=0&sortOrder=${sortOrder}`);
      isProblem(answer, 400, 31);
      assert.match(answer.text, `${parameter}=${START}`);
    }
    for (const made of ['claimWindows', 'claimStatistics'])
      assert.match((await home.admin.get(`/api/tenant/${made}`)).text, '"complete":false');
  },
  {
    disturb: (needs) => ({
      ...needs,
      audit: { ...needs.audit, find: async () => ({ items: [], total: 0, searchedTo: START }) },
    }),
  },
);

run();

// ------------------------------------------------------------------------------------------------------ durability

const test = suite('audit, kept');

const NOTE: Note = {
  tenantId: TENANT,
  action: 'LOGIN',
  failure: undefined,
  deviceId: undefined,
  deviceName: undefined,
  customerId: CUSTOMER,
  userId: USER,
  data: {},
};

/** A trail with a note that cannot be written now. */
async function notedWhileAway() {
  const { store, mood } = moody();
  const clock = createSimClock(START);
  const audit = createAudit(store, true, clock, silentLog);
  audit.start();
  await settled();
  mood.fails = () => 'before';
  audit.note(NOTE);
  return { store, mood, clock, audit };
}

/** A store whose writes of records fail on demand, before or after they happened. */
function moody(): { store: Store; mood: { fails: (write: number) => 'before' | 'after' | undefined } } {
  const store = createMemoryStore();
  const mood: { fails: (write: number) => 'before' | 'after' | undefined } = { fails: () => undefined };
  let writes = 0;
  const records = () => {
    const adapter = store.records;
    const set = adapter.set.bind(adapter);
    adapter.set = async (key: string, value: unknown) => {
      writes += 1;
      const how = mood.fails(writes);
      if (how === 'before') throw new StoreUnavailable('moody', 'before');
      await set(key, value);
      if (how === 'after') throw new StoreUnavailable('moody', 'after');
    };
    return adapter;
  };
  return {
    mood,
    store: {
      ...store,
      journal: store.journal,
      index: store.index,
      get records() {
        return records();
      },
      async swap(...swap) {
        writes += 1;
        const how = mood.fails(writes);
        if (how === 'before') throw new StoreUnavailable('moody', 'before');
        const swapped = await store.swap(...swap);
        if (how === 'after') throw new StoreUnavailable('moody', 'after');
        return swapped;
      },
    },
  };
}

const deviceNo = (n: number) => idOf<DeviceId>(1000 + n);

/** Appends `count` events to the journal, of `devices` devices. */
async function happen(store: Store, count: number, devices = 7): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const stream = deviceNo(n % devices);
    const { sequence } = await store.journal.load(stream);
    const device = {
      v: 1,
      status: 'provisioned',
      tenantId: TENANT,
      name: `device ${n % devices}`,
    };
    await store.journal.append({
      stream,
      expected: sequence,
      event: JSON.stringify({ v: 1, type: 'ClaimWindowExpired', at: START + n }),
      state: JSON.stringify(device),
      alarmAt: null,
      index: undefined,
    });
  }
}

const everything = { page: 0, pageSize: 10_000, sortOrder: 'ASC' } as const;

for (const how of ['before', 'after'] as const) {
  test(`audit: crashed at every single write (${how} it happened), every event is there exactly once`, async () => {
    for (let at = 1; at <= 12; at += 1) {
      const { store, mood } = moody();
      const clock = createSimClock(START);
      await happen(store, 130);
      mood.fails = (write) => (write >= at ? how : undefined);
      const crashed = createAudit(store, true, clock, silentLog);
      await crashed.catchUp().catch(() => {});
      await happen(store, 250);
      mood.fails = () => undefined;
      // Every other time a new process goes on.
      const next = at % 2 === 0 ? crashed : createAudit(store, true, clock, silentLog);
      await next.catchUp();
      await next.catchUp();
      const { items, total } = await next.find(TENANT, everything);
      assert.is(total, 380, `failed from write ${at}`);
      assert.is(new Set(items.map(({ id }) => id)).size, 380);
    }
  });
}

/** A store that other processes use too: the scheduler orders all accesses, and refuses some swaps. */
function crowded(store: Store, scheduler: Scheduler): Store {
  const turn = async <Result>(perform: () => Promise<Result>): Promise<Result> => {
    await scheduler.schedule(Promise.resolve());
    return perform();
  };
  return {
    ...store,
    journal: store.journal,
    index: store.index,
    get records() {
      return store.records;
    },
    shared: false, // no lease: all of them project, all the time
    swap: (...swap) => turn(() => store.swap(...swap)),
  };
}

test('audit: a stored event that cannot be read is stepped over, and every other one is in the trail', async () => {
  const store = createMemoryStore();
  const clock = createSimClock(START);
  await happen(store, 20);
  for (const event of ['{"v":1,"ty', '{"v":2,"type":"Painted","at":1}']) {
    const stream = deviceNo(event.length);
    const state = '{"v":1,"status":"deleted"}';
    await store.journal.append({ stream, expected: 0, event, state, alarmAt: null, index: undefined });
  }
  await happen(store, 20);
  const audit = createAudit(store, true, clock, silentLog);
  await audit.catchUp();
  assert.is((await audit.find(TENANT, everything)).total, 40);
  assert.is(audit.steppedOver, 2);
});

test('audit: several processes that project and note at once lose or double no entry, in any interleaving', async () => {
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const store = createMemoryStore();
    const clock = createSimClock(START);
    await happen(store, 150);
    const audits = [1, 2, 3].map(() => createAudit(crowded(store, scheduler), true, clock, silentLog));
    for (const audit of audits) for (let n = 0; n < 60; n += 1) audit.note(NOTE);
    await scheduler.waitFor(Promise.all(audits.map((audit) => audit.catchUp())));
    await happen(store, 150);
    for (const audit of audits) audit.note(NOTE);
    await scheduler.waitFor(Promise.all(audits.map((audit) => audit.catchUp())));
    const { items, total } = await createBlocks(store).find(TENANT, everything);
    assert.is(total, 300 + 183);
    assert.is(new Set(items.map(({ id }) => id)).size, 300 + 183);
  });
  await fc.assert(property, { numRuns: 25 });
});

test('audit: one of several processes projects; when it ends, another goes on', async () => {
  const store = createSharedStore();
  const clock = createSimClock(START);
  const audits = [1, 2].map(() => createAudit(store, true, clock, silentLog));
  const total = async () => (await createBlocks(store).find(TENANT, everything)).total;
  for (const audit of audits) audit.start();
  await settled();
  await happen(store, 10);
  clock.advance(2_000);
  await settled();
  assert.is(await total(), 10);

  await audits[0]?.stop();
  await happen(store, 10);
  clock.advance(2_000);
  await settled();
  assert.is(await total(), 20);

  const third = createAudit(store, true, clock, silentLog);
  await happen(store, 10);
  await third.catchUp();
  assert.is(await total(), 20, 'the lease is held');
  await audits[1]?.stop();
  await third.catchUp();
  assert.is(await total(), 30);
});

test('audit: notes survive a write that failed, once', async () => {
  const { store, mood } = moody();
  const audit = createAudit(store, true, createSimClock(START), silentLog);
  audit.note(NOTE);
  for (const how of ['before', 'after'] as const) {
    mood.fails = () => how;
    await audit.catchUp().then(
      () => assert.unreachable(),
      () => {},
    );
  }
  audit.note(NOTE);
  mood.fails = () => undefined;
  await audit.catchUp();
  assert.is((await audit.find(TENANT, everything)).total, 2);
});

test('audit: who waits for a note is not held up by a store that is away, and the note is written once it is back', async () => {
  const { mood, clock, audit } = await notedWhileAway();
  await audit.noted();
  assert.is((await audit.find(TENANT, everything)).total, 0);
  mood.fails = () => undefined;
  clock.advance(5_000);
  await settled();
  assert.is((await audit.find(TENANT, everything)).total, 1);
  for (let n = 0; n < 3; n += 1) audit.note(NOTE);
  await Promise.all([audit.noted(), audit.noted()]);
  assert.is((await audit.find(TENANT, everything)).total, 4);
  await audit.stop();
});

test('audit: what is noted while a round waits to be tried again doubles nothing of that round', async () => {
  for (const how of ['before', 'after'] as const)
    for (const at of [1, 2, 3, 4]) {
      const { store, mood } = moody();
      const audit = createAudit(store, true, createSimClock(START), silentLog);
      await happen(store, 20);
      mood.fails = (write) => (write >= at ? how : undefined);
      await audit.catchUp().catch(() => {});
      mood.fails = () => undefined;
      audit.note(NOTE);
      await audit.noted();
      await audit.catchUp();
      assert.is((await audit.find(TENANT, everything)).total, 21, `failed ${how} write ${at}`);
    }
});

const linesOf = (count: number): Line[] =>
  Array.from({ length: count }, () => lineOfNote(NOTE, START, randomUUID()));

/** Of its swaps, `before` hears first: what it throws is the end of one. */
function swapping(store: Store, before: (swap: number) => void | Promise<void>): Store {
  let swaps = 0;
  return {
    ...store,
    journal: store.journal,
    index: store.index,
    records: store.records,
    async swap(...all) {
      swaps += 1;
      await before(swaps);
      return store.swap(...all);
    },
  };
}

test('audit: notes for which another block is begun are there once, whoever else begins it', async () => {
  const store = createMemoryStore();
  const another = createBlocks(store);
  await another.append(TENANT, linesOf(BLOCK_ENTRIES - 1), undefined);
  const shared = swapping(store, async (swap) => {
    if (swap === 2) await another.append(TENANT, linesOf(1), undefined);
  });
  await createBlocks(shared).append(TENANT, linesOf(2), undefined);
  assert.is((await another.find(TENANT, everything)).total, BLOCK_ENTRIES + 2);
});

test('audit: of notes that fill blocks, those that were written before one failed are not written again', async () => {
  for (const failing of [1, 2, 3, 4]) {
    const store = swapping(createMemoryStore(), (swap) => {
      if (swap === failing) throw new StoreUnavailable('moody', 'for a moment');
    });
    const audit = createAudit(store, true, createSimClock(START), silentLog);
    for (let n = 0; n < 2 * BLOCK_ENTRIES + 1; n += 1) audit.note(NOTE);
    await audit.noted();
    await audit.noted();
    assert.is((await audit.find(TENANT, everything)).total, 2 * BLOCK_ENTRIES + 1, `failed at ${failing}`);
  }
});

test('audit: what cannot be written for one tenant is not written again and again for the others', async () => {
  let away = true;
  const store = swapping(createMemoryStore(), (swap) => {
    if (away && swap > 1) throw new StoreUnavailable('moody', 'for a while');
  });
  const audit = createAudit(store, true, createSimClock(START), silentLog);
  const another = idOf<TenantId>(77);
  audit.note(NOTE);
  audit.note({ ...NOTE, tenantId: another });
  await audit.noted();
  away = false;
  await audit.noted();
  for (const tenantId of [TENANT, another]) assert.is((await audit.find(tenantId, everything)).total, 1);
});

test('audit: an entry is written a second after the event, and retried when that fails', async () => {
  const { mood, clock, audit } = await notedWhileAway();
  clock.advance(1_000);
  await settled();
  assert.is((await audit.find(TENANT, everything)).total, 0);
  mood.fails = () => undefined;
  clock.advance(5_000);
  await settled();
  assert.is((await audit.find(TENANT, everything)).total, 1);
  audit.note(NOTE);
  await audit.stop();
  assert.is((await audit.find(TENANT, everything)).total, 2);
});

test('audit: nothing is written while it is off; once it is on, events are caught up with', async () => {
  const store = createMemoryStore();
  const clock = createSimClock(START);
  const off = createAudit(store, false, clock, silentLog);
  off.start();
  off.note(NOTE);
  await happen(store, 3);
  clock.advance(60_000);
  await settled();
  await off.stop();
  assert.is((await off.find(TENANT, everything)).total, 0);
  const on = createAudit(store, true, clock, silentLog);
  await on.catchUp();
  assert.is((await on.find(TENANT, everything)).total, 3);
});

async function settled(): Promise<void> {
  for (let n = 0; n < 50; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

// ---------------------------------------------------------------------------------------------------------- paging

test('audit: every page of every size is right, both ways, with and without a search', async () => {
  const blocks = createBlocks(createMemoryStore());
  const all: Line[] = Array.from({ length: 437 }, (_, n) => [
    START + n * 1000,
    n % 3 === 0 ? 'ADDED' : 'UPDATED',
    n + 1,
    deviceNo(n % 5),
    'D',
    n % 2 === 0 ? CUSTOMER : 0,
    0,
    {},
    0,
  ]);
  for (let at = 0; at < all.length; at += 61)
    await blocks.append(TENANT, all.slice(at, at + 61), { which: 0, from: at, upTo: at + 61 });
  const ids = (lines: readonly Line[]) =>
    lines.map(([, , n, device]) => eventEntryId(String(device), Number(n)));

  for (const [query, holds] of [
    [{}, () => true],
    [{ actions: ['ADDED'] }, ([, action]: Line) => action === 'ADDED'],
    [{ customerId: CUSTOMER }, ([, , , , , customer]: Line) => customer === CUSTOMER],
    [{ deviceId: deviceNo(2) }, ([, , , device]: Line) => device === deviceNo(2)],
    [
      { startTime: START + 50_000, endTime: START + 333_000 },
      ([at]: Line) => at >= START + 50_000 && at <= START + 333_000,
    ],
    [{ userId: USER as UserId }, () => false],
  ] as const) {
    const wanted = all.filter(holds);
    for (const sortOrder of ['ASC', 'DESC'] as const) {
      const expected = ids(sortOrder === 'ASC' ? wanted : [...wanted].reverse());
      for (const pageSize of [1, 99, 100, 101, 1000]) {
        for (let page = 0; page * pageSize <= expected.length; page += pageSize === 1 ? 97 : 1) {
          const found = await blocks.find(TENANT, { ...query, page, pageSize, sortOrder });
          assert.is(found.total, expected.length);
          assert.equal(
            found.items.map(({ id }) => id),
            expected.slice(page * pageSize, (page + 1) * pageSize),
          );
        }
      }
    }
  }
  assert.equal(await blocks.find(idOf<TenantId>(99), everything), { items: [], total: 0 });
  assert.is((await blocks.find(TENANT, { ...everything, customerId: idOf<CustomerId>(98) })).total, 0);
});

test('audit: what was written together is in order on a page; its edge moves it by a second at most, and loses nothing', async () => {
  const blocks = createBlocks(createMemoryStore());
  const entry = (at: number, n: number): Line => [at, 'UPDATED', n, deviceNo(1), 'D', 0, 0, {}, 0];
  const written: Line[] = [];
  // In each second three events, and then a note of what was between them.
  for (let second = START; second < START + 120_000; second += 1_000)
    for (const ms of [20, 40, 50, 30]) written.push(entry(second + ms, written.length + 1));
  for (let at = 0; at < written.length; at += 60)
    await blocks.append(TENANT, written.slice(at, at + 60), { which: 0, from: at, upTo: at + 60 });
  const idsOf = (found: readonly { id: string }[]) => found.map(({ id }) => id).sort();
  const secondsOf = (found: readonly { at: number }[]) => found.map(({ at }) => Math.floor(at / 1_000));
  const ids = written.map(([, , n, device]) => eventEntryId(String(device), Number(n))).sort();

  for (const query of [{}, { deviceId: deviceNo(1) }]) {
    for (const [sortOrder, way] of [
      ['ASC', 1],
      ['DESC', -1],
    ] as const) {
      const joined: AuditEntry[] = [];
      for (let page = 0; page < written.length / 2; page += 1) {
        const { items } = await blocks.find(TENANT, { ...query, page, pageSize: 2, sortOrder });
        assert.equal(
          items,
          items.toSorted((a, b) => way * (a.at - b.at)),
        );
        joined.push(...items);
      }
      assert.equal(idsOf(joined), ids);
      const seconds = secondsOf(joined);
      assert.equal(
        seconds,
        seconds.toSorted((a, b) => way * (a - b)),
      );
    }
  }
  const all: AuditEntry[] = [];
  for await (const one of blocks.all(TENANT, {})) all.push(one);
  assert.equal(idsOf(all), ids);
  assert.equal(secondsOf(all), secondsOf(all).toSorted());
});

test('audit: where the clock was a year ahead and was set back, a search by time misses nothing', async () => {
  const yearMs = 365 * 86_400_000;
  const hourMs = 3_600_000;
  // The clock is wrong from one block into the next but one; later on, for a moment within a block and at the edge of one.
  const wrong = (n: number) => (n >= 900 && n < 1_350) || n === 1_500 || n === 1_799 || n === 2_000;
  const all = Array.from(
    { length: 2_900 },
    (_, n): Line => [
      START + n * hourMs + (wrong(n) ? yearMs : 0),
      'UPDATED',
      n + 1,
      deviceNo(1),
      'D',
      0,
      0,
      {},
      0,
    ],
  );
  const store = createMemoryStore();
  const blocks = createBlocks(store);
  for (let at = 0; at < all.length; at += 61)
    await blocks.append(TENANT, all.slice(at, at + 61), { which: 0, from: at, upTo: at + 61 });

  const totals = async (from: number, to: number) => {
    const span = { startTime: START + from * hourMs, endTime: START + to * hourMs };
    const wanted = all.filter(([at]) => at >= span.startTime && at <= span.endTime).length;
    for (const sortOrder of ['ASC', 'DESC'] as const) {
      const { total } = await createBlocks(store).find(TENANT, { ...everything, ...span, sortOrder });
      assert.is(total, wanted, `${from} to ${to} ${sortOrder}`);
    }
    let exported = 0;
    for await (const _ of blocks.all(TENANT, span)) exported += 1;
    assert.is(exported, wanted, `${from} to ${to}`);
  };
  for (let from = 0; from < all.length; from += 97) await totals(from, from + 150);
  await totals(9_000, 20_000);
  await blocks.prune(TENANT, { forMs: 0, entries: 1_800 }, START + 2_900 * hourMs);
  const { items } = await blocks.find(TENANT, {
    ...everything,
    startTime: START + 2_400 * hourMs,
    endTime: START + 2_450 * hourMs,
  });
  assert.is(items.length, 51);
});

test('audit: a search that gives up says how far it came, and can be continued from there', async () => {
  const store = createMemoryStore();
  const blocks = createBlocks(store, 2);
  const number = 5 * BLOCK_ENTRIES + 7;
  const all: Line[] = Array.from({ length: number }, (_, n) => [
    START + n * 1000,
    'UPDATED',
    n + 1,
    n === number - 5 * BLOCK_ENTRIES ? deviceNo(1) : deviceNo(2),
    'D',
    0,
    0,
    {},
    0,
  ]);
  await blocks.append(TENANT, all, { which: 0, from: 0, upTo: number });
  for (const sortOrder of ['ASC', 'DESC'] as const) {
    const wanted = { page: 0, pageSize: 10, sortOrder, deviceId: deviceNo(1) };
    let rounds = 0;
    for (let query: AuditQuery = wanted; ; rounds += 1) {
      const { total, searchedTo } = await blocks.find(TENANT, query);
      if (searchedTo === undefined) {
        assert.is(total, sortOrder === 'ASC' ? 0 : 1); // ascending, it was found at once
        break;
      }
      assert.is(total, sortOrder === 'ASC' && rounds === 0 ? 1 : 0);
      assert.ok(rounds < 10);
      query = { ...wanted, ...(sortOrder === 'ASC' ? { startTime: searchedTo } : { endTime: searchedTo }) };
    }
    assert.ok(rounds >= 2);
  }
  const whole = createBlocks(store, 6);
  assert.is((await whole.find(TENANT, { ...everything, deviceId: deviceNo(3) })).searchedTo, undefined);
});

test.run();
