/**
 * Plain records of one kind, through Keyv. Three traps of Keyv are absorbed here:
 *
 * - it swallows storage errors unless told to throw, so that an outage would read as "there is no such record";
 *   `throwOnErrors` covers `get`, `set` and `delete`, but not `getMany`, which is therefore not used;
 * - `set` may report failure as `false`;
 * - its own serialisation rewrites strings that begin with a colon; plain JSON does not.
 *
 * Every record carries its format's version as `v`.
 */
import { Keyv, type KeyvStoreAdapter } from 'keyv';

export const RECORD_FORMAT = 1;

export interface Records<Row> {
  get(id: string): Promise<Row | undefined>;
  put(id: string, row: Row): Promise<void>;
  remove(id: string): Promise<void>;
}

/** @param kind what the records are: the namespace of their keys */
export function openRecords<Row extends object>(store: KeyvStoreAdapter, kind: string): Records<Row> {
  const keyv = new Keyv({
    store,
    namespace: kind,
    throwOnErrors: true,
    serialize: JSON.stringify,
    deserialize: JSON.parse,
  });

  return {
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

function decode<Row extends object>(kind: string, stored: unknown): Row {
  if (typeof stored !== 'object' || stored === null || !('v' in stored) || stored.v !== RECORD_FORMAT) {
    throw new Error(`a stored ${kind} has a format that this version does not know`);
  }
  const { v: _, ...row } = stored;
  return row as Row; // the seam to the store: written by `put` above, in format 1
}
