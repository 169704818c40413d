/**
 * The session actor: one per connection, a child of the endpoint's. Everything that happens to a session is a message in its
 * mailbox. It never waits for a claim: it asks the device's actor, goes on, and hears of the answer by another message. Only
 * CONNECT is waited for, so that packets sent behind it find an authenticated session.
 */
import { unreachable } from '../../../actors/base/unreachable.ts';
import { type Actor, spawnActor } from '../../../actors/runtime/actor.ts';
import type { Parent } from '../../../actors/runtime/nact.ts';
import { reportBug } from '../../../actors/runtime/supervision.ts';
import { shareAttributes } from './handlers/attributes.ts';
import { handle } from './handlers/index.ts';
import { deliverCredentials, fetchCredentials } from './handlers/new-credentials.ts';
import type { ClientPacket, Fault } from './packets.ts';
import { Reason } from './reasons.ts';
import type { Session, SessionMessage } from './session.ts';

/** @param onStopped called once, when the actor is gone */
export function spawnSession(parent: Parent, name: string, session: Session, onStopped: () => void): void {
  const work = new SessionWork(session);
  let stopped = false;
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    session.leave();
    actor.stop();
    onStopped();
  };
  const actor: Actor<SessionMessage> = spawnActor<SessionMessage>(parent, name, {
    receive(message) {
      const pending = work.receive(message);
      if (pending !== undefined) return pending.then(() => (work.finished ? stop() : undefined));
      if (work.finished) stop();
      return undefined;
    },
    onCrash(error) {
      reportBug(session.context.log, 'session', error, { deviceId: session.device?.id });
      session.connection.destroy();
      stop();
      return 'stop';
    },
  });
  session.tell = (message) => actor.tell(message);
}

class SessionWork {
  readonly #session: Session;
  #draining = false;
  #peerGone = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Whether nothing can happen in this session any more. */
  get finished(): boolean {
    if (!this.#peerGone) return false;
    return this.#session.over || this.#draining || !this.#session.connection.readable;
  }

  /** Returns a promise only where a CONNECT is waited for. */
  receive(message: SessionMessage): Promise<void> | undefined {
    const session = this.#session;
    switch (message.type) {
      case 'readable':
        session.connection.heard();
        break;
      case 'answers':
        session.settleAnswers();
        break;
      case 'end':
        session.disconnect(message.reasonCode);
        break;
      case 'notice':
        if (!session.over) session.publish(message.topic, message.topic, message.payload);
        break;
      case 'shared':
        shareAttributes(session, message);
        break;
      case 'drain':
        this.#draining = true;
        break;
      case 'closed':
        this.#peerGone = true;
        break;
      case 'rotated':
        fetchCredentials(session);
        break;
      case 'credentials':
        deliverCredentials(session, message.fetched);
        break;
      case 'failed':
        throw message.error;
      default:
        unreachable(message);
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
    } while (session.acknowledge() && this.#mayTake && session.connection.readable);

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
    const { connection, budget, context } = this.#session;
    if (!connection.readable || connection.blocked || !this.#mayTake || !budget.mayGoOn()) return undefined;
    const packet = connection.next();
    if (packet === undefined) return undefined;
    budget.spendOn(packet, connection.packetBytes);
    context.figures?.received(packet.cmd);
    return packet;
  }
}
