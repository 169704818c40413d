/**
 * The only file that imports nact. It gives the actors that we need with types that hold, and keeps nact's traps away:
 *
 * - nact's typings know neither `persist`'s extra arguments nor `recovering`, nor the actor behind a reference; the casts are
 *   here and nowhere else.
 * - The default supervisor prints the whole message, secrets included, and stops the actor: `onCrash` is mandatory.
 * - `query` draws its reply address at random from 32 bits, and a collision hands one caller another's reply: there is no
 *   query here. A message that wants an answer carries a function for it.
 * - Each message copies the parent's whole map of children: a parent of many must receive no messages, so
 *   `spawnParent` gives one that cannot.
 * - A message to a stopped actor vanishes silently: whoever stops actors (see `registry.ts`) owns that race.
 * - After a failed persist the sequence numbers have a hole unless the actor is reset: a persistent actor ends after a
 *   crash, and never resumes.
 * - An actor gets one message per turn of the event loop, and mailboxes have no bound: the registry counts before it
 *   sends, and transports have mailboxes of their own (`mailbox.ts`).
 */
import { createRequire } from 'node:module';
import {
  configurePersistence,
  dispatch,
  type EventStream,
  type PersistedEvent,
  type PersistenceEngine,
  type Plugin,
  spawn,
  spawnPersistent,
  start,
  stop as stopActor,
  type Ref as UntypedRef,
} from 'nact';

declare const messageType: unique symbol;

/** The address of an actor that understands `Message`. */
export interface Ref<Message> {
  readonly [messageType]: (message: Message) => void;
}

/** An actor that only holds children. */
export type Parent = Ref<never>;

/** Writes one event of this actor as the next in its stream, together with whatever `extra` the engine understands. */
type Persist<Event, Extra> = (event: Event, extra: Extra) => Promise<void>;

export interface PersistentBehaviour<State, Message, Event, Extra> {
  readonly initial: State;
  receive(state: State, message: Message, persist: Persist<Event, Extra>): Promise<State>;
  /** The actor stops after it. A crash during recovery has no message. */
  onCrash(error: unknown, message: Message | undefined): void;
}

/** What a persistent actor recovers from and writes to. */
export interface Engine<Event, Extra> {
  /** The newest state of a stream and how many events made it, or undefined. */
  latest(stream: string): Promise<{ readonly state: unknown; readonly sequence: number } | undefined>;
  /** Stores event number `sequence`. Rejecting means: not known to be stored. */
  persist(stream: string, sequence: number, event: Event, extra: Extra): Promise<void>;
}

/** Starts an actor system. Persistent actors in it use `engine`. */
export function startSystem<Event, Extra>(engine?: Engine<Event, Extra>): Parent {
  const plugins: Plugin[] = engine === undefined ? [] : [configurePersistence(adapt(engine))];
  return start(...plugins) as unknown as Parent;
}

/**
 * Spawns an actor that holds children and receives nothing through nact.
 *
 * @param name unique among its siblings, of `[a-z0-9-$_.+!*'(),]`
 * @param onStopped called a turn after it has stopped, by itself or with its parent
 */
export function spawnParent(parent: Parent, name: string, onStopped?: () => void): Parent {
  const idle = spawn(untyped(parent), () => undefined, name, {
    onCrash: (_message, _error, ctx) => ctx.stop,
    ...(onStopped === undefined ? {} : { afterStop: onStopped }),
  });
  return idle as unknown as Parent;
}

/** Spawns an actor that recovers the state of `stream` before its first message, and may persist events. */
export function spawnPersistentActor<State, Message, Event, Extra>(
  parent: Parent,
  stream: string,
  behaviour: PersistentBehaviour<State, Message, Event, Extra>,
): Ref<Message> {
  const receive = (state: State, message: Message, context: unknown) => {
    const actor = context as PersistentActor<Event, Extra>; // see `itself`
    return behaviour.receive(state, message, (event, extra) => actor.persist(event, [], extra));
  };
  const ref = spawnPersistent(untyped(parent), receive, stream, stream, {
    initialState: behaviour.initial,
    onCrash: (message, error, ctx) => {
      behaviour.onCrash(error, message);
      return ctx.stop;
    },
  });
  actorOf(ref).createContext = itself;
  return ref as unknown as Ref<Message>;
}

/** An actor of nact's behind its reference: what its typings hide. */
interface PersistentActor<Event, Extra> {
  persist(event: Event, tags: string[], extra: Extra): Promise<void>;
  createContext(): unknown;
}

const { applyOrThrowIfStopped } = createRequire(import.meta.url)('nact/lib/system-map.js') as {
  applyOrThrowIfStopped<Result>(
    ref: UntypedRef<unknown>,
    task: (actor: PersistentActor<unknown, unknown>) => Result,
  ): Result;
};

function actorOf(ref: UntypedRef<unknown>): PersistentActor<unknown, unknown> {
  return applyOrThrowIfStopped(ref, (actor) => actor);
}

/**
 * The context of a persistent actor: itself. For each message nact would make another with a dozen members, a copy of the map
 * of children and a bound `persist`, which costs as much as writing the state down. Ours need `persist` alone, and have no children.
 */
function itself(this: unknown): unknown {
  return this;
}

/** Puts a message into an actor's mailbox. */
export function tell<Message>(actor: Ref<Message>, message: Message): void {
  dispatch(untyped(actor), message);
}

/** Stops an actor and its children. What waits in its mailbox is dropped; what it is doing goes on to its end. */
export function stop(actor: Ref<never>): void {
  stopActor(untyped(actor));
}

function untyped<Message>(ref: Ref<Message>): UntypedRef<unknown> {
  return ref as unknown as UntypedRef<unknown>;
}

/** nact's engine over ours: the newest head plays the snapshot, and no event ever lies after it. */
function adapt<Event, Extra>(engine: Engine<Event, Extra>): PersistenceEngine {
  const nothingAfterTheHead = {
    reduce: <Result>(_fold: unknown, initial: Result) => Promise.resolve(initial),
  };
  const adapted = {
    async latestSnapshot(stream: string) {
      const head = await engine.latest(stream);
      if (head === undefined) return undefined;
      return { data: head.state, sequenceNumber: head.sequence, key: stream, createdAt: 0 };
    },
    events: () => nothingAfterTheHead as unknown as EventStream,
    takeSnapshot: () => Promise.resolve(),
    persist: (event: PersistedEvent, extra: Extra) =>
      engine.persist(event.key, event.sequenceNumber, event.data as Event, extra),
  };
  return adapted as unknown as PersistenceEngine;
}
