/** On a cluster of three masters the store for many nodes keeps the same contract by the same code. */
import { test } from 'uvu';
import { silentLog } from '../../actors/log.ts';
import { openRedisStore } from '../../actors/store/redis.ts';
import { cleanUpRedis, type RedisServer, redisSettings, startRedisCluster } from '../kit/redis.ts';
import { storeContract } from './store.ts';

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

test.after(cleanUpRedis);

test.run();
