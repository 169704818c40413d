/**
 * Counts failed attempts (wrong secrets, wrong passwords) and holds them against the party that made them, and nobody
 * else (rule C6). What succeeds is not counted.
 *
 * An attempt's outcome is known only after it, so a burst of guesses could all start before the first one is counted.
 * Therefore at most as many attempts of a party are undecided at once as it may still fail; the others wait for the
 * outcome of those. Whoever guesses right, or is told CLAIMED, waits a moment at most; whoever guesses wrong in
 * parallel gains nothing by it.
 *
 * Where counting fails (`StoreUnavailable`), so does the attempt: guessing must not become free by it.
 */
import { type Counted, type Counters, memoryCounters } from '../../actors/limits/counters.ts';
import type { Limit } from '../settings.ts';

/** One party under one limit, e.g. a customer and a device. */
export interface Party {
  readonly limiter: Limiter;
  readonly key: string;
}

export interface Blocked {
  readonly type: 'blocked';
  readonly retryAfterMs: number;
}

export interface Limiter {
  /** Begins to look how much has failed: with several parties all look at once, which over a network is one way. */
  look(key: string): Look;
  /** Resolves when the attempt may begin, or is refused. */
  enter(key: string, look: Look): Promise<Blocked | undefined>;
  /** The attempt is decided. */
  leave(key: string, failed: boolean): Promise<void>;
  /** How many more attempts may fail just now; undefined where there is no limit. */
  left(key: string): Promise<number | undefined>;
}

/** How much had failed when somebody looked. */
export interface Look {
  readonly counted: Promise<Counted>;
  /** How many failures this process had counted by then: with one more, it is to be looked again. */
  readonly failures: number;
}

/**
 * Makes an attempt on behalf of all these parties at once.
 * @param failed whether an outcome counts against them
 */
export async function attempt<Outcome>(
  parties: readonly Party[],
  make: () => Promise<Outcome>,
  failed: (outcome: Outcome) => boolean,
): Promise<Outcome | Blocked> {
  // Always in the order given, so that no two attempts wait for each other.
  const entered: Party[] = [];
  let counts = false;
  try {
    const looks = parties.map((party) => ({ party, look: party.limiter.look(party.key) }));
    for (const { party, look } of looks) {
      const blocked = await party.limiter.enter(party.key, look);
      if (blocked !== undefined) return blocked;
      entered.push(party);
    }
    const outcome = await make();
    counts = failed(outcome);
    return outcome;
  } finally {
    await Promise.all(entered.map(({ limiter, key }) => limiter.leave(key, counts)));
  }
}

/** @param name tells limiters apart that count in the same place */
export function createLimiter(
  name: string,
  { max, windowMs }: Limit,
  counters: Counters = memoryCounters,
): Limiter {
  if (max === 0) return unlimited;
  const failures = counters(name, { windowMs });
  const undecided = new Map<string, Undecided>();
  let failuresCounted = 0;

  function look(key: string): Look {
    const counted = failures.get(key);
    counted.catch(() => {}); // heard by `enter`, which another party may keep from being reached
    return { counted, failures: failuresCounted };
  }

  async function enter(key: string, first: Look): Promise<Blocked | undefined> {
    let entered = false;
    try {
      let counted = await first.counted;
      // What failed meanwhile may not be in it. Only once: where much fails, nobody would ever be done looking.
      if (first.failures !== failuresCounted) counted = await failures.get(key);
      for (;;) {
        const { count: failed, resetsInMs } = counted;
        if (failed >= max) return { type: 'blocked', retryAfterMs: resetsInMs };
        const line = undecided.get(key) ?? { count: 0, waiting: [] };
        undecided.set(key, line);
        if (failed + line.count < max) {
          line.count += 1;
          entered = true;
          return undefined;
        }
        await new Promise<void>((resolve) => line.waiting.push(resolve));
        counted = await failures.get(key);
      }
    } finally {
      // Who was woken and does not enter wakes nobody by leaving: whatever kept it out, another process or the counter's
      // failing, the others have to hear of it now.
      if (!entered) letOthersLook(key);
    }
  }

  async function leave(key: string, failed: boolean): Promise<void> {
    // Counted before it stops being undecided, so that at no moment it is neither.
    try {
      if (failed) await failures.add(key);
    } finally {
      if (failed) failuresCounted += 1;
      letGo(key, failed);
    }
  }

  function letGo(key: string, failed: boolean): void {
    const line = undecided.get(key);
    if (line === undefined) return;
    line.count -= 1;
    // A failure may have blocked all who wait.
    if (failed) letOthersLook(key);
    else wake(key, line, 1);
  }

  function letOthersLook(key: string): void {
    const line = undecided.get(key);
    if (line !== undefined) wake(key, line, line.waiting.length);
  }

  function wake(key: string, line: Undecided, count: number): void {
    const next = line.waiting.splice(0, count);
    if (line.count === 0 && line.waiting.length === 0) undecided.delete(key);
    for (const look of next) look();
  }

  async function left(key: string): Promise<number> {
    return Math.max(0, max - (await failures.get(key)).count);
  }

  return { look, enter, leave, left };
}

/** How many more attempts on behalf of all these parties may fail; undefined where nothing limits them. */
export async function attemptsLeft(parties: readonly Party[]): Promise<number | undefined> {
  const all = await Promise.all(parties.map(({ limiter, key }) => limiter.left(key)));
  const limited = all.filter((left) => left !== undefined);
  return limited.length === 0 ? undefined : Math.min(...limited);
}

interface Undecided {
  count: number;
  readonly waiting: (() => void)[];
}

const NO_FAILURES: Look = { counted: Promise.resolve({ count: 0, resetsInMs: 0 }), failures: 0 };

const unlimited: Limiter = {
  look: () => NO_FAILURES,
  enter: async () => undefined,
  leave: async () => {},
  left: async () => undefined,
};
