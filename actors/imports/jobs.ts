/** Where imports are stored: each job as an entity, in the lists of its tenant and of what is under way; its rows in blocks. */
import type { TenantId } from '../base/ids.ts';
import { createCollection, type Kind } from '../records/collection.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import type { ImportBlock, ImportJob, ImportRow } from './model.ts';

/** Rows that are read and written at once: the memory that a job takes. */
export const BLOCK = 500;
/** Jobs that a tenant keeps; older ones are removed with their reports. */
const JOBS_MAX = 20;
/** Jobs that are under way, of all tenants. */
const RUNNING = 'imports-running';
const RUNNING_MAX = 400;

export interface Jobs {
  find(id: string): Promise<ImportJob | undefined>;
  /** The newest first. */
  ofTenant(tenantId: TenantId): Promise<readonly ImportJob[]>;
  underWay(): Promise<readonly ImportJob[]>;
  create(job: ImportJob): Promise<void>;
  /** Replaces a job while it has the same version. Resolves to what was written; undefined when nothing was. */
  save(job: ImportJob): Promise<ImportJob | undefined>;
  readBlock(id: string, number: number): Promise<readonly ImportRow[]>;
  writeBlock(id: string, number: number, rows: readonly ImportRow[]): Promise<void>;
  /** Removes a job with its rows; those first, as they hold keys. */
  forget(job: ImportJob): Promise<void>;
  /** Removes the jobs that a tenant has too many, the oldest; not those that `isKept` names. */
  trim(tenantId: TenantId, isKept: (id: string) => boolean): Promise<void>;
  /** Removes all that a tenant has. */
  forgetTenant(tenantId: TenantId): Promise<void>;
}

export const blocksOf = ({ rows }: ImportJob) => Math.ceil(rows / BLOCK);
export const isUnderWay = ({ state }: ImportJob) => state === 'trying' || state === 'running';
const importsOf = (tenantId: TenantId) => `imports/${tenantId}`;

const kind: Kind<ImportJob> = {
  name: 'import',
  keys: () => [],
  lists: (job) => [importsOf(job.tenantId), ...(isUnderWay(job) ? [RUNNING] : [])],
  title: ({ id }) => id,
};

export function openJobs(store: Store): Jobs {
  const jobs = createCollection(store, kind);
  const blocks = openRecords<ImportBlock>(store, 'import-block');
  const newest = (tenantId: TenantId, page: number) =>
    jobs.page(importsOf(tenantId), { page, pageSize: JOBS_MAX, sortOrder: 'DESC' });

  async function forget(job: ImportJob): Promise<void> {
    for (let number = 0; number < blocksOf(job); number += 1) await blocks.remove(`${job.id}/${number}`);
    await jobs.remove(job.id);
  }

  return {
    find: (id) => jobs.find(id),
    ofTenant: async (tenantId) => (await newest(tenantId, 0)).items,
    underWay: () => jobs.first(RUNNING, RUNNING_MAX),

    async create(job) {
      if (!(await jobs.create(job))) throw new Error('a new import id was taken');
    },

    async save(job) {
      const change = await jobs.change(job.id, () => job, job.version);
      return change.type === 'done' ? change.entity : undefined;
    },

    readBlock: async (id, number) => (await blocks.get(`${id}/${number}`))?.rows ?? [],
    writeBlock: (id, number, rows) => blocks.put(`${id}/${number}`, { rows }),
    forget,

    async trim(tenantId, isKept) {
      for (const job of (await newest(tenantId, 1)).items) if (!isKept(job.id)) await forget(job);
    },

    async forgetTenant(tenantId) {
      for (;;) {
        const some = await jobs.first(importsOf(tenantId), JOBS_MAX);
        if (some.length === 0) return;
        for (const job of some) await forget(job);
      }
    },
  };
}
