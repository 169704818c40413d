/** Login, renewal of tokens, logout, and the caller's own password. */

import { z } from 'zod';
import type { Accounts, SessionOrigin, User } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import { NULL_UUID } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import type { TellNews } from '../../actors/mail/user-news.ts';
import { reportBug } from '../../actors/runtime/supervision.ts';
import type { Authentication } from '../auth/authentication.ts';
import type { Logins } from '../auth/logins.ts';
import { EVERYBODY, type Principal } from '../auth/principal.ts';
import type { SecondFactorAuth } from '../auth/second-factor.ts';
import type { Tokens } from '../auth/tokens.ts';
import { defineRoute, type Route } from '../route.ts';
import { loginView, tokenPairView, userView, viewAnonymousUser, viewUser } from '../views/user.ts';
import {
  accountNotActive,
  accountProblem,
  badCredentials,
  notFound,
  tokenExpired,
  tooManyRequests,
  unavailable,
} from '../wire/errors.ts';
import { empty, json, type Reply } from '../wire/reply.ts';
import { credential, NAME_MAX } from '../wire/schemas.ts';
import { impersonatorOf, noteSession } from './user-notes.ts';
import { clearWaysIn } from './ways-in.ts';

export interface AuthNeeds {
  readonly accounts: Accounts;
  readonly audit: AuditTrail;
  readonly tokens: Tokens;
  readonly authentication: Authentication;
  readonly log: Log;
  readonly logins: Logins;
  readonly factors: SecondFactorAuth;
  readonly tellNews: TellNews;
}

export function authRoutes(needs: AuthNeeds): Route[] {
  return [login(needs), renewTokens(needs), logout(needs), readCaller(needs), changePassword(needs)];
}

function login(needs: AuthNeeds): Route {
  const { logins } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/auth/login',
    summary: 'Log in by e-mail and password',
    roles: ['PUBLIC'],
    // A missing field, or one that is not a text, is answered like a wrong password.
    body: z
      .object({ username: z.string().max(NAME_MAX), password: credential })
      .or(z.unknown().transform(() => undefined)),
    malformedBody: badCredentials,
    responses: {
      200: {
        description:
          'A token for requests and one to renew it; or one for showing (PRE_VERIFICATION_TOKEN) or setting up (MFA_CONFIGURATION_TOKEN) a second factor',
        schema: loginView,
      },
      401: { description: 'Wrong e-mail or password, or the account is not active' },
      429: { description: 'Too many failed logins of this user from your address' },
    },
    async handle({ body, origin }) {
      if (body === undefined) return badCredentials;
      const { username, password } = body;
      const from = origin();
      const login = await logins.attempt(username, password, from);
      if (login.type === 'refused') {
        // Not awaited: the time it takes would show whether there is such a user.
        void noteFailedLogin(needs, username, login.reason);
      }
      switch (login.type) {
        case 'welcome':
          return welcome(needs, login.user, from);
        case 'refused':
          return login.reason === 'disabled' ? accountNotActive : badCredentials;
        case 'unavailable':
          return unavailable(login.reason);
        case 'blocked':
          return tooManyRequests('Too many failed logins, try again later', login.retryAfterMs);
        default:
          return unreachable(login);
      }
    },
  });
}

/** Begins a session of somebody whose password is right, or says what is still wanted. */
export async function welcome(
  {
    accounts: { users },
    audit,
    tokens,
    factors,
  }: Pick<AuthNeeds, 'accounts' | 'audit' | 'tokens' | 'factors'>,
  user: User,
  origin: SessionOrigin,
): Promise<Reply> {
  const step = await factors.stepAfterPassword(user);
  if (step !== 'none') {
    const scope = step === 'verifying' ? 'PRE_VERIFICATION_TOKEN' : 'MFA_CONFIGURATION_TOKEN';
    return json({ token: tokens.issueStep(user, step, origin.via), refreshToken: null, scope });
  }
  noteSession(audit, 'LOGIN', user);
  return json(tokens.issue(user, await users.startSession(user, origin)));
}

