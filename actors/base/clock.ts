/**
 * Time as a value that is handed in at the root, so that a test can own it.
 *
 * Only instants are ever stored (milliseconds since the epoch). A duration is something a device asks for;
 * what we keep is the instant it leads to.
 */

/** Milliseconds since the Unix epoch. */
export type Instant = number;

export interface Clock {
  /** The present instant, in milliseconds since the epoch. */
  now(): Instant;
  /** Runs `task` once, `delayMs` from now (0 … 2^31-1). Returns how to call it off. */
  after(delayMs: number, task: () => void): Cancel;
}

/** Calls off what has not happened yet; calling it twice, or too late, is harmless. */
export type Cancel = () => void;

/** Node's timers reach no further than this; a longer delay would fire at once. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

/** The machine's own clock. Timers do not keep the process alive: whoever listens on a socket does. */
export const systemClock: Clock = {
  now: Date.now,
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(delayMs, TIMER_MAX_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Waits `delayMs` by the given clock. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
