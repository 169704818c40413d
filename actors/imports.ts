/**
 * Many devices at once: a job takes rows in parts, tries them out without changing anything, and carries them out.
 *
 * Rows and what became of them are kept in blocks beside the job, so a job of any length costs the memory of one block,
 * and goes on after a crash where it was. What a crash makes it do twice is harmless: a row's device has an id that
 * follows from job and row, so that doing it again finds the device there.
 *
 * Keys are sealed for their devices before they are kept (rule C9).
 */
import { createHash } from 'node:crypto';
import { openRecords } from './accounts/records.ts';
import { createSerial } from './accounts/serial.ts';
import type { Accounts } from './accounts.ts';
import { randomClaimKey } from './claim-key.ts';
import { type Clock, type Instant, sleep } from './clock.ts';
import type { DeviceCommand, DeviceRecord, SecretDigest } from './device/protocol.ts';
import type { DeviceAnswer, Devices, Directory } from './devices.ts';
import { type DeviceId, newId, type TenantId, type UserId } from './ids.ts';
import { createLease } from './lease.ts';
import type { Log } from './log.ts';
import type { Secrets } from './secret.ts';
import type { Store } from './store/store.ts';
import { isCleanText } from './text.ts';

export interface NewRow {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  /** Empty: one is made. */
  readonly accessToken: string;
  /** The server-side key; empty: none, or one that is made. */
  readonly secretKey: string;
}

export interface ImportOptions {
  /** Rows without a key get one. */
  readonly generateKeys: boolean;
  readonly keysExpireAt: Instant;
}

export interface ImportJob extends ImportOptions {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly createdBy: UserId;
  readonly createdAt: Instant;
  /** `tried`: a dry run is through, nothing was changed; the job can be carried out. */
  readonly state: 'receiving' | 'trying' | 'tried' | 'running' | 'done';
  /** Rows received. */
  readonly rows: number;
  /** Rows that the present run is through with. */
  readonly through: number;
  readonly good: number;
  readonly refused: number;
}

export type Outcome = 'waiting' | 'good' | 'created' | 'refused';

export interface RowResult {
  /** Counted from 1. */
  readonly row: number;
  readonly name: string;
  readonly outcome: Outcome;
  readonly message: string | null;
  readonly deviceId: DeviceId;
}

export type ImportAnswer =
  | { readonly type: 'done'; readonly job: ImportJob }
  | { readonly type: 'refused'; readonly reason: 'not-found' | 'not-in-this-state' | 'too-many' | 'gap' };

export interface Imports {
  create(tenantId: TenantId, userId: UserId, options: ImportOptions): Promise<ImportJob>;
  find(tenantId: TenantId, id: string): Promise<ImportJob | undefined>;
  /** The newest first. */
  list(tenantId: TenantId): Promise<readonly ImportJob[]>;
  /** @param from how many rows were sent before; rows that are there already are left alone, so a part can be repeated */
  add(tenantId: TenantId, id: string, from: number, rows: readonly NewRow[]): Promise<ImportAnswer>;
  /** Begins a run in the background. */
  start(tenantId: TenantId, id: string, dryRun: boolean): Promise<ImportAnswer>;
  /** What became of rows; with `refusedOnly` of those that were refused. */
  results(
    job: ImportJob,
    query: { readonly page: number; readonly pageSize: number; readonly refusedOnly: boolean },
  ): Promise<{ readonly items: readonly RowResult[]; readonly total: number }>;
  /** Every row with its device as it is now, in order. */
  everything(job: ImportJob): AsyncIterable<readonly [RowResult, DeviceRecord | undefined]>;
  /** Goes on with what was under way when the process ended. */
  resume(): Promise<void>;
  /** Ends runs at the next row; they go on with `resume`. */
  stop(): Promise<void>;
}

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

/** Rows of one job. */
export const IMPORT_ROWS_MAX = 100_000;
/** Jobs that a tenant keeps; older ones are forgotten with their reports. */
const JOBS_MAX = 20;
/** Rows that are read and written at once: the memory that a job takes. */
const BLOCK = 500;
/** Devices asked at the same time: claims go on beside an import. */
const AT_ONCE = 16;
const ASK_AGAIN_MS = 500;
/** After so long without a sign of life a process that ran a job is taken for dead. */
const LEASE_MS = 30_000;
/** UTF-16 units, as for every name. */
const TEXT_MAX = 255;

interface Row {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly accessToken: string;
  readonly key: { readonly secretDigest: SecretDigest; readonly sealedSecret: string } | null;
  readonly outcome: Outcome;
  readonly message: string | null;
}

interface Block {
  readonly rows: readonly Row[];
}

const RUNNING = 'imports-running';
const listOf = (tenantId: TenantId) => `imports/${tenantId}`;

