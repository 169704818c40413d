/**
 * The only file that imports nact. It gives the actors we need with types that hold, and absorbs nact's traps:
 *
 * - nact's typings know neither `persist`'s extra arguments nor `recovering`; the casts are here and nowhere else.
 * - The default supervisor prints the whole message, secrets included, and stops the actor: `onCrash` is mandatory.
 * - `query` draws its reply address at random from 32 bits, and collisions hand one caller another's reply: there is
 *   no query here. A message that wants an answer carries a function for it.
 * - Each message copies the parent's whole map of children: a parent of many must receive no messages, so
 *   `spawnParent` gives one that can not.
 * - A message to a stopped actor vanishes silently: whoever stops actors (see `registry.ts`) owns that race.
 * - After a failed persist the sequence numbers have a hole unless the actor is reset: a persistent actor can only
 *   `recover` or `stop` after a crash, never resume.
 */
import {
  type ActorContext,
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

export type AfterCrash = 'resume' | 'reset' | 'stop';

export interface ActorBehaviour<State, Message> {
  readonly initial: State;
  /** Handles one message. The next one waits until the returned promise, if any, has settled. */
  receive(state: State, message: Message, self: Ref<Message>): State | Promise<State>;
  /** What to do after `receive` threw. Await in it to back off; messages wait meanwhile. */
  onCrash(error: unknown, message: Message | undefined): AfterCrash | Promise<AfterCrash>;
}

/** Writes one event of this actor as the next in its stream, together with whatever `extra` the engine understands. */
export type Persist<Event, Extra> = (event: Event, extra: Extra) => Promise<void>;

export interface PersistentBehaviour<State, Message, Event, Extra> {
  readonly initial: State;
  receive(state: State, message: Message, persist: Persist<Event, Extra>): Promise<State>;
  /** A crash during recovery has no message. `recover` forgets the state and reads the journal anew. */
  onCrash(error: unknown, message: Message | undefined): Promise<'recover' | 'stop'>;
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

/** Spawns an actor that holds children and receives nothing. */
export function spawnParent(parent: Parent, name: string): Parent {
  const idle = spawn(untyped(parent), () => undefined, name, {
    onCrash: (_message, _error, ctx) => ctx.stop,
  });
  return idle as unknown as Parent;
}

/** Spawns a plain actor. `name` must be unique among its siblings and made of `[a-z0-9-$_.+!*'(),]`. */
export function spawnActor<State, Message>(
  parent: Parent,
  name: string,
  behaviour: ActorBehaviour<State, Message>,
): Ref<Message> {
  const receive = (state: State, message: Message, ctx: ActorContext<Message, UntypedRef<unknown>>) =>
    behaviour.receive(state, message, ctx.self as unknown as Ref<Message>);
  const ref = spawn(untyped(parent), receive, name, {
    initialState: behaviour.initial,
    onCrash: async (message, error, ctx) => ctx[await behaviour.onCrash(error, message)],
  });
  return ref as unknown as Ref<Message>;
}

/** Spawns an actor that recovers the state of `stream` before its first message, and may persist events. */
export function spawnPersistentActor<State, Message, Event, Extra>(
  parent: Parent,
  stream: string,
  behaviour: PersistentBehaviour<State, Message, Event, Extra>,
): Ref<Message> {
  const receive = (state: State, message: Message, ctx: ActorContext<Message, UntypedRef<unknown>>) => {
    // `persist(event, tags, ...extra)`: the typings hide all but the event.
    const { persist } = ctx as unknown as {
      persist(event: Event, tags: string[], extra: Extra): Promise<void>;
    };
    return behaviour.receive(state, message, (event, extra) => persist(event, [], extra));
  };
  const ref = spawnPersistent(untyped(parent), receive, stream, stream, {
    initialState: behaviour.initial,
    onCrash: async (message, error, ctx) =>
      (await behaviour.onCrash(error, message)) === 'recover' ? ctx.reset : ctx.stop,
  });
  return ref as unknown as Ref<Message>;
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
