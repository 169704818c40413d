/**
 * Pages of any origin may use the API, as with ThingsBoard: tokens in headers protect it, and a foreign page has none.
 *
 * Not Hono's middleware, for three reasons: it sets its headers on every answer, also for devices and programs, which
 * send no Origin; it answers a preflight 204, where ThingsBoard answers 200; and it would be one more step before each
 * claim.
 */
import type { Context } from 'hono';
import { ATTEMPTS_LEFT_HEADER, CLAIM_REFUSAL_HEADER, REPLAYED_HEADER } from './claim-refusal.ts';
import { type Headers, RETRY_AFTER_HEADER } from './reply.ts';

/** Headers of answers that pages may read. */
const EXPOSED = [RETRY_AFTER_HEADER, CLAIM_REFUSAL_HEADER, ATTEMPTS_LEFT_HEADER, REPLAYED_HEADER].join(', ');
const PREFLIGHT_MAX_AGE_SECONDS = 1800;

/** For an answer to a page; none where the request has no Origin. */
export function corsHeaders(c: Context): Headers {
  const origin = c.req.header('origin');
  if (origin === undefined || !c.req.path.startsWith('/api/')) return {};
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': EXPOSED,
    Vary: 'Origin',
  };
}

/** For the answer to a preflight request; undefined if it is not one. */
export function preflightHeaders(c: Context): Headers | undefined {
  const method = c.req.header('access-control-request-method');
  const allowed = corsHeaders(c);
  if (method === undefined || Object.keys(allowed).length === 0) return undefined;
  const headers = c.req.header('access-control-request-headers');
  return {
    ...allowed,
    'Access-Control-Allow-Methods': method,
    ...(headers === undefined ? {} : { 'Access-Control-Allow-Headers': headers }),
    'Access-Control-Max-Age': String(PREFLIGHT_MAX_AGE_SECONDS),
  };
}
