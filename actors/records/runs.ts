/**
 * Carrying jobs out in the background, one job of a tenant at a time, each by one process. A crash may make a run do a block
 * twice, which must be harmless.
 */
import { type Clock, sleep } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { createLease, type Lease } from './lease.ts';
import { createSerial } from './serial.ts';

/** Renews the lease; a process that has lost it writes nothing more. */
export type IsOurs = () => Promise<boolean>;

export interface RunNeeds<Job> {
  readonly store: Store;
  readonly clock: Clock;
  /** What the jobs are, in the names of their leases. */
  readonly name: string;
  /** The job, if it is still under way. */
  find(id: string): Promise<Job | undefined>;
  /** Does all that is left of it. */
  run(job: Job, isOurs: IsOurs): Promise<void>;
  /** Whether the process is about to end. */
  stopping(): boolean;
  /** A run failed: it waits for the store and goes on, or ends until it is taken over. */
  failed(id: string, error: unknown, waits: boolean): void;
}

interface Begun {
  readonly id: string;
  readonly tenantId: TenantId;
}

export interface Runs {
  /** Waits as long as another process has the job. */
  begin(job: Begun): void;
  /**
   * Begins those that no process works at: their run failed, or their process died. To be called from time to time with all
   * that are under way; what another process has is compared with the call before. Rejects with `StoreUnavailable`.
   */
  takeOver(underWay: readonly Begun[]): Promise<void>;
  isRunning(id: string): boolean;
  /** Resolves when no run is under way any more. */
  ended(): Promise<void>;
}

const RETRY_MS = 500;
/** After so long without a sign of life a process that ran a job is taken for dead. */
const LEASE_MS = 30_000;
/** Renewals of the lease within that time. */
const RENEWALS = 3;

export function createRuns<Job>(needs: RunNeeds<Job>): Runs {
  const { store, clock, name, find, run, stopping, failed } = needs;
  /** One run of a tenant at a time, so that many jobs take the memory and the commands of one. */
  const oneOfATenant = createSerial();
  const runs = new Map<string, Promise<void>>();
  const leaseOf = (id: string) => createLease(store, clock, `${name} ${id}`, LEASE_MS);
  const abandoned = createAbandoned<Begun>(leaseOf);

  /** Waits for a store that is not available. What else goes wrong would go wrong again, so the run ends. */
  async function untilThrough(id: string): Promise<void> {
    for (;;) {
      try {
        return await alone(id);
      } catch (error) {
        const comesBack = error instanceof StoreUnavailable && !stopping();
        failed(id, error, comesBack);
        if (!comesBack) return;
        await sleep(clock, RETRY_MS);
        if (stopping()) return;
      }
    }
  }

  /** Of several processes on one store one carries a job out; two would do it right as well, but slowly. */
  async function alone(id: string): Promise<void> {
    const lease = leaseOf(id);
    while (!(await lease.hold())) {
      if (stopping()) return;
      await sleep(clock, RETRY_MS);
    }
    try {
      const job = await find(id);
      if (job !== undefined) await run(job, () => lease.hold());
    } finally {
      await lease.release();
    }
  }

  function begin({ id, tenantId }: Begun): void {
    if (runs.has(id) || stopping()) return;
    const running = oneOfATenant(tenantId, () => untilThrough(id)).finally(() => runs.delete(id));
    runs.set(id, running);
  }

  return {
    begin,
    async takeOver(underWay) {
      for (const job of await abandoned(underWay.filter(({ id }) => !runs.has(id)))) begin(job);
    },
    isRunning: (id) => runs.has(id),
    async ended() {
      await Promise.all(runs.values());
    },
  };
}

/**
 * Finds the jobs that no process works at, among those that are under way and not of this process. To be asked from time to time:
 * what another process has is compared with the time before.
 */
export function createAbandoned<Job extends { readonly id: string }>(
  leaseOf: (id: string) => Lease,
): (jobs: readonly Job[]) => Promise<readonly Job[]> {
  /** Of jobs that other processes seem to have: each knows when it saw the last sign of life. */
  let watched = new Map<string, Lease>();
  return async (jobs) => {
    const before = watched;
    watched = new Map();
    const free: Job[] = [];
    for (const job of jobs) {
      const lease = before.get(job.id) ?? leaseOf(job.id);
      if (await lease.hold()) {
        await lease.release();
        free.push(job);
      } else watched.set(job.id, lease);
    }
    return free;
  };
}

/**
 * What all of them come to. Where one fails, the others are let end before that is told: nothing may go on behind the end of its
 * run, whose lease another process has by then.
 */
export async function allEnded<Made>(work: readonly Promise<Made>[]): Promise<Made[]> {
  const ends = await Promise.allSettled(work);
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}

/** Devices asked at the same time: claims go on beside a job. */
const AT_ONCE = 16;

/** Works on the rows some at a time. Undefined when the process ends meanwhile, or the job is another's. */
export async function inParts<Row>(
  rows: readonly Row[],
  { isOurs, stopping, clock }: Pick<RunNeeds<unknown>, 'stopping' | 'clock'> & { readonly isOurs: IsOurs },
  each: (some: readonly Row[], at: number) => Promise<readonly Row[]>,
): Promise<readonly Row[] | undefined> {
  const results: Row[] = [];
  let renewedAt = clock.elapsed();
  for (let at = 0; at < rows.length && !stopping(); at += AT_ONCE) {
    results.push(...(await each(rows.slice(at, at + AT_ONCE), at)));
    if (clock.elapsed() - renewedAt < LEASE_MS / RENEWALS) continue;
    if (!(await isOurs())) return undefined;
    renewedAt = clock.elapsed();
  }
  return stopping() || !(await isOurs()) ? undefined : results;
}
