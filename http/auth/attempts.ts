/**
 * Counts failed attempts (wrong secrets, wrong passwords) against the party that makes them, and nobody else (rule C6).
 * Success is not counted. An outcome may count as a part of a failure: an attempt that could not guess anything, yet
 * must not be free.
 *
 * The outcome of an attempt is known only after it, so a burst of guesses could start before the first is counted. So a
 * party has at most as many attempts under way as it may still fail; further ones wait for an outcome. Guessing in
 * parallel gains nothing, and a right guess waits a moment at most.
 *
 * If counting fails (`StoreUnavailable`), the attempt fails too: an outage must not make guessing free.
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
  /** Starts to read the count. Of several parties all are read at once, which takes one round trip and not several. */
  look(key: string): Look;
  /** Says when the attempt may begin, or that it is refused; at once where it can, as each claim enters several. */
  enter(key: string, look: Look): Blocked | undefined | Promise<Blocked | undefined>;
  /** The outcome of the attempt is known. @param failure as in `attempt` */
  leave(key: string, failure: number): void | Promise<void>;
  /** How many more attempts may fail now; undefined if there is no limit. */
  left(key: string): Promise<number | undefined>;
}

/** A count that is being read. */
interface Look {
  readonly counted: Counted | Promise<Counted>;
  /** Failures that this process had counted by then: if there are more now, the count is read again. */
  readonly failures: number;
}

/**
 * Makes an attempt that counts against all these parties.
 * @param failure how much of a failure an outcome is for a party: 0 is none, 1 a whole one
 */
export async function attempt<Outcome>(
  parties: readonly Party[],
  make: () => Promise<Outcome>,
  failure: (outcome: Outcome, party: Party) => number,
): Promise<Outcome | Blocked> {
  // Always in this order, so that no two attempts wait for each other.
  const entered: Party[] = [];
  let counts = (_party: Party) => 0;
  try {
    const looks = parties.map((party) => ({ party, look: party.limiter.look(party.key) }));
    for (const { party, look } of looks) {
      const entering = party.limiter.enter(party.key, look);
      const blocked = entering instanceof Promise ? await entering : entering;
      if (blocked !== undefined) return blocked;
      entered.push(party);
    }
    const outcome = await make();
    counts = (party) => failure(outcome, party);
    return outcome;
  } finally {
    const leaving: Promise<void>[] = [];
    for (const party of entered) {
      const left = party.limiter.leave(party.key, counts(party));
      if (left !== undefined) leaving.push(left);
    }
    if (leaving.length > 0) await Promise.all(leaving);
  }
}

/**
 * Makes an attempt that counts against the first of these groups of parties that is not blocked. Whoever is known has a
 * group of its own in front, and is left with that of everybody else when it is used up.
 */
export async function attemptAs<Outcome>(
  groups: readonly (readonly Party[])[],
  make: () => Promise<Outcome>,
  failure: (outcome: Outcome, party: Party) => number,
): Promise<Outcome | Blocked> {
  let retryAfterMs = Number.POSITIVE_INFINITY;
  for (const parties of groups) {
    const tried = await attempt(
      parties,
      async () => ({ type: 'made', outcome: await make() }) as const,
      ({ outcome }, party) => failure(outcome, party),
    );
    if (tried.type === 'made') return tried.outcome;
    retryAfterMs = Math.min(retryAfterMs, tried.retryAfterMs);
  }
  return { type: 'blocked', retryAfterMs };
}

/**
 * @param name tells limiters apart that count in the same place
 * @param parts how many parts of a failure are told apart; counters count these
 */
