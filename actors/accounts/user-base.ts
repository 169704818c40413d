/** What all operations on users share: reading and changing them, and what their passwords must be. */
import type { Clock } from '../base/clock.ts';
import type { UserId } from '../base/ids.ts';
import type { Change, Collection } from '../records/collection.ts';
import type { Unavailable } from '../runtime/decider.ts';
import { isDemoPassword } from './demo-passwords.ts';
import { publicUser, type StoredUser } from './kinds.ts';
import {
  type AccountAnswer,
  type AccountRefusal,
  type AccountSettings,
  type Customer,
  done,
  type Membership,
  refused,
  type Tenant,
  type User,
} from './model.ts';
import { createPasswords, type Passwords } from './passwords.ts';

export const OVERLOADED: Unavailable = { type: 'unavailable', reason: 'overloaded' };

export interface UserBaseNeeds {
  readonly clock: Clock;
  readonly settings: AccountSettings;
  readonly users: Collection<StoredUser>;
  readonly tenants: Collection<Tenant>;
  readonly customers: Collection<Customer>;
  /** Hears of every user that changed. */
  changed(id: UserId): void;
}

export interface UserBase extends UserBaseNeeds {
  readonly passwords: Passwords;
  checkPassword(password: string): AccountRefusal | undefined;
  /** Whether the tenant and the customer of a membership are there. */
  membershipStands(membership: Membership): Promise<boolean>;
  change(id: UserId, next: (user: StoredUser) => StoredUser, version?: number): Promise<Change<StoredUser>>;
  /** For changes that take no key and expect no version. */
  adjust(id: UserId, next: (user: StoredUser) => StoredUser): Promise<AccountAnswer<User>>;
}

export function createUserBase(needs: UserBaseNeeds): UserBase {
  const { settings, users, tenants, customers } = needs;

  async function change(id: UserId, next: (user: StoredUser) => StoredUser, version?: number) {
    const changed = await users.change(id, next, version);
    needs.changed(id);
    return changed;
  }

  return {
    ...needs,
    passwords: createPasswords(settings),
    change,

    checkPassword(password) {
      if (isDemoPassword(password)) {
        return settings.demoPasswordsWork ? undefined : { reason: 'password-well-known' };
      }
      const { passwordMinLength: minLength, passwordMaxLength: maxLength } = settings;
      const { length } = [...password]; // characters, not UTF-16 units
      if (length < minLength) return { reason: 'password-too-short', minLength };
      if (length > maxLength) return { reason: 'password-too-long', maxLength };
      return undefined;
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

/** Sets a password. Tokens that were issued before are outdated, and so is the activation link. */
export function withPassword(passwordHash: string): (user: StoredUser) => StoredUser {
  return (user) => ({
    ...user,
    passwordHash,
    activation: null,
    credentialsVersion: user.credentialsVersion + 1,
  });
}
