/** Data folders of older versions are opened, lifted, and hold all that they held. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createCollection, type Entity } from '../../actors/records/collection.ts';
import { openLmdbStore, StoreInUse } from '../../actors/store/lmdb/lmdb.ts';
import { openEnvironment, openTables } from '../../actors/store/lmdb/tables.ts';
import { restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { goldenNotes, layOutFolder, livesOf } from '../kit/golden/copies.ts';
import { finishLiving, goOnLiving, LIFE_ENVIRONMENT } from '../kit/golden/life.ts';
import { GOLDEN_ENVIRONMENT, goOn, walkThrough } from '../kit/golden/story.ts';
import { cleanUp, startServer } from '../kit/process.ts';

const test = suite('golden: LMDB');
test.after(cleanUp);

test('golden: a folder of format 1 holds all that it held, at once and after a restart, and goes on', async () => {
  const dataDir = temporaryFolder();
  layOutFolder('1', dataDir);
  const { lmdb: notes } = goldenNotes('1');
  for (const start of ['first', 'second']) {
    const server = await startServer({ dataDir, env: GOLDEN_ENVIRONMENT });
    await walkThrough(restApi(server.url), notes);
    if (start === 'second') await goOn(restApi(server.url), notes);
    assert.is((await server.stop()).code, 0);
  }
});

test('golden: devices of format 3, whose heads are in one piece, go on, and what happens to them is written in two parts', async () => {
  const dataDir = temporaryFolder();
  layOutFolder('3', dataDir);
  const { lmdb: life } = livesOf('3');
  const heads = async () => {
    const store = openLmdbStore({ path: join(dataDir, 'store') });
    const all = await Promise.all(life.devices.map(({ id }) => store.journal.load(id)));
    await store.close();
    return all;
  };
  for (const { state, details } of await heads())
    assert.ok(state?.startsWith('{"v":1,') && details === undefined, state);
  for (const start of ['first', 'second']) {
    const server = await startServer({ dataDir, env: LIFE_ENVIRONMENT });
    await goOnLiving(restApi(server.url), life);
    if (start === 'second') await finishLiving(restApi(server.url), life);
    assert.is((await server.stop()).code, 0);
  }
  const moved = (await heads()).filter(({ details }) => details !== undefined);
  assert.ok(moved.length > 0 && moved.every(({ state }) => !state?.startsWith('{"v":1,')));
});

/** A record as format 1 had it. */
const record = (fields: object) => JSON.stringify({ value: { v: 1, ...fields } });

