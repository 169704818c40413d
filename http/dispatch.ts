/**
 * Registers routes in a Hono app. For every request, in this order: who asks, may they, what do they send, the handler,
 * the answer.
 *
 * Two errors are expected on the way: the store is away (503), and the client ends its connection within its body. Any
 * other is a bug: it ends this request, is answered 500 without details, and is logged with its stack and the route's
 * pattern (`actors/runtime/supervision.ts`). The URL is never logged, because tokens are in it.
 */

import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import type { StoredBytes } from '../actors/accounts/stored-bytes.ts';
import type { AuditTrail } from '../actors/audit/audit.ts';
import type { Clock } from '../actors/base/clock.ts';
import { type Log, logBounded } from '../actors/base/log.ts';
import { logUnavailable, StoreUnavailable } from '../actors/journal/unavailable.ts';
import { reportBug } from '../actors/runtime/supervision.ts';
import type { Authentication, Identity } from './auth/authentication.ts';
import { KNOWN_BROWSER_HEADER } from './auth/browsers.ts';
import type { Principal } from './auth/principal.ts';
import type { Route } from './route.ts';
import { noteImpersonated } from './routes/user-notes.ts';
import type { ApiSettings } from './settings.ts';
import { addressedBy } from './wire/addressed.ts';
import {
  BrokenOff,
  declaredBytes,
  PUBLIC_BODY_BYTES_MAX,
  readJson,
  readPayload,
  tooLarge,
} from './wire/body.ts';
import { corsHeaders } from './wire/cors.ts';
import {
  badRequest,
  internalError,
  notAuthenticated,
  permissionDenied,
  storedTooMuch,
} from './wire/errors.ts';
import { isProblem, type Reply, told, toResponse } from './wire/reply.ts';
import { deviceOf, paramsOf, peerOf, queryOf } from './wire/request.ts';

/** Absent when the app is called without a socket. */
export type Env = { readonly Bindings: Partial<HttpBindings> };
export type App = Hono<Env>;

export interface DispatchNeeds {
  readonly audit: Pick<AuditTrail, 'note'>;
  readonly authentication: Authentication;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: ApiSettings;
  /** Without it nothing is counted. */
  readonly stored?: StoredBytes | undefined;
}

export function register(app: App, route: Route, needs: DispatchNeeds): void {
  const { clock, log } = needs;
  app.on(route.method, route.path, async (c) => {
    const startedAt = performance.now();
    const reply = await serve(c, route, needs);
    const response = toResponse(reply, corsHeaders(c, needs.settings.corsOrigins), clock.now());
    const ms = Math.round((performance.now() - startedAt) * 100) / 100;
    log.debug({ method: route.method, route: route.path, status: response.status, ms }, 'request');
    return response;
  });
}

async function serve(c: Context<Env>, route: Route, needs: DispatchNeeds): Promise<Reply> {
  const { log } = needs;
  try {
    return await answer(c, route, needs);
  } catch (error) {
    if (error instanceof BrokenOff) return badRequest('The request was broken off');
    const fields = { method: route.method, route: route.path };
    if (error instanceof StoreUnavailable) {
      const about = { ...fields, err: error };
      logUnavailable(log, 'warn', performance.now(), about, 'request failed: the store is not available');
      return route.unavailable;
    }
    reportBug(log, 'http request', error, fields);
    return internalError;
  }
}

