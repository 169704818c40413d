/**
 * What can go wrong between a node and its store, as a journal around a journal.
 *
 * The fault model:
 * - an append, a load or a look at the due alarms fails before it reached the store;
 * - an append succeeds, and failure is reported;
 * - the way to the store is slow, so what is asked now is done later (after others; after the asker gave up);
 * - the way back is slow, so what was read is old when it arrives, and what is durable is not known to be;
 * - alarms are listed that are not due yet (another node's clock was ahead; a coarse table);
 * - for a while the store cannot be reached at all;
 * - the node dies, now and then just as it appends: requests on their way may still be carried out or not, answers
 *   reach nobody.
 *
 * The store itself is honest: it does what it is asked in one atomic step, or nothing. Delays are on simulated time.
 */
import type { Append, AppendResult, DuePage, Head, Journal } from '../../actors/journal/journal.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import type { Dice } from '../kit/dice.ts';

/** Probabilities, each per call. */
export interface FaultRates {
  readonly appendFails: number;
  readonly appendLies: number;
  /** The node dies before the append reaches the store, or after and before it hears of it. */
  readonly appendKills: number;
  readonly loadFails: number;
  readonly dueFails: number;
  readonly dueEarly: number;
  /** Of any call, to be slow on its way to the store, or back. */
  readonly slow: number;
  /** The longest way, in ms. */
  readonly slowMaxMs: number;
}

export const NO_FAULTS: FaultRates = {
  appendFails: 0,
  appendLies: 0,
  appendKills: 0,
  loadFails: 0,
  dueFails: 0,
  dueEarly: 0,
  slow: 0,
  slowMaxMs: 0,
};

/** Each kind of fault is on or off for a whole run: runs with few kinds reach what runs with all kinds hide. */
export function drawRates(dice: Dice): FaultRates {
  const rate = () => (dice.chance(0.5) ? 0 : dice.pick([0.02, 0.05, 0.1, 0.25]));
  return {
    appendFails: rate(),
    appendLies: rate(),
    appendKills: dice.chance(0.5) ? 0 : dice.pick([0.01, 0.05]),
    loadFails: rate(),
    dueFails: rate(),
    dueEarly: rate(),
    slow: rate(),
    slowMaxMs: dice.pick([20, 200, 1500]),
  };
}

/** How early an alarm may be listed, in ms. */
const EARLY_MAX_MS = 2000;

/** A failure that the simulation caused. Any other error is a surprise, and tells of a bug. */
export class InjectedFault extends StoreUnavailable {
  constructor(what: string) {
    super('simulated', what);
    this.name = 'InjectedFault';
  }
}

/** The node's side of the wire to its store. */
export interface Wire {
  /** False once the node has died. */
  readonly alive: boolean;
  /** True while the store cannot be reached. */
  readonly cut: boolean;
  readonly rates: FaultRates;
  /** Kills the node. */
  kill(): void;
  /** Told whenever a call of this node is made to fail. */
  failed(): void;
}

/** What may go wrong with one kind of call, at which rates. */
interface Risks {
  /** To fail before it reaches the store. */
  readonly failure: number;
  /** To be carried out and reported as failed. */
  readonly lie: number;
  /** To be the node's end. */
  readonly kill: number;
}

export interface FaultContext {
  readonly dice: Dice;
  /** Waits on simulated time. */
  sleep(ms: number): Promise<void>;
  /** Counts something that happened. */
  tally(what: string): void;
}

export function createFaultyJournal(inner: Journal, wire: Wire, context: FaultContext): Journal {
  const { dice, sleep, tally } = context;

  /** One call over the wire. All draws are made before anything is awaited, the same number whatever the outcome. */
  async function call<Result>(what: string, risks: Risks, act: () => Promise<Result>): Promise<Result> {
    const { slow, slowMaxMs } = wire.rates;
    const fails = dice.chance(risks.failure);
    const lies = dice.chance(risks.lie);
    const kills = dice.chance(risks.kill);
    const killsFirst = dice.chance(0.5);
    const survivesDeath = dice.chance(0.5);
    const wayThere = dice.chance(slow) ? dice.between(1, slowMaxMs) : 0;
    const wayBack = dice.chance(slow) ? dice.between(1, slowMaxMs) : 0;

    if (!wire.alive) return never();
    if (wayThere > 0) {
      tally(`${what}-slow-to-store`);
      await sleep(wayThere);
    }
    if (kills && killsFirst) wire.kill();
    if (!wire.alive) {
      tally(`${what}-on-its-way-when-node-died`);
      if (!survivesDeath) return never();
    } else if (wire.cut || fails) {
      tally(wire.cut ? `${what}-while-cut-off` : `${what}-fails`);
      wire.failed();
      throw new InjectedFault(`${what} failed`);
    }
    const result = await act();
    if (kills && !killsFirst) {
      tally(`${what}-done-as-node-died`);
      wire.kill();
    }
    if (wayBack > 0) {
      tally(`${what}-slow-from-store`);
      await sleep(wayBack);
    }
    if (!wire.alive) return never();
    if (lies) {
      tally(`${what}-done-but-reported-failed`);
      wire.failed();
      throw new InjectedFault(`${what} was done, but nobody knows`);
    }
    return result;
  }

  const only = (failure: number): Risks => ({ failure, lie: 0, kill: 0 });
  return {
    load: (stream: string): Promise<Head> =>
      call('load', only(wire.rates.loadFails), () => inner.load(stream)),
    loadMany: (streams: readonly string[], part?: 'state'): Promise<readonly Head[]> =>
      call('load', only(wire.rates.loadFails), () => inner.loadMany(streams, part)),
    alarms: (after: string | undefined, limit: number): Promise<DuePage> =>
      call('due', only(wire.rates.dueFails), () => inner.alarms(after, limit)),
    append(entry: Append): Promise<AppendResult> {
      const { appendFails: failure, appendLies: lie, appendKills: kill } = wire.rates;
      return call('append', { failure, lie, kill }, () => inner.append(entry));
    },
    due(now: number, after: string | undefined, limit: number): Promise<DuePage> {
      const { dueFails, dueEarly } = wire.rates;
      const early = dice.chance(dueEarly);
      const aheadMs = dice.between(1, EARLY_MAX_MS);
      if (early) tally('due-early');
      return call('due', only(dueFails), () => inner.due(early ? now + aheadMs : now, after, limit));
    },
    logs: inner.logs,
    log: (which, from, limit) => inner.log(which, from, limit),
    trim: (which, upTo) => inner.trim(which, upTo),
    forget: (which, stretch, limit, verdict) => inner.forget(which, stretch, limit, verdict),
  };
}

/** What a dead node waits for. */
function never(): Promise<never> {
  return new Promise(() => {});
}
