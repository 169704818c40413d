/**
 * Who a person of an identity provider is here: from (`iss`, `sub`) to a user. Never by an e-mail address, which can be given to
 * somebody else.
 *
 * A link counts for the providers of one tenant, or for those of the system: a provider that a tenant has chosen says nothing of
 * the users of another.
 *
 * A link by which somebody has come in or added a way in counts under the user's `signInsEpoch` at that time. A password that is set
 * by a mail raises that, in the same commit, and ends them all; they are removed afterwards.
 */
import { createHash } from 'node:crypto';
import type { Clock, Instant } from '../base/clock.ts';
import { formatUuid, type ProviderId, type TenantId, type UserId } from '../base/ids.ts';
import { createCollection, emptyList, type Kind } from '../records/collection.ts';
import type { Store } from '../store/store.ts';

/** A person as an identity provider knows it. */
export interface Subject {
  /** Whose provider says so; null: the system's. */
  readonly tenantId: TenantId | null;
  readonly iss: string;
  readonly sub: string;
}

interface ProviderLink extends Subject {
  readonly id: string;
  readonly version: number;
  readonly userId: UserId;
  readonly since: Instant;
  /** By an access token it may only claim. */
  readonly claimingOnly?: true;
  /** Which provider found the user at the first sign-in; missing: a system administrator said so. */
  readonly providerId?: ProviderId;
  /** `signInsEpoch` of the user at that time; missing: 0. */
  readonly epoch?: number;
  /** It is being removed, since then: who removes another one does not count on it. */
  readonly endingAt?: Instant;
}

/** What there is to know of a user. */
interface LinkOwner {
  readonly id: UserId;
  readonly signInsEpoch?: number;
}

/** Who is behind a link, and what has to be so of the user for it to count. */
export interface LinkHolder {
  readonly userId: UserId;
  readonly claimingOnly: boolean;
  /** It counts while the user's `signInsEpoch` is not higher; undefined: a system administrator linked it, and it stays. */
  readonly epoch: number | undefined;
}

/** Whether a password that was set by a mail has ended it. */
export function isEnded(
  { epoch }: Pick<LinkHolder, 'epoch'>,
  { signInsEpoch = 0 }: Pick<LinkOwner, 'signInsEpoch'>,
) {
  return epoch !== undefined && epoch < signInsEpoch;
}

type How = { readonly claimingOnly: boolean } | { readonly providerId: ProviderId };

export interface ProviderLinks {
  find(subject: Subject): Promise<UserId | undefined>;
  /** Likewise, with what it may do by an access token. */
  holder(subject: Subject): Promise<LinkHolder | undefined>;
  /**
   * Resolves to whose it is then: somebody may have been faster.
   *
   * @param user as it was when whoever asks was let in: where its sign-ins were ended since, this one is too
   */
  add(subject: Subject, user: LinkOwner, how: How): Promise<UserId | undefined>;
  /** Whether somebody has signed in as the user by this provider before. */
  isTaken(userId: UserId, providerId: ProviderId): Promise<boolean>;
  /** The first hundred of a user. */
  list(userId: UserId): Promise<readonly ProviderLink[]>;
  /**
   * Says that one of them is to be removed, and resolves to those that the user can still count on then. Of two that are removed
   * at once neither counts on the other, whatever the processes.
   */
  announceRemoval(userId: UserId, id: string): Promise<readonly ProviderLink[]>;
  /** It stays after all. */
  keep(userId: UserId, id: string): Promise<void>;
  /** Undefined: the user has none with this id. */
  remove(userId: UserId, id: string): Promise<ProviderLink | undefined>;
  /** Removes those that a password has ended; they do not count any more before that. */
  clear(userId: UserId): Promise<void>;
  /** Removes those of a user. */
  forget(userId: UserId): Promise<void>;
}

const linksOf = (userId: UserId) => `account/provider-links/${userId}`;
/** Who has so many is not found by an address any more. */
const LOOKED_AT = 1_000;
const LISTED = 100;
/** A removal that has not ended by then was broken off. */
const REMOVAL_MS = 10 * 60_000;