function renewTokens({ authentication, audit, log }: AuthNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/auth/token',
    summary: 'Renew the tokens by the newest refresh token, which is used up then',
    roles: ['PUBLIC'],
    body: z.object({ refreshToken: z.string() }).or(z.unknown().transform(() => undefined)),
    malformedBody: badCredentials,
    responses: {
      200: { description: 'A new pair, of the same session', schema: tokenPairView },
      401: {
        description:
          'No refresh token of ours (errorCode 10), or an outdated one (11). One that was used before ends the session',
      },
    },
    async handle({ body }) {
      if (body === undefined) return badCredentials;
      const renewed = await authentication.refresh(body.refreshToken);
      if (renewed.type === 'good') return json(renewed.tokens);
      if (renewed.type !== 'reused') return renewed;
      noteSession(audit, 'LOGOUT', renewed.user, 'a refresh token was used twice');
      log.warn({ userId: renewed.user.id }, 'a refresh token was used twice: its session has ended');
      return tokenExpired;
    },
  });
}

function logout({ accounts: { users }, audit }: AuthNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/auth/logout',
    summary: 'End the session: its tokens are outdated from now on. By an API key nothing ends',
    roles: EVERYBODY,
    responses: { 200: { description: 'Ended' } },
    async handle({ principal }) {
      if (principal.sessionId === undefined) return empty;
      await users.endSession(principal.userId, principal.sessionId);
      const user = await users.find(principal.userId);
      if (user !== undefined) noteSession(audit, 'LOGOUT', user, undefined, impersonatorOf(principal));
      return empty;
    },
  });
}

function readCaller({ accounts }: AuthNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/auth/user',
    summary: 'The caller',
    roles: EVERYBODY,
    grants: ['everything', 'delegated', 'reading', 'claiming'],
    responses: { 200: { description: 'The caller', schema: userView } },
    async handle({ principal }) {
      const user = await viewOfCaller(accounts, principal);
      return user === undefined ? notFound : json(user);
    },
  });
}

/** Undefined: there is no such user any more. */
export async function viewOfCaller({ users, customers }: Accounts, principal: Principal) {
  if (principal.authority === 'CUSTOMER_USER' && principal.userId === NULL_UUID) {
    const customer = await customers.findPublic(principal.customerId);
    return customer === undefined ? undefined : viewAnonymousUser(customer);
  }
  const user = await users.find(principal.userId);
  return user === undefined ? undefined : viewUser(user);
}

function changePassword({ accounts, tokens, logins, tellNews }: AuthNeeds): Route {
  const { users } = accounts;
  return defineRoute({
    method: 'POST',
    path: '/api/auth/changePassword',
    summary:
      "Change the caller's password; every token issued before is outdated, and all other sessions end",
    roles: EVERYBODY,
    grants: ['everything'],
    body: z.object(
      {
        currentPassword: credential,
        newPassword: credential,
        /** Ours: revokes the caller's API keys, too. */
        revokeApiKeys: z.boolean({ error: 'revokeApiKeys should be true or false!' }).default(false),
      },
      { error: 'The body should be a JSON object!' },
    ),
    responses: {
      200: { description: 'Changed; new tokens', schema: tokenPairView },
      400: {
        description: 'The current password is another, or the new one is too short, too long or well known',
      },
      429: { description: 'Too many wrong passwords' },
    },
    async handle({ principal, body, address, origin }) {
      const user = await users.find(principal.userId);
      if (user === undefined) return notFound;
      const wrong = await logins.confirm(user, body.currentPassword, address);
      if (wrong !== undefined) return wrong;
      const ends = { apiKeys: body.revokeApiKeys };
      const changed = await users.setPassword(user.id, body.newPassword, principal.sessionId, ends, {
        action: 'CREDENTIALS_UPDATED',
        data: { password: 'changed', revokedApiKeys: body.revokeApiKeys },
        mail: { type: 'password-changed' },
      });
      if (changed.type !== 'done') return accountProblem(changed, 'User');
      await tellNews(changed.value);
      await clearWaysIn(accounts, user.id);
      const kept = (await users.sessions(user.id)).find(({ id }) => id === principal.sessionId);
      const session = kept ?? (await users.startSession(changed.value, origin()));
      return json(tokens.issue(changed.value, session));
    },
  });
}

async function noteFailedLogin(
  { accounts, audit, log }: AuthNeeds,
  username: string,
  reason: string,
): Promise<void> {
  try {
    const user = await accounts.users.findByEmail(username);
    if (user !== undefined) noteSession(audit, 'LOGIN', user, reason);
    // No trail is theirs, and nobody else would hear of it.
    if (user?.membership.authority === 'SYS_ADMIN')
      log.warn({ userId: user.id, reason }, 'a login as system administrator failed');
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) reportBug(log, 'http request', error);
  }
}
