/**
 * Wakes device actors when their windows elapse. One ordered, durable table of due instants (in the journal), one
 * timer: nothing is scanned at the start, no device has a timer object, and a passivated device costs nothing.
 *
 * A window is closed by its instant anyhow (rule C8); waking makes it prompt, so that the fact is recorded and the
 * secret's digest is wiped. The table only says who might be due: the actor decides, and waking twice is harmless.
 */
import type { Clock } from './clock.ts';
import type { Devices } from './devices.ts';
import type { DeviceId } from './ids.ts';
import type { DueAlarm, Journal } from './journal/journal.ts';
import type { Log } from './log.ts';

export interface AlarmSettings {
  /** How often the table is looked at, in ms. Bounds how late a window is closed when there is no load. */
  readonly pollMs: number;
  /** Device actors woken at the same time. */
  readonly fanOutMax: number;
}

export interface Alarms {
  start(): void;
  /** Wakes nobody from now on; resolves when those already woken have answered. */
  stop(): Promise<void>;
}

export function createAlarms(
  journal: Journal,
  devices: Pick<Devices, 'ask'>,
  settings: AlarmSettings,
  clock: Clock,
  log: Log,
): Alarms {
  let stopped = false;
  let round: Promise<void> = Promise.resolve();
  let cancel = () => {};

  function arm(): void {
    if (stopped) return;
    cancel = clock.after(settings.pollMs, () => {
      round = wakeDue()
        .catch((error: unknown) => log.error({ err: error }, 'due alarms could not be read; trying again'))
        .then(arm);
    });
  }

  /** One round through everything that is due now, page by page. What can not be woken is there in the next round. */
  async function wakeDue(): Promise<void> {
    const now = clock.now();
    let after: string | undefined;
    do {
      const page = await journal.due(now, after, settings.fanOutMax);
      await wakeAll(page.alarms);
      after = page.next;
    } while (after !== undefined && !stopped);
  }

  /** A page may be larger than asked for (many windows that opened together), so it is woken in slices. */
  async function wakeAll(alarms: readonly DueAlarm[]): Promise<void> {
    for (let from = 0; from < alarms.length && !stopped; from += settings.fanOutMax) {
      const slice = alarms.slice(from, from + settings.fanOutMax);
      await Promise.all(
        slice.map(({ stream }) => devices.ask(stream as DeviceId, { type: 'ExpireClaimWindow' })),
      );
    }
  }

  return {
    start: arm,
    async stop() {
      stopped = true;
      cancel();
      await round;
    },
  };
}
