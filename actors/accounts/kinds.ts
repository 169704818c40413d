/** How tenants, customers and users are stored: which unique keys lead to them and which lists they are in. */
import { createHash } from 'node:crypto';
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId, UserId } from '../base/ids.ts';
import type { CredentialSecrets } from '../base/secret.ts';
import { spellingsOf } from '../base/spelling.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Kind } from '../records/collection.ts';
import type { Activation, Customer, Membership, OwedNews, Tenant, User } from './model.ts';

export const TENANTS = 'account/tenants';
/** The list of the users of whose changes something is still to be told. */
export const USERS_WITH_NEWS = 'account/users-with-news';
export const customersOf = (tenantId: TenantId) => `account/customers/${tenantId}`;

/** The list of all users of one membership. */
export function usersOf(membership: Membership): string {
  switch (membership.authority) {
    case 'SYS_ADMIN':
      return 'account/users/system';
    case 'TENANT_ADMIN':
      return `account/users/tenant/${membership.tenantId}`;
    case 'CUSTOMER_USER':
      return `account/users/customer/${membership.customerId}`;
    default:
      return unreachable(membership);
  }
}

export const titleKey = (tenantId: TenantId, title: string) => `account/customer-title/${tenantId}/${title}`;

/** @param caseSensitive whether `A@x.org` and `a@x.org` are two users */
export function emailKey(email: string, caseSensitive: boolean): string {
  return `account/email/${caseSensitive ? email : email.toLowerCase()}`;
}

/** Of the person that a customer was made for; of these a customer has one, whatever address that one has by now. */
const ownerKey = (customerId: CustomerId) => `account/owner/${customerId}`;

/** Of the token in a link. The token itself is a secret: who reads the store should not be able to use it. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** Of the token in a link that sets the first password. */
export function activationKey(digest: string): string {
  return `account/activation/${digest}`;
}

export const tenantKind: Kind<Tenant> = {
  name: 'tenant',
  keys: () => [],
  lists: () => [TENANTS],
  title: (tenant) => tenant.title,
};

export const customerKind: Kind<Customer> = {
  name: 'customer',
  keys: ({ tenantId, title }) => spellingsOf(title).map((spelling) => titleKey(tenantId, spelling)),
  lists: ({ tenantId }) => [customersOf(tenantId)],
  title: (customer) => customer.title,
};

/** Of the token in a link that sets another password. */
export function resetKey(digest: string): string {
  return `account/reset/${digest}`;
}

/** A link that sets another password. Only its newest one is there. */
export interface PasswordReset {
  /** Of its token. */
  readonly digest: string;
  /** When somebody asked for it. */
  readonly askedAt: Instant;
  readonly expiresAt: Instant;
}

/** A link that sets the first password. */
export interface StoredActivation {
  /** Of its token. */
  readonly digest: string;
  /** The token, because the administrator may ask for the link again. */
  readonly sealed: string;
  readonly expiresAt: Instant;
}

/** As versions before the digest wrote it: such a record is written in the other form with the next change of its user. */
type PlainActivation = Activation;

export function sealedActivation(
  secrets: Pick<CredentialSecrets, 'sealCredential'>,
  id: UserId,
  { token, expiresAt }: Activation,
): StoredActivation {
  return { digest: tokenDigest(token), sealed: secrets.sealCredential(id, token), expiresAt };
}

export function digestOfActivation(activation: StoredActivation | PlainActivation): string {
  return 'digest' in activation ? activation.digest : tokenDigest(activation.token);
}

/** A user with what only this room may see. */
export interface StoredUser extends Omit<User, 'activated'> {
  /** Null until the user is activated. */
  readonly passwordHash: string | null;
  /** Null once it was used. */
  readonly activation: StoredActivation | PlainActivation | null;
  /**
   * Somebody of another tenant has this address, which whoever made the user must not learn. The user takes it at its
   * activation, if it is free by then.
   */
  readonly addressTaken?: true;
  /** Has signed up, and its customer was made for it alone. */
  readonly ownsCustomer?: true;
  readonly passwordReset?: PasswordReset;
  /** What is still to be told of its changes. */
  readonly news?: readonly OwedNews[];
  /** When the password was last set by its user: no link that was asked for before sets another one. */
  readonly passwordSetAt?: Instant;
}

export function userKind(caseSensitive: boolean): Kind<StoredUser> {
  return {
    name: 'user',
    keys: ({ email, activation, addressTaken, passwordReset, ownsCustomer, membership }) => [
      ...(addressTaken === true ? [] : [emailKey(email, caseSensitive)]),
      ...(activation === null ? [] : [activationKey(digestOfActivation(activation))]),
      ...(passwordReset === undefined ? [] : [resetKey(passwordReset.digest)]),
      ...(ownsCustomer === true && membership.authority === 'CUSTOMER_USER'
        ? [ownerKey(membership.customerId)]
        : []),
    ],
    lists: ({ membership, news }) => [usersOf(membership), ...(news === undefined ? [] : [USERS_WITH_NEWS])],
    title: ({ email }) => email,
  };
}

export function publicUser(stored: StoredUser): User {
  const {
    passwordHash,
    activation: _,
    addressTaken: __,
    passwordReset: ___,
    passwordSetAt: ____,
    ownsCustomer: _____,
    news: ______,
    ...user
  } = stored;
  return { ...user, activated: passwordHash !== null };
}
