/**
 * The only file that imports nact. It gives the actors that we need with types that hold, and keeps nact's traps away:
 *
 * - nact's typings know neither `persist`'s extra arguments nor `recovering`, nor the actor behind a reference; the casts are
 *   here and nowhere else.
 * - The default supervisor prints the whole message, secrets included, and stops the actor: `onCrash` is mandatory.
 * - `query` draws its reply address at random from 32 bits, and a collision hands one caller another's reply: there is no
 *   query here. A message that wants an answer carries a function for it.
 * - Each message copies the parent's whole map of children: a parent of many must receive no messages, so
 *   `spawnParent` gives one that cannot. A persistent actor has no children, and `Lean` is without that map.
 * - A message to a stopped actor vanishes silently: whoever stops actors (see `registry.ts`) owns that race.
 * - After a failed persist the sequence numbers have a hole unless the actor is reset: a persistent actor ends after a
 *   crash, and never resumes.
 * - An actor gets each message in a turn of the event loop to come, and mailboxes have no bound: persistent actors that are idle
 *   begin at once (`Lean`), the registry counts before it sends, and transports have mailboxes of their own (`mailbox.ts`).
 */
import { createRequire } from 'node:module';
import {
  configurePersistence,
  type EventStream,
  type PersistenceEngine,
  type Plugin,
  type SupervisionContext,
  spawn,
  spawnPersistent,
  start,
  stop as stopParent,
  type Ref as UntypedRef,
} from 'nact';

declare const messageType: unique symbol;

/** A persistent actor that understands `Message`. */
export interface Ref<Message> {
  readonly [messageType]: (message: Message) => void;
}

declare const parent: unique symbol;

/** An actor that only holds children. */
export interface Parent {
  readonly [parent]: true;
}

/** Writes one event of this actor as the next in its stream, together with whatever `extra` the engine understands. */
export type Persist<Event, Extra> = (event: Event, extra: Extra) => Promise<void>;

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
  const ref = spawnPersistent(untyped(parent), receive, stream, stream, {
    initialState: behaviour.initial,
    onCrash: crash,
    afterStop: nothing,
  });
  const actor = applyOrThrowIfStopped(ref, (found) => found);
  makeLean(actor, behaviour as unknown as AnyActor['behaviour']);
  return actor as unknown as Ref<Message>;
}

/** One function for all, as the next two: what differs is in the actor. */
function receive(state: unknown, message: unknown, context: unknown): Promise<unknown> {
  const actor = context as AnyActor; // see `Lean`
  return actor.behaviour.receive(state, message, (event, extra) => actor.persist(event, extra));
}

/** @param context with all that the actor has, see `Lean`, and nact's decisions */
function crash(
  message: unknown,
  error: unknown,
  context: SupervisionContext<unknown, UntypedRef<unknown>>,
): SupervisionContext<unknown, UntypedRef<unknown>>['stop'] {
  (context as unknown as AnyActor).behaviour.onCrash(error, message);
  return context.stop;
}

function nothing(): void {}

/** An actor of nact's behind its reference: what its typings hide. */
interface PersistentActor<Event, Extra> extends Lean {
  readonly key: string;
  readonly stopped: boolean;
  readonly persistenceEngine: Pick<PersistenceEngine, 'latestSnapshot'> &
    Pick<Engine<Event, Extra>, 'persist'>;
  readonly f: (state: unknown, message: unknown, context: unknown) => Promise<unknown>;
  readonly name: string;
  readonly parent: { readonly childReferences: Map<string, unknown> };
  behaviour: PersistentBehaviour<unknown, unknown, Event, Extra>;
  children: ReadonlyMap<string, unknown>;
  childReferences: ReadonlyMap<string, unknown>;
  /** The turn that it waits for. */
  immediate: NodeJS.Immediate | undefined;
  /** Ways to find it from outside, of which we have our own. */
  reference: unknown;
  path: unknown;
  initialState: unknown;
  state: unknown;
  sequenceNumber: number;
  busy: boolean;
  mailbox: Mail;
  handleFault(message: unknown, sender: unknown, error: unknown): void;
  stop(): void;
}

type AnyActor = PersistentActor<unknown, unknown>;

/**
 * What persistent actors do in place of nact's ways, which is the same to whoever sends and costs less:
 *
 * - The context of a message is the actor itself. nact makes another with a dozen members, a copy of the map of children and a
 *   bound `persist`. Ours need `persist` alone, and have no children.
 * - An idle actor begins with a message at once, where nact has each wait for a turn of the event loop. Recovery, and a message
 *   that waited, wait for a turn here, too: with less, whoever lost a race may always come too late for the next.
 * - A mailbox is a list that is there while something waits; nact's has room for four, and an idle actor keeps it.
 * - Recovery is one read of the newest head. nact would also fold the events after it, of which there are none.
 * - An event goes to the engine as it is. nact makes a record of it, with tags and the time, and waits for the engine with a promise
 *   of its own.
 */
