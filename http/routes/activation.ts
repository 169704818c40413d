/** The first password of a new user: the activation link that an administrator passes on, and setting the password. */

import { z } from 'zod';
import type { Accounts, User } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { UserId } from '../../actors/base/ids.ts';
import type { Mails } from '../../actors/mail/model.ts';
import type { TellNews } from '../../actors/mail/user-news.ts';
import { ADMINISTRATORS, type Principal } from '../auth/principal.ts';
import type { SecondFactorAuth } from '../auth/second-factor.ts';
import type { Tokens } from '../auth/tokens.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { loginView } from '../views/user.ts';
import { accountProblem, badRequest, notFound, permissionDenied, tooManyRequests } from '../wire/errors.ts';
import { activationLink as linkWith, prefixOf } from '../wire/links.ts';
import { switched } from '../wire/query.ts';
import { empty, json, text } from '../wire/reply.ts';
import { NAME_MAX, userId } from '../wire/schemas.ts';
import { isBeyondDelegation, manageableUser } from './access.ts';
import { welcome } from './auth.ts';
import type { Post } from './post.ts';
import { byOf } from './user-notes.ts';
import { clearWaysIn } from './ways-in.ts';

export interface ActivationNeeds {
  readonly accounts: Accounts;
  readonly audit: AuditTrail;
  readonly tokens: Tokens;
  readonly factors: SecondFactorAuth;
  readonly clock: Clock;
  readonly post: Post;
  readonly tellNews: TellNews;
  /** Sends mails; without it, none are sent. */
  readonly mails?: Mails;
  readonly settings: Pick<ApiSettings, 'passwordMinLength' | 'passwordMaxLength'>;
}

const TOKEN_MAX = 255;
/** In which mails are counted. */
const HOUR_MS = 3_600_000;
const PATH = '/api/noauth/activate';

const activateToken = z.string({ error: 'activateToken should be specified!' }).min(1).max(TOKEN_MAX);
const inPath = z.object({ userId });

export function activationRoutes(needs: ActivationNeeds): Route[] {
  return [
    activationLink(needs),
    activationLinkInfo(needs),
    sendActivationMail(needs),
    anotherLink(needs),
    followLink(needs),
    activate(needs),
    passwordPolicy(needs),
  ];
}

/** A user whose link the caller may see and send; or the problem. */
async function userToActivate(
  accounts: Accounts,
  principal: Parameters<typeof manageableUser>[1] & Parameters<typeof isBeyondDelegation>[0],
  id: UserId,
) {
  const user = await manageableUser(accounts, principal, id);
  const isBeyond = user.type === 'found' && isBeyondDelegation(principal, user.value.membership);
  return isBeyond ? permissionDenied : user;
}

const LINK_RESPONSES = {
  200: { description: 'The link' },
  400: { description: 'The user is activated already' },
  404: { description: 'No such user' },
};

function activationLink({ accounts }: ActivationNeeds): Route {
  const { users } = accounts;
  return defineRoute({
    method: 'GET',
    path: '/api/user/:userId/activationLink',
    summary: "A new user's activation link, as text",
    roles: ADMINISTRATORS,
    params: inPath,
    responses: LINK_RESPONSES,
    async handle({ principal, params, linkBase }) {
      const user = await userToActivate(accounts, principal, params.userId);
      if (user.type !== 'found') return user;
      const activation = await users.activation(user.value.id);
      if (activation.type !== 'done') return accountProblem(activation, 'User');
      return text(linkWith(linkBase(), activation.value.token));
    },
  });
}

function activationLinkInfo({ accounts, clock }: ActivationNeeds): Route {
  const { users } = accounts;
  return defineRoute({
    method: 'GET',
    path: '/api/user/:userId/activationLinkInfo',
    summary: "A new user's activation link, and for how long it is good",
    roles: ADMINISTRATORS,
    params: inPath,
    responses: {
      200: { description: 'The link', schema: z.object({ value: z.string(), ttlMs: z.int() }) },
      400: { description: 'The user is activated already' },
      404: { description: 'No such user' },
    },
    async handle({ principal, params, linkBase }) {
      const user = await userToActivate(accounts, principal, params.userId);
      if (user.type !== 'found') return user;
      const activation = await users.activation(user.value.id);
      if (activation.type !== 'done') return accountProblem(activation, 'User');
      const { token, expiresAt } = activation.value;
      return json({ value: linkWith(linkBase(), token), ttlMs: expiresAt - clock.now() });
    },
  });
}

function sendActivationMail({ accounts, mails, post }: ActivationNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/user/sendActivationMail',
    summary: 'Mail the activation link to a new user once more',
    roles: ADMINISTRATORS,
    query: z.object({ email: z.string({ error: 'email should be specified!' }).max(NAME_MAX) }),
    responses: {
      200: { description: 'The mail is on its way' },
      400: { description: 'The user is activated already; or the server sends no mails' },
      404: { description: 'No such user' },
      429: { description: 'Too many mails to this address, or on behalf of the tenant' },
    },
    async handle({ principal, query: { email } }) {
      const user = await userOfAddress(accounts, principal, email);
      if (user === undefined) return notFound;
      if (isBeyondDelegation(principal, user.membership)) return permissionDenied;
      if (user.activated) return badRequest('User is already activated!');
      if (mails === undefined) return badRequest('No mail server is set: pass the activation link on!');
      const posted = await post({ type: 'activation', userId: user.id }, user);
      return posted === 'too-many'
        ? tooManyRequests('Too many mails, try again later: or pass the activation link on', HOUR_MS)
        : empty;
    },
  });
}

