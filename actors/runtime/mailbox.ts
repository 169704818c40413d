/**
 * A mailbox: messages are handled one at a time, in the order in which they came. A message that finds the mailbox idle is
 * handled at once, the next as soon as the one before it is done; how many may wait is bounded.
 *
 * nact's own mailbox hands an actor one message per turn of the event loop. That is a turn too many between a packet and
 * the claim that it asks for, so the actors of transports have this one (`actor.ts`).
 *
 * A mailbox keeps an order. What keeps none and only limits how much runs at once is no mailbox: the hashing of passwords,
 * in which parties take turns (`accounts/passwords.ts`), and attempts that wait for a counter (`http/auth/attempts.ts`).
 */

export interface MessageHandler<Message> {
  /** Handles one message. The next one waits until the promise, if there is one, has settled. */
  handle(message: Message): void | Promise<void>;
  /**
   * `handle` threw or rejected. The next message has its turn after it. It must not throw: who ends the smallest thing that a
   * bug may have damaged has a bug itself then, so nobody knows what is damaged. The mailbox closes, and the process ends as
   * `supervision.ts` says of bugs that are met nowhere else.
   */
  onFailure(error: unknown, message: Message): void;
}

/** One line: no two messages are handled at the same time. */
export class Mailbox<Message extends object> {
  readonly #handler: MessageHandler<Message>;
  readonly #waitingMax: number;
  readonly #onIdle: (() => void) | undefined;
  /** Most mailboxes never have a message waiting. */
  #waiting: Message[] | undefined;
  #busy = false;
  #closed = false;

  /**
   * @param waitingMax messages that wait while one is handled
   * @param onIdle called when there is nothing more to handle
   */
  constructor(handler: MessageHandler<Message>, waitingMax: number, onIdle?: () => void) {
    this.#handler = handler;
    this.#waitingMax = waitingMax;
    this.#onIdle = onIdle;
  }

  /** False, and nothing is done, when too many messages wait or the mailbox is closed. */
  put(message: Message): boolean {
    if (this.#closed) return false;
    if (!this.#busy) {
      this.#work(message);
      return true;
    }
    this.#waiting ??= [];
    if (this.#waiting.length >= this.#waitingMax) return false;
    this.#waiting.push(message);
    return true;
  }

  /** Takes nothing more, and drops what waits. What is being handled goes on to its end. */
  close(): void {
    this.#closed = true;
    this.#waiting = undefined;
  }

  #work(first: Message | undefined): void {
    this.#busy = true;
    for (let message = first; message !== undefined; message = this.#waiting?.shift()) {
      const pending = this.#handle(message);
      if (pending !== undefined) {
        void pending.then(() => this.#work(this.#waiting?.shift()));
        return;
      }
    }
    this.#busy = false;
    this.#onIdle?.();
  }

  /** Undefined when the message is done with. Neither throws nor rejects. */
  #handle(message: Message): Promise<void> | undefined {
    try {
      const pending = this.#handler.handle(message);
      return pending?.catch((error: unknown) => this.#failed(error, message));
    } catch (error) {
      this.#failed(error, message);
      return undefined;
    }
  }

  #failed(error: unknown, message: Message): void {
    try {
      this.#handler.onFailure(error, message);
    } catch (bug) {
      this.close();
      // Not to whoever put the message in: it may catch this, and the message may be another's.
      queueMicrotask(() => {
        throw bug;
      });
    }
  }
}

/** A line for each key: messages of one key keep their order, those of different keys are handled side by side. */
export class KeyedMailbox<Message extends object> {
  readonly #handler: MessageHandler<Message>;
  readonly #waitingMax: number;
  readonly #keyOf: (message: Message) => unknown;
  /** Only keys that have a message under way. */
  readonly #lines = new Map<unknown, Mailbox<Message>>();
  #closed = false;

  /** @param waitingMax messages of one key that wait while one of them is handled */
  constructor(handler: MessageHandler<Message>, waitingMax: number, keyOf: (message: Message) => unknown) {
    this.#handler = handler;
    this.#waitingMax = waitingMax;
    this.#keyOf = keyOf;
  }

  /** False, and nothing is done, when too many messages of this key wait or the mailbox is closed. */
  put(message: Message): boolean {
    if (this.#closed) return false;
    const key = this.#keyOf(message);
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = new Mailbox(this.#handler, this.#waitingMax, () => this.#lines.delete(key));
      this.#lines.set(key, line);
    }
    return line.put(message);
  }

  close(): void {
    this.#closed = true;
    for (const line of this.#lines.values()) line.close();
  }
}
