/**
 * Proof of possession (rule C11): a customer shows that the device itself signed the customer's challenge. Here is what
 * the device's record says about it: which challenges are open, and by which key the device signs. Signatures are checked
 * at the edge (`../claiming/proofs.ts`); here they are only facts in a command.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId, UserId } from '../base/ids.ts';
import { isJsonObject } from '../base/json.ts';
import { type SecretDigest, sameDigest } from '../base/secret.ts';
import type { Decision } from '../runtime/decider.ts';
import { accept, type Recorded, type Refusal, refuse } from './messages.ts';
import { type OwnershipRules, takeOverNeedsProof } from './ownership-rules.ts';
import { CLAIM_PUBLIC_KEY, type Device, isForbidden, mayBeClaimed } from './state.ts';

/** How long a challenge works, in ms. */
export const CHALLENGE_MS = 600_000;
/** Open challenges of one device. The oldest makes room, so whoever asks and answers at once is not shut out. */
const CHALLENGES_MAX = 16;

// ------------------------------------------------------------------------------------------------- the device's key

/** A public key that signs by ES256 (P-256) or EdDSA (Ed25519), as a JWK (RFC 7517). */
export type PublicJwk =
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string };

/** By which key the device signs. `id` is the same for the same key, and for no other. */
export type ProofKey =
  | { readonly type: 'jwk'; readonly id: string; readonly jwk: PublicJwk }
  | { readonly type: 'x509'; readonly id: string; readonly certificate: string };

/** The key by which this device signs: the attribute, or else its X.509 credentials. Null: it has none. */
export function proofKeyOf({ attributes, credentials }: Device): ProofKey | null {
  const jwk = publicJwk(attributes.SERVER_SCOPE[CLAIM_PUBLIC_KEY]?.value);
  if (jwk !== undefined) return { type: 'jwk', id: `jwk ${jwk.crv} ${jwk.x}`, jwk };
  if (credentials.type !== 'X509_CERTIFICATE') return null;
  const { credentialsId, certificate } = credentials;
  return { type: 'x509', id: `x509 ${credentialsId}`, certificate };
}

/** 32 bytes in base64url. */
const COORDINATE = /^[A-Za-z0-9_-]{43}$/;

/**
 * The members of a JWK that matter. Undefined if it is no such key; also for a private one, which nobody but the device
 * should have. Whether the point is on its curve is checked at the edge.
 */
export function publicJwk(value: unknown): PublicJwk | undefined {
  if (!isJsonObject(value) || Object.hasOwn(value, 'd')) return undefined;
  const { kty, crv, x, y } = value;
  if (typeof x !== 'string' || !COORDINATE.test(x)) return undefined;
  if (kty === 'OKP' && crv === 'Ed25519') return { kty, crv, x };
  if (kty !== 'EC' || crv !== 'P-256' || typeof y !== 'string' || !COORDINATE.test(y)) return undefined;
  return { kty, crv, x, y };
}

// ------------------------------------------------------------------------------------------------------- challenges

export interface IssueChallenge {
  readonly type: 'IssueChallenge';
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
  readonly userId: UserId;
  /** Of 32 random bytes that only the customer gets. */
  readonly nonceDigest: SecretDigest;
  /** How long it works, in ms; above 0. */
  readonly validMs: number;
}

/** In place of the challenge that the customer may have had. */
export interface ChallengeIssued extends Recorded<'ChallengeIssued'> {
  readonly customerId: CustomerId;
  readonly userId: UserId;
  readonly nonceDigest: SecretDigest;
  readonly expiresAt: Instant;
}

/** Only what a proof could be good for is written down. */
export function issueChallenge(
  allowedByDefault: boolean,
  device: Device,
  command: IssueChallenge,
  at: Instant,
  rules: OwnershipRules,
): Decision<ChallengeIssued, Refusal> {
  if (rules.claimProof === 'none' || proofKeyOf(device) === null) {
    return refuse({ reason: 'proof-not-possible' });
  }
  const takesOver = rules.takeOver !== 'never' && takeOverNeedsProof(rules);
  if (device.owner !== null && !takesOver) return refuse({ reason: 'already-claimed' });
  if (isForbidden(device) || (device.owner === null && !mayBeClaimed(device, allowedByDefault))) {
    return refuse({ reason: 'claiming-not-allowed' });
  }
  const { customerId, userId, nonceDigest, validMs } = command;
  return accept({
    type: 'ChallengeIssued',
    at,
    customerId,
    userId,
    nonceDigest,
    expiresAt: at + validMs,
  });
}

export function challengeIssued(device: Device, event: ChallengeIssued): Device {
  const { customerId, nonceDigest, expiresAt, at } = event;
  const others = (device.challenges ?? []).filter(
    (open) => open.customerId !== customerId && at < open.expiresAt,
  );
  const challenges = [...others, { customerId, nonceDigest, expiresAt }].slice(-CHALLENGES_MAX);
  return { ...device, challenges };
}

/** The device without its challenges, which end with the owner epoch they were made in (R5). */
export function withoutChallenges(device: Device): Device {
  if (device.challenges === undefined) return device;
  const { challenges: _ended, ...rest } = device;
  return rest;
}

// ----------------------------------------------------------------------------------------------------------- proofs

/** What the edge found in a signed text that was shown as the secret. */
export type ShownProof =
  /**
   * Signed by this key (`ProofKey.id`), for this server and this device, and not too old. The nonce has several digests while
   * the server's keys are changed.
   */
  | { readonly type: 'signed'; readonly nonceDigests: readonly SecretDigest[]; readonly key: string }
  /** Signed so, but its time is over. */
  | { readonly type: 'outdated' }
  /** Anything else. */
  | { readonly type: 'wrong' };

/** C11: the signature is of the key that the device has now, and of a challenge of this very customer. Undefined: it is. */
export function mismatchedProof(
  device: Device,
  customerId: CustomerId,
  proof: ShownProof,
  at: Instant,
): Refusal | undefined {
  if (proof.type === 'outdated') return { reason: 'proof-outdated' };
  if (proof.type === 'wrong' || proof.key !== proofKeyOf(device)?.id) return { reason: 'wrong-proof' };
  const challenge = device.challenges?.find(
    (open) =>
      open.customerId === customerId &&
      proof.nonceDigests.some((digest) => sameDigest(open.nonceDigest, digest)),
  );
  if (challenge === undefined) return { reason: 'wrong-proof' };
  return at < challenge.expiresAt ? undefined : { reason: 'proof-outdated' };
}
