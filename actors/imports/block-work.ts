/** Working on one block of a job: trying its rows out, or carrying them out, and writing what became of them. */
import type { Clock } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import { mapInSlices } from '../base/slices.ts';
import { BLOCK } from '../records/jobs.ts';
import { allEnded, type IsOurs, inParts } from '../records/runs.ts';
import type { ImportJobs } from './jobs.ts';
import type { ImportJob, ImportRow } from './model.ts';
import type { Rows } from './rows.ts';

export interface BlockWorkNeeds {
  readonly jobs: ImportJobs;
  readonly rows: Rows;
  tenantStands(id: TenantId): Promise<boolean>;
  /** Whether the process is about to end. */
  stopping(): boolean;
  readonly clock: Clock;
  /** Whether who started it may do it still. */
  mayGoOn(job: ImportJob): Promise<boolean>;
}

/** Both resolve to the job as it is then; undefined where the run ends. */
export interface BlockWork {
  /** @param seen names and tokens of the blocks before, which would be taken by then */
  tryOut(job: ImportJob, number: number, seen: Set<string>, isOurs: IsOurs): Promise<ImportJob | undefined>;
  carryOut(job: ImportJob, number: number, isOurs: IsOurs): Promise<ImportJob | undefined>;
}

export function createBlockWork(needs: BlockWorkNeeds): BlockWork {
  const { jobs, rows: work, tenantStands, stopping, clock, mayGoOn } = needs;

  async function tryOut(
    job: ImportJob,
    number: number,
    seen: Set<string>,
    isOurs: IsOurs,
  ): Promise<ImportJob | undefined> {
    const rows = await jobs.readBlock(job.id, number);
    const first = number * BLOCK;
    const tried = await inParts(rows, { isOurs, stopping, clock }, async (some, at) => {
      const results: ImportRow[] = [];
      for (const [nth, row] of some.entries()) {
        results.push(await work.tryOut(job, first + at + nth, row, seen)); // each sees those before it
      }
      return results;
    });
    return tried === undefined ? undefined : write(job, number, tried);
  }

  async function carryOut(before: ImportJob, number: number, isOurs: IsOurs): Promise<ImportJob | undefined> {
    let job = before;
    let rows = await jobs.readBlock(job.id, number);
    const first = number * BLOCK;
    if (job.begun > first) {
      rows = await mapInSlices([...rows.entries()], ([nth, row]) => work.afresh(job, first + nth, row));
      if (!(await isOurs())) return undefined;
      await jobs.writeBlock(job.id, number, rows);
    } else {
      const begun = await jobs.change(job.id, (now) => ({ ...now, begun: first + rows.length }));
      if (begun === undefined) return undefined;
      job = begun;
    }
    const results = await inParts(rows, { isOurs, stopping, clock }, async (some, at) => {
      const carryOut = (await mayGoOn(job)) ? work.carryOut : work.leaveAlone;
      return allEnded(some.map((row, nth) => carryOut(job, first + at + nth, row)));
    });
    if (results === undefined) return undefined;
    if (!(await tenantStands(job.tenantId))) {
      // Deleted meanwhile, and maybe cleared before these came.
      for (const [nth, row] of results.entries()) await work.takeBack(job, first + nth, row);
      await jobs.forget(job);
      return undefined;
    }
    return write(job, number, await work.pack(job, first, results));
  }

  /** Writes the outcomes of a block, and counts them if that was not done by a run that was broken off. */
  async function write(
    job: ImportJob,
    number: number,
    results: readonly ImportRow[],
  ): Promise<ImportJob | undefined> {
    await jobs.writeBlock(job.id, number, results);
    const through = number * BLOCK + results.length;
    const refused = results.filter(({ outcome }) => outcome === 'refused').length;
    const saved = await jobs.change(job.id, (now) =>
      now.through >= through
        ? now
        : { ...now, through, good: now.good + results.length - refused, refused: now.refused + refused },
    );
    if (saved === undefined) await jobs.forget(job); // its tenant was deleted meanwhile
    return saved;
  }

  return { tryOut, carryOut };
}
