/**
 * Pages of any origin may use the API, as with ThingsBoard: what protects it are tokens in headers, which a foreign
 * page does not have.
 */
import type { Context } from 'hono';
import type { Headers } from './reply.ts';

const PREFLIGHT_MAX_AGE_SECONDS = 1800;

/** For an answer; none when the request did not come from a page of another origin. */
export function corsHeaders(c: Context): Headers {
  const origin = c.req.header('origin');
  if (origin === undefined || !c.req.path.startsWith('/api/')) return {};
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': 'Retry-After, Claim-Refusal, Claim-Attempts-Left, Idempotency-Replayed',
    Vary: 'Origin',
  };
}

/** For the question before the request (preflight); undefined when it is not one. */
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
