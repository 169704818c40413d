/**
 * Counts events per key in a window of time: limits on guessing are made of this. A key's window begins with its first
 * event and has a fixed length; after it the key counts from zero.
 *
 * A port, because several processes can count together: here is the counter of one process; processes on one Redis
 * share theirs (`store/redis/counters.ts`). Over a network counting can fail (`StoreUnavailable`), and whoever counts
 * decides what that means. `quota.ts` is for what is asked with every claim: it cannot fail, and nobody waits for it.
 */

export interface Counted {
  readonly count: number;
  /** Until the window ends; of a key without events, the length of a window. */
  readonly resetsInMs: number;
}

export interface Counter {
  get(key: string): Promise<Counted>;
  /** What `get` says, at once: of a counter in memory, which needs nobody to wait. */
  known?(key: string): Counted;
  /** Counts one more, or `times` more at once; resolves to the count with it. */
  add(key: string, times?: number): Promise<Counted>;
}

export interface CounterSettings {
  readonly windowMs: number;
}

/** @param name tells counters apart that count in the same place */
export type Counters = (name: string, settings: CounterSettings) => Counter;

/** About 150 bytes each. Beyond it the keys whose windows began first are forgotten. */
const KEYS_MAX = 50_000;
/** The share of them that is forgotten at once: a map is searched for its first key past all that were deleted. */
const FORGOTTEN_AT_ONCE = 1 / 16;

/** Counters of this process alone. */
export const memoryCounters: Counters = (_name, settings) => memoryCounter(settings, KEYS_MAX);

interface Window {
  count: number;
  readonly endsAt: number;
}

/** @param now milliseconds of a clock that is never set back */
export function memoryCounter(
  { windowMs }: CounterSettings,
  keysMax: number,
  now: () => number = () => performance.now(),
): Counter {
  /** In the order in which they began, which is the order in which they end. */
  const windows = new Map<string, Window>();
  let sweepAt = now() + windowMs;

  /** Forgets windows that ended, once in the time of a window; and some that did not, where there are too many. */
  function makeRoom(at: number): void {
    if (at < sweepAt && windows.size < keysMax) return;
    sweepAt = at + windowMs;
    let tooMany = windows.size < keysMax ? 0 : Math.ceil(keysMax * FORGOTTEN_AT_ONCE);
    for (const [key, { endsAt }] of windows) {
      if (endsAt > at && tooMany <= 0) return;
      windows.delete(key);
      tooMany -= 1;
    }
  }

  function known(key: string): Counted {
    const at = now();
    const window = windows.get(key);
    if (window === undefined || window.endsAt <= at) return { count: 0, resetsInMs: windowMs };
    return { count: window.count, resetsInMs: Math.ceil(window.endsAt - at) };
  }

  return {
    get: async (key) => known(key),
    known,

    async add(key, times = 1) {
      const at = now();
      let window = windows.get(key);
      if (window === undefined || window.endsAt <= at) {
        windows.delete(key);
        makeRoom(at);
        window = { count: 0, endsAt: at + windowMs };
        windows.set(key, window);
      }
      window.count += times;
      return { count: window.count, resetsInMs: Math.ceil(window.endsAt - at) };
    },
  };
}
