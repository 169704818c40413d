/** The keys of a server are changed: sessions, cookies, open windows and sealed secrets go on. */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cast, claimPath, restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, launch, startServer } from '../kit/process.ts';

const test = suite('key rotation');
test.after(cleanUp);

const SYSADMIN_PASSWORD = 'rotation-test-sysadmin';
const env = { SYSADMIN_PASSWORD };

/** Where the session of the pages leads: `/login` without one. */
async function home(url: string, cookie: string) {
  const answer = await fetch(`${url}/`, { headers: { cookie }, redirect: 'manual' });
  return { to: answer.headers.get('location'), cookie: answer.headers.get('set-cookie')?.split(';')[0] };
}

test('keys are changed with the old ones beside the new ones: nobody logs in again, no window is lost', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir, env });
  const { api, tenant, customers } = await cast(first.url, SYSADMIN_PASSWORD, 1);
  const [customer] = customers;
  if (customer === undefined) throw new Error('no customer');
  const renewable = await api.post<{ refreshToken: string }>('/api/auth/login', undefined, {
    username: 'sysadmin@thingsboard.org',
    password: SYSADMIN_PASSWORD,
  });
  const form = new URLSearchParams({ email: 'sysadmin@thingsboard.org', password: SYSADMIN_PASSWORD });
  const signedIn = await fetch(`${first.url}/login`, {
    method: 'POST',
    body: form,
    redirect: 'manual',
    headers: { origin: first.url },
  });
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  for (const name of ['Open', 'Sealed']) await api.createDevice(tenant, name, `TOKEN_OF_${name}`);
  assert.is((await api.initiate('TOKEN_OF_Open', { secretKey: 'window', durationMs: 600_000 })).status, 200);
  const { id } = (await api.device(tenant, 'Sealed')).id;
  const claimingData = { secretKey: 'printed on the box', expirationTime: Date.now() + 3_600_000 };
  await api.must('POST', `/api/plugins/telemetry/DEVICE/${id}/attributes/SERVER_SCOPE`, tenant, {
    claimingData,
  });
  await first.stop();

  const keys = ['server', 'jwt'].map((name) => ({
    own: join(dataDir, `${name}.key`),
    other: join(dataDir, `${name}.other.key`),
  }));
  const before = keys.map(({ own }) => readFileSync(own, 'utf8'));
  for (const { own, other } of keys) renameSync(own, other);
  const second = await startServer({ dataDir, env });
  assert.ok(keys.every(({ own }, at) => readFileSync(own, 'utf8') !== before[at]));
  const later = restApi(second.url);
  assert.is((await later.confirm(customer.token, 'Open', 'wrong')).status, 400);
  assert.is((await later.confirm(customer.token, 'Open', 'window')).status, 200);
  assert.match(await later.must('GET', `/api/device/${id}/claimLabel`, tenant), 'printed on the box');
  assert.is((await later.confirm(customer.token, 'Sealed', 'printed on the box')).status, 200);
  const { refreshToken } = renewable;
  const renewed = await later.post<{ token: string }>('/api/auth/token', undefined, { refreshToken });
  const visit = await home(second.url, cookie);
  assert.is(visit.to, '/tenants');
  assert.ok(visit.cookie, 'the browser gets a cookie of the new key');
  // What was signed anew is good when the old keys are gone.
  await second.stop();
  for (const { other } of keys) rmSync(other);
  const third = await startServer({ dataDir, env });
  const last = restApi(third.url);
  assert.is((await last.send('GET', '/api/auth/user', renewed.token)).status, 200);
  assert.is((await last.send('GET', '/api/auth/user', tenant)).status, 401);
  assert.is((await last.send('DELETE', claimPath('Open'), customer.token)).status, 401);
  assert.is((await home(third.url, visit.cookie ?? '')).to, '/tenants');
  assert.is((await home(third.url, cookie)).to, '/login');
  await third.stop();
});

test('a new server key without the old one beside it is refused', async () => {
  const dataDir = temporaryFolder();
  await (await startServer({ dataDir, env })).stop();
  rmSync(join(dataDir, 'server.key'));
  const { code, output } = await launch({ dataDir, env }).ended;
  assert.is(code, 3, output);
  assert.ok(existsSync(join(dataDir, 'server.key')));
});

test('a secret comes by a file or by standard input, and not by the command line', async () => {
  const refused = await launch({ args: ['--install.sysadmin_password=a long pass phrase'] }).ended;
  assert.is(refused.code, 2);
  assert.match(refused.output, 'SYSADMIN_PASSWORD_FILE');
  assert.not.match(refused.output, 'pass phrase');
});

test.run();
