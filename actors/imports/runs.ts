/**
 * Carrying jobs out in the background, block by block, one job of a tenant at a time. What a crash makes a run do twice
 * is harmless: a row's device has an id that follows from job and row, so doing it again finds the device there.
 */
import { sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { createLease } from '../records/lease.ts';
import { createSerial } from '../records/serial.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { type BlockNeeds, createBlocks, type IsOurs, LEASE_MS } from './blocks.ts';
import { BLOCK, blocksOf, isUnderWay } from './jobs.ts';
import type { ImportJob } from './model.ts';

export interface RunNeeds extends BlockNeeds {
  readonly store: Store;
  readonly log: Log;
}

export interface Runs {
  begin(job: ImportJob): void;
  isRunning(id: string): boolean;
  /** Resolves when no run is under way any more. */
  ended(): Promise<void>;
}

const RETRY_MS = 500;

export function createRuns(needs: RunNeeds): Runs {
  const { store, jobs, stopping, clock, log } = needs;
  const blocks = createBlocks(needs);
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

  async function run(started: ImportJob, isOurs: IsOurs): Promise<void> {
    let job: ImportJob | undefined = started;
    const dryRun = started.state === 'trying';
    /** Names and tokens of this file, to see in a dry run what would be taken then. */
    const seen = new Set<string>();
    for (let number = 0; number < blocksOf(started); number += 1) {
      if (!dryRun && (number + 1) * BLOCK <= started.through) continue;
      job = dryRun
        ? await blocks.tryOut(job, number, seen, isOurs)
        : await blocks.carryOut(job, number, isOurs);
      if (job === undefined) return;
    }
    if (!stopping()) await jobs.save({ ...job, state: dryRun ? 'tried' : 'done' });
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