test('golden: what a crash left over in format 1 is tidied away; a removal that had begun can be finished', async () => {
  const path = temporaryFolder();
  const env = openEnvironment(path);
  const { meta, records, holders, lists, counts } = openTables(env);
  const put = (list: string, ...members: string[]) => {
    for (const member of members) lists.putSync(Buffer.from(`${list}\0${member}`), '');
    counts.putSync(list, String(members.length));
  };
  meta.putSync('format', '1');
  const base = { createdAt: 1, version: 3 };
  const admin = { authority: 'TENANT_ADMIN', tenantId: 't1' };
  for (const [key, fields] of Object.entries({
    'tenant:t1': { ...base, id: 't1', title: 'T' },
    'tenant:t2': { ...base, id: 't2', title: 'going', deleted: true },
    'customer:c1': { ...base, id: 'c1', tenantId: 't1', title: 'New' },
    'customer:c2': { ...base, id: 'c2', tenantId: 't1', title: 'Free', deleted: true },
    'user:u1': { ...base, id: 'u1', membership: admin, email: 'A@x', activation: { token: 'used' } },
    'user:u2': { ...base, id: 'u2', membership: admin, email: 'b@x', activation: null, deleted: true },
    'api-key:k1': { ...base, id: 'k1', userId: 'u1', digest: 'd1' },
    'api-key:k2': { ...base, id: 'k2', userId: 'u2', digest: 'd2' },
    'import:i1': { id: 'i1', createdAt: 1, tenantId: 't1', state: 'running' },
    'import-block:i1/0': { rows: [] },
  }))
    records.putSync(key, record(fields));
  for (const [key, holder] of Object.entries({
    'account/tenant/t1': 't1',
    'account/customer-title/t1/New': 'c1',
    'account/customer-title/t1/Old': 'c1', // renamed, and not let go of
    'account/customer-title/t1/Free': 'c2',
    'account/customer-title/t1/Nobody': 'c9', // a creation that did not come to its record
    'account/email/a@x': 'u1', // letters did not matter
    'account/email/b@x': 'u2',
    'account/api-key/d1': 'k1',
    'account/api-key/d2': 'k2',
    'device-name/t1/D': 'a device',
  }))
    holders.putSync(key, holder);
  put('account/tenants', 't1', 't2');
  put('account/customers/t1', 'c1', 'c2', 'c9');
  put('account/users/tenant/t1', 'u1', 'u2');
  put('account/api-keys/u1', 'k1');
  put('imports/t1', 'i1');
  put('imports-running', 'i1', 'i9');
  put('devices/t1', 'a device');
  await env.close();

  for (const _ of ['lifted', 'opened again']) {
    const store = openLmdbStore({ path });
    const { index, records: plain } = store;
    const page = (list: string) => index.page(list, { offset: 0, limit: 10 });
    const sized = async (list: string) => [await page(list), await index.count(list)];
    assert.equal(await sized('account/tenants'), [['t1', 't2'], 2]);
    assert.equal(await sized('account/customers/t1'), [['c1', 'c2'], 2]);
    assert.equal(await sized('account/users/tenant/t1'), [['u1'], 1]);
    assert.equal(await sized('account/api-keys/u1'), [['k1'], 1]);
    assert.equal(await sized('imports-running'), [['i1'], 1]);
    assert.equal(await sized('devices/t1'), [['a device'], 1]);
    for (const [key, holder] of Object.entries({
      'account/customer-title/t1/New': 'customer/c1',
      'account/customer-title/t1/Old': undefined,
      'account/customer-title/t1/Free': undefined,
      'account/customer-title/t1/Nobody': undefined,
      'account/email/a@x': 'user/u1',
      'account/email/b@x': undefined,
      'account/api-key/d1': 'api-key/k1',
      'account/api-key/d2': undefined,
      'device-name/t1/D': 'a device',
    }))
      assert.is(await index.lookup(key), holder, key);
    assert.is(await plain.get('tenant:t1'), undefined);
    assert.is(await plain.get('import-block:i1/0'), record({ rows: [] }));

    interface Titled extends Entity {
      readonly title: string;
    }
    const kind = { keys: () => [], lists: () => ['account/tenants'], title: ({ title }: Titled) => title };
    const tenants = createCollection<Titled>(store, { name: 'tenant', ...kind });
    assert.equal(await tenants.find('t1'), { id: 't1', version: 3, createdAt: 1, title: 'T' });
    assert.is(await tenants.find('t2'), undefined);
    assert.is((await tenants.mark('t2'))?.version, 3, 'its removal can be asked for again');
    const user = JSON.parse((await store.entities.load('user/u1')).text ?? '');
    assert.is(user.activation, null, 'a link that was used up stays so');
    assert.equal(await store.entities.load('user/u2'), { version: 0, text: undefined });
    assert.is((await store.entities.load('import/i1')).version, 1);
    await store.close();
  }
});

test('golden: a folder that another process uses is not lifted', async () => {
  const path = temporaryFolder();
  const env = openEnvironment(path);
  const { meta, records } = openTables(env);
  meta.putSync('format', '1');
  meta.putSync('owner', 'another');
  records.putSync('tenant:t1', record({ id: 't1', version: 1, title: 'T' }));
  assert.throws(
    () => openLmdbStore({ path, owner: { self: 'me', isAlive: () => true } }),
    (error: unknown) => error instanceof StoreInUse,
  );
  assert.is(meta.get('format'), '1');
  assert.is(records.get('tenant:t1'), record({ id: 't1', version: 1, title: 'T' }));
  await env.close();
});

test.run();
