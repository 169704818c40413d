/**
 * The embedded store: LMDB in a folder, one process or several on one machine.
 *
 * Every write goes through one group commit (`group-commit.ts`): what comes in while a transaction is being flushed
 * is the next transaction, and nobody hears of success before the flush. Conditions are checked inside the write
 * transaction, which LMDB gives to one process at a time, so they hold between processes too.
 *
 * What an append costs is keys, so one device costs one key, its head, and the rest is packed per commit:
 *
 *   heads    stream                 -> "<sequence> <alarmAt|-> <state>"
 *   log      number of the commit   -> one line per event: "<stream> <sequence> <event>"
 *   alarms   [bucket, commit]       -> one line per alarm: "<stream> <dueAt>"; stale ones are dropped on arrival
 *   holders  unique key             -> who holds it
 *   lists    "<list>\0<member>"     -> ""
 *   counts   list                   -> how many members
 *   records  key                    -> text (Keyv's)
 *   meta     "format", "owner"      -> format of all this; who has the folder open
 */
import { type Database, open, type RootDatabase } from 'lmdb';
import type {
  Append,
  AppendResult,
  DueAlarm,
  DuePage,
  Head,
  Journal,
  ListMember,
  LoggedEvent,
  LogPage,
} from '../journal/journal.ts';
import { GroupCommit } from './group-commit.ts';
import { RecordsAdapter, type TextTable } from './records.ts';
import type { Index, PageQuery, Store } from './store.ts';

/** Alarms of the same tenth of a second lie together; they are due when it is over. */
const BUCKET_MS = 100;
/** LMDB takes 1,978 bytes with its page size of 4,096; some are left for what encoding a text as a key may add. */
const KEY_BYTES_MAX = 1_950;
/** lmdb counts what it skips and returns in 32 bits, and wraps round. */
const COUNT_MAX = 2 ** 31 - 1;
const FORMAT = '1';

export interface LmdbSettings {
  /** The folder; made if it is not there. */
  readonly path: string;
  /** Who we are and how to tell whether another owner still lives; without it nobody is kept out. */
  readonly owner?: StoreOwner;
}

/** Keeps a second server out of a folder that is in use. */
export interface StoreOwner {
  /** Names this process in a way that no other process, before or after a restart of the machine, shares. */
  readonly self: string;
  isAlive(other: string): boolean;
}

/** Another live process has the folder open. */
export class StoreInUse extends Error {
  readonly owner: string;
  constructor(path: string, owner: string) {
    super(`the data folder ${path} is in use by another process (${owner})`);
    this.name = 'StoreInUse';
    this.owner = owner;
  }
}

/** Opens the store. Throws `StoreInUse`, or an error when the folder can not be used or holds an unknown format. */
export function openLmdbStore({ path, owner }: LmdbSettings): Store {
  const name = `lmdb:${path}`;
  // Without `overlappingSync: false` a write would resolve before it is flushed.
  const env = open<string, string>({
    path,
    overlappingSync: false,
    maxDbs: 16,
    encoding: 'string',
    cache: false,
    // The group commit below batches already; and lmdb's own batches hold promises that nobody hears, so that a full
    // disk would end the process by an unhandled rejection.
    eventTurnBatching: false,
  });
  const tables = openTables(env);
  try {
    claimFolder(tables.meta, path, owner);
  } catch (error) {
    void env.close();
    throw error;
  }

  const commits = new GroupCommit<Transaction>(
    name,
    (work) => transact(env, work),
    () => new Transaction(tables),
  );
  const read: Read = (work) =>
    commits.read(() => {
      // lmdb keeps a snapshot for a while; what another process committed meanwhile would not be seen.
      env.resetReadTxn();
      return work();
    });
  const table = recordsTable(tables, commits, read);
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    await commits.close();
    if (owner !== undefined) letGoOfFolder(tables.meta, owner);
    await env.close();
  }

  return {
    name,
    journal: new LmdbJournal(tables, commits, read),
    index: new LmdbIndex(tables, commits, read),
    get records() {
      return new RecordsAdapter(table);
    },
    check: () => commits.run((transaction) => transaction.touch()),
    close: () => (closing ??= close()),
  };
}

type Tables = ReturnType<typeof openTables>;
type Commits = GroupCommit<Transaction>;
/** Reads the newest that any process has committed. */
type Read = <Result>(work: () => Result) => Result;

/** Runs `work` in a write transaction of its own, and flushes it. */
async function transact(env: RootDatabase<string, string>, work: () => void): Promise<void> {
  try {
    await env.childTransaction(work); // a child, because only those are undone as a whole when `work` throws
  } catch (error) {
    throw await reasonOf(error);
  }
}

