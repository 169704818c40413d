/**
 * Users: system administrators, tenants' administrators, customers' users. One e-mail address is one user, over the
 * whole server. A user is created with a password, or without one and then activated by a link.
 */
import type { Clock, Instant } from '../base/clock.ts';
import { newId, type UserId } from '../base/ids.ts';
import { slices } from '../base/slices.ts';
import type { Collection } from '../records/collection.ts';
import { openRecords } from '../records/records.ts';
import { createSerial } from '../records/serial.ts';
import type { Unavailable } from '../runtime/decider.ts';
import type { Index, Store } from '../store/store.ts';
import { issueToken, RENEW_BEFORE_MS, tokenHolder, useToken } from './activation.ts';
import { type CustomerRow, customersOf } from './customers.ts';
import {
  type AccountAnswer,
  type AccountRefusal,
  type AccountSettings,
  type Activity,
  done,
  type Membership,
  refused,
  type User,
  type Users,
} from './model.ts';
import { createPasswords } from './passwords.ts';
import type { Removal } from './removal.ts';
import type { TenantRow } from './tenants.ts';
import { emailKey, publicUser, type UserRow, usersOf } from './user-rows.ts';

export interface UsersNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly settings: AccountSettings;
  readonly rows: Collection<UserRow>;
  readonly tenants: Collection<TenantRow>;
  readonly customers: Collection<CustomerRow>;
  readonly removal: Removal;
  /** Told of every user that changed. */
  changed(id: UserId): void;
}

export const ACTIVITY_KIND = 'user-activity';
/** Everything a list has, on one page. */
const ALL = { page: 0, pageSize: 2 ** 31 - 1 };
/** Customers whose users are looked up in one turn of the event loop. */
const CUSTOMERS_PER_TURN = 100;
const NO_ACTIVITY: Activity = { lastLoginAt: null, endedSessions: [] };
/** Per user; of more the oldest are forgotten, and expire by themselves a little later. */
const ENDED_SESSIONS_MAX = 100;
const OVERLOADED: Unavailable = { type: 'unavailable', reason: 'overloaded' };

