/**
 * Many devices at once: a job takes rows in parts, tries them out without changing anything, and carries them out.
 *
 * Rows and their outcomes are stored in blocks beside the job, so a job of any length costs the memory of one block, and
 * goes on after a crash where it was. Keys are sealed for their devices before they are stored (rule C9).
 */
import type { Accounts } from '../accounts/accounts.ts';
import type { Clock } from '../base/clock.ts';
import { type ImportId, newId, type TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secret.ts';
import { mapInSlices } from '../base/slices.ts';
import type { Devices, Directory } from '../fleet/devices.ts';
import type { Profiles } from '../fleet/profiles.ts';
import type { Kits } from '../kits/model.ts';
import { BLOCK } from '../records/jobs.ts';
import { createSerial } from '../records/serial.ts';
import type { Store } from '../store/store.ts';
import { isUnderWay, openImports } from './jobs.ts';
import {
  IMPORT_ROWS_MAX,
  IMPORTS_UNDER_WAY_MAX,
  type ImportAnswer,
  type ImportJob,
  type ImportRow,
  type Imports,
  idOfRow,
  isEnded,
  type NewRow,
  type StartedBy,
} from './model.ts';
import { reportsOf } from './reports.ts';
import { sealedFor } from './row-credentials.ts';
import { createRows } from './rows.ts';
import { createImportRuns } from './runs.ts';

export * from './model.ts';

export interface ImportNeeds {
  readonly store: Store;
  readonly accounts: Pick<Accounts, 'tenants'>;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly kits: Pick<Kits, 'fill'>;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  /** See `RowNeeds`. */
  readonly profiles?: Pick<Profiles, 'ownershipOf'>;
  /** See `RowNeeds`. */
  readonly minTokenLength?: number;
  readonly accessToken: () => string;
  /** Whether who started it may do it still. */
  readonly mayGoOn: (job: ImportJob) => Promise<boolean>;
}

/** Longer than any id. */
const ID_MAX = 64;
/** Each in vain means that somebody else changed the job. */
const TRIES = 5;

export function createImports(needs: ImportNeeds): Imports {
  const { store, accounts, devices, clock } = needs;
  const jobs = openImports(store);
  const oneAtATime = createSerial();
  let isStopping = false;
  const stopping = () => isStopping;
  const rows = createRows({ ...needs, stopping });
  const tenantStands = async (id: TenantId) => (await accounts.tenants.find(id)) !== undefined;
  const runs = createImportRuns({ ...needs, jobs, rows, tenantStands, stopping });

  async function find(tenantId: TenantId, id: string): Promise<ImportJob | undefined> {
    const job = id.length > ID_MAX ? undefined : await jobs.find(id);
    return job?.tenantId === tenantId ? job : undefined;
  }

  /** As it is stored, with its key sealed for the device that it will have, and its token for the job. */
  function storedRow(
    job: ImportJob,
    nth: number,
    { name, type, label, secretKey, kit, ...asked }: NewRow,
  ): ImportRow {
    const sealed = sealedFor(needs.secrets, job.id, asked);
    const device = idOfRow(job.id, job.createdAt, nth);
    const key = secretKey === '' ? null : rows.sealedKey(device, secretKey);
    return {
      name,
      type,
      label,
      ...sealed,
      ...(kit === '' ? {} : { kit }),
      key,
      outcome: 'waiting',
      message: null,
    };
  }

  /** Whether these are the rows that are there from then on. */
  async function areThere(job: ImportJob, from: number, sent: readonly NewRow[]): Promise<boolean> {
    for (let at = 0; at < sent.length; ) {
      const first = from + at;
      const there = (await jobs.readBlock(job.id, Math.floor(first / BLOCK))).slice(first % BLOCK);
      const some = sent.slice(at, at + there.length);
      if (some.length === 0) return false;
      const same = await mapInSlices([...some.entries()], async ([nth, row]) => {
        const stored = there[nth];
        return stored !== undefined && rows.isOf(job, first + nth, stored, row);
      });
      if (same.includes(false)) return false;
      at += some.length;
    }
    return true;
  }

  /** `raced`: somebody else changed the job in the same moment, and none of the rows counts. */
  async function addOnce(
    found: ImportJob,
    from: number,
    sent: readonly NewRow[],
  ): Promise<ImportAnswer | 'raced'> {
    let job = found;
    if (job.state !== 'receiving') return refused('not-in-this-state');
    if (from > job.rows) return refused('gap');
    const fresh = sent.slice(job.rows - from);
    if (job.rows + fresh.length > IMPORT_ROWS_MAX) return refused('too-many');
    if (!(await areThere(job, from, sent.slice(0, job.rows - from)))) return refused('other-rows');
    if (fresh.length === 0) return { type: 'done', job };
    let count = job.rows;
    let isAlone = false;
    for (let at = 0; at < fresh.length; ) {
      const kept = count % BLOCK;
      const some = fresh.slice(at, at + BLOCK - kept);
      const first = count;
      const added = some.map((row, nth) => storedRow(found, first + nth, row));
      // The same part may have been sent again, and carried out by another process, with more behind it.
      const write = (over: boolean) =>
        jobs.changeBlock(job, Math.floor(first / BLOCK), (there) =>
          there.length > kept && !over ? undefined : [...there.slice(0, kept), ...added],
        );
      let written = await write(isAlone);
      if (written === 'left') {
        // Somebody has written rows there that do not count yet: from here on they never will, or these do not.
        const next = await jobs.save({ ...job });
        if (next === undefined) return 'raced';
        job = next;
        isAlone = true;
        written = await write(isAlone);
      }
      if (written !== 'changed') return 'raced';
      at += some.length;
      count += some.length;
    }
    const next = await jobs.save({ ...job, rows: count });
    return next === undefined ? 'raced' : { type: 'done', job: next };
  }

  async function add(
    tenantId: TenantId,
    id: string,
    from: number,
    sent: readonly NewRow[],
  ): Promise<ImportAnswer> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const job = await find(tenantId, id);
      if (job === undefined) return refused('not-found');
      const answer = await addOnce(job, from, sent);
      if (answer !== 'raced') return answer;
    }
    return refused('raced');
  }

  async function start(job: ImportJob, dryRun: boolean, startedBy: StartedBy): Promise<ImportAnswer> {
    const state = dryRun ? 'trying' : 'running';
    if (job.state === state || job.state === 'done') return { type: 'done', job };
    if (isUnderWay(job) || isEnded(job)) return refused('not-in-this-state');
    // What is under way is never trimmed, so this bounds what a tenant's imports take.
    if ((await jobs.underWayOf(job.tenantId)) >= IMPORTS_UNDER_WAY_MAX) return refused('too-many-under-way');
    const next = await jobs.save({ ...job, state, startedBy, through: 0, begun: 0, good: 0, refused: 0 });
    if (next !== undefined) runs.begin(next);
    return saved(next);
  }

  async function cancel({ id }: ImportJob): Promise<ImportAnswer> {
    const next = await jobs.change(id, (now) => {
      if (isEnded(now)) return now;
      return { ...now, state: isUnderWay(now) ? 'cancelling' : 'cancelled' };
    });
    if (next === undefined) return refused('not-found');
    if (next.state === 'done' || next.state === 'stopped') return refused('not-in-this-state');
    if (next.state === 'cancelling') runs.begin(next); // where its run has ended meanwhile
    return { type: 'done', job: next };
  }

  /** Changes a job of the tenant, in this process one change after the other. */
  function onJob(
    tenantId: TenantId,
    id: string,
    change: (job: ImportJob) => Promise<ImportAnswer>,
  ): Promise<ImportAnswer> {
    return oneAtATime(id, async () => {
      const job = await find(tenantId, id);
      return job === undefined ? refused('not-found') : change(job);
    });
  }

  return {
    find,

    async create(tenantId, createdBy, options) {
      const createdAt = clock.now();
      const none = { rows: 0, through: 0, begun: 0, good: 0, refused: 0 };
      const about = { id: newId<ImportId>(createdAt), version: 1, tenantId, createdBy, createdAt };
      const job: ImportJob = { ...about, state: 'receiving', ...options, ...none };
      await jobs.create(job);
      await jobs.trim(tenantId, runs.isRunning);
      return job;
    },

    list: jobs.ofTenant,
    add: (tenantId, id, from, sent) => oneAtATime(id, () => add(tenantId, id, from, sent)),
    start: (tenantId, id, dryRun, by) => onJob(tenantId, id, (job) => start(job, dryRun, by)),
    cancel: (tenantId, id) => onJob(tenantId, id, cancel),
    ...reportsOf(jobs, devices),

    async resume() {
      for (const job of await jobs.underWay()) runs.begin(job);
    },

    takeOver: async () => runs.takeOver(await jobs.underWay()),

    async stop() {
      isStopping = true;
      await runs.ended();
    },
  };
}

function refused(reason: Extract<ImportAnswer, { type: 'refused' }>['reason']): ImportAnswer {
  return { type: 'refused', reason };
}

/** Undefined: another process changed the job in the same moment, and did what was asked or something else. */
function saved(job: ImportJob | undefined): ImportAnswer {
  return job === undefined ? refused('not-in-this-state') : { type: 'done', job };
}
