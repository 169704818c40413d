/**
 * Users. The system administrator creates system and tenant administrators; a tenant's administrator creates tenant
 * administrators and users of customers; everybody may change their own name. Where the server sends mails a new user gets
 * the activation link by one; else an administrator passes it on (`activation.ts`).
 */

import { z } from 'zod';
import type { AccountAnswer, Accounts, Membership, News, User } from '../../actors/accounts/accounts.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { CustomerId, TenantId, UserId } from '../../actors/base/ids.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import type { TellNews } from '../../actors/mail/user-news.ts';
import { attempt, createLimiter } from '../auth/attempts.ts';
import type { Logins } from '../auth/logins.ts';
import {
  ADMINISTRATORS,
  EVERYBODY,
  isRightBelow,
  type Principal,
  SYSTEM,
  TENANT,
  TENANT_AND_CUSTOMER,
} from '../auth/principal.ts';
import type { Tokens } from '../auth/tokens.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { pageView } from '../views/page.ts';
import { tokenPairView, userView, viewUser, viewUserWithState, withoutState } from '../views/user.ts';
import { accountProblem, badRequest, notFound, permissionDenied, tooManyRequests } from '../wire/errors.ts';
import { unlessVisible } from '../wire/names.ts';
import { switched } from '../wire/query.ts';
import { empty, isProblem, json, type Problem } from '../wire/reply.ts';
import {
  additionalInfo,
  credential,
  customerId,
  optionalText,
  reference,
  requiredText,
  tenantId,
  userId,
  userPaging,
  version,
} from '../wire/schemas.ts';
import { type Found, isBeyondDelegation, manageableUser, visibleCustomer } from './access.ts';
import { pageReply } from './answers.ts';
import { byOf, type NotesChanges, noteSession, noteUser } from './user-notes.ts';

const inPath = z.object({ userId });

const userBody = z.object(
  {
    id: reference(userId),
    email: requiredText('User email'),
    authority: z.enum(EVERYBODY, { error: 'User authority should be specified!' }),
    tenantId: reference(tenantId),
    customerId: reference(customerId),
    firstName: optionalText('First name'),
    lastName: optionalText('Last name'),
    phone: optionalText('Phone'),
    additionalInfo: additionalInfo.transform(withoutState),
    version,
    /** Ours: the caller's, for another address of its own or of its like. */
    currentPassword: credential.nullish(),
  },
  { error: 'The body should be a JSON object!' },
);

export interface UserNeeds {
  readonly accounts: Accounts;
  readonly audit: NotesChanges;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly logins: Logins;
  readonly tellNews: TellNews;
  /** Counts addresses that were taken; without it this process counts for itself. */
  readonly counters?: Counters;
  readonly settings: Pick<ApiSettings, 'userTokenAccess' | 'freshLoginMs'>;
}

export function userRoutes(needs: UserNeeds): Route[] {
  return [
    saveUser(needs),
    tokenAccessEnabled(needs),
    userToken(needs),
    listUsers(needs),
    readUser(needs),
    deleteUser(needs),
    enableUser(needs),
    listUsersOfCustomer(needs),
    listTenantAdministrators(needs),
  ];
}

type Named = Pick<User, 'email' | 'firstName' | 'lastName'>;

function namesOf({ email, firstName, lastName }: Named, now: Named | undefined) {
  return [
    ['User email', email, now?.email],
    ['First name', firstName, now?.firstName],
    ['Last name', lastName, now?.lastName],
  ] as const;
}

/** An active user's new address is refused when somebody of another tenant has it: told so often to one caller. */
const TAKEN_ADDRESSES = { max: 10, windowMs: 3_600_000 } as const;
const TOO_MANY_ADDRESSES = 'Too many addresses that others have, try again later';

/** Makes a change, unless the caller has met too many taken addresses. */
type BoundedChange = ReturnType<typeof boundTakenAddresses>;

function boundTakenAddresses(counters: Counters | undefined) {
  const limiter = createLimiter('taken-addresses', TAKEN_ADDRESSES, counters);
  const isTaken = (answer: AccountAnswer<User>) =>
    answer.type === 'refused' && answer.refusal.reason === 'email-taken';
  return (caller: UserId, change: () => Promise<AccountAnswer<User>>) =>
    attempt([{ limiter, key: caller }], change, (answer) => (isTaken(answer) ? 1 : 0));
}

