/** Plain records over Redis: the table of text behind Keyv's adapter, on @keyv/redis. */
import KeyvRedis from '@keyv/redis';
import type { TextTable } from '../records.ts';
import type { Connection } from './connection.ts';
import { checkKey, fits, type Keys } from './keys.ts';
import { SWAP } from './scripts.ts';

export interface Records {
  readonly table: TextTable;
  swap(key: string, expected: string | undefined, next: string | undefined): Promise<boolean>;
}

export function createRecords(redis: Connection, keys: Keys): Records {
  const front = keys.record('');
  const adapter = new KeyvRedis(redis.client as ConstructorParameters<typeof KeyvRedis>[0], {
    namespace: front.slice(0, -1),
    keyPrefixSeparator: front.slice(-1),
    throwOnErrors: true, // or a store that is not available would look empty
  });
  adapter.on('error', () => {}); // the caller gets it too

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
    },

    async swap(key, expected, next) {
      checkKey(key);
      const flagged = [expected, next].flatMap((text) => (text === undefined ? ['0', ''] : ['1', text]));
      return (await redis.script(SWAP, [keys.record(key)], flagged)) === 1;
    },
  };
}
