/** Sessions: users see and end their own, administrators end those of others. */
import { z } from 'zod';
import type { Accounts, User } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import { ADMINISTRATORS, EVERYBODY, type Principal } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { sessionView, viewSession } from '../views/session.ts';
import { notFound } from '../wire/errors.ts';
import { empty, json } from '../wire/reply.ts';
import { userId } from '../wire/schemas.ts';
import { manageableUser } from './access.ts';
import { byOf, noteSession } from './user-notes.ts';

export interface SessionNeeds {
  readonly accounts: Accounts;
  readonly audit: Pick<AuditTrail, 'note'>;
}

const OWNERS_ONLY = ['everything'] as const;

export function sessionRoutes({ accounts, audit }: SessionNeeds): Route[] {
  const { users } = accounts;

  async function note(ended: number, user: User | undefined, by: Principal): Promise<void> {
    if (ended === 0 || user === undefined) return;
    noteSession(audit, 'LOGOUT', user, undefined, { sessions: ended, ...byOf(by) });
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/auth/sessions',
      summary: "The caller's live sessions, the one used last first",
      roles: EVERYBODY,
      grants: OWNERS_ONLY,
      responses: { 200: { description: 'The sessions', schema: z.array(sessionView) } },
      async handle({ principal }) {
        const sessions = await users.sessions(principal.userId);
        return json(sessions.map((session) => viewSession(session, principal.sessionId)).reverse());
      },
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/auth/sessions',
      summary: "End all of the caller's sessions but the one that asks",
      roles: EVERYBODY,
      grants: OWNERS_ONLY,
      responses: { 200: { description: 'Ended: their tokens are outdated from now on' } },
      async handle({ principal }) {
        const ended = await users.endSessions(principal.userId, principal.sessionId);
        await note(ended, await users.find(principal.userId), principal);
        return empty;
      },
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/auth/sessions/:sessionId',
      summary: "End one of the caller's sessions",
      roles: EVERYBODY,
      grants: OWNERS_ONLY,
      params: z.object({ sessionId: z.string() }),
      responses: {
        200: { description: 'Ended: its tokens are outdated from now on' },
        404: { description: 'The caller has no such live session' },
      },
      async handle({ principal, params }) {
        if (!(await users.endSession(principal.userId, params.sessionId))) return notFound;
        await note(1, await users.find(principal.userId), principal);
        return empty;
      },
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/user/:userId/sessions',
      summary: 'End all sessions of a user, who may log in again',
      roles: ADMINISTRATORS,
      params: z.object({ userId }),
      responses: {
        200: { description: 'Ended: their tokens are outdated from now on' },
        403: { description: 'Not a user whom the caller may change' },
        404: { description: 'No such user' },
      },
      async handle({ principal, params }) {
        const user = await manageableUser(accounts, principal, params.userId);
        if (user.type !== 'found') return user;
        await note(await users.endSessions(params.userId), user.value, principal);
        return empty;
      },
    }),
  ];
}
