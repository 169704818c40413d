/**
 * How often the devices of one tenant may change within a minute: every change is written and most are kept, so without a
 * bound one tenant's devices fill the disk of all. Each window, each attribute that is saved counts.
 *
 * Only who opens windows and who saves attributes has to wait, for those can be repeated without end; a claim, a give-back
 * or a deletion never does. Counted when a change is durable, by each process for itself: what is under way goes over the
 * bound, and several processes each allow the whole.
 */
import type { TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { DeviceListener } from './devices.ts';

export interface WriteQuotas {
  /** Counts. */
  readonly onDeviceEvent: DeviceListener;
  /** Whether any tenant has to wait now: a look that costs nothing. */
  readonly someWait: boolean;
  /** How long the tenant has to wait, in ms; 0: it need not. */
  waitOf(tenantId: TenantId): number;
}

const WINDOW_MS = 60_000;

/**
 * @param writesPerTenant within a minute; 0: no limit
 * @param now milliseconds of a clock that is never set
 */
export function createWriteQuotas(
  writesPerTenant: number,
  log: Log,
  now: () => number = () => performance.now(),
): WriteQuotas {
  let writes = new Map<TenantId, number>();
  const waiting = new Set<TenantId>();
  let endsAt = Number.NEGATIVE_INFINITY;

  function begin(at: number): void {
    writes = new Map();
    waiting.clear();
    endsAt = at + WINDOW_MS;
  }

  function count(tenantId: TenantId): void {
    const at = now();
    if (at >= endsAt) begin(at);
    const counted = (writes.get(tenantId) ?? 0) + 1;
    writes.set(tenantId, counted);
    if (counted !== writesPerTenant) return;
    waiting.add(tenantId);
    const retryAfterSeconds = Math.ceil((endsAt - at) / 1000);
    log.warn(
      { tenantId, writesPerTenant, retryAfterSeconds },
      'the devices of a tenant change too often: it waits',
    );
  }

  return {
    onDeviceEvent(_id, event, state) {
      // Who is refused writes by a bound of its own, and no device is to wait for that.
      if (event.type === 'ClaimsRefused') return;
      if (writesPerTenant > 0 && state.status === 'provisioned') count(state.tenantId);
    },
    get someWait() {
      return waiting.size > 0;
    },
    waitOf(tenantId) {
      const waitMs = waiting.has(tenantId) ? Math.ceil(endsAt - now()) : 0;
      return Math.max(0, waitMs);
    },
  };
}
