/**
 * What the store for many nodes does while its Redis is away, hangs, is cut off in the middle of a reply, forgets its
 * scripts or refuses to write: everything fails as `StoreUnavailable` and in time, nothing acknowledged is lost, and
 * it serves again by itself.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { openRedisBus } from '../../actors/store/redis/bus.ts';
import { RedisRefused } from '../../actors/store/redis/checks.ts';
import { createKeys } from '../../actors/store/redis/keys.ts';
import { openRedisStore, type RedisSettings, type RedisStore } from '../../actors/store/redis/redis.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { allDue, entry, range, wholeLog } from '../contract/store.ts';
import { PATIENCE_MS, patience } from '../kit/patience.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, type RedisServer, redisSettings, startRedis } from '../kit/redis.ts';
import { openTcpProxy, type TcpProxy } from '../kit/tcp-proxy.ts';
import { pause, until } from '../kit/until.ts';

/** A connection on which nothing is sent or received for so long, with the time limit given in that test, is given up. */
const LISTENING_TIMEOUT_MS = 5_000;
const T = 1_700_000_000_000;

const faults = suite('store: Redis: faults');
const test = needing(['redis-server'], faults);
faults.after(cleanUpRedis);

const opened: RedisStore[] = [];
faults.after.each(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

async function open(server: RedisServer, more: Partial<RedisSettings> = {}): Promise<RedisStore> {
  const settings = redisSettings([server], more);
  const store = await read(() => openRedisStore(settings, silentLog));
  opened.push(store);
  return store;
}

/** The same through a proxy. */
const openThrough = (proxy: TcpProxy, server: RedisServer, commandTimeoutMs: number) =>
  open(server, {
    commandTimeoutMs,
    location: { type: 'single', options: { host: '127.0.0.1', port: proxy.port } },
  });

/** Appends to streams of its own until it is told to stop, whatever happens; keeps what was acknowledged. */
function load(store: RedisStore, streams: number) {
  const acknowledged = new Map<string, number>();
  let failed = 0;
  let running = true;
  const work = range(streams).map(async (n) => {
    const stream = `s${n}`;
    while (running) {
      try {
        const { sequence } = await store.journal.load(stream);
        const result = await store.journal.append(entry(stream, sequence, { alarmAt: T + sequence }));
        if (result.type === 'appended') acknowledged.set(stream, sequence + 1);
      } catch (error) {
        assert.instance(error, StoreUnavailable);
        failed += 1;
        await pause(5);
      }
    }
  });
  return {
    acknowledged,
    failures: () => failed,
    total: () => [...acknowledged.values()].reduce((sum, count) => sum + count, 0),
    async stop() {
      running = false;
      await Promise.all(work);
    },
  };
}

/** What is read, at last: on a busy machine one command may take longer than a test allows its store. */
async function read<Read>(from: () => Promise<Read>, withinMs = PATIENCE_MS): Promise<Read> {
  const over = patience(withinMs);
  for (;;) {
    try {
      return await from();
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || over()) throw error;
      await pause(5);
    }
  }
}

async function assertAllThere(store: RedisStore, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  const log = await read(() => wholeLog(store.journal));
  for (const [stream, sequence] of acknowledged) {
    const head = await read(() => store.journal.load(stream));
    assert.ok(
      head.sequence >= sequence,
      `${stream}: ${sequence} was acknowledged, ${head.sequence} is there`,
    );
    assert.is(head.state, `${stream} at ${head.sequence}`);
    const sequences = log.filter((event) => event.stream === stream).map((event) => event.sequence);
    assert.equal(
      sequences,
      range(head.sequence).map((n) => n + 1),
    );
  }
  const due = await read(() => allDue(store.journal, T + 1_000_000));
  assert.is(due.length, acknowledged.size, 'each has its alarm');
}

test('Redis: kill -9 under load: all that was acknowledged is there, and it serves again', async () => {
  const server = await startRedis();
  const store = await open(server);
  const running = load(store, 30);
  for (const _ of range(2)) {
    const before = running.total();
    await until('it works', async () => running.total() > before + 300);
    await server.kill();
    const failures = running.failures();
    await until('it is missed', async () => running.failures() > failures);
    assert.instance(await store.check().catch((error: unknown) => error), StoreUnavailable);
    await server.restart();
    const back = running.total();
    await until('it is back', async () => running.total() > back + 30);
  }
  await running.stop();
  await store.check();
  await assertAllThere(store, running.acknowledged);
});

