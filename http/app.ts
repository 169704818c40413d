/**
 * Assembles everything that answers HTTP into one app. It is a value that answers `app.request()` without a socket;
 * listening is another file, `server.ts`.
 */
import { Hono } from 'hono';
import type { Accounts } from '../actors/accounts/accounts.ts';
import type { AuditTrail } from '../actors/audit/audit.ts';
import type { Clock } from '../actors/base/clock.ts';
import type { Log } from '../actors/base/log.ts';
import type { Secrets } from '../actors/base/secret.ts';
import type { Devices, Directory, Presence } from '../actors/fleet/devices.ts';
import type { Profiles } from '../actors/fleet/profiles.ts';
import type { Imports } from '../actors/imports/imports.ts';
import type { Counters } from '../actors/limits/counters.ts';
import { createAuthentication } from './auth/authentication.ts';
import { createTokens } from './auth/tokens.ts';
import { type App, type Env, register } from './dispatch.ts';
import type { Feed } from './feed.ts';
import type { Route } from './route.ts';
import { allRoutes } from './routes/all.ts';
import type { Readiness } from './routes/health.ts';
import type { BrokerAuth } from './routes/mqtt-auth.ts';
import type { ApiSettings } from './settings.ts';
import type { WebSettings } from './web/settings.ts';
import { createWeb } from './web/web.tsx';
import { corsHeaders, preflightHeaders } from './wire/cors.ts';
import { internalError, methodNotAllowed, notFound } from './wire/errors.ts';
import { empty, toResponse } from './wire/reply.ts';
import { rawPath } from './wire/request.ts';

export interface ApiNeeds {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly directory: Directory;
  /** Which devices are connected; without it none is. */
  readonly presence?: Presence;
  readonly audit: AuditTrail;
  readonly imports: Imports;
  readonly feed: Feed;
  readonly profiles: Profiles;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly readiness: Readiness;
  /** Where wrong secrets and passwords are counted; without it in this process alone. */
  readonly counters?: Counters;
  readonly settings: ApiSettings;
  /** What an MQTT broker may ask; without it nobody may. */
  readonly brokerAuth?: BrokerAuth;
  /** The devices' own HTTP API, asked for everything under /api/v1/. */
  readonly deviceApi?: DeviceApi;
  /** The pages for people; without it there are none. */
  readonly web?: WebSettings;
}

/** A Hono app is one. */
export interface DeviceApi {
  fetch(request: Request, env?: unknown): Response | Promise<Response>;
}

export function createApp(needs: ApiNeeds): App {
  const { accounts, clock, log, settings, deviceApi } = needs;
  const tokens = createTokens(settings.tokens, clock);
  const authentication = createAuthentication(accounts, tokens, clock, settings.tokens);
  const presence = needs.presence ?? { isConnected: () => false };
  const routes = allRoutes({ ...needs, presence, tokens, authentication });

  const app: App = new Hono<Env>({ getPath: (request, options) => rawPath(request, options?.env?.incoming) });
  for (const route of routes) register(app, route, { authentication, clock, log, settings });

  if (deviceApi !== undefined) {
    app.on(['GET', 'POST', 'PUT', 'DELETE', 'PATCH'], '/api/v1/*', async (c) => {
      const response = await deviceApi.fetch(c.req.raw, c.env);
      const cors = Object.entries(corsHeaders(c));
      for (const [name, value] of cors) response.headers.set(name, value);
      return response;
    });
  }

  const web =
    needs.web === undefined
      ? undefined
      : createWeb({ api: app, settings: needs.web, apiSettings: settings, now: () => clock.now(), log });
  if (web !== undefined) app.route('/', web.app);

  app.notFound(async (c) => {
    const preflight = c.req.method === 'OPTIONS' ? preflightHeaders(c) : undefined;
    if (preflight !== undefined) return toResponse(empty, preflight, clock.now());
    const allowed = allowedMethods(routes, c.req.path);
    if (allowed.length === 0) {
      const forPeople = c.req.method === 'GET' && c.req.header('accept')?.includes('text/html');
      if (web !== undefined && forPeople && !c.req.path.startsWith('/api/')) return web.notFound(c);
      return toResponse(notFound, corsHeaders(c), clock.now());
    }
    const headers = { ...corsHeaders(c), Allow: allowed.join(', ') };
    const reply = c.req.method === 'OPTIONS' ? empty : methodNotAllowed(c.req.method);
    return toResponse(reply, headers, clock.now());
  });

  app.onError((error, c) => {
    log.error({ method: c.req.method, err: error }, 'request failed outside of any route');
    return toResponse(internalError, corsHeaders(c), clock.now());
  });

  return app;
}

/** By which methods a path can be asked. Only looked for when no route matched. */
function allowedMethods(routes: readonly Route[], path: string): string[] {
  const segments = path.split('/');
  const matching = routes.filter((route) => {
    const pattern = route.path.split('/');
    return (
      pattern.length === segments.length &&
      pattern.every((part, at) => (part.startsWith(':') ? segments[at] !== '' : part === segments[at]))
    );
  });
  const methods = new Set(matching.map((route): string => route.method));
  if (methods.size === 0) return [];
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods, 'OPTIONS'];
}
