/**
 * Is there one order of the operations that explains every answer? The order must keep real time: what was answered
 * before another was asked comes before it. If there is none, two callers got answers that cannot both be true.
 *
 * The record is walked in time, and at each answer the set of what may be true by then is kept (Lowe's just-in-time
 * linearization): a state, and which of the pending operations happened on the way to it. An operation is given its place
 * only when an answer is due, its own or one that needs it. What this keeps small where many answers were lost:
 *
 * - of two ways to a state, the one that used fewer lost operations can do all that the other can: the other is dropped;
 * - an operation that may as well come after the due answer is left for later;
 * - equal lost operations are used in the order of their calls;
 * - where states have a version that never falls, none may be beyond what a coming answer tells of it.
 *
 * Nothing of the server is used here: only what its clients asked and heard, and a model of one device written from the
 * rule book.
 */

/** What a client asked, and when. Instants are in ms, of one clock for all clients. */
export interface Operation<State> {
  /** For messages. */
  readonly what: string;
  readonly calledAt: number;
  /** When the answer came; Infinity when none came: then it may have happened at any time since, or never. */
  readonly endedAt: number;
  /** Never changes anything, whatever the state: it is taken as soon as it fits, which loses no order. */
  readonly observes: boolean;
  /** The states after it, if it happens in this one and gives the answer it gave; none where it cannot have. */
  readonly apply: (state: State) => readonly State[];
  /** The highest version of a state in which it can have given its answer. Absent: any. */
  readonly versionMost?: number;
  /** Without an answer: those with the same name do the same, and one that was called later can do no more. */
  readonly alike?: string;
}

/** `configurations`: how many were looked at. */
export type Verdict =
  | { readonly type: 'linearizable'; readonly configurations: number }
  /** So many answers have an explanation, in the order in which they came; the next one fits none of them. */
  | {
      readonly type: 'violation';
      readonly explained: number;
      readonly stuckAt: string;
      readonly configurations: number;
    }
  /** The search was given up: neither shown nor refuted. */
  | { readonly type: 'undecided'; readonly configurations: number };

const CONFIGURATIONS_MAX = 1_000_000;

/** What may be true at an instant. The sets hold one bit per operation, in the order of calls. */
interface Configuration<State> {
  readonly state: State;
  /** `state` as JSON. */
  readonly key: string;
  /** The pending operations that happened, of those that got an answer later. */
  readonly done: bigint;
  /** The lost operations that happened. */
  readonly used: bigint;
}

interface Numbered<State> extends Operation<State> {
  readonly bit: bigint;
}

/**
 * @param operations of one object, in any order; states are compared by their JSON
 * @param versionOf what no operation ever makes smaller; needed where operations have a `versionMost`
 */
export function linearize<State>(
  initial: State,
  operations: readonly Operation<State>[],
  versionOf: (state: State) => number = () => 0,
): Verdict {
  const all = [...operations]
    .sort((a, b) => a.calledAt - b.calledAt)
    .map((operation, at): Numbered<State> => ({ ...operation, bit: 1n << BigInt(at) }));
  const dues = all.filter(({ endedAt }) => endedAt < Number.POSITIVE_INFINITY);
  dues.sort((a, b) => a.endedAt - b.endedAt);

  const walk = new Walk(all, versionOf);
  let possible: readonly Configuration<State>[] = [
    { state: initial, key: JSON.stringify(initial), done: 0n, used: 0n },
  ];
  for (const [explained, due] of dues.entries()) {
    walk.callUntil(due.endedAt);
    possible = walk.answer(possible, due);
    const { configurations } = walk;
    if (configurations > CONFIGURATIONS_MAX) return { type: 'undecided', configurations };
    if (possible.length === 0) return { type: 'violation', explained, stuckAt: due.what, configurations };
  }
  return { type: 'linearizable', configurations: walk.configurations };
}

class Walk<State> {
  /** Looked at so far. */
  configurations = 0;
  readonly #all: readonly Numbered<State>[];
  readonly #versionOf: (state: State) => number;
  /** By how many were called: the highest version that the rest allow. */
  readonly #versionsMost: readonly number[];
  #called = 0;
  /** Called, and to be answered. */
  #pending: readonly Numbered<State>[] = [];
  /** Called, and never answered: in groups of alike ones. */
  readonly #lost = new Map<string, Numbered<State>[]>();

  constructor(all: readonly Numbered<State>[], versionOf: (state: State) => number) {
    this.#all = all;
    this.#versionOf = versionOf;
    const most = [Number.POSITIVE_INFINITY];
    for (const { versionMost = Number.POSITIVE_INFINITY } of [...all].reverse()) {
      most.push(Math.min(most.at(-1) ?? 0, versionMost));
    }
    this.#versionsMost = most.reverse();
  }