function anotherLink({ accounts, tellNews }: ActivationNeeds): Route {
  const { users } = accounts;
  return defineRoute({
    method: 'POST',
    path: '/api/user/:userId/activationLink',
    stores: true,
    summary: 'Another activation link, as text: the one before does not work any more',
    roles: ADMINISTRATORS,
    params: inPath,
    responses: LINK_RESPONSES,
    async handle({ principal, params, linkBase }) {
      const user = await userToActivate(accounts, principal, params.userId);
      if (user.type !== 'found') return user;
      const activation = await users.anotherActivation(user.value.id, {
        action: 'CREDENTIALS_UPDATED',
        data: { activationLink: 'another', ...byOf(principal) },
      });
      if (activation.type !== 'done') return accountProblem(activation, 'User');
      await tellNews(user.value);
      return text(linkWith(linkBase(), activation.value.token));
    },
  });
}

/** Looked for among the caller's own users: who else has the address is not to be found out. */
async function userOfAddress(
  { users }: Accounts,
  principal: Exclude<Principal, { authority: 'CUSTOMER_USER' }>,
  email: string,
): Promise<User | undefined> {
  if (principal.authority === 'SYS_ADMIN') {
    const user = await users.findByEmail(email);
    return user?.membership.authority === 'CUSTOMER_USER' ? undefined : user;
  }
  const query = { page: 0, pageSize: SAME_ADDRESS_MAX, textSearch: email };
  const { items } = await users.listOfTenant(principal.tenantId, query);
  return items.find((user) => user.email === email);
}

/** Addresses that contain the one looked for. */
const SAME_ADDRESS_MAX = 1_000;

function followLink({ accounts: { users } }: ActivationNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: PATH,
    summary: 'Where the link leads: on to the page that asks for a password',
    roles: ['PUBLIC'],
    query: z.object({ activateToken }),
    responses: {
      303: { description: 'To the page' },
      409: { description: 'The link is unknown, used up or too old', isEmpty: true },
    },
    async handle({ query, linkBase }) {
      if (!(await users.activationWorks(query.activateToken))) return { ...empty, status: 409 };
      const token = encodeURIComponent(query.activateToken);
      return {
        type: 'redirect',
        location: `${prefixOf(linkBase())}/login/createPassword?activateToken=${token}`,
      };
    },
  });
}

const passwordPolicyView = z.object({
  minimumLength: z.int(),
  maximumLength: z.int(),
  minimumUppercaseLetters: z.int(),
  minimumLowercaseLetters: z.int(),
  minimumDigits: z.int(),
  minimumSpecialCharacters: z.int(),
  allowWhitespaces: z.boolean(),
  forceUserToResetPasswordIfNotValid: z.boolean(),
  passwordExpirationPeriodDays: z.int(),
  passwordReuseFrequencyDays: z.int(),
});

function passwordPolicy({ settings }: ActivationNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/noauth/userPasswordPolicy',
    summary:
      'How long a password is. There are no rules of composition, and none expires; common ones are refused',
    roles: ['PUBLIC'],
    responses: { 200: { description: "In ThingsBoard's form", schema: passwordPolicyView } },
    handle: () =>
      json({
        minimumLength: settings.passwordMinLength,
        maximumLength: settings.passwordMaxLength,
        minimumUppercaseLetters: 0,
        minimumLowercaseLetters: 0,
        minimumDigits: 0,
        minimumSpecialCharacters: 0,
        allowWhitespaces: true,
        forceUserToResetPasswordIfNotValid: false,
        passwordExpirationPeriodDays: 0,
        passwordReuseFrequencyDays: 0,
      }),
  });
}

function activate(needs: ActivationNeeds): Route {
  const { users } = needs.accounts;
  return defineRoute({
    method: 'POST',
    path: PATH,
    summary: 'Set the first password, and log in by it',
    roles: ['PUBLIC'],
    query: z.object({ sendActivationMail: switched('sendActivationMail') }),
    body: z.object(
      { activateToken, password: z.string({ error: 'password should be specified!' }) },
      { error: 'The body should be a JSON object!' },
    ),
    responses: {
      200: { description: 'Activated and logged in, or what a login takes besides', schema: loginView },
      400: {
        description:
          'The token is unknown, used up or too old; or the password too short, too long or well known',
      },
    },
    async handle({ body, query, origin }) {
      const activated = await users.activate(body.activateToken, body.password, {
        action: 'ACTIVATED',
        data: {},
        ...((query.sendActivationMail ?? true) ? { mail: { type: 'activated' } } : {}),
      });
      if (activated.type !== 'done') return accountProblem(activated, 'User');
      await needs.tellNews(activated.value);
      await clearWaysIn(needs.accounts, activated.value.id);
      // Disabled meanwhile, or its tenant deleted: the password is set, but it does not let the user in.
      const standing = await users.standing(activated.value.id);
      if (standing === undefined) return notFound;
      return welcome(needs, standing.user, origin());
    },
  });
}
