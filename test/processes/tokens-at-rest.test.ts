/**
 * Whoever steals a copy of the data finds no token or password of a device in it, also where an older version wrote it; nor a link that
 * sets a password.
 */
import { copyFileSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { copyLmdbStore } from '../../actors/store/lmdb/copy.ts';
import { restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { layOutFolder, livesOf } from '../kit/golden/copies.ts';
import { finishLiving, foundIn, goOnLiving, LIFE_ENVIRONMENT, type Life, live } from '../kit/golden/life.ts';
import { cleanUp, launch, startServer } from '../kit/process.ts';

const test = suite('tokens at rest');
test.after(cleanUp);

const { SECURITY_CLAIM_SERVER_KEY: _inFile, ...KEY_IN_FILE } = LIFE_ENVIRONMENT;

const storeOf = (dataDir: string) => join(dataDir, 'store', 'data.mdb');

/** What is in use of the database: a copy has no free pages. */
async function livePages(dataDir: string): Promise<Buffer> {
  const copy = temporaryFolder();
  await copyLmdbStore(join(dataDir, 'store'), copy);
  return readFileSync(join(copy, 'data.mdb'));
}

test('attack: after a life of operations no token and no password is anywhere in the data folder', async () => {
  const dataDir = temporaryFolder();
  const server = await startServer({ dataDir, env: LIFE_ENVIRONMENT });
  const life = await live(restApi(server.url));
  const links = await openLinks(server.url);
  await server.kill();
  const secrets = [...life.secrets, ...links];
  assert.ok(life.secrets.length > 15);
  assert.is(foundIn(readFileSync(storeOf(dataDir)), secrets), undefined);
  assert.is(foundIn(Buffer.from(server.output()), links), undefined, 'nor in the log');

  const next = await startServer({ dataDir, env: LIFE_ENVIRONMENT });
  await goOnLiving(restApi(next.url), life);
  const more = await finishLiving(restApi(next.url), life);
  await next.stop();
  assert.is(foundIn(readFileSync(storeOf(dataDir)), [...secrets, ...more]), undefined);
  assert.is(foundIn(Buffer.from(next.output()), [...life.secrets, ...more]), undefined, 'nor in the log');
});

/** Activation links of two users: one is as it was made, the other one has been followed and replaced by another. */
async function openLinks(url: string): Promise<string[]> {
  const api = restApi(url);
  const admin = await api.login('admin@living.example', 'a-long-password');
  const tokenOf = (link: string) => new URL(link).searchParams.get('activateToken') ?? '';
  const made = async (email: string) => {
    const body = { email, authority: 'TENANT_ADMIN' };
    const { id } = await api.post('/api/user?sendActivationMail=false', admin, body);
    return `/api/user/${id.id}/activationLink`;
  };
  const [first, second] = [await made('one@living.example'), await made('other@living.example')];
  const tokens = [first, second].map(async (path) => tokenOf(await api.must('GET', path, admin)));
  const [one = '', other = ''] = await Promise.all(tokens);
  assert.is((await api.send('GET', `/api/noauth/activate?activateToken=${other}`)).status, 303);
  return [one, other, tokenOf(await api.must('POST', second, admin))];
}

test('a folder of format 2, with tokens in plain, is lifted: its devices go on, and no token is left in a live page', async () => {
  const dataDir = temporaryFolder();
  layOutFolder('2', dataDir);
  const { lmdb: life } = livesOf('2');
  assert.ok(foundIn(await livePages(dataDir), life.secrets), 'they are there before');
  for (const start of ['first', 'second']) {
    const server = await startServer({ dataDir, env: LIFE_ENVIRONMENT });
    assert.is(foundIn(await livePages(dataDir), life.secrets), undefined, start);
    await goOnLiving(restApi(server.url), life);
    if (start === 'second') await finishLiving(restApi(server.url), life);
    await server.stop();
  }
});

test('a folder is not lifted under a server key that is not its own: it stays as it was', async () => {
  const dataDir = temporaryFolder();
  layOutFolder('2', dataDir);
  const { lmdb: life } = livesOf('2');
  const env = { ...LIFE_ENVIRONMENT, SECURITY_CLAIM_SERVER_KEY: Buffer.alloc(32, 'x').toString('base64') };
  const { code, output } = await launch({ dataDir, env }).ended;
  assert.is(code, 3, output);
  assert.match(output, 'no device could connect');
  const server = await startServer({ dataDir, env: LIFE_ENVIRONMENT });
  await goOnLiving(restApi(server.url), life);
  await server.stop();
});

test('the server key is changed and the old one dropped: every device goes on, and its credentials can be read', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir, env: KEY_IN_FILE });
  const life = await live(restApi(first.url));
  await first.stop();
  const [own, other] = ['server.key', 'server.other.key'].map((name) => join(dataDir, name)) as [
    string,
    string,
  ];
  renameSync(own, other);
  for (const _ of ['with both', 'with the new one']) {
    const server = await startServer({ dataDir, env: KEY_IN_FILE });
    await goOnLiving(restApi(server.url), life);
    await server.stop();
    rmSync(other, { force: true });
  }
});

test('a lost server key is refused at the start; given up, it is told, and found again it is as before', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir, env: KEY_IN_FILE });
  const life = await live(restApi(first.url));
  await first.stop();
  const [key, kept] = [join(dataDir, 'server.key'), join(temporaryFolder(), 'kept')];
  copyFileSync(key, kept);
  rmSync(key);
  const refused = await launch({ dataDir, env: KEY_IN_FILE }).ended;
  assert.is(refused.code, 3);
  assert.match(refused.output, 'the credentials of all devices');

  const env = { ...KEY_IN_FILE, SECURITY_CLAIM_ACCEPT_NEW_SERVER_KEY: 'true' };
  const second = await startServer({ dataDir, env });
  assert.match(second.output(), 'credentials of all devices are given up');
  await lockedOut(second.url, life);
  await second.stop();

  copyFileSync(kept, key);
  const third = await startServer({ dataDir, env });
  await goOnLiving(restApi(third.url), { ...life, devices: life.devices.slice(1) });
  await third.stop();
});

/** A device comes back when its tenant sets its token anew. */
async function lockedOut(url: string, { devices }: Life): Promise<void> {
  const api = restApi(url);
  const [first, second] = devices;
  const says = async (token = '') => (await api.send('GET', `/api/v1/${token}/claim/credentials`)).status;
  assert.is(await says(first?.credentialsId), 401);
  const admin = await api.login('admin@living.example', 'a-long-password');
  const shown = await api.get<object>(`/api/device/${second?.id}/credentials`, admin);
  assert.is('credentialsId' in shown && shown.credentialsId, '');
  const { credentialsType, credentialsId } = first ?? {};
  const body = { deviceId: { id: first?.id }, credentialsType, credentialsId };
  await api.post('/api/device/credentials', admin, body);
  assert.is(await says(first?.credentialsId), 200);
}

test.run();
