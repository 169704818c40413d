/**
 * Heads over Redis, of streams and of entities: reading them, and moving them by one together with their index entries.
 *
 * The move is one step in the head's slot (`moves.ts`). Unique keys lie in other slots and are taken before it (`unique.ts`);
 * lists lie in other slots and follow after it (`outbox.ts`), but for a server without slots, which changes them with it.
 */
import { NO_ENTRIES } from '../../journal/index-changes.ts';
import type { Head, IndexChanges, IndexEntries } from '../../journal/journal.ts';
import { StoreUnavailable } from '../store.ts';
import type { Connection } from './connection.ts';
import { parseDetails, parseHead } from './head.ts';
import { checkKeys, fits, isEntity, type Keys } from './keys.ts';
import { Moves, type Outcome, type Written } from './moves.ts';
import type { Outbox } from './outbox.ts';
import { entryOf, pairs } from './tasks.ts';
import type { UniqueKeys } from './unique.ts';

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
  readonly #moves: Moves;

  constructor(redis: Connection, keys: Keys, unique: UniqueKeys, outbox: Outbox) {
    this.#redis = redis;
    this.#keys = keys;
    this.#unique = unique;
    this.#outbox = outbox;
    this.#moves = new Moves(redis, keys);
  }

  async load(name: string): Promise<Head> {
    if (!fits(name)) return { sequence: 0, state: undefined };
    const partition = this.#keys.partitionOf(name);
    const key = partition.head(name);
    const keys = isEntity(name) ? [key] : [key, partition.details(name)];
    const [head, details] = await this.#redis.read(keys);
    if (head === undefined) return { sequence: 0, state: undefined };
    return details === undefined ? parseHead(head) : { ...parseHead(head), details: parseDetails(details) };
  }

  async move(move: Move): Promise<Moved> {
    checkKeys(move.name, move.index);
    const { index } = move;
    if (index === undefined) {
      const [result] = await this.#write(move, undefined);
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

    const written = { attempt, take: changesText(take), release: changesText(release) };
    const [result, ...freed] = await this.#write(move, written);
    if (result !== 'moved') {
      await giveBack();
      return result === 'fenced' ? 'fenced' : CONFLICT;
    }
    const partition = this.#keys.partitionOf(name);
    const isListed = this.#moves.changesLists;
    const members = isListed ? [] : [...take.members, ...release.members].map(entryOf);
    if (members.length > 0 || freed.length > 0) {
      const task = { partition, name, field: `${name} ${expected + 1}`, members, freed: pairs(freed) };
      await this.#outbox.follow(task, isListed ? NO_ENTRIES : take, isListed ? NO_ENTRIES : release);
    }
    return MOVED;
  }

  #write({ name, ...move }: Move, index: Written['index']): Promise<Outcome> {
    return this.#moves.move({ ...move, name, partition: this.#keys.partitionOf(name), index });
  }
}

function changesText({ unique, members }: IndexEntries): string {
  return JSON.stringify({ k: unique, m: members.map(entryOf) });
}
