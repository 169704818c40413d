/**
 * Lets go of old events of claim windows, so that the log does not grow for ever: most of what devices do is to open windows
 * that nobody uses. Events that change a device or its owner are kept; so is what the audit trail has not read yet.
 *
 * It is done in the background, a page at a time, with a rest after each that is several times as long; the position is kept.
 * Of several processes one does it, under a lease; two at once do no harm.
 */
import { setTimeout } from 'node:timers/promises';
import type { Cancel, Clock, Instant } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { DeviceEvent } from '../device/device.ts';
import { decodeEvent } from '../device/persistence.ts';
import type { LoggedEvent, Verdict } from '../journal/journal.ts';
import { ifUnavailable, logUnavailable, StoreUnavailable } from '../journal/unavailable.ts';
import { createLease } from '../records/lease.ts';
import { openRecords } from '../records/records.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Store } from '../store/store.ts';
import { openCursors } from './cursors.ts';

/** How often it looks, and how long it waits after the start, whose first moments belong to devices that come back. */
const EVERY_MS = 60_000;
/** How long the lease holds without a renewal. */
const LEASE_MS = 6_000;
/** Events looked at at once. */
const PAGE = 500;
/** After each page it rests this many times as long as the page took. */
const REST = 4;

export interface RetentionSettings {
  /** How long events of windows are kept, in ms. */
  readonly windowEventsMs: number;
  /** Whether the audit trail reads the log, and has to be waited for. */
  readonly auditReads: boolean;
}

export interface Retention {
  start(): void;
  /** Looks through all that has become old. */
  round(): Promise<void>;
  stop(): Promise<void>;
}

export function createRetention(
  store: Store,
  { windowEventsMs, auditReads }: RetentionSettings,
  clock: Clock,
  log: Log,
): Retention {
  const { journal } = store;
  const lease = createLease(store, clock, 'retention', LEASE_MS);
  const looked = openRecords<{ readonly position: number }>(store, 'retention-cursor');
  const audited = openCursors(store);
  let cancel: Cancel | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  async function lookThrough(which: number): Promise<void> {
    const upTo = auditReads ? await audited.get(which) : Number.MAX_SAFE_INTEGER - 1;
    let from = (await looked.get(String(which)))?.position ?? 0;
    while (from < upTo && !stopped && (await lease.hold())) {
      const begun = performance.now();
      const before = clock.now() - windowEventsMs;
      const next = await journal.forget(which, { from, upTo }, PAGE, (event) => verdictOn(event, before));
      if (next === from) return;
      await looked.put(String(which), { position: next });
      from = next;
      await setTimeout(REST * (performance.now() - begun));
    }
  }

  async function round(): Promise<void> {
    for (let which = 0; which < journal.logs && !stopped; which += 1) await lookThrough(which);
  }

  function wake(): void {
    if (stopped) return;
    cancel = clock.after(EVERY_MS, () => {
      running = round()
        .catch((error: unknown) => {
          if (!(error instanceof StoreUnavailable)) return reportBug(log, 'retention', error);
          const message = 'old events could not be let go of; trying again';
          logUnavailable(log, 'warn', performance.now(), { err: error }, message);
        })
        .then(wake);
    });
  }

  return {
    start: wake,
    round,
    async stop() {
      stopped = true;
      cancel?.();
      await running;
      await lease.release().catch(ifUnavailable(() => {})); // then it runs out by itself
    },
  };
}

function verdictOn({ event: text }: LoggedEvent, before: Instant): Verdict {
  const event = decodeEvent(text);
  if (event.at >= before) return 'not-yet';
  return passes(event) ? 'forget' : 'keep';
}

/** Whether an event says nothing of a device once its window is over. What is not named is kept for ever. */
function passes({ type }: DeviceEvent): boolean {
  switch (type) {
    case 'ClaimWindowOpened':
    case 'ClaimWindowClosed':
    case 'ClaimWindowExpired':
    case 'ChallengeIssued':
    case 'ResetNoted':
      return true;
    default:
      return false;
  }
}
