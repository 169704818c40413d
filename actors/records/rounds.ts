/**
 * Work in the background that comes round again and again, for as long as the process lives. Of several processes one does it,
 * under a lease; two at once do no harm.
 */
import type { Cancel, Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { nextTurn } from '../base/slices.ts';
import { ifUnavailable, logUnavailable, StoreUnavailable } from '../journal/unavailable.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Store } from '../store/store.ts';
import { createLease, LEASE_MS, type Lease } from './lease.ts';

export interface Rounds {
  start(): void;
  /** Looks through everything once. */
  round(): Promise<void>;
  stop(): Promise<void>;
}

export interface RoundsOf {
  /** Of the lease. */
  readonly name: string;
  /** What a bug in it is told as. */
  readonly what: Parameters<typeof reportBug>[1];
  /** From the start, whose first moments belong to devices that come back, to the first round. */
  readonly firstMs: number;
  readonly everyMs: number;
  /** What the log says when the store is away. */
  readonly away: string;
  /**
   * @param mayGoOn asked before each step: whether this process has the lease, and nobody has stopped it; from time to time it
   *   is answered in a later turn of the event loop
   * @param isStopped the latter alone
   */
  round(mayGoOn: () => Promise<boolean>, isStopped: () => boolean): Promise<void>;
}

/** A step may find nothing to do, and then waits for nothing: so many are taken in one turn of the event loop. */
const STEPS_PER_TURN = 25;

export function createRounds(
  store: Store,
  { name, what, firstMs, everyMs, away, round }: RoundsOf,
  clock: Clock,
  log: Log,
): Rounds {
  const lease: Lease = createLease(store, clock, name, LEASE_MS);
  let cancel: Cancel | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  const isStopped = () => stopped;
  let steps = 0;
  const mayGoOn = async () => {
    steps += 1;
    if (steps % STEPS_PER_TURN === 0) await nextTurn();
    return !stopped && (await lease.hold());
  };

  function wake(delayMs: number): void {
    if (stopped) return;
    cancel = clock.after(delayMs, () => {
      running = round(mayGoOn, isStopped)
        .catch((error: unknown) => {
          if (!(error instanceof StoreUnavailable)) return reportBug(log, what, error);
          logUnavailable(log, 'warn', performance.now(), { err: error }, away);
        })
        .then(() => wake(everyMs));
    });
  }

  return {
    start: () => wake(firstMs),
    round: () => round(mayGoOn, isStopped),
    async stop() {
      stopped = true;
      cancel?.();
      await running;
      await lease.release().catch(ifUnavailable(() => {})); // then it runs out by itself
    },
  };
}
