/** Signing in with an identity provider: leaving for it, and coming back. */
import { CALLBACK_PATH } from '../../auth/provider-sign-in.ts';
import { begunView } from '../../views/provider.ts';
import { loginView } from '../../views/user.ts';
import { type Page, type PageReply, refusedTo, type Visit } from '../page.ts';
import { afterPassword } from './second-factor.tsx';

/** As ThingsBoard's login page and app have it. */
const BEGIN_PATH = '/oauth2/authorization/';

/** @param nextOf keeps what a link says within this site */
export function providerPages(nextOf: (path: string | null) => string): readonly Page[] {
  return [
    {
      path: `${BEGIN_PATH}:providerId`,
      roles: ['PUBLIC'],
      async get({ anonymous, params, query }) {
        const { providerId } = params;
        const next = nextOf(query.get('prevUri'));
        const begun = await anonymous.post('/api/noauth/oauth2/begin', { providerId }, begunView);
        if (begun.type === 'refused') return refusedTo('/login', begun.message);
        const { url, attempt: sealed } = begun.value;
        const state = new URL(url).searchParams.get('state') ?? '';
        return { type: 'leave', to: url, attempt: { state, sealed, next } };
      },
    },
    {
      path: `${CALLBACK_PATH}:providerId`,
      roles: ['PUBLIC'],
      get: (visit) => comeBack(visit, nextOf),
    },
  ];
}

async function comeBack(visit: Visit, nextOf: (path: string | null) => string): Promise<PageReply> {
  const { anonymous, query, params } = visit;
  const state = query.get('state') ?? '';
  const attempt = visit.attempt(state);
  if (attempt === undefined || !attempt.sealed.startsWith(`${params.providerId}.`))
    return refusedTo('/login', LOST);
  const body = { attempt: attempt.sealed, answer: query.toString() };
  const login = await anonymous.post('/api/noauth/oauth2/complete', body, loginView);
  const next = nextOf(attempt.next);
  const reply: PageReply =
    login.type === 'ok' ? await afterPassword(visit, login.value, next) : refusedTo('/login', login.message);
  return reply.type === 'see-other' ? { ...reply, attemptEnds: state } : reply;
}

const LOST =
  'This sign-in was begun in another browser, or took too long. Please sign in again; if it happens again, allow cookies.';
