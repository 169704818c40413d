/**
 * Who there is besides devices: tenants, their customers, and the users of both; and what can be asked of them.
 *
 * Refusals are values, as with devices. Trouble of the store is an error (`StoreUnavailable`); a server that has too
 * many passwords to check at once answers `unavailable`.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, MailId, ProviderId, TenantId, UserId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import type { EntityQuery, Page } from '../records/pages.ts';
import type { Unavailable } from '../runtime/decider.ts';
import type { ApiKeys } from './api-keys.ts';
import type { Deletion } from './left-behind.ts';
import type { ProviderLinks } from './provider-links.ts';
import type { Replays } from './replays.ts';
import type { SavedViews } from './saved-views.ts';
import type { SecondFactors } from './second-factors.ts';

/** Postal and electronic address, as tenants and customers carry it. All of it optional. */
export interface Contact {
  readonly country: string | null;
  readonly state: string | null;
  readonly city: string | null;
  readonly address: string | null;
  readonly address2: string | null;
  readonly zip: string | null;
  readonly phone: string | null;
  readonly email: string | null;
}

export const NO_CONTACT: Contact = {
  country: null,
  state: null,
  city: null,
  address: null,
  address2: null,
  zip: null,
  phone: null,
  email: null,
};

// -------------------------------------------------------------------------------------------------------- records

interface TenantFields {
  readonly title: string;
  readonly region: string | null;
  readonly contact: Contact;
  readonly additionalInfo: JsonObject | null;
}

export interface Tenant extends TenantFields {
  readonly id: TenantId;
  readonly createdAt: Instant;
  /** Counts the changes, from 1. */
  readonly version: number;
}

export interface CustomerFields {
  /** Unique within the tenant, exact match. */
  readonly title: string;
  readonly contact: Contact;
  readonly additionalInfo: JsonObject | null;
}

export interface Customer extends CustomerFields {
  readonly id: CustomerId;
  readonly tenantId: TenantId;
  readonly createdAt: Instant;
  readonly version: number;
}

/** Whether anybody may log in as this customer, without a password, to read what it owns. */
export function isPublic({ additionalInfo }: Customer): boolean {
  return additionalInfo?.isPublic === true;
}

/** Where a user belongs; the three kinds cannot be mixed up. */
export type Membership =
  | { readonly authority: 'SYS_ADMIN' }
  | { readonly authority: 'TENANT_ADMIN'; readonly tenantId: TenantId }
  | { readonly authority: 'CUSTOMER_USER'; readonly tenantId: TenantId; readonly customerId: CustomerId };

/** Of a user who belongs to a tenant. */
type TenantMembership = Exclude<Membership, { authority: 'SYS_ADMIN' }>;
type CustomerMembership = Extract<Membership, { authority: 'CUSTOMER_USER' }>;

export interface UserFields {
  /** Unique over the whole server. */
  readonly email: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly phone: string | null;
  readonly additionalInfo: JsonObject | null;
}

export interface User extends UserFields {
  readonly id: UserId;
  readonly createdAt: Instant;
  readonly membership: Membership;
  readonly version: number;
  /** May log in, if activated. An administrator can take it away and give it back. */
  readonly enabled: boolean;
  /** Whether its users gave themselves the address, which nobody then has checked; absent: an administrator did. */
  readonly emailIsOwnChoice?: true;
  /** A system administrator wrote the address, or its holder has opened a link that went there alone; absent: neither is known. */
  readonly emailIsProven?: true;
  /** Has a password. */
  readonly activated: boolean;
  /** Counts the passwords, and the times the user was disabled: a token issued under an older count is outdated. */
  readonly credentialsVersion: number;
  /** Counts how often all API keys were revoked: one that was made under an older count does not work. Absent: 0. */
  readonly apiKeysEpoch?: number;
  /** Likewise for the sign-ins by providers, but for those that a system administrator has linked. Absent: 0. */
  readonly signInsEpoch?: number;
}

/** What a new password ends besides the sessions, in the commit that sets it. */
export interface AlsoEnds {
  readonly apiKeys?: boolean;
  readonly signIns?: boolean;
}

