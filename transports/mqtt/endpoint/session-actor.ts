/**
 * The session actor: one per connection, a child of the endpoint's. It never waits for a claim: it asks, goes on, and
 * hears of the answers later. Only CONNECT is waited for, so that packets sent behind it find an authenticated session.
 *
 * A message through the mailbox costs a turn of the event loop and some microseconds. So what comes for a session that
 * waits for nothing (packets of a connected one, answers of its devices) is handled where it arrives; the mailbox is for
 * what has to wait its turn, and while anything is in it everything goes behind.
 */
import { type Parent, type Ref, spawnActor, stop, tell } from '../../../actors/runtime/nact.ts';
import type { Batch } from './connection.ts';
import { settleClaim } from './handlers/claim.ts';
import { handle } from './handlers/index.ts';
import type { ClientPacket, Fault } from './packets.ts';
import { Reason } from './reasons.ts';
import type { Session, SessionMessage } from './session.ts';

export class SessionActor {
  readonly #session: Session;
  readonly #work: SessionWork;
  readonly #onStopped: () => void;
  readonly #self: Ref<SessionMessage>;
  /** Messages that are in the mailbox or being handled out of it. */
  #ahead = 0;
  /** Whether something is being handled at this very moment. */
  #handling = false;
  #stopped = false;

  /**
   * @param onStopped called once, when the actor is gone
   */
  constructor(parent: Parent, name: string, session: Session, onStopped: () => void) {
    this.#session = session;
    this.#work = new SessionWork(session);
    this.#onStopped = onStopped;
    session.onAnswers = () => this.#now(() => this.#work.settleAnswers());
    this.#self = spawnActor<undefined, SessionMessage>(parent, name, {
      initial: undefined,
      receive: (_state, message) => this.#receive(message),
      onCrash: (error) => {
        this.#crash(error);
        return 'stop';
      },
    });
  }

  /** Packets have arrived. */
  take(batch: Batch): void {
    const waits = this.#ahead > 0 || this.#handling || this.#session.status === 'connecting';
    if (waits) this.tell(batch);
    else this.#now(() => this.#work.receive(batch));
  }

  /** Puts a message behind all others; may be called from anywhere. */
  tell(message: SessionMessage): void {
    this.#ahead += 1;
    tell(this.#self, message);
  }

  #receive(message: SessionMessage): undefined | Promise<undefined> {
    const done = (): undefined => {
      this.#ahead -= 1;
      if (this.#work.finished) this.#finish();
    };
    const pending = this.#work.receive(message);
    return pending === undefined ? done() : pending.then(done);
  }

  /**
   * Handles something without the mailbox. Once a session is connected, everything here runs to its end without waiting,
   * so nothing else of this session can be half done; and one that is not connected has asked no device.
   */
  #now(work: () => Promise<void> | undefined): void {
    if (this.#stopped) return;
    this.#handling = true;
    try {
      if (work() !== undefined) throw new Error('a session waits for something that is not its CONNECT');
      if (this.#work.finished) this.#finish();
    } catch (error) {
      this.#crash(error);
    } finally {
      this.#handling = false;
    }
  }

  #crash(error: unknown): void {
    this.#session.context.log.error({ err: error }, 'mqtt session actor crashed');
    this.#session.connection.destroy();
    this.#finish();
  }

  #finish(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#session.leave();
    stop(this.#self);
    this.#onStopped();
  }
}

class SessionWork {
  readonly #session: Session;
  /** Batches that are not handled yet, and how far the first of them is. */
  readonly #backlog: Batch[] = [];
  #next = 0;
  #draining = false;
  #peerGone = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Whether nothing can happen in this session any more. */
  get finished(): boolean {
    if (!this.#peerGone) return false;
    return this.#session.over || this.#draining || this.#backlog.length === 0;
  }

  receive(message: SessionMessage): Promise<void> | undefined {
    const session = this.#session;
    switch (message.type) {
      case 'packets':
        this.#backlog.push(message);
        break;
      case 'end':
        session.disconnect(message.reasonCode);
        break;
      case 'drain':
        this.#draining = true;
        break;
      case 'closed':
        this.#peerGone = true;
        break;
      default:
        message satisfies never;
    }
    return this.#work();
  }

  /** Takes in what devices have answered. */
  settleAnswers(): Promise<void> | undefined {
    const session = this.#session;
    for (const { ticket, outcome } of session.answers.splice(0)) {
      if (outcome.type === 'settled') session.settle(ticket, outcome.settlement);
      else settleClaim(session, ticket, outcome);
    }
    return this.#work();
  }

  /** Handles packets while it may, acknowledges what is settled, writes once. */
  #work(): Promise<void> | undefined {
    const session = this.#session;
    do {
      for (let packet = this.#take(); packet !== undefined; packet = this.#take()) {
        const pending = handle(session, packet);
        if (pending !== undefined) return pending.then(() => this.#work());
      }
    } while (session.acknowledge() && this.#mayTake && this.#backlog.length > 0);

    if (this.#draining && session.idle) session.disconnect(Reason.serverShuttingDown);
    session.connection.hold(session.status === 'ending' || session.full || this.#draining);
    session.connection.flush();
    return undefined;
  }

  get #mayTake(): boolean {
    const { status, over, full } = this.#session;
    return !over && status !== 'ending' && !full && !this.#draining;
  }

  #take(): ClientPacket | Fault | undefined {
    if (this.#session.over) this.#backlog.length = 0;
    const batch = this.#backlog[0];
    if (batch === undefined || !this.#mayTake) return undefined;
    const packet = batch.packets[this.#next];
    this.#next += 1;
    if (this.#next === batch.packets.length) {
      this.#backlog.shift();
      this.#next = 0;
      this.#session.connection.handled(batch);
    }
    return packet;
  }
}
