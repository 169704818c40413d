/** By which identity providers somebody signs in: seen, and ended where another way in remains. */
import { z } from 'zod';
import type { Accounts, User } from '../../actors/accounts/accounts.ts';
import { subjectId } from '../../actors/accounts/provider-links.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { ProviderId } from '../../actors/base/ids.ts';
import { type Secrets, sameDigest } from '../../actors/base/secret.ts';
import { PROVIDERS_MAX, type Provider, type Providers } from '../../actors/providers/model.ts';
import { mayVouchFor } from '../../actors/providers/providers.ts';
import { EVERYBODY, type Principal } from '../auth/principal.ts';
import type { ProviderSignIn } from '../auth/provider-sign-in.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { otherSignInView, signInView } from '../views/provider.ts';
import { badRequest, ErrorCode, notFound, permissionDenied } from '../wire/errors.ts';
import { empty, json, type Problem } from '../wire/reply.ts';
import type { Post } from './post.ts';
import { ANSWER_MAX, ATTEMPT_MAX, refusedSignIn } from './provider-refusals.ts';
import { type NotesChanges, noteUser } from './user-notes.ts';

export interface SignInNeeds {
  readonly accounts: Accounts;
  readonly audit: NotesChanges;
  readonly post: Post;
  readonly providers: Pick<Providers, 'findAny' | 'list'>;
  readonly providerSignIn: Pick<ProviderSignIn, 'complete'>;
  readonly secrets: Pick<Secrets, 'digestForUser'>;
  readonly clock: Clock;
  readonly settings: Pick<ApiSettings, 'freshLoginMs'>;
}

const TICKET_MAX = 100;
const IN_PERSON = ['everything'] as const;

export function signInRoutes(needs: SignInNeeds): Route[] {
  const { accounts, audit, providers } = needs;
  const { providerLinks, users } = accounts;

  /** Whether one of these lets somebody in: its provider may be gone, or of another issuer by now. */
  async function isOneGood(links: Awaited<ReturnType<typeof providerLinks.list>>): Promise<boolean> {
    for (const { providerId, iss } of links) {
      if (providerId !== undefined && (await providers.findAny(providerId))?.issuer === iss) return true;
    }
    return false;
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/auth/signIns',
      summary: 'The identity providers by which the caller signs in',
      roles: EVERYBODY,
      grants: IN_PERSON,
      responses: { 200: { description: 'They', schema: z.array(signInView) } },
      async handle({ principal }) {
        const links = await providerLinks.list(principal.userId);
        const titled = links.map(async ({ id, iss, since, providerId }) => {
          const provider = providerId === undefined ? undefined : await providers.findAny(providerId);
          return { id, issuer: iss, title: provider?.title ?? iss, since };
        });
        return json(await Promise.all(titled));
      },
    }),

    listOthers(needs),
    addSignIn(needs),

    defineRoute({
      method: 'DELETE',
      path: '/api/auth/signIns/:signInId',
      summary: 'The caller does not sign in by this any more; sessions that began by it end',
      description:
        'Only where a password or another one remains. An address that finds the caller may link it again.',
      roles: EVERYBODY,
      grants: IN_PERSON,
      params: z.object({ signInId: z.uuid() }),
      responses: {
        200: { description: 'Ended' },
        400: { description: 'It is the only way in' },
        404: { description: 'The caller has no such' },
      },
      async handle({ principal: { userId }, params: { signInId } }) {
        const user = await users.find(userId);
        const links = await providerLinks.list(userId);
        const link = links.find(({ id }) => id === signInId);
        if (user === undefined || link === undefined) return notFound;
        if (!user.activated && !(await isOneGood(await providerLinks.announceRemoval(userId, signInId)))) {
          await providerLinks.keep(userId, signInId);
          return badRequest('This is your only way to sign in. Set a password first!');
        }
        const { providerId } = link;
        // Before and after: a fault in between leaves no session that nobody can end by this any more, nor one that began meanwhile.
        const endSessions = async () => providerId && users.endSessionsVia(userId, { providerId });
        await endSessions();
        if ((await providerLinks.remove(userId, signInId)) === undefined) return notFound;
        await endSessions();
        const data = { provider: providerId ?? link.iss, signIn: 'removed' };
        await noteUser(audit, 'CREDENTIALS_UPDATED', user, data);
        return empty;
      },
    }),
  ];
}

/** By which the caller could sign in as well. */
async function othersFor({ accounts, providers }: SignInNeeds, user: User): Promise<readonly Provider[]> {
  const { membership } = user;
  const query = { page: 0, pageSize: PROVIDERS_MAX };
  const own = membership.authority === 'SYS_ADMIN' ? [] : [membership.tenantId];
  const pages = await Promise.all([null, ...own].map((owner) => providers.list(owner, query)));
  const links = await accounts.providerLinks.list(user.id);
  const isLinked = ({ id }: Provider) => links.some(({ providerId }) => providerId === id);
  return pages
    .flatMap(({ items }) => items)
    .filter((provider) => mayVouchFor(provider, membership) && !isLinked(provider));
}

