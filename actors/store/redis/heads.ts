/**
 * Heads over Redis, of streams and of entities: reading them, and moving them by one together with their index entries.
 *
 * The move is one script in the head's slot. Unique keys lie in other slots and are taken before it (`unique.ts`);
 * lists lie in other slots and follow after it (`outbox.ts`).
 */
import type { Head, IndexChanges } from '../../journal/journal.ts';
import { StoreUnavailable } from '../store.ts';
import { type Connection, texts } from './connection.ts';
import { parseDetails, parseHead } from './head.ts';
import { checkKeys, fits, isEntity, type Keys } from './keys.ts';
import type { Outbox } from './outbox.ts';
import { APPEND, COMMIT } from './scripts.ts';
import { entryOf, pairs } from './tasks.ts';
import { textOf, type UniqueKeys } from './unique.ts';

/** How often a move is begun anew when its attempts are called off: a slow process must end somewhere. */
const ATTEMPTS_MAX = 5;

const CONFLICT: Moved = { type: 'conflict' };
const MOVED: Moved = { type: 'moved' };

/** An append or a commit. */
export interface Move {
  /** Of the stream or entity. */
  readonly name: string;
  readonly expected: number;
  /** Undefined for an entity, which has no log. */
  readonly event: string | undefined;
  /** Undefined removes the head. */
  readonly state: string | undefined;
  /** Undefined leaves them as they are. */
  readonly details: string | undefined;
  readonly alarmAt: number | null;
  readonly index: IndexChanges | undefined;
}

export type Moved =
  | { readonly type: 'moved' }
  | { readonly type: 'conflict' }
  | { readonly type: 'taken'; readonly key: string };

export class Heads {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #unique: UniqueKeys;
  readonly #outbox: Outbox;

  constructor(redis: Connection, keys: Keys, unique: UniqueKeys, outbox: Outbox) {
    this.#redis = redis;
    this.#keys = keys;
    this.#unique = unique;
    this.#outbox = outbox;
  }

  async load(name: string): Promise<Head> {
    if (!fits(name)) return { sequence: 0, state: undefined };
    const partition = this.#keys.partitionOf(name);
    const key = partition.head(name);
    const keys = isEntity(name) ? [key] : [key, partition.details(name)];
    const reply = await this.#redis.send(key, ['MGET', ...keys]);
    const [head, details] = Array.isArray(reply) ? reply.map(textOf) : [];
    if (head === undefined) return { sequence: 0, state: undefined };
    return details === undefined ? parseHead(head) : { ...parseHead(head), details: parseDetails(details) };
  }

  async move(move: Move): Promise<Moved> {
    checkKeys(move.name, move.index);
    const { index } = move;
    if (index === undefined) {
      const { result } = await this.#write(move, []);
      return result === 'moved' ? MOVED : CONFLICT;
    }
    for (let n = 0; n < ATTEMPTS_MAX; n += 1) {
      const result = await this.#attempt(move, index);
      if (result !== 'fenced') return result;
    }
    throw new StoreUnavailable(this.#redis.name, 'too slow: others have called every attempt off');
  }

  /** Takes the unique keys, moves the head, does what is left in other slots. */
  async #attempt(move: Move, { take, release }: IndexChanges): Promise<Moved | 'fenced'> {
    const { name, expected } = move;
    const attempt = this.#unique.newAttempt();
    const taken: string[] = [];
    const giveBack = () => Promise.all(taken.map((key) => this.#unique.putBack(key, name, attempt)));

    // One after the other and always in the same order, so that nobody waits in a circle.
    for (const key of [...new Set(take.unique)].sort()) {
      const acquired = await this.#unique.take(key, name, attempt);
      if (acquired.type === 'held') {
        await giveBack();
        const stale = (await this.#unique.mark(name)).sequence !== String(expected);
        return stale ? CONFLICT : { type: 'taken', key };
      }
      taken.push(key);
    }

    const changes = [take, release].map(({ unique, members }) =>
      JSON.stringify({ k: unique, m: members.map(entryOf) }),
    );
    const { result, freed } = await this.#write(move, [attempt, ...changes]);
    if (result !== 'moved') {
      await giveBack();
      return result === 'fenced' ? 'fenced' : CONFLICT;
    }
    const partition = this.#keys.partitionOf(name);
    const members = [...take.members, ...release.members].map(entryOf);
    if (members.length > 0 || freed.length > 0) {
      const task = { partition, name, field: `${name} ${expected + 1}`, members, freed: pairs(freed) };
      await this.#outbox.follow(task, take, release);
    }
    return MOVED;
  }

  async #write(move: Move, index: readonly string[]): Promise<{ result: string; freed: string[] }> {
    const { name, expected, event, state, details, alarmAt } = move;
    const partition = this.#keys.partitionOf(name);
    const { alarms, log, outbox } = partition;
    const [attempt] = index;
    const keys = [partition.head(name), alarms, log, outbox, partition.details(name)];
    if (attempt !== undefined) keys.push(partition.fence(attempt));
    const args = [
      String(expected),
      String(expected + 1),
      name,
      event ?? '',
      alarmAt === null ? '-' : String(alarmAt),
      state === undefined ? '0' : '1',
      state ?? '',
      details ?? '',
      ...index,
    ];
    const reply = await this.#redis.script(event === undefined ? COMMIT : APPEND, keys, args);
    const [result, freed = []] = Array.isArray(reply) ? reply : [];
    return { result: String(result), freed: texts(freed) };
  }
}
