/**
 * Data of older versions in Redis is lifted by the first server that starts, whatever is cut off where and however many
 * start at once, and holds all that it held.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { RedisRefused } from '../../actors/store/redis/checks.ts';
import { Connection } from '../../actors/store/redis/connection.ts';
import { agreeOnFormat } from '../../actors/store/redis/format.ts';
import { openRedisStore, type RedisSettings } from '../../actors/store/redis/redis.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { restApi } from '../kit/api.ts';
import { dumpRedis, fillRedis, goldenNotes } from '../kit/golden/copies.ts';
import { GOLDEN_ENVIRONMENT, goOn, walkThrough } from '../kit/golden/story.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import {
  cleanUpRedis,
  type RedisServer,
  redisSettings,
  startRedis,
  startRedisCluster,
} from '../kit/redis.ts';
import { pause } from '../kit/until.ts';

const golden = suite('golden: Redis');
const test = needing(['redis-server'], golden);
golden.after(async () => {
  await cleanUp();
  await cleanUpRedis();
});

const settingsOf = (servers: readonly RedisServer[], more: Partial<RedisSettings> = {}) =>
  redisSettings(servers, { prefix: 'claimd', ...more });

async function filled(): Promise<RedisServer> {
  const server = await startRedis();
  await fillRedis('1', [server]);
  return server;
}

/** Opens the store and closes it, which lifts what is in it. */
async function lift(servers: readonly RedisServer[]): Promise<void> {
  await (await openRedisStore(settingsOf(servers), silentLog)).close();
}

test('golden: Redis data of format 1 holds all that it held, and goes on', async () => {
  const server = await filled();
  const { redis: notes } = goldenNotes('1');
  const env = { ...GOLDEN_ENVIRONMENT, STORE_URL: server.url };
  for (const start of ['first', 'second']) {
    const node = await startServer({ env });
    await walkThrough(restApi(node.url), notes);
    if (start === 'second') await goOn(restApi(node.url), notes);
    assert.is((await node.stop()).code, 0);
  }
  const left = (await dumpRedis(server)).filter(
    ([command, key, value]) =>
      command === 'SET' && /^claimd:unique:/.test(key ?? '') && /^c/.test(value ?? ''),
  );
  assert.equal(left, [], 'no key is held as in format 1');
});

test('golden: cut off anywhere, lifting goes on at the next start and ends the same', async () => {
  const whole = await filled();
  await lift([whole]);
  const expected = await dumpRedis(whole);
  assert.ok(expected.some(([, key]) => key?.includes('entity:user/')));

  const server = await startRedis();
  for (let commands = 1, through = false; !through; commands = Math.ceil(commands * 1.3)) {
    await server.command('FLUSHALL');
    await fillRedis('1', [server]);
    const settings = settingsOf([server]);
    const redis = await Connection.open({ ...settings, log: silentLog }, settings.connectTimeoutMs);
    cutAfter(redis, commands);
    const failure = await agreeOnFormat(redis, settings.prefix, 4, silentLog).catch(
      (error: unknown) => error,
    );
    redis.destroy();
    through = !(failure instanceof Error);
    if (!through) assert.instance(failure, StoreUnavailable);
    const again = await Connection.open({ ...settings, log: silentLog }, settings.connectTimeoutMs);
    await agreeOnFormat(again, settings.prefix, 4, silentLog, 20);
    again.destroy();
    await lift([server]);
    assert.equal(await dumpRedis(server), expected, `cut after ${commands} commands`);
    assert.ok(through || commands < 10_000, 'it never comes through');
  }
});

/** The n-th command is carried out and its answer lost; nothing is sent after it. */
function cutAfter({ client }: Connection, commands: number): void {
  const send = client.sendCommand.bind(client) as (...args: unknown[]) => Promise<unknown>;
  let sent = 0;
  Object.defineProperty(client, 'sendCommand', {
    async value(...args: unknown[]) {
      sent += 1;
      if (sent <= commands) {
        const reply = await send(...args);
        if (sent < commands) return reply;
      }
      throw new Error('cut off');
    },
  });
}

test('golden: of nodes that start at once one lifts, and all of them serve', async () => {
  const server = await filled();
  const stores = await Promise.all([1, 2, 3].map(() => openRedisStore(settingsOf([server]), silentLog)));
  for (const store of stores) {
    assert.is(await store.index.count('account/tenants'), 3);
    assert.match(String(await store.index.lookup('account/email/user@alice.example')), /^user\//);
    await store.close();
  }
  assert.is(await server.command('HGET', 'claimd:meta', 'format'), '2');
});

test('golden: nobody takes over from a lifter at work, however long it takes; when it stands still, another one does', async () => {
  const server = await filled();
  await server.command('HSET', 'claimd:meta', 'format', '1-2', 'lifter', '7');
  const beating = setInterval(() => void server.command('HINCRBY', 'claimd:meta', 'lifter-beat', '1'), 50);
  const settings = settingsOf([server]);
  const redis = await Connection.open({ ...settings, log: silentLog }, settings.connectTimeoutMs);
  const agreed = agreeOnFormat(redis, settings.prefix, 4, silentLog, 1_000);
  await pause(2_500);
  assert.is(await server.command('HGET', 'claimd:meta', 'lifter'), '7', 'it is still the one that lifts');
  clearInterval(beating);
  await agreed;
  redis.destroy();
  assert.is(await server.command('HGET', 'claimd:meta', 'format'), '2');
});

test('golden: nothing is lifted while a server of an older version is at work', async () => {
  const server = await filled();
  let beat = 0;
  const renewing = setInterval(() => {
    beat += 1;
    const lease = JSON.stringify({ value: { v: 1, holder: 'old', beat } });
    void server.command('SET', 'claimd:record:lease:alarms', lease);
  }, 500);
  await pause(600);
  const refused = await openRedisStore(settingsOf([server]), silentLog).catch((error: unknown) => error);
  clearInterval(renewing);
  assert.instance(refused, RedisRefused);
  assert.match(String(refused), 'stop all of them');
  assert.is(await server.command('HGET', 'claimd:meta', 'format'), '1');
  await pause(600);
  await lift([server]);
});

test('golden: on a cluster it is lifted as well', async () => {
  const servers = await startRedisCluster();
  await fillRedis('1', servers);
  await lift(servers);
  const store = await openRedisStore(settingsOf(servers), silentLog);
  const holder = await store.index.lookup('account/email/user@alice.example');
  assert.match(String(holder), /^user\//);
  assert.is(await store.index.count('account/tenants'), 3);
  await store.close();
});

golden.run();
