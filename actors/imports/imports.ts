/**
 * Many devices at once: a job takes rows in parts, tries them out without changing anything, and carries them out.
 *
 * Rows and what became of them are kept in blocks beside the job, so a job of any length costs the memory of one block,
 * and goes on after a crash where it was. What a crash makes it do twice is harmless: a row's device has an id that
 * follows from job and row, so that doing it again finds the device there; or another id where it does not.
 *
 * Keys are sealed for their devices before they are kept (rule C9).
 */

import type { Accounts } from '../accounts/accounts.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { newId, type TenantId, type UserId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secret.ts';
import { mapInSlices } from '../base/slices.ts';
import type { Devices, Directory } from '../fleet/devices.ts';
import { createLease } from '../records/lease.ts';
import { createSerial } from '../records/serial.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { BLOCK, blocksOf, importsOf, openJobs, RUNNING } from './jobs.ts';
import { IMPORT_ROWS_MAX, type ImportJob, type Imports, idOfRow, type Row, type RowResult } from './model.ts';
import { createRows } from './rows.ts';

export * from './model.ts';

export interface ImportNeeds {
  readonly store: Store;
  readonly accounts: Pick<Accounts, 'tenants'>;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly accessToken: () => string;
}

/** Jobs that a tenant keeps; older ones are forgotten with their reports. */
const JOBS_MAX = 20;
/** Devices asked at the same time: claims go on beside an import. */
const AT_ONCE = 16;
const ASK_AGAIN_MS = 500;
/** After so long without a sign of life a process that ran a job is taken for dead. */
const LEASE_MS = 30_000;
/** So often is the lease renewed within that time. */
const RENEWALS = 3;
/** Longer than any id. */
const ID_MAX = 64;

