/** `verify`: audit trails are checked beside a running server, and against heads that were kept. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TENANTS } from '../../actors/accounts/kinds.ts';
import { systemClock } from '../../actors/base/clock.ts';
import { storedId, type TenantId } from '../../actors/base/ids.ts';
import { lists } from '../../actors/device/indexes.ts';
import { createClaimLists } from '../../actors/fleet/claim-lists.ts';
import { openLmdbStore } from '../../actors/store/lmdb/lmdb.ts';
import type { Store } from '../../actors/store/store.ts';
import { cast } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, launch, startServer } from '../kit/process.ts';
import { until } from '../kit/until.ts';

test.after(cleanUp);

const SYSADMIN_PASSWORD = 'verify-test-sysadmin';

test('verify: prints the heads of whole trails, and says which one is another than it was', async () => {
  const dataDir = temporaryFolder();
  const server = await startServer({ dataDir, env: { SYSADMIN_PASSWORD } });
  const { api, tenant } = await cast(server.url, SYSADMIN_PASSWORD, 1);
  const head = () => api.get<{ tenantId: string; entries: number; hash: string }>('/api/audit/head', tenant);
  await until('entries are written', async () => (await head()).entries >= 4);
  const { tenantId, entries, hash } = await head();
  const verify = (...args: string[]) => launch({ dataDir, args: ['verify', ...args] }).ended;

  const beside = await verify();
  assert.is(beside.code, 0, beside.output);
  assert.match(beside.output, new RegExp(`^${tenantId} \\d+ [\\w-]{43}$`, 'm'));
  const kept = join(temporaryFolder(), 'heads');
  writeFileSync(kept, `${tenantId} ${entries} ${hash}\n`);
  assert.is((await verify(kept)).code, 0);
  await server.stop();
  writeFileSync(kept, `${tenantId} ${entries} ${'A'.repeat(43)}\n`);
  const other = await verify(kept);
  assert.is(other.code, 1, other.output);
  assert.match(other.output, `is another one than when it had ${entries} entries`);
  writeFileSync(kept, 'no head\n');
  assert.is((await verify(kept)).code, 3);
  // The shell empties the file of `verify heads > heads` before it is read.
  writeFileSync(kept, '');
  const emptied = await verify(kept);
  assert.is(emptied.code, 3);
  assert.match(emptied.output, 'has no heads');
});

test('verify: what cannot be read of one tenant is told, and the others are checked', async () => {
  const dataDir = temporaryFolder();
  const server = await startServer({ dataDir, env: { SYSADMIN_PASSWORD } });
  const { api, sysadmin, tenant } = await cast(server.url, SYSADMIN_PASSWORD, 1);
  const other = await api.createTenant(sysadmin, 'Other');
  await api.createCustomer(other, 'Customer of the other');
  const head = (token: string) => api.get<{ tenantId: string; entries: number }>('/api/audit/head', token);
  for (const token of [tenant, other])
    await until('entries are written', async () => (await head(token)).entries > 0);
  const [{ tenantId: damaged }, { tenantId: whole }] = [await head(tenant), await head(other)];
  await server.stop();
  const store = openLmdbStore({ path: join(dataDir, 'store') });
  await store.records.set(`audit-block:${damaged}/1`, 'not what it was');
  await store.close();
  const { code, output } = await launch({ dataDir, args: ['verify'] }).ended;
  assert.is(code, 1, output);
  assert.match(output, `of tenant ${damaged} something cannot be read`);
  assert.match(output, new RegExp(`^${whole} \\d+ [\\w-]{43}$`, 'm'));
  assert.not.match(output, /^ +at /m);
});

test('verify, drop-second-factor: where no server has been nothing is looked at or made, and that is told', async () => {
  const dataDir = temporaryFolder();
  for (const args of [['verify'], ['drop-second-factor', 'root@example.org']]) {
    const { code, output } = await launch({ dataDir, args }).ended;
    assert.is(code, 3, output);
    assert.match(output, 'there is no database in');
    const inMemory = await launch({ dataDir, args, env: { STORE_URL: 'memory:' } }).ended;
    assert.is(inMemory.code, 3);
    assert.match(inMemory.output, 'a store in memory belongs to its server alone');
  }
  assert.equal(readdirSync(dataDir), []);
});

test('verify: heads that nobody takes are told as that, and not as a trail that was changed', async () => {
  const dataDir = temporaryFolder();
  const server = await startServer({ dataDir, env: { SYSADMIN_PASSWORD } });
  await cast(server.url, SYSADMIN_PASSWORD, 1);
  await server.stop();
  const into = (to: string) => launch({ dataDir, args: ['verify'], into: to }).ended;
  const full = await into('>/dev/full');
  assert.is(full.code, 3, full.output);
  assert.match(full.output, /^claimd: standard output cannot be written: ENOSPC/m);
  assert.not.match(full.output, /^ +at /m);
  const closed = await into('| true');
  assert.not.match(closed.output, /^ +at /m);
});

test('verify: a list of devices by claim state that is not as the devices are is told, and made anew', async () => {
  const dataDir = temporaryFolder();
  const server = await startServer({ dataDir, env: { SYSADMIN_PASSWORD } });
  const { api, tenant } = await cast(server.url, SYSADMIN_PASSWORD, 1);
  await api.must('POST', '/api/device', tenant, { name: 'Listed', type: 'default' });
  await server.stop();
  const inStore = async <Result>(task: (store: Store) => Promise<Result>): Promise<Result> => {
    const store = openLmdbStore({ path: join(dataDir, 'store') });
    return task(store).finally(() => store.close());
  };
  const tenants = (store: Store) => store.index.page(TENANTS, { offset: 0, limit: 10 });
  const makeLists = (store: Store) =>
    createClaimLists(
      store,
      async function* () {
        for (const id of await tenants(store)) yield storedId<TenantId>(id);
      },
      systemClock,
      { debug() {}, info() {}, warn() {}, error() {} },
      async () => true,
    ).round();
  const verify = () => launch({ dataDir, args: ['verify'] }).ended;

  await inStore(makeLists);
  assert.is((await verify()).code, 0);
  await inStore(async (store) => {
    for (const tenant of await tenants(store)) {
      const list = lists.ofGroup(storedId(tenant), 'free');
      const [member] = await store.index.page(list, { offset: 0, limit: 1 });
      if (member !== undefined) await store.index.remove(list, member);
    }
  });
  const damaged = await verify();
  assert.is(damaged.code, 1, damaged.output);
  assert.match(damaged.output, 'lack 1 entries and have 0 too many');
  await inStore(makeLists);
  assert.is((await verify()).code, 0);
});

test.run();
