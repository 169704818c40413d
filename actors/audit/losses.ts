/**
 * What customers have lost without giving it back: by a factory reset of the device, or by a take-over (rule N6). Each customer
 * has one record with its newest losses. It is written with the audit trail, from the same events, so it is a second behind,
 * outlives a crash, and is not kept where the trail is switched off.
 */
import type { Clock, Instant } from '../base/clock.ts';
import type { CustomerId, DeviceId } from '../base/ids.ts';
import type { DeviceEvent } from '../device/device.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';

export interface Loss {
  readonly deviceId: DeviceId;
  /** The number of the event: what is read twice is written once. */
  readonly number: number;
  /** What the device was called then. */
  readonly deviceName: string;
  readonly at: Instant;
  readonly by: 'reset' | 'take-over';
}

export interface Losses {
  /** Of a customer, the newest first. */
  of(customerId: CustomerId): Promise<readonly Loss[]>;
  /** Enters losses that are not there yet. */
  add(losses: LossesByCustomer): Promise<void>;
  /** The customer is gone. */
  forget(customerId: CustomerId): Promise<void>;
}

export type LossesByCustomer = ReadonlyMap<CustomerId, readonly Loss[]>;

/** Of one customer; the oldest go. */
export const LOSSES_MAX = 100;
export const LOSSES_KEPT_MS = 90 * 86_400_000;

export function createLosses(store: Store, clock: Clock): Losses {
  const records = openRecords<{ readonly losses: readonly Loss[] }>(store, 'losses');
  const isKept = ({ at }: Loss): boolean => at > clock.now() - LOSSES_KEPT_MS;

  return {
    async of(customerId) {
      const { losses = [] } = (await records.get(customerId)) ?? {};
      return losses.filter(isKept);
    },

    async add(losses) {
      for (const [customerId, some] of losses) {
        await records.update(customerId, (record) => {
          const there = record?.losses ?? [];
          const fresh = some.filter((loss) => !there.some((one) => isSame(one, loss)));
          if (fresh.length === 0) return record;
          const all = [...fresh, ...there].filter(isKept).sort((a, b) => b.at - a.at);
          return { losses: all.slice(0, LOSSES_MAX) };
        });
      }
    },

    forget: (customerId) => records.remove(customerId),
  };
}

/** Who has lost the device by this event, and by what; undefined: nobody, or by giving it back, or to the tenant. */
export function lostBy(
  event: DeviceEvent,
): { readonly customerId: CustomerId; readonly by: Loss['by'] } | undefined {
  switch (event.type) {
    case 'DeviceReset':
      return { customerId: event.previousCustomerId, by: 'reset' };
    case 'DeviceTakenOver':
      return { customerId: event.previousCustomerId, by: 'take-over' };
    default:
      return undefined;
  }
}

function isSame(one: Loss, other: Loss): boolean {
  return one.deviceId === other.deviceId && one.number === other.number;
}
