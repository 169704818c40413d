/** Counters that all nodes on one Redis share (the port is `limits/counters.ts`). Redis forgets a window when it ends. */
import type { Counters } from '../../limits/counters.ts';
import type { Connection } from './connection.ts';
import { limitKey } from './keys.ts';
import { COUNT } from './scripts.ts';

export function redisCounters(redis: Connection, prefix: string): Counters {
  return (name, { windowMs }) => ({
    async get(key) {
      const place = limitKey(prefix, name, key);
      const [text] = await redis.read([place]);
      const count = Number(text ?? 0);
      // Mostly there is none, so the time is asked for only where there is.
      const endsInMs = count === 0 ? 0 : Number(await redis.send(place, ['PTTL', place]));
      return endsInMs > 0 ? { count, resetsInMs: endsInMs } : { count: 0, resetsInMs: windowMs };
    },

    async add(key, times = 1) {
      const args = [String(Math.ceil(windowMs)), String(times)];
      const reply = await redis.script(COUNT, [limitKey(prefix, name, key)], args);
      const [count = 1, resetsInMs = windowMs] = Array.isArray(reply) ? reply.map(Number) : [];
      return { count, resetsInMs };
    },
  });
}
