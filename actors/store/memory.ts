/**
 * A store that loses everything when the process ends: for tests and for trying things out (`STORE_URL=memory:`). It keeps
 * every promise of the contract but durability, in the plainest way; the others are compared with it.
 */
import type {
  Append,
  AppendResult,
  DueAlarm,
  DuePage,
  Head,
  IndexChanges,
  Journal,
  ListMember,
  LoggedEvent,
  LogPage,
  Stretch,
  Verdict,
} from '../journal/journal.ts';
import { RecordsAdapter, type TextTable } from './records.ts';
import {
  type Commit,
  type CommitResult,
  type CountQuery,
  checkStreamName,
  type Entities,
  type EntityName,
  type Index,
  type PageQuery,
  type Store,
  StoreUnavailable,
  type Version,
} from './store.ts';

interface Stream {
  readonly sequence: number;
  readonly state: string;
  readonly details: string | undefined;
  /** The number of the append that wrote them. */
  readonly detailsFrom: number | undefined;
  readonly alarmAt: number | null;
}

function detailsAfter(
  before: Stream | undefined,
  { details }: Append,
  sequence: number,
): Pick<Stream, 'details' | 'detailsFrom'> {
  return details === undefined
    ? { details: before?.details, detailsFrom: before?.detailsFrom }
    : { details, detailsFrom: sequence };
}

interface Entity {
  readonly version: number;
  readonly text: string;
}

export function createMemoryStore(): Store {
  const gate = new Gate();
  const index = new MemoryIndex(gate);
  const table = memoryTable(gate);
  return {
    name: 'memory',
    journal: new MemoryJournal(index, gate),
    entities: new MemoryEntities(index, gate),
    index,
    get records() {
      return new RecordsAdapter(table);
    },
    shared: false,
    swap: table.swap,
    check: async () => gate.pass(),
    close: async () => gate.close(),
  };
}

/** What every use passes through, until the store is closed. */
class Gate {
  #closed = false;

  pass(): void {
    if (this.#closed) throw new StoreUnavailable('memory', 'closed');
  }

  close(): void {
    this.#closed = true;
  }
}

class MemoryJournal implements Journal {
  readonly #streams = new Map<string, Stream>();
  #log: { readonly position: number; readonly logged: LoggedEvent }[] = [];
  #appended = 0;
  readonly #index: MemoryIndex;
  readonly #gate: Gate;

  constructor(index: MemoryIndex, gate: Gate) {
    this.#index = index;
    this.#gate = gate;
  }

  async load(stream: string): Promise<Head> {
    return this.#headOf(stream);
  }

  async loadMany(streams: readonly string[], part?: 'state'): Promise<readonly Head[]> {
    return streams.map((stream) => {
      const { sequence, state, ...rest } = this.#headOf(stream);
      return { sequence, state, ...(part === 'state' ? {} : rest) };
    });
  }

  #headOf(stream: string): Head {
    this.#gate.pass();
    const { sequence = 0, state, details } = this.#streams.get(stream) ?? {};
    return details === undefined ? { sequence, state } : { sequence, state, details };
  }

  sequenceOf(stream: string): number {
    this.#gate.pass();
    return this.#streams.get(stream)?.sequence ?? 0;
  }

  detailsFrom(stream: string): number | undefined {
    this.#gate.pass();
    return this.#streams.get(stream)?.detailsFrom;
  }

  async append(entry: Append): Promise<AppendResult> {
    this.#gate.pass();
    const { stream, expected, event, state, alarmAt, index } = entry;
    checkStreamName(stream);
    const before = this.#streams.get(stream);
    if ((before?.sequence ?? 0) !== expected) return { type: 'conflict' };
    const taken = this.#index.change(stream, index);
    if (taken !== undefined) return { type: 'taken', key: taken };

    const sequence = expected + 1;
    if (state === undefined) this.#streams.delete(stream);
    else this.#streams.set(stream, { sequence, state, ...detailsAfter(before, entry, sequence), alarmAt });
    this.#appended += 1;
    this.#log.push({ position: this.#appended, logged: { stream, sequence, event } });
    return { type: 'appended' };
  }

