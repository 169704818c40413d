/**
 * One change to many devices, in the background: it is stored before it begins, goes on after a crash, tells what became of
 * each device, and can be undone where nothing is lost by it. What is done with one device is said by whoever composes this
 * (`act`): the same code that a single request runs.
 */
import { type BatchId, type DeviceId, newId, type TenantId } from '../base/ids.ts';
import { BLOCK, blocksOf } from '../records/jobs.ts';
import { createSerial } from '../records/serial.ts';
import { openBatches } from './jobs.ts';
import {
  BATCHES_UNDER_WAY_MAX,
  type Batch,
  type BatchAnswer,
  type Batches,
  type BatchRow,
  isUnderWay,
  isUndoable,
} from './model.ts';
import { type BatchRunNeeds, createBatchRuns } from './runs.ts';

export * from './model.ts';

/** Longer than any id. */
const ID_MAX = 64;

export function createBatches(needs: BatchRunNeeds): Batches {
  const { store, clock } = needs;
  const jobs = openBatches(store);
  const oneAtATime = createSerial();
  let isStopping = false;
  const runs = createBatchRuns(needs, jobs, () => isStopping);

  async function find(tenantId: TenantId, id: string): Promise<Batch | undefined> {
    const batch = id.length > ID_MAX ? undefined : await jobs.find(id);
    return batch?.tenantId === tenantId ? batch : undefined;
  }

  /** Stores it with its rows, and begins: not before all of them are there. */
  async function storeIt(batch: Batch, rows: readonly BatchRow[]): Promise<BatchAnswer> {
    if ((await jobs.underWayOf(batch.tenantId)) >= BATCHES_UNDER_WAY_MAX) return refused('too-many');
    await jobs.create(batch);
    for (let at = 0; at < rows.length; at += BLOCK)
      await jobs.writeBlock(batch.id, at / BLOCK, rows.slice(at, at + BLOCK));
    const begun = await jobs.change(batch.id, (now) => ({ ...now, state: 'running' }));
    if (begun === undefined) {
      // Its tenant was deleted meanwhile; or somebody else undoes the same batch, and was faster.
      await jobs.forget(batch);
      return refused((await undoingOf(batch)) === undefined ? 'not-found' : 'undone-already');
    }
    await jobs.trim(batch.tenantId, runs.isRunning);
    runs.begin(begun);
    return { type: 'done', batch: begun };
  }

  function newBatch(fields: Omit<Batch, 'id' | 'version' | 'createdAt' | keyof typeof UNTOUCHED>): Batch {
    const createdAt = clock.now();
    return { id: newId<BatchId>(createdAt), version: 1, createdAt, ...fields, ...UNTOUCHED };
  }

  /** Who undoes what this one would. */
  async function undoingOf({
    tenantId,
    undoes,
  }: Pick<Batch, 'tenantId' | 'undoes'>): Promise<BatchId | undefined> {
    const all = undoes === undefined ? [] : await jobs.ofTenant(tenantId);
    return all.find((other) => other.undoes === undoes && other.state !== 'preparing')?.id;
  }

  async function undo(by: Parameters<Batches['undo']>[0], batch: Batch): Promise<BatchAnswer> {
    if (isUnderWay(batch) || batch.state === 'preparing') return refused('not-in-this-state');
    if (!isUndoable(batch.change) || batch.undoes !== undefined) return refused('not-undoable');
    if (batch.undoneBy !== undefined) return refused('undone-already');
    const rows: BatchRow[] = [];
    for (let number = 0; number < blocksOf(batch); number += 1)
      for (const { id, outcome, before } of await jobs.readBlock(batch.id, number))
        if (outcome === 'done' && before) rows.push({ ...waitingRow(id), restore: before });
    const undoing = newBatch({ ...by, change: batch.change, undoes: batch.id, rows: rows.length });
    const answer = await storeIt(undoing, rows);
    // Written here, too, where it was another's: that one may have been broken off before it wrote so.
    const undoneBy = answer.type === 'done' ? undoing.id : await undoingOf(undoing);
    if (undoneBy !== undefined) await jobs.change(batch.id, (now) => ({ ...now, undoneBy }));
    return answer;
  }

  return {
    find,
    begin: (batch, devices) =>
      oneAtATime(batch.tenantId, () =>
        storeIt(newBatch({ ...batch, rows: devices.length }), devices.map(waitingRow)),
      ),
    list: jobs.ofTenant,

    async cancel(tenantId, id) {
      const batch = await find(tenantId, id);
      if (batch === undefined) return refused('not-found');
      if (!isUnderWay(batch)) return refused('not-in-this-state');
      const next = await jobs.change(batch.id, (now) =>
        now.state === 'running' ? { ...now, state: 'cancelling' } : now,
      );
      if (next === undefined) return refused('not-found');
      if (next.state === 'cancelling') runs.begin(next); // where its run has ended meanwhile
      return { type: 'done', batch: next };
    },

    undo: (by, id) =>
      oneAtATime(by.tenantId, async () => {
        const batch = await find(by.tenantId, id);
        return batch === undefined ? refused('not-found') : undo(by, batch);
      }),

    async results(batch, { page, pageSize, refusedOnly }) {
      const offset = page * pageSize;
      const items: (BatchRow & { readonly row: number })[] = [];
      let total = refusedOnly ? 0 : Math.min(offset, batch.rows);
      for (let number = refusedOnly ? 0 : Math.floor(offset / BLOCK); number < blocksOf(batch); number += 1) {
        for (const [nth, row] of (await jobs.readBlock(batch.id, number)).entries()) {
          const place = number * BLOCK + nth;
          if (refusedOnly ? row.outcome !== 'refused' : place < offset) continue;
          if (total >= offset && items.length < pageSize) items.push({ ...row, row: place + 1 });
          total += 1;
        }
        if (!refusedOnly && items.length === pageSize) break;
      }
      return { items, total: refusedOnly ? total : batch.rows };
    },

    async resume() {
      for (const batch of await jobs.underWay()) runs.begin(batch);
    },

    takeOver: async () => runs.takeOver(await jobs.underWay()),

    async stop() {
      isStopping = true;
      await runs.ended();
    },
  };
}

const UNTOUCHED = { state: 'preparing', through: 0, begun: 0, done: 0, unchanged: 0, refused: 0 } as const;

const waitingRow = (id: DeviceId): BatchRow => ({ id, name: null, outcome: 'waiting', message: null });

function refused(reason: Extract<BatchAnswer, { type: 'refused' }>['reason']): BatchAnswer {
  return { type: 'refused', reason };
}