test('Redis: while it hangs every use fails in time; afterwards all that was acknowledged is there', async () => {
  const server = await startRedis();
  const store = await open(server, { commandTimeoutMs: 300 });
  const running = load(store, 20);
  await until('it works', async () => running.total() > 200);
  server.signal('SIGSTOP');
  const failed = running.failures();
  await until('what was under way is given up', async () => running.failures() > failed);
  assert.instance(await store.journal.load('s0').catch((error: unknown) => error), StoreUnavailable);
  assert.instance(await store.index.lookup('key').catch((error: unknown) => error), StoreUnavailable);
  assert.instance(await store.check().catch((error: unknown) => error), StoreUnavailable);
  await pause(1_500);
  server.signal('SIGCONT');
  const back = running.total();
  await until('it is back', async () => running.total() > back + 20);
  await running.stop();
  await assertAllThere(store, running.acknowledged);
});

test('Redis: no more than a bounded number waits for a Redis that hangs, and those are let go of', async () => {
  const server = await startRedis();
  const store = await open(server, { commandTimeoutMs: 200, waitingMax: 50 });
  server.signal('SIGSTOP');
  const all = await Promise.allSettled(range(200).map((n) => store.journal.load(`s${n}`)));
  const reasons = all.map((one) => (one.status === 'rejected' ? String(one.reason) : 'answered'));
  const atOnce = reasons.filter((reason) => reason.includes('are waiting already')).length;
  const inTime = reasons.filter((reason) => reason.includes('no answer in time')).length;
  assert.is(atOnce + inTime, 200);
  assert.ok(inTime <= 50 && inTime > 40, `${inTime} have waited`); // housekeeping waits too
  server.signal('SIGCONT');
  const isLetGo = async () => (await store.journal.load('s').catch(() => null)) !== null;
  await until('all are let go of', isLetGo);
  await read(() => Promise.all(range(40).map((n) => store.journal.load(`s${n}`))));
});

test('Redis: connections cut in the middle of replies, or not to be had for a while, lose nothing', async () => {
  const server = await startRedis();
  const proxy = await openTcpProxy(server.port);
  const store = await openThrough(proxy, server, 500);
  const running = load(store, 20);
  for (const bytes of [1, 7, 60, 333, 2_048]) {
    const [before, cuts] = [running.total(), proxy.cuts];
    proxy.cutAfter(bytes);
    await until('it is cut', async () => proxy.cuts > cuts);
    await until('it is back', async () => running.total() > before + 50);
  }
  proxy.sever();
  const failures = running.failures();
  await until('it is missed', async () => running.failures() > failures);
  proxy.mend();
  const back = running.total();
  await until('it is back', async () => running.total() > back + 20);
  await running.stop();
  await assertAllThere(store, running.acknowledged);
  await store.close();
  await proxy.close();
});

test('Redis: a connection on which nothing comes any more is given up, and another one made', async () => {
  const server = await startRedis();
  const proxy = await openTcpProxy(server.port);
  const store = await openThrough(proxy, server, 300);
  const running = load(store, 20);
  await until('it works', async () => running.total() > 100);
  proxy.freeze();
  const failures = running.failures();
  await until('it is missed', async () => running.failures() > failures);
  const back = running.total();
  await until('it is back', async () => running.total() > back + 100);
  await running.stop();
  await assertAllThere(store, running.acknowledged);
  await store.close();
  await proxy.close();
});

