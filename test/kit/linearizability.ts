/**
 * Is there one order of the operations that explains every answer? The order must keep real time: what was answered
 * before another was asked comes before it. If there is none, two callers got answers that cannot both be true.
 *
 * The search is Wing and Gong's with Lowe's memory of configurations already tried. Nothing of the server is used here:
 * only what its clients asked and heard, and a model of one device written from the rule book.
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
}

export type Verdict =
  | { readonly type: 'linearizable' }
  /** The longest explanation found ends before this operation. */
  | { readonly type: 'violation'; readonly explained: number; readonly stuckAt: string }
  /** The search was given up: neither shown nor refuted. */
  | { readonly type: 'undecided'; readonly configurations: number };

const CONFIGURATIONS_MAX = 200_000;

interface Configuration<State> {
  /** One bit per operation. */
  readonly done: bigint;
  readonly state: State;
}

/** @param operations of one object, in any order; states are compared by their JSON */
export function linearize<State>(initial: State, operations: readonly Operation<State>[]): Verdict {
  const all = [...operations].sort((a, b) => a.calledAt - b.calledAt);
  const certain = all.filter(({ endedAt }) => endedAt < Number.POSITIVE_INFINITY).length;
  const tried = new Set<string>();
  const stack: Configuration<State>[] = [{ done: 0n, state: initial }];
  let explained = -1;
  let stuckAt = '';

  for (let popped = stack.pop(); popped !== undefined; popped = stack.pop()) {
    const next = takeObservers(all, popped);
    const key = `${next.done.toString(36)} ${JSON.stringify(next.state)}`;
    if (tried.has(key)) continue;
    tried.add(key);
    if (tried.size > CONFIGURATIONS_MAX) return { type: 'undecided', configurations: tried.size };

    const { candidates, firstEnd, left } = comeNext(all, next.done);
    if (left === 0) return { type: 'linearizable' };
    if (certain - left > explained) {
      explained = certain - left;
      stuckAt = firstEnd?.what ?? '';
    }
    // The last pushed is tried first: what ended first most likely happened first.
    candidates.sort((a, b) => b[1].endedAt - a[1].endedAt);
    const now = JSON.stringify(next.state);
    for (const [at, operation] of candidates) {
      for (const state of operation.apply(next.state)) {
        // What may as well never have happened, and would change nothing, need not be tried.
        if (operation.endedAt === Number.POSITIVE_INFINITY && JSON.stringify(state) === now) continue;
        stack.push({ done: next.done | (1n << BigInt(at)), state });
      }
    }
  }
  return { type: 'violation', explained, stuckAt };
}

/** Takes every observer that may come next and fits the state as it is, until none does. */
function takeObservers<State>(
  all: readonly Operation<State>[],
  { done: before, state }: Configuration<State>,
): Configuration<State> {
  let done = before;
  for (let again = true; again; ) {
    again = false;
    for (const [at, { observes, apply }] of comeNext(all, done).candidates) {
      if (!observes || apply(state).length === 0) continue;
      done |= 1n << BigInt(at);
      again = true;
    }
  }
  return { done, state };
}

/** The undone operations that no other undone one precedes, and how many answered ones are undone. */
function comeNext<State>(all: readonly Operation<State>[], done: bigint) {
  const undone: [number, Operation<State>][] = [];
  let firstEnd: Operation<State> | undefined;
  let left = 0;
  for (const [at, operation] of all.entries()) {
    // In the order of calls: from here on all were asked after the first undone one was answered.
    if (firstEnd !== undefined && operation.calledAt > firstEnd.endedAt && left > 0) {
      left += countCertain(all, at, done);
      break;
    }
    if (((done >> BigInt(at)) & 1n) === 1n) continue;
    undone.push([at, operation]);
    if (operation.endedAt === Number.POSITIVE_INFINITY) continue;
    left += 1;
    if (firstEnd === undefined || operation.endedAt < firstEnd.endedAt) firstEnd = operation;
  }
  const last = firstEnd?.endedAt ?? Number.POSITIVE_INFINITY;
  return { candidates: undone.filter(([, { calledAt }]) => calledAt <= last), firstEnd, left };
}

function countCertain<State>(all: readonly Operation<State>[], from: number, done: bigint): number {
  let count = 0;
  for (let at = from; at < all.length; at += 1) {
    const certain = (all[at]?.endedAt ?? 0) < Number.POSITIVE_INFINITY;
    if (certain && ((done >> BigInt(at)) & 1n) === 0n) count += 1;
  }
  return count;
}
