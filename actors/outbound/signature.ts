/**
 * Signs what is sent, as Standard Webhooks 1.0.0 says: HMAC-SHA256 over `id.timestamp.body` under a secret that is written
 * `whsec_…`. Receivers check it with any library for that, over the body as it came. Two secrets sign while one replaces
 * the other.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
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
 * @param pairs private keys of Ed25519, which sign too (`v1a`)
 */
export function signedHeaders(
  keys: readonly Buffer[],
  id: string,
  now: Instant,
  body: string,
  pairs: readonly KeyObject[] = [],
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(Math.floor(now / 1000));
  const message = `${id}.${timestamp}.${body}`;
  const signatures = [
    ...keys.map((key) => `v1,${createHmac('sha256', key).update(message).digest('base64')}`),
    ...pairs.map((key) => `v1a,${sign(null, Buffer.from(message), key).toString('base64')}`),
  ];
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

/** A new secret as receivers enter it. */
export function writeSigningSecret(key: Buffer): string {
  return `whsec_${key.toString('base64')}`;
}

/** A pair of Ed25519: the private key to be kept as DER in base64, the public one as receivers pin it (`whpk_…`). */
export function newSigningPair(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const kept = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  return { privateKey: kept, publicKey: publicKeyOf(privateKey) };
}

export function readSigningPair(kept: string): KeyObject {
  return createPrivateKey({ key: Buffer.from(kept, 'base64'), type: 'pkcs8', format: 'der' });
}

/** The last 32 bytes of its DER are the key itself (RFC 8410 §4). */
function publicKeyOf(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return `whpk_${der.subarray(-32).toString('base64')}`;
}
