/**
 * Wakes device actors when their windows elapse. One ordered, durable table of due instants (in the journal), one
 * timer: nothing is scanned at the start, no device has a timer object, and a passivated device costs nothing.
 *
 * Of several processes on one store the holder of a lease does it; the others serve what is left lying, so nothing
 * depends on the lease, and few devices are woken by all of them.
 *
 * A window is closed by its instant anyhow (rule C8); waking makes it prompt, so that the fact is recorded and the
 * secret's digest is wiped. The table only says who might be due: the actor decides, and waking twice is harmless.
 */
import type { Clock, Instant } from '../base/clock.ts';
import { storedId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Journal } from '../journal/journal.ts';
import { ALWAYS, type Lease } from '../records/lease.ts';
import type { Devices } from './devices.ts';

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

/** A stream that could not be woken is tried again in the next round, then more and more rarely, up to this. */
const PATIENCE_MAX_MS = 10_000;
/** How late windows are closed by a process that has not the lease, where the one that has does not. */
const BEHIND_MS = 3_000;
/** How often such a process looks. */
const STANDBY_MS = 1_000;
/** So rarely is the table looked at while it can not be read. */
const READ_AGAIN_MS = 1_000;

interface Trouble {
  readonly delayMs: number;
  readonly until: Instant;
}

export function createAlarms(
  journal: Journal,
  devices: Pick<Devices, 'ask'>,
  settings: AlarmSettings,
  clock: Clock,
  log: Log,
  lease: Lease = ALWAYS,
): Alarms {
  /** Who was woken and has not answered. They are not waited for, so that a slow one holds up nobody. */
  const waking = new Map<string, Promise<void>>();
  /** Who could not be woken lately. Kept for as long as the table lists them. */
  const troubles = new Map<string, Trouble>();
  let leads = true;
  let onAnswer = () => {};
  let stopped = false;
  let round: Promise<void> = Promise.resolve();
  let cancel = () => {};

  function arm(delayMs: number): void {
    if (stopped) return;
    cancel = clock.after(delayMs, () => {
      round = wakeDue().then(
        () => arm(leads ? settings.pollMs : Math.max(settings.pollMs, STANDBY_MS)),
        (error: unknown) => {
          log.error({ err: error }, 'due alarms could not be read; trying again');
          arm(Math.max(settings.pollMs, READ_AGAIN_MS));
        },
      );
    });
  }

  /** One round through everything that is due now, page by page. What can not be woken is there in the next round. */
  async function wakeDue(): Promise<void> {
    const now = clock.now();
    leads = await lease.hold();
    const upTo = leads ? now : now - BEHIND_MS;
    const listed = new Set<string>();
    let after: string | undefined;
    do {
      const page = await journal.due(upTo, after, settings.fanOutMax);
      for (const { stream } of page.alarms) {
        listed.add(stream);
        if (waking.has(stream) || (troubles.get(stream)?.until ?? now) > now) continue;
        while (waking.size >= settings.fanOutMax && !stopped) await someAnswer();
        if (stopped) return;
        wake(stream);
      }
      after = page.next;
    } while (after !== undefined && !stopped);
    for (const stream of troubles.keys()) if (!listed.has(stream)) troubles.delete(stream);
  }

  function wake(stream: string): void {
    const answered = devices.ask(storedId(stream), { type: 'ExpireClaimWindow' }).then((answer) => {
      waking.delete(stream);
      if (answer.type !== 'unavailable') troubles.delete(stream);
      else if (answer.reason === 'store' || answer.reason === 'timeout') bearWith(stream);
      onAnswer();
    });
    waking.set(stream, answered);
  }

  /** The first time it is tried again at once, then after twice as long as before. */
  function bearWith(stream: string): void {
    const { delayMs = 0 } = troubles.get(stream) ?? {};
    const longer = Math.min(Math.max(2 * delayMs, settings.pollMs), PATIENCE_MAX_MS);
    troubles.set(stream, { delayMs: longer, until: clock.now() + delayMs });
  }

  function someAnswer(): Promise<void> {
    return new Promise((resolve) => {
      onAnswer = resolve;
    });
  }

  return {
    start: () => arm(settings.pollMs),
    async stop() {
      stopped = true;
      cancel();
      onAnswer();
      await round;
      await Promise.all(waking.values());
      await lease.release().catch(() => {}); // then it is taken over a little later
    },
  };
}
