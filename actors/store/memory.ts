/**
 * A store that forgets everything when the process ends: for tests and for trying things out (`STORE_URL=memory:`).
 * It keeps every promise of the contract but durability, and does it in the plainest way: the other stores are
 * compared with this one.
 */
import type {
  Append,
  AppendResult,
  DuePage,
  Head,
  Journal,
  ListMember,
  LogPage,
} from '../journal/journal.ts';
import { RecordsAdapter, type TextTable } from './records.ts';
import type { Index, PageQuery, Store } from './store.ts';

interface Stream {
  readonly sequence: number;
  readonly state: string;
  readonly alarmAt: number | null;
}

export function createMemoryStore(): Store {
  const index = new MemoryIndex();
  return {
    name: 'memory',
    journal: new MemoryJournal(index),
    index,
    records: new RecordsAdapter(memoryTable()),
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

class MemoryJournal implements Journal {
  readonly #streams = new Map<string, Stream>();
  readonly #log: { stream: string; sequence: number; event: string }[] = [];
  readonly #index: MemoryIndex;

  constructor(index: MemoryIndex) {
    this.#index = index;
  }

  async load(stream: string): Promise<Head> {
    const head = this.#streams.get(stream);
    return { sequence: head?.sequence ?? 0, state: head?.state };
  }

  async append(entry: Append): Promise<AppendResult> {
    const { stream, expected, event, state, alarmAt, index } = entry;
    if ((this.#streams.get(stream)?.sequence ?? 0) !== expected) return { type: 'conflict' };

    for (const key of index?.take.unique ?? []) {
      const holder = this.#index.holder(key);
      if (holder !== undefined && holder !== stream) return { type: 'taken', key };
    }
    for (const key of index?.release.unique ?? []) this.#index.drop(key, stream);
    for (const key of index?.take.unique ?? []) this.#index.take(key, stream);
    for (const member of index?.release.members ?? []) this.#index.leave(member);
    for (const member of index?.take.members ?? []) this.#index.enter(member);

    const sequence = expected + 1;
    if (state === undefined) this.#streams.delete(stream);
    else this.#streams.set(stream, { sequence, state, alarmAt });
    this.#log.push({ stream, sequence, event });
    return { type: 'appended' };
  }

  async due(now: number, _after: string | undefined, limit: number): Promise<DuePage> {
    const alarms = [...this.#streams]
      .flatMap(([stream, { alarmAt }]) =>
        alarmAt !== null && alarmAt <= now ? [{ stream, dueAt: alarmAt }] : [],
      )
      .sort((a, b) => a.dueAt - b.dueAt);
    const from = Number(_after ?? 0);
    const next = from + limit < alarms.length ? String(from + limit) : undefined;
    return { alarms: alarms.slice(from, from + limit), next };
  }

  async log(from: number, limit: number): Promise<LogPage> {
    const events = this.#log.slice(from, from + limit);
    return { events, next: from + events.length };
  }
}

class MemoryIndex implements Index {
  readonly #holders = new Map<string, string>();
  readonly #lists = new Map<string, string[]>();

  holder(key: string): string | undefined {
    return this.#holders.get(key);
  }

  take(key: string, holder: string): void {
    this.#holders.set(key, holder);
  }

  drop(key: string, holder: string): boolean {
    return this.#holders.get(key) === holder && this.#holders.delete(key);
  }

  enter({ list, member }: ListMember): void {
    const members = this.#lists.get(list) ?? [];
    this.#lists.set(list, members);
    const place = placeOf(members, member);
    if (members[place] !== member) members.splice(place, 0, member);
  }

  leave({ list, member }: ListMember): void {
    const members = this.#lists.get(list) ?? [];
    const place = placeOf(members, member);
    if (members[place] === member) members.splice(place, 1);
  }

  async lookup(key: string): Promise<string | undefined> {
    return this.holder(key);
  }

  async claim(key: string, holder: string): Promise<string> {
    const held = this.holder(key);
    if (held !== undefined) return held;
    this.take(key, holder);
    return holder;
  }

  async release(key: string, holder: string): Promise<boolean> {
    return this.drop(key, holder);
  }

  async add(list: string, member: string): Promise<void> {
    this.enter({ list, member });
  }

  async remove(list: string, member: string): Promise<void> {
    this.leave({ list, member });
  }

  async page(list: string, query: PageQuery): Promise<readonly string[]> {
    const { offset, limit, descending = false, prefix = '' } = query;
    const members = (this.#lists.get(list) ?? []).filter((member) => member.startsWith(prefix));
    if (descending) members.reverse();
    return members.slice(offset, offset + limit);
  }

  async count(list: string): Promise<number> {
    return this.#lists.get(list)?.length ?? 0;
  }
}

/** Where a member stands, or would have to stand, in the order of UTF-8 bytes. */
function placeOf(members: readonly string[], member: string): number {
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

function memoryTable(): TextTable {
  const texts = new Map<string, string>();
  const keysFrom = (prefix: string) => [...texts.keys()].filter((key) => key.startsWith(prefix));
  return {
    get: async (key) => texts.get(key),
    set: async (key, text) => {
      texts.set(key, text);
    },
    delete: async (key) => texts.delete(key),
    clear: async (prefix) => {
      for (const key of keysFrom(prefix)) texts.delete(key);
    },
    async *keys(prefix) {
      yield* keysFrom(prefix);
    },
  };
}