/**
 * Why a commit failed. lmdb tells it in a promise on the error, which rejects by itself: unheard, it would end the
 * process.
 */
async function reasonOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error)) return error;
  const told = Promise.resolve(error.commitError).then(
    () => error,
    (reason: unknown) => reason,
  );
  return Promise.race([told, new Promise((resolve) => setImmediate(resolve, error))]);
}

function openTables(env: RootDatabase<string, string>) {
  const text = { encoding: 'string', cache: false } as const;
  const heads: Database<string, string> = env.openDB('heads', text);
  const log: Database<string, number> = env.openDB('log', text);
  const alarms: Database<string, [number, number]> = env.openDB('alarms', text);
  const holders: Database<string, string> = env.openDB('holders', text);
  const lists: Database<string, Buffer> = env.openDB('lists', { ...text, keyEncoding: 'binary' });
  const counts: Database<string, string> = env.openDB('counts', text);
  const records: Database<string, string> = env.openDB('records', text);
  const meta: Database<string, string> = env.openDB('meta', text);
  return { heads, log, alarms, holders, lists, counts, records, meta };
}

/** Checks the format and takes the folder, in one write transaction: of two starters exactly one gets it. */
function claimFolder(meta: Database<string, string>, path: string, owner: StoreOwner | undefined): void {
  meta.transactionSync(() => {
    const format = meta.get('format');
    if (format !== undefined && format !== FORMAT) {
      throw new Error(`the data folder ${path} has format ${format}; this version of claimd knows ${FORMAT}`);
    }
    if (format === undefined) meta.put('format', FORMAT);
    if (owner === undefined) return;
    const other = meta.get('owner');
    if (other !== undefined && other !== owner.self && owner.isAlive(other))
      throw new StoreInUse(path, other);
    meta.put('owner', owner.self);
  });
}

/** Gives the folder free, unless somebody has taken it over meanwhile. */
function letGoOfFolder(meta: Database<string, string>, { self }: StoreOwner): void {
  meta.transactionSync(() => {
    if (meta.get('owner') === self) meta.remove('owner');
  });
}

// ------------------------------------------------------------------------------------------------ one transaction

/** The writes of one commit: those of each device go to its own key, the rest is gathered and written at the end. */
class Transaction {
  readonly #tables: Tables;
  readonly #events: string[] = [];
  readonly #alarms = new Map<number, string[]>();
  readonly #counts = new Map<string, number>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  append(entry: Append): AppendResult {
    const { stream, expected, event, state, alarmAt, index } = entry;
    const { heads, holders } = this.#tables;
    const before = readMark(heads, stream);
    if ((before?.sequence ?? 0) !== expected) return { type: 'conflict' };

    for (const key of index?.take.unique ?? []) {
      const holder = holders.get(key);
      if (holder !== undefined && holder !== stream) return { type: 'taken', key };
    }
    for (const key of index?.release.unique ?? []) this.release(key, stream);
    for (const key of index?.take.unique ?? []) holders.put(key, stream);
    for (const member of index?.release.members ?? []) this.leave(member);
    for (const member of index?.take.members ?? []) this.enter(member);

