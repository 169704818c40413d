/** Lists of devices that a user comes back to: saved under a name, listed, forgotten. */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import { SAVED_VIEWS_MAX } from '../../actors/accounts/saved-views.ts';
import { TENANT } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { badRequest, notFound } from '../wire/errors.ts';
import { unlessVisible } from '../wire/names.ts';
import { empty, json } from '../wire/reply.ts';
import { requiredText } from '../wire/schemas.ts';

const NAME_MAX = 60;
const SEARCH_MAX = 511;
const WORD_MAX = 32;

export const savedViewsView = z.array(
  z
    .object({
      name: z.string(),
      search: z.string(),
      state: z.string(),
      active: z.string(),
      sort: z.string(),
    })
    .meta({ id: 'SavedView' }),
);

const filter = (max: number) => z.string().max(max).default('');

const newView = z.object(
  {
    name: requiredText('Name', NAME_MAX).transform((name) => name.trim()),
    search: filter(SEARCH_MAX),
    state: filter(WORD_MAX),
    active: filter(WORD_MAX),
    sort: filter(WORD_MAX),
  },
  { error: 'The body should be {"name": …, "search": …, "state": …, "active": …, "sort": …}!' },
);

const PATH = '/api/user/deviceViews';

export function savedViewRoutes({ accounts }: { readonly accounts: Pick<Accounts, 'savedViews'> }): Route[] {
  const { savedViews } = accounts;
  return [
    defineRoute({
      method: 'GET',
      path: PATH,
      summary: 'The lists of devices that the caller has saved',
      roles: TENANT,
      responses: { 200: { description: 'In the order in which they were made', schema: savedViewsView } },
      handle: async ({ principal }) => json(await savedViews.of(principal.userId)),
    }),

    defineRoute({
      method: 'POST',
      path: PATH,
      summary: `Save a list of devices by its filters, at most ${SAVED_VIEWS_MAX}; one of the same name is replaced`,
      roles: TENANT,
      body: newView,
      responses: {
        200: { description: 'All that the caller has', schema: savedViewsView },
        400: { description: 'Malformed, or there are too many' },
      },
      async handle({ principal, body }) {
        const hidden = unlessVisible([['Name', body.name]]);
        if (hidden !== undefined) return hidden;
        const saved = await savedViews.save(principal.userId, body);
        if (saved !== 'too-many') return json(saved);
        return badRequest(`At most ${SAVED_VIEWS_MAX} lists can be saved! Forget one first.`);
      },
    }),

    defineRoute({
      method: 'DELETE',
      path: PATH,
      summary: 'Forget a saved list',
      roles: TENANT,
      query: z.object({ name: z.string({ error: 'name should be specified!' }) }),
      responses: { 200: { description: 'It is gone' }, 404: { description: 'There is none of this name' } },
      handle: async ({ principal, query }) =>
        (await savedViews.remove(principal.userId, query.name)) ? empty : notFound,
    }),
  ];
}
