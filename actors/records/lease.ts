/**
 * Of several processes on one store one does some work for all: it holds a lease, a small record in which it counts up
 * while it lives. Whoever sees the count stand still for long enough, by its own clock, takes over. So no two clocks are
 * compared, and a holder that was killed is replaced within that time.
 *
 * A lease saves work and nothing else. A holder that was suspended may find out too late that it has lost the lease, so
 * what is done under a lease must be right when two do it.
 */
import { randomUUID } from 'node:crypto';
import { type Clock, sleep } from '../base/clock.ts';
import { ifUnavailable } from '../journal/unavailable.ts';
import type { Store } from '../store/store.ts';
import { openRecords } from './records.ts';

export interface Lease {
  /** Takes the lease, or keeps it. Rejects with `StoreUnavailable`. */
  hold(): Promise<boolean>;
  /** Lets another one have it at once. */
  release(): Promise<void>;
}

/** Of work that one process does for all: after this time without a sign of life another one takes over. */
export const LEASE_MS = 6_000;

/** For what is done by one process only. */
export const ALWAYS: Lease = { hold: async () => true, release: async () => {} };

/** Poll interval of whoever waits for a lease. */
const TRY_AGAIN_MS = 50;

/** Does something while holding a lease, waiting for it as long as another one has it. */
export async function underLease<Result>(
  lease: Lease,
  clock: Clock,
  ttlMs: number,
  task: () => Promise<Result>,
): Promise<Result> {
  const awake = setInterval(() => {}, ttlMs); // the clock's timers do not keep the process alive
  try {
    while (!(await lease.hold())) await sleep(clock, TRY_AGAIN_MS);
    return await whileHeld(lease.hold, clock, ttlMs, task);
  } finally {
    await lease.release().finally(() => clearInterval(awake));
  }
}

/**
 * Does something that may take longer than a lease holds, renewing it meanwhile.
 * @param hold renews it; never called twice at the same time, nor after the task
 */
export async function whileHeld<Result>(
  hold: Lease['hold'],
  clock: Clock,
  ttlMs: number,
  task: () => Promise<Result>,
): Promise<Result> {
  let isOver = false;
  let cancel = () => {};
  let renewal: Promise<void> = Promise.resolve();
  const renew = async () => {
    await hold().catch(ifUnavailable(() => false));
    if (!isOver) next();
  };
  const next = () => {
    cancel = clock.after(ttlMs / RENEWALS, () => {
      renewal = renew();
    });
  };
  next();
  try {
    return await task();
  } finally {
    isOver = true;
    cancel();
    await renewal;
  }
}

interface LeaseRecord {
  readonly holder: string;
  /** Grows while the holder lives. */
  readonly beat: number;
}

/** Renewals within the time after which a lease would be lost. */
const RENEWALS = 3;

/** @param ttlMs after so long without a sign of life a holder is taken for dead */
export function createLease(
  store: Pick<Store, 'records' | 'swap' | 'shared'>,
  clock: Clock,
  name: string,
  ttlMs: number,
): Lease {
  if (!store.shared) return ALWAYS;
  const records = openRecords<LeaseRecord>(store, 'lease');
  const self = randomUUID();
  let heldSince: number | undefined;
  let seen: { readonly text: string; readonly at: number } | undefined;

  return {
    async hold() {
      const now = clock.elapsed();
      if (heldSince !== undefined && now - heldSince < ttlMs / RENEWALS) return true;
      const found = await records.read(name);
      if (found !== undefined && found.value.holder !== self) {
        heldSince = undefined;
        if (seen?.text !== found.text) seen = { text: found.text, at: now };
        if (now - seen.at < ttlMs) return false;
      }
      const swapped = await records.swap(name, found, { holder: self, beat: (found?.value.beat ?? 0) + 1 });
      heldSince = swapped ? now : undefined;
      return swapped;
    },

    async release() {
      heldSince = undefined;
      await records.update(name, (lease) => (lease?.holder === self ? undefined : lease));
    },
  };
}
