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
import { createKeys } from '../../actors/store/redis/keys.ts';
import { openRedisStore, type RedisSettings } from '../../actors/store/redis/redis.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { restApi } from '../kit/api.ts';
import { dumpRedis, fillRedis, goldenNotes, livesOf } from '../kit/golden/copies.ts';
import { finishLiving, foundIn, goOnLiving, LIFE_ENVIRONMENT, live } from '../kit/golden/life.ts';
import { sealing } from '../kit/golden/sealing.ts';
import { GOLDEN_ENVIRONMENT, goOn, walkThrough } from '../kit/golden/story.ts';
import { cleanUp, launch, startServer } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import {
  cleanUpRedis,
  type RedisServer,
  redisSettings,
  startRedis,
  startRedisCluster,
} from '../kit/redis.ts';
import { until } from '../kit/until.ts';

const golden = suite('golden: Redis');
const test = needing(['redis-server'], golden);
golden.after(async () => {
  await cleanUp();
  await cleanUpRedis();
});

const settingsOf = (servers: readonly RedisServer[], more: Partial<RedisSettings> = {}) =>
  redisSettings(servers, { prefix: 'claimd', credentials: sealing, ...more });

async function filled(format = '1'): Promise<RedisServer> {
  const server = await startRedis();
  await fillRedis(format, [server]);
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

test('attack: after a life of operations no token and no password is anywhere in Redis', async () => {
  const server = await startRedis();
  const env = { ...LIFE_ENVIRONMENT, STORE_URL: server.url };
  const node = await startServer({ env });
  const life = await live(restApi(node.url));
  assert.is(foundIn(await dumped(server), life.secrets), undefined);
  await goOnLiving(restApi(node.url), life);
  const more = await finishLiving(restApi(node.url), life);
  assert.is(foundIn(await dumped(server), [...life.secrets, ...more]), undefined);
  assert.is((await node.stop()).code, 0);
});

async function dumped(server: RedisServer): Promise<Buffer> {
  return Buffer.from(JSON.stringify(await dumpRedis(server)));
}

test('golden: Redis data of format 2 has no token in plain any more, and its devices go on on every node', async () => {
  const server = await filled('2');
  const { redis: life } = livesOf('2');
  assert.ok(foundIn(await dumped(server), life.secrets), 'they are there before');
  const env = { ...LIFE_ENVIRONMENT, STORE_URL: server.url };
  const nodes = await Promise.all([1, 2].map(() => startServer({ env })));
  assert.is(foundIn(await dumped(server), life.secrets), undefined);
  for (const node of nodes) await goOnLiving(restApi(node.url), life);
  const [first, second] = nodes.map(({ url }) => restApi(url));
  if (first === undefined || second === undefined) throw new Error('no nodes');
  await finishLiving(first, life);
  await goOnLiving(second, { ...life, devices: life.devices.slice(1) });
  for (const node of nodes) assert.is((await node.stop()).code, 0);
});

test('golden: devices of format 3 in Redis, whose heads are in one piece, go on on every node in two parts', async () => {
  const server = await filled('3');
  const { redis: life } = livesOf('3');
  const details = async () => (await dumpRedis(server)).filter(([, key]) => key?.includes('}:details:'));
  assert.is((await details()).length, 0);
  const env = { ...LIFE_ENVIRONMENT, STORE_URL: server.url };
  const nodes = await Promise.all([1, 2].map(() => startServer({ env })));
  const [first, second] = nodes.map(({ url }) => restApi(url));
  if (first === undefined || second === undefined) throw new Error('no nodes');
  await goOnLiving(first, life);
  await finishLiving(second, life);
  await goOnLiving(first, { ...life, devices: life.devices.slice(1) });
  assert.ok((await details()).length > 0);
  for (const node of nodes) assert.is((await node.stop()).code, 0);
});

test('golden: a server key that is not that of the data lifts nothing', async () => {
  const server = await filled('2');
  const before = await dumpRedis(server);
  const SECURITY_CLAIM_SERVER_KEY = Buffer.alloc(32, 'x').toString('base64');
  const env = { ...LIFE_ENVIRONMENT, SECURITY_CLAIM_SERVER_KEY, STORE_URL: server.url };
  const { code, output } = await launch({ env }).ended;
  assert.is(code, 3, output);
  assert.match(output, 'no device could connect');
  const isMeta = ([, key]: readonly string[]) => key === 'claimd:meta' || key?.endsWith(':lifter');
  const after = await dumpRedis(server);
  assert.equal(
    after.filter((one) => !isMeta(one)),
    before.filter((one) => !isMeta(one)),
  );
});

for (const format of ['1', '2'])
  test(`golden: cut off anywhere, lifting format ${format} goes on at the next start and ends the same`, async () => {
    const whole = await filled(format);
    await lift([whole]);
    const expected = await lifted(whole);
    assert.ok(expected.some(([, key]) => key?.includes('entity:user/')));

    const server = await startRedis();
    for (let commands = 1, through = false; !through; commands = Math.ceil(commands * 1.3)) {
      await server.command('FLUSHALL');
      await fillRedis(format, [server]);
      const settings = settingsOf([server]);
      const redis = await Connection.open({ ...settings, log: silentLog }, settings.connectTimeoutMs);
      cutAfter(redis, commands);
      const failure = await agreeOnFormat(redis, settings.prefix, 4, silentLog, sealing).catch(
        (error: unknown) => error,
      );
      redis.destroy();
      through = !(failure instanceof Error);
      if (!through) assert.instance(failure, StoreUnavailable);
      const again = await Connection.open({ ...settings, log: silentLog }, settings.connectTimeoutMs);
      await agreeOnFormat(again, settings.prefix, 4, silentLog, sealing, 20);
      again.destroy();
      await lift([server]);
      assert.equal(await lifted(server), expected, `cut after ${commands} commands`);
      assert.ok(through || commands < 10_000, 'it never comes through');
    }
  });

for (const goesAgain of [false, true])
  test(`golden: a list entry that is taken away late is put back when its id has come again${goesAgain ? ', and taken away when that goes' : ''}`, async () => {
    const server = await filled();
    const [id, list] = ['late', 'account/tenants'];
    const keys = createKeys('claimd', Number(await server.command('HGET', 'claimd:meta', 'partitions')));
    const [listKey, headKey] = [keys.list(list), keys.partitionOf(`tenant/${id}`).head(`tenant/${id}`)];
    await server.command('ZADD', listKey, '0', id);

    const settings = settingsOf([server]);
    const redis = await Connection.open({ ...settings, log: silentLog }, settings.connectTimeoutMs);
    const happened: string[] = [];
    before(redis, ['ZREM', listKey, id], async () => {
      if (happened.push('ZREM') > 1) return;
      const held = JSON.stringify({ k: {}, m: { [`${list}\0${id}`]: 1 } });
      await server.command('SET', headKey, `1 - ${held}\n{}`);
      await server.command('ZADD', listKey, '0', id);
    });
    before(redis, ['ZADD', listKey, '0', id], async () => {
      happened.push('ZADD');
      if (!goesAgain) return;
      await server.command('DEL', headKey);
      await server.command('ZREM', listKey, id);
    });
    await agreeOnFormat(redis, settings.prefix, 4, silentLog, sealing);
    redis.destroy();

    assert.equal(happened, goesAgain ? ['ZREM', 'ZADD', 'ZREM'] : ['ZREM', 'ZADD']);
    assert.is(await server.command('ZSCORE', listKey, id), goesAgain ? '' : '0');
  });

/** Lets something happen when a command has been decided on and is not carried out yet. */
function before({ client }: Connection, command: readonly string[], happens: () => Promise<void>): void {
  const send = client.sendCommand.bind(client) as (...args: unknown[]) => Promise<unknown>;
  Object.defineProperty(client, 'sendCommand', {
    configurable: true,
    async value(...args: unknown[]) {
      if (args.some((arg) => JSON.stringify(arg) === JSON.stringify(command))) await happens();
      return send(...args);
    },
  });
}

/** What is there, but for who lifted it: a lifter that is cut off at the very end leaves its number, which does no harm. */
async function lifted(server: RedisServer): Promise<readonly string[][]> {
  return (await dumpRedis(server)).filter(([, key]) => !key?.endsWith(':lifter'));
}

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
  assert.is(await server.command('HGET', 'claimd:meta', 'format'), '4');
});

