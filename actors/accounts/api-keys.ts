/**
 * API keys: what a script shows instead of logging in. A key is its user's, acts as its user as long as that one may log
 * in, and ends when it is revoked or has expired; changing the password does not end it. Only its digest is kept, so it
 * is told once, when it is made.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock, Instant } from '../base/clock.ts';
import { newId, type UserId } from '../base/ids.ts';
import type { Page } from '../fleet/devices.ts';
import { createCollection, type Kind } from '../records/collection.ts';
import type { Store } from '../store/store.ts';
import type { AccountQuery } from './model.ts';

export interface ApiKey {
  readonly id: string;
  readonly userId: UserId;
  readonly createdAt: Instant;
  readonly version: number;
  readonly description: string;
  /** Works until just before this instant; null: until it is revoked. */
  readonly expiresAt: Instant | null;
  /** Good for claiming and giving back, and nothing else. */
  readonly claimingOnly: boolean;
}

export type ApiKeyFields = Pick<ApiKey, 'description' | 'expiresAt' | 'claimingOnly'>;

export interface ApiKeys {
  /** The key and its text, which is not kept; `too-many` when the user has as many as it may. */
  create(userId: UserId, fields: ApiKeyFields): Promise<{ key: ApiKey; value: string } | 'too-many'>;
  list(userId: UserId, query: AccountQuery): Promise<Page<ApiKey>>;
  /** Resolves to whether the user had such a key. */
  revoke(userId: UserId, id: string): Promise<boolean>;
  /** The key behind a text, if it is one that works now. */
  find(value: string): Promise<ApiKey | undefined>;
  /** Revokes all of a user that goes. */
  forget(userId: UserId): Promise<void>;
}

/** Keys of one user. */
export const API_KEYS_MAX = 100;

/** ThingsBoard's keys begin so too. */
const PREFIX = 'tb_';
const KEY_BYTES = 32;
const SHAPE = /^tb_[A-Za-z0-9_-]{43}$/;

interface ApiKeyRow extends ApiKey {
  readonly digest: string;
  readonly deleted?: true;
}

const listOf = (userId: UserId) => `account/api-keys/${userId}`;
const keyOf = (digest: string) => `account/api-key/${digest}`;

const kind: Kind<ApiKeyRow> = {
  name: 'api-key',
  key: (row) => keyOf(row.digest),
  list: (row) => listOf(row.userId),
  text: (row) => row.description,
};

export function createApiKeys(store: Store, clock: Clock): ApiKeys {
  const rows = createCollection(store, clock, kind);

  async function remove(row: ApiKeyRow): Promise<void> {
    await rows.mark(row.id); // from here on it does not work
    await rows.erase(row);
  }

  return {
    async create(userId, fields) {
      if ((await store.index.count(listOf(userId))) >= API_KEYS_MAX) return 'too-many';
      const value = `${PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`;
      const at = clock.now();
      const id: string = newId<UserId>(at); // any id will do
      const row: ApiKeyRow = { id, userId, createdAt: at, version: 1, ...fields, digest: digestOf(value) };
      if (!(await rows.create(row))) throw new Error('a random key was drawn twice');
      return { key: told(row), value };
    },

    async list(userId, query) {
      const { items, total } = await rows.page(listOf(userId), query);
      return { items: items.map(told), total };
    },

    async revoke(userId, id) {
      const row = await rows.findAny(id);
      if (row === undefined || row.userId !== userId) return false;
      await remove(row);
      return true;
    },

    async find(value) {
      if (!SHAPE.test(value)) return undefined;
      const row = await rows.findByKey(keyOf(digestOf(value)));
      const works = row !== undefined && (row.expiresAt === null || clock.now() < row.expiresAt);
      return works ? told(row) : undefined;
    },

    async forget(userId) {
      for (;;) {
        const some = await rows.firstOfAny(listOf(userId), API_KEYS_MAX);
        if (some.length === 0) return;
        await Promise.all(some.map(remove));
      }
    },
  };
}

/** A key is random enough that nobody tries out what has this digest. */
function digestOf(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}

function told({ digest: _, deleted: __, ...key }: ApiKeyRow): ApiKey {
  return key;
}
