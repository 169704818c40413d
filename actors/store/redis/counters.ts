/** Counters that all nodes on one Redis share, as the port of `../../counters.ts`. They go by themselves. */
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Counters } from '../../limits/counters.ts';
import type { Connection } from './connection.ts';
import { limitPrefix } from './keys.ts';

/** The library counts in whole seconds, and would keep for ever what has less than one. */
const SECOND_MS = 1_000;

export function redisCounters(redis: Connection, prefix: string): Counters {
  return (name, { windowMs }) => {
    const limiter = new RateLimiterRedis({
      storeClient: redis.client,
      useRedisPackage: true,
      keyPrefix: limitPrefix(prefix, name),
      points: Number.MAX_SAFE_INTEGER,
      duration: Math.ceil(windowMs / SECOND_MS),
    });
    return {
      async get(key) {
        // Mostly there is nothing, and that the library learns by a transaction of two reads, at several times the cost.
        const name = limiter.getKey(key);
        if ((await redis.send(name, ['EXISTS', name])) === 0) return { count: 0, resetsInMs: windowMs };
        const known = await redis.guard(() => limiter.get(key));
        return { count: known?.consumedPoints ?? 0, resetsInMs: known?.msBeforeNext ?? windowMs };
      },
      async add(key) {
        const { consumedPoints, msBeforeNext } = await redis.guard(() => limiter.penalty(key));
        return { count: consumedPoints, resetsInMs: msBeforeNext };
      },
    };
  };
}
