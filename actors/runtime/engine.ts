/**
 * The journal as the persistence engine that nact's persistent actors expect. What nact calls a snapshot is our head,
 * and since the head is written with every event, nothing ever has to be replayed after it.
 */

import { unreachable } from '../base/unreachable.ts';
import type { Append, AppendResult, Journal } from '../journal/journal.ts';
import type { Engine } from './nact.ts';

/** The state of an actor together with the number of events that made it. */
export interface Versioned<State> {
  readonly sequence: number;
  readonly value: State;
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

export function createEngine<State>(
  journal: Journal,
  decodeState: (text: string) => State,
): Engine<string, Append> {
  return {
    async latest(stream) {
      const { sequence, state } = await journal.load(stream);
      if (state === undefined) return undefined;
      return { sequence, state: { sequence, value: decodeState(state) } satisfies Versioned<State> };
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
