/**
 * Carrying batches out, block by block. Before a block is begun it is written what its devices are like, so that a run that
 * was broken off can tell what it did, and that can be undone.
 */
import { type Clock, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { mapInSlices } from '../base/slices.ts';
import { UnreadableRecord } from '../device/persistence.ts';
import { CLAIMING_ALLOWED, ownerEpochOf } from '../device/state.ts';
import type { Devices } from '../fleet/devices.ts';
import { BLOCK, blocksOf } from '../records/jobs.ts';
import { allEnded, createRuns, type IsOurs, inParts, type Runs } from '../records/runs.ts';
import type { Store } from '../store/store.ts';
import type { BatchJobs } from './jobs.ts';
import { type Batch, type BatchRow, isUnderWay } from './model.ts';
import { type BatchCode, told } from './reasons.ts';

export interface BatchRunNeeds {
  readonly store: Store;
  readonly devices: Devices;
  readonly clock: Clock;
  readonly log: Log;
  /** Does it with one device, or finds that it was done. Resolves to the row with its outcome; undefined: ask again later. */
  readonly act: (batch: Batch, row: BatchRow) => Promise<BatchRow | undefined>;
  /** Whether who asked for it may do it still. */
  readonly mayGoOn: (batch: Batch) => Promise<boolean>;
}

const ASK_AGAIN_MS = 500;
/** A device that gives no answer for so long is left alone. */
const GIVE_UP_MS = 60_000;

export function createBatchRuns(needs: BatchRunNeeds, jobs: BatchJobs, stopping: () => boolean): Runs {
  const { store, devices, clock, log, act, mayGoOn } = needs;

  async function run(started: Batch, isOurs: IsOurs): Promise<void> {
    for (let number = 0; number < blocksOf(started); number += 1) {
      const batch = await jobs.find(started.id);
      if (batch === undefined || !isUnderWay(batch)) return; // another process may have ended it meanwhile
      if ((number + 1) * BLOCK <= batch.through) continue;
      // Of a block that was begun, nobody else would ever say what became of its devices.
      if (batch.state === 'cancelling' && batch.begun <= batch.through) return end(batch, 'cancelled');
      if (!(await mayGoOn(batch))) return end(batch, 'stopped');
      if (!(await carryOut(batch, number, isOurs))) return;
    }
    if (!stopping()) await end(started, 'done');
  }

  async function end({ id }: Batch, state: Batch['state']): Promise<void> {
    await jobs.change(id, (batch) => (isUnderWay(batch) ? { ...batch, state } : batch));
  }

  /** Resolves to false when the process ends meanwhile, or the batch is gone or another process's. */
  async function carryOut(batch: Batch, number: number, isOurs: IsOurs): Promise<boolean> {
    const first = number * BLOCK;
    let rows = await jobs.readBlock(batch.id, number);
    if (batch.begun <= first) {
      rows = await mapInSlices(rows, (row) => readable(row, () => lookedAt(batch, row)));
      if (!(await isOurs())) return false;
      await jobs.writeBlock(batch.id, number, rows);
      const begun = first + rows.length;
      if ((await jobs.change(batch.id, (now) => ({ ...now, begun }))) === undefined) return false;
    }
    const results = await inParts(rows, { isOurs, stopping, clock }, async (some) => {
      if (!(await mayGoOn(batch))) return some.map((row) => refused(row, 'not-allowed'));
      return allEnded(some.map((row) => untilAnswered(batch, row, isOurs)));
    });
    if (results === undefined) return false;
    await jobs.writeBlock(batch.id, number, results);
    const through = first + results.length;
    const saved = await jobs.change(batch.id, (now) =>
      now.through >= through ? now : { ...now, through, ...countsWith(now, results) },
    );
    if (saved === undefined) await jobs.forget(batch); // its tenant was deleted meanwhile
    return saved !== undefined;
  }

  /** A batch has time, but not without end. */
  async function untilAnswered(batch: Batch, row: BatchRow, isOurs: IsOurs): Promise<BatchRow> {
    if (row.outcome !== 'waiting') return row;
    const since = clock.elapsed();
    for (;;) {
      const result = await readable(row, () => act(batch, row));
      if (result !== undefined) return result;
      if (stopping() || !(await isOurs())) throw new Error('broken off: there is no answer');
      const isWanted = (await jobs.find(batch.id))?.state === 'running' && (await mayGoOn(batch));
      if (!isWanted || clock.elapsed() - since >= GIVE_UP_MS) return refused(row, 'no-answer');
      await sleep(clock, ASK_AGAIN_MS);
    }
  }

  /** A device of another tenant is as none. */
  async function lookedAt({ tenantId }: Batch, row: BatchRow): Promise<BatchRow> {
    const device = await devices.read(row.id);
    if (device?.tenantId !== tenantId) return { ...row, before: null };
    const { value } = device.attributes.SERVER_SCOPE[CLAIMING_ALLOWED] ?? {};
    const before = {
      customerId: device.owner?.customerId ?? null,
      epoch: ownerEpochOf(device),
      allowed: typeof value === 'boolean' ? value : null,
      label: device.label,
    };
    return { ...row, name: device.name, before };
  }

  return createRuns<Batch>({
    store,
    clock,
    name: 'batch',
    stopping,
    run,
    async find(id) {
      const batch = await jobs.find(id);
      return batch !== undefined && isUnderWay(batch) ? batch : undefined;
    },
    failed(batch, err, waits) {
      if (waits) log.warn({ err, batch }, 'a batch waits');
      else log.warn({ err, batch }, 'a batch stopped; it is tried again in a minute');
    },
  });
}

function refused(row: BatchRow, code: BatchCode): BatchRow {
  return { ...row, outcome: 'refused', ...told(code) };
}

/** One damaged record must not end the batch for all other devices. */
async function readable<Found>(row: BatchRow, work: () => Promise<Found>): Promise<Found | BatchRow> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error;
    return refused(row, 'unreadable');
  }
}

function countsWith(now: Batch, rows: readonly BatchRow[]): Pick<Batch, 'done' | 'unchanged' | 'refused'> {
  const how = (outcome: BatchRow['outcome']) => rows.filter((row) => row.outcome === outcome).length;
  return {
    done: now.done + how('done'),
    unchanged: now.unchanged + how('unchanged'),
    refused: now.refused + how('refused'),
  };
}
