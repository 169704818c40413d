/** On a cluster of three masters the store for many nodes keeps the same contract by the same code. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { createKeys } from '../../actors/store/redis/keys.ts';
import { openRedisStore } from '../../actors/store/redis/redis.ts';
import { type Store, StoreUnavailable } from '../../actors/store/store.ts';
import { entry, range, storeContract, wholeLog } from '../contract/store.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, type RedisServer, redisSettings, startRedisCluster } from '../kit/redis.ts';
import { pause, until } from '../kit/until.ts';

/** So soon the others miss a master that is silent, where a test waits for that. */
const MISSED_AFTER_MS = 5_000;

let shared: Promise<readonly RedisServer[]> | undefined;

storeContract(
  'Redis Cluster',
  async () => {
    shared ??= startRedisCluster();
    const store = await openRedisStore(redisSettings(await shared), silentLog);
    return { store, dispose: () => store.close() };
  },
  { alarmLateMs: 0, programs: ['redis-server'] },
);

const clusterTest = needing(['redis-server'], test);

test.after(cleanUpRedis);

clusterTest('Redis Cluster: a master that dies is missed, and back when it is started again', async () => {
  const servers = await startRedisCluster();
  const store = await openRedisStore(redisSettings(servers, { commandTimeoutMs: 10_000 }), silentLog);
  const streams = range(40).map((n) => `s${n}`);
  for (const stream of streams) await store.journal.append(entry(stream, 0));
  await servers[0]?.kill();
  const refused = await store.check().catch((error: unknown) => error);
  assert.instance(refused, StoreUnavailable);
  await servers[0]?.restart();
  await until('it is whole again', works(store));
  for (const stream of streams) {
    assert.is((await store.journal.load(stream)).sequence, 1);
    assert.equal(await store.journal.append(entry(stream, 1)), { type: 'appended' });
  }
  await store.close();
});

clusterTest('Redis Cluster: the replica that takes a dead master’s place is found', async () => {
  const servers = await startRedisCluster(3, 1, MISSED_AFTER_MS);
  const store = await openRedisStore(redisSettings(servers), silentLog);
  const streams = range(40).map((n) => `s${n}`);
  for (const stream of streams) await store.journal.append(entry(stream, 0));
  // Not WAIT: that waits for what its own connection has written, which is nothing.
  await until('its replica has everything', async () =>
    isReplicated(await servers[0]?.command('INFO', 'replication')),
  );
  await servers[0]?.kill();
  await until('its replica serves', works(store));
  for (const stream of streams) {
    assert.is((await store.journal.load(stream)).sequence, 1);
    assert.equal(await store.journal.append(entry(stream, 1)), { type: 'appended' });
  }
  await store.close();
});

clusterTest('Redis Cluster: a slot that moves to another master loses nothing on its way', async () => {
  const servers = await startRedisCluster();
  const settings = redisSettings(servers, { partitions: 1, commandTimeoutMs: 10_000 });
  const store = await openRedisStore(settings, silentLog);
  const acknowledged = new Map<string, number>();
  let appended = 0;
  let running = true;
  const streams = range(20).map((n) => `s${n}`);
  const work = streams.map(async (stream, n) => {
    while (running) {
      try {
        const { sequence } = await store.journal.load(stream);
        assert.ok(sequence >= (acknowledged.get(stream) ?? 0), `${stream}: an old head was read`);
        const members = [{ list: 'list', member: stream }];
        const [take, release] = [
          { unique: [`k${n}`], members },
          { unique: [], members: [] },
        ];
        const index = sequence % 2 === 0 ? { take, release } : { take: release, release: take };
        const { type } = await store.journal.append(entry(stream, sequence, { index }));
        if (type === 'appended') acknowledged.set(stream, sequence + 1);
        appended += 1;
      } catch (error) {
        assert.instance(error, StoreUnavailable);
        await pause(5);
      }
    }
  });
  await until('it works', async () => appended > 300);

  const [partition] = createKeys(settings.prefix, 1).partitions;
  assert.ok(partition);
  const slot = (await servers[0]?.command('CLUSTER', 'KEYSLOT', partition.log)) ?? '';
  const masters = await Promise.all(
    servers.map(async (server) => ({ server, id: await server.command('CLUSTER', 'MYID') })),
  );
  const serves = await Promise.all(servers.map((server) => isServedBy(server, slot)));
  const source = masters.find((_, n) => serves[n]);
  const target = masters.find((_, n) => !serves[n]);
  assert.ok(source && target);
  await target.server.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.id);
  await source.server.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.id);
  const { alarms, log: events, outbox, head } = partition;
  for (const key of [alarms, ...streams.map(head), outbox, events]) {
    await source.server.command('MIGRATE', '127.0.0.1', String(target.server.port), key, '0', '60000');
    await pause(20); // for others to be at work meanwhile
  }
  for (const { server } of [target, source, ...masters])
    await server.command('CLUSTER', 'SETSLOT', slot, 'NODE', target.id);
  const back = appended;
  await until('it works again', async () => appended > back + 200);
  running = false;
  await Promise.all(work);
  for (const [stream, sequence] of acknowledged) {
    assert.ok((await store.journal.load(stream)).sequence >= sequence, stream);
  }
  const log = await wholeLog(store.journal);
  for (const stream of acknowledged.keys()) {
    const sequences = log.filter((event) => event.stream === stream).map(({ sequence }) => sequence);
    assert.equal(
      sequences,
      range(sequences.length).map((n) => n + 1),
    );
  }
  await store.close();
});

/** A server that has not a slot says who has. */
const isServedBy = (server: RedisServer, slot: string): Promise<boolean> =>
  server.command('CLUSTER', 'COUNTKEYSINSLOT', slot).then((count) => count !== '0');

/** Whether the master's only replica has confirmed everything that the master has written. */
function isReplicated(info = ''): boolean {
  const confirmed = /^slave0:.*offset=(\d+)/m.exec(info)?.[1];
  const written = /^master_repl_offset:(\d+)/m.exec(info)?.[1];
  return confirmed !== undefined && confirmed === written;
}

const works = (store: Store) => async () => {
  await store.check();
  return true;
};

test.run();