test('golden: nobody takes over from a lifter at work, however long it takes; when it stands still, another one does', async () => {
  const server = await filled();
  await server.command('HSET', 'claimd:meta', 'format', '1-4', 'lifter', '7');
  const settings = settingsOf([server]);
  const redis = await Connection.open({ ...settings, log: silentLog }, settings.connectTimeoutMs);
  // It beats whenever somebody is about to look, so whoever stands still meanwhile, it never does.
  let looks = 0;
  let isAtWork = true;
  before(redis, ['HMGET', 'claimd:meta', 'format', 'lifter', 'lifter-beat'], async () => {
    looks += 1;
    if (isAtWork) await server.command('HINCRBY', 'claimd:meta', 'lifter-beat', '1');
  });
  const takeOverMs = 500;
  const begun = performance.now();
  const agreed = agreeOnFormat(redis, settings.prefix, 4, silentLog, sealing, takeOverMs);
  await until('it was looked at for long', () => looks > 10 && performance.now() - begun > 5 * takeOverMs);
  assert.is(await server.command('HGET', 'claimd:meta', 'lifter'), '7', 'it is still the one that lifts');
  isAtWork = false;
  await agreed;
  redis.destroy();
  assert.is(await server.command('HGET', 'claimd:meta', 'format'), '4');
});

test('golden: nothing is lifted while a server of an older version is at work', async () => {
  const server = await filled();
  const lease = 'claimd:record:lease:alarms';
  let beat = 0;
  const renew = async () => {
    beat += 1;
    await server.command('SET', lease, JSON.stringify({ value: { v: 1, holder: 'old', beat } }));
  };
  await renew();
  const settings = settingsOf([server]);
  const redis = await Connection.open({ ...settings, log: silentLog }, settings.connectTimeoutMs);
  // It renews whenever somebody is about to look, whoever stands still meanwhile.
  before(redis, ['GET', lease], renew);
  const refused = await agreeOnFormat(redis, settings.prefix, 4, silentLog, sealing).catch(
    (error: unknown) => error,
  );
  redis.destroy();
  assert.ok(beat > 2, 'it was looked at twice');
  assert.instance(refused, RedisRefused);
  assert.match(String(refused), 'stop all of them');
  assert.is(await server.command('HGET', 'claimd:meta', 'format'), '1');
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
