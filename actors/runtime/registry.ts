/**
 * Which actors are alive, and the only way to talk to them: spawn on demand, ask with a time limit, passivate.
 *
 * The registry does what nact leaves open:
 *
 * - An actor is stopped only while nothing is on its way to it, so passivation and delivery do not race.
 * - There are bounds: of residents, and of commands that wait, for one actor and in all.
 * - An ask has a time limit. One sweep sees to all of them, and sleeps while nothing is due; none has a timer.
 * - Messages of an incarnation that ended go to a new one after a conflict; after a fault they are answered `unavailable`.
 */
import type { Cancel } from '../base/clock.ts';
import { Queue } from '../base/queue.ts';
import { ByUse, type InOrder } from './by-use.ts';
import type { Answer, Unavailable } from './decider.ts';
import {
  type Ask,
  type End,
  type EventSourced,
  type IncarnationOwner,
  spawnEventSourced,
} from './event-sourced.ts';
import { type Parent, type Ref, spawnParent, stop, stopActor, tell } from './nact.ts';

export interface RegistrySettings {
  /** Actors kept in memory at once; beyond it the longest unused makes room. */
  readonly residentsMax: number;
  /** An actor that is unused for so long is stopped, in ms. */
  readonly idleMs: number;
  /** Commands waiting for one actor; beyond it: overloaded. */
  readonly mailboxMax: number;
  /** Commands under way in all; beyond it: overloaded. */
  readonly inFlightMax: number;
  /** How long a command may take before its asker hears `timeout`, in ms. */
  readonly askTimeoutMs: number;
}

export interface Registry<State, Command, Refusal> {
  /** Never rejects. */
  ask(id: string, command: Command): Promise<Answer<State, Refusal>>;
  /** How many actors are in memory, and how many commands are under way. */
  readonly residents: number;
  readonly inFlight: number;
  /** Takes nothing new (`stopping`), lets what is under way be answered, at most for `drainMs`; then stops. */
  stop(drainMs: number): Promise<void>;
}

/** A conflict means that another process decided first. So many in a row mean that something is wrong. */
const CONFLICTS_MAX = 20;
/** Between two sweeps at least. */
const SWEEP_MS = 250;
/** How many residents are looked at for an idle one; bounds the cost of one spawn when all are busy. */
const LOOK_MAX = 64;
/** Idle actors that one sweep stops: each takes some microseconds, and everything else waits meanwhile. */
const LET_GO_MAX = 2_000;

/** What an actor in memory asks of its registry. */
interface ResidentHome<Message> {
  incarnate(resident: Resident<Message>, isContended: boolean): Ref<Message>;
  ended(resident: Resident<Message>, end: End): void;
}

/** An actor in memory. There may be hundreds of thousands: it hears for itself of its end, and has no list before something waits. */
class Resident<Message> implements IncarnationOwner, InOrder<Resident<Message>> {
  readonly id: string;
  older: Resident<Message> | undefined = undefined;
  newer: Resident<Message> | undefined = undefined;
  ref: Ref<Message>;
  /** What was sent to the actor and is not finished, in order. Undefined: nothing is. */
  pending: Message[] | undefined;
  /** Conflicts since something was last decided. */
  conflicts = 0;
  lastUsedAt: number;
  readonly #home: ResidentHome<Message>;

  constructor(home: ResidentHome<Message>, id: string, now: number) {
    this.#home = home;
    this.id = id;
    this.lastUsedAt = now;
    this.ref = home.incarnate(this, false);
  }

  ended(end: End): void {
    this.#home.ended(this, end);
  }
}

export function createRegistry<State, Command, Event, Refusal, Rules = never>(
  parent: Parent,
  name: string,
  system: EventSourced<State, Command, Event, Refusal, Rules>,
  settings: RegistrySettings,
): Registry<State, Command, Refusal> {
  return new ActorRegistry(parent, name, system, settings);
}

