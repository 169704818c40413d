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
import { checkKeys, fits, isEntity, type Keys, type Partition } from './keys.ts';
import { type Move, Moves } from './moves.ts';
import type { Outbox } from './outbox.ts';
import { entryOf, pairs } from './tasks.ts';
import type { UniqueKeys } from './unique.ts';

/** How often a move is begun anew when its attempts are called off: a slow process must end somewhere. */
const ATTEMPTS_MAX = 5;

/** Each has two keys, and its details may be long. */
const STREAMS_PER_READ = 64;

const CONFLICT: Moved = { type: 'conflict' };
const MOVED: Moved = { type: 'moved' };

/** An append or a commit, and what it changes in the indexes. */
export interface IndexedMove extends Move {
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
    return headOf(head, details);
  }

  /** Streams of one partition share a command, up to a bound; without slots all do (`Connection.read`). */
  async loadStreams(names: readonly string[], part?: 'state'): Promise<readonly Head[]> {
    const found: Head[] = names.map(() => headOf(undefined, undefined));
    const parts = new Map<Partition, number[]>();
    for (const [place, name] of names.entries()) {
      if (!fits(name)) continue;
      const partition = this.#keys.partitionOf(name);
      const places = parts.get(partition) ?? [];
      parts.set(partition, places);
      places.push(place);
    }
    const read = async (partition: Partition, places: readonly number[]) => {
      const keys = places.flatMap((place) => {
        const name = names[place] ?? '';
        return part === 'state' ? [partition.head(name)] : [partition.head(name), partition.details(name)];
      });
      const texts = await this.#redis.read(keys);
      for (const [nth, place] of places.entries())
        found[place] =
          part === 'state' ? headOf(texts[nth], undefined) : headOf(texts[2 * nth], texts[2 * nth + 1]);
    };
    const steps: Promise<void>[] = [];
    for (const [partition, places] of parts)
      for (let at = 0; at < places.length; at += STREAMS_PER_READ)
        steps.push(read(partition, places.slice(at, at + STREAMS_PER_READ)));
    await Promise.all(steps);
    return found;
  }

  async move(move: IndexedMove): Promise<Moved> {
    checkKeys(move.name, move.index);
    const { index } = move;
    if (index === undefined) {
      const [result] = await this.#moves.move(move, undefined);
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
    const [result, ...freed] = await this.#moves.move(move, written);
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
}

function headOf(head: string | undefined, details: string | undefined): Head {
  if (head === undefined) return { sequence: 0, state: undefined };
  return details === undefined ? parseHead(head) : { ...parseHead(head), details: parseDetails(details) };
}

function changesText({ unique, members }: IndexEntries): string {
  return JSON.stringify({ k: unique, m: members.map(entryOf) });
}
