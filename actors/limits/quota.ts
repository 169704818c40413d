/**
 * So many per key within a time, counted in this process. It is asked for every claim, so it is a map and no promise:
 * some hundred nanoseconds. Windows of time are fixed, and the same for all keys, so that they are forgotten together:
 * taking the oldest out of a map one by one costs a walk over all that were taken out before.
 *
 * Keys are bounded: beyond `keysMax` all are forgotten, and count anew. Nothing here can fail; where several processes
 * serve one device, each grants as many.
 */
import type { Clock } from '../base/clock.ts';

export interface Quota {
  /** Takes one of the key's; returns 0, or how long the key has to wait, in ms. */
  take(key: string): number;
}

/** At most `max` in any window of `windowMs`; `max` 0: no limit. */
export interface QuotaSettings {
  readonly max: number;
  readonly windowMs: number;
}

/** About 60 bytes each. */
const KEYS_MAX = 200_000;

export function createQuota({ max, windowMs }: QuotaSettings, clock: Clock, keysMax = KEYS_MAX): Quota {
  if (max === 0) return { take: () => 0 };
  let taken = new Map<string, number>();
  let endsAt = 0;
  return {
    take(key) {
      const now = clock.now();
      // Also when the clock was set back: nobody waits for longer than the time.
      if (now >= endsAt || endsAt > now + windowMs) {
        taken = new Map();
        endsAt = now + windowMs;
      }
      const count = taken.get(key) ?? 0;
      if (count >= max) return endsAt - now;
      if (count === 0 && taken.size >= keysMax) taken = new Map();
      taken.set(key, count + 1);
      return 0;
    },
  };
}
