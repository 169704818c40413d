/**
 * Carrying imports out, block by block. What a crash makes a run do twice is harmless: a row's device has an id that follows
 * from job and row, so doing it again finds the device there.
 */
import type { Log } from '../base/log.ts';
import { BLOCK, blocksOf } from '../records/jobs.ts';
import { createRuns, type IsOurs, type Runs } from '../records/runs.ts';
import type { Store } from '../store/store.ts';
import { type BlockWorkNeeds, createBlockWork } from './block-work.ts';
import { isUnderWay } from './jobs.ts';
import type { ImportJob } from './model.ts';

export interface ImportRunNeeds extends BlockWorkNeeds {
  readonly store: Store;
  readonly log: Log;
}

const UNTRIED = { state: 'receiving', through: 0, good: 0, refused: 0 } as const;

export function createImportRuns(needs: ImportRunNeeds): Runs {
  const { store, jobs, stopping, clock, log, mayGoOn } = needs;
  const work = createBlockWork(needs);

  async function run(started: ImportJob, isOurs: IsOurs): Promise<void> {
    let job: ImportJob | undefined = started;
    const dryRun = started.state === 'trying';
    /** Names and tokens of this file, to see in a dry run what would be taken then. */
    const seen = new Set<string>();
    for (let number = 0; number < blocksOf(started); number += 1) {
      if (!dryRun && (number + 1) * BLOCK <= started.through) continue;
      // Of a block that was begun, nobody else would ever say what became of its rows.
      if (job.state === 'cancelling' && job.begun <= job.through) break;
      if (!(await mayGoOn(job)) && job.begun <= job.through) return stop(job);
      job = dryRun ? await work.tryOut(job, number, seen, isOurs) : await work.carryOut(job, number, isOurs);
      if (job === undefined || !isUnderWay(job)) return; // another process may have ended it meanwhile
    }
    if (stopping()) return;
    const through = dryRun ? 'tried' : 'done';
    await jobs.change(started.id, (now) =>
      isUnderWay(now) ? { ...now, state: now.state === 'cancelling' ? 'cancelled' : through } : now,
    );
  }

  /** A dry run changed nothing, so another administrator may try it again. */
  async function stop({ id }: ImportJob): Promise<void> {
    await jobs.change(id, (now) => {
      if (!isUnderWay(now)) return now;
      return now.state === 'trying' ? { ...now, ...UNTRIED } : { ...now, state: 'stopped' };
    });
  }

  return createRuns<ImportJob>({
    store,
    clock,
    name: 'import',
    stopping,
    run,
    async find(id) {
      const job = await jobs.find(id);
      return job !== undefined && isUnderWay(job) ? job : undefined;
    },
    failed(job, err, waits) {
      if (waits) log.warn({ err, job }, 'an import waits');
      else log.warn({ err, job }, 'an import stopped; it is tried again in a minute');
    },
  });
}
