/**
 * Signs what is sent, as Standard Webhooks 1.0.0 says: HMAC-SHA256 over `id.timestamp.body` under a secret that is written
 * `whsec_…`. Receivers check it with any library for that, over the body as it came. Two secrets sign while one replaces
 * the other.
 */
import { createHmac } from 'node:crypto';
import type { Instant } from '../base/clock.ts';

const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;

/** The key in `whsec_…`; undefined for any other text, and for a key of a wrong length. */
export function parseSigningSecret(text: string): Buffer | undefined {
  const [, base64 = ''] = SECRET.exec(text) ?? [];
  const key = Buffer.from(base64, 'base64');
  return key.length >= SECRET_BYTES_MIN && key.length <= SECRET_BYTES_MAX ? key : undefined;
}

/**
 * The headers that sign a message.
 * @param id the same for every attempt at one message; without a dot
 * @param now the instant of this attempt
 */
export function signedHeaders(
  keys: readonly Buffer[],
  id: string,
  now: Instant,
  body: string,
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
