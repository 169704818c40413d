/**
 * What a driver is: it speaks one protocol on a number of lanes, and each lane carries one operation at a time. It
 * knows bytes and connections, nothing of rates, latencies or what an answer means.
 */
import type { Subject } from './subjects.ts';

export interface Driver {
  /** Resolves when operations can be sent. Rejects when the server cannot be reached at all. */
  open(): Promise<void>;
  /** Sends an operation on a free lane. Never answers before it returns. */
  send(lane: number, subject: Subject): void;
  /** Gives an operation up that took too long, and frees its lane. */
  abandon(lane: number): void;
  close(): void;
}

/** Called once for each operation; not after `abandon`. @param read what the next steps need of the answer */
export type Answered = (lane: number, outcome: string, read?: Read) => void;

/** A code for the steps after it, or the token that the device has from then on. */
export interface Read {
  readonly code?: string;
  readonly token?: string;
}

/** Outcomes without an answer. */
export const CLOSED = 'connection closed';
export const TIMEOUT = 'timeout';
