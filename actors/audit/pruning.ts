/**
 * Lets go of old entries of the audit trails, where the operator wants that: a trail grows for as long as there is a tenant.
 * Once an hour, a tenant at a time.
 */
import type { Clock } from '../base/clock.ts';
import { cautiousTime } from '../base/clock-steps.ts';
import type { TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { createRounds, type Rounds } from '../records/rounds.ts';
import type { Store } from '../store/store.ts';
import { createBlocks } from './blocks.ts';
import type { Keep } from './cut.ts';

const EVERY_MS = 3_600_000;
const FIRST_MS = 120_000;

/** @param tenants all there are */
export function createPruning(
  store: Store,
  keep: Keep,
  tenants: () => AsyncIterable<TenantId>,
  clock: Clock,
  log: Log,
): Rounds {
  const blocks = createBlocks(store);
  const now = cautiousTime(clock);
  const rounds = createRounds(
    store,
    {
      name: 'audit-pruning',
      what: 'audit',
      firstMs: FIRST_MS,
      everyMs: EVERY_MS,
      away: 'old entries of audit trails could not be let go of; trying again',
      async round(mayGoOn) {
        for await (const tenantId of tenants()) {
          let gone: number;
          do {
            if (!(await mayGoOn())) return;
            gone = await blocks.prune(tenantId, keep, now());
            if (gone > 0)
              log.info({ tenantId, entries: gone }, 'old entries of an audit trail were let go of');
          } while (gone > 0);
        }
      },
    },
    clock,
    log,
  );
  const keepsAll = keep.forMs === 0 && keep.entries === 0;
  return keepsAll ? { ...rounds, start() {} } : rounds;
}