export function createImports(needs: ImportNeeds): Imports {
  const { store, accounts, devices, directory, secrets, clock, log } = needs;
  const jobs = openRecords<ImportJob>(store, 'import');
  const blocks = openRecords<Block>(store, 'import-block');
  const oneAtATime = createSerial();
  const runs = new Map<string, Promise<void>>();
  let stopping = false;

  const readBlock = async (id: string, number: number) => (await blocks.get(`${id}/${number}`))?.rows ?? [];
  const blocksOf = ({ rows }: ImportJob) => Math.ceil(rows / BLOCK);

  async function find(tenantId: TenantId, id: string): Promise<ImportJob | undefined> {
    const job = id.length > TEXT_MAX ? undefined : await jobs.get(id);
    return job?.tenantId === tenantId ? job : undefined;
  }

  async function forget(job: ImportJob): Promise<void> {
    for (let number = 0; number < blocksOf(job); number += 1) await blocks.remove(`${job.id}/${number}`);
    await jobs.remove(job.id);
    await store.index.remove(RUNNING, job.id);
    await store.index.remove(listOf(job.tenantId), job.id);
  }

  // ------------------------------------------------------------------------------------------------------- running

  function begin(job: ImportJob): void {
    if (runs.has(job.id) || stopping) return;
    const run = alone(job)
      .catch((error: unknown) =>
        log.warn({ err: error, job: job.id }, 'an import stopped; it goes on after a start'),
      )
      .finally(() => runs.delete(job.id));
    runs.set(job.id, run);
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
      if (job?.state === 'trying' || job?.state === 'running') await work(job, () => lease.hold());
    } finally {
      await lease.release();
    }
  }

  async function work(started: ImportJob, renew: () => Promise<boolean>): Promise<void> {
    let job = started;
    const dryRun = job.state === 'trying';
    /** Names and tokens of this file, to see in a dry run what would be taken then. */
    const seen = new Set<string>();
    for (let number = 0; number < blocksOf(job) && !stopping; number += 1) {
      const rows = await readBlock(job.id, number);
      const isThrough = (number + 1) * BLOCK <= job.through;
      if (isThrough && !dryRun) continue;
      const first = number * BLOCK;
      const results: Row[] = [];
      for (let at = 0; at < rows.length && !stopping; at += AT_ONCE) {
        const some = rows.slice(at, at + AT_ONCE);
        const done = dryRun
          ? await sequentially(some, (row) => tryOut(job, row, seen))
          : await Promise.all(some.map((row, nth) => carryOut(job, first + at + nth, row)));
        results.push(...done);
      }
      if (stopping) return;
      if (!dryRun && (await accounts.tenants.find(job.tenantId)) === undefined) {
        await takeBack(job, first, results);
        return forget(job);
      }
      await blocks.put(`${job.id}/${number}`, { rows: results });
      if (isThrough) continue;
      const refused = results.filter(({ outcome }) => outcome === 'refused').length;
      job = {
        ...job,
        through: first + results.length,
        good: job.good + results.length - refused,
        refused: job.refused + refused,
      };
      await jobs.put(job.id, job);
      await renew();
    }
    if (stopping) return;
    await jobs.put(job.id, { ...job, state: dryRun ? 'tried' : 'done' });
    await store.index.remove(RUNNING, job.id);
  }

  /** The tenant was deleted meanwhile, and may have been cleared before these came. */
  async function takeBack({ id, tenantId, createdAt }: ImportJob, first: number, rows: readonly Row[]) {
    for (const [nth] of rows.entries()) {
      await ask(idOfRow(id, createdAt, first + nth), { type: 'DeleteDevice', tenantId });
    }
  }

  async function tryOut(job: ImportJob, row: Row, seen: Set<string>): Promise<Row> {
    const refused = (message: string): Row => ({ ...row, outcome: 'refused', message });
    const problem = problemOf(row);
    if (problem !== undefined) return refused(problem);
    const [name, token] = [`name ${row.name}`, `token ${row.accessToken}`];
    if (seen.has(name)) return refused('The name is in the list twice');
    seen.add(name);
    if ((await directory.idOf(job.tenantId, row.name)) !== undefined) return refused(TAKEN['name-taken']);
    if (row.accessToken !== '') {
      if (seen.has(token)) return refused('The access token is in the list twice');
      seen.add(token);
      const holder = await directory.byCredentials(row.accessToken);
      if (holder !== undefined) return refused(TAKEN['credentials-taken']);
    }
    return { ...row, outcome: 'good', message: null };
  }

  async function carryOut(job: ImportJob, nth: number, row: Row): Promise<Row> {
    const refused = (message: string): Row => ({ ...row, outcome: 'refused', message });
    const problem = problemOf(row);
    if (problem !== undefined) return refused(problem);
    const { tenantId } = job;
    const id = idOfRow(job.id, job.createdAt, nth);
    const answer = await ask(id, {
      type: 'ProvisionDevice',
      tenantId,
      name: row.name,
      deviceType: row.type === '' ? 'default' : row.type,
      label: row.label === '' ? null : row.label,
      additionalInfo: null,
      credentials: { type: 'ACCESS_TOKEN', credentialsId: row.accessToken || needs.accessToken() },
      customerId: null,
    });
    // There already: this very row was carried out before the process ended.
    if (answer.type === 'refused' && answer.refusal.reason !== 'already-provisioned') {
      const { reason } = answer.refusal;
      return refused(reason === 'name-taken' || reason === 'credentials-taken' ? TAKEN[reason] : reason);
    }
    const key = row.key ?? (job.generateKeys ? sealedKey(id, randomClaimKey()) : null);
    if (key !== null) {
      const device = await devices.read(id);
      if (device?.owner === null && device.serverKey === null) {
        const serverKey = { ...key, expiresAt: job.keysExpireAt };
        const whose = { tenantId, customerId: null } as const;
        await ask(id, { type: 'SaveAttributes', ...whose, scope: 'SERVER_SCOPE', values: {}, serverKey });
      }
    }
    return { ...row, outcome: 'created', message: null };
  }

  /** An import has time: where there is no answer to be had it asks again, until the process stops. */
  async function ask(
    id: DeviceId,
    command: DeviceCommand,
  ): Promise<Exclude<DeviceAnswer, { type: 'unavailable' }>> {
    for (;;) {
      const answer = await devices.ask(id, command);
      if (answer.type !== 'unavailable') return answer;
      if (stopping) throw new Error(`broken off: ${answer.reason}`);
      await sleep(clock, ASK_AGAIN_MS);
    }
  }

  const sealedKey = (id: DeviceId, secret: string) => ({
    secretDigest: secrets.digest(id, secret),
    sealedSecret: secrets.seal(id, secret),
  });

  const resultOf = (
    { id, createdAt }: ImportJob,
    nth: number,
    { name, outcome, message }: Row,
  ): RowResult => ({
    row: nth + 1,
    name,
    outcome,
    message,
    deviceId: idOfRow(id, createdAt, nth),
  });

  return {
    find,

    async create(tenantId, createdBy, options) {
      const at = clock.now();
      const id: string = newId<UserId>(at); // any id will do
      const none = { rows: 0, through: 0, good: 0, refused: 0 };
      const job: ImportJob = {
        id,
        tenantId,
        createdBy,
        createdAt: at,
        state: 'receiving',
        ...options,
        ...none,
      };
      await store.index.add(listOf(tenantId), id);
      await jobs.put(id, job);
      const old = await store.index.page(listOf(tenantId), {
        offset: JOBS_MAX,
        limit: JOBS_MAX,
        descending: true,
      });
      for (const gone of old) {
        const last = await jobs.get(gone);
        if (last === undefined) await store.index.remove(listOf(tenantId), gone);
        else if (!runs.has(gone)) await forget(last);
      }
      return job;
    },

    async list(tenantId) {
      const ids = await store.index.page(listOf(tenantId), { offset: 0, limit: JOBS_MAX, descending: true });
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
          const there = (await readBlock(id, number)).slice(0, rows % BLOCK);
          const some = fresh.slice(at, at + BLOCK - there.length).map((row, nth): Row => {
            const device = idOfRow(id, job.createdAt, rows + nth);
            const { secretKey, ...rest } = row;
            const key = secretKey === '' ? null : sealedKey(device, secretKey);
            return { ...rest, key, outcome: 'waiting', message: null };
          });
          await blocks.put(`${id}/${number}`, { rows: [...there, ...some] });
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
        const next: ImportJob = { ...job, state, through: 0, good: 0, refused: 0 };
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
          for (const [nth, row] of (await readBlock(job.id, number)).entries()) {
            const place = number * BLOCK + nth;
            if (place >= offset && items.length < pageSize) items.push(resultOf(job, place, row));
          }
        }
        return { items, total: job.rows };
      }
      let total = 0;
      for (let number = 0; number < blocksOf(job); number += 1) {
        for (const [nth, row] of (await readBlock(job.id, number)).entries()) {
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
        const rows = await readBlock(job.id, number);
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

const TAKEN = {
  'name-taken': 'There is a device of this name already',
  'credentials-taken': 'Another device has this access token',
} as const;

function problemOf({ name, type, label, accessToken }: Row): string | undefined {
  if (name.trim() === '') return 'The name is missing';
  const parts = { name, type, label, accessToken };
  for (const [what, text] of Object.entries(parts)) {
    if (text.length > TEXT_MAX) return `The ${WORDS[what]} is longer than ${TEXT_MAX} characters`;
    if (!isCleanText(text)) return `The ${WORDS[what]} has characters that can not be shown`;
  }
  return undefined;
}

const WORDS: Readonly<Record<string, string>> = {
  name: 'name',
  type: 'type',
  label: 'label',
  accessToken: 'access token',
};

async function sequentially<Item, Result>(
  items: readonly Item[],
  each: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await each(item));
  return results;
}

const PER_MS = 4096;

/** A row's device: an id of version 7 like others, in the order of the rows, whose random part follows from job and row. */
export function idOfRow(job: string, createdAt: Instant, nth: number): DeviceId {
  const bytes = createHash('sha256').update(`${job}/${nth}`).digest().subarray(0, 16);
  bytes.writeUIntBE(createdAt + Math.floor(nth / PER_MS), 0, 6);
  bytes.writeUInt16BE(0x7000 | (nth % PER_MS), 6);
  bytes.writeUInt8(0x80 | ((bytes[8] ?? 0) & 0x3f), 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as DeviceId;
}
