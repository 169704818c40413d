/** The store for many nodes keeps the contract, on a real Redis that flushes before it answers. */
import { test } from 'uvu';
import { silentLog } from '../../actors/base/log.ts';
import { openRedisStore } from '../../actors/store/redis/redis.ts';
import { storeContract } from '../contract/store.ts';
import { cleanUpRedis, type RedisServer, redisSettings, startRedis } from '../kit/redis.ts';

let shared: Promise<RedisServer> | undefined;

storeContract(
  'Redis',
  async () => {
    shared ??= startRedis();
    const store = await openRedisStore(redisSettings([await shared]), silentLog);
    return { store, dispose: () => store.close() };
  },
  { alarmLateMs: 0, programs: ['redis-server'] },
);

test.after(cleanUpRedis);

test.run();
