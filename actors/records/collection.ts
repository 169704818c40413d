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
 * A record is replaced only while it is what was read, so of several processes none undoes what another did, and what
 * was marked stays marked. Within one process changes of one record, and takers of one key, queue up, which spares
 * them the trying again; nothing depends on it.
 */

import type { AccountQuery } from '../accounts/model.ts';
import type { Clock } from '../base/clock.ts';
import type { Page } from '../fleet/devices.ts';
import type { Store } from '../store/store.ts';
import { listPage } from './listing.ts';
import { type Held, openRecords } from './records.ts';
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
  const records = openRecords<R>(store, kind.name);
  const oneAtATime = createSerial();

  async function find(id: string): Promise<R | undefined> {
    const row = await records.get(id);
    return row?.deleted === true ? undefined : row;
  }

  const holds = (key: string) => async (id: string) => {
    const row = await find(id);
    return row !== undefined && kind.key(row) === key;
  };

  /** Whether a record that was written has the key that was taken for it. */
  const keeps = async (row: R) => (await index.lookup(kind.key(row))) === row.id;

  /** `moved-on`: another process changed the record first. */
  async function replace(held: Held<R>, after: R): Promise<Change<R> | 'moved-on'> {
    const before = held.row;
    const [oldKey, newKey] = [kind.key(before), kind.key(after)];
    if (oldKey !== newKey && !(await takeKey(index, newKey, after.id, holds(newKey))))
      return { type: 'taken' };
    // A new key that was taken in vain stays: the one who moved the record on may stand on it. Else it is worth nothing.
    if (!(await records.swap(after.id, held, after))) return 'moved-on';
    if (oldKey === newKey) return { type: 'done', row: after };
    if (await keeps(after)) {
      await index.release(oldKey, before.id);
      return { type: 'done', row: after };
    }
    await records.update(after.id, (row) =>
      row === undefined || kind.key(row) !== newKey ? row : { ...before, version: row.version + 1 },
    );
    return { type: 'taken' };
  }

  async function changeOnce(id: string, next: (row: R) => R, expected: number | undefined) {
    const held = await records.hold(id);
    if (held === undefined || held.row.deleted === true) return { type: 'not-found' } as const;
    const before = held.row;
    if (expected !== undefined && expected !== before.version) return { type: 'conflict' } as const;
    const after = { ...next(before), version: before.version + 1 };
    // Always record before key, so that nobody waits in a circle.
    return oneAtATime(`key ${kind.key(after)}`, () => replace(held, after));
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
        if (!(await records.swap(row.id, undefined, row))) return false; // it is there: made by another process
        if (await keeps(row)) return true;
        await records.remove(row.id);
        await index.remove(kind.list(row), row.id);
        return false;
      });
    },

    change(id, next, expected) {
      return oneAtATime(id, async () => {
        for (;;) {
          const changed = await changeOnce(id, next, expected);
          if (changed !== 'moved-on') return changed; // else somebody got through, so this ends
        }
      });
    },

    mark(id) {
      return oneAtATime(id, () =>
        records.update(id, (row) =>
          row === undefined || row.deleted === true ? row : { ...row, deleted: true },
        ),
      );
    },

    erase(row) {
      return oneAtATime(row.id, async () => {
        await index.release(kind.key(row), row.id);
        await records.update(row.id, (there) => (there?.deleted === true ? undefined : there));
        await index.remove(kind.list(row), row.id); // last, so that a removal broken off is found by the list
      });
    },
  };
}