class ActorRegistry<State, Command, Event, Refusal, Rules>
  implements
    Registry<State, Command, Refusal>,
    Asked<PendingAsk<Command, State, Refusal>>,
    ResidentHome<PendingAsk<Command, State, Refusal>>
{
  readonly #system: EventSourced<State, Command, Event, Refusal, Rules>;
  readonly #settings: RegistrySettings;
  readonly #home: Parent;
  readonly #residents = new Map<string, Resident<PendingAsk<Command, State, Refusal>>>();
  /** The same ones. */
  readonly #byUse = new ByUse<Resident<PendingAsk<Command, State, Refusal>>>();
  /**
   * Asks in the order of their deadlines, which is the order of their arrival. What is settled leaves from the front at once:
   * kept until the next sweep, all that belongs to an ask would be copied by the garbage collector meanwhile.
   */
  readonly #deadlines = new Queue<PendingAsk<Command, State, Refusal>>();
  #inFlight = 0;
  #stopping = false;
  #onIdle: (() => void) | undefined;
  #cancelSweep: Cancel | undefined;
  /** After so many ms an ask, or the actor that it is for, may be due. */
  readonly #dueAfterMs: number;
  /** When the next sweep is, by `elapsed`. A process at rest is not woken for sweeps that find nothing. */
  #sweepAt = Number.POSITIVE_INFINITY;

  constructor(
    parent: Parent,
    name: string,
    system: EventSourced<State, Command, Event, Refusal, Rules>,
    settings: RegistrySettings,
  ) {
    this.#system = system;
    this.#settings = settings;
    this.#home = spawnParent(parent, name);
    this.#dueAfterMs = Math.max(SWEEP_MS, Math.min(settings.askTimeoutMs, settings.idleMs));
  }

  get residents(): number {
    return this.#residents.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  ask(id: string, command: Command): Promise<Answer<State, Refusal>> {
    const { inFlightMax, mailboxMax, askTimeoutMs } = this.#settings;
    if (this.#stopping) return Promise.resolve(unavailable('stopping'));
    if (this.#inFlight >= inFlightMax) return Promise.resolve(unavailable('overloaded'));
    const now = Math.trunc(this.#system.clock.elapsed()); // a whole number takes no memory of its own
    const resident = this.#use(id, now);
    if (resident === undefined || (resident.pending?.length ?? 0) >= mailboxMax) {
      return Promise.resolve(unavailable('overloaded'));
    }
    this.#inFlight += 1;
    if (now + this.#dueAfterMs < this.#sweepAt) this.#sweepOn(now + this.#dueAfterMs, now);
    return new Promise((resolve) => {
      const message = new PendingAsk(command, now + askTimeoutMs, resolve, resident, this);
      this.#deadlines.add(message);
      if (resident.pending === undefined) resident.pending = [message];
      else resident.pending.push(message);
      tell(resident.ref, message);
    });
  }

  /** The actor of a stream, spawned if need be; undefined when there is no room and no idle actor to stop. */
  #use(id: string, now: number): Resident<PendingAsk<Command, State, Refusal>> | undefined {
    let resident = this.#residents.get(id);
    if (resident === undefined) {
      if (this.#residents.size >= this.#settings.residentsMax && !this.#makeRoom()) return undefined;
      resident = new Resident(this, id, now);
      this.#residents.set(id, resident);
      this.#byUse.add(resident);
    } else {
      resident.lastUsedAt = now;
      this.#byUse.use(resident);
    }
    return resident;
  }

  incarnate(
    resident: Resident<PendingAsk<Command, State, Refusal>>,
    isContended: boolean,
  ): Ref<PendingAsk<Command, State, Refusal>> {
    return spawnEventSourced(this.#home, resident.id, this.#system, isContended, resident);
  }

  finished(
    resident: Resident<PendingAsk<Command, State, Refusal>>,
    message: PendingAsk<Command, State, Refusal>,
  ): void {
    const { pending } = resident;
    const index = pending?.indexOf(message) ?? -1;
    if (pending === undefined || index === -1) return;
    if (pending.length === 1) resident.pending = undefined;
    else pending.splice(index, 1);
    resident.conflicts = 0;
    this.#landed();
  }

  settled(): void {
    while (this.#deadlines.first?.settled) this.#deadlines.take();
  }

  #landed(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  /** An incarnation has ended. What waited goes to a new one, or is answered `unavailable`. */
  ended(resident: Resident<PendingAsk<Command, State, Refusal>>, end: End): void {
    if (this.#residents.get(resident.id) !== resident) return; // it was let go
    stopActor(resident.ref);
    const goesOn = end === 'conflict' && resident.conflicts < CONFLICTS_MAX;
    const left = resident.pending ?? [];
    const again = goesOn ? left.filter((message) => !message.settled) : [];
    resident.pending = again.length === 0 ? undefined : again;
    for (const message of left) {
      if (again.includes(message)) continue;
      message.settle(unavailable('store'));
      this.#landed();
    }
    if (again.length === 0) {
      this.#letGo(resident);
      return;
    }
    resident.conflicts += 1;
    resident.ref = this.incarnate(resident, true);
    for (const message of again) tell(resident.ref, message);
  }

  /** Stops the longest unused idle actor. False when none of those looked at is idle. */
  #makeRoom(): boolean {
    let resident = this.#byUse.oldest;
    for (let looked = 0; resident !== undefined && looked < LOOK_MAX; looked += 1) {
      if (resident.pending === undefined) {
        this.#passivate(resident);
        return true;
      }
      resident = resident.newer;
    }
    return false;
  }

  #passivate(resident: Resident<PendingAsk<Command, State, Refusal>>): void {
    this.#letGo(resident);
    stopActor(resident.ref);
  }

  #letGo(resident: Resident<PendingAsk<Command, State, Refusal>>): void {
    this.#residents.delete(resident.id);
    this.#byUse.remove(resident);
  }

  #sweepOn(at: number, now: number): void {
    this.#cancelSweep?.();
    this.#sweepAt = at;
    this.#cancelSweep = this.#system.clock.after(at - now, () => this.#sweep());
  }

  /** Answers what waited too long, and stops what was idle too long. */
  #sweep(): void {
    const now = this.#system.clock.elapsed();
    for (let first = this.#deadlines.first; first !== undefined; first = this.#deadlines.first) {
      if (!first.settled && first.deadline > now) break;
      this.#deadlines.take();
      first.settle(unavailable('timeout'));
    }

    let resident = this.#byUse.oldest;
    for (let looked = 0; resident !== undefined && looked < LET_GO_MAX; looked += 1) {
      if (now - resident.lastUsedAt < this.#settings.idleMs) break;
      const { newer } = resident;
      if (resident.pending === undefined) this.#passivate(resident);
      resident = newer;
    }
    this.#sweepAt = Number.POSITIVE_INFINITY;
    const next = Math.min(
      this.#deadlines.first?.deadline ?? Number.POSITIVE_INFINITY,
      (this.#byUse.oldest?.lastUsedAt ?? Number.POSITIVE_INFINITY) + this.#settings.idleMs,
    );
    if (next < Number.POSITIVE_INFINITY) this.#sweepOn(Math.max(next, now + SWEEP_MS), now);
  }

  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#system.clock.after(drainMs, resolve);
        this.#onIdle = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#cancelSweep?.();
    for (let left = this.#deadlines.take(); left !== undefined; left = this.#deadlines.take()) {
      left.settle(unavailable('stopping'));
    }
    this.#residents.clear();
    this.#byUse.clear();
    stop(this.#home);
  }
}

/** Who hears of what becomes of an ask. */
interface Asked<Pending> {
  /** The actor has finished with it. */
  finished(resident: Resident<Pending>, ask: Pending): void;
  /** It was answered, in one way or another. */
  settled(): void;
}

class PendingAsk<Command, State, Refusal> implements Ask<Command, State, Refusal> {
  readonly command: Command;
  readonly deadline: number;
  /** Whether the asker was answered, by the actor or with `unavailable`. */
  settled = false;
  readonly #resolve: (answer: Answer<State, Refusal>) => void;
  readonly #resident: Resident<PendingAsk<Command, State, Refusal>>;
  readonly #asked: Asked<PendingAsk<Command, State, Refusal>>;

  constructor(
    command: Command,
    deadline: number,
    resolve: (answer: Answer<State, Refusal>) => void,
    resident: Resident<PendingAsk<Command, State, Refusal>>,
    asked: Asked<PendingAsk<Command, State, Refusal>>,
  ) {
    this.command = command;
    this.deadline = deadline;
    this.#resolve = resolve;
    this.#resident = resident;
    this.#asked = asked;
  }

  finish(): void {
    this.#asked.finished(this.#resident, this);
  }

  answer(answer: Answer<State, Refusal>): void {
    this.finish();
    this.settle(answer);
  }

  settle(answer: Answer<State, Refusal>): void {
    if (this.settled) return;
    this.settled = true;
    this.#resolve(answer);
    this.#asked.settled();
  }
}

function unavailable(reason: Unavailable['reason']): Unavailable {
  return { type: 'unavailable', reason };
}
