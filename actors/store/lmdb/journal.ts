/** The journal over LMDB: see `../../journal/journal.ts` for what it promises. */
import type {
  Append,
  AppendResult,
  DueAlarm,
  DuePage,
  Head,
  Journal,
  LoggedEvent,
  LogPage,
  Stretch,
  Verdict,
} from '../../journal/journal.ts';
import { unpackedLine } from '../log-line.ts';
import { checkStreamName } from '../store.ts';
import { parseDetails, parseHead, readMark, readSequence } from './head.ts';
import { checkKeys, fits } from './keys.ts';
import type { Read, Tables } from './tables.ts';
import { BUCKET_MS, type ShorterRow } from './transaction.ts';
import type { Writer } from './writer.ts';

export class LmdbJournal implements Journal {
  readonly #tables: Tables;
  readonly #writer: Writer;
  readonly #read: Read;

  constructor(tables: Tables, writer: Writer, read: Read) {
    this.#tables = tables;
    this.#writer = writer;
    this.#read = read;
  }

  async load(stream: string): Promise<Head> {
    return this.#read(() => this.#headOf(stream));
  }

  async loadMany(streams: readonly string[], part?: 'state'): Promise<readonly Head[]> {
    return this.#read(() => streams.map((stream) => this.#headOf(stream, part)));
  }

  /** To be called in a snapshot: a head has two parts. */
  #headOf(stream: string, part?: 'state'): Head {
    const head = fits(stream) ? this.#tables.heads.get(stream) : undefined;
    if (head === undefined) return { sequence: 0, state: undefined };
    const other = part === 'state' ? undefined : this.#tables.details.get(stream);
    if (other === undefined) return parseHead(head);
    const { sequence, state } = parseHead(head);
    return { sequence, state, details: parseDetails(other) };
  }

  sequenceOf(stream: string): number {
    if (!fits(stream)) return 0;
    return this.#read(() => readMark(this.#tables.heads, stream)?.sequence ?? 0);
  }

  detailsFrom(stream: string): number | undefined {
    if (!fits(stream)) return undefined;
    return this.#read(() => readSequence(this.#tables.details, stream));
  }

  append(entry: Append): Promise<AppendResult> {
    try {
      checkStreamName(entry.stream);
      checkKeys(entry.stream, entry.index);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#writer.run({ type: 'append', entry });
  }

  async due(now: number, after: string | undefined, limit: number): Promise<DuePage> {
    const alarms: DueAlarm[] = [];
    const stale: [number, number][] = [];
    const start = after === undefined ? [0, 0] : afterKey(after);
    const end = [Math.floor(now / BUCKET_MS) + 1, 0];
    let last: [number, number] | undefined;
    let looked = 0;

    this.#read(() => {
      for (const { key, value } of this.#tables.alarms.getRange({ start, end })) {
        const lines = value.split('\n').map(parseAlarm);
        const awaited = lines.filter((alarm) => this.#isAwaited(alarm));
        if (awaited.length === 0) stale.push(key);
        alarms.push(...awaited);
        looked += lines.length;
        if (looked >= limit) {
          last = key;
          break;
        }
      }
    });

    if (stale.length > 0) await this.#writer.run({ type: 'drop-alarms', keys: stale });
    return { alarms, next: last === undefined ? undefined : `${last[0]} ${last[1]}` };
  }

  async alarms(after: string | undefined, limit: number): Promise<DuePage> {
    const alarms: DueAlarm[] = [];
    let last: [number, number] | undefined;
    const start = after === undefined ? [0, 0] : afterKey(after);
    this.#read(() => {
      for (const { key, value } of this.#tables.alarms.getRange({ start })) {
        for (const line of value.split('\n')) alarms.push(parseAlarm(line));
        if (alarms.length < limit) continue;
        last = key;
        break;
      }
    });
    return { alarms, next: last === undefined ? undefined : `${last[0]} ${last[1]}` };
  }

  /** Whether the stream's alarm is still this one: it was not replaced or taken away since. */
  #isAwaited({ stream, dueAt }: DueAlarm): boolean {
    return readMark(this.#tables.heads, stream)?.alarmAt === dueAt;
  }

  readonly logs = 1;

  async log(_which: number, from: number, limit: number): Promise<LogPage> {
    const events: LoggedEvent[] = [];
    let next = from;
    this.#read(() => {
      for (const { key, value } of this.#tables.log.getRange({ start: from + 1 })) {
        if (value !== '') events.push(...value.split('\n').map(unpackedLine));
        next = key;
        if (events.length >= limit) break;
      }
    });
    return { events, next };
  }

  async trim(): Promise<void> {
    this.#read(() => {}); // `forget` keeps it short
  }

  async forget(
    _which: number,
    { from, upTo }: Stretch,
    limit: number,
    verdict: (event: LoggedEvent) => Verdict,
  ): Promise<number> {
    const rows: ShorterRow[] = [];
    let next = from;
    let looked = 0;
    this.#read(() => {
      for (const { key: row, value } of this.#tables.log.getRange({ start: from + 1, end: upTo + 1 })) {
        const lines = value === '' ? [] : value.split('\n');
        const verdicts = lines.map((line) => verdict(unpackedLine(line)));
        if (verdicts.includes('not-yet')) break;
        const text = lines.filter((_, at) => verdicts[at] === 'keep').join('\n');
        if (text !== value || value === '') rows.push({ row, text });
        next = row;
        looked += lines.length;
        if (looked >= limit) break;
      }
    });
    if (rows.length > 0) await this.#writer.run({ type: 'shorten-log', rows });
    return next;
  }
}

function afterKey(cursor: string): [number, number] {
  const [bucket, commit] = cursor.split(' ');
  return [Number(bucket), Number(commit) + 1];
}

function parseAlarm(line: string): DueAlarm {
  const space = line.indexOf(' ');
  return { stream: line.slice(0, space), dueAt: Number(line.slice(space + 1)) };
}
