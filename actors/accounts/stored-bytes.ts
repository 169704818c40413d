/**
 * How many bytes each tenant has sent to be kept: entities, attributes, rows of imports. The log keeps every change, and so
 * does the disk: what is deleted or written over counts on. What devices send is bounded by their number and their windows
 * (`../fleet/device-quotas.ts`, `write-quotas.ts`), and claims by both; so they are not counted here and never refused.
 *
 * It is written down in lots, by each process on the store: a restart forgets less than a lot of each tenant.
 */
import type { CustomerId, TenantId } from '../base/ids.ts';
import { type Log, logBounded } from '../base/log.ts';
import { ifUnavailable } from '../journal/unavailable.ts';
import { openRecords } from '../records/records.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Store } from '../store/store.ts';

/** The users of a tenant, or those of one customer: who fills one account leaves the others alone. */
type Whose = TenantId | CustomerId;

export interface StoredBytes {
  /** How many a tenant may keep; 0: any number. */
  readonly max: number;
  of(whose: Whose): Promise<number>;
  /** Whether the tenant's own users have kept all that it may, or a customer's a hundredth of that. */
  isFull(whose: Whose, isCustomer?: boolean): Promise<boolean>;
  /** So much more is kept. Nobody waits for that to be written down. */
  add(whose: Whose, bytes: number): void;
  /** It is gone, and its account with it. */
  forget(whose: Whose): Promise<void>;
}

/** How many customers may each fill what they may, until together they have kept as much as their tenant. */
const CUSTOMERS_PER_TENANT = 100;
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
  const unwritten = new Map<Whose, number>();
  const underWay = new Set<Promise<unknown>>();

  function write(whose: Whose): void {
    const more = unwritten.get(whose) ?? 0;
    unwritten.delete(whose);
    const again = () => unwritten.set(whose, (unwritten.get(whose) ?? 0) + more);
    const writing: Promise<unknown> = totals
      .update(whose, (total) => ({ bytes: (total?.bytes ?? 0) + more }))
      .catch(ifUnavailable(again))
      .catch((error: unknown) => reportBug(log, 'http request', error))
      .finally(() => underWay.delete(writing));
    underWay.add(writing);
  }

  const of = async (whose: Whose) => ((await totals.get(whose))?.bytes ?? 0) + (unwritten.get(whose) ?? 0);

  return {
    max,
    of,

    async isFull(whose, isCustomer) {
      const most = isCustomer ? max / CUSTOMERS_PER_TENANT : max;
      if (max === 0 || (await of(whose)) < most) return false;
      const about = { whose, bytes: most };
      logBounded(
        log,
        'warn',
        performance.now(),
        about,
        isCustomer
          ? 'a customer has stored as much as it may: it is refused more'
          : 'a tenant has stored as much as it may: it is refused more',
      );
      return true;
    },

    add(whose, bytes) {
      if (max === 0) return;
      const more = (unwritten.get(whose) ?? 0) + bytes;
      unwritten.set(whose, more);
      if (more >= lotBytes) write(whose);
      else if (unwritten.size > TENANTS_MAX) for (const one of [...unwritten.keys()]) write(one);
    },

    async forget(whose) {
      await Promise.all(underWay); // or a write that began before would make the account anew
      unwritten.delete(whose);
      await totals.remove(whose);
    },
  };
}
