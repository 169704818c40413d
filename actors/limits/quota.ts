/**
 * A rate limit per key, counted in this process. Every claim asks it, so it is a map without promises: some hundred
 * nanoseconds. Its fixed windows are the same for all keys, so all are forgotten at once; deleting the oldest keys of a map
 * one by one is slow.
 *
 * Beyond `keysMax` keys all are forgotten and start again. It cannot fail. Where several processes serve one device, each
 * allows the whole quota.
 */

export interface Quota {
  /** Uses one of the key's quota and returns 0; or returns how long the key has to wait, in ms. */
  take(key: string): number;
}

/** At most `max` in any window of `windowMs`; `max` 0: no limit. */
export interface QuotaSettings {
  readonly max: number;
  readonly windowMs: number;
}

/** About 60 bytes each. */
const KEYS_MAX = 200_000;

/** @param clock milliseconds of a clock that is never set */
export function createQuota(
  { max, windowMs }: QuotaSettings,
  keysMax = KEYS_MAX,
  clock: () => number = () => performance.now(),
): Quota {
  if (max === 0) return { take: () => 0 };
  let taken = new Map<string, number>();
  let endsAt = Number.NEGATIVE_INFINITY;
  return {
    take(key) {
      const now = clock();
      if (now >= endsAt) {
        taken = new Map();
        endsAt = now + windowMs;
      }
      const count = taken.get(key) ?? 0;
      if (count >= max) return Math.ceil(endsAt - now);
      if (count === 0 && taken.size >= keysMax) taken = new Map();
      taken.set(key, count + 1);
      return 0;
    },
  };
}
