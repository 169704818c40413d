/**
 * The clock, handed in at the root so that a test can set it.
 *
 * Only instants are stored. A device asks for a duration; what is kept is the instant at which it ends.
 */

/** Milliseconds since the Unix epoch. */
export type Instant = number;

export interface Clock {
  now(): Instant;
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
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(delayMs, TIMER_MAX_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
