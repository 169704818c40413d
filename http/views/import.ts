/** What clients see of an import of devices, and of its rows. */
import { z } from 'zod';
import { CREDENTIALS_TYPES } from '../../actors/device/state.ts';
import type { ImportJob, RowResult } from '../../actors/imports/model.ts';
import { reasonOfSentence } from '../../actors/imports/older-rows.ts';
import {
  BARE_REASONS,
  ROW_COLUMNS,
  type RowReason,
  reasonInEnglish,
} from '../../actors/imports/row-reasons.ts';

export const importView = z
  .object({
    id: z.string(),
    createdTime: z.int(),
    /**
     * `TRIED`: the dry run is complete, nothing was changed. `CANCELLED`: the devices that were created stay. `STOPPED`: the
     * same, who started it may not do it any more.
     */
    state: z.enum(['RECEIVING', 'TRYING', 'TRIED', 'RUNNING', 'CANCELLING', 'DONE', 'CANCELLED', 'STOPPED']),
    rows: z.int(),
    /** Rows that this run has finished, and how many of them are good or refused. */
    through: z.int(),
    good: z.int(),
    refused: z.int(),
  })
  .meta({ id: 'DeviceImport' });

const STATES = {
  receiving: 'RECEIVING',
  trying: 'TRYING',
  tried: 'TRIED',
  running: 'RUNNING',
  cancelling: 'CANCELLING',
  cancelled: 'CANCELLED',
  stopped: 'STOPPED',
  done: 'DONE',
} as const;

export function viewImport({
  id,
  createdAt,
  state,
  rows,
  through,
  good,
  refused,
}: ImportJob): z.infer<typeof importView> {
  return { id, createdTime: createdAt, state: STATES[state], rows, through, good, refused };
}

const column = z.enum(ROW_COLUMNS);
const kind = z.enum(CREDENTIALS_TYPES);

/** Why a row is refused, for programs; see `actors/imports/row-reasons.ts`. */
const rowReasonView = z.discriminatedUnion('code', [
  z.object({ code: z.enum(BARE_REASONS) }),
  z.object({ code: z.literal('name-taken'), viaGateway: z.boolean() }),
  z.object({ code: z.enum(['credentials-twice', 'credentials-taken']), kind }),
  z.object({ code: z.enum(['token-too-short', 'secret-too-short']), min: z.int() }),
  z.object({ code: z.literal('too-many-devices'), max: z.int() }),
  z.object({ code: z.literal('too-long'), column, max: z.int() }),
  z.object({ code: z.literal('not-shown'), column }),
  z.object({ code: z.literal('hidden'), column, which: z.string() }),
  /** `why`: a reason code, as the API has them. */
  z.object({ code: z.enum(['no-kit', 'device-refused']), why: z.string() }),
  z.object({ code: z.literal('sentence'), sentence: z.string() }),
]);

export const rowView = z
  .object({
    row: z.int(),
    name: z.string(),
    outcome: z.enum(['WAITING', 'GOOD', 'CREATED', 'REFUSED']),
    message: z.string().nullable(),
    /** With `reasons=true`: what the message says. */
    reason: rowReasonView.nullable().optional(),
  })
  .meta({ id: 'DeviceImportRow' });

/** Outcomes of rows, by their stored form. */
export const OUTCOMES = { waiting: 'WAITING', good: 'GOOD', created: 'CREATED', refused: 'REFUSED' } as const;

export function viewRow({ row, name, outcome, message }: RowResult): z.infer<typeof rowView> {
  return { row, name, outcome: OUTCOMES[outcome], message };
}

export const viewRowWithReason = (row: RowResult): z.infer<typeof rowView> => ({
  ...viewRow(row),
  reason: reasonOf(row),
});

/**
 * The sentence is what a row says. The code beside it counts where it says the same: a newer version may have written one that is not
 * known here, and an older version leaves one behind when it gives the row another sentence.
 */
function reasonOf({ message, reason }: RowResult): RowReason | null {
  if (message === null) return null;
  const stored = rowReasonView.safeParse(reason).data;
  const isSaid = stored !== undefined && reasonInEnglish(stored) === message;
  return isSaid ? stored : reasonOfSentence(message);
}
