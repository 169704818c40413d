/**
 * Wakes device actors when their windows elapse. The journal keeps one durable table of alarms, ordered by the instant
 * they are due, and one timer polls it. So nothing is scanned at the start, and a device that is not in memory costs
 * nothing.
 *
 * Of several processes on one store, the holder of a lease does it. The others wake what is overdue, so nothing depends
 * on the lease.
 *
 * An elapsed window is closed without an alarm too (rule C8). Waking makes it prompt: the event is recorded and the
 * secret's digest is wiped. The table only says who may be due: the actor decides, and waking it twice is harmless.
 */
import type { Clock } from '../base/clock.ts';
import { storedId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Journal } from '../journal/journal.ts';
import { ifUnavailable, StoreUnavailable } from '../journal/unavailable.ts';
import { ALWAYS, type Lease } from '../records/lease.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Devices } from './devices.ts';

export interface AlarmSettings {
  /** The poll interval, in ms. Without load, no alarm is later than this. */
  readonly pollMs: number;
  /** How many device actors are woken at the same time. */
  readonly fanOutMax: number;
}

export interface Alarms {
  start(): void;
  /** Wakes no more devices; resolves when those already woken have answered. */
  stop(): Promise<void>;
}

/** The longest back-off before a device that could not be woken is tried again. */
const BACK_OFF_MAX_MS = 10_000;
/** How long overdue an alarm is before a process without the lease serves it. */
const OVERDUE_MS = 3_000;
/** The poll interval of such a process, if it is longer than the setting. */
const STANDBY_POLL_MS = 1_000;
/** The poll interval while the table cannot be read, likewise. */
const RETRY_MS = 1_000;

interface AlarmNeeds {
  readonly journal: Journal;
  readonly devices: Pick<Devices, 'ask'>;
  readonly settings: AlarmSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly lease?: Lease;
}

export function createAlarms({ journal, devices, settings, clock, log, lease = ALWAYS }: AlarmNeeds): Alarms {
  /** Devices that were woken and have not answered. A round does not wait for them, so a slow one holds up nobody. */
  const waking = new Map<string, Promise<void>>();
  const backOffs = new BackOffs(settings.pollMs);
  let hasLease = true;
  let onAnswer = () => {};
  let stopped = false;
  let round: Promise<void> = Promise.resolve();
  let cancel = () => {};

  function arm(delayMs: number): void {
    if (stopped) return;
    cancel = clock.after(delayMs, () => {
      round = wakeDue().then(
        () => arm(hasLease ? settings.pollMs : Math.max(settings.pollMs, STANDBY_POLL_MS)),
        (error: unknown) => {
          if (error instanceof StoreUnavailable) {
            log.error({ err: error }, 'due alarms could not be read; trying again');
          } else reportBug(log, 'alarms', error);
          arm(Math.max(settings.pollMs, RETRY_MS));
        },
      );
    });
  }

  /** One round: wakes everything that is due now, page by page. What cannot be woken is still listed in the next. */
  async function wakeDue(): Promise<void> {
    const [now, elapsed] = [clock.now(), clock.elapsed()];
    hasLease = await lease.hold();
    const upTo = hasLease ? now : now - OVERDUE_MS;
    const listed = new Set<string>();
    let after: string | undefined;
    do {
      const page = await journal.due(upTo, after, settings.fanOutMax);
      for (const { stream } of page.alarms) {
        listed.add(stream);
        if (waking.has(stream) || backOffs.isWaiting(stream, elapsed)) continue;
        while (waking.size >= settings.fanOutMax && !stopped) await nextAnswer();
        if (stopped) return;
        wake(stream);
      }
      after = page.next;
    } while (after !== undefined && !stopped);
    backOffs.keepOnly(listed);
  }

  function wake(stream: string): void {
    const answered = devices.ask(storedId(stream), { type: 'ExpireDue' }).then((answer) => {
      waking.delete(stream);
      if (answer.type !== 'unavailable') backOffs.forget(stream);
      else if (answer.reason === 'store' || answer.reason === 'timeout')
        backOffs.failed(stream, clock.elapsed());
      onAnswer();
    });
    waking.set(stream, answered);
  }

  function nextAnswer(): Promise<void> {
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
      await lease.release().catch(ifUnavailable(() => {})); // then it runs out by itself
    },
  };
}

/** Devices that could not be woken, for as long as the table lists them. */
class BackOffs {
  readonly #firstMs: number;
  readonly #backOffs = new Map<string, { readonly nextDelayMs: number; readonly until: number }>();

  /** @param firstMs the shortest delay */
  constructor(firstMs: number) {
    this.#firstMs = firstMs;
  }

  isWaiting(stream: string, now: number): boolean {
    return (this.#backOffs.get(stream)?.until ?? now) > now;
  }

  /** No delay after the first failure, then twice as long each time. */
  failed(stream: string, now: number): void {
    const delayMs = this.#backOffs.get(stream)?.nextDelayMs ?? 0;
    const nextDelayMs = Math.min(Math.max(2 * delayMs, this.#firstMs), BACK_OFF_MAX_MS);
    this.#backOffs.set(stream, { nextDelayMs, until: now + delayMs });
  }

  forget(stream: string): void {
    this.#backOffs.delete(stream);
  }

  keepOnly(listed: ReadonlySet<string>): void {
    for (const stream of this.#backOffs.keys()) if (!listed.has(stream)) this.#backOffs.delete(stream);
  }
}
