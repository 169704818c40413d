/**
 * Builds the app that answers all HTTP requests. It is a value with `app.request()`, so tests need no socket;
 * `server.ts` listens.
 */
import { type Context, Hono } from 'hono';
import type { Tracing } from '../actors/base/tracing.ts';
import type { Presence } from '../actors/fleet/devices.ts';
import type { SendOutbound } from '../actors/outbound/request.ts';
import { reportBug } from '../actors/runtime/supervision.ts';
import { createAuthentication } from './auth/authentication.ts';
import { createBrowsers } from './auth/browsers.ts';
import { createExternalTokens } from './auth/external-tokens.ts';
import { createIssuerKeys } from './auth/issuer-keys.ts';
import { createLogoutTokens } from './auth/logout-tokens.ts';
import { createProviderSignIn } from './auth/provider-sign-in.ts';
import { createTokens } from './auth/tokens.ts';
import { createDirectDoor, type DirectDoor } from './direct.ts';
import { type App, type DispatchNeeds, type ObserveRequest, register } from './dispatch.ts';
import type { Route } from './route.ts';
import { allRoutes, type SharedNeeds } from './routes/all.ts';
import type { WebSettings } from './web/settings.ts';
import { createWeb, type Web } from './web/web.ts';
import { askedThrough, type Env } from './wire/asked.ts';
import { PUBLIC_BODY_BYTES_MAX } from './wire/body.ts';
import { corsHeaders, preflightHeaders } from './wire/cors.ts';
import { internalError, methodNotAllowed, noSuchFeature, notAuthenticated, notFound } from './wire/errors.ts';
import { empty, type Headers, type Reply, toResponse } from './wire/reply.ts';
import { rawPath } from './wire/request.ts';
import { createWaitingBodies } from './wire/waiting-bodies.ts';

export interface ApiNeeds extends SharedNeeds {
  /** Which devices are connected; without it, none is. */
  readonly presence?: Presence;
  /** Asks identity providers. */
  readonly outbound: { readonly send: SendOutbound; readonly allowHttp: boolean };
  /** Makes spans; without it, nobody does. */
  readonly tracing?: Tracing;
  /** Told of every answered request; without it, nobody is. */
  readonly onRequest?: ObserveRequest;
  /** The pages for people; without it, there are none. */
  readonly web?: WebSettings;
}

/** The app, and the way past it for what is asked all the time. */
export type RoutesApp = App & { readonly direct: DirectDoor };

export function createApp(needs: ApiNeeds): RoutesApp {
  const { accounts, clock, log, settings } = needs;
  const tokens = createTokens(settings.tokens, clock);
  const providerSignIn = createProviderSignIn({ ...needs, ...needs.outbound });
  const { send } = needs.outbound;
  const links = accounts.providerLinks;
  const keysOf = createIssuerKeys(providerSignIn, send, log);
  const external = createExternalTokens({ providers: needs.providers, keysOf, links, clock });
  const readLogoutToken = createLogoutTokens(keysOf, clock, needs.counters);
  const authentication = createAuthentication({
    accounts,
    tokens,
    clock,
    log,
    settings: settings.tokens,
    external,
  });
  const browsers = createBrowsers(tokens);
  const bodies = createWaitingBodies(PUBLIC_BODY_BYTES_MAX);
  const presence = needs.presence ?? { isConnected: () => false };
  const routes = allRoutes({
    ...needs,
    presence,
    tokens,
    browsers,
    authentication,
    providerSignIn,
    readLogoutToken,
  });
  const web = (api: App) =>
    needs.web === undefined
      ? undefined
      : createWeb({
          api,
          settings: needs.web,
          apiSettings: settings,
          cookies: { cookieOf: tokens.cookieOf, enter: authentication.enter },
          browsers,
          bodies,
          now: () => clock.now(),
          log,
        });
  const { audit, stored, onRequest, tracing } = needs;
  const dispatch = { audit, authentication, clock, log, settings, stored, onRequest, tracing, bodies };
  return createRoutesApp(routes, dispatch, web);
}

/**
 * An app with these routes. Where none matches, it says why: no such path, or another method.
 * @param makeWeb makes the pages for people, which ask this app
 */
export function createRoutesApp(
  routes: readonly Route[],
  needs: DispatchNeeds,
  makeWeb: (api: App) => Web | undefined = () => undefined,
): RoutesApp {
  const { clock, log } = needs;
  const { corsOrigins } = needs.settings;
  const app: App = new Hono<Env>({ getPath: (request, options) => rawPath(request, options?.env?.incoming) });
  const web = makeWeb(app);
  web?.ahead(app);
  for (const route of routes) register(app, route, needs);
  if (web !== undefined) app.route('/', web.app);

  app.notFound(async (c) => {
    const { method, path } = c.req;
    const preflight = method === 'OPTIONS' ? preflightHeaders(askedThrough(c), corsOrigins) : undefined;
    if (preflight !== undefined) return toResponse(empty, preflight, clock.now());
    const answer = (reply: Reply, more: Headers = {}) =>
      toResponse(reply, { ...corsHeaders(askedThrough(c), corsOrigins), ...more }, clock.now());
    const isForDevices = path === DEVICE_API || path.startsWith(`${DEVICE_API}/`);
    const methods = methodsOf(routes, path);
    if (methods.length === 0) {
      if (isForDevices) return answer(noSuchFeature);
      const forPeople = method === 'GET' && c.req.header('accept')?.includes('text/html');
      if (web !== undefined && forPeople && !path.startsWith('/api/')) return web.notFound(c);
      return answer(path.startsWith('/api/') && isAnonymous(c) ? notAuthenticated : notFound);
    }
    if (isForDevices) return answer(methodNotAllowed(method), { Allow: methods.join(', ') });
    const Allow = [...methods, 'OPTIONS'].join(', ');
    return answer(method === 'OPTIONS' ? empty : methodNotAllowed(method), { Allow });
  });

  app.onError((error, c) => {
    reportBug(log, 'http request', error, { method: c.req.method });
    return toResponse(internalError, corsHeaders(askedThrough(c), corsOrigins), clock.now());
  });

  return Object.assign(app, { direct: createDirectDoor(routes, needs) });
}

/** The prefix of the device HTTP API. There OPTIONS is not supported: it is answered 405 like any other method. */
const DEVICE_API = '/api/v1';

/** Whether the request shows nothing that could be a token. To a stranger every path of the API is behind the login. */
function isAnonymous(c: Context<Env>): boolean {
  return c.req.header('x-authorization') === undefined && c.req.header('authorization') === undefined;
}

/**
 * The methods that a path has. Only needed when no route matched. Where several patterns fit (`/device/types` and
 * `/device/:deviceId`), those of the one that says most.
 */
function methodsOf(routes: readonly Route[], path: string): string[] {
  const segments = path.split('/');
  const matching = routes.filter((route) => {
    const pattern = route.path.split('/');
    return (
      pattern.length === segments.length &&
      pattern.every((part, at) => (part.startsWith(':') ? segments[at] !== '' : part === segments[at]))
    );
  });
  const variables = ({ path: pattern }: Route) => pattern.split('/:').length;
  const fewest = Math.min(...matching.map(variables));
  const closest = matching.filter((route) => variables(route) === fewest);
  const methods = new Set(closest.map((route): string => route.method));
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods];
}
