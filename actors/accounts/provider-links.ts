/**
 * Who a person of an identity provider is here: from (`iss`, `sub`) to a user. Never by an e-mail address, which can be given to
 * somebody else.
 *
 * A link counts for the providers of one tenant, or for those of the system: a provider that a tenant has chosen says nothing of
 * the users of another.
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
  /** It is being removed, since then: who removes another one does not count on it. */
  readonly endingAt?: Instant;
}

type How = { readonly claimingOnly: boolean } | { readonly providerId: ProviderId };

export interface ProviderLinks {
  find(subject: Subject): Promise<UserId | undefined>;
  /** Likewise, with what it may do by an access token. */
  holder(subject: Subject): Promise<{ readonly userId: UserId; readonly claimingOnly: boolean } | undefined>;
  /** Resolves to whose it is then: somebody may have been faster. */
  add(subject: Subject, userId: UserId, how: How): Promise<UserId | undefined>;
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
  /** Removes those by which somebody has come in or added a way in; what a system administrator linked stays. */
  forgetAdded(userId: UserId): Promise<void>;
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

export function createProviderLinks(store: Store, clock: Pick<Clock, 'now'>): ProviderLinks {
  const links = createCollection(store, kind);
  const find = async (subject: Subject) => (await links.find(subjectId(subject)))?.userId;
  return {
    find,
    async holder(subject) {
      const link = await links.find(subjectId(subject));
      return link && { userId: link.userId, claimingOnly: link.claimingOnly === true };
    },
    async add(subject, userId, how) {
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
        ...('claimingOnly' in how && how.claimingOnly ? { claimingOnly: true } : {}),
      };
      return (await links.create(link)) ? userId : find(subject);
    },
    async isTaken(userId, providerId) {
      const some = await links.first(linksOf(userId), LOOKED_AT);
      return some.length === LOOKED_AT || some.some((link) => link.providerId === providerId);
    },
    list: (userId) => links.first(linksOf(userId), LISTED),
    async announceRemoval(userId, id) {
      const now = clock.now();
      // Written before the others are read: so whoever removes another one sees this, or is seen.
      await links.change(id, (link) => (link.userId === userId ? { ...link, endingAt: now } : link));
      const all = await links.first(linksOf(userId), LISTED);
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
    async forgetAdded(userId) {
      const some = await links.first(linksOf(userId), LOOKED_AT);
      const added = some.filter(({ providerId }) => providerId !== undefined);
      await Promise.all(added.map(({ id }) => links.remove(id)));
    },
    forget: (userId) => emptyList(links, linksOf(userId)),
  };
}
