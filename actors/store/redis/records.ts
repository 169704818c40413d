/** Plain records over Redis: the table of text behind Keyv's adapter, on @keyv/redis. */
import KeyvRedis from '@keyv/redis';
import type { TextTable } from '../records.ts';
import { type Connection, type Send, texts } from './connection.ts';
import { checkKey, fits, type Keys } from './keys.ts';
import { SWAP } from './scripts.ts';

/** Keys asked for in one step of a walk, and deleted in one step. */
const PAGE = 500;

export interface Records {
  readonly table: TextTable;
  swap(key: string, expected: string | undefined, next: string | undefined): Promise<boolean>;
}

export function createRecords(redis: Connection, keys: Keys): Records {
  const front = keys.record('');
  const adapter = new KeyvRedis(redis.client as ConstructorParameters<typeof KeyvRedis>[0], {
    namespace: front.slice(0, -1),
    keyPrefixSeparator: front.slice(-1),
    throwOnErrors: true, // or a store that is away would look like an empty one
  });
  adapter.on('error', () => {}); // who asked hears of it

  async function* walk(prefix: string): AsyncGenerator<string> {
    const match = `${front}${literally(prefix)}*`;
    const found = new Set<string>(); // a walk may come upon a key twice
    for (const send of redis.servers()) {
      for await (const key of keysOf(send, match)) found.add(key);
    }
    for (const key of found) yield key.slice(front.length);
  }

  return {
    table: {
      get: async (key) => {
        if (!fits(key)) return undefined;
        return redis.guard(async () => (await adapter.get<string>(key)) ?? undefined);
      },
      set: async (key, text) => {
        checkKey(key);
        return redis.guard(() => adapter.set(key, text));
      },
      delete: async (key) => fits(key) && redis.guard(() => adapter.delete(key)),
      async clear(prefix) {
        // Not the adapter's own, which keeps errors to itself.
        const all: string[] = [];
        for await (const key of walk(prefix)) all.push(key);
        for (let from = 0; from < all.length; from += PAGE) {
          await redis.guard(() => adapter.deleteMany(all.slice(from, from + PAGE)));
        }
      },
      keys: walk,
    },

    async swap(key, expected, next) {
      checkKey(key);
      const flagged = [expected, next].flatMap((text) => (text === undefined ? ['0', ''] : ['1', text]));
      return (await redis.script(SWAP, [keys.record(key)], flagged)) === 1;
    },
  };
}

/** Walks through the keys of one server, which never holds up others as KEYS would. */
async function* keysOf(send: Send, match: string): AsyncGenerator<string> {
  let cursor = '0';
  do {
    const reply = await send(['SCAN', cursor, 'MATCH', match, 'COUNT', String(PAGE)]);
    const [next = '0', found = []] = Array.isArray(reply) ? reply : [];
    cursor = String(next);
    yield* texts(found);
  } while (cursor !== '0');
}

/** As a pattern that fits this text alone. */
function literally(text: string): string {
  return text.replace(/[\\[\]*?]/g, '\\$&');
}
