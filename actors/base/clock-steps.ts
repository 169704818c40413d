/** Notices when somebody sets the machine's clock, so that an operator can tell what happened to windows and tokens. */
import type { Cancel, Clock } from './clock.ts';
import type { Log } from './log.ts';

const LOOK_EVERY_MS = 5_000;
/** What NTP corrects bit by bit is less than this between two looks. */
const STEP_MS = 1_000;

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
