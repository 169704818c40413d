/**
 * What an append leaves to be done in other slots: entering and leaving lists, letting go of unique keys.
 *
 * The append writes it as a row beside the head, atomically with it. Who appended works it off before it answers, so
 * that lists show what was acknowledged, and takes the row out; if it can not, the row is there for any process. A row
 * names entries, not changes: each is brought to what the head says. And it is taken out only if the head is still
 * the one that was looked at; so of two appends whose work overtakes each other on the way, the earlier one sees
 * the later one's head and puts things right.
 *
 * Rows of other processes are left alone for a while, for their owners may be at it. Only those found at the start are
 * worked off at once, and stay.
 */

import type { Log } from '../../base/log.ts';
import type { IndexEntries, ListMember } from '../../journal/journal.ts';
import { type Connection, texts } from './connection.ts';
import type { Keys, Partition } from './keys.ts';
import { FINISH } from './scripts.ts';
import type { UniqueKeys } from './unique.ts';

/** How often rows of others are looked for in the time for which they are theirs. */
const SWEEPS = 4;
/** Rows looked at in one step of a sweep. */
const PAGE = 100;
/** How often a row is worked off while its stream goes on changing, before it is left to the next sweep. */
const TRIES = 20;

export interface Row {
  readonly partition: Partition;
  readonly stream: string;
  /** Its field in the outbox: `<stream> <sequence>`. */
  readonly name: string;
  /** Entries, as `list\0member`. */
  readonly members: readonly string[];
  /** Keys that were let go of, each with the attempt under which it had been taken. */
  readonly freed: readonly (readonly [key: string, attempt: string])[];
}

export interface Outbox {
  /** Does what an append asks for, the first time. Resolves when lists show it, or when that must wait. */
  follow(row: Row, take: IndexEntries, release: IndexEntries): Promise<void>;
  add(list: string, member: string): Promise<void>;
  remove(list: string, member: string): Promise<void>;
  /** Looks for what others have left behind, from now on. */
  start(): void;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

/** @param orphanMs for so long a row that is found is its owner's */
export function createOutbox(
  redis: Connection,
  keys: Keys,
  unique: UniqueKeys,
  orphanMs: number,
  log: Log,
): Outbox {
  const underWay = new Set<Promise<unknown>>();
  /** Rows seen in the last sweep, by partition and name, and since when. */
  let seen = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function track<Result>(work: Promise<Result>): Promise<Result> {
    underWay.add(work);
    const over = () => underWay.delete(work);
    work.then(over, over);
    return work;
  }

  async function add(list: string, member: string): Promise<void> {
    const name = keys.list(list);
    await redis.send(name, ['ZADD', name, '0', member]);
  }

  async function remove(list: string, member: string): Promise<void> {
    const name = keys.list(list);
    await redis.send(name, ['ZREM', name, member]);
  }

  const drop = ({ stream, freed }: Row) => freed.map(([key, attempt]) => unique.drop(key, stream, attempt));

  /** Takes a row out if the stream's head is still at `sequence`. */
  async function finish({ partition, stream, name }: Row, sequence: string): Promise<boolean> {
    return (await redis.script(FINISH, [partition.head(stream), partition.outbox], [sequence, name])) === 1;
  }

  /** Brings all that a row names to what the head says. Resolves to the sequence of that head. */
  async function workOff(row: Row): Promise<string> {
    const { sequence, held } = await unique.mark(row.stream);
    await Promise.all([
      ...row.members.map((entry) => {
        const { list, member } = parseEntry(entry);
        return held.members.has(entry) ? add(list, member) : remove(list, member);
      }),
      ...drop(row),
    ]);
    return sequence;
  }

  async function settle(row: Row): Promise<void> {
    for (let n = 0; n < TRIES; n += 1) {
      if (await finish(row, await workOff(row))) return;
    }
  }

  async function pageOf(partition: Partition, cursor: string): Promise<{ next: string; rows: Row[] }> {
    const { outbox } = partition;
    const reply = await redis.send(outbox, ['HSCAN', outbox, cursor, 'COUNT', String(PAGE)]);
    const [next = '0', fields = []] = Array.isArray(reply) ? reply : [];
    const flat = texts(fields);
    const rows = flat.flatMap((name, n) =>
      n % 2 === 0 ? [parseRow(partition, name, flat[n + 1] ?? '{}')] : [],
    );
    return { next: String(next), rows };
  }

  async function sweep(): Promise<void> {
    const now = performance.now();
    const found = new Map<string, number>();
    for (const partition of keys.partitions) {
      let cursor = '0';
      do {
        const { next, rows } = await pageOf(partition, cursor);
        cursor = next;
        for (const row of rows) {
          if (stopped) return;
          const id = `${partition.outbox} ${row.name}`;
          const since = seen.get(id) ?? now;
          if (now - since >= orphanMs) await settle(row);
          else found.set(id, since);
        }
      } while (cursor !== '0');
    }
    seen = found;
  }

  /**
   * Works a row off and leaves it there. What was done late, while its owner and others went on, undoes theirs: so until
   * the head is still the one that was looked at, it is done again.
   */
  async function anticipate(row: Row): Promise<void> {
    for (let n = 0; n < TRIES; n += 1) {
      const sequence = await workOff(row);
      if ((await unique.mark(row.stream)).sequence === sequence) return;
    }
  }

  /** Works off what is there now, without taking it out: owners may be at it. */
  async function repair(): Promise<void> {
    for (const partition of keys.partitions) {
      let cursor = '0';
      do {
        const { next, rows } = await pageOf(partition, cursor);
        cursor = next;
        if (stopped) return;
        await Promise.all(rows.map(anticipate));
      } while (cursor !== '0');
    }
  }

  function failed(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (!stopped) log.debug({ why }, 'index changes left behind could not be finished; trying again');
  }

  return {
    async follow(row, take, release) {
      const sequence = row.name.slice(row.stream.length + 1);
      const work = Promise.all([
        ...release.members
          .filter((member) => !take.members.some((taken) => entryOf(taken) === entryOf(member)))
          .map(({ list, member }) => remove(list, member)),
        ...take.members.map(({ list, member }) => add(list, member)),
        ...drop(row),
      ]);
      try {
        await track(work);
      } catch {
        return; // the append is durable all the same; the row stays for a sweep
      }
      track(finish(row, sequence).then((done) => (done ? undefined : settle(row)))).catch(() => {});
    },

    add,
    remove,

    start() {
      const next = () => {
        timer = setTimeout(() => track(sweep()).catch(failed).finally(next), orphanMs / SWEEPS);
        timer.unref();
        if (stopped) clearTimeout(timer);
      };
      track(repair()).catch(failed).finally(next);
    },

    async stop() {
      stopped = true;
      clearTimeout(timer);
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}

/** How a membership is written in heads and rows. */
export function entryOf({ list, member }: ListMember): string {
  return `${list}\0${member}`;
}

function parseEntry(entry: string): ListMember {
  const end = entry.indexOf('\0');
  return { list: entry.slice(0, end), member: entry.slice(end + 1) };
}

function parseRow(partition: Partition, name: string, text: string): Row {
  const { k, m }: { k: string[]; m: string[] } = JSON.parse(text);
  const stream = name.slice(0, name.lastIndexOf(' '));
  return { partition, stream, name, members: m, freed: pairs(k) };
}

/** `[a, b, c, d]` as `[[a, b], [c, d]]`. */
export function pairs(flat: readonly string[]): (readonly [string, string])[] {
  return flat.flatMap((first, n) => (n % 2 === 0 ? [[first, flat[n + 1] ?? ''] as const] : []));
}
