/** What the writing thread can be asked (`writer.ts`): plain data, as it crosses from one thread to another. */
import { unreachable } from '../../base/unreachable.ts';
import type { Append, AppendResult, ListMember } from '../../journal/journal.ts';
import type { Commit, CommitResult } from '../store.ts';
import type { ShorterRow, Transaction } from './transaction.ts';

export type Operation =
  | { readonly type: 'append'; readonly entry: Append }
  | { readonly type: 'commit'; readonly commit: Commit }
  | { readonly type: 'enter'; readonly member: ListMember }
  | { readonly type: 'leave'; readonly member: ListMember }
  /** Buckets of alarms of which none is awaited any more. */
  | { readonly type: 'drop-alarms'; readonly keys: readonly (readonly [number, number])[] }
  | { readonly type: 'shorten-log'; readonly rows: readonly ShorterRow[] }
  | { readonly type: 'set-record'; readonly key: string; readonly text: string }
  | { readonly type: 'delete-record'; readonly key: string }
  | {
      readonly type: 'swap-record';
      readonly key: string;
      readonly expected: string | undefined;
      readonly next: string | undefined;
    }
  /** A write without meaning, to see whether writing works. */
  | { readonly type: 'touch' };

/** What an operation results in. */
export interface Results {
  readonly append: AppendResult;
  readonly commit: CommitResult;
  readonly enter: undefined;
  readonly leave: undefined;
  readonly 'drop-alarms': undefined;
  readonly 'shorten-log': undefined;
  readonly 'set-record': undefined;
  readonly 'delete-record': boolean;
  readonly 'swap-record': boolean;
  readonly touch: undefined;
}

export type Result = Results[keyof Results];

/** Carries an operation out as a part of a transaction. */
export function carryOut(transaction: Transaction, operation: Operation): Result {
  switch (operation.type) {
    case 'append':
      return transaction.append(operation.entry);
    case 'commit':
      return transaction.commit(operation.commit);
    case 'enter':
      transaction.enter(operation.member);
      return undefined;
    case 'leave':
      transaction.leave(operation.member);
      return undefined;
    case 'drop-alarms':
      for (const [bucket, commit] of operation.keys) transaction.dropAlarms([bucket, commit]);
      return undefined;
    case 'shorten-log':
      transaction.shortenLog(operation.rows);
      return undefined;
    case 'set-record':
      transaction.setRecord(operation.key, operation.text);
      return undefined;
    case 'delete-record':
      return transaction.deleteRecord(operation.key);
    case 'swap-record':
      return transaction.swapRecord(operation.key, operation.expected, operation.next);
    case 'touch':
      transaction.touch();
      return undefined;
    default:
      return unreachable(operation);
  }
}
