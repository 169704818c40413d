/** Unique keys and ordered lists over Redis, as the port `Index` of `../store.ts`. */
import type { CountQuery, Index, PageQuery } from '../store.ts';
import { type Argument, type Connection, texts } from './connection.ts';
import { checkKey, fits, type Keys } from './keys.ts';
import type { Outbox } from './outbox.ts';
import type { UniqueKeys } from './unique.ts';

/** Redis counts in 64 bits, but a list never has more. */
const COUNT_MAX = 2 ** 32;

export class RedisIndex implements Index {
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

  lookup(key: string): Promise<string | undefined> {
    return this.#unique.lookup(key);
  }

  async add(list: string, member: string): Promise<void> {
    checkKey(`${list}\0${member}`);
    return this.#outbox.add(list, member);
  }

  async remove(list: string, member: string): Promise<void> {
    if (fits(`${list}\0${member}`)) return this.#outbox.remove(list, member);
  }

  async page(list: string, query: PageQuery): Promise<readonly string[]> {
    const { offset, limit, descending = false, prefix = '', after } = query;
    if (offset > COUNT_MAX || limit <= 0) return [];
    const [first, beyond] = edgesOf(prefix);
    const order = after === undefined ? 0 : Buffer.from(after).compare(Buffer.from(prefix));
    const inside = after?.startsWith(prefix) === true;
    let low: Argument = first;
    let high: Argument = beyond;
    if (after !== undefined && !descending && (inside || order > 0)) low = `(${after}`;
    if (after !== undefined && descending && (inside || order < 0)) high = `(${after}`;
    const edges = descending ? [high, low, 'BYLEX', 'REV'] : [low, high, 'BYLEX'];
    const window = ['LIMIT', String(offset), String(Math.min(limit, COUNT_MAX))];
    const name = this.#keys.list(list);
    return texts(await this.#redis.send(name, ['ZRANGE', name, ...edges, ...window]));
  }

  async count(list: string, { prefix = '', atMost = COUNT_MAX }: CountQuery = {}): Promise<number> {
    const name = this.#keys.list(list);
    const command = prefix === '' ? ['ZCARD', name] : ['ZLEXCOUNT', name, ...edgesOf(prefix)];
    return Math.min(Number(await this.#redis.send(name, command)), atMost);
  }
}

/** The range of the members that begin with a prefix: they are UTF-8, which never has the byte 0xff. */
function edgesOf(prefix: string): readonly [Argument, Argument] {
  return [`[${prefix}`, Buffer.concat([Buffer.from(`(${prefix}`), Buffer.of(0xff)])];
}
