/** Where batches are stored. */
import { type Jobs, openJobs } from '../records/jobs.ts';
import type { Store } from '../store/store.ts';
import { type Batch, type BatchRow, isUnderWay } from './model.ts';

export type BatchJobs = Jobs<Batch, BatchRow>;

/** The key is taken in the commit that begins it: of two that would undo one batch, in any processes, only one begins. */
export const openBatches = (store: Store): BatchJobs =>
  openJobs<Batch, BatchRow>(store, {
    name: 'batch',
    isUnderWay,
    keys: ({ undoes, state }) =>
      undoes === undefined || state === 'preparing' ? [] : [`batch-undoes/${undoes}`],
  });
