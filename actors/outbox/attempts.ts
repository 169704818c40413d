/** The newest attempts of each target, for people: what was sent, when, and what became of it. */
import type { Instant } from '../base/clock.ts';
import type { DeviceId } from '../base/ids.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import type { Delivery, Message, ReadAt, Told } from './message.ts';

/** Of one target; the oldest go. */
const ATTEMPTS_MAX = 100;

export interface Attempt extends Told {
  readonly id: string;
  readonly type: string;
  readonly deviceId: DeviceId | null;
  /** Of the attempt. */
  readonly at: Instant;
  /** Which one of this message it was, from 1. */
  readonly number: number;
  readonly isDelivered: boolean;
  /** Where the message is in the log, to be read again. */
  readonly readAt: ReadAt | null;
}

export interface Attempts {
  /** The newest first. */
  of(target: string): Promise<readonly Attempt[]>;
  add(target: string, attempts: readonly Attempt[]): Promise<void>;
  forget(target: string): Promise<void>;
}

export function createAttempts(store: Pick<Store, 'records' | 'swap'>): Attempts {
  const records = openRecords<{ readonly attempts: readonly Attempt[] }>(store, 'outbox-attempts');
  return {
    of: async (target) => (await records.get(target))?.attempts ?? [],
    async add(target, attempts) {
      if (attempts.length === 0) return;
      const newest = [...attempts].reverse();
      await records.update(target, (there) => ({
        attempts: [...newest, ...(there?.attempts ?? [])].slice(0, ATTEMPTS_MAX),
      }));
    },
    forget: (target) => records.remove(target),
  };
}

export function attemptAt(
  message: Message,
  delivery: Delivery,
  { at, number, readAt }: Pick<Attempt, 'at' | 'number' | 'readAt'>,
): Attempt {
  const { id, type, deviceId } = message;
  const isDelivered = delivery.type === 'delivered';
  return { id, type, deviceId, at, number, isDelivered, readAt, ...delivery.told };
}
