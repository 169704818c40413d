/**
 * Users: system administrators, tenants' administrators, customers' users. One e-mail address is one user, over the
 * whole server. A user is created with a password, or without one and then activated by a link.
 */
import { newId, type UserId } from '../base/ids.ts';
import { slices } from '../base/slices.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Records } from '../records/records.ts';
import { activationOf, newActivation } from './activation.ts';
import { customersOf, emailKey, publicUser, type StoredUser, usersOf } from './kinds.ts';
import { loginsOf } from './logins.ts';
import { type AccountRefusal, done, type Membership, refused, type Users } from './model.ts';
import type { Removal } from './removal.ts';
import { type Activity, sessionsOf } from './sessions.ts';
import { createUserBase, OVERLOADED, type UserBase, type UserBaseNeeds } from './user-base.ts';

export interface UsersNeeds extends UserBaseNeeds {
  readonly activities: Records<Activity>;
  readonly removal: Removal;
}

/** Everything a list has, on one page. */
const ALL = { page: 0, pageSize: 2 ** 31 - 1 };
/** Customers whose users are looked up in one turn of the event loop. */
const CUSTOMERS_PER_TURN = 100;

// One @, no spaces, a dot in the domain: as much as can be said without sending a mail.
const EMAIL = /^[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;[\]\\]+\.[^\s@<>"(),:;[\]\\.]+$/;
const EMAIL_MAX = 254; // RFC 5321 §4.5.3.1.3, without the angle brackets

export function createUsers({ activities, removal, ...needs }: UsersNeeds): Users {
  const base = createUserBase(needs);
  const sessions = sessionsOf(base, activities);
  return {
    ...peopleOf(base, removal),
    ...listsOf(base),
    ...activationOf(base),
    ...loginsOf(base, sessions),
    ...sessions,
  };
}

/** Creating, changing and removing users. */
function peopleOf(
  base: UserBase,
  removal: Removal,
): Pick<Users, 'create' | 'update' | 'find' | 'findByEmail' | 'setEnabled' | 'remove'> {
  const { clock, settings, users, passwords, checkPassword, membershipStands, change, adjust } = base;

  return {
    async create(membership, fields, password) {
      const wrong =
        checkEmail(fields.email) ??
        (password === undefined ? undefined : await checkPassword(password, { ...fields, membership }));
      if (wrong !== undefined) return refused(wrong);
      if (!(await membershipStands(membership))) return refused({ reason: 'not-found' });
      const passwordHash = password === undefined ? null : await passwords.hash(password);
      if (passwordHash === 'overloaded') return OVERLOADED;

      const at = clock.now();
      const user: StoredUser = {
        id: newId<UserId>(at),
        createdAt: at,
        version: 1,
        membership,
        ...fields,
        enabled: true,
        credentialsVersion: 1,
        passwordHash,
        activation: passwordHash === null ? newActivation(at + settings.activationTtlMs) : null,
      };
      if (!(await users.create(user))) return refused({ reason: 'email-taken', email: fields.email });
      // Its customer or tenant may have been deleted meanwhile; from here on a deletion finds the user.
      if (await membershipStands(membership)) return done(publicUser(user));
      await removal.user(user.id);
      return refused({ reason: 'not-found' });
    },

    async update(id, fields, version) {
      const wrong = checkEmail(fields.email);
      if (wrong !== undefined) return refused(wrong);
      const changed = await change(id, (user) => ({ ...user, ...fields }), version);
      switch (changed.type) {
        case 'done':
          return done(publicUser(changed.entity));
        case 'taken':
          return refused({ reason: 'email-taken', email: fields.email });
        case 'conflict':
          return refused({ reason: 'version-conflict' });
        case 'not-found':
          return refused({ reason: 'not-found' });
        default:
          return unreachable(changed);
      }
    },

    async find(id) {
      const user = await users.find(id);
      return user === undefined ? undefined : publicUser(user);
    },

    async findByEmail(email) {
      const user = await users.findByKey(emailKey(email, settings.loginCaseSensitive));
      return user === undefined ? undefined : publicUser(user);
    },

    setEnabled(id, enabled) {
      return adjust(id, (user) => ({
        ...user,
        enabled,
        credentialsVersion: enabled ? user.credentialsVersion : user.credentialsVersion + 1,
      }));
    },

    remove: (id) => removal.user(id),
  };
}

function listsOf({ users, customers }: UserBase): Pick<Users, 'list' | 'listOfTenant'> {
  return {
    async list(membership, query) {
      const { items, total } = await users.page(usersOf(membership), query);
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
      const found: StoredUser[] = [];
      const { page: _, pageSize: __, ...filter } = query;
      for await (const some of slices(memberships, CUSTOMERS_PER_TURN)) {
        for (const membership of some)
          found.push(...(await users.page(usersOf(membership), { ...filter, ...ALL })).items);
      }
      const sign = query.sortOrder === 'DESC' ? -1 : 1;
      const key = (user: StoredUser) => (query.sortProperty === 'name' ? user.email.toLowerCase() : user.id);
      found.sort((a, b) => sign * (key(a) < key(b) ? -1 : 1));
      const offset = query.page * query.pageSize;
      return { items: found.slice(offset, offset + query.pageSize).map(publicUser), total: found.length };
    },
  };
}

function checkEmail(email: string): AccountRefusal | undefined {
  return email.length <= EMAIL_MAX && EMAIL.test(email) ? undefined : { reason: 'email-malformed', email };
}