/** From where somebody logs in, for people to recognise their sessions by. */
export interface SessionOrigin {
  readonly address: string;
  /** What the client calls itself (`User-Agent`). */
  readonly device: string | null;
  /** The identity provider by which the user signed in; absent: by password. */
  readonly via?: SessionVia;
}

/** What a provider calls the person's session there (`sid`), if it says so. */
export interface SessionVia {
  readonly providerId: ProviderId;
  readonly sid?: string;
}

/** What a login began. A token is good only while its session is among the live ones of its user. */
export interface Session extends SessionOrigin {
  readonly id: string;
  readonly startedAt: Instant;
  /** To within a tenth of the idle time, and five minutes at most: not every request is a write. */
  readonly lastUsedAt: Instant;
  /** However much it is used. */
  readonly endsAt: Instant;
  /** Which of its refresh tokens is the newest, counted from 0. */
  readonly rotation: number;
  /** The administrator who looks in as the user, and by which session of its own; undefined: the user itself. */
  readonly impersonator: Impersonator | undefined;
}

/** The session in which something was begun that outlives it. */
export interface BegunIn {
  readonly sessionId: string;
  /** Of its user at that time: a new password ends what was begun before it. */
  readonly credentialsVersion: number;
}

interface Impersonator {
  readonly userId: UserId;
  readonly sessionId: string;
}

/** A user together with what decides whether its tokens are good. */
export interface Standing {
  readonly user: User;
  /** The live ones, the one used last at the end. */
  readonly sessions: readonly Session[];
}

// ------------------------------------------------------------------------------------------------------- refusals

export type AccountRefusal =
  | { readonly reason: 'not-found' }
  | { readonly reason: 'title-taken' }
  | { readonly reason: 'email-taken'; readonly email: string }
  | { readonly reason: 'email-malformed'; readonly email: string }
  | { readonly reason: 'password-too-short'; readonly minLength: number }
  | { readonly reason: 'password-too-long'; readonly maxLength: number }
  /** Everybody knows or guesses it. */
  | { readonly reason: 'password-well-known' }
  /** Little is left of it without the names of the product, the tenant and the user. */
  | { readonly reason: 'password-made-of-names' }
  /** The record changed since the caller read it. */
  | { readonly reason: 'version-conflict' }
  | { readonly reason: 'already-activated' }
  | { readonly reason: 'not-activated' }
  /** Unknown, used up, or older than its time to live. */
  | { readonly reason: 'activation-token-invalid' }
  /** Unknown, used, or a newer one was asked for. */
  | { readonly reason: 'reset-token-invalid' }
  | { readonly reason: 'reset-token-expired' }
  /** The new password is the old one. */
  | { readonly reason: 'password-unchanged' };

export type AccountAnswer<Value> =
  | { readonly type: 'done'; readonly value: Value }
  | { readonly type: 'refused'; readonly refusal: AccountRefusal }
  | Unavailable;

export function done<Value>(value: Value): AccountAnswer<Value> {
  return { type: 'done', value };
}

export function refused(refusal: AccountRefusal): {
  readonly type: 'refused';
  readonly refusal: AccountRefusal;
} {
  return { type: 'refused', refusal };
}

export type Login =
  | { readonly type: 'welcome'; readonly user: User }
  /** Unknown e-mail and wrong password look the same, and cost the same time. */
  | { readonly type: 'refused'; readonly reason: 'bad-credentials' | 'disabled' }
  | Unavailable;

/** What has to be told of a change of a user. */
export interface News {
  /** As an entry of the audit trail says it; system administrators have none. */
  readonly action: 'ADDED' | 'UPDATED' | 'ACTIVATED' | 'SUSPENDED' | 'CREDENTIALS_UPDATED';
  readonly data: JsonObject;
  /** Announced before a change in another record: true once that has happened. Absent: it is true. */
  readonly when?: 'second-factor-gone';
  /** By a mail, where mails are sent. */
  readonly mail?:
    | { readonly type: 'activation' | 'activated' }
    | { readonly type: 'password-changed'; readonly byMail?: true }
    | { readonly type: 'address-changed'; readonly email: string };
}

/** News that nobody knows to have been told. */
export interface OwedNews extends News {
  /** Of the mail and of the entry, so that told again they are the same. */
  readonly id: MailId;
  readonly at: Instant;
}

