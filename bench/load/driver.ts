/**
 * What a driver is: it speaks one protocol on a number of lanes, and each lane carries one operation at a time. It
 * knows bytes and connections, nothing of rates, latencies or what an answer means.
 */
import type { Subject } from './subjects.ts';

export interface Driver {
  /** Resolves when operations can be sent. Rejects when the server cannot be reached at all. */
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
