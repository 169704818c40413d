/**
 * Plain records of one kind, through Keyv. Three traps of Keyv are absorbed here:
 *
 * - it swallows storage errors unless told to throw, so that an outage would read as "there is no such record";
 *   `throwOnErrors` covers `get`, `set` and `delete`, but not `getMany`, which is therefore not used;
 * - `set` may report failure as `false`;
 * - its own serialisation rewrites strings that begin with a colon; plain JSON does not.
 *
 * Every record carries its format's version as `v`.
 *
 * What is read, changed and written back is written by `swap`: only while the record is still what was read. So of
 * several processes on one store none undoes what another did.
 */
import { Keyv } from 'keyv';
import type { Store } from '../store/store.ts';

const RECORD_FORMAT = 1;

/** A record as it was read or written, to be replaced only while it is that. */
export interface Held<Row> {
  readonly row: Row;
  /** As it is stored. */
  readonly text: string;
}

export interface Records<Row> {
  get(id: string): Promise<Row | undefined>;
  /** Whatever is there. */
  put(id: string, row: Row): Promise<void>;
  remove(id: string): Promise<void>;
  hold(id: string): Promise<Held<Row> | undefined>;
  /** What a record is held as that was written here. */
  heldAs(row: Row): Held<Row>;
  /** Replaces a record, or removes it, while it is what was held (undefined: none). Resolves to whether it did. */
  swap(id: string, held: Held<Row> | undefined, next: Row | undefined): Promise<boolean>;
  /**
   * Makes the newest record into another one; what others do meanwhile is not undone. Resolves to what is there then.
   *
   * @param next called again when somebody was faster; what it was given itself, or undefined twice: nothing changes
   */
  update(id: string, next: (row: Row | undefined) => Row | undefined): Promise<Row | undefined>;
}

/** Each failure means that somebody else got through, so this is far more than there will ever be. */
const TRIES_MAX = 10_000;

/** @param kind what the records are: the namespace of their keys */
export function openRecords<Row extends object>(
  store: Pick<Store, 'records' | 'swap'>,
  kind: string,
): Records<Row> {
  const keyv = new Keyv({
    store: store.records,
    namespace: kind,
    throwOnErrors: true,
    serialize: JSON.stringify,
    deserialize: JSON.parse,
  });

  async function hold(id: string): Promise<Held<Row> | undefined> {
    const raw = await keyv.getRaw<unknown>(id);
    if (raw === undefined) return undefined;
    // What JSON.stringify wrote it writes again from what JSON.parse read: to the letter.
    return { row: decode<Row>(kind, raw.value), text: JSON.stringify(raw) };
  }

  function swap(id: string, held: Held<Row> | undefined, next: Row | undefined): Promise<boolean> {
    return store.swap(`${kind}:${id}`, held?.text, next === undefined ? undefined : textOf(next));
  }

  return {
    hold,
    heldAs: (row) => ({ row, text: textOf(row) }),
    swap,

    async update(id, next) {
      for (let tries = 0; tries < TRIES_MAX; tries += 1) {
        const held = await hold(id);
        const row = next(held?.row);
        if (row === held?.row) return row;
        if (await swap(id, held, row)) return row;
      }
      throw new Error(`a ${kind} changes faster than it can be changed`);
    },

    async get(id) {
      const stored: unknown = await keyv.get(id);
      return stored === undefined ? undefined : decode<Row>(kind, stored);
    },
    async put(id, row) {
      if (!(await keyv.set(id, { v: RECORD_FORMAT, ...row })))
        throw new Error(`a ${kind} could not be stored`);
    },
    async remove(id) {
      await keyv.delete(id);
    },
  };
}

/** As Keyv writes it. */
function textOf(row: object): string {
  return JSON.stringify({ value: { v: RECORD_FORMAT, ...row } });
}

function decode<Row extends object>(kind: string, stored: unknown): Row {
  if (typeof stored !== 'object' || stored === null || !('v' in stored) || stored.v !== RECORD_FORMAT) {
    throw new Error(`a stored ${kind} has a format that this version does not know`);
  }
  const { v: _, ...row } = stored;
  return row as Row; // the seam to the store: written by `put` above, in format 1
}
