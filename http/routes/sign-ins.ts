/** By which identity providers somebody signs in: seen, and ended where another way in remains. */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Providers } from '../../actors/providers/model.ts';
import { EVERYBODY } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { signInView } from '../views/provider.ts';
import { badRequest, notFound } from '../wire/errors.ts';
import { empty, json } from '../wire/reply.ts';
import { noteUser } from './user-notes.ts';

export interface SignInNeeds {
  readonly accounts: Accounts;
  readonly audit: Pick<AuditTrail, 'note'>;
  readonly providers: Pick<Providers, 'findAny'>;
}

const IN_PERSON = ['everything'] as const;

export function signInRoutes({ accounts, audit, providers }: SignInNeeds): Route[] {
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
        noteUser(audit, 'CREDENTIALS_UPDATED', user, undefined, data);
        return empty;
      },
    }),
  ];
}
