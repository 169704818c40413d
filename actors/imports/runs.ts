/**
 * Carrying jobs out in the background, block by block, one job of a tenant at a time. What a crash makes a run do twice
 * is harmless: a row's device has an id that follows from job and row, so doing it again finds the device there.
 */
import { type Clock, sleep } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { mapInSlices } from '../base/slices.ts';
import { createLease } from '../records/lease.ts';
import { createSerial } from '../records/serial.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { BLOCK, blocksOf, isUnderWay, type Jobs } from './jobs.ts';
import type { ImportJob, ImportRow } from './model.ts';
import type { Rows } from './rows.ts';

export interface RunNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly rows: Rows;
  tenantStands(id: TenantId): Promise<boolean>;
  /** Whether the process is about to end. */
  stopping(): boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Runs {
  begin(job: ImportJob): void;
  isRunning(id: string): boolean;
  /** Resolves when no run is under way any more. */
  ended(): Promise<void>;
}

/** Devices asked at the same time: claims go on beside an import. */
const AT_ONCE = 16;
const RETRY_MS = 500;
/** After so long without a sign of life a process that ran a job is taken for dead. */
const LEASE_MS = 30_000;
/** Renewals of the lease within that time. */
const RENEWALS = 3;

export function createRuns({ store, jobs, rows: work, tenantStands, stopping, clock, log }: RunNeeds): Runs {
  /** One run of a tenant at a time, so that many jobs take the memory and the commands of one. */
  const oneOfATenant = createSerial();
  const runs = new Map<string, Promise<void>>();

  /** Waits for a store that is not available. What else goes wrong would go wrong again, so the run ends. */
  async function untilThrough(job: ImportJob): Promise<void> {
    for (;;) {
      try {
        return await alone(job);
      } catch (error) {
        const comesBack = error instanceof StoreUnavailable && !stopping();
        const words = comesBack ? 'an import waits' : 'an import stopped; it goes on after a start';
        log.warn({ err: error, job: job.id }, words);
        if (!comesBack) return;
        await sleep(clock, RETRY_MS);
        if (stopping()) return;
      }
    }
  }

  /** Of several processes on one store one carries a job out; two would do it right as well, but slowly. */
  async function alone({ id }: ImportJob): Promise<void> {
    const lease = createLease(store, clock, `import ${id}`, LEASE_MS);
    while (!(await lease.hold())) {
      if (stopping()) return;
      await sleep(clock, RETRY_MS);
    }
    try {
      const job = await jobs.find(id);
      if (job !== undefined && isUnderWay(job)) await run(job, () => lease.hold());
    } finally {
      await lease.release();
    }
  }

  /** @param isOurs renews the lease; a process that has lost it writes nothing more */
  async function run(started: ImportJob, isOurs: () => Promise<boolean>): Promise<void> {
    let job: ImportJob | undefined = started;
    const dryRun = started.state === 'trying';
    /** Names and tokens of this file, to see in a dry run what would be taken then. */
    const seen = new Set<string>();
    for (let number = 0; number < blocksOf(started); number += 1) {
      if (!dryRun && (number + 1) * BLOCK <= started.through) continue;
      job = dryRun ? await tryBlock(job, number, seen, isOurs) : await carryOutBlock(job, number, isOurs);
      if (job === undefined) return;
    }
    if (!stopping()) await jobs.save({ ...job, state: dryRun ? 'tried' : 'done' });
  }

  /** Resolves to the job as it is then; undefined where the run ends. */
  async function tryBlock(
    job: ImportJob,
    number: number,
    seen: Set<string>,
    isOurs: () => Promise<boolean>,
  ): Promise<ImportJob | undefined> {
    const rows = await jobs.readBlock(job.id, number);
    const tried = await inParts(rows, isOurs, async (some) => {
      const results: ImportRow[] = [];
      for (const row of some) results.push(await work.tryOut(job, row, seen)); // each sees those before it
      return results;
    });
    return tried === undefined ? undefined : write(job, number, tried);
  }

  /** Resolves to the job as it is then; undefined where the run ends. */
  async function carryOutBlock(
    before: ImportJob,
    number: number,
    isOurs: () => Promise<boolean>,
  ): Promise<ImportJob | undefined> {
    let job = before;
    let rows = await jobs.readBlock(job.id, number);
    const first = number * BLOCK;
    if (job.begun > first) {
      rows = await mapInSlices([...rows.entries()], ([nth, row]) => work.afresh(job, first + nth, row));
      await jobs.writeBlock(job.id, number, rows);
    } else {
      const begun = await jobs.save({ ...job, begun: first + rows.length });
      if (begun === undefined) return undefined;
      job = begun;
    }
    const results = await inParts(rows, isOurs, (some, at) =>
      Promise.all(some.map((row, nth) => work.carryOut(job, first + at + nth, row))),
    );
    if (results === undefined) return undefined;
    if (!(await tenantStands(job.tenantId))) {
      // Deleted meanwhile, and maybe cleared before these came.
      for (const [nth, row] of results.entries()) await work.takeBack(job, first + nth, row);
      await jobs.forget(job);
      return undefined;
    }
    return write(job, number, results);
  }

  /** Works on the rows some at a time. Undefined when the process ends meanwhile, or the job is another's. */
  async function inParts(
    rows: readonly ImportRow[],
    isOurs: () => Promise<boolean>,
    each: (some: readonly ImportRow[], at: number) => Promise<readonly ImportRow[]>,
  ): Promise<readonly ImportRow[] | undefined> {
    const results: ImportRow[] = [];
    let renewedAt = clock.now();
    for (let at = 0; at < rows.length && !stopping(); at += AT_ONCE) {
      results.push(...(await each(rows.slice(at, at + AT_ONCE), at)));
      if (clock.now() - renewedAt < LEASE_MS / RENEWALS) continue;
      if (!(await isOurs())) return undefined;
      renewedAt = clock.now();
    }
    return stopping() || !(await isOurs()) ? undefined : results;
  }

  /** Writes the outcomes of a block, and counts them if that was not done by a run that was broken off. */
  async function write(
    job: ImportJob,
    number: number,
    results: readonly ImportRow[],
  ): Promise<ImportJob | undefined> {
    await jobs.writeBlock(job.id, number, results);
    const through = number * BLOCK + results.length;
    if (through <= job.through) return job;
    const refused = results.filter(({ outcome }) => outcome === 'refused').length;
    const good = job.good + results.length - refused;
    const saved = await jobs.save({ ...job, through, good, refused: job.refused + refused });
    if (saved === undefined && (await jobs.find(job.id)) === undefined) await jobs.forget(job);
    return saved;
  }

  return {
    begin(job) {
      if (runs.has(job.id) || stopping()) return;
      const running = oneOfATenant(job.tenantId, () => untilThrough(job)).finally(() => runs.delete(job.id));
      runs.set(job.id, running);
    },
    isRunning: (id) => runs.has(id),
    async ended() {
      await Promise.all(runs.values());
    },
  };
}
