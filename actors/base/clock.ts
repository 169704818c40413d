/**
 * The clock, handed in at the root so that a test can set it.
 *
 * Only instants are stored. A device asks for a duration; what is kept is the instant at which it ends. What this process
 * alone measures (a keep-alive, a time limit, how long a value is believed) goes by `elapsed`.
 */

/** Milliseconds since the Unix epoch. */
export type Instant = number;

export interface Clock {
  now(): Instant;
  /**
   * Milliseconds of a clock that is never set: for durations. Only the difference of two readings in one process means
   * something. `now` may leap by hours when somebody sets the machine's clock.
   */
  elapsed(): number;
  /** Runs `task` once, `delayMs` from now (0 … 2^31-1). Returns how to cancel it. */
  after(delayMs: number, task: () => void): Cancel;
}

/** Cancels what has not happened yet. Calling it twice or too late is harmless. */
export type Cancel = () => void;

/** The longest delay of a Node timer: a longer one would fire at once. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

/** The machine's clock. Its timers do not keep the process alive; open sockets do. */
export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(delayMs, TIMER_MAX_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** The last instant that is a date (ECMA-262, 21.4.1.1). */
const LAST_DATE: Instant = 8_640_000_000_000_000;

/** An instant as a date, to be shown. A window may end behind the last of them, and shows as ending then. */
export function dateOf(at: Instant): Date {
  return new Date(Math.min(at, LAST_DATE));
}

export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