/**
 * Only who sees the caller's pages or asks with its token has it: another site that leads a browser through adding a sign-in, with
 * a provider at which that browser is somebody else, has not.
 */
function ticketFor(
  { secrets }: SignInNeeds,
  { userId, sessionId }: Principal,
  providerId: ProviderId,
): string {
  return secrets.digestForUser(userId, `add sign-in ${sessionId ?? ''} ${providerId}`);
}

function listOthers(needs: SignInNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/auth/signIns/others',
    summary: 'The identity providers by which the caller could sign in as well',
    roles: EVERYBODY,
    grants: IN_PERSON,
    responses: { 200: { description: 'They', schema: z.array(otherSignInView) } },
    async handle({ principal }) {
      const user = await needs.accounts.users.find(principal.userId);
      const others = user === undefined ? [] : await othersFor(needs, user);
      return json(
        others.map(({ id, title }) => ({ providerId: id, title, ticket: ticketFor(needs, principal, id) })),
      );
    },
  });
}

function addSignIn(needs: SignInNeeds): Route {
  const { accounts, audit, post, providerSignIn, clock, settings } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/auth/signIns',
    stores: true,
    summary: 'The caller has signed in with an identity provider, and signs in by it from now on',
    description:
      'With the attempt of `POST /api/noauth/oauth2/begin`, the query with which the browser came back, and the ticket of `GET /api/auth/signIns/others`; a short time after logging in: who stole a token must not add a way in.',
    roles: EVERYBODY,
    grants: IN_PERSON,
    body: z.object(
      {
        attempt: z.string().max(ATTEMPT_MAX),
        answer: z.string().max(ANSWER_MAX),
        ticket: z.string().max(TICKET_MAX),
      },
      { error: 'The body should be {"attempt": …, "answer": …, "ticket": …}!' },
    ),
    responses: {
      200: { description: 'Added, or there already' },
      400: { description: 'The attempt is too old or not ours, or the person said no' },
      403: { description: 'The login was long ago, or the provider signs nobody like the caller in' },
      409: { description: 'It signs somebody else in' },
      502: { description: 'The provider does not answer, or not as it should' },
    },
    async handle({ principal, body }) {
      const { userId, sessionId, impersonatorId } = principal;
      const { user, sessions = [] } = (await accounts.users.standing(userId)) ?? {};
      const session = sessions.find(({ id }) => id === sessionId);
      if (user === undefined || session === undefined || impersonatorId !== undefined)
        return permissionDenied;
      if (clock.now() - session.startedAt >= settings.freshLoginMs) return notFresh;
      const completed = await providerSignIn.complete(body.attempt, body.answer);
      if (completed.type === 'refused') return refusedSignIn(completed.why);
      const { provider, claims } = completed;
      if (!mayVouchFor(provider, user.membership)) return refusedSignIn('user-not-below');
      if (!sameDigest(body.ticket, ticketFor(needs, principal, provider.id)))
        return refusedSignIn('attempt-lost');
      const subject = { tenantId: provider.tenantId, iss: claims.iss, sub: claims.sub };
      const before = await accounts.providerLinks.find(subject);
      // One person of each provider: of a provider that makes people up there could be any number.
      if (before === undefined && (await accounts.providerLinks.isTaken(userId, provider.id)))
        return badRequest('You sign in by this provider already!');
      const holder = await accounts.providerLinks.add(subject, user, { providerId: provider.id });
      if (holder !== userId) return isSomebodyElse;
      if (before !== undefined) return empty;
      // A password was set meanwhile, by whom this must not outlive: its removal may have gone before the link was there.
      const stays = (await accounts.users.sessions(userId)).some(({ id }) => id === sessionId);
      if (!stays) {
        await accounts.providerLinks.remove(userId, subjectId(subject));
        return permissionDenied;
      }
      await noteUser(audit, 'CREDENTIALS_UPDATED', user, { provider: provider.id, signIn: 'linked' });
      await post({ type: 'sign-in-added', userId, provider: provider.title }, user);
      return empty;
    },
  });
}

const conflict = (status: number, message: string): Problem => ({
  type: 'problem',
  status,
  errorCode: ErrorCode.PERMISSION_DENIED,
  message,
});
const notFresh = conflict(403, 'Another way to sign in takes logging in again first!');
const isSomebodyElse = conflict(409, 'This person of the provider signs in as somebody else!');
