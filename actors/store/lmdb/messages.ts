/**
 * What crosses between the actors' thread and the one that writes, as flat lists. Most operations are appends, and copying
 * one as an object, with the names of its members, costs three times as much as copying its values.
 */
import type { Append } from '../../journal/journal.ts';
import type { Operation, Result } from './operations.ts';

/** Operations, or that there will be no more. */
export type WriterMessage = PackedOperations | 'close';

/** For each append this mark and its values in order; any other operation as it is. */
export type PackedOperations = readonly unknown[];
const APPEND = 'append';
const APPEND_LENGTH = 8;

/** The end of one transaction. Results are in the order of the operations. */
export type TransactionResult =
  | {
      readonly type: 'committed';
      readonly results: PackedResults;
      /** How long it took, with its flush. */
      readonly ms: number;
    }
  | {
      readonly type: 'failed';
      readonly count: number;
      readonly why: string;
      /** The disk is full; nothing was written. */
      readonly noRoom: boolean;
    };

/** The mark for an append that was done, which most are; any other result as it is. */
export type PackedResults = readonly (Result | typeof APPENDED)[];
const APPENDED = 'appended';
const DONE: Result = { type: 'appended' };

/** Adds an operation to those that are sent together. */
export function pack(operation: Operation, message: unknown[]): void {
  if (operation.type !== 'append') {
    message.push(operation);
    return;
  }
  const { stream, expected, event, state, details, alarmAt, index } = operation.entry;
  message.push(APPEND, stream, expected, event, state, details, alarmAt, index);
}

/** What `pack` packed. Messages between threads have no types; what is cast here was put there above. */
export function unpack(message: PackedOperations, operations: Operation[]): void {
  for (let at = 0; at < message.length; ) {
    if (message[at] !== APPEND) {
      operations.push(message[at] as Operation);
      at += 1;
      continue;
    }
    const entry: Append = {
      stream: message[at + 1] as Append['stream'],
      expected: message[at + 2] as Append['expected'],
      event: message[at + 3] as Append['event'],
      state: message[at + 4] as Append['state'],
      details: message[at + 5] as Append['details'],
      alarmAt: message[at + 6] as Append['alarmAt'],
      index: message[at + 7] as Append['index'],
    };
    operations.push({ type: 'append', entry });
    at += APPEND_LENGTH;
  }
}

export function packResult(result: Result): PackedResults[number] {
  return typeof result === 'object' && result.type === 'appended' ? APPENDED : result;
}

export function unpackResult(packed: PackedResults[number]): Result {
  return packed === APPENDED ? DONE : packed;
}
