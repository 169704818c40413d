/** What a batch is (one change to many devices), what can be asked of it, and what is kept of each device to undo it. */
import type { BegunIn } from '../accounts/model.ts';
import type { Instant } from '../base/clock.ts';
import type { ApiKeyId, BatchId, CustomerId, DeviceId, TenantId, UserId } from '../base/ids.ts';
import type { ToldReason } from '../records/told.ts';

/** Devices of one batch. */
export const BATCH_DEVICES_MAX = 25_000;
/** Batches of one tenant that wait or are under way. */
export const BATCHES_UNDER_WAY_MAX = 5;

/** What is done with each device. */
export type BatchChange =
  | { readonly type: 'assign'; readonly customerId: CustomerId }
  | { readonly type: 'take-back' }
  | { readonly type: 'allow' }
  | { readonly type: 'forbid' }
  /** Each gets this label; null: none. */
  | { readonly type: 'label'; readonly label: string | null }
  /** Each gets a key of its own. */
  | { readonly type: 'keys'; readonly expiresAt: Instant }
  | { readonly type: 'delete' };

export interface Batch {
  readonly id: BatchId;
  /** Counts the changes, from 1. */
  readonly version: number;
  readonly tenantId: TenantId;
  readonly createdBy: UserId;
  /** The administrator who looks in as that user. */
  readonly impersonatorId?: UserId;
  /** The API key that asked for it. */
  readonly apiKeyId?: ApiKeyId;
  /** Absent with an API key, and in records of older versions. */
  readonly begunIn?: BegunIn;
  readonly createdAt: Instant;
  readonly change: BatchChange;
  /** The batch that this one undoes: its devices get back what that one took. */
  readonly undoes?: BatchId;
  /** The batch that undoes this one. */
  readonly undoneBy?: BatchId;
  /**
   * `preparing`: its devices are written down; one that is left so was broken off, and nothing was done. `cancelling`: it
   * ends after the devices that it is at. `stopped`: who asked for it may not do it any more, so the rest was left alone.
   */
  readonly state: 'preparing' | 'running' | 'cancelling' | 'done' | 'cancelled' | 'stopped';
  /** Devices that it is about. */
  readonly rows: number;
  /** Devices that it is through with. */
  readonly through: number;
  /** Devices that were begun; the outcomes of those after `through` are not written yet. */
  readonly begun: number;
  readonly done: number;
  /** Devices that were as they should be already. */
  readonly unchanged: number;
  readonly refused: number;
}

/** What a device was like just before; enough to give it back, and to see whether it was changed meanwhile. */
export interface Before {
  readonly customerId: CustomerId | null;
  readonly epoch: number;
  /** `claimingAllowed`; null: it was not set. */
  readonly allowed: boolean | null;
  /** Absent in records of older versions, which changed no labels. */
  readonly label?: string | null;
}

type Outcome = 'waiting' | 'done' | 'unchanged' | 'refused';

export interface BatchRow extends ToldReason {
  readonly id: DeviceId;
  /** Null until the batch comes to it, and where there is no such device. */
  readonly name: string | null;
  readonly outcome: Outcome;
  /** Null: there was no such device. Undefined: the batch has not come to it. */
  readonly before?: Before | null;
  /** Of a batch that undoes another one: what the device is to get back. */
  readonly restore?: Before;
}

interface NewBatch {
  readonly tenantId: TenantId;
  readonly createdBy: UserId;
  readonly impersonatorId?: UserId;
  readonly apiKeyId?: ApiKeyId;
  readonly begunIn?: BegunIn;
  readonly change: BatchChange;
}

export type BatchAnswer =
  | { readonly type: 'done'; readonly batch: Batch }
  | {
      readonly type: 'refused';
      readonly reason: 'not-found' | 'not-in-this-state' | 'too-many' | 'not-undoable' | 'undone-already';
    };

export interface Batches {
  /** Begins in the background. @param devices at most `BATCH_DEVICES_MAX`, each once */
  begin(batch: NewBatch, devices: readonly DeviceId[]): Promise<BatchAnswer>;
  find(tenantId: TenantId, id: string): Promise<Batch | undefined>;
  /** The newest first. */
  list(tenantId: TenantId): Promise<readonly Batch[]>;
  /** Ends one that is under way; what was done stays. */
  cancel(tenantId: TenantId, id: string): Promise<BatchAnswer>;
  /** Begins another batch that gives the devices back what this one took; of those that were changed since, it leaves alone. */
  undo(by: Omit<NewBatch, 'change'>, id: string): Promise<BatchAnswer>;
  results(
    batch: Batch,
    query: { readonly page: number; readonly pageSize: number; readonly refusedOnly: boolean },
  ): Promise<{ readonly items: readonly (BatchRow & { readonly row: number })[]; readonly total: number }>;
  /** Goes on with what was under way when the process ended. */
  resume(): Promise<void>;
  /** Goes on with what no process works at: its run failed, or its process died. To be called from time to time. */
  takeOver(): Promise<void>;
  /** Ends runs at the next devices; they go on with `resume`. */
  stop(): Promise<void>;
}

/** Whether a change can be undone. */
export function isUndoable({ type }: BatchChange): boolean {
  return type === 'assign' || type === 'allow' || type === 'forbid' || type === 'label';
}

export const isUnderWay = ({ state }: Pick<Batch, 'state'>) => state === 'running' || state === 'cancelling';
