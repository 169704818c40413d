/**
 * Records of one kind that each hold one unique key and stand in one list, kept whole over crashes without
 * transactions. The record is what counts; keys and lists only lead to it, and are believed only when it agrees.
 *
 *   create   key, list, record, then the key once more (see `unique.ts`)
 *   rename   new key, record, then the key once more, then let go of the old key
 *   remove   mark the record as deleted (from here on nobody sees it), key, record, list
 *
 * Broken off anywhere, what is left over is invisible: a key without a record may be taken over, an id without a
 * record is skipped in lists, a marked record is not found and its removal can be asked for again.
 *
 * Within one process changes of one record, and takers of one key, queue up. Of two processes that change one record
 * at the same instant the later write wins; a change can not bring back a record that was removed meanwhile, because
 * its key is gone by then and the change sees that.
 */
import type { Clock } from '../clock.ts';
import type { Page } from '../devices.ts';
import type { Store } from '../store/store.ts';
import { listPage } from './listing.ts';
import type { AccountQuery } from './model.ts';
import { openRecords } from './records.ts';
import { createSerial } from './serial.ts';
import { takeKey } from './unique.ts';

export interface Row {
  readonly id: string;
  readonly version: number;
  /** Set once the removal has begun. */
  readonly deleted?: true;
}

export interface Kind<R extends Row> {
  /** Singular; the namespace of the records. */
  readonly name: string;
  readonly key: (row: R) => string;
  readonly list: (row: R) => string;
  readonly text: (row: R) => string;
}

export type Change<R> =
  | { readonly type: 'done'; readonly row: R }
  | { readonly type: 'not-found' | 'conflict' | 'taken' };

export interface Collection<R extends Row> {
  find(id: string): Promise<R | undefined>;
  /** The record that holds this key. */
  findByKey(key: string): Promise<R | undefined>;
  page(list: string, query: AccountQuery): Promise<Page<R>>;
  /** Like `find`, but marked records too: for finishing a removal that was broken off. */
  findAny(id: string): Promise<R | undefined>;
  /** The first records of a list, marked ones too. */
  firstOfAny(list: string, limit: number): Promise<readonly R[]>;
  /** Resolves to false when the key is taken. */
  create(row: R): Promise<boolean>;
  /** Replaces a record, by one with the next version. With `expected`: only if its version is still that. */
  change(id: string, next: (row: R) => R, expected?: number): Promise<Change<R>>;
  /** Makes the record invisible. Resolves to it, also when this was done before; undefined when there is none. */
  mark(id: string): Promise<R | undefined>;
  /** Removes a marked record for good. */
  erase(row: R): Promise<void>;
}

export function createCollection<R extends Row>(store: Store, clock: Clock, kind: Kind<R>): Collection<R> {
  const { index } = store;
  const records = openRecords<R>(store.records, kind.name);
  const oneAtATime = createSerial();

  async function find(id: string): Promise<R | undefined> {
    const row = await records.get(id);
    return row?.deleted === true ? undefined : row;
  }

  const holds = (key: string) => async (id: string) => {
    const row = await find(id);
    return row !== undefined && kind.key(row) === key;
  };

  /** Writes a record whose key was taken, and makes sure of the key. */
  async function write(row: R): Promise<boolean> {
    await records.put(row.id, row);
    return (await index.lookup(kind.key(row))) === row.id;
  }

  async function replace(before: R, after: R): Promise<Change<R>> {
    const [oldKey, newKey] = [kind.key(before), kind.key(after)];
    if (oldKey !== newKey && !(await takeKey(index, newKey, after.id, holds(newKey))))
      return { type: 'taken' };
    if (!(await write(after))) {
      if (oldKey !== newKey) {
        await records.put(before.id, before);
        return { type: 'taken' };
      }
      await records.remove(before.id); // its removal let go of the key while we were changing it
      return { type: 'not-found' };
    }
    if (oldKey !== newKey) await index.release(oldKey, before.id);
    return { type: 'done', row: after };
  }

  return {
    find,

    async findByKey(key) {
      const id = await index.lookup(key);
      const row = id === undefined ? undefined : await find(id);
      return row !== undefined && kind.key(row) === key ? row : undefined;
    },

    page(list, query) {
      const get = async (id: string) => {
        const row = await find(id);
        return row !== undefined && kind.list(row) === list ? row : undefined;
      };
      return listPage({ index, clock, get, name: kind.text }, list, query);
    },

    findAny: records.get,

    async firstOfAny(list, limit) {
      const query: AccountQuery = { page: 0, pageSize: limit };
      const page = await listPage({ index, clock, get: records.get, name: kind.text }, list, query);
      return page.items;
    },

    create(row) {
      const key = kind.key(row);
      return oneAtATime(`key ${key}`, async () => {
        if (!(await takeKey(index, key, row.id, holds(key)))) return false;
        await index.add(kind.list(row), row.id);
        if (await write(row)) return true;
        await records.remove(row.id);
        await index.remove(kind.list(row), row.id);
        return false;
      });
    },

    change(id, next, expected) {
      return oneAtATime(id, async () => {
        const before = await find(id);
        if (before === undefined) return { type: 'not-found' };
        if (expected !== undefined && expected !== before.version) return { type: 'conflict' };
        const after = { ...next(before), version: before.version + 1 };
        // Always record before key, so that nobody waits in a circle.
        return oneAtATime(`key ${kind.key(after)}`, () => replace(before, after));
      });
    },

    mark(id) {
      return oneAtATime(id, async () => {
        const row = await records.get(id);
        if (row === undefined || row.deleted === true) return row;
        const marked: R = { ...row, deleted: true };
        await records.put(id, marked);
        return marked;
      });
    },

    erase(row) {
      return oneAtATime(row.id, async () => {
        await index.release(kind.key(row), row.id);
        await records.remove(row.id);
        await index.remove(kind.list(row), row.id); // last, so that a removal broken off is found by the list
      });
    },
  };
}
