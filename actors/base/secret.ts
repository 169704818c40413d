/**
 * Claim secrets: digested to be compared, sealed where the tenant may read them again (rule C9).
 *
 * A digest is HMAC-SHA-256 over the id of a device (or user, or tenant) and the secret, under a key that only this server has. So equal secrets
 * of two devices look different, and a stolen journal is no use for guessing without the key. A sealed secret (a
 * `claimingData`, a password of MQTT_BASIC) is AES-256-GCM, bound to its device. Both keys are derived by HKDF from the
 * digest key that is configured.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import type { DeviceId, KitId, TenantId, UserId } from './ids.ts';

/** A keyed digest (HMAC) of a claim secret, base64url. The secret itself goes no further than the edge (C9). */
export type SecretDigest = string;

export interface Secrets {
  /** The digest of a secret for one device, user or tenant. Any string is a secret, the empty one included. */
  digest(whose: DeviceId | UserId | TenantId, secret: string): SecretDigest;
  /**
   * The digests that a right secret may have: by the key, and while keys are changed by the other key too. A shown secret
   * is compared with one after the other.
   */
  digests(whose: DeviceId | UserId | TenantId, secret: string): readonly [SecretDigest, ...SecretDigest[]];
  /** Encrypts a secret for one device, user or kit. */
  seal(whose: DeviceId | UserId | KitId, secret: string): string;
  /** Undoes `seal`. Throws when the text was not sealed for it by this server. */
  unseal(whose: DeviceId | UserId | KitId, sealed: string): string;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Without this, Node also accepts a shortened tag, which proves less. */
const WHOLE_TAG = { authTagLength: TAG_BYTES };

/**
 * @param serverKey at least 32 random bytes, the same on every node and after restarts; with another key no open window can
 *   be confirmed
 * @param otherKey while keys are changed: what was digested and sealed under it still counts
 */
export function createSecrets(serverKey: Buffer, otherKey?: Buffer): Secrets {
  const secrets = secretsUnder(serverKey);
  if (otherKey === undefined)
    return { ...secrets, digests: (whose, secret) => [secrets.digest(whose, secret)] };
  const others = secretsUnder(otherKey);
  return {
    ...secrets,
    digests: (whose, secret) => [secrets.digest(whose, secret), others.digest(whose, secret)],
    unseal(device, sealed) {
      try {
        return secrets.unseal(device, sealed);
      } catch {
        return others.unseal(device, sealed); // throws when neither key sealed it
      }
    },
  };
}

function secretsUnder(serverKey: Buffer): Omit<Secrets, 'digests'> {
  if (serverKey.length < 32) throw new RangeError('the server key must have at least 32 bytes');
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', serverKey, '', `claimd ${purpose}`, 32));
  const digestKey = createSecretKey(derive('claim secret digest')); // prepared once, for every claim needs it
  const sealKey = derive('claim secret seal');

  return {
    digest(whose, secret) {
      // An id has no NUL in it, so no two pairs give the same text.
      return createHmac('sha256', digestKey).update(`${whose}\0${secret}`).digest('base64url');
    },

    seal(device, secret) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealKey, iv).setAAD(Buffer.from(device));
      const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
    },

    unseal(device, sealed) {
      const bytes = Buffer.from(sealed, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', sealKey, bytes.subarray(0, IV_BYTES), WHOLE_TAG)
        .setAAD(Buffer.from(device))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const body = bytes.subarray(IV_BYTES + TAG_BYTES);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    },
  };
}

/** What was sealed, to be shown; null when the key that sealed it has been dropped, for then nobody can read it. */
export function unsealedOrNull(
  secrets: Pick<Secrets, 'unseal'>,
  whose: DeviceId | UserId | KitId,
  sealed: string,
): string | null {
  try {
    return secrets.unseal(whose, sealed);
  } catch {
    return null;
  }
}

/** Compares two digests in constant time. */
export function sameDigest(a: SecretDigest, b: SecretDigest): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