  async due(now: number, after: string | undefined, limit: number): Promise<DuePage> {
    this.#gate.pass();
    const [afterAt, afterStream = ''] = after?.split(' ') ?? [];
    const seen = ({ dueAt, stream }: DueAlarm) =>
      dueAt < Number(afterAt) || (dueAt === Number(afterAt) && stream <= afterStream);
    const alarms = [...this.#streams]
      .flatMap(([stream, { alarmAt }]) =>
        alarmAt !== null && alarmAt <= now ? [{ stream, dueAt: alarmAt }] : [],
      )
      .filter((alarm) => !seen(alarm))
      .sort((a, b) => a.dueAt - b.dueAt || (a.stream < b.stream ? -1 : 1));
    const page = alarms.slice(0, limit);
    const last = page.at(-1);
    const complete = page.length === alarms.length || last === undefined;
    return { alarms: page, next: complete ? undefined : `${last.dueAt} ${last.stream}` };
  }

  alarms(after: string | undefined, limit: number): Promise<DuePage> {
    return this.due(Number.MAX_SAFE_INTEGER, after, limit);
  }

  readonly logs = 1;

  async log(_which: number, from: number, limit: number): Promise<LogPage> {
    this.#gate.pass();
    const start = this.#behind(from);
    const page = this.#log.slice(start, start + limit);
    return { events: page.map(({ logged }) => logged), next: page.at(-1)?.position ?? from };
  }

  async trim(): Promise<void> {
    this.#gate.pass(); // `forget` keeps it short
  }

  async forget(
    _which: number,
    { from, upTo }: Stretch,
    limit: number,
    verdict: (event: LoggedEvent) => Verdict,
  ): Promise<number> {
    this.#gate.pass();
    const start = this.#behind(from);
    const forgotten = new Set<number>();
    let next = from;
    for (const { position, logged } of this.#log.slice(start, start + limit)) {
      const decided = position > upTo ? 'not-yet' : verdict(logged);
      if (decided === 'not-yet') break;
      if (decided === 'forget') forgotten.add(position);
      next = position;
    }
    if (forgotten.size > 0) this.#log = this.#log.filter(({ position }) => !forgotten.has(position));
    return next;
  }

  /** Where in the array the events behind a position begin. */
  #behind(position: number): number {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#log[middle]?.position ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

class MemoryEntities implements Entities {
  readonly #entities = new Map<string, Entity>();
  readonly #index: MemoryIndex;
  readonly #gate: Gate;

  constructor(index: MemoryIndex, gate: Gate) {
    this.#index = index;
    this.#gate = gate;
  }

  async load(name: EntityName): Promise<Version> {
    this.#gate.pass();
    return this.#entities.get(name) ?? { version: 0, text: undefined };
  }

  async commit({ name, expected, text, index }: Commit): Promise<CommitResult> {
    this.#gate.pass();
    if ((this.#entities.get(name)?.version ?? 0) !== expected) return { type: 'conflict' };
    const taken = this.#index.change(name, index);
    if (taken !== undefined) return { type: 'taken', key: taken };
    if (text === undefined) this.#entities.delete(name);
    else this.#entities.set(name, { version: expected + 1, text });
    return { type: 'committed' };
  }
}

class MemoryIndex implements Index {
  readonly #holders = new Map<string, string>();
  readonly #lists = new Map<string, string[]>();
  readonly #gate: Gate;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** Makes the changes of one append or commit, or none where a key is taken: then it returns that key. */
  change(holder: string, changes: IndexChanges | undefined): string | undefined {
    if (changes === undefined) return undefined;
    const { take, release } = changes;
    const taken = take.unique.find((key) => (this.#holders.get(key) ?? holder) !== holder);
    if (taken !== undefined) return taken;
    for (const key of release.unique) if (this.#holders.get(key) === holder) this.#holders.delete(key);
    for (const key of take.unique) this.#holders.set(key, holder);
    for (const member of release.members) this.leave(member);
    for (const member of take.members) this.enter(member);
    return undefined;
  }

  enter({ list, member }: ListMember): void {
    const members = this.#lists.get(list) ?? [];
    this.#lists.set(list, members);
    const position = positionOf(members, member);
    if (members[position] !== member) members.splice(position, 0, member);
  }

  leave({ list, member }: ListMember): void {
    const members = this.#lists.get(list) ?? [];
    const position = positionOf(members, member);
    if (members[position] === member) members.splice(position, 1);
  }

  async lookup(key: string): Promise<string | undefined> {
    this.#gate.pass();
    return this.#holders.get(key);
  }

  async add(list: string, member: string): Promise<void> {
    this.#gate.pass();
    this.enter({ list, member });
  }

  async remove(list: string, member: string): Promise<void> {
    this.#gate.pass();
    this.leave({ list, member });
  }

  async page(list: string, query: PageQuery): Promise<readonly string[]> {
    this.#gate.pass();
    const { offset, limit, descending = false, prefix = '', after } = query;
    const members = this.#lists.get(list) ?? [];
    let [from, to] = rangeOf(members, prefix);
    if (after !== undefined) {
      const at = positionOf(members, after);
      if (descending) to = Math.min(to, at);
      else from = Math.max(from, members[at] === after ? at + 1 : at);
    }
    if (!descending) return members.slice(from + offset, Math.min(to, from + offset + limit));
    const top = Math.max(from, to - offset);
    return members.slice(Math.max(from, top - limit), top).reverse();
  }

  async count(
    list: string,
    { prefix = '', atMost = Number.POSITIVE_INFINITY }: CountQuery = {},
  ): Promise<number> {
    this.#gate.pass();
    const members = this.#lists.get(list) ?? [];
    const [from, to] = rangeOf(members, prefix);
    return Math.min(to - from, atMost);
  }
}

/** From where to where members begin with a text. */
function rangeOf(members: readonly string[], prefix: string): readonly [from: number, to: number] {
  if (prefix === '') return [0, members.length];
  const from = positionOf(members, prefix);
  let [low, high] = [from, members.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (members[middle]?.startsWith(prefix)) low = middle + 1;
    else high = middle;
  }
  return [from, low];
}

/** Where a member stands, or would have to stand, in the order of UTF-8 bytes. */
function positionOf(members: readonly string[], member: string): number {
  const bytes = Buffer.from(member);
  let low = 0;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Buffer.from(members[middle] ?? '').compare(bytes) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function memoryTable(gate: Gate): TextTable & Pick<Store, 'swap'> {
  const all = new Map<string, string>();
  const texts = () => {
    gate.pass();
    return all;
  };
  return {
    get: async (key) => texts().get(key),
    set: async (key, text) => {
      texts().set(key, text);
    },
    delete: async (key) => texts().delete(key),
    swap: async (key, expected, next) => {
      if (texts().get(key) !== expected) return false;
      if (next === undefined) texts().delete(key);
      else texts().set(key, next);
      return true;
    },
  };
}
