/** Signing in with an identity provider: leaving for it, and coming back. */

import { z } from 'zod';
import { EVERYBODY } from '../../auth/principal.ts';
import { CALLBACK_PATH } from '../../auth/provider-sign-in.ts';
import { begunView, providerLoginView } from '../../views/provider.ts';
import type { Result } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, refusedTo, type Visit } from '../page.ts';
import { refusalWords } from '../refusal-words.ts';
import { PROVIDER_LOGOUT_PATH } from '../session.ts';
import { afterPassword } from './second-factor.tsx';

type SeeOther = Extract<PageReply, { type: 'see-other' }>;

/** As ThingsBoard's login page and app have it. */
const BEGIN_PATH = '/oauth2/authorization/';

/** What an attempt goes on to that adds a way to sign in; the ticket follows. */
const ADDS = '/account?ticket=';
export const ADD_SIGN_IN_PATH = '/account/sign-ins/add/';

/** To the provider, or back with why not. */
async function begin(
  { anonymous, locale }: Visit,
  providerId: string | undefined,
  next: string,
  otherwise: string,
): Promise<PageReply> {
  const begun = await anonymous.post('/api/noauth/oauth2/begin', { providerId }, begunView);
  if (begun.type === 'refused') return refusedTo(otherwise, refusalWords(begun, locale.say));
  const { url, attempt: sealed } = begun.value;
  const state = new URL(url).searchParams.get('state') ?? '';
  return { type: 'leave', to: url, attempt: { state, sealed, next } };
}

/** @param nextOf keeps what a link says within this site */
export function providerPages(nextOf: (path: string | null) => string): readonly Page[] {
  return [
    {
      path: `${BEGIN_PATH}:providerId`,
      roles: ['PUBLIC'],
      get(visit) {
        const next = nextOf(visit.query.get('prevUri'));
        return begin(visit, visit.params.providerId, next.startsWith(ADDS) ? '/account' : next, '/login');
      },
    },
    memberPage(`${ADD_SIGN_IN_PATH}:providerId`, EVERYBODY, {
      get: (visit) =>
        begin(
          visit,
          visit.params.providerId,
          `${ADDS}${encodeURIComponent(visit.query.get('ticket') ?? '')}`,
          '/account',
        ),
    }),
    {
      path: `${CALLBACK_PATH}:providerId`,
      roles: ['PUBLIC'],
      get: (visit) => comeBack(visit, nextOf),
    },
    {
      path: PROVIDER_LOGOUT_PATH,
      roles: ['PUBLIC'],
      get: (visit) =>
        visit.logoutHint === undefined ? { type: 'see-other', to: '/login' } : signedOut(visit),
    },
    {
      path: `${PROVIDER_LOGOUT_PATH}/there`,
      roles: ['PUBLIC'],
      get: signOutThere,
    },
  ];
}

async function comeBack(visit: Visit, nextOf: (path: string | null) => string): Promise<PageReply> {
  const { anonymous, query, params, locale } = visit;
  const state = query.get('state') ?? '';
  const attempt = visit.attempt(state);
  const lost: SeeOther = {
    type: 'see-other',
    to: '/login',
    notice: { kind: 'bad', text: locale.say('login.attemptLost') },
  };
  if (attempt === undefined || !attempt.sealed.startsWith(`${params.providerId}.`)) return lost;
  const body = { attempt: attempt.sealed, answer: query.toString() };
  if (attempt.next.startsWith(ADDS)) {
    // Who was to get another way in is not here any more: going on would sign up, or in, who never asked for it.
    if (visit.session === undefined) return { ...lost, attemptEnds: state };
    const ticket = new URLSearchParams(attempt.next.slice(attempt.next.indexOf('?'))).get('ticket') ?? '';
    const added = await visit.session.api.act('POST', '/api/auth/signIns', { ...body, ticket });
    return { ...addedReply(added, locale), attemptEnds: state };
  }
  const login = await anonymous.post('/api/noauth/oauth2/complete', body, providerLoginView);
  const next = nextOf(attempt.next);
  const reply: PageReply =
    login.type === 'ok'
      ? await afterPassword(visit, login.value, next)
      : refusedTo('/login', refusalWords(login, locale.say));
  if (reply.type !== 'see-other') return reply;
  const logoutHint = login.type === 'ok' ? login.value.logoutHint : undefined;
  return { ...reply, attemptEnds: state, ...(logoutHint === undefined ? {} : { logoutHint }) };
}

/** On the account page: added, or why not. */
function addedReply(added: Result<unknown>, { say }: Locale): SeeOther {
  if (added.type === 'ok')
    return { type: 'see-other', to: '/account', notice: { kind: 'good', text: say('account.signInAdded') } };
  const isOld = added.status === 403 && added.message.startsWith('Another way');
  const text =
    added.status === 409
      ? say('account.signInTaken')
      : isOld
        ? say('account.signInFresh')
        : refusalWords(added, say);
  return { type: 'see-other', to: '/account', notice: { kind: 'bad', text } };
}

/** A link and no redirect: a form's answer may not lead to another site (CSP `form-action`). */
const signedOut = ({ locale: { say } }: Visit): PageReply => ({
  type: 'page',
  title: say('out.title'),
  narrow: true,
  body: (
    <div class="card">
      <h1>{say('out.title')}</h1>
      <p class="lead">{say('out.lead')}</p>
      <p>
        <a class="button primary wide" href={`${PROVIDER_LOGOUT_PATH}/there`}>
          {say('out.there')}
        </a>
      </p>
      <p>
        <a class="button wide" href="/login">
          {say('out.again')}
        </a>
      </p>
    </div>
  ),
});

async function signOutThere({ anonymous, logoutHint, session, locale }: Visit): Promise<PageReply> {
  // Whoever is led here by another site stays signed in.
  if (logoutHint === undefined || session !== undefined) return { type: 'see-other', to: '/' };
  const answer = await anonymous.post(
    '/api/noauth/oauth2/logout',
    { logoutHint },
    z.object({ url: z.string() }),
  );
  return answer.type === 'ok'
    ? { type: 'leave', to: answer.value.url }
    : refusedTo('/login', locale.say('out.away'));
}
