/**
 * The session actor: one per connection, in the endpoint's crowd. Everything that happens to a session is a message in its
 * mailbox. It never waits for a claim: it asks the device's actor, goes on, and hears of the answer by another message. Only
 * CONNECT is waited for, so that packets sent behind it find an authenticated session.
 */
import { unreachable } from '../../../actors/base/unreachable.ts';
import type { Actor, Crowd } from '../../../actors/runtime/actor.ts';
import type { MessageHandler } from '../../../actors/runtime/mailbox.ts';
import { reportBug } from '../../../actors/runtime/supervision.ts';
import { shareAttributes } from './handlers/attributes.ts';
import { handle } from './handlers/index.ts';
import { deliverCredentials, fetchCredentials } from './handlers/new-credentials.ts';
import type { ClientPacket, Fault } from './packets.ts';
import { Reason } from './reasons.ts';
import type { Session, SessionMessage } from './session.ts';

/** @param owner hears once that the actor is gone */
export function spawnSession(crowd: Crowd, session: Session, owner: SessionOwner): void {
  const work = new SessionWork(session, owner);
  session.actor = work.actor = crowd.spawn(work);
}

export interface SessionOwner {
  onStopped(): void;
}

class SessionWork implements MessageHandler<SessionMessage> {
  readonly #session: Session;
  readonly #owner: SessionOwner;
  /** Undefined once it has stopped, or before it has begun. */
  actor: Actor<SessionMessage> | undefined;
  #draining = false;
  #peerGone = false;

  constructor(session: Session, owner: SessionOwner) {
    this.#session = session;
    this.#owner = owner;
  }

  handle(message: SessionMessage): void | Promise<void> {
    const pending = this.#receive(message);
    if (pending !== undefined) return pending.then(() => (this.#finished ? this.#stop() : undefined));
    if (this.#finished) this.#stop();
    return undefined;
  }

  onFailure(error: unknown): void {
    reportBug(this.#session.context.log, 'session', error, { deviceId: this.#session.device?.id });
    this.#session.connection.destroy();
    this.#stop();
  }

  #stop(): void {
    const { actor } = this;
    if (actor === undefined) return;
    this.actor = undefined;
    this.#session.leave();
    actor.stop();
    this.#owner.onStopped();
  }

  /** Whether nothing can happen in this session any more. */
  get #finished(): boolean {
    if (!this.#peerGone) return false;
    return this.#session.over || this.#draining || !this.#session.connection.readable;
  }

  /** Returns a promise only where a CONNECT is waited for. */
  #receive(message: SessionMessage): Promise<void> | undefined {
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
