/** What clients see of a batch, and of its devices. */
import { z } from 'zod';
import type { Batch, BatchRow } from '../../actors/batches/model.ts';
import {
  BATCH_REASONS,
  BATCH_SENTENCES,
  type BatchReason,
  reasonOfSentence,
} from '../../actors/batches/reasons.ts';
import { refusedByDevice } from '../wire/errors.ts';
import { refusalOf } from './stored-refusal.ts';

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

export function viewBatchRow({ row, id, name, outcome, message }: BatchResult): z.infer<typeof batchRowView> {
  return { row, deviceId: id, name, outcome: OUTCOMES[outcome], message };
}

export const viewBatchRowWithReason = (result: BatchResult): z.infer<typeof batchRowView> => ({
  ...viewBatchRow(result),
  reason: reasonOf(result),
});

/** A reason as it is stored, in so far as it is known here. */
const storedReason = z.discriminatedUnion('code', [
  z.object({ code: z.enum(BATCH_REASONS) }),
  z.object({ code: z.literal('device-refused'), refusal: z.unknown().transform(refusalOf) }),
]);

/**
 * The sentence is what a row says. The code beside it counts where it says the same: a newer version may have written one that is not
 * known here, and an older version leaves one behind when it gives the row another sentence.
 */
function reasonOf({ message, reason }: BatchResult): z.infer<typeof batchReasonView> | null {
  if (message === null) return null;
  const stored = knownReason(reason);
  const said = stored !== undefined && inEnglish(stored) === message ? stored : reasonOfSentence(message);
  if (said === undefined) return { code: 'sentence' };
  if (said.code !== 'device-refused') return said;
  return { code: 'device-refused', why: refusedByDevice(said.refusal).reason };
}

function knownReason(stored: unknown): BatchReason | undefined {
  const reason = storedReason.safeParse(stored).data;
  if (reason?.code !== 'device-refused') return reason;
  const { code, refusal } = reason;
  return refusal === undefined ? undefined : { code, refusal };
}

const inEnglish = (reason: BatchReason): string =>
  reason.code === 'device-refused' ? refusedByDevice(reason.refusal).message : BATCH_SENTENCES[reason.code];