interface Lean {
  createContext(): unknown;
  createContextWithMailbox(): unknown;
  dispatch(message: unknown, sender: unknown): void;
  processNext(): void;
  handleMessage(message: unknown, sender: unknown): void;
  begin(message: unknown, sender: unknown): void;
  recover(): Promise<void>;
  persist(event: unknown, extra: unknown): Promise<void>;
}

/** What waits for an actor. */
type Mail = Pick<{ readonly message: unknown; readonly sender: unknown }[], 'push' | 'shift'>;

/** Of all actors for which nothing waits. */
const NO_MAIL: Mail = {
  push: () => {
    throw new Error('it would reach every actor');
  },
  shift: () => undefined,
};

const LEAN: Lean & ThisType<AnyActor> = {
  createContext() {
    return this;
  },

  createContextWithMailbox() {
    return this;
  },

  dispatch(message, sender) {
    if (!this.busy) {
      this.handleMessage(message, sender);
      return;
    }
    if (this.mailbox === NO_MAIL) this.mailbox = [];
    this.mailbox.push({ message, sender });
  },

  processNext() {
    if (this.stopped) return;
    const next = this.mailbox.shift();
    if (next !== undefined) {
      this.handleMessage(next.message, next.sender);
      return;
    }
    this.mailbox = NO_MAIL;
    this.busy = false;
  },

  handleMessage(message, sender) {
    if (this.busy) {
      this.immediate = setImmediate(() => this.begin(message, sender));
      return;
    }
    this.busy = true;
    this.begin(message, sender);
  },

  begin(message, sender) {
    this.immediate = undefined;
    this.f(this.state, message, this).then(
      (next) => {
        this.state = next;
        this.processNext();
      },
      (error) => this.handleFault(message, sender, error),
    );
  },

  async recover() {
    this.immediate = undefined; // or it would keep this turn in memory
    try {
      const head = await this.persistenceEngine.latestSnapshot(this.key);
      if (head !== undefined) {
        this.state = head.data;
        this.sequenceNumber = head.sequenceNumber;
      }
      this.processNext();
    } catch (error) {
      this.handleFault(undefined, undefined, error);
    }
  },

  persist(event, extra) {
    this.sequenceNumber += 1;
    return this.persistenceEngine.persist(this.key, this.sequenceNumber, event, extra);
  },
};

const NO_CHILDREN: ReadonlyMap<string, unknown> = new Map();
let isLean = false;

/**
 * The first of them gives its ways to all, since all persistent actors of a process are made here. What ours do not need goes, so that
 * many can be in memory.
 */
function makeLean(actor: AnyActor, behaviour: AnyActor['behaviour']): void {
  if (!isLean) Object.assign(Object.getPrototypeOf(actor), LEAN);
  isLean = true;
  actor.behaviour = behaviour;
  actor.children = NO_CHILDREN;
  actor.childReferences = NO_CHILDREN;
  actor.parent.childReferences.delete(actor.name);
  actor.reference = undefined;
  actor.path = undefined;
  actor.initialState = undefined;
  actor.mailbox = NO_MAIL;
}

const { applyOrThrowIfStopped } = createRequire(import.meta.url)('nact/lib/system-map.js') as {
  applyOrThrowIfStopped<Result>(ref: UntypedRef<unknown>, task: (actor: AnyActor) => Result): Result;
};

/** Who sends does not matter: answers go through functions in the messages. */
const NOBODY = {};

/** Puts a message into an actor's mailbox. */
export function tell<Message>(ref: Ref<Message>, message: Message): void {
  const actor = actorOf(ref);
  if (!actor.stopped) actor.dispatch(message, NOBODY);
}

/** Stops a persistent actor. What waits in its mailbox is dropped; what it is doing goes on to its end. */
export function stopActor<Message>(ref: Ref<Message>): void {
  const actor = actorOf(ref);
  if (!actor.stopped) actor.stop();
}

/** Stops an actor that holds children, and them. */
export function stop(parent: Parent): void {
  stopParent(untyped(parent));
}

function untyped(parent: Parent): UntypedRef<unknown> {
  return parent as unknown as UntypedRef<unknown>;
}

function actorOf<Message>(ref: Ref<Message>): AnyActor {
  return ref as unknown as AnyActor;
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
    // As `Lean` calls it.
    persist: (stream: string, sequence: number, event: Event, extra: Extra) =>
      engine.persist(stream, sequence, event, extra),
  };
  return adapted as unknown as PersistenceEngine;
}
