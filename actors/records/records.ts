/**
 * Plain records of one kind, through Keyv: leases, kept answers, sessions, import rows, audit blocks. Three traps of Keyv
 * are absorbed here:
 *
 * - it swallows storage errors unless told to throw, so that an outage would read as "there is no such record";
 *   `throwOnErrors` covers `get`, `set` and `delete`, but not `getMany`, which is therefore not used;
 * - `set` may report failure as `false`;
 * - its own serialisation rewrites strings that begin with a colon; plain JSON does not.
 *
 * Every record carries the version of its format as `v`.
 *
 * A record that is read, changed and written back is written by compare-and-swap, so of several processes on one store
 * none undoes what another did.
 */
import { Keyv } from 'keyv';
import type { Store } from '../store/store.ts';

const RECORD_FORMAT = 1;

/** A record as it was read or written, to be replaced only while it is that. */
export interface Snapshot<Value> {
  readonly value: Value;
  /** As it is stored. */
  readonly text: string;
}

export interface Records<Value> {
  get(id: string): Promise<Value | undefined>;
  /** Writes a record, whatever is there. */
  put(id: string, value: Value): Promise<void>;
  remove(id: string): Promise<void>;
  read(id: string): Promise<Snapshot<Value> | undefined>;
  /** The snapshot of a value that was written here. */
  snapshotOf(value: Value): Snapshot<Value>;
  /** Replaces or removes a record, while it is as in the snapshot (undefined: none). Resolves to whether it did. */
  swap(id: string, snapshot: Snapshot<Value> | undefined, next: Value | undefined): Promise<boolean>;
  /**
   * Makes another record of the newest one. Resolves to what is there then.
   *
   * @param next called again when somebody was faster; the same value, or undefined for undefined, changes nothing
   */
  update(id: string, next: (value: Value | undefined) => Value | undefined): Promise<Value | undefined>;
}

/** Each failure means that somebody else got through, so this is far more than there will ever be. */
const TRIES_MAX = 10_000;

/** @param kind what the records are: the namespace of their keys */
export function openRecords<Value extends object>(
  store: Pick<Store, 'records' | 'swap'>,
  kind: string,
): Records<Value> {
  const keyv = new Keyv({
    store: store.records,
    namespace: kind,
    throwOnErrors: true,
    serialize: JSON.stringify,
    deserialize: JSON.parse,
  });

  async function read(id: string): Promise<Snapshot<Value> | undefined> {
    const raw = await keyv.getRaw<unknown>(id);
    if (raw === undefined) return undefined;
    // What JSON.stringify wrote it writes again from what JSON.parse read: to the letter.
    return { value: decode<Value>(kind, raw.value), text: JSON.stringify(raw) };
  }

  function swap(
    id: string,
    snapshot: Snapshot<Value> | undefined,
    next: Value | undefined,
  ): Promise<boolean> {
    return store.swap(`${kind}:${id}`, snapshot?.text, next === undefined ? undefined : textOf(next));
  }

  return {
    read,
    snapshotOf: (value) => ({ value, text: textOf(value) }),
    swap,

    async update(id, next) {
      for (let tries = 0; tries < TRIES_MAX; tries += 1) {
        const snapshot = await read(id);
        const value = next(snapshot?.value);
        if (value === snapshot?.value) return value;
        if (await swap(id, snapshot, value)) return value;
      }
      throw new Error(`a ${kind} changes faster than it can be changed`);
    },

    async get(id) {
      const stored: unknown = await keyv.get(id);
      return stored === undefined ? undefined : decode<Value>(kind, stored);
    },

    async put(id, value) {
      if (!(await keyv.set(id, { v: RECORD_FORMAT, ...value }))) {
        throw new Error(`a ${kind} could not be stored`);
      }
    },

    async remove(id) {
      await keyv.delete(id);
    },
  };
}

/** As Keyv writes it. */
function textOf(value: object): string {
  return JSON.stringify({ value: { v: RECORD_FORMAT, ...value } });
}

function decode<Value extends object>(kind: string, stored: unknown): Value {
  if (typeof stored !== 'object' || stored === null || !('v' in stored) || stored.v !== RECORD_FORMAT) {
    throw new Error(`a stored ${kind} has a format that this version does not know`);
  }
  const { v: _, ...value } = stored;
  return value as Value; // the seam to the store: written by `put` above, in format 1
}
