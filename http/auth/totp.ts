/**
 * Codes of authenticator apps (RFC 6238): six digits, HMAC-SHA-1, a new one every 30 seconds. These parameters are what all
 * apps have.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Instant } from '../../actors/base/clock.ts';

const STEP_MS = 30_000;
const DIGITS = 6;
/** Clocks of phones are a little off: the codes of the steps before and after are taken, too (RFC 6238, 5.2). */
const DRIFT_STEPS = 1;
/** As long as the digest (RFC 4226, section 4, R6). */
const SECRET_BYTES = 20;
/** RFC 4648, section 6. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A new secret in base32, as apps take it. */
export function newTotpSecret(): string {
  return [...randomBytes(SECRET_BYTES * 2)]
    .slice(0, (SECRET_BYTES * 8) / 5)
    .map((byte) => ALPHABET[byte % ALPHABET.length])
    .join('');
}

/** What a QR code says to an app. */
export function totpUrl(secret: string, { issuer, name }: { issuer: string; name: string }): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(name)}`;
  return `otpauth://totp/${label}?issuer=${encodeURIComponent(issuer)}&secret=${secret}`;
}

/** The secret of such a URL; undefined if it is none, or has less than 128 bits. */
export function totpSecretOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host, searchParams } = new URL(url);
  const secret = searchParams.get('secret')?.toUpperCase() ?? '';
  return protocol === 'otpauth:' && host === 'totp' && /^[A-Z2-7]{26,128}$/.test(secret) ? secret : undefined;
}

/** The step of time whose code this is, if it is later than the last one that was used; undefined: it is no good. */
export function totpStep(secret: string, code: string, now: Instant, lastStep: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined;
  const current = Math.floor(now / STEP_MS);
  for (let step = current - DRIFT_STEPS; step <= current + DRIFT_STEPS; step += 1) {
    if (step > lastStep && timingSafeEqual(Buffer.from(totpAt(secret, step)), Buffer.from(code))) return step;
  }
  return undefined;
}

/** The code of an instant: for tests, which play the app. */
export function totpCode(secret: string, now: Instant): string {
  return totpAt(secret, Math.floor(now / STEP_MS));
}

function totpAt(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', fromBase32(secret)).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 0xf; // RFC 4226, 5.3
  const number = digest.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0');
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
