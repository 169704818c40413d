/**
 * The journal as the persistence engine that nact's persistent actors expect. What nact calls a snapshot is our head,
 * and since the head is written with every event, nothing ever has to be replayed after it.
 */

import { unreachable } from '../base/unreachable.ts';
import type { Append, AppendResult, Head, Journal } from '../journal/journal.ts';
import type { Engine } from './nact.ts';

/** The state of an actor together with the number of events that made it. */
export interface Versioned<State> {
  readonly sequence: number;
  readonly value: State;
  /** Whether the store has the details of this state apart: what did not change there need not be written. */
  readonly hasDetails?: boolean;
}

/** Reads a state from the parts of its head. */
export type DecodeState<State> = (state: string, details: string | undefined) => State;

/** The newest state of a stream, from its head; undefined where there is none. */
export function versionOf<State>(
  { sequence, state, details }: Head,
  decodeState: DecodeState<State>,
): Versioned<State> | undefined {
  if (state === undefined) return undefined;
  return { sequence, value: decodeState(state, details), hasDetails: details !== undefined };
}

/** Somebody else appended first: this incarnation's state is stale and must not answer any more. */
export class AppendConflict extends Error {
  constructor(stream: string) {
    super(`the head of ${stream} moved on`);
    this.name = 'AppendConflict';
  }
}

/** Another stream holds a unique key that the event wanted. */
export class KeyTaken extends Error {
  readonly key: string;
  constructor(key: string) {
    super('a unique key is taken'); // the key itself may be a device's access token
    this.name = 'KeyTaken';
    this.key = key;
  }
}

/** States that were read a moment ago for another reason. */
export interface Known<State> {
  /** The state of a stream as it was, which is given once; undefined: it has to be read. */
  take(stream: string): Versioned<State> | undefined;
}

export function createEngine<State>(
  journal: Journal,
  decodeState: DecodeState<State>,
  known?: Known<State>,
): Engine<string, Append> {
  return {
    async latest(stream) {
      const state = known?.take(stream) ?? versionOf(await journal.load(stream), decodeState);
      return state === undefined ? undefined : { sequence: state.sequence, state };
    },

    // nact counts the events of one incarnation; what was decided on may be newer (`looksFirst`), so `entry` counts.
    persist(stream, _sequence, _event, entry) {
      return journal.append(entry).then((result) => ensureAppended(stream, result));
    },
  };
}

function ensureAppended(stream: string, result: AppendResult): void {
  switch (result.type) {
    case 'appended':
      return;
    case 'conflict':
      throw new AppendConflict(stream);
    case 'taken':
      throw new KeyTaken(result.key);
    default:
      unreachable(result);
  }
}
