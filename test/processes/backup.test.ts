/** Backups of a running server: whole, consistent, private, or not there at all. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openLmdbStore } from '../../actors/store/lmdb/lmdb.ts';
import { type Cast, cast, restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { patience } from '../kit/patience.ts';
import { cleanUp, type Ended, launch, startServer } from '../kit/process.ts';
import { pause, until } from '../kit/until.ts';

const PASSWORD = 'a-long-password';
const SECRET = 'a-secret';
const env = { SYSADMIN_PASSWORD: PASSWORD };

const running = suite('backup: of a running server');
running.after(cleanUp);

const backUp = (dataDir: string, target: string, more: { readonly [name: string]: string } = {}) =>
  launch({ dataDir, args: ['backup', target], env: more });

/** So much that copying takes a moment. */
async function fill(dataDir: string): Promise<void> {
  const store = openLmdbStore({ path: join(dataDir, 'store') });
  const text = 'x'.repeat(100_000);
  for (let n = 0; n < 300; n += 1) await store.swap(`test:${n}`, undefined, text);
  await store.close();
}

/** Devices are made and claimed until `stop`; `owned` has the names of those whose claim was acknowledged. */
function claiming({ api, tenant, customers: [customer] }: Cast) {
  const owned: string[] = [];
  let on = true;
  async function work(worker: number): Promise<void> {
    for (let n = 0; on; n += 1) {
      const name = `D${worker}-${n}`;
      await api.createDevice(tenant, name, `T${worker}-${n}`);
      await api.initiate(`T${worker}-${n}`, { secretKey: SECRET, durationMs: 60_000 });
      const { status } = await api.confirm(customer?.token ?? '', name, SECRET);
      if (status === 200) owned.push(name);
    }
  }
  const workers = [0, 1, 2, 3].map(work);
  return {
    owned,
    async stop() {
      on = false;
      await Promise.all(workers);
    },
  };
}

const WHOLE = ['jwt.key', 'server.key', 'store'];
const drafts = (parent: string): string[] => readdirSync(parent).filter((name) => name.includes('.partial-'));

/** So many may be whole before their kill comes. */
const KILLS_MAX = 20;

/**
 * Kills a backup midway, and returns the folder in which it was being made. It is quick, so that one or the other is whole when its kill
 * comes: then there is no draft any more, and it has its name.
 */
async function killedMidway(dataDir: string): Promise<string> {
  for (let kills = 0; kills < KILLS_MAX; kills += 1) {
    const parent = temporaryFolder();
    const { signal, code } = await backUpAndKill(dataDir, parent);
    const isNamed = existsSync(join(parent, 'killed'));
    assert.ok(signal === 'SIGKILL' || code === 0);
    assert.is(drafts(parent).length, isNamed ? 0 : 1, 'it has its name when it is whole, and not before');
    if (!isNamed) return parent;
    assert.equal(readdirSync(join(parent, 'killed')).sort(), WHOLE);
  }
  throw new Error(`none of ${KILLS_MAX} was killed midway`);
}

/** Starts a backup and kills it once there is something of it. */
async function backUpAndKill(dataDir: string, parent: string): Promise<Ended> {
  const { child, ended } = backUp(dataDir, join(parent, 'killed'));
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const begun = () => drafts(parent).some((name) => existsSync(join(parent, name, 'store', 'data.mdb')));
  while (!over && !begun()) await pause(0);
  child.kill('SIGKILL');
  return ended;
}

running('under load, with another one killed midway, it has all that was acknowledged before', async () => {
  const dataDir = temporaryFolder();
  await fill(dataDir);
  const server = await startServer({ dataDir, env });
  const world = await cast(server.url, PASSWORD, 1);
  const load = claiming(world);
  await until('claims are under way', () => load.owned.length > 20);

  const parent = await killedMidway(dataDir);
  let before: readonly string[] = [...load.owned];
  let target = '';
  let made = 0;
  // On a busy machine the server may stand still for as long as one takes.
  for (const over = patience(); load.owned.length === before.length; ) {
    assert.not.ok(over(), 'claims go on while one is made');
    before = [...load.owned];
    made += 1;
    target = join(parent, `backup-${made}`);
    const { code, output } = await backUp(dataDir, target).ended;
    assert.is(code, 0, output);
  }
  const during = load.owned.length;
  await until('claims go on', () => load.owned.length > during + 5);
  await load.stop();
  assert.is((await server.stop()).code, 0);

  assert.equal(readdirSync(target).sort(), WHOLE);
  for (const folder of [target, join(target, 'store')]) assert.is(statSync(folder).mode & 0o777, 0o700);
  for (const file of ['jwt.key', 'server.key', join('store', 'data.mdb')]) {
    assert.is(statSync(join(target, file)).mode & 0o777, 0o600, file);
  }
  assert.equal(readFileSync(join(target, 'server.key')), readFileSync(join(dataDir, 'server.key')));

  const restored = await startServer({ dataDir: target, env });
  const api = restApi(restored.url);
  const { tenant, customers } = world;
  for (const name of before) {
    assert.is((await api.device(tenant, name)).customerId.id, customers[0]?.id, name);
  }
  assert.is((await restored.stop()).code, 0);
});

const refused = suite('backup: refused');
refused.after(cleanUp);

refused('without a store, into a used folder, or without the key; and nothing is made', async () => {
  const dataDir = temporaryFolder();
  const parent = temporaryFolder();
  const target = join(parent, 'backup');
  const fails = async (told: RegExp, more: { readonly [name: string]: string } = {}) => {
    const { code, output } = await backUp(dataDir, target, more).ended;
    assert.is(code, 3, output);
    assert.match(output, told);
    assert.not.match(output, /at .*\.js/);
  };
  await fails(/there is no database/);
  await (await startServer({ dataDir, env })).stop();
  await fails(/the data is in Redis.*BGSAVE/, { STORE_URL: 'redis://localhost' });
  await fails(/in memory/, { STORE_URL: 'memory:' });
  assert.equal(readdirSync(parent), []);

  mkdirSync(target);
  assert.is((await backUp(dataDir, target).ended).code, 0, 'an empty folder is taken');
  await fails(/is not empty/);

  const other = temporaryFolder();
  writeFileSync(join(other, 'file'), '');
  const { code, output } = await backUp(dataDir, join(other, 'file')).ended;
  assert.is(code, 3);
  assert.match(output, /claimd makes no backup/);
});

refused('a key of the settings is not in it, and it says so', async () => {
  const dataDir = temporaryFolder();
  const keys = { SECURITY_CLAIM_SERVER_KEY: Buffer.alloc(32, 1).toString('base64') };
  await (await startServer({ dataDir, env: { ...env, ...keys } })).stop();
  const target = join(temporaryFolder(), 'backup');
  const without = await backUp(dataDir, target).ended;
  assert.is(without.code, 3);
  assert.match(without.output, /there is no key/);
  const { code, output } = await backUp(dataDir, target, keys).ended;
  assert.is(code, 0, output);
  assert.match(output, /server\.key is not in it/);
  assert.equal(readdirSync(target).sort(), ['jwt.key', 'store']);
  // While keys are changed, the old one too: recovery codes and kits may be under it.
  const changing = { ...keys, SECURITY_CLAIM_OTHER_SERVER_KEY: Buffer.alloc(32, 2).toString('base64') };
  const other = await backUp(dataDir, join(temporaryFolder(), 'backup'), changing).ended;
  assert.is(other.code, 0, other.output);
  assert.match(other.output, /server\.other\.key is not in it/);
});

for (const each of [running, refused]) each.run();
