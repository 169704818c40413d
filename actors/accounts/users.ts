/**
 * Users: system administrators, tenants' administrators, customers' users. One e-mail address is one user, over the
 * whole server. A user is created with a password, or without one and then activated by a link.
 */
import { newId, type TenantId, type UserId } from '../base/ids.ts';
import { nextTurn } from '../base/slices.ts';
import { isEmail } from '../base/text.ts';
import { unreachable } from '../base/unreachable.ts';
import { type Found, pageOfFound, sortFound } from '../records/pages.ts';
import type { Records } from '../records/records.ts';
import { activationOf, newActivation } from './activation.ts';
import { customersOf, emailKey, publicUser, type StoredUser, sealedActivation, usersOf } from './kinds.ts';
import { loginsOf } from './logins.ts';
import {
  type AccountAnswer,
  type AccountRefusal,
  type ChangedBy,
  done,
  type Membership,
  type News,
  refused,
  type User,
  type UserFields,
  type Users,
} from './model.ts';
import { newsOf, owing } from './news.ts';
import { passwordResetsOf } from './password-reset.ts';
import type { Removal } from './removal.ts';
import { type Activity, sessionsOf } from './sessions.ts';
import { createUserBase, OVERLOADED, type UserBase, type UserBaseNeeds } from './user-base.ts';

export interface UsersNeeds extends UserBaseNeeds {
  readonly activities: Records<Activity>;
  readonly removal: Removal;
}

interface Creation {
  readonly password?: string | undefined;
  /** The tenant on whose behalf; undefined: somebody who may know all users. */
  readonly asks?: TenantId | undefined;
  readonly ownsCustomer?: true;
  readonly news?: News | undefined;
}

/** Customers whose users are looked up in one turn of the event loop. */
const CUSTOMERS_PER_TURN = 100;

export function createUsers({ activities, removal, ...needs }: UsersNeeds): Users {
  const base = createUserBase(needs);
  const sessions = sessionsOf(base, activities);
  return {
    ...peopleOf(base, removal),
    ...listsOf(base),
    ...activationOf(base),
    ...passwordResetsOf(base),
    ...loginsOf(base, sessions),
    ...sessions,
    ...newsOf(base),
  };
}

/** Creating, changing and removing users. */
function peopleOf(
  base: UserBase,
  removal: Removal,
): Pick<
  Users,
  | 'create'
  | 'createUnknowing'
  | 'createOwner'
  | 'update'
  | 'updateUnknowing'
  | 'find'
  | 'findByEmail'
  | 'setEnabled'
  | 'wrongPassword'
  | 'remove'
