/**
 * A driver speaks one protocol on a number of lanes; each lane carries one operation at a time. It knows bytes and
 * connections, nothing of rates, latencies or what an answer means.
 */
import type { Job, Step } from '../contract.ts';
import { CoapDriver } from './coap.ts';
import { ConnectDriver } from './connect.ts';
import { HttpDriver } from './http.ts';
import { MqttDriver } from './mqtt.ts';
import type { Subject } from './subjects.ts';

export interface Driver {
  /** Resolves when operations can be sent. Rejects when the server can not be reached at all. */
  open(): Promise<void>;
  /** Sends an operation on a lane that is free. Never answers before it returns. */
  send(lane: number, subject: Subject): void;
  /** Gives up an operation that waits too long. The lane can be used again. */
  abandon(lane: number): void;
  close(): void;
}

/** The one answer to each operation; after `abandon` there is none. */
export type Answered = (lane: number, outcome: string) => void;

/** What the network does instead of an answer. */
export const CLOSED = 'connection closed';
export const TIMEOUT = 'timeout';

export function driverOf(step: Step, job: Job, answered: Answered): Driver {
  switch (step.type) {
    case 'mqtt':
      return new MqttDriver(step, job, answered);
    case 'connect':
      return new ConnectDriver(step, answered);
    case 'http':
      return new HttpDriver(step, job, answered);
    case 'coap':
      return new CoapDriver(step, job, answered);
    default:
      return step satisfies never;
  }
}
