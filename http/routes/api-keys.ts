/** API keys: a user makes, lists and revokes their own. */

import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import { API_KEYS_MAX } from '../../actors/accounts/api-keys.ts';
import type { UserId } from '../../actors/base/ids.ts';
import type { JsonObject } from '../../actors/base/json.ts';
import { EVERYBODY } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { apiKeyView, newApiKeyView, viewApiKey } from '../views/api-key.ts';
import { pageView, viewPage } from '../views/page.ts';
import { badRequest, notFound, permissionDenied, tokenExpired } from '../wire/errors.ts';
import { empty, json } from '../wire/reply.ts';
import { optionalText, paging, userId } from '../wire/schemas.ts';
import { type NotesChanges, noteUser } from './user-notes.ts';

const OWNERS_ONLY = ['everything'] as const;

const keyBody = z
  .object(
    {
      description: optionalText('Description'),
      expirationTime: z
        .int({ error: 'expirationTime should be an instant in milliseconds since 1970!' })
        .nonnegative('expirationTime should be an instant in milliseconds since 1970!')
        .nullish(),
      claimingOnly: z.boolean({ error: 'claimingOnly should be true or false!' }).default(false),
    },
    { error: 'The body should be a JSON object!' },
  )
  .nullish();

interface ApiKeyNeeds {
  readonly accounts: Accounts;
  readonly audit: NotesChanges;
}

export function apiKeyRoutes({ accounts, audit }: ApiKeyNeeds): Route[] {
  const { apiKeys, users } = accounts;
  const note = async (id: UserId, data: JsonObject) => {
    const user = await users.find(id);
    if (user !== undefined) await noteUser(audit, 'CREDENTIALS_UPDATED', user, data);
  };

  return [
    defineRoute({
      method: 'POST',
      path: '/api/apiKey',
      stores: true,
      summary: 'Make an API key for oneself; its value is shown now and never again. Not by an API key',
      roles: EVERYBODY,
      grants: OWNERS_ONLY,
      body: keyBody,
      responses: {
        200: {
          description: 'The key with its value, for "X-Authorization: ApiKey …"',
          schema: newApiKeyView,
        },
        400: { description: 'Malformed, or too many keys already' },
      },
      async handle({ principal, body }) {
        const { userId, sessionId } = principal;
        const before = await users.standing(userId);
        if (!before?.sessions.some((session) => session.id === sessionId)) return tokenExpired;
        const made = await apiKeys.create(before.user, {
          description: body?.description ?? '',
          // 0 is "never" in ThingsBoard.
          expiresAt: body?.expirationTime || null,
          claimingOnly: body?.claimingOnly ?? false,
        });
        if (made === 'too-many') return badRequest(`A user may have at most ${API_KEYS_MAX} API keys!`);
        const { id, description, claimingOnly } = made.key;
        // A new password has revoked the keys meanwhile, or the session has ended: that may have gone by before this one was there.
        const after = await users.standing(userId);
        const isSame = after?.user.credentialsVersion === before.user.credentialsVersion;
        if (!isSame || !after?.sessions.some((session) => session.id === sessionId)) {
          await apiKeys.revoke(userId, id);
          return tokenExpired;
        }
        await note(userId, { apiKey: 'made', apiKeyId: id, description, claimingOnly });
        return json({ ...viewApiKey(made.key), value: made.value });
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/apiKeys/:userId',
      summary: "The caller's API keys, without their values",
      roles: EVERYBODY,
      grants: OWNERS_ONLY,
      params: z.object({ userId }),
      query: paging({ createdTime: 'createdTime', description: 'name' }),
      responses: {
        200: { description: 'A page of keys', schema: pageView(apiKeyView) },
        403: { description: "Another's" },
      },
      async handle({ principal, params, query }) {
        if (params.userId !== principal.userId) return permissionDenied;
        return json(viewPage(await apiKeys.list(principal.userId, query), query, viewApiKey));
      },
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/apiKey/:apiKeyId',
      summary: 'Revoke an API key of oneself; it does not work from now on',
      roles: EVERYBODY,
      grants: OWNERS_ONLY,
      params: z.object({ apiKeyId: z.uuid({ error: 'Invalid UUID string!' }) }),
      responses: { 200: { description: 'Revoked' }, 404: { description: 'The caller has no such key' } },
      async handle({ principal, params: { apiKeyId } }) {
        if (!(await apiKeys.revoke(principal.userId, apiKeyId))) return notFound;
        await note(principal.userId, { apiKey: 'revoked', apiKeyId });
        return empty;
      },
    }),
  ];
}
