/** One write transaction: the writes of many callers, packed together where they can share a key. */
import type { Append, AppendResult, IndexChanges, ListMember } from '../../journal/journal.ts';
import { packedLine } from '../log-line.ts';
import type { Commit, CommitResult } from '../store.ts';
import { detailsText, headText, type Mark, readMark } from './head.ts';
import { listKey } from './keys.ts';
import type { Tables } from './tables.ts';

/** Alarms of the same tenth of a second lie together; they are due when it is over. */
export const BUCKET_MS = 100;

/** What is left of a row of the log; '' for nothing. */
export interface ShorterRow {
  readonly row: number;
  readonly text: string;
}

/** What an append and a commit have in common. */
interface Move {
  /** Of the stream or entity. */
  readonly name: string;
  readonly expected: number;
  readonly state: string | undefined;
  readonly alarmAt: number | null;
  readonly index: IndexChanges | undefined;
}

type Moved =
  | { readonly type: 'moved'; readonly before: Mark | undefined }
  | { readonly type: 'conflict' }
  | { readonly type: 'taken'; readonly key: string };

/** Heads and index entries are written at once, each under its own key; events, alarms and counts at the end, packed. */
export class Transaction {
  readonly #tables: Tables;
  readonly #events: string[] = [];
  readonly #alarms = new Map<number, string[]>();
  readonly #counts = new Map<string, number>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  append({ stream, expected, event, state, details, alarmAt, index }: Append): AppendResult {
    const moved = this.#move(this.#tables.heads, { name: stream, expected, state, alarmAt, index });
    if (moved.type !== 'moved') return moved;
    if (state === undefined) this.#tables.details.removeSync(stream);
    else if (details !== undefined) this.#tables.details.putSync(stream, detailsText(expected + 1, details));
    this.#events.push(packedLine(stream, expected + 1, event));
    if (alarmAt !== null && alarmAt !== moved.before?.alarmAt) this.#alarm(stream, alarmAt);
    return { type: 'appended' };
  }

  commit({ name, expected, text, index }: Commit): CommitResult {
    const moved = this.#move(this.#tables.entities, { name, expected, state: text, alarmAt: null, index });
    return moved.type === 'moved' ? { type: 'committed' } : moved;
  }

  /** Replaces or removes a head, together with its index entries; or nothing of it. */
  #move(heads: Tables['heads'], { name, expected, state, alarmAt, index }: Move): Moved {
    const before = readMark(heads, name);
    if ((before?.sequence ?? 0) !== expected) return { type: 'conflict' };
    const { holders } = this.#tables;
    for (const key of index?.take.unique ?? []) {
      const holder = holders.get(key);
      if (holder !== undefined && holder !== name) return { type: 'taken', key };
    }
    for (const key of index?.release.unique ?? []) if (holders.get(key) === name) holders.removeSync(key);
    for (const key of index?.take.unique ?? []) holders.putSync(key, name);
    for (const member of index?.release.members ?? []) this.leave(member);
    for (const member of index?.take.members ?? []) this.enter(member);

    if (state === undefined) heads.removeSync(name);
    else heads.putSync(name, headText(expected + 1, alarmAt, state));
    return { type: 'moved', before };
  }

  #alarm(stream: string, dueAt: number): void {
    const bucket = Math.ceil(dueAt / BUCKET_MS);
    const line = `${stream} ${dueAt}`;
    const lines = this.#alarms.get(bucket);
    if (lines === undefined) this.#alarms.set(bucket, [line]);
    else lines.push(line);
  }

  enter({ list, member }: ListMember): void {
    const key = listKey(list, member);
    if (this.#tables.lists.doesExist(key)) return;
    this.#tables.lists.putSync(key, '');
    this.#counts.set(list, (this.#counts.get(list) ?? 0) + 1);
  }

  leave({ list, member }: ListMember): void {
    if (!this.#tables.lists.removeSync(listKey(list, member))) return;
    this.#counts.set(list, (this.#counts.get(list) ?? 0) - 1);
  }

  /** Puts shorter rows in place of rows of the log. The last one stays, as rows are numbered on from it. */
  shortenLog(rows: readonly ShorterRow[]): void {
    const { log } = this.#tables;
    const [last] = log.getKeys({ reverse: true, limit: 1 });
    for (const { row, text } of rows) {
      if (text === '' && row !== last) log.removeSync(row);
      else if (log.doesExist(row)) log.putSync(row, text);
    }
  }

  /** Drops a bucket of alarms of which none is awaited any more. */
  dropAlarms(key: [number, number]): void {
    this.#tables.alarms.removeSync(key);
  }

  setRecord(key: string, text: string): void {
    this.#tables.records.putSync(key, text);
  }

  deleteRecord(key: string): boolean {
    return this.#tables.records.removeSync(key);
  }

  swapRecord(key: string, expected: string | undefined, next: string | undefined): boolean {
    const { records } = this.#tables;
    if (records.get(key) !== expected) return false;
    if (next !== undefined) records.putSync(key, next);
    else if (expected !== undefined) records.removeSync(key);
    return true;
  }

  /** A write without meaning, to see whether writing works. */
  touch(): void {
    this.#tables.meta.putSync('checked', '');
  }

  /** Writes what was gathered. Last in the transaction. */
  finish(): void {
    const { log, alarms, counts } = this.#tables;
    if (this.#events.length > 0) {
      const [last = 0] = log.getKeys({ reverse: true, limit: 1 });
      const commit = last + 1;
      log.putSync(commit, this.#events.join('\n'));
      for (const [bucket, lines] of this.#alarms) alarms.putSync([bucket, commit], lines.join('\n'));
    }
    for (const [list, change] of this.#counts) {
      const count = Number(counts.get(list) ?? 0) + change;
      if (count === 0) counts.removeSync(list);
      else counts.putSync(list, String(count));
    }
  }
}
