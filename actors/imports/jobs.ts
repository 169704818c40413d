/** Where imports are kept: a record of each job, blocks of its rows beside it, and lists of what is under way and whose it is. */

import type { TenantId } from '../base/ids.ts';
import { openRecords, type Records } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import type { Block, ImportJob, Row } from './model.ts';

/** Rows that are read and written at once: the memory that a job takes. */
export const BLOCK = 500;
/** Jobs that are under way. */
export const RUNNING = 'imports-running';
/** A tenant's jobs, the oldest first. */
export const importsOf = (tenantId: TenantId) => `imports/${tenantId}`;
/** Jobs that are read at once to be forgotten. */
const PAGE = 20;

export interface Jobs extends Pick<Records<ImportJob>, 'get' | 'put'> {
  readBlock(id: string, number: number): Promise<readonly Row[]>;
  writeBlock(id: string, number: number, rows: readonly Row[]): Promise<void>;
  /** Removes a job with its rows; those that hold keys first. */
  forget(job: ImportJob): Promise<void>;
  /** Removes all that a tenant has. */
  forgetTenant(tenantId: TenantId): Promise<void>;
}

export const blocksOf = ({ rows }: ImportJob) => Math.ceil(rows / BLOCK);

export function openJobs(store: Pick<Store, 'records' | 'swap' | 'index'>): Jobs {
  const jobs = openRecords<ImportJob>(store, 'import');
  const blocks = openRecords<Block>(store, 'import-block');

  async function forget(job: ImportJob): Promise<void> {
    for (let number = 0; number < blocksOf(job); number += 1) await blocks.remove(`${job.id}/${number}`);
    await jobs.remove(job.id);
    await store.index.remove(RUNNING, job.id);
    await store.index.remove(importsOf(job.tenantId), job.id);
  }

  return {
    get: jobs.get,
    put: jobs.put,
    readBlock: async (id, number) => (await blocks.get(`${id}/${number}`))?.rows ?? [],
    writeBlock: (id, number, rows) => blocks.put(`${id}/${number}`, { rows }),
    forget,

    async forgetTenant(tenantId) {
      const list = importsOf(tenantId);
      for (;;) {
        const ids = await store.index.page(list, { offset: 0, limit: PAGE });
        if (ids.length === 0) return;
        for (const id of ids) {
          const job = await jobs.get(id);
          if (job !== undefined) await forget(job);
          await store.index.remove(list, id);
        }
      }
    },
  };
}