// One @, no spaces, a dot in the domain: as much as can be said without sending a mail.
const EMAIL = /^[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;[\]\\]+\.[^\s@<>"(),:;[\]\\.]+$/;
const EMAIL_MAX = 254; // RFC 5321 §4.5.3.1.3, without the angle brackets

export function createUsers(needs: UsersNeeds): Users {
  const { clock, settings, rows, tenants, customers } = needs;
  const index: Index = needs.store.index;
  const passwords = createPasswords(settings);
  const activities = openRecords<Activity>(needs.store, ACTIVITY_KIND);
  const oneAtATime = createSerial();

  function checkPassword(password: string): AccountRefusal | undefined {
    const { passwordMinLength: minLength, passwordMaxLength: maxLength } = settings;
    const { length } = [...password]; // characters, not UTF-16 units
    if (length < minLength) return { reason: 'password-too-short', minLength };
    if (length > maxLength) return { reason: 'password-too-long', maxLength };
    return undefined;
  }

  async function membershipStands(membership: Membership): Promise<boolean> {
    if (membership.authority === 'SYS_ADMIN') return true;
    if ((await tenants.find(membership.tenantId)) === undefined) return false;
    if (membership.authority === 'TENANT_ADMIN') return true;
    return (await customers.find(membership.customerId))?.tenantId === membership.tenantId;
  }

  async function change(id: UserId, next: (row: UserRow) => UserRow, version?: number) {
    const changed = await rows.change(id, next, version);
    needs.changed(id);
    return changed;
  }

  /** For changes that neither rename nor expect a version. */
  async function adjust(id: UserId, next: (row: UserRow) => UserRow): Promise<AccountAnswer<User>> {
    const changed = await change(id, next);
    return changed.type === 'done' ? done(publicUser(changed.row)) : refused({ reason: 'not-found' });
  }

  async function activity(id: UserId): Promise<Activity> {
    return (await activities.get(id)) ?? NO_ACTIVITY;
  }

  function changeActivity(id: UserId, next: (before: Activity) => Activity): Promise<void> {
    return oneAtATime(id, async () => {
      await activities.update(id, (before) => next(before ?? NO_ACTIVITY));
      if ((await rows.find(id)) === undefined) await activities.remove(id); // the user was removed meanwhile
    });
  }

  /** The user that may be activated by this token now. */
  async function activatable(token: string): Promise<UserRow | undefined> {
    const id = await tokenHolder(index, token);
    const row = id === undefined ? undefined : await rows.find(id);
    const { activation } = row ?? {};
    const good = activation?.token === token && clock.now() < activation.expiresAt;
    return good && row?.passwordHash === null ? row : undefined;
  }

  function withPassword(passwordHash: string): (row: UserRow) => UserRow {
    return (row) => ({
      ...row,
      passwordHash,
      activation: null,
      credentialsVersion: row.credentialsVersion + 1,
    });
  }

  return {
    async create(membership, fields, password) {
      const wrong =
        checkEmail(fields.email) ?? (password === undefined ? undefined : checkPassword(password));
      if (wrong !== undefined) return refused(wrong);
      if (!(await membershipStands(membership))) return refused({ reason: 'not-found' });
      const passwordHash = password === undefined ? null : await passwords.hash(password);
      if (passwordHash === 'overloaded') return OVERLOADED;

      const at = clock.now();
      const id = newId<UserId>(at);
      const activation =
        passwordHash === null ? await issueToken(index, id, at + settings.activationTtlMs) : null;
      const row: UserRow = {
        id,
        createdAt: at,
        version: 1,
        membership,
        ...fields,
        enabled: true,
        credentialsVersion: 1,
        passwordHash,
        activation,
      };
      if (await rows.create(row)) {
        // Its customer or tenant may have been deleted meanwhile; from here on a deletion finds the user.
        if (await membershipStands(membership)) return done(publicUser(row));
        await needs.removal.user(id);
        return refused({ reason: 'not-found' });
      }
      if (activation !== null) await useToken(index, activation.token, id);
      return refused({ reason: 'email-taken', email: fields.email });
    },

    async update(id, fields, version) {
      const wrong = checkEmail(fields.email);
      if (wrong !== undefined) return refused(wrong);
      const changed = await change(id, (row) => ({ ...row, ...fields }), version);
      switch (changed.type) {
        case 'done':
          return done(publicUser(changed.row));
        case 'taken':
          return refused({ reason: 'email-taken', email: fields.email });
        case 'conflict':
          return refused({ reason: 'version-conflict' });
        case 'not-found':
          return refused({ reason: 'not-found' });
        default:
          return changed satisfies never;
      }
    },

    async find(id) {
      const row = await rows.find(id);
      return row === undefined ? undefined : publicUser(row);
    },

    async findByEmail(email) {
      const row = await rows.findByKey(emailKey(email, settings.loginCaseSensitive));
      return row === undefined ? undefined : publicUser(row);
    },

    async standing(id) {
      const row = await rows.find(id);
      if (row === undefined || !row.enabled || !(await membershipStands(row.membership))) return undefined;
      return { user: publicUser(row), endedSessions: (await activity(id)).endedSessions };
    },

    activity,

    async list(membership, query) {
      const { items, total } = await rows.page(usersOf(membership), query);
      return { items: items.map(publicUser), total };
    },

    async listOfTenant(tenantId, query) {
      const ofCustomers = await customers.page(customersOf(tenantId), ALL);
      const memberships: Membership[] = [
        { authority: 'TENANT_ADMIN', tenantId },
        ...ofCustomers.items.map(({ id }) => ({
          authority: 'CUSTOMER_USER' as const,
          tenantId,
          customerId: id,
        })),
      ];
      const found: UserRow[] = [];
      const { page: _, pageSize: __, ...filter } = query;
      for await (const some of slices(memberships, CUSTOMERS_PER_TURN)) {
        for (const membership of some)
          found.push(...(await rows.page(usersOf(membership), { ...filter, ...ALL })).items);
      }
      const sign = query.sortOrder === 'DESC' ? -1 : 1;
      const key = (row: UserRow) => (query.sortProperty === 'name' ? row.email.toLowerCase() : row.id);
      found.sort((a, b) => sign * (key(a) < key(b) ? -1 : 1));
      const offset = query.page * query.pageSize;
      return { items: found.slice(offset, offset + query.pageSize).map(publicUser), total: found.length };
    },

    async remove(id) {
      const answer = await needs.removal.user(id);
      needs.changed(id);
      return answer;
    },

    setEnabled(id, enabled) {
      return adjust(id, (row) => ({
        ...row,
        enabled,
        credentialsVersion: enabled ? row.credentialsVersion : row.credentialsVersion + 1,
      }));
    },

    async activation(id) {
      const row = await rows.find(id);
      if (row === undefined) return refused({ reason: 'not-found' });
      if (row.passwordHash !== null) return refused({ reason: 'already-activated' });
      const { activation } = row;
      const fresh = activation !== null && activation.expiresAt - clock.now() > RENEW_BEFORE_MS;
      // A token that was used up without a password after it (the process died in between) is renewed as well.
      if (fresh && (await tokenHolder(index, activation.token)) === id) return done(activation);

      const renewed = await issueToken(index, id, clock.now() + settings.activationTtlMs);
      const changed = await change(id, (before) =>
        before.passwordHash === null ? { ...before, activation: renewed } : before,
      );
      if (activation !== null) await useToken(index, activation.token, id);
      if (changed.type !== 'done') return refused({ reason: 'not-found' });
      return changed.row.activation === renewed ? done(renewed) : refused({ reason: 'already-activated' });
    },

    async activationWorks(token) {
      return (await activatable(token)) !== undefined;
    },

    async activate(token, password) {
      const wrong = checkPassword(password);
      if (wrong !== undefined) return refused(wrong);
      const row = await activatable(token);
      if (row === undefined) return refused({ reason: 'activation-token-invalid' });
      const passwordHash = await passwords.hash(password);
      if (passwordHash === 'overloaded') return OVERLOADED;
      if (!(await useToken(index, token, row.id))) return refused({ reason: 'activation-token-invalid' });
      return adjust(row.id, withPassword(passwordHash));
    },

    async login(email, password, party) {
      const row = await rows.findByKey(emailKey(email, settings.loginCaseSensitive));
      const matches = await passwords.verify(password, row?.passwordHash ?? null, party);
      if (matches === 'overloaded') return OVERLOADED;
      if (row === undefined || !matches) return { type: 'refused', reason: 'bad-credentials' };
      if (!row.enabled || !(await membershipStands(row.membership))) {
        return { type: 'refused', reason: 'disabled' };
      }
      await changeActivity(row.id, (before) => ({ ...before, lastLoginAt: clock.now() }));
      return { type: 'welcome', user: publicUser(row) };
    },

    async setPassword(id, password) {
      const wrong = checkPassword(password);
      if (wrong !== undefined) return refused(wrong);
      const passwordHash = await passwords.hash(password);
      if (passwordHash === 'overloaded') return OVERLOADED;
      return adjust(id, withPassword(passwordHash));
    },

    async endSession(id, sessionId, until: Instant) {
      await changeActivity(id, (before) => {
        const alive = before.endedSessions.filter(
          (ended) => clock.now() < ended.until && ended.id !== sessionId,
        );
        const endedSessions = [...alive, { id: sessionId, until }].slice(-ENDED_SESSIONS_MAX);
        return { ...before, endedSessions };
      });
      needs.changed(id);
    },
  };
}

function checkEmail(email: string): AccountRefusal | undefined {
  return email.length <= EMAIL_MAX && EMAIL.test(email) ? undefined : { reason: 'email-malformed', email };
}