const kind: Kind<ProviderLink> = {
  name: 'provider-link',
  keys: () => [],
  lists: ({ userId }) => [linksOf(userId)],
  title: ({ iss }) => iss,
};

/** The same for the same person, so that it is found without an index. No issuer has a NUL in it. */
export function subjectId({ tenantId, iss, sub }: Subject): string {
  const digest = createHash('sha256')
    .update(`${tenantId ?? 'system'}\0${iss}\0${sub}`)
    .digest();
  return formatUuid(digest.subarray(0, 16), 8);
}

export function createProviderLinks(
  store: Store,
  clock: Pick<Clock, 'now'>,
  users: { find(id: UserId): Promise<LinkOwner | undefined> },
): ProviderLinks {
  const links = createCollection(store, kind);

  async function counts(link: ProviderLink): Promise<boolean> {
    const user = await users.find(link.userId);
    return user === undefined || !isEnded(holderOf(link), user);
  }

  async function some(userId: UserId, limit: number): Promise<readonly ProviderLink[]> {
    const user = await users.find(userId);
    const all = await links.first(linksOf(userId), limit);
    return user === undefined ? all : all.filter((link) => !isEnded(holderOf(link), user));
  }

  async function holder(subject: Subject): Promise<LinkHolder | undefined> {
    const link = await links.find(subjectId(subject));
    return link !== undefined && (await counts(link)) ? holderOf(link) : undefined;
  }

  const find = async (subject: Subject) => (await holder(subject))?.userId;

  return {
    find,
    holder,
    async add(subject, { id: userId, signInsEpoch = 0 }, how) {
      const { tenantId, iss, sub } = subject;
      const link: ProviderLink = {
        tenantId,
        iss,
        sub,
        id: subjectId(subject),
        version: 1,
        userId,
        since: clock.now(),
        ...('providerId' in how ? { providerId: how.providerId } : {}),
        ...('providerId' in how && signInsEpoch > 0 ? { epoch: signInsEpoch } : {}),
        ...('claimingOnly' in how && how.claimingOnly ? { claimingOnly: true } : {}),
      };
      if (await links.create(link)) return userId;
      const there = await links.find(link.id);
      if (there !== undefined && !(await counts(there)))
        await links.change(link.id, ({ version }) => ({ ...link, version }), there.version);
      return find(subject);
    },
    async isTaken(userId, providerId) {
      const all = await some(userId, LOOKED_AT);
      return all.length === LOOKED_AT || all.some((link) => link.providerId === providerId);
    },
    list: (userId) => some(userId, LISTED),
    async announceRemoval(userId, id) {
      const now = clock.now();
      // Written before the others are read: so whoever removes another one sees this, or is seen.
      await links.change(id, (link) => (link.userId === userId ? { ...link, endingAt: now } : link));
      const all = await some(userId, LISTED);
      return all.filter(
        (link) => link.id !== id && (link.endingAt === undefined || link.endingAt + REMOVAL_MS < now),
      );
    },
    async keep(userId, id) {
      await links.change(id, (link) => {
        const { endingAt, ...kept } = link;
        return link.userId === userId && endingAt !== undefined ? kept : link;
      });
    },
    async remove(userId, id) {
      const link = await links.find(id);
      if (link?.userId !== userId) return undefined;
      await links.remove(id);
      return link;
    },
    async clear(userId) {
      const user = await users.find(userId);
      if (user === undefined) return;
      const ended = (link: ProviderLink) => isEnded(holderOf(link), user);
      for await (const link of links.each(linksOf(userId)))
        if (ended(link)) await links.remove(link.id, ended);
    },
    forget: (userId) => emptyList(links, linksOf(userId)),
  };
}

function holderOf({ userId, claimingOnly, providerId, epoch = 0 }: ProviderLink): LinkHolder {
  return { userId, claimingOnly: claimingOnly === true, epoch: providerId === undefined ? undefined : epoch };
}
