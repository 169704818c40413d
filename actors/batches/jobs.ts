/** Where batches are stored. */
import { type Jobs, openJobs } from '../records/jobs.ts';
import type { Store } from '../store/store.ts';
import { type Batch, type BatchRow, isUnderWay } from './model.ts';

export type BatchJobs = Jobs<Batch, BatchRow>;

export const openBatches = (store: Store): BatchJobs =>
  openJobs<Batch, BatchRow>(store, { name: 'batch', isUnderWay });