/** A link's token, good for one activation. */
export interface Activation {
  readonly token: string;
  readonly expiresAt: Instant;
}

// ---------------------------------------------------------------------------------------------------------- ports

export interface Tenants {
  create(fields: TenantFields): Promise<AccountAnswer<Tenant>>;
  /** Replaces the fields. With `version`: only if that is still the newest. */
  update(id: TenantId, fields: TenantFields, version?: number): Promise<AccountAnswer<Tenant>>;
  find(id: TenantId): Promise<Tenant | undefined>;
  list(query: EntityQuery): Promise<Page<Tenant>>;
  each(): AsyncIterable<Tenant>;
  /** Deletes the tenant's devices, customers and users, then the tenant. Broken off, it is finished by asking again. */
  remove(id: TenantId, by: UserId): Promise<AccountAnswer<void>>;
}

/** Every call names the tenant: another tenant's customer is `not-found`. */
export interface Customers {
  create(tenantId: TenantId, fields: CustomerFields): Promise<AccountAnswer<Customer>>;
  update(
    tenantId: TenantId,
    id: CustomerId,
    fields: CustomerFields,
    version?: number,
  ): Promise<AccountAnswer<Customer>>;
  find(tenantId: TenantId, id: CustomerId): Promise<Customer | undefined>;
  findByTitle(tenantId: TenantId, title: string): Promise<Customer | undefined>;
  list(tenantId: TenantId, query: EntityQuery): Promise<Page<Customer>>;
  /** The customer of this id, of whichever tenant, if it is public and its tenant is there. */
  findPublic(id: CustomerId): Promise<Customer | undefined>;
  /**
   * The tenant's customer `Public`, made when it is not there: who owns a device that everybody may see. Refused with
   * `title-taken` when a customer of that title is there and not public.
   */
  publicOf(tenantId: TenantId): Promise<AccountAnswer<Customer>>;
  /** Unassigns the customer's devices, deletes its users, then itself. Broken off, it is finished by asking again. */
  remove(tenantId: TenantId, id: CustomerId, by: UserId): Promise<AccountAnswer<void>>;
}

/** On whose behalf a password is hashed. */
export interface Asker {
  /** E.g. an address; parties take turns. */
  readonly party: string;
  /** Whether the user has logged in from there before. Who is known goes first. */
  readonly known: boolean;
}

/** Who changes a user. */
export type ChangedBy = 'itself' | 'administrator';

/** A link that somebody has asked for to set another password. */
interface ResetAsked {
  readonly token: string;
  /** Where the link goes. */
  readonly email: string;
  /** Tells which of two was asked for later. */
  readonly askedAt: Instant;
  readonly lifeMs: number;
}