function saveUser(needs: UserNeeds): Route {
  const bounded = boundTakenAddresses(needs.counters);
  return defineRoute({
    method: 'POST',
    path: '/api/user',
    stores: true,
    summary: 'Create a user, or with an id: change e-mail, names and phone',
    roles: EVERYBODY,
    query: z.object({ sendActivationMail: switched('sendActivationMail') }),
    body: userBody,
    responses: {
      200: { description: 'The user', schema: userView },
      400: {
        description:
          'The e-mail address is taken or malformed; or it is of the caller or its like, and neither is the currentPassword right nor the login fresh',
      },
      403: { description: 'Not a user whom the caller may make or change' },
      404: { description: 'No such user, customer or tenant' },
      409: { description: 'Changed since the version given' },
      429: { description: 'Too many wrong passwords' },
    },
    async handle({ principal, body, query, address }) {
      const saved =
        body.id === undefined
          ? await createUser(needs, principal, body, query.sendActivationMail ?? true)
          : await changeUser(needs, principal, { ...body, id: body.id }, address, bounded);
      return saved.type === 'found' ? json(viewUser(saved.value)) : saved;
    },
  });
}

type UserBody = z.output<typeof userBody>;

const fieldsOf = ({ email, firstName, lastName, phone, additionalInfo }: UserBody) => ({
  email,
  firstName,
  lastName,
  phone,
  additionalInfo,
});

async function createUser(
  { accounts: { users }, tellNews }: UserNeeds,
  principal: Principal,
  body: UserBody,
  sendsMail: boolean,
): Promise<Found<User> | Problem> {
  const membership = newMembership(principal, body.authority, body.tenantId, body.customerId);
  if (isProblem(membership)) return membership;
  if (isBeyondDelegation(principal, membership)) return permissionDenied;
  const fields = fieldsOf(body);
  const hidden = unlessVisible(namesOf(fields, undefined));
  if (hidden !== undefined) return hidden;
  const news: News = {
    action: 'ADDED',
    data: { email: body.email, authority: membership.authority, ...byOf(principal) },
    ...(sendsMail ? { mail: { type: 'activation' } } : {}),
  };
  const created =
    principal.authority === 'SYS_ADMIN' || membership.authority === 'SYS_ADMIN'
      ? await users.create(membership, fields, undefined, news)
      : await users.createUnknowing(membership, fields, news);
  if (created.type !== 'done') return accountProblem(created, 'User');
  return { type: 'found', value: await tellNews(created.value) };
}

async function changeUser(
  needs: UserNeeds,
  principal: Principal,
  body: UserBody & { readonly id: UserId },
  address: string,
  bounded: BoundedChange,
): Promise<Found<User> | Problem> {
  const { accounts, tellNews } = needs;
  const found = await manageableUser(accounts, principal, body.id);
  if (found.type !== 'found') return found;
  const before = found.value;
  const fields = fieldsOf(body);
  const hidden = unlessVisible(namesOf(fields, before));
  if (hidden !== undefined) return hidden;
  const { id } = before;
  const movesTo = body.email === before.email ? undefined : body.email;
  if (movesTo !== undefined) {
    const asked = { principal, user: before, password: body.currentPassword ?? undefined, address };
    const refused = await mayChangeAddress(needs, asked);
    if (refused !== undefined) return refused;
  }
  const knowsAll = principal.authority === 'SYS_ADMIN';
  const update = knowsAll ? accounts.users.update : accounts.users.updateUnknowing;
  const by = id === principal.userId ? 'itself' : 'administrator';
  const told = movesTo === undefined ? {} : { emailBefore: before.email, email: movesTo };
  const hears = before.activated && movesTo !== undefined;
  const news: News = {
    action: 'UPDATED',
    data: { ...told, ...byOf(principal) },
    ...(hears ? { mail: { type: 'address-changed', email: before.email } } : {}),
  };
  const change = () => update(id, fields, body.version, by, news);
  const changed = knowsAll ? await change() : await bounded(principal.userId, change);
  if (changed.type === 'blocked') return tooManyRequests(TOO_MANY_ADDRESSES, changed.retryAfterMs);
  if (changed.type !== 'done') return accountProblem(changed, 'User');
  return { type: 'found', value: await tellNews(changed.value) };
}

