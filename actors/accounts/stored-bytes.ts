/**
 * How many bytes each tenant has sent to be kept: entities, attributes, rows of imports. The log keeps every change, and so
 * does the disk: what is deleted or written over counts on. What devices send is bounded by their number and their windows
 * (`../fleet/device-quotas.ts`, `write-quotas.ts`), and claims by both; so they are not counted here and never refused.
 *
 * It is written down in lots, by each process on the store: a restart forgets less than a lot of each tenant.
 */
import type { TenantId } from '../base/ids.ts';
import { type Log, logBounded } from '../base/log.ts';
import { ifUnavailable } from '../journal/unavailable.ts';
import { openRecords } from '../records/records.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Store } from '../store/store.ts';

export interface StoredBytes {
  /** How many a tenant may keep; 0: any number. */
  readonly max: number;
  of(tenantId: TenantId): Promise<number>;
  /** Whether the tenant has kept all that it may. */
  isFull(tenantId: TenantId): Promise<boolean>;
  /** So much more is kept. Nobody waits for that to be written down. */
  add(tenantId: TenantId, bytes: number): void;
  forget(tenantId: TenantId): Promise<void>;
}

const LOT_BYTES = 65_536;
/** Tenants of which less than a lot is not written down yet; beyond it all is written. */
const TENANTS_MAX = 10_000;

/** @param max bytes of one tenant; 0: no limit, and nothing is counted */
export function createStoredBytes(
  store: Pick<Store, 'records' | 'swap'>,
  max: number,
  log: Log,
  lotBytes = LOT_BYTES,
): StoredBytes {
  const totals = openRecords<{ readonly bytes: number }>(store, 'stored-bytes');
  const unwritten = new Map<TenantId, number>();

  function write(tenantId: TenantId): void {
    const more = unwritten.get(tenantId) ?? 0;
    unwritten.delete(tenantId);
    const again = () => unwritten.set(tenantId, (unwritten.get(tenantId) ?? 0) + more);
    totals
      .update(tenantId, (total) => ({ bytes: (total?.bytes ?? 0) + more }))
      .catch(ifUnavailable(again))
      .catch((error: unknown) => reportBug(log, 'http request', error));
  }

  const of = async (tenantId: TenantId) =>
    ((await totals.get(tenantId))?.bytes ?? 0) + (unwritten.get(tenantId) ?? 0);

  return {
    max,
    of,

    async isFull(tenantId) {
      if (max === 0 || (await of(tenantId)) < max) return false;
      const about = { tenantId, bytes: max };
      logBounded(
        log,
        'warn',
        performance.now(),
        about,
        'a tenant has stored as much as it may: it is refused more',
      );
      return true;
    },

    add(tenantId, bytes) {
      if (max === 0) return;
      const more = (unwritten.get(tenantId) ?? 0) + bytes;
      unwritten.set(tenantId, more);
      if (more >= lotBytes) write(tenantId);
      else if (unwritten.size > TENANTS_MAX) for (const one of [...unwritten.keys()]) write(one);
    },

    async forget(tenantId) {
      unwritten.delete(tenantId);
      await totals.remove(tenantId);
    },
  };
}
