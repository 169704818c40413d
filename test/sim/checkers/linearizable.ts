/**
 * Linearizability, per device: is there one order of the operations, in keeping with real time (what was answered before
 * another was asked comes before it), in which a device that does one thing at a time gives every answer that was given?
 * Only what callers asked and heard decides; the log is but a hint at which order to try first.
 *
 * The search is Wing and Gong's with Lowe's memory of configurations already tried (a set of operations done, and the
 * device they lead to). An operation whose outcome nobody knows may have happened at any time after it was asked,
 * or never. Refusals and reads are taken as soon as they fit: they change nothing wherever they stand, so taking them
 * early loses no order. (An accepted operation that would change nothing here may have changed something elsewhere.)
 */

import { unreachable } from '../../../actors/base/unreachable.ts';
import type { Checker, History, Operation, Rules } from '../history.ts';
import { mayHaveMade, pair } from './matching.ts';
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
    const seen = effects(history, device, operations);
    // What may never have happened is first taken not to have, unless the log shows that it did: an order of the rest
    // is an order of all. Only without one all are tried, which takes far longer.
    const likely = operations.filter((operation) => !isUnsure(operation) || seen.has(operation));
    const trouble = search(history.rules, likely, seen) && search(history.rules, operations, seen);
    return trouble === undefined ? [] : [{ law: 'linearizable', device, text: trouble }];
  });
};

/** At which step each operation seems to have had its effect, by the log. */
function effects(
  { rules, log }: History,
  device: string,
  operations: readonly Operation[],
): ReadonlyMap<Operation, number> {
  const events = log.filter((durable) => durable.device === device);
  const answeredFirst = [...operations].sort((a, b) => Number(isUnsure(a)) - Number(isUnsure(b)));
  const { pairs } = pair(events, answeredFirst, (event, operation) => mayHaveMade(rules, operation, event));
  return new Map([...pairs].map(([event, operation]) => [operation, event.step]));
}

function isUnsure({ ended }: Operation): boolean {
  return ended === undefined || ended.outcome.type === 'unknown';
}

interface Candidate {
  readonly operation: Operation;
  readonly at: Span;
  /** The step by which it must have happened; Infinity where nobody knows whether it did. */
  readonly before: number;
  /** The step at which the log shows its effect, if it does. */
  readonly effect: number | undefined;
}

interface Configuration {
  readonly done: bigint;
  readonly device: MaybeModel;
}

/** Undefined when an order exists, else how far the best one came. */
function search(
  rules: Rules,
  operations: readonly Operation[],
  hints: ReadonlyMap<Operation, number>,
): string | undefined {
  const candidates = operations.flatMap((operation) => candidateOf(operation, hints.get(operation)));
  const mustHappen = candidates.filter(({ before }) => before < Number.POSITIVE_INFINITY).length;
  const tried = new Set<string>();
  const stack: Configuration[] = [{ done: 0n, device: null }];
  let best = 0;
  let stuckAt: Candidate | undefined;

  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const configuration = takeObservers(rules, candidates, next);
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

function candidateOf(operation: Operation, effect: number | undefined): Candidate[] {
  const { ended, called } = operation;
  const never = Number.POSITIVE_INFINITY;
  if (ended === undefined) {
    return [{ operation, at: { from: called.at, to: Number.MAX_SAFE_INTEGER }, before: never, effect }];
  }
  const { outcome, moment } = ended;
  const interval = { from: called.at, to: moment.at };
  switch (outcome.type) {
    case 'accepted':
      return [{ operation, at: { from: outcome.at, to: outcome.at }, before: moment.step, effect }];
    case 'refused':
    case 'read':
      return [{ operation, at: interval, before: moment.step, effect }];
    case 'unknown':
      return operation.request.type === 'read' ? [] : [{ operation, at: interval, before: never, effect }];
    case 'nothing-done':
      return [];
    default:
      return unreachable(outcome);
  }
}

/** Takes every refusal and read that may come next and fits the device as it is, until none does. */
function takeObservers(
  rules: Rules,
  candidates: readonly Candidate[],
  { done, device }: Configuration,
): Configuration {
  const state = JSON.stringify(device);
  for (let before = -1n; before !== done; ) {
    before = done;
    for (const [at, candidate] of comeNext(candidates, done)) {
      if (isObserver(candidate) && sameAs(afterwards(rules, device, candidate), state)) {
        done |= 1n << BigInt(at);
      }
    }
  }
  return { done, device };
}

function isObserver({ operation }: Candidate): boolean {
  const outcome = operation.ended?.outcome.type;
  return outcome === 'refused' || outcome === 'read';
}

function sameAs(device: MaybeModel | undefined, state: string): boolean {
  return device !== undefined && JSON.stringify(device) === state;
}

/**
 * Where the search may go from here; the most promising last, to be taken from the stack first: what was accepted and
 * left no trace in the log, where it fits as it is; then effects in the order of the log; then what is unlikely.
 */
function nextConfigurations(
  rules: Rules,
  candidates: readonly Candidate[],
  { done, device }: Configuration,
): Configuration[] {
  const state = JSON.stringify(device);
  return comeNext(candidates, done)
    .flatMap(([at, candidate]) => {
      const after = afterwards(rules, device, candidate);
      if (after === undefined) return [];
      // What it does to the device, apart from what its answer tells us of it.
      const { request } = candidate.operation;
      const changesNothing =
        isObserver(candidate) || sameAs(accept(rules, device, request, candidate.at), state);
      const neverMind = candidate.before === Number.POSITIVE_INFINITY && candidate.effect === undefined;
      if (changesNothing && neverMind) return [];
      const rank = candidate.effect ?? (changesNothing ? 0 : Number.MAX_SAFE_INTEGER);
      return [{ rank, configuration: { done: done | (1n << BigInt(at)), device: after } }];
    })
    .sort((a, b) => b.rank - a.rank)
    .map(({ configuration }) => configuration);
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

/** The device after the operation with the outcome it had, or undefined when it cannot have had that. */
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
      return unreachable(outcome);
  }
}
