/**
 * Lets go of old entries of the audit trails, where the operator wants that: a trail grows for as long as there is a tenant.
 * Once an hour, in the background, a tenant at a time. Of several processes one does it, under a lease; two at once do no
 * harm.
 */
import type { Cancel, Clock } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { ifUnavailable, logUnavailable, StoreUnavailable } from '../journal/unavailable.ts';
import { createLease } from '../records/lease.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Store } from '../store/store.ts';
import { createBlocks, type Keep } from './blocks.ts';

const EVERY_MS = 3_600_000;
/** After the start, whose first moments belong to devices that come back. */
const FIRST_MS = 120_000;
const LEASE_MS = 6_000;

export interface Pruning {
  start(): void;
  /** Looks through all trails. */
  round(): Promise<void>;
  stop(): Promise<void>;
}

/** @param tenants all there are */
export function createPruning(
  store: Store,
  keep: Keep,
  tenants: () => AsyncIterable<TenantId>,
  clock: Clock,
  log: Log,
): Pruning {
  const blocks = createBlocks(store);
  const lease = createLease(store, clock, 'audit-pruning', LEASE_MS);
  const keepsAll = keep.forMs === 0 && keep.entries === 0;
  let cancel: Cancel | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  async function round(): Promise<void> {
    for await (const tenantId of tenants()) {
      let gone: number;
      do {
        if (stopped || !(await lease.hold())) return;
        gone = await blocks.prune(tenantId, keep, clock.now());
        if (gone > 0) log.info({ tenantId, entries: gone }, 'old entries of an audit trail were let go of');
      } while (gone > 0);
    }
  }

  function wake(delayMs: number): void {
    if (stopped || keepsAll) return;
    cancel = clock.after(delayMs, () => {
      running = round()
        .catch((error: unknown) => {
          if (!(error instanceof StoreUnavailable)) return reportBug(log, 'audit', error);
          const message = 'old entries of audit trails could not be let go of; trying again';
          logUnavailable(log, 'warn', performance.now(), { err: error }, message);
        })
        .then(() => wake(EVERY_MS));
    });
  }

  return {
    start: () => wake(FIRST_MS),
    round,
    async stop() {
      stopped = true;
      cancel?.();
      await running;
      await lease.release().catch(ifUnavailable(() => {})); // then it runs out by itself
    },
  };
}
