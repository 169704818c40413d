/**
 * Moves of heads on their way to Redis: those of one turn of the event loop are one script, as far as they lie in one slot.
 * Each of them is accepted or refused by itself, whatever becomes of the others.
 */
import type { Connection, Reply } from './connection.ts';
import { Gathered } from './gathered.ts';
import type { Keys, Partition } from './keys.ts';
import { MOVE } from './scripts.ts';

/** A script keeps everybody else waiting: a move takes 5 to 20 µs of Redis. */
const MOVES_MAX = 64;
/** Characters of what is written by one script. */
const SIZE_MAX = 128 * 1024;

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
}

/** What it changes in the indexes: what it takes and what it lets go of, as JSON. */
export interface IndexText {
  readonly attempt: string;
  readonly take: string;
  readonly release: string;
}

interface Written {
  readonly move: Move;
  readonly partition: Partition;
  readonly index: IndexText | undefined;
}

/** What became of it: `conflict`, `fenced`, or `moved` and the unique keys that were let go of, each with its attempt. */
export type Outcome = readonly [result: string, ...freed: readonly string[]];

export class Moves {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #lists: string;
  /** By slot; one for all where a script may touch several. */
  readonly #gathered = new Map<string, Gathered<Written, Outcome>>();

  constructor(redis: Connection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#lists = redis.spansSlots ? keys.list('') : '';
  }

  /** Whether the script changes lists itself, so that nothing of them is left to do. */
  get changesLists(): boolean {
    return this.#lists !== '';
  }

  /** @param index undefined where nothing changes there. Rejects with `StoreUnavailable`. */
  move(move: Move, index: IndexText | undefined): Promise<Outcome> {
    const partition = this.#keys.partitionOf(move.name);
    return this.#redis.guard(() => this.#slotOf(partition).add({ move, partition, index }));
  }

  #slotOf(partition: Partition): Gathered<Written, Outcome> {
    const slot = this.#redis.spansSlots ? '' : partition.log;
    const known = this.#gathered.get(slot);
    if (known !== undefined) return known;
    const gathered = new Gathered({
      perform: (moves: readonly Written[]) => this.#perform(moves),
      entriesMax: MOVES_MAX,
      sizeMax: SIZE_MAX,
      sizeOf: ({ move: { event, state, details } }: Written) =>
        (event?.length ?? 0) + (state?.length ?? 0) + (details?.length ?? 0),
    });
    this.#gathered.set(slot, gathered);
    return gathered;
  }

  async #perform(moves: readonly Written[]): Promise<readonly (Outcome | Error)[]> {
    const keys: string[] = [];
    const args = [this.#lists];
    for (const written of moves) write(written, keys, args);
    const reply = await this.#redis.carryOut(MOVE, keys, args);
    return Array.isArray(reply) ? reply.map(outcomeOf) : [];
  }
}

/** Adds a move's keys and arguments to those of a script, in the order in which `MOVE` takes them. */
function write({ move, partition, index }: Written, keys: string[], args: string[]): void {
  const { name, expected, event, state, details, alarmAt } = move;
  const following = String(expected + 1);
  keys.push(partition.head(name), partition.details(name), partition.alarms, partition.log);
  args.push(
    String(expected),
    following,
    name,
    event === undefined ? '' : `${name} ${following} ${event}`,
    alarmAt === null ? '-' : String(alarmAt),
    state === undefined ? '0' : '1',
    state ?? '',
    details ?? '',
    index?.attempt ?? '',
  );
  if (index === undefined) return;
  keys.push(partition.outbox, partition.fence(index.attempt));
  args.push(index.take, index.release);
}

function outcomeOf(reply: Reply): Outcome | Error {
  const [result = '', ...more] = Array.isArray(reply) ? reply.map(String) : [String(reply)];
  return result === 'error' ? new Error(more[0]) : [result, ...more];
}