/** Where a change takes `news`, it is owed from the commit of the change on, until `toldNews`. */
export interface Users {
  /** With a password (12 to 72 characters by default) the user is active at once, else it waits for `activate`. */
  create(
    membership: Membership,
    fields: UserFields,
    password?: string,
    news?: News,
  ): Promise<AccountAnswer<User>>;
  /**
   * As `create` with a password, and as `createUnknowing` without one, for somebody who signs up and whose customer was made
   * for this person alone: `email-taken` also where that has such a user already, of another address by now. Both are
   * looked at in the commit that makes the user, so of any number at once one is done.
   */
  createOwner(
    membership: CustomerMembership,
    fields: UserFields,
    password?: string,
    news?: News,
  ): Promise<AccountAnswer<User>>;
  /**
   * As `create`, on behalf of somebody who may not know the users of other tenants: an address that one of these has is
   * not refused. The user is there, and is refused the address at its activation, unless it is free by then.
   */
  createUnknowing(
    membership: TenantMembership,
    fields: UserFields,
    news?: News,
  ): Promise<AccountAnswer<User>>;
  /** @param by `itself`: another address is then the user's own choice, until an administrator saves it */
  update(
    id: UserId,
    fields: UserFields,
    version?: number,
    by?: ChangedBy,
    news?: News,
  ): Promise<AccountAnswer<User>>;
  /** As `update`, likewise: a user who is not activated yet is not refused an address that somebody of another tenant has. */
  updateUnknowing(
    id: UserId,
    fields: UserFields,
    version?: number,
    by?: ChangedBy,
    news?: News,
  ): Promise<AccountAnswer<User>>;
  find(id: UserId): Promise<User | undefined>;
  findByEmail(email: string): Promise<User | undefined>;
  /** The user, if it is there, enabled, and its tenant and customer are there. Else its tokens are worth nothing. */
  standing(id: UserId): Promise<Standing | undefined>;
  lastLoginAt(id: UserId): Promise<Instant | null>;
  /** All users of one membership: the system's, a tenant's or a customer's. */
  list(membership: Membership, query: EntityQuery): Promise<Page<User>>;
  /** All users of a tenant: its administrators and its customers' users. Reads a list per customer. */
  listOfTenant(tenantId: TenantId, query: EntityQuery): Promise<Page<User>>;
  remove(id: UserId): Promise<AccountAnswer<void>>;
  /** Allows or forbids logging in; forbidding outdates the user's tokens too. */
  setEnabled(id: UserId, enabled: boolean, news?: News): Promise<AccountAnswer<User>>;
  /** The user's activation, renewed when it has (almost) expired. */
  activation(id: UserId): Promise<AccountAnswer<Activation>>;
  /** As `activation`, renewed in any case: the link before does not work any more. */
  anotherActivation(id: UserId, news?: News): Promise<AccountAnswer<Activation>>;
  /** Whether an activation token would work now. */
  activationWorks(token: string): Promise<boolean>;
  /**
   * Sets the first password. Of two at once with the same token exactly one is done. Where nobody has proven the address, it ends
   * API keys and sign-ins too: whoever was in before by a provider may have given itself an address that is not its own.
   */
  activate(token: string, password: string, news?: News): Promise<AccountAnswer<User>>;
  /**
   * From now on this token sets another password of the user, within `lifeMs`, and no older one does. Not done for who has
   * no password yet, is disabled, has another address by now, or has asked for a newer one or set a password since. Once
   * more with the same token its time goes on, and when that is over it is not done.
   */
  beginReset(id: UserId, reset: ResetAsked): Promise<AccountAnswer<User>>;
  /** Whether a token of a link would set a password now. */
  resetWorks(token: string): Promise<'good' | 'expired' | 'unknown'>;
  /** Sets another password by such a token, once: every token, session, API key and sign-in of the user ends. */
  resetPassword(token: string, password: string, news?: News): Promise<AccountAnswer<User>>;
  /**
   * Whether this is the password of a user who may log in.
   * @param asker on whose behalf: when many log in at once, parties take turns, and who is known goes first
   */
  login(email: string, password: string, asker?: Asker): Promise<Login>;
  /** Whether the user with this e-mail address has logged in from this network address before. */
  hasSignedInFrom(email: string, address: string): Promise<boolean>;
  /** Why this may not become the password of somebody who is still to be made; undefined: it may. */
  wrongPassword(
    password: string,
    whose: Pick<User, 'membership' | 'email' | 'firstName' | 'lastName'>,
  ): Promise<AccountRefusal | undefined>;
  /** Whether this is the user's password, be the user enabled or not. Asked at the start, not on behalf of anybody. */
  hasPassword(id: UserId, password: string): Promise<boolean>;
  /** Sets a new password; every token issued before is outdated, and every session but `keep` ends. */
  setPassword(
    id: UserId,
    password: string,
    keep?: string,
    ends?: AlsoEnds,
    news?: News,
  ): Promise<AccountAnswer<User>>;
  /**
   * Begins a session of a user as it is now; beyond `sessionsMax` the one that was not used for longest ends. An impersonator's is
   * short, cannot be renewed, and ends none of the user's own.
   */
  startSession(user: User, origin: SessionOrigin, impersonator?: Impersonator): Promise<Session>;
  /** The live sessions, the one used last at the end. */
  sessions(id: UserId): Promise<readonly Session[]>;
  /** A session is being used: writes it down where that is due; undefined where it is not. */
  used(id: UserId, session: Session): Promise<void> | undefined;
  /**
   * A refresh token is used: the session goes on with the next one. The one before the newest is taken for
   * `refreshGraceMs` after the change, for answers that were lost and for two who ask at once: both hear of the newest.
   * Any other one was used before, by somebody: `reused`, and the session has ended. Undefined: there is no such session.
   */
  rotate(id: UserId, sessionId: string, rotation: number): Promise<Session | 'reused' | undefined>;
  /** Resolves to whether the user had such a live session. */
  endSession(id: UserId, sessionId: string): Promise<boolean>;
  /** Ends all sessions but `keep`. Resolves to how many. */
  endSessions(id: UserId, keep?: string): Promise<number>;
  /** Ends those that began by a provider: by that session there, or without one all of them. Resolves to how many. */
  endSessionsVia(id: UserId, via: SessionVia): Promise<number>;
  /** Owes news of a change that is to come (`when`). */
  announce(id: UserId, news: News): Promise<void>;
  /** What is still to be told of the user's changes, the oldest first. */
  news(id: UserId): Promise<readonly OwedNews[]>;
  /** It has been told. Resolves to the user as it is then; undefined: there is none any more. */
  toldNews(id: UserId, told: readonly OwedNews[]): Promise<User | undefined>;
  /** All users of whose changes something is still to be told. */
  withNews(): AsyncIterable<User>;
}

