/** Tasks of the outbox (`outbox.ts`): reading them, doing them, removing them. */
import type { ListMember } from '../../journal/journal.ts';
import { type Connection, texts } from './connection.ts';
import type { Keys, Partition } from './keys.ts';
import { FINISH } from './scripts.ts';
import type { UniqueKeys } from './unique.ts';

/** Tasks read in one step. */
const PAGE = 100;
/** How often a task is done again while its head goes on moving, before it is left to the next sweep. */
const TRIES = 20;

export interface Task {
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

export class Tasks {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #unique: UniqueKeys;

  constructor(redis: Connection, keys: Keys, unique: UniqueKeys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#unique = unique;
  }

  /** All tasks of a partition, page by page. */
  async *pages(partition: Partition): AsyncGenerator<readonly Task[]> {
    const { outbox } = partition;
    let cursor = '0';
    do {
      const reply = await this.#redis.send(outbox, ['HSCAN', outbox, cursor, 'COUNT', String(PAGE)]);
      const [next = '0', fields = []] = Array.isArray(reply) ? reply : [];
      cursor = String(next);
      yield pairs(texts(fields)).map(([field, text]) => parseTask(partition, field, text));
    } while (cursor !== '0');
  }

  async add(list: string, member: string): Promise<void> {
    const name = this.#keys.list(list);
    await this.#redis.send(name, ['ZADD', name, '0', member]);
  }

  async remove(list: string, member: string): Promise<void> {
    const name = this.#keys.list(list);
    await this.#redis.send(name, ['ZREM', name, member]);
  }

  /** Takes its names off the keys that a head let go of. */
  async dropKeys({ name, freed }: Task): Promise<void> {
    await Promise.all(freed.map(([key, attempt]) => this.#unique.drop(key, name, attempt)));
  }

  /** Takes a task out if the head is still at `sequence`. */
  async finish({ partition, name, field }: Task, sequence: string): Promise<boolean> {
    const keys = [partition.head(name), partition.outbox];
    return (await this.#redis.script(FINISH, keys, [sequence, field])) === 1;
  }

  /** Does a task and takes it out; again while the head moves. */
  async complete(task: Task): Promise<void> {
    for (let n = 0; n < TRIES; n += 1) {
      if (await this.finish(task, await this.#carryOut(task))) return;
    }
  }

  /**
   * Does a task and leaves it there. What is done late, while its owner and others go on, undoes their work; so it is done
   * again until the head is still the one that was looked at.
   */
  async anticipate(task: Task): Promise<void> {
    for (let n = 0; n < TRIES; n += 1) {
      const sequence = await this.#carryOut(task);
      if ((await this.#unique.mark(task.name)).sequence === sequence) return;
    }
  }

  /** Brings all that a task names to what the head says. Resolves to the sequence of that head. */
  async #carryOut(task: Task): Promise<string> {
    const { sequence, held } = await this.#unique.mark(task.name);
    await Promise.all([
      ...task.members.map((entry) => {
        const { list, member } = parseEntry(entry);
        return held.members.has(entry) ? this.add(list, member) : this.remove(list, member);
      }),
      this.dropKeys(task),
    ]);
    return sequence;
  }
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
