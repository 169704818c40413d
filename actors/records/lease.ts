/**
 * Of several processes on one store one does some work for all: it holds a lease, a small record whose holder lets its
 * number grow. Whoever sees the number stand still for long enough, by its own clock, takes over; so no two clocks are
 * ever compared, and a holder that was killed is replaced within that time.
 *
 * A lease saves work and nothing else. A holder that was asleep (a suspended process) may find out too late that it is
 * none any more: whatever is done under a lease must be right when two do it.
 */
import { randomUUID } from 'node:crypto';
import { type Clock, type Instant, sleep } from '../base/clock.ts';
import { ifUnavailable } from '../journal/unavailable.ts';
import type { Store } from '../store/store.ts';
import { openRecords } from './records.ts';

export interface Lease {
  /** Takes the lease, or keeps it. Rejects with `StoreUnavailable`. */
  hold(): Promise<boolean>;
  /** Lets another one have it at once. */
  release(): Promise<void>;
}

/** For what is done by one process only. */
export const ALWAYS: Lease = { hold: async () => true, release: async () => {} };

/** How often somebody who waits for a lease tries to have it. */
const TRY_AGAIN_MS = 50;

/** Does something while holding a lease, waiting for it as long as another one has it. */
export async function underLease<Result>(
  lease: Lease,
  clock: Clock,
  ttlMs: number,
  task: () => Promise<Result>,
): Promise<Result> {
  const awake = setInterval(() => {}, ttlMs); // the clock's timers do not keep the process alive
  let cancel = () => {};
  const renew = () => {
    cancel = clock.after(ttlMs / RENEWALS, () => {
      void lease.hold().catch(ifUnavailable(() => false));
      renew();
    });
  };
  try {
    while (!(await lease.hold())) await sleep(clock, TRY_AGAIN_MS);
    renew();
    return await task();
  } finally {
    cancel();
    await lease.release().finally(() => clearInterval(awake));
  }
}

interface Row {
  readonly holder: string;
  /** Grows while the holder lives. */
  readonly beat: number;
}

/** A holder renews its lease this often within the time after which it would be taken from it. */
const RENEWALS = 3;

/** @param ttlMs after so long without a sign of life a holder is taken for dead */
export function createLease(
  store: Pick<Store, 'records' | 'swap' | 'shared'>,
  clock: Clock,
  name: string,
  ttlMs: number,
): Lease {
  if (!store.shared) return ALWAYS;
  const rows = openRecords<Row>(store, 'lease');
  const self = randomUUID();
  let heldSince: Instant | undefined;
  let seen: { readonly text: string; readonly at: Instant } | undefined;

  return {
    async hold() {
      const now = clock.now();
      if (heldSince !== undefined && now - heldSince < ttlMs / RENEWALS) return true;
      const held = await rows.hold(name);
      if (held !== undefined && held.row.holder !== self) {
        heldSince = undefined;
        if (seen?.text !== held.text) seen = { text: held.text, at: now };
        if (now - seen.at < ttlMs) return false;
      }
      const swapped = await rows.swap(name, held, { holder: self, beat: (held?.row.beat ?? 0) + 1 });
      heldSince = swapped ? now : undefined;
      return swapped;
    },

    async release() {
      heldSince = undefined;
      await rows.update(name, (row) => (row?.holder === self ? undefined : row));
    },
  };
}