async function answer(c: Context<Env>, route: Route, needs: DispatchNeeds): Promise<Reply> {
  const { authentication, settings } = needs;
  const isPublic = route.roles.includes('PUBLIC');
  // Each header that is read costs a microsecond of a claim, so each is read only where it is used.
  const identity = isPublic ? NOBODY : identityOf(c);
  const who = isPublic ? undefined : await authentication.authenticate(identity);
  if (who !== undefined && isProblem(who)) return who;
  if (!route.allows(who)) return who === undefined ? notAuthenticated : permissionDenied;

  const params = paramsOf(route.path, c.req.path, route.undecodablePath);
  if (params === undefined) return worded(route, badRequest('The path is not percent-encoded UTF-8'));
  const maxBytes = isPublic ? Math.min(settings.maxBodyBytes, PUBLIC_BODY_BYTES_MAX) : settings.maxBodyBytes;
  const body = route.body === undefined ? undefined : await readJson(c, maxBytes);
  if (body?.type === 'refused') {
    const { reply } = body;
    const isMalformed = isProblem(reply) && reply.status === 400;
    return worded(route, (isMalformed ? route.malformedBody : undefined) ?? reply);
  }

  const storing = route.stores ? await storingOf(who, c, body?.value, needs.stored) : undefined;
  if (storing === 'full') return worded(route, storedTooMuch);

  const { payload } = route;
  const declared = payload === undefined ? undefined : declaredBytes(c);
  if (payload !== undefined && (declared ?? 0) > payload.bytesMax) return tooLarge(payload.bytesMax);

  const forwardedFor = settings.trustedProxies === 0 ? undefined : c.req.header('x-forwarded-for');
  const address = peerOf(c.env?.incoming, forwardedFor, settings.trustedProxies);
  const reply = await route.answer({
    principal: who,
    params,
    query: route.query === undefined ? {} : queryOf(c.req.queries()),
    body: body?.value,
    address,
    origin: () => ({
      address,
      device: deviceOf(c.req.header('user-agent')),
      browser: c.req.header(KNOWN_BROWSER_HEADER),
    }),
    bearer: () => /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1],
    idempotencyKey: route.idempotent ? c.req.header('idempotency-key') : undefined,
    ifMatch: route.conditional ? c.req.header('if-match') : undefined,
    prefersAsync: () => /(^|,)\s*respond-async\s*($|[,;])/i.test(c.req.header('prefer') ?? ''),
    async readPayload() {
      if (payload === undefined) throw new Error(`${route.path} takes no payload`);
      return readPayload(c, payload.bytesMax, declared);
    },
    stillMay: () => stillMay(route, identity, needs),
    linkBase: () => addressedBy((name) => c.req.header(name), c.req.url, settings).base,
  });
  if (storing !== undefined && reply.type !== 'problem') storing.keep();
  if (reply.type === 'problem' && reply.status === TOO_MANY) {
    const about = { method: route.method, route: route.path, address };
    logBounded(needs.log, 'warn', performance.now(), about, 'a limit was reached: somebody has to wait');
  }
  if (who?.impersonatorId !== undefined && route.method !== 'GET') {
    const status = 'status' in reply ? reply.status : 200;
    noteImpersonated(needs.audit, who, { method: route.method, route: route.path, status });
  }
  return worded(route, reply);
}

/** What a request sends to be kept, on behalf of a tenant. */
async function storingOf(
  who: Principal | undefined,
  c: Context<Env>,
  body: unknown,
  stored: StoredBytes | undefined,
): Promise<{ keep(): void } | 'full' | undefined> {
  if (stored === undefined || stored.max === 0 || who === undefined || who.authority === 'SYS_ADMIN')
    return undefined;
  const { tenantId } = who;
  if (await stored.isFull(tenantId)) return 'full';
  const bytes = declaredBytes(c) ?? JSON.stringify(body ?? null).length;
  return { keep: () => stored.add(tenantId, bytes) };
}

const TOO_MANY = 429;
const NOBODY: Identity = { custom: undefined, standard: undefined };

function identityOf(c: Context<Env>): Identity {
  return { custom: c.req.header('x-authorization'), standard: c.req.header('authorization') };
}

/**
 * Asked long after the request was let in, and nobody waits who could hear of an error. While the store is away, the
 * answer is yes.
 */
async function stillMay(
  route: Route,
  identity: Identity,
  { authentication, log }: DispatchNeeds,
): Promise<boolean> {
  try {
    const who = route.roles.includes('PUBLIC') ? undefined : await authentication.authenticate(identity);
    return (who === undefined || !isProblem(who)) && route.allows(who);
  } catch (error) {
    if (error instanceof StoreUnavailable) return true;
    reportBug(log, 'http request', error, { method: route.method, route: route.path });
    return false;
  }
}

/** Some routes answer problems as plain text, but never that the server cannot serve now. */
function worded(route: Route, reply: Reply): Reply {
  if (!route.plainProblems || reply.type !== 'problem' || reply.retryAfterSeconds !== undefined) return reply;
  return { type: 'text', status: reply.status, body: reply.message, headers: told(reply) };
}
