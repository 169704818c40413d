/**
 * Proof of possession at the edge (rule C11): a secret that reads `pop1.<JWS>` is a text that the device signed, to prove
 * that the customer who shows it is in touch with the device. Here it is decided whether the signature is right; whether the
 * challenge is open, and the customer's, the device's actor decides (`../device/proof.ts`).
 *
 * What is signed is a JWS in its compact form (RFC 7515), ES256 or EdDSA, with the claims of a JWT (RFC 7519): `aud` (this
 * server), `sub` (the device's name), `nonce` (the challenge), `iat`, and `exp` at most ten minutes later. Which algorithm
 * counts is decided by the registered key, never by the message, and so "none", an HMAC under the public key and the
 * like are no signatures here.
 */
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Instant } from '../base/clock.ts';
import type { DeviceId } from '../base/ids.ts';
import type { SecretDigest, Secrets } from '../base/secret.ts';
import { CHALLENGE_MS, type ProofKey, type PublicJwk, proofKeyOf, type ShownProof } from '../device/proof.ts';
import type { DeviceRecord } from '../device/state.ts';

const PREFIX = 'pop1.';
/** UTF-16 units; a proof takes about 400. */
const PROOF_MAX = 4_096;
/** By how much the device's clock may differ, in seconds. */
const CLOCK_TOLERANCE_S = 60;
const AGE_MAX_S = CHALLENGE_MS / 1000;
const NONCE_MAX = 128;

/** Whether a secret is written as a proof is. */
export function looksLikeProof(secret: string): boolean {
  return secret.startsWith(PREFIX);
}

export interface ProofExpectations {
  /** What `aud` names: this server. */
  readonly audience: string;
  readonly now: Instant;
}

/** What a secret proves, as far as it can be told without the device's actor. Never rejects for what a caller sends. */
export async function readProof(
  secrets: Secrets,
  device: DeviceRecord,
  secret: string,
  { audience, now }: ProofExpectations,
): Promise<ShownProof> {
  const key = proofKeyOf(device);
  const verifier = key === null ? undefined : verifierOf(key);
  if (key === null || verifier === undefined || secret.length > PROOF_MAX) return WRONG;
  try {
    const { payload, protectedHeader } = await jwtVerify(secret.slice(PREFIX.length), verifier.key, {
      algorithms: verifier.algorithms,
      audience,
      subject: device.name,
      requiredClaims: ['iat', 'exp', 'nonce'],
      maxTokenAge: AGE_MAX_S,
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(now),
    });
    const names = protectedHeader.kid === undefined || protectedHeader.kid === device.name;
    const nonce = nonceOf(payload, audience);
    if (!names || nonce === undefined) return WRONG;
    const nonceDigests = secrets.digests(device.id, kept(nonce));
    return { type: 'signed', nonceDigests, key: key.id };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { type: 'outdated' };
    if (error instanceof errors.JOSEError || error instanceof SyntaxError) return WRONG;
    throw error;
  }
}

const WRONG: ShownProof = { type: 'wrong' };

/** The nonce of claims that are for this server alone and last no longer than a challenge. */
function nonceOf({ aud, iat = 0, exp = 0, nonce }: JWTPayload, audience: string): string | undefined {
  if (aud !== audience || exp - iat > AGE_MAX_S || exp <= iat) return undefined;
  return typeof nonce === 'string' && nonce !== '' && nonce.length <= NONCE_MAX ? nonce : undefined;
}

/** What is kept of a nonce. */
export function challengeDigest(secrets: Secrets, device: DeviceId, nonce: string): SecretDigest {
  return secrets.digest(device, kept(nonce));
}

function kept(nonce: string): string {
  return `claim challenge\0${nonce}`;
}

interface Verifier {
  readonly key: KeyObject;
  readonly algorithms: string[];
}

/** Undefined for a key by which nothing can be proved, e.g. the RSA key of a certificate. */
function verifierOf(key: ProofKey): Verifier | undefined {
  const publicKey = publicKeyOf(key);
  if (publicKey === undefined) return undefined;
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  if (type === 'ed25519') return { key: publicKey, algorithms: ['EdDSA', 'Ed25519'] }; // RFC 8037, RFC 9864
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return { key: publicKey, algorithms: ['ES256'] };
  return undefined;
}

function publicKeyOf(key: ProofKey): KeyObject | undefined {
  try {
    return key.type === 'jwk'
      ? createPublicKey({ key: { ...key.jwk }, format: 'jwk' })
      : new X509Certificate(Buffer.from(key.certificate, 'base64')).publicKey;
  } catch {
    return undefined; // no point of its curve, or a certificate whose key OpenSSL does not know
  }
}

/** Whether a JWK is a key: a point of its curve. */
export function isKeyToCheck(jwk: PublicJwk): boolean {
  return verifierOf({ type: 'jwk', id: '', jwk }) !== undefined;
}
