/** Entities over LMDB: see `../store.ts` for what they promise. */
import type { Commit, CommitResult, Entities, EntityName, Version } from '../store.ts';
import { parseHead } from './head.ts';
import { checkKeys, fits } from './keys.ts';
import type { Read, Tables } from './tables.ts';
import type { Writer } from './writer.ts';

export class LmdbEntities implements Entities {
  readonly #tables: Tables;
  readonly #writer: Writer;
  readonly #read: Read;

  constructor(tables: Tables, writer: Writer, read: Read) {
    this.#tables = tables;
    this.#writer = writer;
    this.#read = read;
  }

  async load(name: EntityName): Promise<Version> {
    const head = fits(name) ? this.#read(() => this.#tables.entities.get(name)) : undefined;
    if (head === undefined) return { version: 0, text: undefined };
    const { sequence, state } = parseHead(head);
    return { version: sequence, text: state };
  }

  async commit(commit: Commit): Promise<CommitResult> {
    checkKeys(commit.name, commit.index);
    return this.#writer.run({ type: 'commit', commit });
  }
}