interface AddressChange {
  readonly principal: Principal;
  readonly user: User;
  /** The caller's own. */
  readonly password: string | undefined;
  readonly address: string;
}

/**
 * Why the caller may not change the address that a user logs in with; undefined: it may. For those right below it may
 * always. For itself and its like a token is not enough: who stole it would take the account over for good.
 */
async function mayChangeAddress(
  { accounts: { users }, clock, logins, settings }: UserNeeds,
  { principal, user, password, address }: AddressChange,
): Promise<Problem | undefined> {
  if (isRightBelow(principal, user.membership)) return undefined;
  if (isBeyondDelegation(principal, user.membership)) return permissionDenied;
  const caller = await users.find(principal.userId);
  if (caller === undefined) return notFound;
  if (password !== undefined) return logins.confirm(caller, password, address);
  const session = (await users.sessions(caller.id)).find(({ id }) => id === principal.sessionId);
  const isFresh = session !== undefined && clock.now() - session.startedAt < settings.freshLoginMs;
  return isFresh
    ? undefined
    : badRequest(
        'Another e-mail address takes the current password (currentPassword), or logging in again first!',
      );
}

function tokenAccessEnabled({ settings }: UserNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/user/tokenAccessEnabled',
    summary: "Whether administrators may have tokens of others' (see /api/user/{userId}/token)",
    roles: ADMINISTRATORS,
    responses: { 200: { description: 'The setting', schema: z.boolean() } },
    handle: () => json(settings.userTokenAccess),
  });
}

function userToken({ accounts, audit, tokens, settings }: UserNeeds): Route {
  const { users } = accounts;
  return defineRoute({
    method: 'GET',
    path: '/api/user/:userId/token',
    summary:
      'A short session as a user, to see what the user sees: of tenant administrators, or of customers’ users. It cannot be renewed, changes nothing that one logs in with, and ends with the session that asks',
    roles: ADMINISTRATORS,
    grants: ['everything'],
    params: inPath,
    responses: {
      200: { description: 'Its tokens; the refresh token is good for nothing', schema: tokenPairView },
      403: { description: 'Switched off, not a user right below the caller, or asked by an API key' },
      404: { description: 'No such user, or it may not log in' },
    },
    async handle({ principal, params, origin }) {
      const user = await manageableUser(accounts, principal, params.userId);
      if (user.type !== 'found') return user;
      const { userId: own, sessionId } = principal;
      const allowed = settings.userTokenAccess && isRightBelow(principal, user.value.membership);
      if (!allowed || sessionId === undefined) return permissionDenied;
      const standing = user.value.activated ? await users.standing(user.value.id) : undefined;
      if (standing === undefined) return notFound;
      const session = await users.startSession(standing.user, origin(), { userId: own, sessionId });
      noteSession(audit, 'LOGIN', standing.user, undefined, { by: own, until: session.endsAt });
      await audit.noted();
      return json(tokens.issue(standing.user, session));
    },
  });
}

function listUsers({ accounts: { users } }: UserNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/users',
    summary: "All users of the caller's tenant, or of the caller's customer",
    roles: TENANT_AND_CUSTOMER,
    query: userPaging,
    responses: { 200: { description: 'A page of users', schema: pageView(userView) } },
    async handle({ principal, query }) {
      const { authority, tenantId: tenant } = principal;
      const page =
        authority === 'TENANT_ADMIN'
          ? await users.listOfTenant(tenant, query)
          : await users.list({ authority, tenantId: tenant, customerId: principal.customerId }, query);
      return pageReply(page, query, viewUser);
    },
  });
}

function readUser({ accounts }: UserNeeds): Route {
  const { users } = accounts;
  return defineRoute({
    method: 'GET',
    path: '/api/user/:userId',
    summary: 'A user, with whether it is activated and enabled',
    roles: EVERYBODY,
    params: inPath,
    responses: {
      200: { description: 'The user', schema: userView },
      403: { description: 'Not a user whom the caller may see' },
      404: { description: 'No such user' },
    },
    async handle({ principal, params }) {
      const user = await manageableUser(accounts, principal, params.userId);
      if (user.type !== 'found') return user;
      return json(viewUserWithState(user.value, await users.lastLoginAt(params.userId)));
    },
  });
}

