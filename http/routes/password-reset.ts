/**
 * A forgotten password, by a link in a mail; in ThingsBoard's paths. Who asks hears the same, as soon, whether the address is
 * somebody's or nobody's: what is done about it is done when the mail is sent.
 */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import { isEmail } from '../../actors/base/text.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { Mails } from '../../actors/mail/model.ts';
import type { TellNews } from '../../actors/mail/user-news.ts';
import { defineRoute, type Route } from '../route.ts';
import { accountProblem } from '../wire/errors.ts';
import { prefixOf } from '../wire/links.ts';
import { empty } from '../wire/reply.ts';
import { credential, NAME_MAX } from '../wire/schemas.ts';
import { clearWaysIn } from './ways-in.ts';

export interface PasswordResetNeeds {
  readonly accounts: Accounts;
  readonly mails?: Mails;
  readonly tellNews: TellNews;
}

const PATH = '/api/noauth/resetPassword';
const TOKEN_MAX = 255;
const resetToken = z.string({ error: 'resetToken should be specified!' }).min(1).max(TOKEN_MAX);

export function passwordResetRoutes(needs: PasswordResetNeeds): Route[] {
  return [askForReset(needs), followResetLink(needs), resetPassword(needs)];
}

function askForReset({ mails }: PasswordResetNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/noauth/resetPasswordByEmail',
    summary: 'Have a link mailed that sets another password; nothing tells whether the address is somebody’s',
    roles: ['PUBLIC'],
    body: z.object(
      { email: z.string({ error: 'email should be specified!' }).max(NAME_MAX) },
      { error: 'The body should be a JSON object!' },
    ),
    responses: {
      200: {
        description:
          'A mail is on its way, if the address is that of a user. One in five minutes for an address, ten an hour from one of the network; without an SMTP server none',
      },
      400: { description: 'Malformed' },
    },
    async handle({ body: { email }, address }) {
      if (mails !== undefined && isEmail(email)) await mails.ask({ type: 'reset', email }, address);
      return empty;
    },
  });
}

function followResetLink({ accounts: { users } }: PasswordResetNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: PATH,
    summary: 'Where the link leads: on to the page that asks for another password',
    roles: ['PUBLIC'],
    query: z.object({ resetToken }),
    responses: {
      303: { description: 'To the page; or to one that says that the link is too old' },
      409: { description: 'The link is unknown, used, or a newer one was asked for', isEmpty: true },
    },
    async handle({ query, linkBase }) {
      const works = await users.resetWorks(query.resetToken);
      const base = prefixOf(linkBase());
      switch (works) {
        case 'unknown':
          return { ...empty, status: 409 };
        case 'expired':
          return { type: 'redirect', location: `${base}/passwordResetLinkExpired` };
        case 'good': {
          const token = encodeURIComponent(query.resetToken);
          return { type: 'redirect', location: `${base}/login/resetPassword?resetToken=${token}` };
        }
        default:
          return unreachable(works);
      }
    },
  });
}

function resetPassword({ accounts, tellNews }: PasswordResetNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: PATH,
    summary:
      'Set another password by the token of a link, once; all sessions of the user end, and its API keys and sign-ins by providers',
    roles: ['PUBLIC'],
    body: z.object({ resetToken, password: credential }, { error: 'The body should be a JSON object!' }),
    responses: {
      200: { description: 'Set; nobody is logged in by it' },
      400: {
        description:
          'The token is unknown, used or too old; or the password is the old one, too short, too long or well known',
      },
    },
    async handle({ body }) {
      const changed = await accounts.users.resetPassword(body.resetToken, body.password, {
        action: 'CREDENTIALS_UPDATED',
        data: { password: 'reset', revokedApiKeys: true, signIns: 'removed' },
        mail: { type: 'password-changed', byMail: true },
      });
      if (changed.type !== 'done') return accountProblem(changed, 'User');
      await tellNews(changed.value);
      await clearWaysIn(accounts, changed.value.id);
      return empty;
    },
  });
}
