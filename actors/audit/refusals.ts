/**
 * Refused claims as events of their devices, so that whoever reads the log hears of them: webhooks, the event topic, the resumable
 * feed. The audit trail has each by itself, from a note.
 *
 * They are counted in memory, and written as one event for each device, minute and process: behind the answer, through the device's actor,
 * so in order with everything else that happens to it. In this process a claim waits for such a write at most as it waits for
 * any other of its device; in another process it may meet one in the same instant, as it may meet any event, and then decides once
 * more on the newer head. What each process can write is bounded by customer and by tenant. Claims that a limit stops never come here.
 *
 * An orderly stop writes the counts; a crash loses those of the last minute. Where nobody knows whether an event was written it is not
 * tried again, so the same refusals are never told twice.
 */
import { type Cancel, type Clock, sleep } from '../base/clock.ts';
import type { CustomerId, DeviceId, TenantId } from '../base/ids.ts';
import { type Log, logBounded } from '../base/log.ts';
import type { ClaimedBy } from '../device/refused-claims.ts';
import type { Devices } from '../fleet/devices.ts';
import { createQuota } from '../limits/quota.ts';
import type { AuditTrail } from './audit.ts';
import type { Note } from './entry.ts';

/** From the first refusal of a device until they are told. */
const PERIOD_MS = 60_000;
/** Devices of which the refusals of one customer are told in a minute, and those of all customers of a tenant. */
const OF_CUSTOMER_MAX = 20;
const OF_TENANT_MAX = 100;
/** Devices that are counted at once, about 400 bytes each. */
const COUNTED_MAX = 10_000;
/** Events that are being written at once. */
const AT_ONCE = 10;
/** While the devices have too much to do. */
const TRIES = 5;
const ASK_AGAIN_MS = 1_000;
/** How long a stop waits for them. */
const LAST_MS = 1_000;

export interface RefusedClaim {
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
  readonly deviceId: DeviceId;
  /** A code of ours. */
  readonly reason: string;
  readonly by: ClaimedBy;
}

export interface Refusals {
  /** Costs next to nothing and never fails. */
  count(refused: RefusedClaim): void;
  /** Writes what is counted, and counts nothing more. */
  stop(): Promise<void>;
}

interface Period {
  readonly tenantId: TenantId;
  readonly since: number;
  readonly endsAt: number;
  readonly reasons: Map<string, number>;
  readonly by: Map<ClaimedBy, number>;
}

interface Needs {
  readonly devices: Pick<Devices, 'ask'>;
  readonly clock: Clock;
  readonly log: Log;
}

export function createRefusals({ devices, clock, log }: Needs): Refusals {
  /** The oldest first. */
  const periods = new Map<DeviceId, Period>();
  const elapsed = () => clock.elapsed();
  const ofCustomer = createQuota({ max: OF_CUSTOMER_MAX, windowMs: PERIOD_MS }, COUNTED_MAX, elapsed);
  const ofTenant = createQuota({ max: OF_TENANT_MAX, windowMs: PERIOD_MS }, COUNTED_MAX, elapsed);
  let cancel: Cancel | undefined;
  let writing: Promise<void> = Promise.resolve();
  let isStopped = false;

  function begin({ tenantId, customerId, deviceId }: RefusedClaim): Period | undefined {
    const isOver =
      periods.size >= COUNTED_MAX || ofCustomer.take(customerId) > 0 || ofTenant.take(tenantId) > 0;
    if (isOver) {
      const fields = { tenantId, customerId };
      logBounded(
        log,
        'warn',
        elapsed(),
        fields,
        'a limit was reached: claims of too many devices were refused; no events tell of the rest',
      );
      return undefined;
    }
    const endsAt = elapsed() + PERIOD_MS;
    const period = { tenantId, since: clock.now(), endsAt, reasons: new Map(), by: new Map() };
    periods.set(deviceId, period);
    cancel ??= clock.after(PERIOD_MS, sweep);
    return period;
  }

  function sweep(): void {
    cancel = undefined;
    const at = elapsed();
    const over: [DeviceId, Period][] = [];
    for (const [id, period] of periods) {
      if (period.endsAt > at) break;
      periods.delete(id);
      over.push([id, period]);
    }
    writing = writing.then(() => writeAll(over));
    const [next] = periods.values();
    if (next !== undefined) cancel = clock.after(Math.max(1, next.endsAt - at), sweep);
  }

  async function writeAll(some: readonly (readonly [DeviceId, Period])[]): Promise<void> {
    for (let at = 0; at < some.length; at += AT_ONCE)
      await Promise.all(some.slice(at, at + AT_ONCE).map(([id, period]) => write(id, period)));
  }

  /** Of a device that is gone, or another tenant's, nothing is told. */
  async function write(id: DeviceId, { tenantId, since, reasons, by }: Period): Promise<void> {
    const counts = { since, reasons: Object.fromEntries(reasons), by: Object.fromEntries(by) };
    for (let tries = 1; ; tries += 1) {
      const answer = await devices.ask(id, { type: 'NoteRefusedClaims', tenantId, ...counts });
      if (answer.type !== 'unavailable') return;
      // Where too much is under way nothing was done. Of any other reason nobody knows.
      if (answer.reason !== 'overloaded' || tries === TRIES || isStopped) return complain(id, answer.reason);
      await sleep(clock, ASK_AGAIN_MS);
    }
  }

  function complain(deviceId: DeviceId, why: string): void {
    const fields = { deviceId, why };
    logBounded(
      log,
      'warn',
      elapsed(),
      fields,
      'refused claims of a device are told by no event: it gave no answer',
    );
  }

  return {
    count(refused) {
      if (isStopped) return;
      const period = periods.get(refused.deviceId) ?? begin(refused);
      if (period === undefined) return;
      countUp(period.reasons, refused.reason);
      countUp(period.by, refused.by);
    },

    async stop() {
      isStopped = true;
      cancel?.();
      const left = [...periods];
      periods.clear();
      writing = writing.then(() => writeAll(left));
      await Promise.race([writing, new Promise<void>((enough) => clock.after(LAST_MS, enough))]);
    },
  };
}

function countUp<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** A trail whose refused claims are counted for events, too. */
export function countingRefusals<Trail extends Pick<AuditTrail, 'note'>>(
  trail: Trail,
  refusals: Pick<Refusals, 'count'>,
): Trail {
  return {
    ...trail,
    note(note: Note) {
      trail.note(note);
      const refused = refusedClaimOf(note);
      if (refused !== undefined) refusals.count(refused);
    },
  };
}

/** Undefined: it is none, or of no device. That a device waits now, because of many, is noted beside them and names no customer. */
function refusedClaimOf({ tenantId, action, deviceId, customerId, failure }: Note): RefusedClaim | undefined {
  if (action !== 'CLAIM_REFUSED' || failure === undefined) return undefined;
  if (deviceId === undefined || customerId === undefined) return undefined;
  return { tenantId, customerId, deviceId, reason: failure, by: 'secret' };
}
