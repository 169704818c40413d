/**
 * Registers routes in a Hono app. For every request, in this order: who asks, may they, what do they send, the handler,
 * the answer.
 *
 * Two errors are expected on the way: the store is away (503), and the client ends its connection within its body. Any
 * other is a bug: it ends this request, is answered 500 without details, and is logged with its stack and the route's
 * pattern (`actors/runtime/supervision.ts`). The URL is never logged, because tokens are in it.
 */

import type { Hono } from 'hono';
import type { StoredBytes } from '../actors/accounts/stored-bytes.ts';
import type { Clock } from '../actors/base/clock.ts';
import { type DeviceId, parseId } from '../actors/base/ids.ts';
import { type Log, logBounded } from '../actors/base/log.ts';
import type { Tracing } from '../actors/base/tracing.ts';
import { ifUnavailable, logUnavailable, StoreUnavailable } from '../actors/journal/unavailable.ts';
import { reportBug } from '../actors/runtime/supervision.ts';
import type { Authentication, Identity } from './auth/authentication.ts';
import { KNOWN_BROWSER_HEADER } from './auth/browsers.ts';
import type { Principal } from './auth/principal.ts';
import type { Route } from './route.ts';
import { type NotesChanges, noteImpersonated } from './routes/user-notes.ts';
import type { ApiSettings } from './settings.ts';
import { type RequestTrace, traceRequest } from './trace.ts';
import { addressedBy } from './wire/addressed.ts';
import { type Asked, askedThrough, BrokenOff, type Env } from './wire/asked.ts';
import { declaredBytes, PUBLIC_BODY_BYTES_MAX, readJson, readPayload, tooLarge } from './wire/body.ts';
import { corsHeaders } from './wire/cors.ts';
import {
  badRequest,
  internalError,
  notAuthenticated,
  permissionDenied,
  storedTooMuch,
} from './wire/errors.ts';
import {
  isProblem,
  type Parts,
  partsOf,
  type Reply,
  type ResponseParts,
  responseOf,
  told,
} from './wire/reply.ts';
import { deviceOf, idsOf, paramsOf, peerOf, queryOf } from './wire/request.ts';
import { ANY_ROOM, type WaitingBodies } from './wire/waiting-bodies.ts';

export type App = Hono<Env>;

/** Told of every answered request: how long it took, in seconds. */
export type ObserveRequest = (route: Pick<Route, 'method' | 'path'>, status: number, seconds: number) => void;

export interface DispatchNeeds {
  readonly audit: NotesChanges;
  readonly authentication: Authentication;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: ApiSettings;
  /** Without it nothing is counted. */
  readonly stored?: StoredBytes | undefined;
  readonly onRequest?: ObserveRequest | undefined;
  /** Makes spans; without it, nobody does. */
  readonly tracing?: Tracing | undefined;
  /** Bounds what is being received; without it, nobody does. */
  readonly bodies?: WaitingBodies;
}

export function register(app: App, route: Route, needs: DispatchNeeds): void {
  app.on(route.method, route.path, async (c) => responseOf(await respond(askedThrough(c), route, needs)));
}

/** All of a request, from who asks to what is answered. */
export async function respond(asked: Asked, route: Route, needs: DispatchNeeds): Promise<ResponseParts> {
  const startedAt = performance.now();
  const trace =
    needs.tracing === undefined ? undefined : traceRequest(needs.tracing, asked, route, needs.clock);
  const reply = await serve(asked, route, needs, trace);
  const parts = partsOf(reply, corsHeaders(asked, needs.settings.corsOrigins), needs.clock.now());
  const took = performance.now() - startedAt;
  trace?.end(parts.status);
  needs.onRequest?.(route, parts.status, took / 1_000);
  if (needs.log.debugs !== false) {
    const ms = Math.round(took * 100) / 100;
    const about = { method: route.method, route: route.path, status: parts.status, ms };
    needs.log.debug({ ...about, ...idsOf(asked), ...trace?.ids() }, 'request');
  }
  return parts;
}