export interface Accounts {
  readonly apiKeys: ApiKeys;
  readonly savedViews: SavedViews;
  /** Answers that users can have again. */
  readonly replays: Replays;
  readonly secondFactors: SecondFactors;
  /** Who a person of an identity provider is here. */
  readonly providerLinks: ProviderLinks;
  readonly tenants: Tenants;
  readonly customers: Customers;
  readonly users: Users;
  /** Clears once more what the deletion of a tenant or a customer has cleared; see `left-behind.ts`. */
  clearAgain(deletion: Deletion): Promise<boolean>;
  /** Hears of every user that changed or went in this process, so that caches can forget it. */
  onUserChange(listener: (id: UserId) => void): void;
}

// ------------------------------------------------------------------------------------------------------- settings

export interface AccountSettings {
  /** Whether `A@x.org` and `a@x.org` are two users. Fixed when the first user is created. */
  readonly loginCaseSensitive: boolean;
  /** Whether the public passwords of the demo open what they are the passwords of, and may be set. */
  readonly demoPasswordsWork: boolean;
  /** Characters. */
  readonly passwordMinLength: number;
  /** Characters. */
  readonly passwordMaxLength: number;
  /** Names of the product, which say nothing in a password. */
  readonly passwordNames: readonly string[];
  /** scrypt's N, a power of two; r = 8 and p = 1 are fixed. Memory per hashing: N * 1024 bytes. */
  readonly passwordHashCost: number;
  /** Hashings at the same time: they share libuv's four threads with the store. */
  readonly passwordHashConcurrency: number;
  /** Hashings that may wait; beyond it the answer is `unavailable`. */
  readonly passwordHashQueue: number;
  /** Milliseconds from a user's creation (or the link's renewal) until the activation link expires. */
  readonly activationTtlMs: number;
  /** Live sessions of one user. */
  readonly sessionsMax: number;
  /** A session ends when it is not used for so long. */
  readonly sessionIdleMs: number;
  /** A session ends so long after the login, however much it is used; 0: it does not. */
  readonly sessionMaxMs: number;
  /** How long a refresh token is taken once more after its use. */
  readonly refreshGraceMs: number;
  /** How long an administrator may look in as another user. */
  readonly impersonationMs: number;
}

export const defaultAccountSettings: AccountSettings = {
  loginCaseSensitive: true,
  demoPasswordsWork: false,
  passwordMinLength: 12,
  passwordMaxLength: 72,
  passwordNames: ['claimd', 'thingsboard'],
  passwordHashCost: 2 ** 15,
  passwordHashConcurrency: 2,
  passwordHashQueue: 64,
  activationTtlMs: 24 * 60 * 60 * 1000,
  sessionsMax: 50,
  sessionIdleMs: 7 * 24 * 60 * 60 * 1000,
  sessionMaxMs: 30 * 24 * 60 * 60 * 1000,
  refreshGraceMs: 30_000,
  impersonationMs: 30 * 60 * 1000,
};
