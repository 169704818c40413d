/**
 * The session actor: one per connection, a child of the endpoint's. Its mailbox holds one message per chunk that
 * arrived, not one per packet, and it never waits for a claim: it asks, goes on, and hears of the answers later.
 * Only CONNECT is waited for, so that packets sent behind it find an authenticated session.
 */
import { type Parent, type Ref, spawnActor, stop } from '../../../actors/nact.ts';
import type { Batch } from './connection.ts';
import { settleClaim } from './handlers/claim.ts';
import { handle } from './handlers/index.ts';
import type { ClientPacket, Fault } from './packets.ts';
import { Reason } from './reasons.ts';
import type { Session, SessionMessage } from './session.ts';

/**
 * @param onStopped called once, when the actor is gone
 */
export function spawnSession(
  parent: Parent,
  name: string,
  session: Session,
  onStopped: () => void,
): Ref<SessionMessage> {
  const work = new SessionWork(session);
  let stopped = false;
  const finish = (self: Ref<SessionMessage>) => {
    if (stopped) return;
    stopped = true;
    session.leave();
    stop(self);
    onStopped();
  };
  const crash = (self: Ref<SessionMessage>, error: unknown) => {
    session.context.log.error({ err: error }, 'mqtt session actor crashed');
    session.connection.destroy();
    finish(self);
  };

  const self: Ref<SessionMessage> = spawnActor<undefined, SessionMessage>(parent, name, {
    initial: undefined,
    receive(_state, message) {
      const pending = work.receive(message);
      if (pending === undefined) {
        if (work.finished) finish(self);
        return undefined;
      }
      return pending.then(() => {
        if (work.finished) finish(self);
        return undefined;
      });
    },
    onCrash(error) {
      crash(self, error);
      return 'stop';
    },
  });
  session.onAnswers = () => {
    if (stopped) return;
    try {
      work.settleAnswers();
      if (work.finished) finish(self);
    } catch (error) {
      crash(self, error);
    }
  };
  return self;
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

  /**
   * Takes in what devices have answered. It does not go through the mailbox, which would cost a turn of the event loop
   * per claim: once a session is connected, everything here runs to its end without waiting, so nothing else of this
   * session can be half done now; and a session that is not connected has asked no device.
   */
  settleAnswers(): void {
    const session = this.#session;
    for (const { ticket, outcome } of session.answers.splice(0)) {
      if (outcome.type === 'settled') session.settle(ticket, outcome.settlement);
      else settleClaim(session, ticket, outcome);
    }
    this.#work();
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
