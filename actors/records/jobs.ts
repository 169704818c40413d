/**
 * Where long jobs of tenants are stored: each as an entity, in the lists of its tenant and of what is under way; its rows
 * in blocks beside it, so that a job of any length costs the memory of one block.
 */
import type { TenantId } from '../base/ids.ts';
import type { Store } from '../store/store.ts';
import { createCollection, type Entity, type Kind } from './collection.ts';
import { openRecords } from './records.ts';

/** Rows that are read and written at once: the memory that a job takes. */
export const BLOCK = 500;
/** Jobs of one kind that a tenant keeps; older ones are removed with their rows. */
const JOBS_MAX = 20;
/** Jobs of one kind that are under way, of all tenants. */
const RUNNING_MAX = 400;

export interface StoredJob extends Entity {
  readonly tenantId: TenantId;
  readonly rows: number;
}

export interface Jobs<Job, Row> {
  find(id: string): Promise<Job | undefined>;
  /** The newest first. */
  ofTenant(tenantId: TenantId): Promise<readonly Job[]>;
  underWay(): Promise<readonly Job[]>;
  /** How many jobs of a tenant are under way, in whichever process. */
  underWayOf(tenantId: TenantId): Promise<number>;
  create(job: Job): Promise<void>;
  /** Replaces a job while it has the same version. Resolves to what was written; undefined when nothing was. */
  save(job: Job): Promise<Job | undefined>;
  /** Changes a job as it is by then. Resolves to what was written; undefined when it is gone, or another one has a key of it. */
  change(id: string, next: (job: Job) => Job): Promise<Job | undefined>;
  readBlock(id: string, number: number): Promise<readonly Row[]>;
  writeBlock(id: string, number: number, rows: readonly Row[]): Promise<void>;
  /**
   * Makes another block of the one that is there. `raced`: it did not, as the job is another than `job` by now, or somebody else
   * writes the block.
   *
   * @param next undefined: the block is to stay as it is, `left`
   */
  changeBlock(
    job: Job,
    number: number,
    next: (rows: readonly Row[]) => readonly Row[] | undefined,
  ): Promise<'changed' | 'left' | 'raced'>;
  /** Removes a job with its rows; those first, as they may hold keys. */
  forget(job: Job): Promise<void>;
  /** Removes the jobs that a tenant has too many, the oldest; none that is under way anywhere, or that `isKept` names. */
  trim(tenantId: TenantId, isKept: (id: string) => boolean): Promise<void>;
  /** Removes all that a tenant has. */
  forgetTenant(tenantId: TenantId): Promise<void>;
}

export interface JobKind<Job> {
  /** Singular, and part of the names under which the store has jobs and blocks. */
  readonly name: string;
  readonly isUnderWay: (job: Job) => boolean;
  /** What only one job can have, whatever the processes. */
  readonly keys?: (job: Job) => readonly string[];
}

export const blocksOf = ({ rows }: Pick<StoredJob, 'rows'>) => Math.ceil(rows / BLOCK);

export function openJobs<Job extends StoredJob, Row>(
  store: Store,
  { name, isUnderWay, keys = () => [] }: JobKind<Job>,
): Jobs<Job, Row> {
  const running = `${name}s-running`;
  const jobsOf = (tenantId: TenantId) => `${name}s/${tenantId}`;
  const kind: Kind<Job> = {
    name,
    keys,
    lists: (job) => [jobsOf(job.tenantId), ...(isUnderWay(job) ? [running] : [])],
    title: ({ id }) => id,
  };
  const jobs = createCollection(store, kind);
  const blocks = openRecords<{ readonly rows: readonly Row[] }>(store, `${name}-block`);
  const newest = (tenantId: TenantId, page: number) =>
    jobs.page(jobsOf(tenantId), { page, pageSize: JOBS_MAX, sortOrder: 'DESC' });

  async function forget(job: Job): Promise<void> {
    for (let number = 0; number < blocksOf(job); number += 1) await blocks.remove(`${job.id}/${number}`);
    await jobs.remove(job.id);
  }

  async function change(id: string, next: (job: Job) => Job, expected?: number): Promise<Job | undefined> {
    const changed = await jobs.change(id, next, expected);
    return changed.type === 'done' ? changed.entity : undefined;
  }

  return {
    find: (id) => jobs.find(id),
    ofTenant: async (tenantId) => (await newest(tenantId, 0)).items,
    underWay: () => jobs.first(running, RUNNING_MAX),
    async underWayOf(tenantId) {
      const some = [...(await newest(tenantId, 0)).items, ...(await newest(tenantId, 1)).items];
      return some.filter(isUnderWay).length;
    },

    async create(job) {
      if (!(await jobs.create(job))) throw new Error(`a new ${name} id was taken`);
    },

    save: (job) => change(job.id, () => job, job.version),
    change: (id, next) => change(id, next),
    readBlock: async (id, number) => (await blocks.get(`${id}/${number}`))?.rows ?? [],
    writeBlock: (id, number, rows) => blocks.put(`${id}/${number}`, { rows }),
    async changeBlock({ id, version }, number, next) {
      const found = await blocks.read(`${id}/${number}`);
      // Looked at after the block: so this is the block of that job, or one that nobody has told to be written.
      if ((await jobs.find(id))?.version !== version) return 'raced';
      const rows = next(found?.value.rows ?? []);
      if (rows === undefined) return 'left';
      return (await blocks.swap(`${id}/${number}`, found, { rows })) ? 'changed' : 'raced';
    },
    forget,

    async trim(tenantId, isKept) {
      for (const job of (await newest(tenantId, 1)).items)
        if (!isUnderWay(job) && !isKept(job.id)) await forget(job);
    },

    async forgetTenant(tenantId) {
      for (;;) {
        const some = await jobs.first(jobsOf(tenantId), JOBS_MAX);
        if (some.length === 0) return;
        for (const job of some) await forget(job);
      }
    },
  };
}
