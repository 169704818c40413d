/** Signing in with an identity provider: the buttons of the login page, and the two steps. */
import { z } from 'zod';
import type { Log } from '../../actors/base/log.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { Providers } from '../../actors/providers/model.ts';
import type { ProviderSignIn } from '../auth/provider-sign-in.ts';
import { defineRoute, type Route } from '../route.ts';
import { begunView, buttonsView, providerLoginView } from '../views/provider.ts';
import { notFound, unavailable } from '../wire/errors.ts';
import { json, type Reply } from '../wire/reply.ts';
import { providerId } from '../wire/schemas.ts';
import { type AuthNeeds, welcome } from './auth.ts';
import { ANSWER_MAX, ATTEMPT_MAX, refusedSignIn } from './provider-refusals.ts';
import { noteUser } from './user-notes.ts';

interface ProviderSignInRouteNeeds
  extends Pick<AuthNeeds, 'accounts' | 'audit' | 'tokens' | 'factors' | 'tellNews'> {
  readonly providers: Providers;
  readonly providerSignIn: ProviderSignIn;
  readonly log: Log;
}

export function providerSignInRoutes(needs: ProviderSignInRouteNeeds): Route[] {
  return [listButtons(needs), beginSignIn(needs), completeSignIn(needs)];
}

function listButtons({ providers }: ProviderSignInRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/noauth/oauth2Clients',
    summary: 'The buttons of the login page: the providers of the system',
    description:
      "Tenants' providers are not among them: one tenant's must not stand on everybody's login page. Their own links lead to them.",
    roles: ['PUBLIC'],
    responses: { 200: { description: 'The buttons', schema: buttonsView } },
    async handle() {
      const { items } = await providers.list(null, { page: 0, pageSize: 50 });
      return json(
        items.map(({ id, buttonLabel, buttonIcon }) => ({
          name: buttonLabel,
          icon: buttonIcon,
          url: `/oauth2/authorization/${id}`,
        })),
      );
    },
  });
}

function beginSignIn({ providers, providerSignIn }: ProviderSignInRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/noauth/oauth2/begin',
    summary: 'Begin to sign in with an identity provider',
    description:
      'For pages and apps. The browser goes to the url, and comes back to the redirect URI; then `complete` is asked with the attempt.',
    roles: ['PUBLIC'],
    body: z.object({ providerId }, { error: 'The body should be {"providerId": …}!' }),
    responses: {
      200: { description: 'Where to go', schema: begunView },
      404: { description: 'No such provider' },
      502: { description: 'The provider does not answer, or not as it should' },
    },
    async handle({ body, linkBase }) {
      const provider = await providers.findAny(body.providerId);
      if (provider === undefined) return notFound;
      const begun = await providerSignIn.begin(provider, linkBase());
      return begun.type === 'begun'
        ? json({ url: begun.url, attempt: begun.attempt })
        : refusedSignIn(begun.why);
    },
  });
}

function completeSignIn(needs: ProviderSignInRouteNeeds): Route {
  const { providers, providerSignIn, audit, tellNews, log } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/noauth/oauth2/complete',
    summary: 'Complete a sign-in with an identity provider',
    roles: ['PUBLIC'],
    body: z.object(
      {
        attempt: z.string().max(ATTEMPT_MAX),
        /** The query with which the browser came back. */
        answer: z.string().max(ANSWER_MAX),
      },
      { error: 'The body should be {"attempt": …, "answer": …}!' },
    ),
    responses: {
      200: {
        description:
          'As after a password; with a hint for signing out at the provider too, if it offers that',
        schema: providerLoginView,
      },
      400: { description: 'The attempt is too old or not ours, or the person said no' },
      403: { description: 'Nobody may sign in here by this' },
      429: { description: 'Too many have signed up from this address' },
      502: { description: 'The provider does not answer, or not as it should' },
    },
    async handle({ body, address, origin }) {
      const completed = await providerSignIn.complete(body.attempt, body.answer);
      if (completed.type === 'refused') {
        log.debug({ why: completed.why }, 'a sign-in with an identity provider was refused');
        return refusedSignIn(completed.why);
      }
      const { provider, claims } = completed;
      const signedIn = await providers.signIn(provider, claims, address);
      switch (signedIn.type) {
        case 'found':
          if (signedIn.isNew) await tellNews(signedIn.user);
          if (signedIn.isLinked) {
            const data = { provider: provider.id, signIn: 'linked' };
            await noteUser(audit, 'CREDENTIALS_UPDATED', signedIn.user, data);
          }
          return withHint(
            await welcome(needs, signedIn.user, { ...origin(), via: completed.via }),
            completed.logoutHint,
          );
        case 'refused':
          log.info({ providerId: provider.id, why: signedIn.why }, 'somebody may not sign in');
          return refusedSignIn(signedIn.why);
        case 'unavailable':
          return unavailable('overloaded');
        default:
          return unreachable(signedIn);
      }
    },
  });
}

/** The browser keeps it until it signs out. */
function withHint(reply: Reply, logoutHint: string | null): Reply {
  if (logoutHint === null || reply.type !== 'json') return reply;
  return { ...reply, body: Object.assign({ logoutHint }, reply.body) };
}