> {
  const { clock, settings, users, secrets, passwords, checkPassword, membershipStands, change, adjust } =
    base;

  /** Whether somebody has the address of whom this tenant may not know. */
  async function isTakenElsewhere(email: string, tenantId: TenantId): Promise<boolean> {
    const holder = (await users.findByKey(emailKey(email, settings.loginCaseSensitive)))?.membership;
    return holder !== undefined && (holder.authority === 'SYS_ADMIN' || holder.tenantId !== tenantId);
  }

  async function create(
    membership: Membership,
    fields: UserFields,
    { password, asks, ownsCustomer, news }: Creation,
  ): Promise<AccountAnswer<User>> {
    const wrong =
      checkEmail(fields.email) ??
      (password === undefined ? undefined : await checkPassword(password, { ...fields, membership }));
    if (wrong !== undefined) return refused(wrong);
    if (!(await membershipStands(membership))) return refused({ reason: 'not-found' });
    const passwordHash = password === undefined ? null : await passwords.hash(password);
    if (passwordHash === 'overloaded') return OVERLOADED;

    const at = clock.now();
    const id = newId<UserId>(at);
    const made: StoredUser = {
      id,
      createdAt: at,
      version: 1,
      membership,
      ...fields,
      ...(asks === undefined ? { emailIsProven: true as const } : {}),
      ...(ownsCustomer === true ? { ownsCustomer } : {}),
      enabled: true,
      credentialsVersion: 1,
      passwordHash,
      activation:
        passwordHash === null
          ? sealedActivation(secrets, id, newActivation(at + settings.activationTtlMs))
          : null,
    };
    const user = owing(news, at, (one) => ({ ...one }))(made);
    if (!(await users.create(user))) {
      const hides = asks !== undefined && (await isTakenElsewhere(fields.email, asks));
      if (!hides || !(await users.create({ ...user, addressTaken: true })))
        return refused({ reason: 'email-taken', email: fields.email });
    }
    // Its customer or tenant may have been deleted meanwhile; from here on a deletion finds the user.
    if (await membershipStands(membership)) return done(publicUser(user));
    await removal.user(user.id);
    return refused({ reason: 'not-found' });
  }

  async function update(
    id: UserId,
    fields: UserFields,
    version?: number,
    by: ChangedBy = 'administrator',
    news?: News,
    asks?: TenantId,
  ): Promise<AccountAnswer<User>> {
    const wrong = checkEmail(fields.email);
    if (wrong !== undefined) return refused(wrong);
    const next = owing(news, clock.now(), (stored) => {
      const { addressTaken, emailIsOwnChoice, emailIsProven, passwordReset, ...user } = stored;
      const isSame = user.email === fields.email;
      const isProven = isSame ? emailIsProven === true : by !== 'itself' && asks === undefined;
      const keeps = addressTaken === true && isSame;
      const isOwn = by === 'itself' && (emailIsOwnChoice === true || !isSame);
      const address = {
        ...(keeps ? { addressTaken } : {}),
        ...(isOwn ? { emailIsOwnChoice: true as const } : {}),
        ...(isProven ? { emailIsProven: true as const } : {}),
        // A link that went to the address before is for whoever reads that.
        ...(passwordReset !== undefined && isSame ? { passwordReset } : {}),
      };
      return { ...user, ...fields, ...address };
    });
    let changed = await change(id, next, version);
    if (changed.type === 'taken' && asks !== undefined && (await isTakenElsewhere(fields.email, asks))) {
      // An active user would lose the address that it logs in with.
      changed = await change(
        id,
        (user) => (user.passwordHash === null ? { ...next(user), addressTaken: true } : next(user)),
        version,
      );
    }
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
  }

  return {
    create: (membership, fields, password, news) => create(membership, fields, { password, news }),
    createUnknowing: (membership, fields, news) =>
      create(membership, fields, { asks: membership.tenantId, news }),

    createOwner(membership, fields, password, news) {
      const asks = password === undefined ? membership.tenantId : undefined;
      return create(membership, fields, { password, asks, ownsCustomer: true, news });
    },

    update: (id, fields, version, by, news) => update(id, fields, version, by, news),

    async updateUnknowing(id, fields, version, by, news) {
      const { membership } = (await users.find(id)) ?? {};
      if (membership === undefined) return refused({ reason: 'not-found' });
      return update(
        id,
        fields,
        version,
        by,
        news,
        membership.authority === 'SYS_ADMIN' ? undefined : membership.tenantId,
      );
    },

    async find(id) {
      const user = await users.find(id);
      return user === undefined ? undefined : publicUser(user);
    },

    async findByEmail(email) {
      const user = await users.findByKey(emailKey(email, settings.loginCaseSensitive));
      return user === undefined ? undefined : publicUser(user);
    },

    setEnabled(id, enabled, news) {
      const set = owing(news, clock.now(), (user) => ({
        ...user,
        enabled,
        credentialsVersion: enabled ? user.credentialsVersion : user.credentialsVersion + 1,
      }));
      return adjust(id, set);
    },

    wrongPassword: checkPassword,
    remove: (id) => removal.user(id),
  };
}

function listsOf({ users, customers }: UserBase): Pick<Users, 'list' | 'listOfTenant'> {
  return {
    async list(membership, query) {
      const page = await users.page(usersOf(membership), query);
      return { ...page, items: page.items.map(publicUser) };
    },

    async listOfTenant(tenantId, query) {
      const isByName = query.sortProperty === 'name';
      // Of each no more is kept than it is sorted by, as in `readPage`: where people sign up, each has a customer of its own.
      const found: Found[] = [];
      const add = async (membership: Membership) => {
        for await (const { id, email } of users.each(usersOf(membership), query.textSearch))
          found.push({ id, key: isByName ? email.toLowerCase() : id });
      };
      await add({ authority: 'TENANT_ADMIN', tenantId });
      let customersSeen = 0;
      for await (const { id } of customers.each(customersOf(tenantId))) {
        await add({ authority: 'CUSTOMER_USER', tenantId, customerId: id });
        customersSeen += 1;
        if (customersSeen % CUSTOMERS_PER_TURN === 0) await nextTurn();
      }
      sortFound(found, query);
      const page = await pageOfFound(users, found, query);
      return { ...page, items: page.items.map(publicUser) };
    },
  };
}

function checkEmail(email: string): AccountRefusal | undefined {
  return isEmail(email) ? undefined : { reason: 'email-malformed', email };
}
