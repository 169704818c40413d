/** What clients see of a batch, and of its devices. */
import { z } from 'zod';
import type { Batch, BatchRow } from '../../actors/batches/model.ts';

/** What a batch does, by its stored form. */
export const CHANGES = {
  assign: 'ASSIGN',
  'take-back': 'TAKE_BACK',
  allow: 'ALLOW_CLAIMING',
  forbid: 'FORBID_CLAIMING',
  label: 'SET_LABEL',
  keys: 'SET_KEYS',
  delete: 'DELETE',
} as const;

const STATES = {
  preparing: 'PREPARING',
  running: 'RUNNING',
  cancelling: 'CANCELLING',
  done: 'DONE',
  cancelled: 'CANCELLED',
  stopped: 'STOPPED',
} as const;

export const batchView = z
  .object({
    id: z.string(),
    createdTime: z.int(),
    change: z.enum(Object.values(CHANGES)),
    /** Of `ASSIGN`: to whom. */
    customerId: z.string().nullable(),
    /** Of `SET_LABEL`; null: the label is taken away. */
    label: z.string().nullable(),
    /** `PREPARING`: it has not begun; `STOPPED`: who asked for it may not do it any more. */
    state: z.enum(Object.values(STATES)),
    devices: z.int(),
    /** Devices that it is through with, and what became of them; `unchanged` were as they should be already. */
    through: z.int(),
    done: z.int(),
    unchanged: z.int(),
    refused: z.int(),
    undoable: z.boolean(),
    /** The batch that this one undoes, and the one that undoes this. */
    undoes: z.string().nullable(),
    undoneBy: z.string().nullable(),
  })
  .meta({ id: 'DeviceBatch' });

/** @param undoable whether it can be undone now */
export function viewBatch(batch: Batch, undoable: boolean): z.infer<typeof batchView> {
  const { id, createdAt, change, state, rows, through, done, unchanged, refused } = batch;
  return {
    id,
    createdTime: createdAt,
    change: CHANGES[change.type],
    customerId: change.type === 'assign' ? change.customerId : null,
    label: change.type === 'label' ? change.label : null,
    state: STATES[state],
    devices: rows,
    through,
    done,
    unchanged,
    refused,
    undoable,
    undoes: batch.undoes ?? null,
    undoneBy: batch.undoneBy ?? null,
  };
}

const OUTCOMES = { waiting: 'WAITING', done: 'DONE', unchanged: 'UNCHANGED', refused: 'REFUSED' } as const;

export const batchRowView = z
  .object({
    row: z.int(),
    deviceId: z.string(),
    name: z.string().nullable(),
    outcome: z.enum(Object.values(OUTCOMES)),
    message: z.string().nullable(),
  })
  .meta({ id: 'DeviceBatchRow' });

export function viewBatchRow({
  row,
  id,
  name,
  outcome,
  message,
}: BatchRow & { readonly row: number }): z.infer<typeof batchRowView> {
  return { row, deviceId: id, name, outcome: OUTCOMES[outcome], message };
}
