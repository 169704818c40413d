/**
 * Linearizability, per device: is there one order of the operations, in keeping with real time (what was answered before
 * another was asked comes before it), in which a device that does one thing at a time gives every answer that was given?
 * Only what callers asked and heard is looked at; the journal is not.
 *
 * The search is Wing and Gong's with Lowe's memory of configurations already tried (a set of operations done, and the
 * device they lead to). An operation whose outcome nobody knows may have happened at any time after it was asked,
 * or never. Operations that change nothing are taken as soon as they fit, which loses no order.
 */
import type { Checker, History, Operation, Rules } from '../history.ts';
import { accept, agree, isTrue, type MaybeModel, type Span } from './rules.ts';

/** Configurations looked at before the search gives up: a history that needs more is told, not passed. */
const CONFIGURATIONS_MAX = 200_000;

export const linearizable: Checker = (history) => {
  const devices = new Map<string, Operation[]>();
  for (const operation of history.operations) {
    const all = devices.get(operation.device) ?? [];
    devices.set(operation.device, all);
    all.push(operation);
  }
  return [...devices].flatMap(([device, operations]) => {
    const trouble = search(history, operations);
    return trouble === undefined ? [] : [{ law: 'linearizable', device, text: trouble }];
  });
};

interface Candidate {
  readonly operation: Operation;
  readonly at: Span;
  /** The step by which it must have happened; Infinity where nobody knows whether it did. */
  readonly before: number;
}

interface Configuration {
  readonly done: bigint;
  readonly device: MaybeModel;
}

/** Undefined when an order exists, else how far the best one came. */
function search({ rules }: History, operations: readonly Operation[]): string | undefined {
  const candidates = operations.flatMap((operation) => candidateOf(operation));
  const mustHappen = candidates.filter(({ before }) => before < Number.POSITIVE_INFINITY).length;
  const tried = new Set<string>();
  const stack: Configuration[] = [{ done: 0n, device: null }];
  let best = 0;
  let stuckAt: Candidate | undefined;

  while (stack.length > 0) {
    const configuration = takeWhatChangesNothing(rules, candidates, stack.pop() as Configuration);
    const left = candidates.filter((_, at) => (configuration.done & (1n << BigInt(at))) === 0n);
    const remaining = left.filter(({ before }) => before < Number.POSITIVE_INFINITY);
    if (remaining.length === 0) return undefined;

    const key = `${configuration.done.toString(36)} ${JSON.stringify(configuration.device)}`;
    if (tried.has(key)) continue;
    tried.add(key);
    if (tried.size > CONFIGURATIONS_MAX) return `undecided after ${CONFIGURATIONS_MAX} configurations`;
    if (mustHappen - remaining.length >= best) {
      best = mustHappen - remaining.length;
      stuckAt = remaining.reduce((first, other) => (other.before < first.before ? other : first));
    }
    stack.push(...nextConfigurations(rules, candidates, configuration));
  }
  const { id, request } = stuckAt?.operation ?? {};
  return (
    `no order of its ${operations.length} operations explains the answers; ` +
    `at best ${best} of ${mustHappen}, then operation ${id} (${request?.type}) does not fit`
  );
}

function candidateOf(operation: Operation): Candidate[] {
  const { ended, called } = operation;
  if (ended === undefined) {
    const at = { from: called.at, to: Number.MAX_SAFE_INTEGER };
    return [{ operation, at, before: Number.POSITIVE_INFINITY }];
  }
  const { outcome, moment } = ended;
  const interval = { from: called.at, to: moment.at };
  switch (outcome.type) {
    case 'accepted':
      return [{ operation, at: { from: outcome.at, to: outcome.at }, before: moment.step }];
    case 'refused':
    case 'read':
      return [{ operation, at: interval, before: moment.step }];
    case 'unknown':
      return operation.request.type === 'read'
        ? []
        : [{ operation, at: interval, before: Number.POSITIVE_INFINITY }];
    case 'nothing-done':
      return [];
    default:
      return outcome satisfies never;
  }
}

/** Takes every operation that may come next and leaves the device as it is, again and again. */
function takeWhatChangesNothing(
  rules: Rules,
  candidates: readonly Candidate[],
  { done, device }: Configuration,
): Configuration {
  const state = JSON.stringify(device);
  for (let before = -1n; before !== done; ) {
    before = done;
    for (const [at, candidate] of comeNext(candidates, done)) {
      if (candidate.before === Number.POSITIVE_INFINITY) continue;
      const after = afterwards(rules, device, candidate);
      if (after !== undefined && JSON.stringify(after) === state) done |= 1n << BigInt(at);
    }
  }
  return { done, device };
}

/** Where the search may go from here; the most promising last, to be taken from the stack first. */
function nextConfigurations(
  rules: Rules,
  candidates: readonly Candidate[],
  { done, device }: Configuration,
): Configuration[] {
  const state = JSON.stringify(device);
  return comeNext(candidates, done)
    .sort(([, a], [, b]) => b.before - a.before || b.operation.called.step - a.operation.called.step)
    .flatMap(([at, candidate]) => {
      const after = afterwards(rules, device, candidate);
      if (after === undefined) return [];
      if (candidate.before === Number.POSITIVE_INFINITY && JSON.stringify(after) === state) return [];
      return [{ done: done | (1n << BigInt(at)), device: after }];
    });
}

/** Operations not done yet that no other undone one precedes in real time. */
function comeNext(candidates: readonly Candidate[], done: bigint): [at: number, candidate: Candidate][] {
  const left: [number, Candidate][] = [];
  let firstEnd = Number.POSITIVE_INFINITY;
  for (const [at, candidate] of candidates.entries()) {
    if ((done & (1n << BigInt(at))) !== 0n) continue;
    left.push([at, candidate]);
    firstEnd = Math.min(firstEnd, candidate.before);
  }
  return left.filter(([, { operation }]) => operation.called.step < firstEnd);
}

/** The device after the operation with the outcome it had, or undefined when it can not have had that. */
function afterwards(rules: Rules, device: MaybeModel, { operation, at }: Candidate): MaybeModel | undefined {
  const { request, ended } = operation;
  const outcome = ended?.outcome ?? { type: 'unknown' as const };
  switch (outcome.type) {
    case 'accepted': {
      const after = accept(rules, device, request, at);
      return after === undefined ? undefined : agree(rules, after, outcome.seen, at);
    }
    case 'read':
      return agree(rules, device, outcome.seen, at);
    case 'refused':
      return isTrue(rules, device, request, at, outcome.reason) ? device : undefined;
    case 'unknown':
      return accept(rules, device, request, at);
    case 'nothing-done':
      return undefined;
    default:
      return outcome satisfies never;
  }
}
