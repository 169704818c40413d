/**
 * What crosses between the actors' thread and the one that writes, as flat lists. Most operations are appends, and copying
 * one as an object, with the names of its members, costs three times as much as copying its values.
 */
import type { Append, IndexChanges, ListMember } from '../../journal/journal.ts';
import type { Operation, Result } from './operations.ts';

/** Operations, or that there will be no more. */
export type WriterMessage = PackedOperations | 'close';

/** For each append this mark and its values in order, index changes as `packIndex` does; any other operation as it is. */
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
  message.push(APPEND, stream, expected, event, state, details, alarmAt, index && packIndex(index));
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
      index: unpackIndex(message[at + 7] as PackedIndex | undefined),
    };
    operations.push({ type: 'append', entry });
    at += APPEND_LENGTH;
  }
}

/** Unique keys to take and to release, then of the members to take and to release each list with its member. */
type PackedIndex = readonly [
  takeUnique: readonly string[],
  releaseUnique: readonly string[],
  takeMembers: readonly string[],
  releaseMembers: readonly string[],
];

function packIndex({ take, release }: IndexChanges): PackedIndex {
  return [take.unique, release.unique, packMembers(take.members), packMembers(release.members)];
}

function unpackIndex(packed: PackedIndex | undefined): IndexChanges | undefined {
  if (packed === undefined) return undefined;
  const [takeUnique, releaseUnique, takeMembers, releaseMembers] = packed;
  return {
    take: { unique: takeUnique, members: unpackMembers(takeMembers) },
    release: { unique: releaseUnique, members: unpackMembers(releaseMembers) },
  };
}

function packMembers(members: readonly ListMember[]): string[] {
  const packed: string[] = [];
  for (const { list, member } of members) packed.push(list, member);
  return packed;
}

function unpackMembers(packed: readonly string[]): ListMember[] {
  const members: ListMember[] = [];
  for (let at = 0; at < packed.length; at += 2) {
    members.push({ list: packed[at] ?? '', member: packed[at + 1] ?? '' });
  }
  return members;
}

export function packResult(result: Result): PackedResults[number] {
  return typeof result === 'object' && result.type === 'appended' ? APPENDED : result;
}

export function unpackResult(packed: PackedResults[number]): Result {
  return packed === APPENDED ? DONE : packed;
}
