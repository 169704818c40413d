/** Stores whose every access goes another way: held back, or cut off where a process dies. */
import type { Store } from '../../actors/store/store.ts';

export class Crash extends Error {}

export interface Dying {
  readonly store: Store;
  /** From now on: just before its n-th write, or just after that reached the store. */
  dieAt(atWrite: number, moment: 'before' | 'after'): void;
  died(): boolean;
}

/** A process that dies when it is told to. From then on nothing it does reaches the store. */
export function dying(store: Store): Dying {
  let left = Number.POSITIVE_INFINITY;
  let dies: 'before' | 'after' = 'before';
  let dead = false;
  const write = async <Result>(perform: () => Promise<Result>): Promise<Result> => {
    if (dead) throw new Crash();
    left -= 1;
    const last = left === 0;
    if (last && dies === 'before') {
      dead = true;
      throw new Crash();
    }
    const result = await perform();
    if (last) {
      dead = true;
      throw new Crash();
    }
    return result;
  };
  return {
    store: through(store, { read: (perform) => perform(), write }),
    dieAt(atWrite, moment) {
      left = atWrite;
      dies = moment;
    },
    died: () => dead,
  };
}

type Way = <Result>(perform: () => Promise<Result>) => Promise<Result>;

/** A store whose every access goes the way it is given. */
export function through(store: Store, { read, write }: { readonly read: Way; readonly write: Way }): Store {
  const { entities, index, records } = store;
  return {
    ...store,
    entities: {
      load: (name) => read(() => entities.load(name)),
      commit: (commit) => write(() => entities.commit(commit)),
    },
    index: {
      lookup: (key) => read(() => index.lookup(key)),
      page: (list, query) => read(() => index.page(list, query)),
      count: (list) => read(() => index.count(list)),
      add: (list, member) => write(() => index.add(list, member)),
      remove: (list, member) => write(() => index.remove(list, member)),
    },
    records: {
      opts: records.opts,
      on: (event, listener) => records.on(event, listener),
      get: (key) => read(async () => records.get(key)),
      set: (key, value) => write(async () => records.set(key, value)),
      delete: (key) => write(() => records.delete(key)),
      clear: () => records.clear(),
    },
    swap: (...swap) => write(() => store.swap(...swap)),
  };
}
