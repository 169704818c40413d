/**
 * Unique keys over several slots.
 *
 * The value of a key is `s<attempt> <holder>`: the stream or entity that took it, or is about to, under an attempt of
 * its own name. It counts only if the holder's head agrees: a head says which keys it holds and under which attempts.
 * So a move (an append or a commit) takes its keys first and is then one atomic step in the head's slot.
 *
 * Whoever finds a key with a holder whose head does not hold it waits a moment, since mostly that move is under way.
 * If nothing comes of it, its process has died or is slow. Then the attempt is called off, in the slot of that head
 * and atomically against the move: either the head holds the key by then, or that move cannot happen any more. Only
 * after that is the key taken over, by compare-and-swap. Hence, whatever crashes or sleeps where:
 *
 *   an attempt that can still move its head has its name on the key
 *
 * and two heads never hold one key. No clock decides anything here; the waiting only spares attempts that are alive.
 */
import { randomBytes } from 'node:crypto';
import { StoreUnavailable } from '../store.ts';
import { type Connection, textOf } from './connection.ts';
import { type Mark, parseMark } from './head.ts';
import { fits, type Keys } from './keys.ts';
import { FENCE, SWAP } from './scripts.ts';

/** How long a move under way is waited for before its attempt is called off. */
const PATIENCE_MS = 300;
const FIRST_LOOK_MS = 2;
const LAST_LOOK_MS = 50;
/** A key that changes hands all the time is given up after so many looks. */
const LOOKS_MAX = 100;
/** For so long an attempt that was called off cannot move its head. Longer than any command can be on its way. */
const FENCE_MS = 24 * 3_600_000;

/** Keys known to be held; about 200 bytes each. */
const SEEN_MAX = 20_000;

/** What is on a key. */
interface Value {
  readonly attempt: string;
  readonly holder: string;
}

export type Acquired = { readonly type: 'ours' } | { readonly type: 'held'; readonly holder: string };

const OURS: Acquired = { type: 'ours' };

export class UniqueKeys {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #self = randomBytes(9).toString('base64url');
  /** Attempts and keys of which a head agreed. When it lets go of the key, its value goes too, by the outbox if need be. */
  readonly #seen = new Set<string>();
  #attempts = 0;

  constructor(redis: Connection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** A name that no attempt of any process has had. */
  newAttempt(): string {
    this.#attempts += 1;
    return `${this.#self}.${this.#attempts.toString(36)}`;
  }

  /**
   * Who holds a key, if its head agrees: a node that died may have left a name on a key. The head is looked at once for
   * each time a key is taken.
   */
  async lookup(key: string): Promise<string | undefined> {
    const text = await this.#get(key);
    if (text === undefined) return undefined;
    const { attempt, holder } = parseValue(text);
    const taking = `${attempt} ${key}`;
    if (this.#seen.has(taking)) return holder;
    const held = (await this.mark(holder)).held.keys.get(key);
    if (held === attempt) this.#remember(taking);
    return held === undefined ? undefined : holder;
  }

  #remember(taking: string): void {
    const [oldest] = this.#seen;
    if (this.#seen.size >= SEEN_MAX && oldest !== undefined) this.#seen.delete(oldest);
    this.#seen.add(taking);
  }

  /** Takes an attempt's name off a key that its holder let go of. */
  async drop(key: string, holder: string, attempt: string): Promise<void> {
    await this.#swap(key, takenValue(attempt, holder), undefined);
  }

  /** After a move that did not happen: the key is again what the head says. */
  async putBack(key: string, holder: string, attempt: string): Promise<void> {
    const before = (await this.mark(holder)).held.keys.get(key);
    const value = before === undefined ? undefined : takenValue(before, holder);
    await this.#swap(key, takenValue(attempt, holder), value);
  }

  /** What the head of a stream or entity says now. */
  async mark(name: string): Promise<Mark> {
    const head = this.#keys.partitionOf(name).head(name);
    const [text] = await this.#redis.read([head]);
    return parseMark(text);
  }

  /** Puts an attempt's name on a key, unless another one really holds it. */
  async take(key: string, holder: string, attempt: string): Promise<Acquired> {
    const value = takenValue(attempt, holder);
    let watched: string | undefined;
    let watchedFrom = 0;
    let pause = FIRST_LOOK_MS;
    for (let look = 0; look < LOOKS_MAX; look += 1) {
      const found = await this.#setIfFree(key, value);
      if (found === undefined || found === value) return OURS;
      const other = parseValue(found);
      const own = other.holder === holder;
      const held = (await this.mark(other.holder)).held.keys.get(key);
      if (held !== undefined && !own) return { type: 'held', holder: other.holder };
      if (held === other.attempt) {
        if (await this.#swap(key, found, value)) return OURS; // its own already, taken anew
        continue;
      }
      if (found !== watched) {
        watched = found;
        watchedFrom = performance.now();
        pause = FIRST_LOOK_MS;
      }
      if (performance.now() - watchedFrom < PATIENCE_MS) {
        await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
        pause = Math.min(pause * 2, LAST_LOOK_MS);
        continue;
      }
      if (
        (await this.#callOff(key, other.holder, other.attempt, own)) &&
        (await this.#swap(key, found, value))
      )
        return OURS;
    }
    throw new StoreUnavailable(this.#redis.name, 'a unique key changes hands all the time');
  }

  /** Resolves to whether the attempt cannot move its head any more. */
  async #callOff(key: string, holder: string, attempt: string, own: boolean): Promise<boolean> {
    const partition = this.#keys.partitionOf(holder);
    const keys = [partition.head(holder), partition.fence(attempt)];
    return (await this.#redis.script(FENCE, keys, [key, attempt, own ? '1' : '0', String(FENCE_MS)])) === 0;
  }

  async #get(key: string): Promise<string | undefined> {
    if (!fits(key)) return undefined;
    const [text] = await this.#redis.read([this.#keys.unique(key)]);
    return text;
  }

  /** Writes where nothing is; resolves to what is there otherwise. */
  async #setIfFree(key: string, value: string): Promise<string | undefined> {
    const name = this.#keys.unique(key);
    return textOf(await this.#redis.send(name, ['SET', name, value, 'NX', 'GET']));
  }

  async #swap(key: string, expected: string, next: string | undefined): Promise<boolean> {
    const args = ['1', expected, next === undefined ? '0' : '1', next ?? ''];
    return (await this.#redis.script(SWAP, [this.#keys.unique(key)], args)) === 1;
  }
}

function takenValue(attempt: string, holder: string): string {
  return `s${attempt} ${holder}`;
}

function parseValue(text: string): Value {
  const space = text.indexOf(' ');
  return { attempt: text.slice(1, space), holder: text.slice(space + 1) };
}