export function createImports(needs: ImportNeeds): Imports {
  const { store, accounts, devices, clock, log } = needs;
  const jobs = openJobs(store);
  const oneAtATime = createSerial();
  /** Runs, so that the memory and the commands of many jobs are those of one. */
  const oneOfATenant = createSerial();
  const runs = new Map<string, Promise<void>>();
  let stopping = false;
  const work = createRows({ ...needs, stopping: () => stopping });

  async function find(tenantId: TenantId, id: string): Promise<ImportJob | undefined> {
    const job = id.length > ID_MAX ? undefined : await jobs.get(id);
    return job?.tenantId === tenantId ? job : undefined;
  }

  // ------------------------------------------------------------------------------------------------------- running

  function begin(job: ImportJob): void {
    if (runs.has(job.id) || stopping) return;
    const running = oneOfATenant(job.tenantId, () => untilThrough(job)).finally(() => runs.delete(job.id));
    runs.set(job.id, running);
  }

  /** A store that is away for a while is waited for; what else goes wrong would go wrong again. */
  async function untilThrough(job: ImportJob): Promise<void> {
    for (;;) {
      try {
        return await alone(job);
      } catch (error) {
        const comesBack = error instanceof StoreUnavailable && !stopping;
        const words = comesBack ? 'an import waits' : 'an import stopped; it goes on after a start';
        log.warn({ err: error, job: job.id }, words);
        if (!comesBack) return;
        await sleep(clock, ASK_AGAIN_MS);
        if (stopping) return;
      }
    }
  }

  /** Of several processes on one store one carries a job out; that two do would be right, but slow. */
  async function alone({ id }: ImportJob): Promise<void> {
    const lease = createLease(store, clock, `import ${id}`, LEASE_MS);
    while (!(await lease.hold())) {
      if (stopping) return;
      await sleep(clock, ASK_AGAIN_MS);
    }
    try {
      const job = await jobs.get(id);
      if (job?.state === 'trying' || job?.state === 'running') await run(job, () => lease.hold());
    } finally {
      await lease.release();
    }
  }

  /** @param isOurs renews the lease; who has lost it, e.g. asleep, writes nothing more */
  async function run(started: ImportJob, isOurs: () => Promise<boolean>): Promise<void> {
    let job = started;
    const dryRun = job.state === 'trying';
    /** Names and tokens of this file, to see in a dry run what would be taken then. */
    const seen = new Set<string>();
    for (let number = 0; number < blocksOf(job) && !stopping; number += 1) {
      let rows = await jobs.readBlock(job.id, number);
      const isThrough = (number + 1) * BLOCK <= job.through;
      if (isThrough && !dryRun) continue;
      const first = number * BLOCK;
      if (!dryRun && job.begun > first) {
        const begun = job;
        rows = await mapInSlices([...rows.entries()], ([nth, row]) => work.afresh(begun, first + nth, row));
        await jobs.writeBlock(job.id, number, rows);
      } else if (!dryRun) {
        job = { ...job, begun: first + rows.length };
        await jobs.put(job.id, job);
      }
      const results: Row[] = [];
      let renewedAt = clock.now();
      for (let at = 0; at < rows.length && !stopping; at += AT_ONCE) {
        const some = rows.slice(at, at + AT_ONCE);
        const done = dryRun
          ? await sequentially(some, (row) => work.tryOut(job, row, seen))
          : await Promise.all(some.map((row, nth) => work.carryOut(job, first + at + nth, row)));
        results.push(...done);
        if (clock.now() - renewedAt < LEASE_MS / RENEWALS) continue;
        if (!(await isOurs())) return;
        renewedAt = clock.now();
      }
      if (stopping || !(await isOurs())) return;
      if (!dryRun && (await accounts.tenants.find(job.tenantId)) === undefined) {
        // Deleted meanwhile, and maybe cleared before these came.
        for (const [nth, row] of results.entries()) await work.takeBack(job, first + nth, row);
        return jobs.forget(job);
      }
      await jobs.writeBlock(job.id, number, results);
      if (isThrough) continue;
      const refused = results.filter(({ outcome }) => outcome === 'refused').length;
      job = {
        ...job,
        through: first + results.length,
        good: job.good + results.length - refused,
        refused: job.refused + refused,
      };
      await jobs.put(job.id, job);
    }
    if (stopping) return;
    await jobs.put(job.id, { ...job, state: dryRun ? 'tried' : 'done' });
    await store.index.remove(RUNNING, job.id);
  }

  const resultOf = (
    { id, createdAt }: ImportJob,
    nth: number,
    { name, outcome, message, again }: Row,
  ): RowResult => ({
    row: nth + 1,
    name,
    outcome,
    message,
    deviceId: idOfRow(id, createdAt, nth, again),
  });

  return {
    find,

    async create(tenantId, createdBy, options) {
      const at = clock.now();
      const id: string = newId<UserId>(at); // any id will do
      const none = { rows: 0, through: 0, begun: 0, good: 0, refused: 0 };
      const job: ImportJob = {
        id,
        tenantId,
        createdBy,
        createdAt: at,
        state: 'receiving',
        ...options,
        ...none,
      };
      await store.index.add(importsOf(tenantId), id);
      await jobs.put(id, job);
      const old = await store.index.page(importsOf(tenantId), {
        offset: JOBS_MAX,
        limit: JOBS_MAX,
        descending: true,
      });
      for (const gone of old) {
        const last = await jobs.get(gone);
        if (last === undefined) await store.index.remove(importsOf(tenantId), gone);
        else if (!runs.has(gone)) await jobs.forget(last);
      }
      return job;
    },

    async list(tenantId) {
      const ids = await store.index.page(importsOf(tenantId), {
        offset: 0,
        limit: JOBS_MAX,
        descending: true,
      });
      const all = await Promise.all(ids.map((id) => jobs.get(id)));
      return all.filter((job) => job !== undefined);
    },

    add: (tenantId, id, from, given) =>
      oneAtATime(id, async () => {
        const job = await find(tenantId, id);
        if (job === undefined) return { type: 'refused', reason: 'not-found' };
        if (job.state !== 'receiving') return { type: 'refused', reason: 'not-in-this-state' };
        if (from > job.rows) return { type: 'refused', reason: 'gap' };
        const fresh = given.slice(job.rows - from);
        if (job.rows + fresh.length > IMPORT_ROWS_MAX) return { type: 'refused', reason: 'too-many' };
        let { rows } = job;
        for (let at = 0; at < fresh.length; ) {
          const number = Math.floor(rows / BLOCK);
          const there = (await jobs.readBlock(id, number)).slice(0, rows % BLOCK);
          const some = fresh.slice(at, at + BLOCK - there.length).map((row, nth): Row => {
            const device = idOfRow(id, job.createdAt, rows + nth);
            const { secretKey, ...rest } = row;
            const key = secretKey === '' ? null : work.sealedKey(device, secretKey);
            return { ...rest, key, outcome: 'waiting', message: null };
          });
          await jobs.writeBlock(id, number, [...there, ...some]);
          at += some.length;
          rows += some.length;
        }
        const next = { ...job, rows };
        await jobs.put(id, next);
        return { type: 'done', job: next };
      }),

    start: (tenantId, id, dryRun) =>
      oneAtATime(id, async () => {
        const job = await find(tenantId, id);
        if (job === undefined) return { type: 'refused', reason: 'not-found' };
        const state = dryRun ? 'trying' : 'running';
        if (job.state === state || job.state === 'done') return { type: 'done', job };
        if (job.state === 'running' || job.state === 'trying')
          return { type: 'refused', reason: 'not-in-this-state' };
        const next: ImportJob = { ...job, state, through: 0, begun: 0, good: 0, refused: 0 };
        await store.index.add(RUNNING, id);
        await jobs.put(id, next);
        begin(next);
        return { type: 'done', job: next };
      }),

    async results(job, { page, pageSize, refusedOnly }) {
      const items: RowResult[] = [];
      const offset = page * pageSize;
      if (!refusedOnly) {
        for (
          let number = Math.floor(offset / BLOCK);
          items.length < pageSize && number < blocksOf(job);
          number += 1
        ) {
          for (const [nth, row] of (await jobs.readBlock(job.id, number)).entries()) {
            const place = number * BLOCK + nth;
            if (place >= offset && items.length < pageSize) items.push(resultOf(job, place, row));
          }
        }
        return { items, total: job.rows };
      }
      let total = 0;
      for (let number = 0; number < blocksOf(job); number += 1) {
        for (const [nth, row] of (await jobs.readBlock(job.id, number)).entries()) {
          if (row.outcome !== 'refused') continue;
          if (total >= offset && items.length < pageSize)
            items.push(resultOf(job, number * BLOCK + nth, row));
          total += 1;
        }
      }
      return { items, total };
    },

    async *everything(job) {
      for (let number = 0; number < blocksOf(job); number += 1) {
        const rows = await jobs.readBlock(job.id, number);
        for (const [nth, row] of rows.entries()) {
          const result = resultOf(job, number * BLOCK + nth, row);
          const device = row.outcome === 'created' ? await devices.read(result.deviceId) : undefined;
          yield [result, device] as const;
        }
      }
    },

    async resume() {
      for (const id of await store.index.page(RUNNING, { offset: 0, limit: JOBS_MAX * JOBS_MAX })) {
        const job = await jobs.get(id);
        if (job?.state === 'trying' || job?.state === 'running') begin(job);
        else await store.index.remove(RUNNING, id);
      }
    },

    async stop() {
      stopping = true;
      await Promise.all(runs.values());
    },
  };
}

async function sequentially<Item, Result>(
  items: readonly Item[],
  each: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await each(item));
  return results;
}
