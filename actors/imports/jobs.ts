/** Where imports are stored. */
import { type Jobs, openJobs } from '../records/jobs.ts';
import type { Store } from '../store/store.ts';
import type { ImportJob, ImportRow } from './model.ts';
import { liftedRow, type OlderImportRow } from './older-rows.ts';

export type ImportJobs = Jobs<ImportJob, ImportRow>;

export const isUnderWay = ({ state }: ImportJob) =>
  state === 'trying' || state === 'running' || state === 'cancelling';

export const openImports = (store: Store): ImportJobs =>
  openJobs<ImportJob, ImportRow, OlderImportRow>(store, { name: 'import', isUnderWay, liftedRow });
