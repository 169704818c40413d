/** `drop-second-factor`: for whoever has lost phone and recovery codes, and has nobody above to ask. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { totpCode, totpSecretOf } from '../../http/auth/totp.ts';
import { type Api, cast, PASSWORD, restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, launch, startServer } from '../kit/process.ts';
import { until } from '../kit/until.ts';

test.after(cleanUp);

const SYSADMIN = 'sysadmin@thingsboard.org';
const SYSADMIN_PASSWORD = 'drop-factor-test-sysadmin';
const CONFIG = '/api/2fa/account/config';

async function setUp(api: Api, token: string): Promise<void> {
  const made = await api.send('POST', `${CONFIG}/generate?providerType=TOTP`, token);
  const { authUrl } = JSON.parse(made.body) as { authUrl: string };
  // A code is good for a minute or so, which a busy machine may need for one request.
  await until('a code came in time', async () => {
    const code = totpCode(totpSecretOf(authUrl) ?? '', Date.now());
    const body = { providerType: 'TOTP', authUrl };
    return (await api.send('POST', `${CONFIG}?verificationCode=${code}`, token, body)).status === 200;
  });
}

/** What the password alone gives. */
async function scopeOf(api: Api, username: string, password: string): Promise<string | undefined> {
  const { status, body } = await api.send('POST', '/api/auth/login', undefined, { username, password });
  assert.is(status, 200, body);
  return (JSON.parse(body) as { scope?: string }).scope;
}

test('drop-second-factor: beside a running server and without one, told in the trail', async () => {
  const dataDir = temporaryFolder();
  const server = await startServer({ dataDir, env: { SYSADMIN_PASSWORD } });
  const drop = (email: string, ...args: string[]) =>
    launch({ dataDir, args: ['drop-second-factor', email, ...args] }).ended;
  const { api, tenant, customers } = await cast(server.url, SYSADMIN_PASSWORD, 1);
  const [alice] = customers;
  assert.ok(alice);
  const root = await api.login(SYSADMIN, SYSADMIN_PASSWORD);
  const { email } = await api.get<{ email: string }>('/api/auth/user', alice.token);
  for (const token of [root, alice.token]) await setUp(api, token);
  assert.is(await scopeOf(api, SYSADMIN, SYSADMIN_PASSWORD), 'PRE_VERIFICATION_TOKEN');

  const stranger = await drop('nobody@example.org');
  assert.is(stranger.code, 3, stranger.output);
  assert.match(stranger.output, 'there is no user "nobody@example.org"');
  assert.is(await scopeOf(api, SYSADMIN, SYSADMIN_PASSWORD), 'PRE_VERIFICATION_TOKEN');

  for (const who of [SYSADMIN, email]) {
    const dropped = await drop(who);
    assert.is(dropped.code, 0, dropped.output);
    assert.match(dropped.output, `${who} has no second factor any more`);
    assert.match(dropped.output, 'was taken away from the command line');
  }
  assert.is(await scopeOf(api, SYSADMIN, SYSADMIN_PASSWORD), undefined);
  assert.is(await scopeOf(api, email, PASSWORD), undefined);
  await until('the trail of the tenant says so', async () => {
    const { body } = await api.send('GET', '/api/audit/logs?page=0&pageSize=100', tenant);
    return body.includes('"secondFactor":"removed","by":"command line"');
  });
  const again = await drop(email);
  assert.is(again.code, 0);
  assert.match(again.output, 'there is nothing to take away');

  await setUp(api, await api.login(SYSADMIN, SYSADMIN_PASSWORD));
  await server.stop();
  rmSync(join(dataDir, 'server.key')); // lost for good, with all that is sealed under it
  const stopped = await drop(SYSADMIN);
  assert.is(stopped.code, 0, stopped.output);
  const next = await startServer({ dataDir, args: ['--security.claim.acceptNewServerKey=true'] });
  assert.is(await scopeOf(restApi(next.url), SYSADMIN, SYSADMIN_PASSWORD), undefined);
  assert.is((await launch({ dataDir, args: ['verify'] }).ended).code, 0);
  await next.stop();
});

test('drop-second-factor: there is nothing to change in a store that lives in its server', async () => {
  const ended = await launch({ args: ['drop-second-factor', SYSADMIN, '--store.url=memory:'] }).ended;
  assert.is(ended.code, 3, ended.output);
  assert.match(ended.output, 'a store in memory belongs to its server alone');
});

test.run();
