/**
 * What there is to do about a clock that somebody sets: noticing it, so that an operator can tell what happened to windows and
 * tokens; not waiting for an instant that was written while it was wrong; and not doing by it at once what cannot be undone.
 */
import type { Cancel, Clock, Instant } from './clock.ts';
import type { Log } from './log.ts';

const LOOK_EVERY_MS = 5_000;
/** What NTP corrects bit by bit is less than this between two looks. */
const STEP_MS = 1_000;
/** Clocks of nodes on one store are less than this apart. */
const APART_MS = 60_000;
/** For so long a clock that was set forward is doubted. */
export const DOUBTED_MS = 3_600_000;

/** Whether an instant that was written before now is later than any clock that was right can have written it. */
export function isFromAhead(at: Instant, now: Instant): boolean {
  return at > now + APART_MS;
}

/**
 * Whether what waits for an instant may go on. Nothing waits for longer than `longestMs`: where it seems to, the clock was ahead
 * when that instant was written, and has been set back.
 */
export function isDue(at: Instant, now: Instant, longestMs: number): boolean {
  return at <= now || at - now > longestMs;
}

/**
 * The time for what cannot be undone: a clock that was set forward is believed after an hour, which leaves time to set it right.
 * Until then the time before goes on. What a process finds when it starts it believes, and a clock that was set back, too.
 */
export function cautiousTime(clock: Pick<Clock, 'now' | 'elapsed'>): () => Instant {
  const offsetNow = () => clock.now() - clock.elapsed();
  let believed = offsetNow();
  let doubted: { readonly offset: number; readonly since: number } | undefined;
  return () => {
    const elapsed = clock.elapsed();
    const offset = offsetNow();
    if (offset - believed < STEP_MS) doubted = undefined;
    else if (doubted === undefined || Math.abs(offset - doubted.offset) >= STEP_MS)
      doubted = { offset, since: elapsed };
    if (doubted === undefined || elapsed - doubted.since >= DOUBTED_MS) {
      believed = offset;
      doubted = undefined;
    }
    return elapsed + believed;
  };
}

/** Logs each step. A machine that slept shows the same: its wall clock went on, its time did not. */
export function watchClock(clock: Clock, log: Log): Cancel {
  const offset = () => clock.now() - clock.elapsed();
  let before = offset();
  let cancel = clock.after(LOOK_EVERY_MS, look);

  function look(): void {
    const after = offset();
    const byMs = Math.round(after - before);
    if (Math.abs(byMs) >= STEP_MS) {
      const message =
        'the clock was set, or the machine slept: what ends at an instant ends earlier or later by this';
      log.warn({ byMs }, message);
    }
    before = after;
    cancel = clock.after(LOOK_EVERY_MS, look);
  }

  return () => cancel();
}
