/**
 * A small world for the laws of the registry: the real nact, a memory store behind a faulty journal, a clock of the
 * test's own, and the plainest thing that can be decided: a shelf that holds one thing at a time.
 */

import { unreachable } from '../../actors/base/unreachable.ts';
import type { Journal } from '../../actors/journal/journal.ts';
import type { Answer, Decider } from '../../actors/runtime/decider.ts';
import { createEngine } from '../../actors/runtime/engine.ts';
import type { Persistence } from '../../actors/runtime/event-sourced.ts';
import { type Parent, startActorSystem, stop } from '../../actors/runtime/nact.ts';
import { createRegistry, type Registry, type RegistrySettings } from '../../actors/runtime/registry.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import { createSimClock, type SimClock } from '../kit/clock.ts';
import { createFaultyJournal, type FaultyJournal } from '../kit/faulty-store.ts';

/** What is on the shelf, and everything that was ever put there, in order. */
interface Shelf {
  readonly thing: string | null;
  readonly history: readonly string[];
}

/** `put` wants an empty shelf, `swap` does not care; `key` is held uniquely over all shelves. `look` changes nothing. */
export type Command =
  | { readonly type: 'put' | 'swap'; readonly thing: string; readonly key?: string }
  | { readonly type: 'clear' | 'look' }
  | { readonly type: 'break' };

type Event = { readonly thing: string | null; readonly key?: string };
type Refusal = { readonly reason: 'full' | 'taken' };
export type ShelfAnswer = Answer<Shelf, Refusal>;

const decider: Decider<Shelf, Command, Event, Refusal> = {
  initial: { thing: null, history: [] },
  decide(shelf, command) {
    switch (command.type) {
      case 'put':
        if (shelf.thing !== null) return { type: 'refuse', refusal: { reason: 'full' } };
        return { type: 'accept', event: placed(command) };
      case 'swap':
        return { type: 'accept', event: placed(command) };
      case 'clear':
        return shelf.thing === null ? { type: 'ignore' } : { type: 'accept', event: { thing: null } };
      case 'look':
        return { type: 'ignore' };
      case 'break':
        throw new Error('a bug in the decider');
      default:
        return unreachable(command);
    }
  },
  evolve: (shelf, { thing }) => ({
    thing,
    history: thing === null ? shelf.history : [...shelf.history, thing],
  }),
};

function placed({ thing, key }: { readonly thing: string; readonly key?: string }): Event {
  return key === undefined ? { thing } : { thing, key };
}

const persistence: Persistence<Shelf, Event, Refusal> = {
  encodeEvent: JSON.stringify,
  encodeState: JSON.stringify,
  indexChanges: (_id, _before, { key }) =>
    key === undefined
      ? undefined
      : { take: { unique: [key], members: [] }, release: { unique: [], members: [] } },
  alarmAt: () => null,
  taken: () => ({ reason: 'taken' }),
};

const SETTINGS: RegistrySettings = {
  residentsMax: 1_000,
  idleMs: 60_000,
  mailboxMax: 1_000,
  inFlightMax: 10_000,
  askTimeoutMs: 5_000,
};

export interface World {
  readonly registry: Registry<Shelf, Command, Refusal>;
  readonly journal: FaultyJournal;
  readonly clock: SimClock;
  /** The messages of what was logged as warning or error. */
  readonly complaints: string[];
  /** Every event that the listener heard, with the shelf's id. */
  readonly heard: string[];
  /** What the store really holds, past all faults. */
  shelf(id: string): Promise<Shelf | undefined>;
  /** As another process would: appends straight to the store. */
  putFromElsewhere(id: string, thing: string | null): Promise<void>;
}

export interface WorldOptions {
  readonly settings?: Partial<RegistrySettings>;
  /** Shared with another world. */
  readonly store?: Store;
  readonly listener?: () => void;
  /** See `EventSourced`. */
  readonly looksFirst?: 'always' | 'contended' | undefined;
  /** Whether the journal tells the number of a head at once. */
  readonly seesAtOnce?: boolean;
}

/** Runs a law in a world, and ends that afterwards. */
export async function inWorld(
  law: (world: World) => Promise<void>,
  { settings, store = createMemoryStore(), listener = () => {}, looksFirst, seesAtOnce }: WorldOptions = {},
): Promise<void> {
  const journal = createFaultyJournal(store.journal, seesAtOnce);
  const clock = createSimClock(1_700_000_000_000);
  const complaints: string[] = [];
  const heard: string[] = [];
  const complain = (_fields: object, message: string) => complaints.push(message);
  const root = startActorSystem(createEngine(journal, decodeShelf));
  const registry = createRegistry(
    root,
    'shelves',
    {
      decider,
      persistence,
      journal,
      clock,
      log: { debug() {}, info() {}, warn: complain, error: complain },
      ...(looksFirst === undefined ? {} : { looksFirst: { decodeState: decodeShelf, when: looksFirst } }),
      onEvent(id, { thing }) {
        heard.push(`${id} ${thing}`);
        listener();
      },
    },
    { ...SETTINGS, ...settings },
  );

  try {
    await law({
      registry,
      journal,
      clock,
      complaints,
      heard,
      shelf: async (id) => {
        const { state } = await store.journal.load(id);
        return state === undefined ? undefined : decodeShelf(state);
      },
      putFromElsewhere: (id, thing) => append(store.journal, id, thing),
    });
  } finally {
    await registry.stop(0);
    end(root);
  }
}

async function append(journal: Journal, stream: string, thing: string | null): Promise<void> {
  const { sequence, state } = await journal.load(stream);
  const before = state === undefined ? decider.initial : decodeShelf(state);
  const event: Event = { thing };
  const result = await journal.append({
    stream,
    expected: sequence,
    event: persistence.encodeEvent(event),
    state: persistence.encodeState(decider.evolve(before, event)),
    alarmAt: null,
    index: undefined,
  });
  if (result.type !== 'appended') throw new Error(`from elsewhere: ${result.type}`);
}

function decodeShelf(text: string): Shelf {
  return JSON.parse(text) as Shelf;
}

function end(root: Parent): void {
  stop(root);
}

/** Lets the event loop turn often enough for actors to finish what they can do. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export const put = (thing: string): Command => ({ type: 'put', thing });
export const swap = (thing: string): Command => ({ type: 'swap', thing });
export const look: Command = { type: 'look' };
export const clear: Command = { type: 'clear' };

/** The answer in a word or two: `accepted`, `refused: full`, `unavailable: store`. */
export function inWords(answer: ShelfAnswer): string {
  switch (answer.type) {
    case 'accepted':
      return 'accepted';
    case 'refused':
      return `refused: ${answer.refusal.reason}`;
    case 'unavailable':
      return `unavailable: ${answer.reason}`;
    default:
      return unreachable(answer);
  }
}
