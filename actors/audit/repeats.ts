/**
 * Keeps a flood of refusals from filling the audit trail and the disk. Whoever is refused the same thing again and
 * again leaves one entry a minute, and a second one that says how often it happened (`repeated`).
 *
 * Two refusals are the same if action, device, user, customer and reason are. Whoever is refused about many devices
 * leaves an entry for each of the first hundred in a minute; all others share one, which names no device. So what one
 * party can write is bounded. What succeeds is always written. An orderly stop writes the counts; a crash loses those
 * of the last minute.
 */
import type { Clock } from '../base/clock.ts';
import { createQuota } from '../limits/quota.ts';
import type { AuditTrail } from './audit.ts';
import type { Note } from './entry.ts';

const PERIOD_MS = 60_000;
/** How many different refusals of one user get an entry of their own in one period. */
const DIFFERENT_MAX = 100;
/** How many refusals are counted at once, about 400 bytes each; beyond it the period of the oldest ends early. */
const REMEMBERED_MAX = 10_000;

export interface BoundedTrail extends AuditTrail {
  /** Writes what is still being counted. */
  stop(): void;
}

/** The shared entry for the refusals beyond `DIFFERENT_MAX`. */
const OTHERS = { deviceId: undefined, deviceName: undefined, failure: 'of many devices' };

interface Period {
  readonly note: Note;
  readonly endsAt: number;
  /** How many came besides the one that was written. */
  repeated: number;
}

/** @param now milliseconds of a clock that is never set */
export function boundRefusals(
  trail: AuditTrail,
  clock: Pick<Clock, 'after'>,
  now: () => number = () => performance.now(),
): BoundedTrail {
  /** The oldest first. */
  const periods = new Map<string, Period>();
  const different = createQuota({ max: DIFFERENT_MAX, windowMs: PERIOD_MS }, REMEMBERED_MAX, now);
  let cancel: (() => void) | undefined;

  function end(key: string, { note, repeated }: Period): void {
    periods.delete(key);
    if (repeated > 0) trail.note({ ...note, data: { ...note.data, repeated } });
  }

  function sweep(): void {
    cancel = undefined;
    const at = now();
    for (const [key, period] of periods) {
      if (period.endsAt > at) break;
      end(key, period);
    }
    const [next] = periods.values();
    if (next !== undefined) cancel = clock.after(Math.max(1, next.endsAt - at), sweep);
  }

  function begin(key: string, note: Note, repeated: number): void {
    if (periods.size >= REMEMBERED_MAX) {
      const [oldest] = periods;
      if (oldest !== undefined) end(...oldest);
    }
    periods.set(key, { note, endsAt: now() + PERIOD_MS, repeated });
    cancel ??= clock.after(PERIOD_MS, sweep);
  }

  return {
    noted: () => trail.noted(),
    noteOnce: (note, id, at) => trail.noteOnce(note, id, at),
    find: (tenantId, query) => trail.find(tenantId, query),
    all: (tenantId, query) => trail.all(tenantId, query),
    head: (tenantId) => trail.head(tenantId),
    days: (tenantId) => trail.days(tenantId),
    lossesOf: (customerId) => trail.lossesOf(customerId),

    note(note) {
      if (note.failure === undefined) return trail.note(note);
      const { tenantId, action, deviceId, customerId, userId, failure } = note;
      const party = [tenantId, action, customerId, userId].join(' ');
      const same = `${party} ${deviceId} ${failure}`;
      const period = periods.get(same);
      if (period !== undefined) {
        period.repeated += 1;
        return;
      }
      if (different.take(party) === 0) {
        begin(same, note, 0);
        trail.note(note);
        return;
      }
      const others = periods.get(party);
      if (others === undefined) begin(party, { ...note, ...OTHERS }, 1);
      else others.repeated += 1;
    },

    stop() {
      cancel?.();
      cancel = undefined;
      for (const entry of periods) end(...entry);
    },
  };
}
