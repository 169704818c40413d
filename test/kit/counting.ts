/** A directory of devices of which it is known how much it reads. */
import { createDirectory } from '../../actors/fleet/directory.ts';
import type { SearchBounds } from '../../actors/fleet/search.ts';
import type { Index, Store } from '../../actors/store/store.ts';

interface Looked {
  /** Rows of the index that it was given. */
  rows: number;
  /** Heads of devices that it read. */
  heads: number;
}

/** An index like another one, but for some of it. */
export function like(index: Index, changed: Partial<Index>): Index {
  return {
    lookup: (key) => index.lookup(key),
    add: (list, member) => index.add(list, member),
    remove: (list, member) => index.remove(list, member),
    count: (list, within) => index.count(list, within),
    page: (list, query) => index.page(list, query),
    ...changed,
  };
}

export function countingDirectory({ index, journal }: Store, bounds: SearchBounds) {
  const looked: Looked = { rows: 0, heads: 0 };
  const directory = createDirectory(
    {
      logs: journal.logs,
      append: (entry) => journal.append(entry),
      due: (now, after, limit) => journal.due(now, after, limit),
      log: (which, from, limit) => journal.log(which, from, limit),
      trim: (which, upTo) => journal.trim(which, upTo),
      forget: (which, stretch, limit, verdict) => journal.forget(which, stretch, limit, verdict),
      load(stream) {
        looked.heads += 1;
        return journal.load(stream);
      },
      alarms: (after, limit) => journal.alarms(after, limit),
      loadMany(streams, part) {
        looked.heads += streams.length;
        return journal.loadMany(streams, part);
      },
    },
    like(index, {
      async page(list, query) {
        const members = await index.page(list, query);
        looked.rows += members.length;
        return members;
      },
    }),
    bounds,
  );
  return { directory, looked };
}
