/**
 * A journal that fails on command. Each call awaits its policy first, so a test can hold a write open, let another
 * process in between, or lose an answer.
 */
import type { Append, Journal } from '../../actors/journal/journal.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';

export type Fault =
  /** It works. */
  | 'none'
  /** Nothing is done, and it is reported as failed. */
  | 'fail'
  /** It is done, and reported as failed all the same: the answer was lost. */
  | 'lie';

interface Faults {
  append(entry: Append): Fault | Promise<Fault>;
  load(stream: string): Fault | Promise<Fault>;
  due(): Fault | Promise<Fault>;
}

export interface FaultyJournal extends Journal {
  /** Replaces some of the policies; those not named stay. */
  inject(faults: Partial<Faults>): void;
  /** From now on everything works. */
  heal(): void;
  /** How often each was called. */
  readonly calls: { append: number; load: number; due: number };
  /** Calls that have not ended yet. */
  readonly underWay: number;
}

const HEALTHY: Faults = { append: () => 'none', load: () => 'none', due: () => 'none' };

/** @param seesAtOnce whether the number of a head can be had without a load, and without a fault */
export function createFaultyJournal(journal: Journal, seesAtOnce = false): FaultyJournal {
  let faults = HEALTHY;
  const calls = { append: 0, load: 0, due: 0 };
  let underWay = 0;

  async function under<Result>(fault: Fault | Promise<Fault>, work: () => Promise<Result>): Promise<Result> {
    underWay += 1;
    try {
      const verdict = await fault;
      if (verdict === 'fail') throw new StoreUnavailable('faulty', 'told to fail');
      const result = await work();
      if (verdict === 'lie') throw new StoreUnavailable('faulty', 'told to lose the answer');
      return result;
    } finally {
      underWay -= 1;
    }
  }

  return {
    calls,
    get underWay() {
      return underWay;
    },
    inject(some) {
      faults = { ...faults, ...some };
    },
    heal() {
      faults = HEALTHY;
    },
    append(entry) {
      calls.append += 1;
      return under(faults.append(entry), () => journal.append(entry));
    },
    load(stream) {
      calls.load += 1;
      return under(faults.load(stream), () => journal.load(stream));
    },
    async loadMany(streams) {
      return Promise.all(streams.map((stream) => this.load(stream)));
    },
    alarms(after, limit) {
      calls.due += 1;
      return under(faults.due(), () => journal.alarms(after, limit));
    },
    due(now, after, limit) {
      calls.due += 1;
      return under(faults.due(), () => journal.due(now, after, limit));
    },
    ...(seesAtOnce && journal.sequenceOf && { sequenceOf: journal.sequenceOf.bind(journal) }),
    ...(seesAtOnce && journal.detailsFrom && { detailsFrom: journal.detailsFrom.bind(journal) }),
    logs: journal.logs,
    log: (which, from, limit) => journal.log(which, from, limit),
    trim: (which, upTo) => journal.trim(which, upTo),
    forget: (which, stretch, limit, verdict) => journal.forget(which, stretch, limit, verdict),
  };
}

/** A promise with its resolver: calls wait for it until the test opens it. */
export function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