test('Redis: one that became a replica is left for the one that has its name now', async () => {
  const [old, successor] = await Promise.all([startRedis(), startRedis()]);
  const proxy = await openTcpProxy(old.port);
  const options = { host: '127.0.0.1', port: proxy.port };
  const settings = redisSettings([old], { commandTimeoutMs: 500, location: { type: 'single', options } });
  const store = await open(old, settings);
  /** A command may take longer than this store has patience for, and then nobody knows whether it was done. */
  const appends = async () => {
    const { sequence } = await store.journal.load('s');
    return (await store.journal.append(entry('s', sequence))).type === 'appended';
  };
  await until('it appends', appends);
  await successor.command('REPLICAOF', '127.0.0.1', String(old.port));
  await until('the other one has all of it', async () => {
    const key = await successor.command('GET', `${settings.prefix}:meta`).catch((error: unknown) => error);
    return String(key).includes('WRONGTYPE');
  });
  await successor.command('REPLICAOF', 'NO', 'ONE');
  proxy.moveTo(successor.port);
  await old.command('REPLICAOF', '127.0.0.1', String(successor.port)); // it closes no connection

  await until('it appends there', appends);
  await read(() => store.check());
  await store.close();
  await proxy.close();
});

test('Redis: scripts that it has forgotten are sent again', async () => {
  const server = await startRedis();
  const { journal } = await open(server);
  for (const n of range(3)) {
    await server.command('SCRIPT', 'FLUSH');
    const results = await Promise.all(range(50).map((s) => journal.append(entry(`s${s}`, n))));
    assert.ok(results.every(({ type }) => type === 'appended'));
  }
});

test('Redis: of appends at once each is accepted or refused by itself, also where a head is damaged', async () => {
  const server = await startRedis();
  const settings = redisSettings([server]);
  const store = await open(server, settings);
  const { journal } = store;
  const streams = range(100).map((n) => `s${n}`);
  await Promise.all(streams.map((stream) => journal.append(entry(stream, 0))));
  const head = createKeys(settings.prefix, settings.partitions).partitionOf('s50').head('s50');
  await server.command('DEL', head);
  await server.command('HSET', head, 'not', 'a head');
  const expectedOf = (n: number) => (n % 3 === 0 ? 0 : 1);
  const results = await Promise.allSettled(
    streams.map((stream, n) => journal.append(entry(stream, expectedOf(n)))),
  );
  for (const [n, result] of results.entries()) {
    if (n === 50) {
      assert.ok(result.status === 'rejected');
      assert.instance(result.reason, StoreUnavailable);
      assert.match(String(result.reason.cause), /WRONGTYPE/);
    } else {
      const type = expectedOf(n) === 0 ? 'conflict' : 'appended';
      assert.equal(result, { status: 'fulfilled', value: { type } }, `s${n}`);
    }
  }
  const whole = streams.filter((_, n) => n !== 50);
  const heads = await Promise.all(whole.map((stream) => journal.load(stream)));
  assert.equal(
    heads.map(({ sequence }) => sequence),
    range(100)
      .filter((n) => n !== 50)
      .map((n) => expectedOf(n) + 1),
  );
});

test('Redis: one that may not write, or has no memory left, is unavailable, and readable', async () => {
  const server = await startRedis();
  const store = await open(server);
  await store.journal.append(entry('s', 0));
  const refusals: readonly (readonly [string[], string[]])[] = [
    [
      ['REPLICAOF', '127.0.0.1', '1'],
      ['REPLICAOF', 'NO', 'ONE'],
    ],
    [
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['CONFIG', 'SET', 'maxmemory', '0'],
    ],
    [
      ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
      ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
    ],
  ];
  for (const [n, [begin, end]] of refusals.entries()) {
    await server.command(...begin);
    const refused = await store.journal.append(entry('s', n + 1)).catch((error: unknown) => error);
    assert.instance(refused, StoreUnavailable);
    assert.instance(await store.check().catch((error: unknown) => error), StoreUnavailable);
    await server.command(...end);
    // After the first it connects anew: the name might have been given to another server.
    await until('it serves again', async () => (await store.check()) === undefined);
    assert.equal(await store.journal.append(entry('s', n + 1)), { type: 'appended' });
  }
});

test('Redis: many who ask at once whether it works cost no more than one', async () => {
  const server = await startRedis();
  const store = await open(server, { partitions: 8 });
  const writes = async () =>
    Number(/cmdstat_set:calls=(\d+)/.exec(await server.command('INFO', 'commandstats'))?.[1] ?? 0);
  await store.check();
  const before = await writes();
  await Promise.all(range(500).map(() => store.check()));
  assert.is((await writes()) - before, 8, 'one in each partition');
  await store.check();
  assert.is((await writes()) - before, 16, 'who asks later gets another look');
});

