/**
 * What a move of a head (an append or a commit) leaves to be done in other slots: entering and leaving lists, taking
 * its name off unique keys.
 *
 * The move writes it as a task beside the head, atomically with it. Whoever moved the head does the task before it
 * answers, so that lists show what was acknowledged, and takes the task out; if it cannot, any process may do it later.
 * A task names entries, not changes: each is brought to what the head says. And it is taken out only if the head is
 * still the one that was looked at. So when the tasks of two moves overtake each other, the earlier one sees the later
 * one's head and puts things right.
 *
 * Tasks of other processes are left alone for a while, as their owners may be at it. Those found at the start are done
 * at once, but stay.
 */

import type { Log } from '../../base/log.ts';
import type { IndexEntries, ListMember } from '../../journal/journal.ts';
import { type Connection, texts } from './connection.ts';
import type { Keys, Partition } from './keys.ts';
import { FINISH } from './scripts.ts';
import type { UniqueKeys } from './unique.ts';

/** Sweeps for tasks of others, within the time for which a task is its owner's. */
const SWEEPS = 4;
/** Tasks read in one step of a sweep. */
const PAGE = 100;
/** How often a task is done again while its head goes on moving, before it is left to the next sweep. */
const TRIES = 20;

interface Task {
  readonly partition: Partition;
  /** Of the stream or entity whose head was moved. */
  readonly name: string;
  /** The task's field in the outbox: `<name> <sequence>`. */
  readonly field: string;
  /** Entries, as `list\0member`. */
  readonly members: readonly string[];
  /** Keys that were let go of, each with the attempt under which it had been taken. */
  readonly freed: readonly (readonly [key: string, attempt: string])[];
}

export interface Outbox {
  /** Does a new task. Resolves when lists show it, or when that must wait. */
  follow(task: Task, take: IndexEntries, release: IndexEntries): Promise<void>;
  add(list: string, member: string): Promise<void>;
  remove(list: string, member: string): Promise<void>;
  /** Looks for what others have left behind, from now on. */
  start(): void;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

/** @param orphanMs for so long a task that is found is its owner's */
export function createOutbox(
  redis: Connection,
  keys: Keys,
  unique: UniqueKeys,
  orphanMs: number,
  log: Log,
): Outbox {
  const underWay = new Set<Promise<unknown>>();
  /** Tasks seen in the last sweep, by partition and field, and since when. */
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

  const drop = ({ name, freed }: Task) => freed.map(([key, attempt]) => unique.drop(key, name, attempt));

  /** Takes a task out if the head is still at `sequence`. */
  async function finish({ partition, name, field }: Task, sequence: string): Promise<boolean> {
    return (await redis.script(FINISH, [partition.head(name), partition.outbox], [sequence, field])) === 1;
  }

  /** Brings all that a task names to what the head says. Resolves to the sequence of that head. */
  async function carryOut(task: Task): Promise<string> {
    const { sequence, held } = await unique.mark(task.name);
    await Promise.all([
      ...task.members.map((entry) => {
        const { list, member } = parseEntry(entry);
        return held.members.has(entry) ? add(list, member) : remove(list, member);
      }),
      ...drop(task),
    ]);
    return sequence;
  }

  async function complete(task: Task): Promise<void> {
    for (let n = 0; n < TRIES; n += 1) {
      if (await finish(task, await carryOut(task))) return;
    }
  }

  async function pageOf(partition: Partition, cursor: string): Promise<{ next: string; tasks: Task[] }> {
    const { outbox } = partition;
    const reply = await redis.send(outbox, ['HSCAN', outbox, cursor, 'COUNT', String(PAGE)]);
    const [next = '0', fields = []] = Array.isArray(reply) ? reply : [];
    const flat = texts(fields);
    const tasks = pairs(flat).map(([field, text]) => parseTask(partition, field, text));
    return { next: String(next), tasks };
  }

  async function sweep(): Promise<void> {
    const now = performance.now();
    const found = new Map<string, number>();
    for (const partition of keys.partitions) {
      let cursor = '0';
      do {
        const { next, tasks } = await pageOf(partition, cursor);
        cursor = next;
        for (const task of tasks) {
          if (stopped) return;
          const id = `${partition.outbox} ${task.field}`;
          const since = seen.get(id) ?? now;
          if (now - since >= orphanMs) await complete(task);
          else found.set(id, since);
        }
      } while (cursor !== '0');
    }
    seen = found;
  }

  /**
   * Carries a task out and leaves it there. What is done late, while its owner and others go on, undoes their work; so
   * it is done again until the head is still the one that was looked at.
   */
  async function anticipate(task: Task): Promise<void> {
    for (let n = 0; n < TRIES; n += 1) {
      const sequence = await carryOut(task);
      if ((await unique.mark(task.name)).sequence === sequence) return;
    }
  }

  /** Carries out the tasks that are there now and leaves them, as their owners may be at it. */
  async function repair(): Promise<void> {
    for (const partition of keys.partitions) {
      let cursor = '0';
      do {
        const { next, tasks } = await pageOf(partition, cursor);
        cursor = next;
        if (stopped) return;
        await Promise.all(tasks.map(anticipate));
      } while (cursor !== '0');
    }
  }

  function failed(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (!stopped) log.debug({ why }, 'index changes left behind could not be finished; trying again');
  }

  return {
    async follow(task, take, release) {
      const sequence = task.field.slice(task.name.length + 1);
      const work = Promise.all([
        ...release.members
          .filter((member) => !take.members.some((taken) => entryOf(taken) === entryOf(member)))
          .map(({ list, member }) => remove(list, member)),
        ...take.members.map(({ list, member }) => add(list, member)),
        ...drop(task),
      ]);
      try {
        await track(work);
      } catch {
        return; // the move is durable all the same; the task stays for a sweep
      }
      track(finish(task, sequence).then((done) => (done ? undefined : complete(task)))).catch(() => {});
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

/** How a membership is written in heads and tasks. */
export function entryOf({ list, member }: ListMember): string {
  return `${list}\0${member}`;
}

function parseEntry(entry: string): ListMember {
  const end = entry.indexOf('\0');
  return { list: entry.slice(0, end), member: entry.slice(end + 1) };
}

function parseTask(partition: Partition, field: string, text: string): Task {
  const { k, m }: { k: string[]; m: string[] } = JSON.parse(text);
  return { partition, name: field.slice(0, field.lastIndexOf(' ')), field, members: m, freed: pairs(k) };
}

/** `[a, b, c, d]` as `[[a, b], [c, d]]`. */
export function pairs(flat: readonly string[]): (readonly [string, string])[] {
  return flat.flatMap((first, n) => (n % 2 === 0 ? [[first, flat[n + 1] ?? ''] as const] : []));
}
