/** Entities over Redis: see `../store.ts` for what they promise. */
import type { Commit, CommitResult, Entities, EntityName, Version } from '../store.ts';
import type { Heads } from './heads.ts';

const COMMITTED: CommitResult = { type: 'committed' };

export class RedisEntities implements Entities {
  readonly #heads: Heads;

  constructor(heads: Heads) {
    this.#heads = heads;
  }

  async load(name: EntityName): Promise<Version> {
    const { sequence, state } = await this.#heads.load(name);
    return { version: sequence, text: state };
  }

  async commit({ name, expected, text, index }: Commit): Promise<CommitResult> {
    const move = { name, expected, event: undefined, state: text, details: undefined, alarmAt: null, index };
    const moved = await this.#heads.move(move);
    return moved.type === 'moved' ? COMMITTED : moved;
  }
}
