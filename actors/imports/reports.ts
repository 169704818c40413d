/** What became of a job's rows, read from its blocks. */
import type { Devices } from '../fleet/devices.ts';
import { BLOCK, blocksOf } from '../records/jobs.ts';
import type { ImportJobs } from './jobs.ts';
import { type ImportJob, type ImportRow, type Imports, idOfKit, idOfRow, type RowResult } from './model.ts';

export function reportsOf(jobs: ImportJobs, devices: Devices): Pick<Imports, 'results' | 'everything'> {
  /** The rows from a place on, each with its place. */
  async function* rowsOf(job: ImportJob, from = 0): AsyncGenerator<readonly [number, ImportRow]> {
    for (let number = Math.floor(from / BLOCK); number < blocksOf(job); number += 1) {
      const first = number * BLOCK;
      for (const [nth, row] of (await jobs.readBlock(job.id, number)).entries()) {
        if (first + nth >= from) yield [first + nth, row];
      }
    }
  }

  return {
    async results(job, { page, pageSize, refusedOnly }) {
      const items: RowResult[] = [];
      const offset = page * pageSize;
      if (!refusedOnly) {
        for await (const [nth, row] of rowsOf(job, offset)) {
          if (items.length === pageSize) break;
          items.push(resultOf(job, nth, row));
        }
        return { items, total: job.rows };
      }
      let total = 0;
      for await (const [nth, row] of rowsOf(job)) {
        if (row.outcome !== 'refused') continue;
        if (total >= offset && items.length < pageSize) items.push(resultOf(job, nth, row));
        total += 1;
      }
      return { items, total };
    },

    async *everything(job, from = 0) {
      for await (const [nth, row] of rowsOf(job, from)) {
        const result = resultOf(job, nth, row);
        const device = row.outcome === 'created' ? await devices.read(result.deviceId) : undefined;
        yield [result, device] as const;
      }
    },
  };
}

function resultOf(
  { id, createdAt }: ImportJob,
  nth: number,
  { name, outcome, message, reason, again, kit }: ImportRow,
): RowResult {
  const kitId = kit === undefined || outcome !== 'created' ? undefined : idOfKit(id, createdAt, kit);
  return {
    row: nth + 1,
    name,
    outcome,
    message,
    reason,
    deviceId: idOfRow(id, createdAt, nth, again),
    kitId,
  };
}