export function createLimiter(
  name: string,
  { max, windowMs }: Limit,
  counters: Counters = memoryCounters,
  parts = 1,
): Limiter {
  if (max === 0) return unlimited;
  const failures = counters(name, { windowMs });
  /** How many whole failures there is room for, of which the last may go over the limit. */
  const room = (count: number) => Math.max(0, Math.ceil(max - count / parts));
  const undecided = createUndecided();
  let failuresCounted = 0;

  function look(key: string): Look {
    const counted = failures.known?.(key) ?? failures.get(key);
    // `enter` hears of it, but may not be reached because of another party
    if (counted instanceof Promise) counted.catch(() => {});
    return { counted, failures: failuresCounted };
  }

  function enter(key: string, first: Look): undefined | Promise<Blocked | undefined> {
    const { counted, failures: counting } = first;
    // Mostly the count is at hand and there is room: nothing waits.
    if (counted instanceof Promise || counting !== failuresCounted) return enterLater(key, first);
    const left = room(counted.count);
    return left > 0 && undecided.begin(key, left) ? undefined : enterLater(key, first);
  }

  async function enterLater(key: string, first: Look): Promise<Blocked | undefined> {
    let entered = false;
    try {
      let counted = await first.counted;
      // A failure since then may be missing. Looking once more is enough: where much fails, it would never end.
      if (first.failures !== failuresCounted) counted = await failures.get(key);
      for (;;) {
        const left = room(counted.count);
        if (left === 0) return { type: 'blocked', retryAfterMs: counted.resetsInMs };
        entered = undecided.begin(key, left);
        if (entered) return undefined;
        await undecided.outcome(key);
        counted = await failures.get(key);
      }
    } finally {
      // Whoever was woken and does not enter will not wake anybody by leaving, so it wakes the others now.
      if (!entered) undecided.wakeAll(key);
    }
  }

  function leave(key: string, failure: number): undefined | Promise<void> {
    if (failure > 0) return leaveFailed(key, failure);
    undecided.end(key);
    undecided.wakeOne(key); // there is room for one more
    return undefined;
  }

  async function leaveFailed(key: string, failure: number): Promise<void> {
    // Counted before it stops being undecided, so that it always counts as one of the two.
    try {
      await failures.add(key, Math.ceil(failure * parts));
    } finally {
      failuresCounted += 1;
      undecided.end(key);
      undecided.wakeAll(key); // it may have blocked all who wait
    }
  }

  async function left(key: string): Promise<number> {
    return room((await failures.get(key)).count);
  }

  return { look, enter, leave, left };
}

/** The attempts of each key whose outcome is not known yet, and who waits for one. */
function createUndecided() {
  const lines = new Map<string, { count: number; readonly waiting: (() => void)[] }>();

  function wake(key: string, count: number): void {
    const line = lines.get(key);
    if (line === undefined) return;
    if (line.waiting.length === 0) {
      if (line.count === 0) lines.delete(key);
      return;
    }
    const next = line.waiting.splice(0, count);
    if (line.count === 0 && line.waiting.length === 0) lines.delete(key);
    for (const look of next) look();
  }

  return {
    /** Begins an attempt, unless as many as `max` are undecided. */
    begin(key: string, max: number): boolean {
      const line = lines.get(key) ?? { count: 0, waiting: [] };
      if (line.count >= max) return false;
      lines.set(key, line);
      line.count += 1;
      return true;
    },

    /** Resolves when an attempt of the key was decided. */
    outcome(key: string): Promise<void> {
      return new Promise((resolve) => {
        const line = lines.get(key);
        if (line === undefined) resolve();
        else line.waiting.push(resolve);
      });
    },

    end(key: string): void {
      const line = lines.get(key);
      if (line !== undefined) line.count -= 1;
    },

    wakeOne: (key: string) => wake(key, 1),
    wakeAll: (key: string) => wake(key, Number.POSITIVE_INFINITY),
  };
}

/** How many more attempts of all these parties may fail; undefined if nothing limits them. */
export async function attemptsLeft(parties: readonly Party[]): Promise<number | undefined> {
  const all = await Promise.all(parties.map(({ limiter, key }) => limiter.left(key)));
  const limited = all.filter((left) => left !== undefined);
  return limited.length === 0 ? undefined : Math.min(...limited);
}

const NO_FAILURES: Look = { counted: { count: 0, resetsInMs: 0 }, failures: 0 };

const unlimited: Limiter = {
  look: () => NO_FAILURES,
  enter: () => undefined,
  leave: () => undefined,
  left: async () => undefined,
};