test('Redis: a store of another format, a Redis that throws away, or none at all is refused at the start', async () => {
  const server = await startRedis();
  const failure = async (settings: RedisSettings) =>
    openRedisStore(settings, silentLog).then(
      async (store) => {
        await store.close();
        return undefined;
      },
      (error: unknown) => error,
    );
  const settings = redisSettings([server]);
  await server.command('HSET', `${settings.prefix}:meta`, 'format', '99');
  const format = await failure(settings);
  assert.instance(format, RedisRefused);
  assert.match(String(format), /holds format 99/);

  await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  assert.is(await failure(redisSettings([server])), undefined, 'nothing is thrown away without a limit');
  await server.command('CONFIG', 'SET', 'maxmemory', '100mb');
  assert.match(String(await failure(redisSettings([server]))), /maxmemory-policy allkeys-lru/);

  await server.kill();
  const gone = await failure(redisSettings([server], { connectTimeoutMs: 300 }));
  assert.instance(gone, StoreUnavailable);
});

test('Redis: the log tells that it is away, and that it answers again', async () => {
  const server = await startRedis();
  const said: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void said.push(message) };
  const store = await openRedisStore(redisSettings([server]), log);
  try {
    for (const times of [1, 2]) {
      const count = (text: string) => said.filter((message) => message === text).length;
      await server.kill();
      await until('trouble is told', async () => said.at(-1) === 'trouble with the connection to Redis');
      await server.restart();
      await until('its end is told', async () => count('Redis answers again') === times);
      assert.is(said.at(-1), 'Redis answers again');
    }
  } finally {
    await store.close();
  }
});

test('Redis: what weakens durability is said at the start', async () => {
  const server = await startRedis();
  await server.command('CONFIG', 'SET', 'appendfsync', 'everysec');
  const said: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => said.push(fields) };
  const store = await openRedisStore(redisSettings([server]), log);
  await store.close();
  assert.is(said.length, 1);
  assert.match(JSON.stringify(said), '"appendfsync":"everysec"');
});

test('Redis: the number of partitions is that of the first start', async () => {
  const server = await startRedis();
  const first = await open(server, { prefix: 'same', partitions: 3 });
  assert.is(first.journal.logs, 3);
  assert.equal(await first.journal.append(entry('s', 0)), { type: 'appended' });
  const again = await open(server, { prefix: 'same', partitions: 7 });
  assert.is(again.journal.logs, 3);
  assert.is((await again.journal.load('s')).sequence, 1);
});

test('Redis: nodes hear each other, not themselves, also after a restart of Redis', async () => {
  const server = await startRedis();
  const settings = redisSettings([server], { commandTimeoutMs: 2_000 });
  const [a, b] = await Promise.all([open(server, settings), open(server, settings)]);
  const [busA, busB] = [a, b].map((store) => openRedisBus(store.connection, settings.prefix, silentLog));
  assert.ok(busA && busB);
  const heard: string[] = [];
  busA.subscribe('topic', () => heard.push('itself'));
  const stop = busB.subscribe('topic', ({ n }) => heard.push(`b ${n}`));
  busB.subscribe('other', () => heard.push('other'));
  const told = async (n: number) =>
    until(`it hears ${n}`, async () => {
      busA.publish('topic', { n });
      return heard.includes(`b ${n}`);
    });
  await told(1);
  const connections = () =>
    server.command('INFO', 'stats').then((info) => /total_connections_received:(\d+)/.exec(info)?.[1]);
  // Where Redis or this process stands still meanwhile, a connection is given up with reason.
  await until('who only listens stays connected', async () => {
    const before = Number(await connections());
    await pause(1.5 * LISTENING_TIMEOUT_MS);
    return Number(await connections()) === before + 1; // the one is our own
  });
  await server.kill();
  busA.publish('topic', { n: 0 });
  await server.restart();
  await told(2);
  stop();
  assert.equal(
    [...new Set(heard)].filter((one) => one !== 'b 0'),
    ['b 1', 'b 2'],
  );
  busA.close();
  busB.close();
});

faults.run();
