/** What clients see of a batch, and of its devices. */
import { z } from 'zod';
import { BATCH_REASONS, type Batch, type BatchReason, type BatchRow } from '../../actors/batches/model.ts';
import { refusedByDevice } from '../wire/errors.ts';

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

/** Why a device was left as it was, for programs. `why`: a reason code, as the API has them; absent where it tells none. */
const batchReasonView = z.discriminatedUnion('code', [
  z.object({ code: z.enum(BATCH_REASONS) }),
  z.object({ code: z.literal('device-refused'), why: z.string().optional() }),
  z.object({ code: z.literal('sentence') }),
]);

export const batchRowView = z
  .object({
    row: z.int(),
    deviceId: z.string(),
    name: z.string().nullable(),
    outcome: z.enum(Object.values(OUTCOMES)),
    message: z.string().nullable(),
    /** With `reasons=true`: what the message says. */
    reason: batchReasonView.nullable().optional(),
  })
  .meta({ id: 'DeviceBatchRow' });

type BatchResult = BatchRow & { readonly row: number };

export function viewBatchRow({ row, id, name, outcome, reason }: BatchResult): z.infer<typeof batchRowView> {
  const message = reason === null ? null : inEnglish(reason);
  return { row, deviceId: id, name, outcome: OUTCOMES[outcome], message };
}

export const viewBatchRowWithReason = (result: BatchResult): z.infer<typeof batchRowView> => ({
  ...viewBatchRow(result),
  reason: result.reason === null ? null : viewReason(result.reason),
});

function viewReason(reason: BatchReason): z.infer<typeof batchReasonView> {
  if (reason.code === 'sentence') return { code: 'sentence' };
  if (reason.code !== 'device-refused') return reason;
  return { code: 'device-refused', why: refusedByDevice(reason.refusal).reason };
}

const SENTENCES: Readonly<Record<(typeof BATCH_REASONS)[number], string>> = {
  'no-device': 'There is no such device',
  'changed-hands': 'It changed hands meanwhile, so it was left alone',
  'described-by-owner': 'Its owner has described it, so it was left alone',
  'changed-since': 'It was changed since, so it was left alone',
  'customer-gone': 'The customer is not there any more',
  'not-allowed': 'Who asked for it may not do it any more',
  'no-answer': 'There was no answer',
  unreadable: 'Its stored record cannot be read',
};

function inEnglish(reason: BatchReason): string {
  switch (reason.code) {
    case 'device-refused':
      return refusedByDevice(reason.refusal).message;
    case 'sentence':
      return reason.sentence;
    default:
      return SENTENCES[reason.code];
  }
}
