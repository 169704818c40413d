/**
 * Keyv's adapter for plain records: text by key. Keyv passes values already serialised, with the time to live inside, and
 * checks it on reading, so an adapter only has to keep text.
 */
import { EventEmitter } from 'node:events';
import type { KeyvStoreAdapter, StoredData } from 'keyv';

/** What a backend offers to build the adapter on. Writes resolve when they are durable. */
export interface TextTable {
  get(key: string): Promise<string | undefined>;
  set(key: string, text: string): Promise<void>;
  /** Resolves to whether there was such a key. */
  delete(key: string): Promise<boolean>;
}

/** Keyv's adapter over a table of text. Keyv itself prefixes every key with `namespace:`. */
export class RecordsAdapter extends EventEmitter implements KeyvStoreAdapter {
  /** Keyv's constructor looks into `url` to tell whether it knows the backend, and throws where there is none. */
  readonly opts = { url: '' };
  namespace?: string | undefined;
  readonly #table: TextTable;

  constructor(table: TextTable) {
    super();
    this.#table = table;
  }

  async get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    return (await this.#table.get(key)) as StoredData<Value> | undefined; // Keyv's types: its own serialised text
  }

  async set(key: string, value: unknown): Promise<void> {
    if (typeof value !== 'string') throw new TypeError('records are text: use Keyv with its serializer');
    await this.#table.set(key, value);
  }

  delete(key: string): Promise<boolean> {
    return this.#table.delete(key);
  }

  async has(key: string): Promise<boolean> {
    return (await this.#table.get(key)) !== undefined;
  }

  /** Keyv's type asks for it; nothing here clears a whole kind of records. */
  async clear(): Promise<void> {
    throw new Error('records are deleted one by one');
  }
}