function deleteUser({ accounts, audit }: UserNeeds): Route {
  const { users } = accounts;
  return defineRoute({
    method: 'DELETE',
    path: '/api/user/:userId',
    summary: 'Delete a user; its tokens are worth nothing from now on',
    roles: ADMINISTRATORS,
    params: inPath,
    responses: {
      200: { description: 'Deleted' },
      403: { description: 'Not a user whom the caller may delete; nobody deletes itself' },
      404: { description: 'No such user' },
    },
    async handle({ principal, params }) {
      const user = await manageableUser(accounts, principal, params.userId);
      if (user.type !== 'found') return user;
      if (params.userId === principal.userId) return permissionDenied;
      const removed = await users.remove(params.userId);
      if (removed.type !== 'done') return accountProblem(removed, 'User');
      const { email } = user.value;
      await noteUser(audit, 'DELETED', user.value, { email, ...byOf(principal) });
      return empty;
    },
  });
}

function enableUser({ accounts, tellNews }: UserNeeds): Route {
  const { users } = accounts;
  return defineRoute({
    method: 'POST',
    path: '/api/user/:userId/userCredentialsEnabled',
    summary: 'Allow a user to log in, or forbid it and outdate its tokens',
    roles: ADMINISTRATORS,
    params: inPath,
    query: z.object({ userCredentialsEnabled: switched('userCredentialsEnabled') }),
    responses: {
      200: { description: 'Done' },
      403: { description: 'Not a user whom the caller may change; nobody locks itself out' },
      404: { description: 'No such user' },
    },
    async handle({ principal, params, query }) {
      const user = await manageableUser(accounts, principal, params.userId);
      if (user.type !== 'found') return user;
      const enabled = query.userCredentialsEnabled ?? true;
      if (!enabled && params.userId === principal.userId) return permissionDenied;
      const action = enabled ? 'ACTIVATED' : 'SUSPENDED';
      const changed = await users.setEnabled(params.userId, enabled, { action, data: byOf(principal) });
      if (changed.type !== 'done') return accountProblem(changed, 'User');
      await tellNews(changed.value);
      return empty;
    },
  });
}

function listUsersOfCustomer({ accounts }: UserNeeds): Route {
  const { users } = accounts;
  return defineRoute({
    method: 'GET',
    path: '/api/customer/:customerId/users',
    summary: "A customer's users",
    roles: TENANT,
    params: z.object({ customerId }),
    query: userPaging,
    responses: {
      200: { description: 'A page of users', schema: pageView(userView) },
      404: { description: 'No such customer' },
    },
    async handle({ principal, params, query }) {
      const customer = await visibleCustomer(accounts, principal, params.customerId);
      if (customer.type !== 'found') return customer;
      const { tenantId: tenant, id } = customer.value;
      const page = await users.list({ authority: 'CUSTOMER_USER', tenantId: tenant, customerId: id }, query);
      return pageReply(page, query, viewUser);
    },
  });
}

function listTenantAdministrators({ accounts: { users, tenants } }: UserNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/tenant/:tenantId/users',
    summary: "A tenant's administrators",
    roles: SYSTEM,
    params: z.object({ tenantId }),
    query: userPaging,
    responses: {
      200: { description: 'A page of users', schema: pageView(userView) },
      404: { description: 'No such tenant' },
    },
    async handle({ params, query }) {
      if ((await tenants.find(params.tenantId)) === undefined) return notFound;
      const page = await users.list({ authority: 'TENANT_ADMIN', tenantId: params.tenantId }, query);
      return pageReply(page, query, viewUser);
    },
  });
}

/** Where a new user belongs. Only the system administrator chooses the tenant. */
function newMembership(
  principal: Principal,
  authority: Principal['authority'],
  tenant: TenantId | undefined,
  customer: CustomerId | undefined,
): Membership | Problem {
  if (principal.authority === 'SYS_ADMIN') {
    if (authority === 'SYS_ADMIN') return { authority };
    if (authority === 'CUSTOMER_USER') return permissionDenied;
    return tenant === undefined
      ? badRequest('Tenant administrator should be assigned to tenant!')
      : { authority, tenantId: tenant };
  }
  if (principal.authority !== 'TENANT_ADMIN' || authority === 'SYS_ADMIN') return permissionDenied;
  const { tenantId: own } = principal;
  if (authority === 'TENANT_ADMIN') return { authority, tenantId: own };
  return customer === undefined
    ? badRequest('Customer user should be assigned to customer!')
    : { authority, tenantId: own, customerId: customer };
}
