/** What clients see of an import of devices, and of its rows. */
import { z } from 'zod';
import type { ImportJob, RowResult } from '../../actors/imports/model.ts';

export const importView = z
  .object({
    id: z.string(),
    createdTime: z.int(),
    /** `TRIED`: the dry run is complete, nothing was changed. `CANCELLED`: the devices that were created stay. `STOPPED`: the same, who started it may not do it any more. */
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

export const rowView = z
  .object({
    row: z.int(),
    name: z.string(),
    outcome: z.enum(['WAITING', 'GOOD', 'CREATED', 'REFUSED']),
    message: z.string().nullable(),
  })
  .meta({ id: 'DeviceImportRow' });

/** Outcomes of rows, by their stored form. */
export const OUTCOMES = { waiting: 'WAITING', good: 'GOOD', created: 'CREATED', refused: 'REFUSED' } as const;

export function viewRow({ row, name, outcome, message }: RowResult): z.infer<typeof rowView> {
  return { row, name, outcome: OUTCOMES[outcome], message };
}
