/** `verify`: audit trails are checked beside a running server, and against heads that were kept. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
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
});

test.run();
