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
  /** The earliest is the last: a test that lets days pass runs through hundreds of thousands. */
  const timers: Timer[] = [];

  /** Where it is, or would be: those before fall due later. */
  function placeOf({ dueAt, order }: Timer): number {
    let low = 0;
    let high = timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = timers[middle];
      const isLater =
        other !== undefined && (other.dueAt > dueAt || (other.dueAt === dueAt && other.order > order));
      if (isLater) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function advanceTo(instant: Instant): void {
    for (let timer = timers.at(-1); timer !== undefined && timer.dueAt <= instant; timer = timers.at(-1)) {
      timers.pop();
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
      timers.splice(placeOf(timer), 0, timer);
      return () => {
        const place = placeOf(timer);
        if (timers[place] === timer) timers.splice(place, 1);
      };
    },

    advance: (ms) => advanceTo(now + ms),
    advanceTo: (instant) => advanceTo(instant - set),
    step(ms) {
      set += ms;
    },
    next() {
      const first = timers.at(-1);
      return first === undefined ? undefined : first.dueAt + set;
    },
    get timers() {
      return timers.length;
    },
  };
}
