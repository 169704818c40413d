/**
 * The actors of transports: a session, the gateways, what comes from a broker. Each has state of its own, a mailbox, and a
 * place in nact's tree, where it stops with its parent. It asks device actors and hears of their answers later.
 *
 * Device actors are nact's persistent actors (`event-sourced.ts`, `registry.ts`). What happens after a bug, here and there, is
 * said in `supervision.ts`.
 */
import { KeyedMailbox, Mailbox, type MessageHandler } from './mailbox.ts';
import { type Parent, spawnParent, stop } from './nact.ts';

export interface Behaviour<Message> {
  /** Handles one message. The next one waits until the promise, if there is one, has settled. */
  receive(message: Message): void | Promise<void>;
  /** `receive` failed. `stop` ends the actor, `resume` only the message. */
  onCrash(error: unknown, message: Message): 'stop' | 'resume';
  /** Only messages of the same key wait for each other; without it all do. */
  keyOf?(message: Message): unknown;
  /** Messages (of one key) that may wait behind the one that is handled. Without it there is no bound. */
  readonly waitingMax?: number;
}

export interface Actor<Message> {
  /** Puts a message into the mailbox. False, and nothing is done, when the mailbox is full or the actor has stopped. */
  tell(message: Message): boolean;
  /** What waits is dropped; what is being handled goes on to its end. */
  stop(): void;
}

/** @param name unique among the siblings, of `[a-z0-9-$_.+!*'(),]` */
export function spawnActor<Message extends object>(
  parent: Parent,
  name: string,
  behaviour: Behaviour<Message>,
): Actor<Message> {
  return new TransportActor(parent, name, behaviour);
}

class TransportActor<Message extends object> implements Actor<Message> {
  readonly #node: Parent;
  readonly #mailbox: Mailbox<Message> | KeyedMailbox<Message>;

  constructor(parent: Parent, name: string, behaviour: Behaviour<Message>) {
    const handler = {
      handle: (message: Message) => behaviour.receive(message),
      onFailure: (error: unknown, message: Message) => {
        if (behaviour.onCrash(error, message) === 'stop') this.stop();
      },
    };
    const { waitingMax = Number.POSITIVE_INFINITY } = behaviour;
    const keyOf = behaviour.keyOf?.bind(behaviour);
    this.#mailbox =
      keyOf === undefined ? new Mailbox(handler, waitingMax) : new KeyedMailbox(handler, waitingMax, keyOf);
    this.#node = spawnParent(parent, name, () => this.#mailbox.close());
  }

  tell(message: Message): boolean {
    return this.#mailbox.put(message);
  }

  stop(): void {
    this.#mailbox.close();
    stop(this.#node);
  }
}

/**
 * Actors of which there may be a hundred thousand, as there are connections: they share one place in nact's tree and stop with
 * it, because a place of one's own takes a kilobyte.
 */
export class Crowd {
  readonly #members = new Set<Closable>();

  /** @param name as of an actor */
  constructor(parent: Parent, name: string) {
    spawnParent(parent, name, () => {
      for (const member of this.#members) member.close();
    });
  }

  /** @param handler once a message has failed, it decides whether to stop the actor */
  spawn<Message extends object>(handler: MessageHandler<Message>): Actor<Message> {
    const member = new Member(handler, this.#members);
    this.#members.add(member);
    return member;
  }
}

interface Closable {
  close(): void;
}

class Member<Message extends object> extends Mailbox<Message> implements Actor<Message> {
  readonly #members: Set<Closable>;

  constructor(handler: MessageHandler<Message>, members: Set<Closable>) {
    super(handler, Number.POSITIVE_INFINITY);
    this.#members = members;
  }

  tell(message: Message): boolean {
    return this.put(message);
  }

  stop(): void {
    this.close();
    this.#members.delete(this);
  }
}
