/** Plain records over LMDB: the table of text behind Keyv's adapter. */
import type { Database } from 'lmdb';
import type { TextTable } from '../records.ts';
import { checkKey, fits } from './keys.ts';
import type { Read, Tables } from './tables.ts';
import type { Writer } from './writer.ts';

export function recordsTable({ records }: Tables, writer: Writer, read: Read): TextTable {
  return {
    get: async (key) => (fits(key) ? read(() => records.get(key)) : undefined),
    set: async (key, text) => {
      checkKey(key);
      return writer.run({ type: 'set-record', key, text });
    },
    delete: async (key) => fits(key) && writer.run({ type: 'delete-record', key }),
    clear: (prefix) => writer.run({ type: 'clear-records', prefix }),
    async *keys(prefix) {
      yield* read(() => keysWith(records, prefix));
    },
  };
}

/** The keys that begin with a prefix. */
export function keysWith(records: Database<string, string>, prefix: string): string[] {
  const found: string[] = [];
  for (const key of records.getKeys({ start: prefix })) {
    if (!key.startsWith(prefix)) break;
    found.push(key);
  }
  return found;
}
