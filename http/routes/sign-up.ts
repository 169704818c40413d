/**
 * Signing up by mail: whoever has no account gives an address, and becomes a customer by the link that is mailed there. Who asks
 * hears the same, as soon, whether somebody has the address or nobody. ThingsBoard has paths like these in its Professional Edition.
 */
import { z } from 'zod';
import { isEmail } from '../../actors/base/text.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { SignUps } from '../../actors/mail/sign-ups.ts';
import { languageOf } from '../../actors/texts/languages.ts';
import { defineRoute, type Route } from '../route.ts';
import { loginView } from '../views/user.ts';
import { accountProblem, badRequest, notFound, tooManyRequests } from '../wire/errors.ts';
import { empty } from '../wire/reply.ts';
import { credential, NAME_MAX, optionalText, tenantId } from '../wire/schemas.ts';
import { type AuthNeeds, welcome } from './auth.ts';

export interface SignUpNeeds
  extends Pick<AuthNeeds, 'accounts' | 'audit' | 'tokens' | 'factors' | 'tellNews'> {
  /** Without it, nobody signs up by mail. */
  readonly signUps?: SignUps;
}

const HOUR_MS = 3_600_000;
const TOKEN_MAX = 2_000;
const LANGUAGE_MAX = 40;
/** Pages tell by its beginning that another password does not help. */
export const SIGN_UP_LINK_ENDED = 'This link does not work any more';

export function signUpRoutes(needs: SignUpNeeds): Route[] {
  return [askForLink(needs), completeSignUp(needs)];
}

function askForLink({ signUps }: SignUpNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/noauth/signup',
    summary:
      'Have a link mailed by which one becomes a customer; nothing tells whether the address is somebody’s',
    description:
      'Where the operator allows it (`security.sign_up.tenants`). Whoever has an account with the address is mailed that instead.',
    roles: ['PUBLIC'],
    body: z.object(
      {
        email: z.string({ error: 'email should be specified!' }).max(NAME_MAX),
        /** Whose customer; by default of the first tenant that the operator names. */
        tenantId: tenantId.optional(),
        /** Of the mail, and of the person from then on; as `de` or `de_DE`. */
        lang: z.string().max(LANGUAGE_MAX).optional(),
      },
      { error: 'The body should be a JSON object!' },
    ),
    responses: {
      200: { description: 'A mail is on its way, or was a moment ago' },
      400: { description: 'Malformed, or such addresses may not sign up' },
      404: { description: 'Nobody becomes a customer of this tenant by itself' },
      429: { description: 'Too many from this address of the network, or of this tenant' },
    },
    async handle({ body, address }) {
      if (signUps === undefined) return notFound;
      const { email, lang } = body;
      if (!isEmail(email)) return badRequest('email is malformed!');
      const language = lang === undefined || languageOf(lang) === undefined ? null : lang;
      const wish = { email, language, ...(body.tenantId === undefined ? {} : { tenantId: body.tenantId }) };
      const asked = await signUps.ask(wish, address);
      switch (asked) {
        case 'asked':
          return empty;
        case 'not-offered':
          return notFound;
        case 'other-domain':
          return badRequest('Such addresses may not sign up here!');
        case 'too-many':
          return tooManyRequests('Too many want to sign up, try again later', HOUR_MS);
        default:
          return unreachable(asked);
      }
    },
  });
}

function completeSignUp(needs: SignUpNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/noauth/signup/complete',
    summary: 'Become a customer by the token of a link, once, and log in by it',
    roles: ['PUBLIC'],
    body: z.object(
      {
        token: z.string({ error: 'token should be specified!' }).min(1).max(TOKEN_MAX),
        password: credential,
        firstName: optionalText('firstName'),
        lastName: optionalText('lastName'),
      },
      { error: 'The body should be a JSON object!' },
    ),
    responses: {
      200: { description: 'Signed up and logged in, or what a login takes besides', schema: loginView },
      400: {
        description:
          'The link is not ours, was used, or is too old; or the password too short, too long or well known',
      },
      404: { description: 'Nobody signs up by mail here' },
    },
    async handle({ body, origin }) {
      const { token, ...chosen } = body;
      const made = await needs.signUps?.complete(token, chosen);
      if (made === undefined) return notFound;
      if (made.type === 'link-ended')
        return badRequest(`${SIGN_UP_LINK_ENDED}: ask for a new one, or sign in.`);
      if (made.type !== 'done') return accountProblem(made, 'User');
      await needs.tellNews(made.value);
      return welcome(needs, made.value, origin());
    },
  });
}
