/**
 * Acknowledgements in the order of their publications [MQTT-4.6.0-2] [MQTT-4.6.0-3], whatever order they are decided
 * in. Each publication takes a ticket on arrival; tickets are settled at any time, and leave from the front.
 */
import { Queue } from '../../../actors/base/queue.ts';
import type { ReasonCode } from './reasons.ts';
import type { RespondTo } from './response-topic.ts';

export interface Ticket {
  readonly qos: 0 | 1 | 2;
  /** 0 with QoS 0. */
  readonly messageId: number;
  /** Where its sender wants to be answered, if not where it always is. */
  readonly respondTo: RespondTo | undefined;
  settlement: Settlement | undefined;
}

export type Settlement =
  | Acknowledge
  /** Nothing is sent; for QoS 0. */
  | { readonly type: 'drop' }
  /** No acknowledgement: the connection ends, so that the device comes back and sends again. */
  | { readonly type: 'disconnect'; readonly reasonCode: ReasonCode; readonly why?: string };

export interface Acknowledge {
  readonly type: 'acknowledge';
  /** Before version 5 there is no other PUBACK than success. */
  readonly reasonCode: ReasonCode;
  readonly why?: string;
  /** Messages to the client that go out with it. */
  readonly messages?: readonly Message[];
  /** The session ends after it. */
  readonly thenDisconnect?: ReasonCode;
}

/** Sent only if the client has subscribed to `filter`. */
export interface Message {
  readonly filter: string;
  readonly topic: string;
  readonly payload: string;
}

export class AcknowledgementQueue {
  /** Undefined as long as nothing was published. */
  #tickets: Queue<Ticket> | undefined;

  get size(): number {
    return this.#tickets?.size ?? 0;
  }

  add(ticket: Ticket): void {
    this.#tickets ??= new Queue();
    this.#tickets.add(ticket);
  }

  /** Removes the first ticket if it is settled. */
  shiftSettled(): Ticket | undefined {
    return this.#tickets?.first?.settlement === undefined ? undefined : this.#tickets.take();
  }
}
