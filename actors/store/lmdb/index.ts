/** Unique keys and ordered lists over LMDB, as the port `Index` of `../store.ts`. */
import { nextTurn } from '../../base/slices.ts';
import type { CountQuery, Index, PageQuery } from '../store.ts';
import { checkKey, fits, KEY_BYTES_MAX, listKey } from './keys.ts';
import type { Read, Tables } from './tables.ts';
import type { Writer } from './writer.ts';

/** lmdb counts what it skips and returns in 32 bits, which overflow. */
const COUNT_MAX = 2 ** 31 - 1;
/**
 * LMDB goes over what is skipped one by one. So many keys are skipped in one turn of the event loop: a millisecond, and ten where
 * the pages of the file are not in memory yet.
 */
const SKIPPED_PER_TURN = 2_500;

export class LmdbIndex implements Index {
  readonly #tables: Tables;
  readonly #writer: Writer;
  readonly #read: Read;

  constructor(tables: Tables, writer: Writer, read: Read) {
    this.#tables = tables;
    this.#writer = writer;
    this.#read = read;
  }

  async lookup(key: string): Promise<string | undefined> {
    if (!fits(key)) return undefined;
    return this.#read(() => this.#tables.holders.get(key));
  }

  async add(list: string, member: string): Promise<void> {
    checkKey(`${list}\0${member}`);
    return this.#writer.run({ type: 'enter', member: { list, member } });
  }

  async remove(list: string, member: string): Promise<void> {
    if (!fits(`${list}\0${member}`)) return;
    return this.#writer.run({ type: 'leave', member: { list, member } });
  }

  async page(list: string, query: PageQuery): Promise<readonly string[]> {
    const { offset, limit, descending = false, prefix = '', after } = query;
    const first = listKey(list, prefix);
    if (offset > COUNT_MAX || first.length > KEY_BYTES_MAX) return [];
    const last = beyond(first);
    const edge = descending ? last : first;
    const behind = after === undefined ? edge : listKey(list, after).subarray(0, KEY_BYTES_MAX);
    const order = behind.compare(edge) * (descending ? -1 : 1);
    const range = {
      start: order < 0 ? edge : behind,
      exclusiveStart: after !== undefined && order >= 0,
      end: descending ? first : last,
      inclusiveEnd: descending,
      reverse: descending,
    };
    const front = Buffer.byteLength(list) + 1;
    let from: { start: Buffer; exclusiveStart: boolean } = range;
    for (let left = offset; ; left -= SKIPPED_PER_TURN) {
      const isNear = left <= SKIPPED_PER_TURN;
      const window = isNear
        ? { offset: left, limit: Math.min(limit, COUNT_MAX) }
        : { offset: SKIPPED_PER_TURN, limit: 1 };
      const keys = this.#read(() => [...this.#tables.lists.getKeys({ ...range, ...from, ...window })]);
      if (isNear) return keys.map((key) => key.toString('utf8', front));
      const [next] = keys;
      if (next === undefined) return [];
      from = { start: next, exclusiveStart: false };
      await nextTurn(); // others do not wait for it
    }
  }

  async count(list: string, { prefix = '', atMost = COUNT_MAX }: CountQuery = {}): Promise<number> {
    if (prefix === '') return this.#read(() => Math.min(Number(this.#tables.counts.get(list) ?? 0), atMost));
    const start = listKey(list, prefix);
    if (start.length > KEY_BYTES_MAX) return 0;
    const range = { start, end: beyond(start) };
    return this.#read(() => {
      // lmdb counts a range to its end, whatever the limit, so first look whether it reaches that far.
      const { lists } = this.#tables;
      const further = atMost < COUNT_MAX ? lists.getKeys({ ...range, offset: atMost, limit: 1 }) : [];
      return [...further].length > 0 ? atMost : lists.getKeysCount(range);
    });
  }
}

/** Behind every key that begins so: UTF-8 never has this byte. */
function beyond(first: Buffer): Buffer {
  return Buffer.concat([first, Buffer.of(0xff)]);
}
