/** Where imports are stored. */
import { type Jobs, openJobs } from '../records/jobs.ts';
import type { Store } from '../store/store.ts';
import type { ImportJob, ImportRow } from './model.ts';

export type ImportJobs = Jobs<ImportJob, ImportRow>;

export const isUnderWay = ({ state }: ImportJob) =>
  state === 'trying' || state === 'running' || state === 'cancelling';

export const openImports = (store: Store): ImportJobs => openJobs(store, { name: 'import', isUnderWay });
