/**
 * API keys: a script sends one instead of logging in. A key is its user's, acts as its user as long as that one may log
 * in, and ends when it is revoked or has expired; changing the password ends it if so asked. Only its digest is kept, so its
 * text is given out once, when it is made.
 *
 * All keys of a user are revoked by a count in the user's record, in the commit that sets the password. A key of an older count
 * is worth nothing, and is removed when it is met.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock, Instant } from '../base/clock.ts';
import { type ApiKeyId, newId, type UserId } from '../base/ids.ts';
import { createCollection, type Kind } from '../records/collection.ts';
import type { EntityQuery, Page } from '../records/pages.ts';
import type { Store } from '../store/store.ts';

export interface ApiKey {
  readonly id: ApiKeyId;
  readonly userId: UserId;
  readonly createdAt: Instant;
  readonly version: number;
  readonly description: string;
  /** Works until just before this instant; null: until it is revoked. */
  readonly expiresAt: Instant | null;
  /** Good for claiming and giving back, and nothing else. */
  readonly claimingOnly: boolean;
  /** To within five minutes; null: never. */
  readonly lastUsedAt: Instant | null;
  /** `apiKeysEpoch` of its user when it was made; absent: 0. */
  readonly epoch?: number;
}

/** What there is to know of a user. */
interface KeyOwner {
  readonly id: UserId;
  readonly apiKeysEpoch?: number;
}

/** Whether all keys of its user were revoked since it was made. */
export function isRevoked(
  { epoch = 0 }: Pick<ApiKey, 'epoch'>,
  { apiKeysEpoch = 0 }: Pick<KeyOwner, 'apiKeysEpoch'>,
) {
  return epoch < apiKeysEpoch;
}

type ApiKeyFields = Pick<ApiKey, 'description' | 'expiresAt' | 'claimingOnly'>;

export interface ApiKeys {
  /**
   * The key and its text, which is not kept; `too-many` when the user has as many as it may.
   *
   * @param user as it was when whoever asks was let in: where its keys were revoked since, this one is too
   */
  create(user: KeyOwner, fields: ApiKeyFields): Promise<{ key: ApiKey; value: string } | 'too-many'>;
  list(userId: UserId, query: EntityQuery): Promise<Page<ApiKey>>;
  /** Resolves to whether the user had such a key. */
  revoke(userId: UserId, id: string): Promise<boolean>;
  /** The key behind a text, if it has not expired. Whether it `isRevoked` its user says, who is looked up anyway. */
  find(value: string): Promise<ApiKey | undefined>;
  /** Whether a key is there still, and neither revoked nor expired. */
  works(id: ApiKeyId): Promise<boolean>;
  /** A key is being used: writes it down where that is due; undefined where it is not. */
  used(key: ApiKey): Promise<void> | undefined;
  /** Removes those of a user that were all revoked; they do not work any more before that. */
  clear(userId: UserId): Promise<void>;
  /** Removes all of a user. */
  forget(userId: UserId): Promise<void>;
}

/** Keys of one user. */
export const API_KEYS_MAX = 100;

/** ThingsBoard's keys begin so too. */
const PREFIX = 'tb_';
const KEY_BYTES = 32;
const USE_WRITTEN_EVERY_MS = 5 * 60 * 1000;
const SHAPE = /^tb_[A-Za-z0-9_-]{43}$/;

interface StoredApiKey extends Omit<ApiKey, 'lastUsedAt'> {
  /** Absent: never. */
  readonly lastUsedAt?: Instant;
  readonly digest: string;
}

const listOf = (userId: UserId) => `account/api-keys/${userId}`;
const keyOf = (digest: string) => `account/api-key/${digest}`;

const kind: Kind<StoredApiKey> = {
  name: 'api-key',
  keys: ({ digest }) => [keyOf(digest)],
  lists: ({ userId }) => [listOf(userId)],
  title: ({ description }) => description,
};

export function createApiKeys(
  store: Store,
  clock: Clock,
  users: { find(id: UserId): Promise<KeyOwner | undefined> },
): ApiKeys {
  const stored = createCollection(store, kind);
  /** Keys whose use is being written. */
  const writing = new Set<string>();
  const isInTime = ({ expiresAt }: StoredApiKey) => expiresAt === null || clock.now() < expiresAt;

  async function clear(userId: UserId): Promise<void> {
    const user = await users.find(userId);
    if (user === undefined) return;
    for await (const key of stored.each(listOf(userId)))
      if (isRevoked(key, user)) await stored.remove(key.id);
  }

  return {
    clear,

    async create({ id: userId, apiKeysEpoch = 0 }, fields) {
      await clear(userId);
      if ((await store.index.count(listOf(userId))) >= API_KEYS_MAX) return 'too-many';
      const value = `${PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`;
      const at = clock.now();
      const id = newId<ApiKeyId>(at);
      const key: StoredApiKey = {
        id,
        userId,
        createdAt: at,
        version: 1,
        ...fields,
        digest: digestOf(value),
        ...(apiKeysEpoch === 0 ? {} : { epoch: apiKeysEpoch }),
      };
      if (!(await stored.create(key))) throw new Error('a random key was drawn twice');
      return { key: withoutDigest(key), value };
    },

    async list(userId, query) {
      await clear(userId);
      const { items, total } = await stored.page(listOf(userId), query);
      return { items: items.map(withoutDigest), total };
    },

    async revoke(userId, id) {
      if ((await stored.find(id))?.userId !== userId) return false;
      return (await stored.remove(id)) !== undefined;
    },

    async find(value) {
      if (!SHAPE.test(value)) return undefined;
      const key = await stored.findByKey(keyOf(digestOf(value)));
      return key !== undefined && isInTime(key) ? withoutDigest(key) : undefined;
    },

    async works(id) {
      const key = await stored.find(id);
      if (key === undefined || !isInTime(key)) return false;
      const user = await users.find(key.userId);
      return user !== undefined && !isRevoked(key, user);
    },

    used({ id, lastUsedAt }) {
      const now = clock.now();
      if (now - (lastUsedAt ?? 0) < USE_WRITTEN_EVERY_MS || writing.has(id)) return undefined;
      writing.add(id);
      return stored
        .change(id, (key) => ({ ...key, lastUsedAt: now }))
        .then(() => {}) // revoked meanwhile: there is nothing to write
        .finally(() => writing.delete(id));
    },

    async forget(userId) {
      for (;;) {
        const some = await stored.first(listOf(userId), API_KEYS_MAX);
        if (some.length === 0) return;
        await Promise.all(some.map(({ id }) => stored.remove(id)));
      }
    },
  };
}

/** A key is random enough that nobody tries out what has this digest. */
function digestOf(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}

function withoutDigest({ digest: _, ...key }: StoredApiKey): ApiKey {
  return { ...key, lastUsedAt: key.lastUsedAt ?? null };
}
