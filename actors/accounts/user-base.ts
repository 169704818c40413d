/** What all operations on users share: reading and changing them, and what their passwords must be. */
import type { Clock, Instant } from '../base/clock.ts';
import type { UserId } from '../base/ids.ts';
import type { CredentialSecrets } from '../base/secret.ts';
import type { Change, Collection } from '../records/collection.ts';
import type { Unavailable } from '../runtime/decider.ts';
import { publicUser, type StoredUser, sealedActivation } from './kinds.ts';
import {
  type AccountAnswer,
  type AccountRefusal,
  type AccountSettings,
  type AlsoEnds,
  type Customer,
  done,
  type Membership,
  refused,
  type Tenant,
  type User,
} from './model.ts';
import { namesInEmail, passwordProblem } from './password-rules.ts';
import { createPasswords, type Passwords } from './passwords.ts';

export const OVERLOADED: Unavailable = { type: 'unavailable', reason: 'overloaded' };

export interface UserBaseNeeds {
  readonly clock: Clock;
  readonly settings: AccountSettings;
  readonly users: Collection<StoredUser>;
  readonly tenants: Collection<Tenant>;
  readonly customers: Collection<Customer>;
  /** Seals what an administrator may read again. */
  readonly secrets: CredentialSecrets;
  /** Hears of every user that changed. */
  changed(id: UserId): void;
}

export interface UserBase extends UserBaseNeeds {
  readonly passwords: Passwords;
  /** Why this may not become the password of that user, or undefined. */
  checkPassword(
    password: string,
    whose: Pick<User, 'membership' | 'email' | 'firstName' | 'lastName'>,
  ): Promise<AccountRefusal | undefined>;
  /** Whether the tenant and the customer of a membership are there. */
  membershipStands(membership: Membership): Promise<boolean>;
  change(id: UserId, next: (user: StoredUser) => StoredUser, version?: number): Promise<Change<StoredUser>>;
  /** For changes that take no key and expect no version. */
  adjust(id: UserId, next: (user: StoredUser) => StoredUser): Promise<AccountAnswer<User>>;
}

export function createUserBase(needs: UserBaseNeeds): UserBase {
  const { settings, users, tenants, customers, secrets } = needs;

  /** Whatever changes in a user, no plain token is written again. */
  function sealed(user: StoredUser): StoredUser {
    const { id, activation } = user;
    if (activation === null || 'digest' in activation) return user;
    return { ...user, activation: sealedActivation(secrets, id, activation) };
  }

  async function change(id: UserId, next: (user: StoredUser) => StoredUser, version?: number) {
    const changed = await users.change(
      id,
      (before) => {
        const after = next(before);
        return after === before ? before : sealed(after);
      },
      version,
    );
    needs.changed(id);
    return changed;
  }

  return {
    ...needs,
    passwords: createPasswords(settings),
    change,

    async checkPassword(password, whose) {
      const { email, firstName, lastName, membership } = whose;
      const { tenantId, customerId } = { tenantId: null, customerId: null, ...membership };
      const tenant = tenantId === null ? undefined : await tenants.find(tenantId);
      const customer = customerId === null ? undefined : await customers.find(customerId);
      const named = [firstName, lastName, tenant?.title, customer?.title];
      const names = [...namesInEmail(email), ...named.filter((name) => name != null)];
      return passwordProblem(password, settings, names);
    },

    async membershipStands(membership) {
      if (membership.authority === 'SYS_ADMIN') return true;
      if ((await tenants.find(membership.tenantId)) === undefined) return false;
      if (membership.authority === 'TENANT_ADMIN') return true;
      return (await customers.find(membership.customerId))?.tenantId === membership.tenantId;
    },

    async adjust(id, next) {
      const changed = await change(id, next);
      return changed.type === 'done' ? done(publicUser(changed.entity)) : refused({ reason: 'not-found' });
    },
  };
}

/**
 * Sets a password. Tokens that were issued before are outdated, and so are the links that set one, also those that were
 * asked for before and are still to be sent. What else it ends is counted here, so that a crash right after leaves nothing alive.
 */
export function withPassword(
  passwordHash: string,
  at: Instant,
  ends: (user: StoredUser) => AlsoEnds,
): (user: StoredUser) => StoredUser {
  return (before) => {
    const { addressTaken: _, passwordReset: __, ...user } = before;
    const { apiKeys = false, signIns = false } = ends(before);
    return {
      ...user,
      passwordHash,
      passwordSetAt: at,
      activation: null,
      credentialsVersion: user.credentialsVersion + 1,
      ...(apiKeys ? { apiKeysEpoch: (user.apiKeysEpoch ?? 0) + 1 } : {}),
      ...(signIns ? { signInsEpoch: (user.signInsEpoch ?? 0) + 1 } : {}),
    };
  };
}
