/**
 * The only file that imports nact. It gives the actors that we need with types that hold, and keeps nact's traps away:
 *
 * - nact's typings know neither `persist`'s extra arguments nor `recovering`, nor the actor behind a reference; the casts are
 *   here and nowhere else.
 * - The default supervisor prints the whole message, secrets included, and stops the actor: `onCrash` is mandatory.
 * - `query` draws its reply address at random from 32 bits, and a collision hands one caller another's reply: there is no
 *   query here. A message that wants an answer carries a function for it.
 * - Each message copies the parent's whole map of children: a parent of many must receive no messages, so
 *   `spawnParent` gives one that cannot. A persistent actor has no children.
 * - A message to a stopped actor vanishes silently: whoever stops actors (see `registry.ts`) owns that race.
 * - After a failed persist the sequence numbers have a hole unless the actor is reset: a persistent actor ends after a
 *   crash, and never resumes.
 * - An actor gets each message in a turn of the event loop to come, and mailboxes have no bound: persistent actors that are idle
 *   begin at once (`leanActors`), the registry counts before it sends, and transports have mailboxes of their own (`mailbox.ts`).
 */
import { createRequire } from 'node:module';
import {
  configurePersistence,
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
export function startActorSystem<Event, Extra>(engine?: Engine<Event, Extra>): Parent {
  const plugins: Plugin[] = engine === undefined ? [] : [configurePersistence(adapt(engine))];
  return start(...plugins) as unknown as Parent;
}

/** nact's `stop` does not reach children, as it looks for them by references and has none in its hand. */
const heldBy = new WeakMap<Parent, Set<Parent>>();

/**
 * Spawns an actor that holds children and receives nothing through nact.
 *
 * @param name unique among its siblings, of `[a-z0-9-$_.+!*'(),]`
 * @param onStopped called a turn after it has stopped, by itself or with its parent
 */
export function spawnParent(parent: Parent, name: string, onStopped?: () => void): Parent {
  const siblings = heldBy.get(parent) ?? new Set();
  heldBy.set(parent, siblings);
  const idle = spawn(untyped(parent), () => undefined, name, {
    onCrash: (_message, _error, ctx) => ctx.stop,
    afterStop: () => {
      siblings.delete(actor);
      onStopped?.();
    },
  });
  const actor = idle as unknown as Parent;
  siblings.add(actor);
  return actor;
}

/** Spawns an actor that recovers the state of `stream` before its first message, and may persist events. */
export function spawnPersistentActor<State, Message, Event, Extra>(
  parent: Parent,
  stream: string,
  behaviour: PersistentBehaviour<State, Message, Event, Extra>,
): Ref<Message> {
  let spawnLean = leanOf.get(parent);
  if (spawnLean === undefined) {
    spawnLean = leanActors(patternIn(parent));
    leanOf.set(parent, spawnLean);
  }
  return spawnLean(stream, behaviour as unknown as AnyBehaviour) as unknown as Ref<Message>;
}

type AnyBehaviour = PersistentBehaviour<unknown, unknown, unknown, unknown>;

/** What our persistent actors have of nact's, which its typings hide. */
interface Pattern {
  readonly name: string;
  readonly stopped: boolean;
  readonly parent: {
    readonly stopped: boolean;
    readonly children: Map<string, unknown>;
    readonly childReferences: Map<string, unknown>;
  };
  readonly persistenceEngine: NactEngine;
  clearImmediate(): void;
  handleFault(message: unknown, sender: unknown, error: unknown): void;
  stop(): void;
}

/** An actor of ours as others see it. */
interface LeanActor {
  readonly stopped: boolean;
  readonly behaviour: AnyBehaviour;
  dispatch(message: unknown, sender: unknown): void;
  stop(): void;
}

const leanOf = new WeakMap<Parent, (stream: string, behaviour: AnyBehaviour) => LeanActor>();

/** An actor as nact makes it, which never runs: what is the same for all under this parent, others inherit from it. */
function patternIn(parent: Parent): Pattern {
  const ref = spawnPersistent(untyped(parent), never, 'pattern', '(pattern)', {
    onCrash: crash,
    afterStop: nothing,
  });
  const pattern = applyOrThrowIfStopped(ref, (found) => found);
  pattern.clearImmediate(); // it would recover
  pattern.parent.children.delete(pattern.name);
  pattern.parent.childReferences.delete(pattern.name);
  return pattern;
}

function never(): never {
  throw new Error('the pattern of actors receives nothing');
}

/** @param context with all that the actor has, see `leanActors`, and nact's decisions */
function crash(
  message: unknown,
  error: unknown,
  context: SupervisionContext<unknown, UntypedRef<unknown>>,
): SupervisionContext<unknown, UntypedRef<unknown>>['stop'] {
  (context as unknown as LeanActor).behaviour.onCrash(error, message);
  return context.stop;
}

function nothing(): void {}

/** What waits for an actor. */
type Mail = Pick<{ readonly message: unknown; readonly sender: unknown }[], 'push' | 'shift'>;

/** Of all actors for which nothing waits. */
const NO_MAIL: Mail = {
  push: () => {
    throw new Error('it would reach every actor');
  },
  shift: () => undefined,
};

/**
 * Actors that are nact's and for which this is in place of nact's ways. It is the same to whoever sends and costs less:
 *
 * - Hundreds of thousands can be in memory. An actor has what differs from others', 88 bytes; nact's constructor gives each a path,
 *   a reference, two maps, a mailbox and all its options, together about a kilobyte.
 * - It stands in no map of its parent: who stops such actors knows them (`registry.ts`).
 * - The context of a message is the actor itself. nact makes another with a dozen members, a copy of the map of children and a
 *   bound `persist`. Ours need `persist` alone, and have no children.
 * - An idle actor begins with a message at once, where nact has each wait for a turn of the event loop. Recovery, and a message
 *   that waited, wait for a turn here, too: with less, whoever lost a race may always come too late for the next.
 * - A mailbox is a list that is there while something waits; nact's has room for four, and an idle actor keeps it.
 * - Recovery is one read of the newest head. nact would also fold the events after it, of which there are none.
 * - An event goes to the engine as it is. nact makes a record of it, with tags and the time, and waits for the engine with a promise
 *   of its own.
 */
function leanActors(pattern: Pattern): (stream: string, behaviour: AnyBehaviour) => LeanActor {
  class Lean implements LeanActor {
    declare readonly persistenceEngine: Pattern['persistenceEngine'];
    declare readonly handleFault: Pattern['handleFault'];
    declare readonly stop: Pattern['stop'];
    readonly name: string;
    readonly behaviour: AnyBehaviour;
    readonly stopped = false; // nact's `stop` sets it
    busy = true;
    mailbox = NO_MAIL;
    state: unknown;
    sequenceNumber = 0;
    /** The turn that it waits for. */
    immediate: NodeJS.Immediate | undefined;

    constructor(stream: string, behaviour: AnyBehaviour) {
      this.name = stream;
      this.behaviour = behaviour;
      this.state = behaviour.initial;
      this.immediate = setImmediate(() => void this.recover());
    }

    createContext(): this {
      return this;
    }

    createContextWithMailbox(): this {
      return this;
    }

    dispatch(message: unknown, sender: unknown): void {
      if (!this.busy) {
        this.busy = true;
        this.begin(message, sender);
        return;
      }
      if (this.mailbox === NO_MAIL) this.mailbox = [];
      this.mailbox.push({ message, sender });
    }

    processNext(): void {
      if (this.stopped) return;
      const next = this.mailbox.shift();
      if (next !== undefined) {
        this.immediate = setImmediate(() => this.begin(next.message, next.sender));
        return;
      }
      this.mailbox = NO_MAIL;
      this.busy = false;
    }

    begin(message: unknown, sender: unknown): void {
      this.immediate = undefined;
      const persist: Persist<unknown, unknown> = (event, extra) => this.persist(event, extra);
      this.behaviour.receive(this.state, message, persist).then(
        (next) => {
          this.state = next;
          this.processNext();
        },
        (error) => this.handleFault(message, sender, error),
      );
    }

    persist(event: unknown, extra: unknown): Promise<void> {
      this.sequenceNumber += 1;
      return this.persistenceEngine.persist(this.name, this.sequenceNumber, event, extra);
    }

    async recover(): Promise<void> {
      this.immediate = undefined; // or it would keep this turn in memory
      try {
        const head = await this.persistenceEngine.latestSnapshot(this.name);
        if (head !== undefined) {
          this.state = head.data;
          this.sequenceNumber = head.sequenceNumber;
        }
        this.processNext();
      } catch (error) {
        this.handleFault(undefined, undefined, error);
      }
    }
  }
  Object.setPrototypeOf(Lean.prototype, pattern);
  const { parent } = pattern;
  return (stream, behaviour) => {
    if (parent.stopped) throw new Error('an actor cannot be spawned: its parent has stopped');
    return new Lean(stream, behaviour);
  };
}

const { applyOrThrowIfStopped } = createRequire(import.meta.url)('nact/lib/system-map.js') as {
  applyOrThrowIfStopped<Result>(ref: UntypedRef<unknown>, task: (actor: Pattern) => Result): Result;
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

/** Stops an actor that holds children, and those of them that hold some themselves. */
export function stop(parent: Parent): void {
  for (const child of heldBy.get(parent) ?? []) stop(child);
  stopParent(untyped(parent));
}

function untyped(parent: Parent): UntypedRef<unknown> {
  return parent as unknown as UntypedRef<unknown>;
}

function actorOf<Message>(ref: Ref<Message>): LeanActor {
  return ref as unknown as LeanActor;
}

/** What an actor of ours needs of the engine that nact gives it. */
interface NactEngine {
  latestSnapshot(
    stream: string,
  ): Promise<{ readonly data: unknown; readonly sequenceNumber: number } | undefined>;
  persist(stream: string, sequence: number, event: unknown, extra: unknown): Promise<void>;
}

/** nact's engine over ours: the newest head plays the snapshot, and no event ever lies after it. */
function adapt<Event, Extra>(engine: Engine<Event, Extra>): PersistenceEngine {
  const adapted: NactEngine = {
    async latestSnapshot(stream) {
      const head = await engine.latest(stream);
      return head === undefined ? undefined : { data: head.state, sequenceNumber: head.sequence };
    },
    persist: (stream, sequence, event, extra) =>
      engine.persist(stream, sequence, event as Event, extra as Extra),
  };
  return adapted as unknown as PersistenceEngine;
}