async function serve(
  asked: Asked,
  route: Route,
  needs: DispatchNeeds,
  trace: RequestTrace | undefined,
): Promise<Reply> {
  const { log } = needs;
  try {
    return await answer(asked, route, needs, trace);
  } catch (error) {
    if (error instanceof BrokenOff) return badRequest('The request was broken off');
    const fields = { method: route.method, route: route.path, ...idsOf(asked), ...trace?.ids() };
    if (error instanceof StoreUnavailable) {
      const about = { ...fields, err: error };
      logUnavailable(log, 'warn', performance.now(), about, 'request failed: the store is not available');
      return route.unavailable;
    }
    reportBug(log, 'http request', error, fields);
    return internalError;
  }
}

async function answer(
  asked: Asked,
  route: Route,
  needs: DispatchNeeds,
  trace: RequestTrace | undefined,
): Promise<Reply> {
  const { authentication, clock, settings } = needs;
  const isPublic = route.roles.includes('PUBLIC');
  // Each header that is read costs a microsecond of a claim, so each is read only where it is used.
  const identity = isPublic ? NOBODY : identityOf(asked);
  const known = isPublic ? undefined : authentication.authenticate(identity);
  let who = known instanceof Promise ? await known : known;
  if (who !== undefined && isProblem(who)) return who;
  if (!route.allows(who)) return who === undefined ? notAuthenticated : permissionDenied;

  const params = paramsOf(route.path, asked.path, route.undecodablePath);
  if (params === undefined) return badRequest('The path is not percent-encoded UTF-8');
  const maxBytes = isPublic ? Math.min(settings.maxBodyBytes, PUBLIC_BODY_BYTES_MAX) : settings.maxBodyBytes;
  const letInAt = clock.elapsed();
  const forwardedFor = settings.trustedProxies === 0 ? undefined : asked.header('x-forwarded-for');
  const address = peerOf(asked.incoming, forwardedFor, settings.trustedProxies);
  const room = needs.bodies?.roomOf(address) ?? ANY_ROOM;
  const body = route.body === undefined ? undefined : await readJson(asked, maxBytes, room);
  if (!isPublic && clock.elapsed() - letInAt >= LATE_BODY_MS) {
    const now = await authentication.authenticate(identity);
    if (isProblem(now)) return now;
    if (!route.allows(now)) return permissionDenied;
    who = now;
  }
  if (body?.type === 'refused') {
    const { reply } = body;
    const isMalformed = isProblem(reply) && reply.status === 400;
    return worded(route, (isMalformed ? route.malformedBody : undefined) ?? reply);
  }

  const principal = who; // from here on it is the same

  const storing =
    route.stores !== false && route.stores(body?.value)
      ? await storingOf(principal, asked, body?.value, needs.stored)
      : undefined;
  if (storing === 'full') return worded(route, storedTooMuch);

  const { payload } = route;
  const declared = payload === undefined ? undefined : declaredBytes(asked);
  if (payload !== undefined && (declared ?? 0) > payload.bytesMax) return tooLarge(payload.bytesMax);

  const answered = route.answer({
    principal,
    params,
    query: route.query === undefined ? {} : queryOf(asked.queries()),
    body: body?.value,
    address,
    origin: () => ({
      address,
      device: deviceOf(asked.header('user-agent')),
      browser: asked.header(KNOWN_BROWSER_HEADER),
    }),
    bearer: () => /^Bearer (.+)$/i.exec(asked.header('authorization') ?? '')?.[1],
    trace,
    idempotencyKey: route.idempotent ? asked.header('idempotency-key') : undefined,
    lastEventId: route.resumable ? asked.header('last-event-id') : undefined,
    ifMatch: route.conditional ? asked.header('if-match') : undefined,
    prefersAsync: () => /(^|,)\s*respond-async\s*($|[,;])/i.test(asked.header('prefer') ?? ''),
    async readPayload() {
      if (payload === undefined) throw new Error(`${route.path} takes no payload`);
      return readPayload(asked, payload.bytesMax, declared, room);
    },
    stillMay: () => stillMay(route, identity, needs),
    whileStanding: (parts) => (principal === undefined ? parts : whileStanding(parts, principal, needs)),
    linkBase: () => addressedBy((name) => asked.header(name), asked.url, settings).base,
  });
  const reply = answered instanceof Promise ? await answered : answered;
  if (storing !== undefined && reply.type !== 'problem') storing.keep();
  if (reply.type === 'problem' && reply.status === TOO_MANY) {
    const about = { method: route.method, route: route.path, address };
    logBounded(needs.log, 'warn', performance.now(), about, 'a limit was reached: somebody has to wait');
  }
  if (principal?.impersonatorId !== undefined && leavesTraces(route)) {
    const status = 'status' in reply ? reply.status : 200;
    const done = { method: route.method, route: route.path, status };
    await noteImpersonated(needs.audit, principal, done, deviceIn(params));
  }
  return worded(route, reply);
}

