/**
 * The states a device may be in, as far as its clients can know.
 *
 * A client knows an operation's answer or, when the connection broke, only that the operation may have happened. So it
 * keeps the set of states that fit every answer so far. An answer that fits none of them is a broken promise:
 * something acknowledged was lost, or something refused happened.
 */
import { unreachable } from '../../actors/base/unreachable.ts';

export interface PossibleState {
  readonly owner: string | null;
  /** The secret of the open window. */
  readonly secret: string | null;
}

export type Operation =
  | { readonly type: 'open'; readonly secret: string }
  | { readonly type: 'confirm'; readonly customer: string; readonly secret: string }
  | { readonly type: 'reclaim'; readonly customer: string };

export type Answered = 'accepted' | 'claimed' | 'failure' | 'not-owner' | 'unknown';

export interface Observed {
  readonly operation: Operation;
  readonly outcome: Answered;
}

/** The rules of claiming as a client may rely on them (windows long enough not to elapse). */
function apply(state: PossibleState, operation: Operation): { outcome: Answered; state: PossibleState } {
  const no = (outcome: Answered) => ({ outcome, state });
  const yes = (owner: string | null, secret: string | null) => ({
    outcome: 'accepted' as const,
    state: { owner, secret },
  });
  switch (operation.type) {
    case 'open':
      return state.owner === null ? yes(null, operation.secret) : no('claimed');
    case 'confirm':
      if (state.owner !== null) return no('claimed');
      return state.secret === operation.secret ? yes(operation.customer, null) : no('failure');
    case 'reclaim':
      if (state.owner === null) return no('accepted');
      return state.owner === operation.customer ? yes(null, null) : no('not-owner');
    default:
      return unreachable(operation);
  }
}

export class PossibleStates {
  #possible: readonly PossibleState[];
  readonly #history: string[] = [];

  constructor(start: PossibleState = { owner: null, secret: null }) {
    this.#possible = [start];
  }

  /** Adds the answers of operations that ran at the same time, in any order. */
  observe(...observed: readonly Observed[]): void {
    this.#narrow(
      JSON.stringify(observed),
      permutations(observed).flatMap((order) => order.reduce(step, this.#possible)),
    );
  }

  /** Adds the device's owner, read while no operation was in flight. */
  sees(owner: string | null): void {
    this.#narrow(
      `owner seen: ${owner}`,
      this.#possible.filter((state) => state.owner === owner),
    );
  }

  /** A secret that may open the device; null if none does. */
  get secret(): string | null {
    return this.#possible.find((state) => state.secret !== null)?.secret ?? null;
  }

  #narrow(what: string, states: readonly PossibleState[]): void {
    this.#history.push(what);
    const distinct = new Map(states.map((state) => [JSON.stringify(state), state]));
    if (distinct.size === 0) {
      const before = JSON.stringify(this.#possible);
      throw new Error(
        `a promise was broken.\npossible before: ${before}\nhistory:\n${this.#history.join('\n')}`,
      );
    }
    this.#possible = [...distinct.values()];
  }
}

function step(states: readonly PossibleState[], { operation, outcome }: Observed): readonly PossibleState[] {
  return states.flatMap((state) => {
    const result = apply(state, operation);
    if (outcome === 'unknown') return [state, result.state];
    return result.outcome === outcome ? [result.state] : [];
  });
}

function permutations<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((first, at) =>
    permutations(items.filter((_, other) => other !== at)).map((rest) => [first, ...rest]),
  );
}