    const sequence = expected + 1;
    if (state === undefined) heads.remove(stream);
    else heads.put(stream, `${sequence} ${alarmAt ?? '-'} ${state}`);
    this.#events.push(`${stream} ${sequence} ${event}`);
    if (alarmAt !== null && alarmAt !== before?.alarmAt) this.#alarm(stream, alarmAt);
    return { type: 'appended' };
  }

  #alarm(stream: string, dueAt: number): void {
    const bucket = Math.ceil(dueAt / BUCKET_MS);
    const line = `${stream} ${dueAt}`;
    const lines = this.#alarms.get(bucket);
    if (lines === undefined) this.#alarms.set(bucket, [line]);
    else lines.push(line);
  }

  claim(key: string, holder: string): string {
    const held = this.#tables.holders.get(key);
    if (held !== undefined) return held;
    this.#tables.holders.put(key, holder);
    return holder;
  }

  release(key: string, holder: string): boolean {
    if (this.#tables.holders.get(key) !== holder) return false;
    this.#tables.holders.remove(key);
    return true;
  }

  enter({ list, member }: ListMember): void {
    const key = listKey(list, member);
    if (this.#tables.lists.doesExist(key)) return;
    this.#tables.lists.put(key, '');
    this.#counts.set(list, (this.#counts.get(list) ?? 0) + 1);
  }

  leave({ list, member }: ListMember): void {
    const key = listKey(list, member);
    if (!this.#tables.lists.doesExist(key)) return;
    this.#tables.lists.remove(key);
    this.#counts.set(list, (this.#counts.get(list) ?? 0) - 1);
  }

  /** Drops a record of alarms of which none is awaited any more. */
  dropAlarms(key: [number, number]): void {
    this.#tables.alarms.remove(key);
  }

  setRecord(key: string, text: string): void {
    this.#tables.records.put(key, text);
  }

  deleteRecord(key: string): boolean {
    const there = this.#tables.records.doesExist(key);
    if (there) this.#tables.records.remove(key);
    return there;
  }

  clearRecords(prefix: string): void {
    for (const key of keysWith(this.#tables.records, prefix)) this.#tables.records.remove(key);
  }

  /** A write that means nothing, to see whether writing works. */
  touch(): void {
    this.#tables.meta.put('checked', '');
  }

  /** Writes what was gathered. The last thing that happens in the transaction. */
  finish(): void {
    const { log, alarms, counts } = this.#tables;
    if (this.#events.length > 0) {
      const [last = 0] = log.getKeys({ reverse: true, limit: 1 });
      const commit = last + 1;
      log.put(commit, this.#events.join('\n'));
      for (const [bucket, lines] of this.#alarms) alarms.put([bucket, commit], lines.join('\n'));
    }
    for (const [list, change] of this.#counts) {
      const count = Number(counts.get(list) ?? 0) + change;
      if (count === 0) counts.remove(list);
      else counts.put(list, String(count));
    }
  }
}

// -------------------------------------------------------------------------------------------------------- journal

function parseHead(text: string): Head {
  const first = text.indexOf(' ');
  const second = text.indexOf(' ', first + 1);
  return { sequence: Number(text.slice(0, first)), state: text.slice(second + 1) };
}

/** What stands in front of a head's state. */
interface Mark {
  readonly sequence: number;
  readonly alarmAt: number | null;
}

const SPACE = 0x20;
const DASH = 0x2d;

/** Reads the front of a head off its first bytes. An append needs no more, and decoding all of it costs more than that. */
function readMark(heads: Tables['heads'], stream: string): Mark | undefined {
  const bytes = heads.getBinaryFast(stream);
  if (bytes === undefined) return undefined;
  const first = bytes.indexOf(SPACE);
  const alarm = bytes[first + 1] === DASH ? null : numberAt(bytes, first + 1);
  return { sequence: numberAt(bytes, 0), alarmAt: alarm };
}

/** The whole number whose digits begin at `from` and end before a space. */
function numberAt(bytes: Buffer, from: number): number {
  let value = 0;
  for (let at = from; bytes[at] !== SPACE; at += 1) value = value * 10 + ((bytes[at] ?? 0) - 0x30);
  return value;
}

class LmdbJournal implements Journal {
  readonly #tables: Tables;
  readonly #commits: Commits;
  readonly #read: Read;

  constructor(tables: Tables, commits: Commits, read: Read) {
    this.#tables = tables;
    this.#commits = commits;
    this.#read = read;
  }

  async load(stream: string): Promise<Head> {
    if (!fits(stream)) return { sequence: 0, state: undefined };
    const head = this.#read(() => this.#tables.heads.get(stream));
    return head === undefined ? { sequence: 0, state: undefined } : parseHead(head);
  }

  async append(entry: Append): Promise<AppendResult> {
    checkKeys(entry);
    return this.#commits.run((transaction) => transaction.append(entry));
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

    if (stale.length > 0) {
      await this.#commits.run((transaction) => {
        for (const key of stale) transaction.dropAlarms(key);
      });
    }
    return { alarms, next: last === undefined ? undefined : `${last[0]} ${last[1]}` };
  }

  /** Whether the stream's alarm is still this one: it was not replaced or taken away since. */
  #isAwaited({ stream, dueAt }: DueAlarm): boolean {
    return readMark(this.#tables.heads, stream)?.alarmAt === dueAt;
  }

  async log(from: number, limit: number): Promise<LogPage> {
    const events: LoggedEvent[] = [];
    let next = from;
    this.#read(() => {
      for (const { key, value } of this.#tables.log.getRange({ start: from + 1 })) {
        events.push(...value.split('\n').map(parseLogged));
        next = key;
        if (events.length >= limit) break;
      }
    });
    return { events, next };
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

function parseLogged(line: string): LoggedEvent {
  const first = line.indexOf(' ');
  const second = line.indexOf(' ', first + 1);
  return {
    stream: line.slice(0, first),
    sequence: Number(line.slice(first + 1, second)),
    event: line.slice(second + 1),
  };
}

/** LMDB refuses long keys in the middle of a transaction; better to say so before anybody else's write is in it. */
function checkKeys({ stream, index }: Append): void {
  checkKey(stream);
  for (const { unique, members } of index === undefined ? [] : [index.take, index.release]) {
    unique.forEach(checkKey);
    for (const { list, member } of members) checkKey(`${list}\0${member}`);
  }
}

/** Throws for a key that can not be written. */
function checkKey(key: string): void {
  if (!fits(key)) throw new RangeError(`a key of the store may have ${KEY_BYTES_MAX} bytes`);
}

/** Whether LMDB can hold a key. Under one that does not fit there is nothing to be found. */
function fits(key: string): boolean {
  return key.length * 3 <= KEY_BYTES_MAX || Buffer.byteLength(key) <= KEY_BYTES_MAX;
}

// ---------------------------------------------------------------------------------------------------------- index

class LmdbIndex implements Index {
  readonly #tables: Tables;
  readonly #commits: Commits;
  readonly #read: Read;

  constructor(tables: Tables, commits: Commits, read: Read) {
    this.#tables = tables;
    this.#commits = commits;
    this.#read = read;
  }

  async lookup(key: string): Promise<string | undefined> {
    if (!fits(key)) return undefined;
    return this.#read(() => this.#tables.holders.get(key));
  }

  async claim(key: string, holder: string): Promise<string> {
    checkKey(key);
    return this.#commits.run((transaction) => transaction.claim(key, holder));
  }

  async release(key: string, holder: string): Promise<boolean> {
    if (!fits(key)) return false;
    return this.#commits.run((transaction) => transaction.release(key, holder));
  }

  async add(list: string, member: string): Promise<void> {
    checkKey(`${list}\0${member}`);
    return this.#commits.run((transaction) => transaction.enter({ list, member }));
  }

  async remove(list: string, member: string): Promise<void> {
    if (!fits(`${list}\0${member}`)) return;
    return this.#commits.run((transaction) => transaction.leave({ list, member }));
  }

  async page(list: string, query: PageQuery): Promise<readonly string[]> {
    const { offset, limit, descending = false, prefix = '', after } = query;
    const first = listKey(list, prefix);
    if (offset > COUNT_MAX || first.length > KEY_BYTES_MAX) return [];
    const beyond = Buffer.concat([first, Buffer.of(0xff)]); // a byte that UTF-8 never has
    const edge = descending ? beyond : first;
    const behind = after === undefined ? edge : listKey(list, after).subarray(0, KEY_BYTES_MAX);
    const order = behind.compare(edge) * (descending ? -1 : 1);
    const range = {
      start: order < 0 ? edge : behind,
      exclusiveStart: after !== undefined && order >= 0,
      end: descending ? first : beyond,
      inclusiveEnd: descending,
      reverse: descending,
    };
    const window = { offset, limit: Math.min(limit, COUNT_MAX) };
    const skip = Buffer.byteLength(list) + 1;
    return this.#read(() =>
      [...this.#tables.lists.getKeys({ ...range, ...window })].map((key) => key.toString('utf8', skip)),
    );
  }

  async count(list: string): Promise<number> {
    return this.#read(() => Number(this.#tables.counts.get(list) ?? 0));
  }
}

function listKey(list: string, member: string): Buffer {
  return Buffer.from(`${list}\0${member}`);
}

// -------------------------------------------------------------------------------------------------------- records

function recordsTable({ records }: Tables, commits: Commits, read: Read): TextTable {
  return {
    get: async (key) => (fits(key) ? read(() => records.get(key)) : undefined),
    set: async (key, text) => {
      checkKey(key);
      return commits.run((transaction) => transaction.setRecord(key, text));
    },
    delete: async (key) => fits(key) && commits.run((transaction) => transaction.deleteRecord(key)),
    clear: (prefix) => commits.run((transaction) => transaction.clearRecords(prefix)),
    async *keys(prefix) {
      yield* read(() => keysWith(records, prefix));
    },
  };
}

/** The keys that begin with a prefix. */
function keysWith(records: Database<string, string>, prefix: string): string[] {
  const found: string[] = [];
  for (const key of records.getKeys({ start: prefix })) {
    if (!key.startsWith(prefix)) break;
    found.push(key);
  }
  return found;
}
