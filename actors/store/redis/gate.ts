/**
 * What every use of the store passes through: a move of a head takes several commands, and closing waits for the last of
 * them. After closing every use is refused.
 */
import type { Journal } from '../../journal/journal.ts';
import type { TextTable } from '../records.ts';
import { type Entities, type Index, StoreUnavailable } from '../store.ts';

export class Gate {
  readonly #name: string;
  readonly #underWay = new Set<Promise<unknown>>();
  #open = true;

  /** @param name the store's, for errors */
  constructor(name: string) {
    this.#name = name;
  }

  run<Result>(use: () => Promise<Result>): Promise<Result> {
    if (!this.#open) return Promise.reject(new StoreUnavailable(this.#name, 'closed'));
    const work = use();
    this.#underWay.add(work);
    const over = () => this.#underWay.delete(work);
    work.then(over, over);
    return work;
  }

  /** Refuses what comes from now on; resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#open = false;
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  journal(journal: Journal): Journal {
    return {
      logs: journal.logs,
      load: (stream) => this.run(() => journal.load(stream)),
      loadMany: (streams, part) => this.run(() => journal.loadMany(streams, part)),
      alarms: (after, limit) => this.run(() => journal.alarms(after, limit)),
      append: (entry) => this.run(() => journal.append(entry)),
      due: (now, after, limit) => this.run(() => journal.due(now, after, limit)),
      log: (which, from, limit) => this.run(() => journal.log(which, from, limit)),
      trim: (which, upTo) => this.run(() => journal.trim(which, upTo)),
      forget: (which, stretch, limit, verdict) =>
        this.run(() => journal.forget(which, stretch, limit, verdict)),
    };
  }

  entities(entities: Entities): Entities {
    return {
      load: (name) => this.run(() => entities.load(name)),
      commit: (commit) => this.run(() => entities.commit(commit)),
    };
  }

  index(index: Index): Index {
    return {
      lookup: (key) => this.run(() => index.lookup(key)),
      add: (list, member) => this.run(() => index.add(list, member)),
      remove: (list, member) => this.run(() => index.remove(list, member)),
      page: (list, query) => this.run(() => index.page(list, query)),
      count: (list, within) => this.run(() => index.count(list, within)),
    };
  }

  table(table: TextTable): TextTable {
    return {
      get: (key) => this.run(() => table.get(key)),
      set: (key, text) => this.run(() => table.set(key, text)),
      delete: (key) => this.run(() => table.delete(key)),
    };
  }
}
