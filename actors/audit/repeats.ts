/**
 * Keeps a flood of refusals from filling the audit trail, and with it the disk: whoever is refused something again and
 * again leaves one entry a minute, and one more that says how often it was (`repeated`).
 *
 * Alike is what has the same action, device, user, customer and reason. Who is refused about many devices leaves so
 * many entries a minute; of the rest there is one, which names no device. So what a party can write is bounded,
 * whatever it tries; what succeeds is not counted. An orderly stop writes what was counted; a crash loses the last
 * minute's numbers.
 */
import type { Clock, Instant } from '../base/clock.ts';
import { createQuota } from '../limits/quota.ts';
import type { AuditTrail } from './audit.ts';
import type { Note } from './entry.ts';

const PERIOD_MS = 60_000;
/** Refusals that are not alike, of one user, in one period. */
const DIFFERENT_MAX = 100;
/** What is remembered, about 400 bytes each; beyond it the oldest is done with early. */
const REMEMBERED_MAX = 10_000;

export interface BoundedTrail extends AuditTrail {
  /** Writes how often things were that are still being counted. */
  stop(): void;
}

/** Of what many devices refused there is but a number. */
const OTHERS = { deviceId: undefined, deviceName: undefined, failure: 'of many devices' };

interface Counted {
  readonly note: Note;
  readonly endsAt: Instant;
  /** How many came besides those that were written. */
  repeated: number;
}

export function boundRefusals(trail: AuditTrail, clock: Clock): BoundedTrail {
  /** The oldest first. */
  const counting = new Map<string, Counted>();
  const different = createQuota({ max: DIFFERENT_MAX, windowMs: PERIOD_MS }, clock, REMEMBERED_MAX);
  let cancel: (() => void) | undefined;

  function end(key: string, { note, repeated }: Counted): void {
    counting.delete(key);
    if (repeated > 0) trail.note({ ...note, data: { ...note.data, repeated } });
  }

  function sweep(): void {
    cancel = undefined;
    const now = clock.now();
    for (const [key, counted] of counting) {
      if (counted.endsAt > now) break;
      end(key, counted);
    }
    const [next] = counting.values();
    if (next !== undefined) cancel = clock.after(Math.max(1, next.endsAt - now), sweep);
  }

  function begin(key: string, note: Note, repeated: number): void {
    if (counting.size >= REMEMBERED_MAX) {
      const [oldest] = counting;
      if (oldest !== undefined) end(...oldest);
    }
    counting.set(key, { note, endsAt: clock.now() + PERIOD_MS, repeated });
    cancel ??= clock.after(PERIOD_MS, sweep);
  }

  return {
    find: (tenantId, query) => trail.find(tenantId, query),

    note(note) {
      if (note.failure === undefined) return trail.note(note);
      const { tenantId, action, deviceId, customerId, userId, failure } = note;
      const party = [tenantId, action, customerId, userId].join(' ');
      const alike = `${party} ${deviceId} ${failure}`;
      const known = counting.get(alike);
      if (known !== undefined) {
        known.repeated += 1;
        return;
      }
      if (different.take(party) === 0) {
        begin(alike, note, 0);
        trail.note(note);
        return;
      }
      const others = counting.get(party);
      if (others === undefined) begin(party, { ...note, ...OTHERS }, 1);
      else others.repeated += 1;
    },

    stop() {
      cancel?.();
      cancel = undefined;
      for (const entry of counting) end(...entry);
    },
  };
}
