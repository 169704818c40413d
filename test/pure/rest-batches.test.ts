/** Batches: one change to many devices, over the REST API. */
import * as assert from 'uvu/assert';
import type { ApiKeyId, BatchId, DeviceId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import { BATCHES_UNDER_WAY_MAX, createBatches, isUnderWay } from '../../actors/batches/batches.ts';
import { openBatches } from '../../actors/batches/jobs.ts';
import { UnreadableRecord } from '../../actors/device/persistence.ts';
import { BLOCK } from '../../actors/records/jobs.ts';
import { createBatchAct } from '../../http/routes/batch-acts.ts';
import { createMayGoOn } from '../../http/routes/may-go-on.ts';
import {
  type Answer,
  type Caller,
  claimPath,
  entity,
  HOUR_MS,
  isProblem,
  openWindow,
  pageOf,
  provision,
  type RestWorld,
  restLaws,
  settle,
} from '../kit/rest-client.ts';
import { pause, until } from '../kit/until.ts';

const { law, run } = restLaws('rest batches');

interface Batch {
  readonly id: string;
  readonly state: string;
  readonly devices: number;
  readonly through: number;
  readonly done: number;
  readonly unchanged: number;
  readonly refused: number;
  readonly undoable: boolean;
  readonly label: string | null;
  readonly undoes: string | null;
  readonly undoneBy: string | null;
}

interface Row {
  readonly name: string | null;
  readonly outcome: string;
  readonly message: string | null;
}

const batchOf = (answer: Answer) => entity(answer) as unknown as Batch;

/** Asks until it has ended. */
async function ended(caller: Caller, begun: Batch): Promise<Batch> {
  for (;;) {
    const batch = batchOf(await caller.get(`/api/deviceBatch/${begun.id}`));
    if (batch.state !== 'RUNNING' && batch.state !== 'CANCELLING') return batch;
    await pause(5);
  }
}

async function through(caller: Caller, body: object): Promise<Batch> {
  return ended(caller, batchOf(await caller.post('/api/deviceBatch', body)));
}

const counts = ({ done, unchanged, refused }: Batch) => [done, unchanged, refused];

async function rowsOf(caller: Caller, { id }: Batch, query = ''): Promise<readonly Row[]> {
  const page = pageOf(await caller.get(`/api/deviceBatch/${id}/rows?pageSize=10000${query}`));
  return page.data as unknown as readonly Row[];
}

const ownersOf = async (world: RestWorld, ids: readonly DeviceId[]) =>
  Promise.all(ids.map(async (id) => (await world.devices.read(id))?.owner?.customerId ?? null));

async function provisionMany(world: RestWorld, tenantId: Parameters<typeof provision>[1], how: number) {
  const ids: DeviceId[] = [];
  for (let nth = 0; nth < how; nth += 1) ids.push(await provision(world, tenantId, `D ${nth}`));
  return ids;
}

law('assigned to a customer, all that fit; undone, they are as they were', async ({ world, home }) => {
  const { admin, alice, bob, tenantId } = home;
  const free = await provision(world, tenantId, 'lamp 1');
  const bobs = await provision(world, tenantId, 'lamp 2', bob.customerId);
  const hers = await provision(world, tenantId, 'lamp 3', alice.customerId);
  const pump = await provision(world, tenantId, 'pump');
  const all = [free, bobs, hers, pump];
  const change = { change: 'ASSIGN', customerId: alice.customerId, where: { textSearch: 'lamp' } };
  const batch = await through(admin, { ...change, expected: 3 });
  assert.equal([batch.state, ...counts(batch)], ['DONE', 2, 1, 0]);
  const a = alice.customerId;
  assert.equal(await ownersOf(world, all), [a, a, a, null]);
  assert.ok(batch.undoable);

  const undoing = await ended(admin, batchOf(await admin.post(`/api/deviceBatch/${batch.id}/undo`)));
  assert.equal([undoing.undoes, ...counts(undoing)], [batch.id, 2, 0, 0]);
  assert.equal(await ownersOf(world, all), [null, bob.customerId, a, null]);
  const undone = batchOf(await admin.get(`/api/deviceBatch/${batch.id}`));
  assert.equal([undone.undoable, undone.undoneBy], [false, undoing.id]);
  isProblem(await admin.post(`/api/deviceBatch/${batch.id}/undo`), 400, 31);
  isProblem(await admin.post(`/api/deviceBatch/${undoing.id}/undo`), 400, 31);
});

law('of two who undo a batch at once, in two processes, one does', async ({ world, home }) => {
  const { admin, alice, adminId, tenantId } = home;
  const ids = await provisionMany(world, tenantId, 3);
  const batch = await through(admin, { change: 'ASSIGN', customerId: alice.customerId, where: {} });
  const process = () => endingAfter(world, Number.POSITIVE_INFINITY, async () => {});
  const [one, other] = [process(), process()];
  const by = { tenantId, createdBy: adminId };
  const answers = await Promise.all([one, other].map((batches) => batches.undo(by, batch.id)));
  const reasons = answers.map((answer) => (answer.type === 'done' ? 'done' : answer.reason));
  assert.equal(reasons.sort(), ['done', 'undone-already']);
  const undoing = (await one.list(tenantId)).filter(({ undoes }) => undoes === batch.id);
  assert.is(undoing.length, 1, 'and the other one has left nothing');
  await until('it is done', async () => (await one.list(tenantId))[0]?.state === 'done');
  assert.equal(await ownersOf(world, ids), [null, null, null]);
  const undone = async () => batchOf(await admin.get(`/api/deviceBatch/${batch.id}`));
  assert.is((await undone()).undoneBy, undoing[0]?.id);

  // Nor does anybody undo it again where the process ended before that was written.
  await openBatches(world.store).change(batch.id as BatchId, ({ undoneBy: _, ...rest }) => rest);
  isProblem(await admin.post(`/api/deviceBatch/${batch.id}/undo`), 400, 31);
  assert.is((await undone()).undoneBy, undoing[0]?.id, 'and it is written then');
  for (const batches of [one, other]) await batches.stop();
});

law('undoing leaves alone what changed hands since', async ({ world, home }) => {
  const { admin, alice, bob, tenantId } = home;
  const ids = await provisionMany(world, tenantId, 3);
  const batch = await through(admin, { change: 'ASSIGN', customerId: alice.customerId, where: {} });
  await admin.post(`/api/customer/${bob.customerId}/device/${ids[1]}`);
  const undoing = await ended(admin, batchOf(await admin.post(`/api/deviceBatch/${batch.id}/undo`)));
  assert.equal(counts(undoing), [2, 0, 1]);
  assert.equal(await ownersOf(world, ids), [null, bob.customerId, null]);
  const [row] = await rowsOf(admin, undoing, '&refusedOnly=true');
  assert.equal([row?.name, row?.message], ['D 1', 'It changed hands meanwhile, so it was left alone']);
  assert.equal(Object.keys(row ?? {}), ['row', 'deviceId', 'name', 'outcome', 'message'], 'as it always was');
  const [coded] = await rowsOf(admin, undoing, '&refusedOnly=true&reasons=true');
  assert.equal(coded, { ...row, reason: { code: 'changed-hands' } });
});

law('forbidden and undone: each device has again what it had', async ({ world, home }) => {
  const { admin, tenantId } = home;
  const ids = await provisionMany(world, tenantId, 3);
  const set = (id: DeviceId | undefined, claimingAllowed: boolean) =>
    admin.post(`/api/plugins/telemetry/${id}/SERVER_SCOPE`, { claimingAllowed });
  await set(ids[0], true);
  await set(ids[1], false);
  const allowed = () =>
    Promise.all(
      ids.map(
        async (id) => (await world.devices.read(id))?.attributes.SERVER_SCOPE.claimingAllowed?.value ?? null,
      ),
    );
  const batch = await through(admin, { change: 'FORBID_CLAIMING', where: {} });
  assert.equal(counts(batch), [2, 1, 0]);
  assert.equal(await allowed(), [false, false, false]);
  await ended(admin, batchOf(await admin.post(`/api/deviceBatch/${batch.id}/undo`)));
  assert.equal(await allowed(), [true, false, null]);

  const again = await through(admin, { change: 'FORBID_CLAIMING', where: {} });
  await set(ids[0], true);
  const undoing = await ended(admin, batchOf(await admin.post(`/api/deviceBatch/${again.id}/undo`)));
  assert.equal(counts(undoing), [1, 0, 1]);
  assert.equal(await allowed(), [true, false, null]);
});

law(
  'labelled and undone: each device has again what it had, but for what was relabelled since',
  async (scene) => {
    const { world, home } = scene;
    const { admin, tenantId } = home;
    const ids = await provisionMany(world, tenantId, 3);
    const save = (nth: number, label: string) =>
      admin.post('/api/device', { id: { id: ids[nth], entityType: 'DEVICE' }, name: `D ${nth}`, label });
    await save(1, 'on the roof');
    await save(2, 'Hall 7');
    const labels = () => Promise.all(ids.map(async (id) => (await world.devices.read(id))?.label));
    const batch = await through(admin, { change: 'SET_LABEL', label: 'Hall 7', where: {} });
    assert.equal([batch.label, ...counts(batch)], ['Hall 7', 2, 1, 0]);
    assert.equal(await labels(), ['Hall 7', 'Hall 7', 'Hall 7']);
    await save(0, 'moved');
    const undoing = await ended(admin, batchOf(await admin.post(`/api/deviceBatch/${batch.id}/undo`)));
    assert.equal(counts(undoing), [1, 0, 1]);
    assert.equal(await labels(), ['moved', 'on the roof', 'Hall 7']);

    await through(admin, { change: 'SET_LABEL', label: '', where: {} });
    assert.equal(await labels(), [null, null, null], 'an empty one takes it away');
    for (const label of [undefined, 'x'.repeat(256), 'a\u202eb'])
      isProblem(await admin.post('/api/deviceBatch', { change: 'SET_LABEL', label, where: {} }), 400, 31);
  },
);

law('a label for all leaves alone what an owner has called its device (R4)', async ({ world, home }) => {
  const { admin, alice, tenantId } = home;
  const hers = await provision(world, tenantId, 'hers', alice.customerId);
  const assigned = await provision(world, tenantId, 'assigned', alice.customerId);
  const id = { id: hers, entityType: 'DEVICE' };
  entity(await alice.post('/api/device', { id, name: 'hers', label: 'in the bedroom' }));
  const batch = await through(admin, { change: 'SET_LABEL', label: 'Hall 7', where: {} });
  assert.equal(counts(batch), [1, 0, 1]);
  const [row] = await rowsOf(admin, batch, '&refusedOnly=true');
  assert.equal([row?.name, row?.message], ['hers', 'Its owner has described it, so it was left alone']);
  const labelOf = async (device: DeviceId) => (await world.devices.read(device))?.label;
  assert.equal([await labelOf(hers), await labelOf(assigned)], ['in the bedroom', 'Hall 7']);
});

law('what is saved in the moment in which a batch sets labels is not written over', async (scene) => {
  const { world, home } = scene;
  const { admin, alice, tenantId, adminId } = home;
  const renamed = await provision(world, tenantId, 'renamed');
  const labelled = await provision(world, tenantId, 'labelled');
  const hers = await provision(world, tenantId, 'hers', alice.customerId);
  const saved = (caller: Caller, device: DeviceId, more: object) =>
    caller.post('/api/device', { id: { id: device, entityType: 'DEVICE' }, ...more });
  const meanwhile = new Map([
    [renamed, () => saved(admin, renamed, { name: 'new name', type: 'pump', additionalInfo: { hall: 7 } })],
    [labelled, () => saved(admin, labelled, { name: 'labelled', label: 'on the roof' })],
    [hers, () => saved(alice, hers, { name: 'hers', label: 'in the bedroom' })],
  ]);
  const needs = { ...world, log: silentLog };
  const devices: typeof world.devices = {
    ...world.devices,
    async ask(id, command) {
      const save = command.type === 'UpdateDevice' ? meanwhile.get(id) : undefined;
      meanwhile.delete(id);
      if (save !== undefined) entity(await save());
      return world.devices.ask(id, command);
    },
  };
  const act = createBatchAct({ ...needs, devices });
  const batches = createBatches({ ...needs, mayGoOn: createMayGoOn(world.accounts), act });
  const change = { type: 'label', label: 'Hall 7' } as const;
  await batches.begin({ tenantId, createdBy: adminId, change }, [renamed, labelled, hers]);
  await until('it has ended', async () => (await batches.list(tenantId))[0]?.state === 'done');
  assert.is(meanwhile.size, 0, 'all three were saved meanwhile');
  const [batch] = (await admin.get('/api/deviceBatches')).json as readonly Batch[];
  assert.ok(batch);
  assert.equal(
    (await rowsOf(admin, batch)).map(({ outcome, message }) => [outcome, message]),
    [
      ['DONE', null],
      ['REFUSED', 'It was changed since, so it was left alone'],
      ['REFUSED', 'Its owner has described it, so it was left alone'],
    ],
  );
  const now = await Promise.all([renamed, labelled, hers].map((id) => world.devices.read(id)));
  assert.equal(
    now.map((device) => [device?.name, device?.type, device?.label, device?.additionalInfo]),
    [
      ['new name', 'pump', 'Hall 7', { hall: 7 }],
      ['labelled', 'default', 'on the roof', null],
      ['hers', 'default', 'in the bedroom', null],
    ],
  );
  await batches.stop();
});

law('keys: each device has one of its own, by which it is claimed', async ({ world, home }) => {
  const { admin, alice, tenantId } = home;
  const ids = await provisionMany(world, tenantId, 3);
  const keyExpirationTime = world.clock.now() + HOUR_MS;
  const batch = await through(admin, { change: 'SET_KEYS', keyExpirationTime, deviceIds: ids });
  assert.equal([...counts(batch), batch.undoable], [3, 0, 0, false]);
  const labels = await Promise.all(ids.map((id) => admin.get(`/api/device/${id}/claimLabel`)));
  const keys = labels.map(({ json }) => (json as { readonly secretKey: string }).secretKey);
  assert.is(new Set(keys).size, 3);
  assert.is((await alice.post(claimPath('D 1'), { secretKey: keys[1] })).status, 200);
  isProblem(await admin.post(`/api/deviceBatch/${batch.id}/undo`), 400, 31);
});

law(
  'taken back, and deleted: by state and by customer, with notes of who did it',
  async ({ world, home }) => {
    const { admin, alice, tenantId } = home;
    const ids = await provisionMany(world, tenantId, 4);
    await openWindow(world, ids[0] as DeviceId, 's', HOUR_MS);
    assert.is((await alice.post(claimPath('D 0'), { secretKey: 's' })).status, 200);
    await admin.post(`/api/customer/${alice.customerId}/device/${ids[1]}`);
    const back = await through(admin, { change: 'TAKE_BACK', where: { customerId: alice.customerId } });
    assert.equal(counts(back), [2, 0, 0]);
    const none = await through(admin, { change: 'TAKE_BACK', deviceIds: ids });
    assert.equal(counts(none), [0, 4, 0]);
    const gone = await through(admin, { change: 'DELETE', where: { claimState: 'UNCLAIMED' }, expected: 4 });
    assert.equal(counts(gone), [4, 0, 0]);
    assert.is(pageOf(await admin.get('/api/tenant/devices?pageSize=10')).totalElements, 0);
    assert.equal(
      (await rowsOf(admin, gone)).map(({ name }) => name).sort(),
      ['D 0', 'D 1', 'D 2', 'D 3'],
      'the result names what is gone',
    );
    await world.audit.catchUp();
    const log = await admin.get('/api/audit/logs?page=0&pageSize=100');
    assert.is(log.text.match(/"actionType":"DELETED"/g)?.length, 4, log.text);
    assert.match(log.text, gone.id);
  },
);

law(
  'a device that is claimed in the moment of its deletion is left to its owner',
  async ({ world, home }) => {
    const { admin, alice, tenantId, adminId } = home;
    const ids = await provisionMany(world, tenantId, 1);
    const needs = { ...world, log: silentLog };
    const devices: typeof world.devices = {
      ...world.devices,
      async ask(id, command) {
        if (command.type === 'DeleteDevice')
          await admin.post(`/api/customer/${alice.customerId}/device/${id}`);
        return world.devices.ask(id, command);
      },
    };
    const act = createBatchAct({ ...needs, devices });
    const batches = createBatches({ ...needs, mayGoOn: createMayGoOn(world.accounts), act });
    await batches.begin({ tenantId, createdBy: adminId, change: { type: 'delete' } }, ids);
    await until('it has ended', async () => (await batches.list(tenantId))[0]?.state === 'done');
    assert.equal(await ownersOf(world, ids), [alice.customerId]);
    const [batch] = await batches.list(tenantId);
    assert.equal([batch?.done, batch?.refused], [0, 1]);
    await batches.stop();
  },
);

law('attack: devices, customers and batches of another tenant are as none', async ({ world, home }) => {
  const { admin, tenantId } = home;
  const other = await settle(world, 'other');
  const theirs = await provision(world, other.tenantId, 'theirs', other.alice.customerId);
  const mine = await provision(world, tenantId, 'mine');
  for (const change of ['DELETE', 'TAKE_BACK', 'FORBID_CLAIMING', 'SET_KEYS']) {
    const batch = await through(admin, { change, deviceIds: [theirs] });
    assert.equal(counts(batch), [0, 0, 1], change);
    const [row] = await rowsOf(admin, batch);
    assert.equal([row?.name, row?.message], [null, 'There is no such device']);
  }
  assert.is((await world.devices.read(theirs))?.owner?.customerId, other.alice.customerId);
  const foreign = { change: 'ASSIGN', customerId: other.alice.customerId, deviceIds: [mine] };
  isProblem(await admin.post('/api/deviceBatch', foreign), 404, 32);
  const where = { customerId: other.alice.customerId };
  isProblem(await admin.post('/api/deviceBatch', { change: 'DELETE', where }), 404, 32);
  const batch = await through(other.admin, { change: 'FORBID_CLAIMING', where: {} });
  for (const path of ['', '/rows?pageSize=10']) {
    isProblem(await admin.get(`/api/deviceBatch/${batch.id}${path}`), 404, 32);
  }
  for (const path of ['cancel', 'undo'])
    isProblem(await admin.post(`/api/deviceBatch/${batch.id}/${path}`), 404, 32);
  assert.is(((await admin.get('/api/deviceBatches')).json as readonly Batch[]).length, 4);
});

law(
  'nothing is done for another number of devices than expected, or without any',
  async ({ world, home }) => {
    const { admin, tenantId } = home;
    const id = await provision(world, tenantId, 'D');
    const bad = (body: object) => admin.post('/api/deviceBatch', { change: 'DELETE', ...body });
    for (const body of [
      { where: {}, expected: 2 },
      { where: { textSearch: 'nothing' } },
      { where: {}, deviceIds: [id] },
      {},
      { deviceIds: [] },
      { where: { textsearch: 'misspelt' } },
      { change: 'ASSIGN', where: {} },
      { change: 'EXPLODE', where: {} },
    ])
      isProblem(await bad(body), 400, 31);
    assert.match((await bad({ where: {}, expected: 2 })).text, 'There are 1 devices now and not 2');
    assert.ok(await world.devices.read(id));
    assert.equal((await admin.get('/api/deviceBatches')).json, []);
  },
);

law('attack: no more than five batches of a tenant are under way; another tenant goes on', async (scene) => {
  const { world, home } = scene;
  const other = await settle(world, 'other');
  const id = await provision(world, home.tenantId, 'D');
  const theirs = await provision(world, other.tenantId, 'D');
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const batches = endingAfter(world, Number.POSITIVE_INFINITY, (which) =>
    which === id ? gate : Promise.resolve(),
  );
  const begin = ({ tenantId, adminId: createdBy }: typeof home, device: DeviceId) =>
    batches.begin({ tenantId, createdBy, change: { type: 'forbid' } }, [device]);
  for (let nth = 0; nth < BATCHES_UNDER_WAY_MAX; nth += 1) assert.is((await begin(home, id)).type, 'done');
  assert.equal(await begin(home, id), { type: 'refused', reason: 'too-many' });
  isProblem(await home.admin.post('/api/deviceBatch', { change: 'DELETE', deviceIds: [id] }), 400, 31);
  assert.is((await begin(other, theirs)).type, 'done');
  await until('theirs is done', async () => (await batches.list(other.tenantId))[0]?.state === 'done');
  open();
  await until('all are done', async () =>
    (await batches.list(home.tenantId)).every(({ state }) => state === 'done'),
  );
  assert.is((await begin(home, id)).type, 'done');
  await batches.stop();
});

/** Batches as another process has them, that ends after a number of devices. */
function endingAfter(world: RestWorld, devices: number, disturb: (id: DeviceId) => Promise<void>) {
  const needs = { ...world, log: silentLog };
  const act = createBatchAct(needs);
  let left = devices;
  const batches = createBatches({
    ...needs,
    mayGoOn: createMayGoOn(world.accounts),
    async act(batch, row) {
      if (left <= 0) throw new Error('the process is killed');
      left -= 1;
      const result = await act(batch, row);
      await disturb(row.id);
      return result;
    },
  });
  return batches;
}

law('a batch that was broken off within a block goes on, and knows what it did', async ({ world, home }) => {
  const { admin, alice, tenantId, adminId } = home;
  const how = BLOCK + 20;
  const ids = await provisionMany(world, tenantId, how);
  const killed = endingAfter(world, BLOCK + 5, async () => {});
  const change = { type: 'assign', customerId: alice.customerId } as const;
  const answer = await killed.begin({ tenantId, createdBy: adminId, change }, ids);
  assert.is(answer.type, 'done');
  await killed.stop(); // its run has ended by the error
  const [before] = (await admin.get('/api/deviceBatches')).json as readonly Batch[];
  assert.ok(before);
  assert.is(before.state, 'RUNNING');
  assert.ok(before.through <= BLOCK);

  await world.batches.resume();
  const batch = await ended(admin, before);
  assert.equal([batch.state, ...counts(batch)], ['DONE', how, 0, 0], 'what was done before counts as done');
  assert.equal(new Set(await ownersOf(world, ids)), new Set([alice.customerId]));
  await ended(admin, batchOf(await admin.post(`/api/deviceBatch/${batch.id}/undo`)));
  assert.equal(new Set(await ownersOf(world, ids)), new Set([null]), 'and is undone');
});

law('who may not do it any more: the batch stops before the next devices', async ({ world, home }) => {
  const { admin, tenantId, adminId } = home;
  const ids = await provisionMany(world, tenantId, BLOCK + 10);
  let seen = 0;
  const batches = endingAfter(world, Number.POSITIVE_INFINITY, async () => {
    seen += 1;
    if (seen === 10) await world.accounts.users.setEnabled(adminId, false);
  });
  const begun = await batches.begin({ tenantId, createdBy: adminId, change: { type: 'forbid' } }, ids);
  assert.is(begun.type, 'done');
  await until('it has stopped', async () => (await batches.list(tenantId))[0]?.state === 'stopped');
  const [batch] = await batches.list(tenantId);
  assert.equal([batch?.through, batch?.done, batch?.refused], [BLOCK, 16, BLOCK - 16]);
  assert.is((await admin.get('/api/deviceBatches')).status, 401);
  await batches.stop();
});

law('begun by an API key, a batch stops when the key is revoked or has expired', async (scene) => {
  const { world, home } = scene;
  const { admin, tenantId, adminId } = home;
  const ids = await provisionMany(world, tenantId, BLOCK + 10);
  const newKey = async (more: object = {}) => {
    const key = entity(await admin.post('/api/apiKey', { description: 'script', ...more }));
    return { id: key.id.id as ApiKeyId, value: String(key.value) };
  };
  const byKey = await newKey();
  const headers = { 'X-Authorization': `ApiKey ${byKey.value}` };
  const body = { change: 'ALLOW_CLAIMING', where: {} };
  const asked = await world.app.request('/api/deviceBatch', {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  const { id } = (await asked.json()) as Batch;
  assert.is((await world.batches.find(tenantId, id))?.apiKeyId, byKey.id, 'the batch knows its key');
  await until('it is done', async () => (await world.batches.find(tenantId, id))?.state === 'done');

  const short = await newKey({ expirationTime: world.clock.now() + HOUR_MS });
  const ends = [
    [byKey.id, () => admin.delete(`/api/apiKey/${byKey.id}`)],
    [short.id, async () => world.clock.advance(HOUR_MS)],
  ] as const;
  for (const [apiKeyId, end] of ends) {
    let seen = 0;
    const batches = endingAfter(world, Number.POSITIVE_INFINITY, async () => {
      seen += 1;
      if (seen === 10) await end();
    });
    const begun = await batches.begin(
      { tenantId, createdBy: adminId, apiKeyId, change: { type: 'forbid' } },
      ids,
    );
    assert.ok(begun.type === 'done');
    const found = () => batches.find(tenantId, begun.batch.id);
    await until('it has stopped', async () => (await found())?.state === 'stopped');
    assert.is((await found())?.through, BLOCK);
    await batches.stop();
  }
});

law('cancelled, it ends within a block, and what it did can be undone', async ({ world, home }) => {
  const { admin, tenantId, adminId } = home;
  const ids = await provisionMany(world, tenantId, BLOCK + 10);
  let asked = false;
  const batches = endingAfter(world, Number.POSITIVE_INFINITY, async () => {
    if (asked) return;
    asked = true;
    const [batch] = await batches.list(tenantId);
    assert.is((await admin.post(`/api/deviceBatch/${batch?.id}/cancel`)).status, 200);
  });
  await batches.begin({ tenantId, createdBy: adminId, change: { type: 'forbid' } }, ids);
  await until('it has ended', async () => (await batches.list(tenantId))[0]?.state === 'cancelled');
  const [batch] = (await admin.get('/api/deviceBatches')).json as readonly Batch[];
  assert.ok(batch);
  assert.equal([batch.through, batch.done, batch.undoable], [BLOCK, BLOCK, true]);
  isProblem(await admin.post(`/api/deviceBatch/${batch.id}/cancel`), 400, 31);
  const undoing = await ended(admin, batchOf(await admin.post(`/api/deviceBatch/${batch.id}/undo`)));
  assert.is(undoing.done, BLOCK);
  await batches.stop();
});

law('a new password stops what was begun before it, but for what its own session began', async (scene) => {
  const { world, home } = scene;
  const { adminEmail, adminId, tenantId } = home;
  const ids = await provisionMany(world, tenantId, BLOCK + 10);
  const { token } = await world.login(adminEmail);
  const first = batchOf(
    await world.as(token).post('/api/deviceBatch', { change: 'ALLOW_CLAIMING', where: {} }),
  );
  await until('it is done', async () => (await world.batches.find(tenantId, first.id))?.state === 'done');
  const begunIn = (await world.batches.find(tenantId, first.id))?.begunIn;
  assert.ok(begunIn, 'the batch knows its session');
  const { sessionId } = begunIn;
  const logsOut = () => world.accounts.users.endSession(adminId, sessionId);
  const sets = (keep?: string) => world.accounts.users.setPassword(adminId, `${keep} has another one`, keep);
  for (const [happens, state] of [
    [() => sets(sessionId), 'done'],
    [logsOut, 'done'],
    [() => sets(), 'stopped'],
  ] as const) {
    const { credentialsVersion = 0 } = (await world.accounts.users.standing(adminId))?.user ?? {};
    let seen = 0;
    const batches = endingAfter(world, Number.POSITIVE_INFINITY, async () => {
      seen += 1;
      if (seen === 10) await happens();
    });
    const begun = await batches.begin(
      {
        tenantId,
        createdBy: adminId,
        begunIn: { sessionId, credentialsVersion },
        change: { type: 'forbid' },
      },
      ids,
    );
    assert.ok(begun.type === 'done');
    await until('it has ended', async () => {
      const now = await batches.find(tenantId, begun.batch.id);
      return now !== undefined && !isUnderWay(now);
    });
    assert.is((await batches.find(tenantId, begun.batch.id))?.state, state);
    await batches.stop();
  }
});

law('cancelled where no process works at it any more, it ends all the same', async ({ world, home }) => {
  const { admin, tenantId, adminId } = home;
  const ids = await provisionMany(world, tenantId, 2);
  const killed = endingAfter(world, 0, async () => {});
  for (let nth = 0; nth < BATCHES_UNDER_WAY_MAX; nth += 1)
    await killed.begin({ tenantId, createdBy: adminId, change: { type: 'forbid' } }, ids);
  await killed.stop();
  isProblem(await admin.post('/api/deviceBatch', { change: 'FORBID_CLAIMING', where: {} }), 400, 31);
  for (const { id } of (await admin.get('/api/deviceBatches')).json as readonly Batch[])
    await admin.post(`/api/deviceBatch/${id}/cancel`);
  await until('all have ended', async () =>
    (await world.batches.list(tenantId)).every((batch) => !isUnderWay(batch)),
  );
  assert.equal(counts(await through(admin, { change: 'FORBID_CLAIMING', where: {} })), [0, 2, 0]);
});

law('what another process has under way stays, however many are made here', async ({ world, home }) => {
  const { admin, tenantId, adminId } = home;
  const ids = await provisionMany(world, tenantId, 1);
  const killed = endingAfter(world, 0, async () => {});
  const left = await killed.begin({ tenantId, createdBy: adminId, change: { type: 'forbid' } }, ids);
  await killed.stop();
  for (let nth = 0; nth < 22; nth += 1) {
    world.clock.advance(1);
    await through(admin, { change: nth % 2 === 0 ? 'ALLOW_CLAIMING' : 'FORBID_CLAIMING', where: {} });
  }
  assert.ok(left.type === 'done' && (await world.batches.find(tenantId, left.batch.id)));
  await world.batches.takeOver();
  if (left.type === 'done')
    await until('it has ended', async () => {
      const batch = await world.batches.find(tenantId, left.batch.id);
      return batch?.state === 'done';
    });
});

law('a record that cannot be read is told of, and the other devices have their turn', async (scene) => {
  const { world, home } = scene;
  const { admin, tenantId, adminId } = home;
  const ids = await provisionMany(world, tenantId, 3);
  const needs = { ...world, log: silentLog };
  const batches = createBatches({
    ...needs,
    devices: {
      ...world.devices,
      async read(id) {
        if (id === ids[1]) throw new UnreadableRecord('it is not JSON');
        return world.devices.read(id);
      },
    },
    mayGoOn: createMayGoOn(world.accounts),
    act: createBatchAct(needs),
  });
  await batches.begin({ tenantId, createdBy: adminId, change: { type: 'forbid' } }, ids);
  await until('it has ended', async () => (await batches.list(tenantId))[0]?.state === 'done');
  const [batch] = (await admin.get('/api/deviceBatches')).json as readonly Batch[];
  assert.ok(batch);
  assert.equal(counts(batch), [2, 0, 1]);
  const [row] = await rowsOf(admin, batch, '&refusedOnly=true');
  assert.is(row?.message, 'Its stored record cannot be read');
  await batches.stop();
});

law('what a tenant had goes with it', async ({ world, home }) => {
  await provision(world, home.tenantId, 'D');
  await through(home.admin, { change: 'FORBID_CLAIMING', where: {} });
  await world.accounts.tenants.remove(home.tenantId, home.adminId);
  assert.equal(await world.batches.list(home.tenantId), []);
});

run();
