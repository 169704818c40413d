/**
 * Unique keys over several slots.
 *
 * A key's value says who has it: `c<holder>` who claimed it for good, `s<attempt> <stream>` the stream that took it, or
 * is about to, under an attempt of its own name. A stream's claim is good only by its head: the append writes into the
 * head which keys the stream holds. So an append takes its keys first and is then one atomic step in the stream's slot.
 *
 * Whoever finds a key with a stream whose head does not hold it waits a moment, since mostly that append is under
 * way. If nothing becomes of it, its process has died, or is slow. Then the attempt is called off, in the slot
 * of that stream and atomically against its append: either the head holds the key by then, or that append can not
 * happen any more. Only after that is the key taken over, by compare-and-set. Hence, whatever crashes or sleeps where:
 *
 *   an attempt that can still append has its name on the key
 *
 * and two heads never hold one key. No clock decides anything here; the waiting only spares lively attempts.
 */
import { randomBytes } from 'node:crypto';
import { StoreUnavailable } from '../store.ts';
import type { Connection, Reply } from './connection.ts';
import { type Mark, parseHeld } from './head.ts';
import { fits, type Keys } from './keys.ts';
import { FENCE, MARK, SWAP } from './scripts.ts';

/** How long an append under way is waited for before its attempt is called off. */
const PATIENCE_MS = 300;
const FIRST_LOOK_MS = 2;
const LAST_LOOK_MS = 50;
/** When a key changes hands all the time, somebody else must give the answer. */
const LOOKS_MAX = 100;
/** For so long an attempt that was called off can not append. Longer than any command can be on its way. */
const FENCE_MS = 24 * 3_600_000;

/** Keys of which it is remembered that they are held, about 200 bytes each. */
const SEEN_MAX = 20_000;

type Value =
  | { readonly type: 'claimed'; readonly holder: string }
  | { readonly type: 'taken'; readonly attempt: string; readonly stream: string };

/** Who wants a key, and what its value will be. */
interface Wish {
  readonly value: string;
  /** The stream that wants it; undefined where a holder claims it for good. */
  readonly stream: string | undefined;
}

export type Acquired = { readonly type: 'ours' } | { readonly type: 'held'; readonly holder: string };

const OURS: Acquired = { type: 'ours' };

export class UniqueKeys {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #self = randomBytes(9).toString('base64url');
  /** Keys that were held under these attempts. Once they are not, their values go, by the outbox if need be. */
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
   * Who holds a key. A stream only if its head says so: a name that a node left on a key when it died would be in the
   * way of everybody who asks who has the key, until somebody wants it. Looked at once for each time a key is taken.
   */
  async lookup(key: string): Promise<string | undefined> {
    const text = await this.#get(key);
    if (text === undefined) return undefined;
    const value = parseValue(text);
    if (value.type === 'claimed') return value.holder;
    const taking = `${value.attempt} ${key}`;
    if (this.#seen.has(taking)) return value.stream;
    const attempt = (await this.mark(value.stream)).held.keys.get(key);
    if (attempt === value.attempt) this.#remember(taking);
    return attempt === undefined ? undefined : value.stream;
  }

  #remember(taking: string): void {
    const [oldest] = this.#seen;
    if (this.#seen.size >= SEEN_MAX && oldest !== undefined) this.#seen.delete(oldest);
    this.#seen.add(taking);
  }

  async claim(key: string, holder: string): Promise<string> {
    const acquired = await this.#acquire(key, { value: `c${holder}`, stream: undefined });
    return acquired.type === 'ours' ? holder : acquired.holder;
  }

  release(key: string, holder: string): Promise<boolean> {
    return this.#swap(key, `c${holder}`, undefined);
  }

  /** Puts an attempt's name on a key, unless another one really holds it. */
  take(key: string, stream: string, attempt: string): Promise<Acquired> {
    return this.#acquire(key, { value: takenValue(attempt, stream), stream });
  }

  /** Takes an attempt's name off a key that its stream let go of. */
  async drop(key: string, stream: string, attempt: string): Promise<void> {
    await this.#swap(key, takenValue(attempt, stream), undefined);
  }

  /** After an append that did not happen: the key is again what the stream's head says. */
  async putBack(key: string, stream: string, attempt: string): Promise<void> {
    const before = (await this.mark(stream)).held.keys.get(key);
    const value = before === undefined ? undefined : takenValue(before, stream);
    await this.#swap(key, takenValue(attempt, stream), value);
  }

  /** What a stream's head says now. */
  async mark(stream: string): Promise<Mark> {
    const head = this.#keys.partitionOf(stream).head(stream);
    const reply = await this.#redis.script(MARK, [head], []);
    const [sequence, held] = Array.isArray(reply) ? reply : [];
    return { sequence: String(sequence), held: parseHeld(String(held)) };
  }

  async #acquire(key: string, { value, stream }: Wish): Promise<Acquired> {
    let watched: string | undefined;
    let watchedFrom = 0;
    let pause = FIRST_LOOK_MS;
    for (let look = 0; look < LOOKS_MAX; look += 1) {
      const found = await this.#setIfFree(key, value);
      if (found === undefined || found === value) return OURS;
      const other = parseValue(found);
      if (other.type === 'claimed') return { type: 'held', holder: other.holder };

      const own = other.stream === stream;
      const attempt = (await this.mark(other.stream)).held.keys.get(key);
      if (attempt !== undefined && !own) return { type: 'held', holder: other.stream };
      if (attempt === other.attempt) {
        if (await this.#swap(key, found, value)) return OURS; // the stream's own already, taken anew
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
        (await this.#callOff(key, other.stream, other.attempt, own)) &&
        (await this.#swap(key, found, value))
      )
        return OURS;
    }
    throw new StoreUnavailable(this.#redis.name, 'a unique key changes hands all the time');
  }

  /** Resolves to whether the attempt can not append any more. */
  async #callOff(key: string, stream: string, attempt: string, own: boolean): Promise<boolean> {
    const partition = this.#keys.partitionOf(stream);
    const keys = [partition.head(stream), partition.fence(attempt)];
    return (await this.#redis.script(FENCE, keys, [key, attempt, own ? '1' : '0', String(FENCE_MS)])) === 0;
  }

  async #get(key: string): Promise<string | undefined> {
    if (!fits(key)) return undefined;
    const name = this.#keys.unique(key);
    return textOf(await this.#redis.send(name, ['GET', name]));
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

function takenValue(attempt: string, stream: string): string {
  return `s${attempt} ${stream}`;
}

function parseValue(text: string): Value {
  if (!text.startsWith('s')) return { type: 'claimed', holder: text.slice(1) };
  const space = text.indexOf(' ');
  return { type: 'taken', attempt: text.slice(1, space), stream: text.slice(space + 1) };
}

/** A reply that is a text or nothing. */
export function textOf(reply: Reply): string | undefined {
  return reply === null ? undefined : String(reply);
}
