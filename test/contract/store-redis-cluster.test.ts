/** On a cluster of three masters the store for many nodes keeps the same contract by the same code. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/log.ts';
import { openRedisStore } from '../../actors/store/redis.ts';
import { type Store, StoreUnavailable } from '../../actors/store/store.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, type RedisServer, redisSettings, startRedisCluster } from '../kit/redis.ts';
import { until } from '../kit/until.ts';
import { entry, range, storeContract } from './store.ts';

const EVENTUALLY_MS = 30_000;

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
  const store = await openRedisStore(redisSettings(servers, { commandTimeoutMs: 500 }), silentLog);
  const streams = range(40).map((n) => `s${n}`);
  for (const stream of streams) await store.journal.append(entry(stream, 0));
  await servers[0]?.kill();
  const refused = await store.check().catch((error: unknown) => error);
  assert.instance(refused, StoreUnavailable);
  await servers[0]?.restart();
  await until('it is whole again', works(store), EVENTUALLY_MS);
  for (const stream of streams) {
    assert.is((await store.journal.load(stream)).sequence, 1);
    assert.equal(await store.journal.append(entry(stream, 1)), { type: 'appended' });
  }
  await store.close();
});

clusterTest('Redis Cluster: the replica that takes a dead master’s place is found', async () => {
  const servers = await startRedisCluster(3, 1);
  const store = await openRedisStore(redisSettings(servers, { commandTimeoutMs: 500 }), silentLog);
  const streams = range(40).map((n) => `s${n}`);
  for (const stream of streams) await store.journal.append(entry(stream, 0));
  await servers[0]?.command('WAIT', '1', '5000');
  await servers[0]?.kill();
  await until('its replica serves', works(store), EVENTUALLY_MS);
  for (const stream of streams) {
    assert.is((await store.journal.load(stream)).sequence, 1);
    assert.equal(await store.journal.append(entry(stream, 1)), { type: 'appended' });
  }
  await store.close();
});

const works = (store: Store) => async () => {
  await store.check();
  return true;
};

test.run();