/** What a request sends to be kept, on behalf of a tenant. */
async function storingOf(
  principal: Principal | undefined,
  asked: Asked,
  body: unknown,
  stored: StoredBytes | undefined,
): Promise<{ keep(): void } | 'full' | undefined> {
  if (
    stored === undefined ||
    stored.max === 0 ||
    principal === undefined ||
    principal.authority === 'SYS_ADMIN'
  )
    return undefined;
  // A customer has an account of its own: it must not use up what the tenant may keep.
  const isCustomer = principal.authority === 'CUSTOMER_USER';
  const whose = isCustomer ? principal.customerId : principal.tenantId;
  if (await stored.isFull(whose, isCustomer)) return 'full';
  const bytes = declaredBytes(asked) ?? JSON.stringify(body ?? null).length;
  return { keep: () => stored.add(whose, bytes) };
}

/** The device that a path names by its id. */
function deviceIn({ deviceId, entityType, entityId }: Record<string, string>): DeviceId | undefined {
  return parseId(deviceId ?? (entityType === 'DEVICE' ? entityId : undefined) ?? '');
}

/** Whether a request is in a trail by itself: changes, and readings of credentials. */
const leavesTraces = ({ method, path }: Route) => method !== 'GET' || path.endsWith('/credentials');

const TOO_MANY = 429;
/** Who sends the body of a request so late is looked at once more: it may have been removed or logged out meanwhile. */
const LATE_BODY_MS = 100;
/** Whoever gets a long answer is looked at this often. */
const LOOK_EVERY_MS = 1_000;
const NOBODY: Identity = { custom: undefined, standard: undefined };

function identityOf(asked: Asked): Identity {
  return { custom: asked.header('x-authorization'), standard: asked.header('authorization') };
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

/** No generator of its own: a part may be one line of a hundred thousand, and a layer costs each of them. */
function whileStanding<Part>(
  parts: Parts<Part>,
  principal: Principal,
  { authentication, clock }: DispatchNeeds,
): Parts<Part> {
  let lookedAt = clock.elapsed();
  async function nextIfStanding() {
    const stands = await authentication.stands(principal).catch(ifUnavailable(() => true));
    lookedAt = clock.elapsed();
    if (stands) return parts.next();
    await parts.return(undefined);
    throw new Error('who asked may not have the rest');
  }
  return {
    next: () => (clock.elapsed() - lookedAt < LOOK_EVERY_MS ? parts.next() : nextIfStanding()),
    return: (value) => parts.return(value),
  };
}

/** Some routes answer problems as plain text, but never that the server cannot serve now, or that they are not there. */
function worded(route: Route, reply: Reply): Reply {
  if (!route.plainProblems || reply.type !== 'problem') return reply;
  if (reply.enveloped || reply.retryAfterSeconds !== undefined) return reply;
  return { type: 'text', status: reply.status, body: reply.message, headers: told(reply) };
}