  /** What is called at the very instant of an answer may have come before it. */
  callUntil(instant: number): void {
    for (let next = this.#all[this.#called]; next !== undefined && next.calledAt <= instant; ) {
      if (next.endedAt < Number.POSITIVE_INFINITY) this.#pending = [...this.#pending, next];
      else {
        const group = next.alike ?? `alone ${next.bit}`;
        this.#lost.set(group, [...(this.#lost.get(group) ?? []), next]);
      }
      this.#called += 1;
      next = this.#all[this.#called];
    }
  }

  /** What may be true once `due` is answered: in each, it has happened, last or before. */
  answer(possible: readonly Configuration<State>[], due: Numbered<State>): readonly Configuration<State>[] {
    const after = new Fewest<State>();
    const before = new Fewest<State>();
    // Those that used the fewest come first, so that what is worse is dropped when it is met.
    let round: Configuration<State>[] = [];
    for (const one of possible) {
      const settled = this.#observe(one);
      if ((settled.done & due.bit) !== 0n) after.add({ ...settled, done: settled.done & ~due.bit });
      else if (before.add(settled)) round.push(settled);
    }
    for (const one of round) this.#take(one, undefined, due, after);
    while (round.length > 0 && this.configurations <= CONFIGURATIONS_MAX) {
      const next: Configuration<State>[] = [];
      for (const one of round) {
        if (!before.has(one)) continue;
        if (this.configurations > CONFIGURATIONS_MAX) break;
        for (const operation of this.#mayCome(one, due)) {
          for (const then of this.#step(one, operation)) {
            if ((then.done & due.bit) !== 0n) after.add({ ...then, done: then.done & ~due.bit });
            else if (before.add(then)) {
              next.push(then);
              this.#take(then, { one, operation }, due, after);
            }
          }
        }
      }
      round = next;
    }
    this.#pending = this.#pending.filter((operation) => operation !== due);
    return after.all();
  }

  /** Lets `due` happen now, unless what came just before may as well come after it. */
  #take(
    one: Configuration<State>,
    last: { readonly one: Configuration<State>; readonly operation: Numbered<State> } | undefined,
    due: Numbered<State>,
    after: Fewest<State>,
  ): void {
    for (const then of this.#step(one, due)) {
      const swapped =
        last !== undefined &&
        this.#step(last.one, due).some((first) =>
          this.#step(first, last.operation).some(
            ({ key, done }) => key === then.key && (then.done & ~done) === 0n,
          ),
        );
      if (!swapped) after.add({ ...then, done: then.done & ~due.bit });
    }
  }

  /** The pending and the lost operations that may come next. */
  *#mayCome({ done, used }: Configuration<State>, due: Numbered<State>): Generator<Numbered<State>> {
    for (const operation of this.#pending) {
      if (operation !== due && !operation.observes && (done & operation.bit) === 0n) yield operation;
    }
    for (const group of this.#lost.values()) {
      const first = group.find(({ bit }) => (used & bit) === 0n);
      if (first !== undefined) yield first;
    }
  }

  /** What may be true after one more operation. */
  #step(one: Configuration<State>, operation: Numbered<State>): Configuration<State>[] {
    const isLost = operation.endedAt === Number.POSITIVE_INFINITY;
    const done = isLost ? one.done : one.done | operation.bit;
    const used = isLost ? one.used | operation.bit : one.used;
    return operation.apply(one.state).flatMap((state) => {
      this.configurations += 1;
      const key = JSON.stringify(state);
      // What may as well never have happened, and would change nothing, need not be tried.
      if (isLost && key === one.key) return [];
      const then = this.#observe({ state, key, done, used });
      return this.#isTooLate(then) ? [] : [then];
    });
  }

  /** Takes every pending observer that fits the state as it is. */
  #observe(one: Configuration<State>): Configuration<State> {
    let { done } = one;
    for (const { observes, bit, apply } of this.#pending) {
      if (observes && (done & bit) === 0n && apply(one.state).length > 0) done |= bit;
    }
    return done === one.done ? one : { ...one, done };
  }

  /** Whether an answer that is still to be explained tells of an older state. */
  #isTooLate({ state, done }: Configuration<State>): boolean {
    const version = this.#versionOf(state);
    if (version > (this.#versionsMost[this.#called] ?? 0)) return true;
    return this.#pending.some(
      ({ bit, versionMost }) => versionMost !== undefined && version > versionMost && (done & bit) === 0n,
    );
  }
}

/** Of the ways to one state, by the same answered operations, those that used the fewest lost ones. */
class Fewest<State> {
  readonly #ways = new Map<string, Configuration<State>[]>();

  /** @returns whether it is kept */
  add(one: Configuration<State>): boolean {
    const way = `${one.done.toString(36)} ${one.key}`;
    const ways = this.#ways.get(way) ?? [];
    if (ways.some(({ used }) => (used & one.used) === used)) return false;
    this.#ways.set(way, [...ways.filter(({ used }) => (used & one.used) !== one.used), one]);
    return true;
  }

  has(one: Configuration<State>): boolean {
    return this.#ways.get(`${one.done.toString(36)} ${one.key}`)?.includes(one) ?? false;
  }

  all(): readonly Configuration<State>[] {
    return [...this.#ways.values()].flat();
  }
}
