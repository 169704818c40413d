/**
 * A clock that a test owns: time stands still until the test moves it. Timers run in the order of their instants, and
 * in the order in which they were set where those are equal.
 *
 * Running a timer does not wait for the promises it starts. A simulation therefore steps from one due timer to the
 * next (`next`, `advanceTo`) and lets the event loop turn in between.
 */
import { type Cancel, type Clock, type Instant, TIMER_MAX_MS } from '../../actors/base/clock.ts';

export interface SimClock extends Clock {
  /** Moves time on by `ms`, running what falls due on the way; each timer sees its own instant as now. */
  advance(ms: number): void;
  /** Moves time to `instant` (never back), running what falls due on the way. */
  advanceTo(instant: Instant): void;
  /** Sets the clock by so much, as an administrator or NTP does: nothing falls due, and no time passes. */
  step(ms: number): void;
  /** When the next timer is due; undefined when none is set. */
  next(): Instant | undefined;
  /** How many timers are set. */
  readonly timers: number;
}

interface Timer {
  readonly dueAt: Instant;
  readonly order: number;
  readonly task: () => void;
}

/** @param start the first instant, in ms since the epoch */
export function createSimClock(start: Instant): SimClock {
  /** What has passed, and what the clock shows beside it. */
  let now = start;
  let set = 0;
  let order = 0;
  const timers = new Set<Timer>();

  function earliest(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of timers) {
      const sooner =
        first === undefined ||
        timer.dueAt < first.dueAt ||
        (timer.dueAt === first.dueAt && timer.order < first.order);
      if (sooner) first = timer;
    }
    return first;
  }

  function advanceTo(instant: Instant): void {
    for (let timer = earliest(); timer !== undefined && timer.dueAt <= instant; timer = earliest()) {
      timers.delete(timer);
      now = Math.max(now, timer.dueAt);
      timer.task();
    }
    now = Math.max(now, instant);
  }

  return {
    now: () => now + set,
    elapsed: () => now - start,

    after(delayMs, task): Cancel {
      if (!(delayMs <= TIMER_MAX_MS)) throw new RangeError(`a timer cannot wait ${delayMs} ms`);
      const timer: Timer = { dueAt: now + Math.max(0, delayMs), order: order++, task };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },

    advance: (ms) => advanceTo(now + ms),
    advanceTo: (instant) => advanceTo(instant - set),
    step(ms) {
      set += ms;
    },
    next() {
      const first = earliest();
      return first === undefined ? undefined : first.dueAt + set;
    },
    get timers() {
      return timers.size;
    },
  };
}
