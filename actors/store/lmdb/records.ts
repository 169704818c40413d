/** Plain records over LMDB: the table of text behind Keyv's adapter. */
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
  };
}
