/**
 * Runs any decider as a persistent actor: recover, then for each message decide -> append -> evolve -> answer -> react.
 *
 * The answer comes only after the event is durable. A decision that appends nothing is given only on a state known to
 * be the newest ("refresh before you refuse"), because another process may share the journal. And an incarnation that
 * hit a conflict or a failed append never answers again: it ends, and a new one recovers from the journal. The
 * registry decides what happens to the messages that waited (`IncarnationOwner`).
 */
import type { Clock, Instant } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Append, IndexChanges, Journal } from '../journal/journal.ts';
import { logUnavailable, StoreUnavailable } from '../journal/unavailable.ts';
import type { Answer, Decider } from './decider.ts';
import { AppendConflict, type DecodeState, KeyTaken, type Versioned, versionOf } from './engine.ts';
import {
  type Parent,
  type Persist,
  type PersistentBehaviour,
  type Ref,
  spawnPersistentActor,
} from './nact.ts';
import { reportBug } from './supervision.ts';

/** How a decider's states and events are stored, indexed and woken. */
export interface Persistence<State, Event, Refusal> {
  encodeEvent(event: Event): string;
  /** Undefined for a state that leaves nothing behind. */
  encodeState(state: State): string | undefined;
  /**
   * For states in two parts, the one that most events leave as it is; undefined where that is so, too.
   * @param stored the state whose details are in the store; undefined: none are
   */
  encodeDetails?(state: State, stored: State | undefined): string | undefined;
  indexChanges(id: string, before: State, event: Event, after: State): IndexChanges | undefined;
  alarmAt(state: State): Instant | null;
  /** The refusal that a taken unique key means. */
  taken(key: string): Refusal;
}

/** One command on its way to an actor, and the way back for its answer. */
export interface Ask<Command, State, Refusal> {
  readonly command: Command;
  /** True when the asker has been answered by other means (it waited too long): then skip the command. */
  readonly settled: boolean;
  /** Gives the asker its answer, unless it has one, and finishes. */
  answer(answer: Answer<State, Refusal>): void;
  /** The actor has finished with this command. */
  finish(): void;
}

/** Whose an incarnation is. */
export interface IncarnationOwner {
  /** Called once, when it ends after a conflict or a fault. */
  ended(end: End): void;
}

/** Why an incarnation ended. After `conflict` a new one may decide anew; after `fault` nothing is known. */
export type End = 'conflict' | 'fault';

export interface EventSourced<State, Command, Event, Refusal, Rules = never> {
  readonly decider: Decider<State, Command, Event, Refusal, Rules>;
  readonly persistence: Persistence<State, Event, Refusal>;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  /** Looks at the head before deciding, and loads it where it may have moved on: for a store that others write to. */
  readonly looksFirst?: {
    readonly decodeState: DecodeState<State>;
    /**
     * `always`: where a load costs less than a failed append may cost. `contended`: where a load is a round trip, so that only
     * streams are looked at that others have been seen to write to lately.
     */
    readonly when: 'always' | 'contended';
  };
  /** Looks up what `decide` needs as its `rules`, at once where it can. It may reject with `StoreUnavailable`. */
  rulesFor?(id: string, state: State): Rules | undefined | Promise<Rules>;
  /** Called with each event after it is durable and answered. A bug in it is logged and changes nothing. */
  onEvent(id: string, event: Event, state: State, before: State): void;
}

/** After so many looks that found nothing new, a stream is taken for one's own again. */
const LOOKS_IN_VAIN_MAX = 8;

/**
 * Spawns the actor of one stream.
 * @param isContended whether an incarnation before this one has just met a conflict
 */
export function spawnEventSourced<State, Command, Event, Refusal, Rules>(
  parent: Parent,
  id: string,
  system: EventSourced<State, Command, Event, Refusal, Rules>,
  isContended: boolean,
  owner: IncarnationOwner,
): Ref<Ask<Command, State, Refusal>> {
  return spawnPersistentActor(parent, id, new Incarnation(id, system, isContended, owner));
}

