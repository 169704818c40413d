/**
 * What ThingsBoard's mobile application asks when it starts and after the login. There are no dashboards here and no apps
 * of tenants' own; it hears so in the words for "none is set up", because after a 404 it would log out again.
 */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import { EVERYBODY } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { userView } from '../views/user.ts';
import { notFound } from '../wire/errors.ts';
import { empty, json } from '../wire/reply.ts';
import { viewOfCaller } from './auth.ts';

const NO_APP = { storeInfo: null, versionInfo: null } as const;
const noApp = { storeInfo: z.null(), versionInfo: z.null() };

const loginInfo = z.object({ oAuth2Clients: z.array(z.never()).max(0), ...noApp });
const userInfo = z.object({
  user: userView,
  ...noApp,
  homeDashboardInfo: z.null(),
  pages: z.array(z.never()).max(0),
});

export function mobileAppRoutes({ accounts }: { readonly accounts: Accounts }): Route[] {
  return [
    homeDashboard('/api/dashboard/home'),
    homeDashboard('/api/dashboard/home/info'),
    defineRoute({
      method: 'GET',
      path: '/api/noauth/mobile',
      summary: "What the mobile app's login page shows; nothing of an own app is set up here",
      roles: ['PUBLIC'],
      responses: { 200: { description: 'Nothing is set up', schema: loginInfo } },
      handle: () => json({ oAuth2Clients: [], ...NO_APP }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/mobile',
      summary: 'What the mobile app begins with: the caller; there are no dashboards and no pages of its own',
      roles: EVERYBODY,
      responses: { 200: { description: 'The caller', schema: userInfo } },
      async handle({ principal }) {
        const user = await viewOfCaller(accounts, principal);
        if (user === undefined) return notFound;
        return json({ user, ...NO_APP, homeDashboardInfo: null, pages: [] });
      },
    }),
  ];
}

function homeDashboard(path: `/${string}`): Route {
  return defineRoute({
    method: 'GET',
    path,
    summary: "The caller's home dashboard: there is none here",
    roles: EVERYBODY,
    responses: { 200: { description: 'There is none' } },
    handle: () => empty,
  });
}
