/**
 * Lets go of old events of claim windows, so that the log does not grow for ever: most of what devices do is to open windows
 * that nobody uses. Events that change a device or its owner are kept; so is what the audit trail has not read yet.
 *
 * It is done a page at a time, with a rest after each that is several times as long; the position is kept.
 */
import { setTimeout } from 'node:timers/promises';
import type { Clock, Instant } from '../base/clock.ts';
import { cautiousTime } from '../base/clock-steps.ts';
import type { Log } from '../base/log.ts';
import type { DeviceEvent } from '../device/device.ts';
import { eventIfReadable } from '../device/readable-log.ts';
import type { LoggedEvent, Verdict } from '../journal/journal.ts';
import { openRecords } from '../records/records.ts';
import { createRounds, type Rounds } from '../records/rounds.ts';
import type { Store } from '../store/store.ts';
import { openCursors } from './cursors.ts';

/** How often it looks, and how long it waits after the start. */
const EVERY_MS = 60_000;
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

export function createRetention(
  store: Store,
  { windowEventsMs, auditReads }: RetentionSettings,
  clock: Clock,
  log: Log,
): Rounds {
  const { journal } = store;
  const now = cautiousTime(clock);
  const looked = openRecords<{ readonly position: number }>(store, 'retention-cursor');
  const audited = openCursors(store);

  async function lookThrough(which: number, mayGoOn: () => Promise<boolean>): Promise<void> {
    const upTo = auditReads ? await audited.get(which) : Number.MAX_SAFE_INTEGER - 1;
    let from = (await looked.get(String(which)))?.position ?? 0;
    while (from < upTo && (await mayGoOn())) {
      const begun = performance.now();
      const before = now() - windowEventsMs;
      const next = await journal.forget(which, { from, upTo }, PAGE, (event) => verdictOn(event, before));
      if (next === from) return;
      await looked.put(String(which), { position: next });
      from = next;
      await setTimeout(REST * (performance.now() - begun));
    }
  }

  return createRounds(
    store,
    {
      name: 'retention',
      what: 'retention',
      firstMs: EVERY_MS,
      everyMs: EVERY_MS,
      away: 'old events could not be let go of; trying again',
      async round(mayGoOn, isStopped) {
        for (let which = 0; which < journal.logs && !isStopped(); which += 1)
          await lookThrough(which, mayGoOn);
      },
    },
    clock,
    log,
  );
}

function verdictOn({ event: text }: LoggedEvent, before: Instant): Verdict {
  const event = eventIfReadable(text);
  if (event === undefined) return 'keep';
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
    case 'ClaimsRefused':
      return true;
    default:
      return false;
  }
}