/** A class, as there are many: closures would be made for each. */
class Incarnation<State, Command, Event, Refusal, Rules>
  implements PersistentBehaviour<Versioned<State>, Ask<Command, State, Refusal>, string, Append>
{
  readonly #id: string;
  readonly #system: EventSourced<State, Command, Event, Refusal, Rules>;
  /** Undefined once it has ended. */
  #owner: IncarnationOwner | undefined;
  /** How often it still looks first, if nothing is found. */
  #looks: number;

  constructor(
    id: string,
    system: EventSourced<State, Command, Event, Refusal, Rules>,
    isContended: boolean,
    owner: IncarnationOwner,
  ) {
    this.#id = id;
    this.#system = system;
    this.#owner = owner;
    this.#looks = isContended && system.looksFirst?.when === 'contended' ? LOOKS_IN_VAIN_MAX : 0;
  }

  get initial(): Versioned<State> {
    return { sequence: 0, value: this.#system.decider.initial };
  }

  async receive(
    ours: Versioned<State>,
    ask: Ask<Command, State, Refusal>,
    persist: Persist<string, Append>,
  ): Promise<Versioned<State>> {
    const id = this.#id;
    const system = this.#system;
    const { decider, persistence, journal, clock } = system;
    const looked = ask.settled ? ours : this.#look(ours);
    const state = looked instanceof Promise ? await looked : looked;
    const found = ask.settled ? undefined : system.rulesFor?.(id, state.value);
    const rules = found instanceof Promise ? await found : found;
    // Checked after the look-ups, which take time: nothing is decided for an asker that was already answered "unavailable".
    if (ask.settled) {
      ask.finish();
      return state;
    }
    const at = clock.now();
    const decision = decider.decide(state.value, ask.command, at, rules);

    if (decision.type !== 'accept') {
      if (!isAt(id, journal, state)) await ensureNewest(id, journal, state);
      ask.answer(
        decision.type === 'refuse'
          ? { type: 'refused', refusal: decision.refusal }
          : { type: 'accepted', state: state.value, at },
      );
      return state;
    }

    const { event } = decision;
    const after = decider.evolve(state.value, event);
    const text = persistence.encodeEvent(event);
    await persist(text, {
      stream: id,
      expected: state.sequence,
      event: text,
      state: persistence.encodeState(after),
      details: persistence.encodeDetails?.(after, state.hasDetails ? state.value : undefined),
      alarmAt: persistence.alarmAt(after),
      index: persistence.indexChanges(id, state.value, event, after),
    });
    ask.answer({ type: 'accepted', state: after, at });
    react(id, system, event, after, state.value);
    return { sequence: state.sequence + 1, value: after, hasDetails: true };
  }

  /** The newest state, where it is looked for; otherwise the one at hand. */
  #look(ours: Versioned<State>): Versioned<State> | Promise<Versioned<State>> {
    const { looksFirst, journal } = this.#system;
    if (looksFirst === undefined || (looksFirst.when === 'contended' && this.#looks === 0)) return ours;
    if (isAt(this.#id, journal, ours)) return ours;
    return this.#load(ours, looksFirst.decodeState);
  }

  async #load(ours: Versioned<State>, decodeState: DecodeState<State>): Promise<Versioned<State>> {
    const found = await newest(this.#id, this.#system, ours, decodeState);
    this.#looks = found === ours ? Math.max(0, this.#looks - 1) : LOOKS_IN_VAIN_MAX;
    return found;
  }

  #end(end: End): void {
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.ended(end);
  }

  onCrash(error: unknown, ask: Ask<Command, State, Refusal> | undefined): void {
    const { persistence, clock, log } = this.#system;
    if (error instanceof KeyTaken) {
      // A clean refusal; but nact has counted the event, so this incarnation ends like any other that failed.
      ask?.answer({ type: 'refused', refusal: persistence.taken(error.key) });
      this.#end('conflict');
    } else if (error instanceof AppendConflict) {
      this.#end('conflict');
    } else {
      if (error instanceof StoreUnavailable)
        logUnavailable(
          log,
          'error',
          clock.elapsed(),
          { err: error, stream: this.#id },
          'a device got no answer',
        );
      else reportBug(log, 'device', error, { stream: this.#id });
      this.#end('fault');
    }
  }
}

/** The newest state of a stream, which may be the one at hand. */
async function newest<State, Command, Event, Refusal, Rules>(
  id: string,
  { journal, decider }: EventSourced<State, Command, Event, Refusal, Rules>,
  ours: Versioned<State>,
  decodeState: DecodeState<State>,
): Promise<Versioned<State>> {
  const head = await journal.load(id);
  if (head.sequence === ours.sequence) return ours;
  return versionOf(head, decodeState) ?? { sequence: head.sequence, value: decider.initial };
}

/** Whether a state is seen at once to be the newest. If not, it may still be: only a load tells. */
function isAt<State>(id: string, journal: Journal, { sequence }: Versioned<State>): boolean {
  return journal.sequenceOf?.(id) === sequence;
}

/** Ends this incarnation where another process has moved the head on. */
async function ensureNewest<State>(
  id: string,
  journal: Journal,
  { sequence }: Versioned<State>,
): Promise<void> {
  const head = await journal.load(id);
  if (head.sequence !== sequence) throw new AppendConflict(id);
}

function react<State, Command, Event, Refusal, Rules>(
  id: string,
  system: EventSourced<State, Command, Event, Refusal, Rules>,
  event: Event,
  state: State,
  before: State,
): void {
  try {
    system.onEvent(id, event, state, before);
  } catch (error) {
    reportBug(system.log, 'listener', error, { stream: id });
  }
}
