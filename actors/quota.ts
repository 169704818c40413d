/**
 * So many per key within a time, counted in this process. It is asked for every claim, so it is a map and no promise:
 * some hundred nanoseconds. Windows of time are fixed: the first of a key begins one.
 *
 * Keys are bounded: beyond `keysMax` the one that began longest ago is forgotten, and counts anew. Nothing here can
 * fail; where several processes serve one device, each grants as many.
 */
import type { Clock } from './clock.ts';

export interface Quota {
  /** Takes one of the key's; returns 0, or how long the key has to wait, in ms. */
  take(key: string): number;
}

/** At most `max` in any window of `windowMs`; `max` 0: no limit. */
export interface QuotaSettings {
  readonly max: number;
  readonly windowMs: number;
}

/** About 150 bytes each. */
const KEYS_MAX = 100_000;

interface Count {
  taken: number;
  readonly endsAt: number;
}

export function createQuota({ max, windowMs }: QuotaSettings, clock: Clock, keysMax = KEYS_MAX): Quota {
  if (max === 0) return { take: () => 0 };
  /** In the order in which their windows began. */
  const counts = new Map<string, Count>();
  return {
    take(key) {
      const now = clock.now();
      const count = counts.get(key);
      if (count !== undefined && now < count.endsAt && count.endsAt <= now + windowMs) {
        if (count.taken >= max) return count.endsAt - now;
        count.taken += 1;
        return 0;
      }
      counts.delete(key);
      if (counts.size >= keysMax) {
        const [oldest] = counts.keys();
        if (oldest !== undefined) counts.delete(oldest);
      }
      counts.set(key, { taken: 1, endsAt: now + windowMs });
      return 0;
    },
  };
}
