/**
 * Which pages of other origins may use the API: those whose origins are listed, by default none. `*` lets all others in
 * too, but then browsers send no cookies and client certificates along.
 *
 * Not Hono's middleware, for three reasons: it sets its headers on every answer, also for devices and programs, which
 * send no Origin; it answers a preflight 204, where ThingsBoard answers 200; and it would be one more step before each
 * claim.
 */
import type { Asked } from './asked.ts';
import { ATTEMPTS_LEFT_HEADER, CLAIM_REFUSAL_HEADER, REPLAYED_HEADER } from './claim-refusal.ts';
import { type Headers, RETRY_AFTER_HEADER } from './reply.ts';
import { NEXT_PART, SEARCHED, TOTAL_IS } from './totals.ts';

/** Headers of answers that pages may read. */
const EXPOSED = [
  RETRY_AFTER_HEADER,
  CLAIM_REFUSAL_HEADER,
  ATTEMPTS_LEFT_HEADER,
  REPLAYED_HEADER,
  TOTAL_IS,
  SEARCHED,
  NEXT_PART,
].join(', ');
const PREFLIGHT_MAX_AGE_SECONDS = 1800;
const ANY = '*';
const NONE: Headers = {};

/** The items of a list of origins as browsers send them, separated by commas; undefined if one is neither that nor `*`. */
export function parseOrigins(text: string): string | undefined {
  const items = text.split(',').map((item) => item.trim());
  const origins = items.map((item) => (item === ANY ? ANY : originFrom(item)));
  return origins.every((origin) => origin !== undefined) ? origins.join(',') : undefined;
}

function originFrom(text: string): string | undefined {
  if (!/^https?:\/\/[^/?#@*\\\s]+\/?$/i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text).origin;
}

/**
 * For an answer to a page; none where the request has no Origin.
 * @param origins those that are allowed, as browsers send them, and `*` for any
 */
export function corsHeaders(asked: Asked, origins: readonly string[]): Headers {
  if (origins.length === 0) return NONE;
  const origin = asked.header('origin');
  if (origin === undefined || !asked.path.startsWith('/api/')) return NONE;
  // Caches must not give one origin the answer for another, nor the answer without these headers.
  if (origins.includes(origin)) {
    return { ...allowing(origin), 'Access-Control-Allow-Credentials': 'true' };
  }
  return origins.includes(ANY) ? allowing(ANY) : { Vary: 'Origin' };
}

function allowing(origin: string): Headers {
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': EXPOSED,
    Vary: 'Origin',
  };
}

/** For the answer to a preflight request; undefined if it is not one, or of an origin that is not allowed. */
export function preflightHeaders(asked: Asked, origins: readonly string[]): Headers | undefined {
  const method = asked.header('access-control-request-method');
  const allowed = corsHeaders(asked, origins);
  if (method === undefined || !('Access-Control-Allow-Origin' in allowed)) return undefined;
  const headers = asked.header('access-control-request-headers');
  return {
    ...allowed,
    'Access-Control-Allow-Methods': method,
    ...(headers === undefined ? {} : { 'Access-Control-Allow-Headers': headers }),
    'Access-Control-Max-Age': String(PREFLIGHT_MAX_AGE_SECONDS),
  };
}
