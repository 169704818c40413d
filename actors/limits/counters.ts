/**
 * Counts events per key for a while: what limits on guessing are made of. A port, so that several processes can count
 * together: here in memory, by the same library over Redis where they share one.
 *
 * Counting can fail where it goes over a network (`StoreUnavailable`); whoever counts decides what that means.
 */
import { RateLimiterMemory } from 'rate-limiter-flexible';

export interface Counted {
  readonly count: number;
  /** When it begins anew. */
  readonly resetsInMs: number;
}

export interface Counter {
  get(key: string): Promise<Counted>;
  /** Counts one more; resolves to how many there are with it. */
  add(key: string): Promise<Counted>;
}

export interface CounterSettings {
  /** From the first of a key on it is counted for so long, then anew. */
  readonly windowMs: number;
}

/** @param name tells counters apart that count in the same place */
export type Counters = (name: string, settings: CounterSettings) => Counter;

/** In memory, about 500 bytes each; beyond it the keys that began longest ago are forgotten. */
const KEYS_MAX = 50_000;
/** Which part of them at once: looking for the oldest is a walk over those that were taken out before. */
const FORGOTTEN_AT_ONCE = 1 / 16;

/** Counters of this process alone. */
export const memoryCounters: Counters = (name, settings) => memoryCounter(name, settings, KEYS_MAX);

export function memoryCounter(name: string, { windowMs }: CounterSettings, keysMax: number): Counter {
  const points = Number.MAX_SAFE_INTEGER;
  const limiter = new RateLimiterMemory({ keyPrefix: name, points, duration: windowMs / 1000 });
  /** All that the limiter holds, and some that it holds no more; in the order in which they began. */
  const keys = new Set<string>();

  async function makeRoom(): Promise<void> {
    if (keys.size < keysMax) return;
    let left = Math.ceil(keysMax * FORGOTTEN_AT_ONCE);
    for (const oldest of keys) {
      if (left-- === 0) return;
      keys.delete(oldest);
      await limiter.delete(oldest);
    }
  }

  return {
    async get(key) {
      const known = await limiter.get(key);
      return { count: known?.consumedPoints ?? 0, resetsInMs: known?.msBeforeNext ?? windowMs };
    },
    async add(key) {
      if (!keys.has(key)) await makeRoom();
      keys.add(key);
      const { consumedPoints, msBeforeNext } = await limiter.penalty(key);
      if (consumedPoints === 1) {
        keys.delete(key);
        keys.add(key); // it began just now
      }
      return { count: consumedPoints, resetsInMs: msBeforeNext };
    },
  };
}
