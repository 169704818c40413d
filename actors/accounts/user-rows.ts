/** Users as they are stored: what everybody may see of them, and what only this folder does. */
import type { Clock } from '../base/clock.ts';
import { type Collection, createCollection } from '../records/collection.ts';
import type { Store } from '../store/store.ts';
import type { Activation, Membership, User } from './model.ts';

export interface UserRow extends Omit<User, 'activated'> {
  /** Null until the user is activated. */
  readonly passwordHash: string | null;
  /** Kept readable, because the administrator may ask for the link again; used up by activating. */
  readonly activation: Activation | null;
  readonly deleted?: true;
}

/** The list in which all users of one membership stand. */
export function usersOf(membership: Membership): string {
  switch (membership.authority) {
    case 'SYS_ADMIN':
      return 'account/users/system';
    case 'TENANT_ADMIN':
      return `account/users/tenant/${membership.tenantId}`;
    case 'CUSTOMER_USER':
      return `account/users/customer/${membership.customerId}`;
    default:
      return membership satisfies never;
  }
}

/** How an e-mail address is told apart from others. */
export function emailKey(email: string, caseSensitive: boolean): string {
  return `account/email/${caseSensitive ? email : email.toLowerCase()}`;
}

export function createUserRows(store: Store, clock: Clock, caseSensitive: boolean): Collection<UserRow> {
  return createCollection<UserRow>(store, clock, {
    name: 'user',
    key: (row) => emailKey(row.email, caseSensitive),
    list: (row) => usersOf(row.membership),
    text: (row) => row.email,
  });
}

export function publicUser(row: UserRow): User {
  const { passwordHash, activation: _, deleted: __, ...user } = row;
  return { ...user, activated: passwordHash !== null };
}
