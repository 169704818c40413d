/**
 * Secrets: digested to be compared, sealed where the tenant may read them again (rule C9).
 *
 * A digest is HMAC-SHA-256 over the id of a device (or user, or tenant) and the secret, under a key that only this server has. So equal secrets
 * of two devices look different, and a stolen journal is no use for guessing without the key. A sealed secret (a
 * `claimingData`) is AES-256-GCM, bound to its device. Both keys are derived by HKDF from the digest key that is
 * configured.
 *
 * The credentials of devices have a key of their own, which the store keeps, wrapped under the server key. So a device is
 * found and let in as before when the server key is changed, and a stolen store without the server key lets nobody in.
 */
import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { DeviceId, ImportId, KitId, MailId, ProviderId, TenantId, UserId, WebhookId } from './ids.ts';
import { remembered } from './remembered.ts';

/** A keyed digest (HMAC) of a claim secret, base64url. The secret itself goes no further than the edge (C9). */
export type SecretDigest = string;

/** A keyed digest (HMAC) of what a device shows: an access token, a user name, the digest of a certificate. base64url. */
export type CredentialsId = string;

type SealedFor = DeviceId | ImportId | UserId | WebhookId | ProviderId | MailId;

/** What the credentials of devices need. */
export interface CredentialSecrets {
  /** By what a device is found that shows this. The same for as long as the store lives, whatever the server key is. */
  credentialsId(shown: string): CredentialsId;
  /**
   * Encrypts what has to be read again, bound to what it belongs to. Of a device or an import: tokens and passwords. Of a user:
   * the secret of the authenticator. Of a webhook: what signs. Of an identity provider: what this server shows to it. Of a mail:
   * whom it goes to, and what it says.
   */
  sealCredential(whose: SealedFor, secret: string): string;
  /** Undoes `sealCredential`, and `seal`, which sealed passwords before. Throws when neither key of this server did it. */
  unsealCredential(whose: SealedFor, sealed: string): string;
}

export interface Secrets extends CredentialSecrets {
  /** The digest of a secret for one device, user or tenant. Any string is a secret, the empty one included. */
  digest(whose: DeviceId | UserId | TenantId, secret: string): SecretDigest;
  /**
   * The digests that a right secret may have: by the key, and while keys are changed by the other key too. A shown secret
   * is compared with one after the other.
   */
  digests(whose: DeviceId | UserId | TenantId, secret: string): readonly [SecretDigest, ...SecretDigest[]];
  /**
   * The digest of what a user may show beside the password, or of what only this server writes down in a tenant's records, as
   * `digest`, but under the store's key, which outlasts this one.
   */
  digestForUser(whose: UserId | TenantId, secret: string): SecretDigest;
  /** Encrypts a secret for one device, user or kit. */
  seal(whose: DeviceId | UserId | KitId, secret: string): string;
  /** Undoes `seal`. Throws when the text was not sealed for it by this server. */
  unseal(whose: SealedFor | KitId, sealed: string): string;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Without this, Node also accepts a shortened tag, which proves less. */
const WHOLE_TAG = { authTagLength: TAG_BYTES };

/**
 * @param serverKey at least 32 random bytes, the same on every node and after restarts; with another key no open window can
 *   be confirmed
 * @param otherKey while keys are changed: what was digested and sealed under it still counts
 * @param credentialsKey that of the store; without one (in tests) it follows from the server key
 */
export function createSecrets(
  serverKey: Buffer,
  otherKey?: Buffer,
  credentialsKey = derived(serverKey, 'credentials'),
): Secrets {
  const secrets = claimSecrets(serverKey, otherKey);
  return { ...secrets, ...credentialSecrets(credentialsKey, secrets) };
}

type StoreSecrets = CredentialSecrets & Pick<Secrets, 'digestForUser'>;
type ClaimSecrets = Omit<Secrets, keyof StoreSecrets>;

function claimSecrets(serverKey: Buffer, otherKey: Buffer | undefined): ClaimSecrets {
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

function derived(key: Buffer, purpose: string): Buffer {
  if (key.length < 32) throw new RangeError('the server key must have at least 32 bytes');
  return Buffer.from(hkdfSync('sha256', key, '', `claimd ${purpose}`, 32));
}

/** Half of the digest, which RFC 2104 §5 allows: it is in every record of a device, and in the key that leads to it. */
const CREDENTIALS_ID_CHARS = 22;
/** What devices showed last and its digests, so that a device that comes by HTTP or CoAP costs one digest, not one each time. */
const REMEMBERED = 16_384;
const REMEMBERED_CHARS_MAX = 255;

/** @param before what sealed passwords until credentials had a key of their own */
function credentialSecrets(key: Buffer, before?: Pick<Secrets, 'unseal'>): StoreSecrets {
  const shownDigest = keyedDigest(derived(key, 'credentials id'));
  const sealKey = derived(key, 'credentials seal');
  const userDigest = keyedDigest(derived(key, 'credentials of users'));
  const credentialsId = (shown: string): CredentialsId => shownDigest(shown).slice(0, CREDENTIALS_ID_CHARS);
  return {
    credentialsId: remembered(credentialsId, REMEMBERED, REMEMBERED_CHARS_MAX),
    digestForUser: (whose, secret) => userDigest(`${whose}\0${secret}`),
    sealCredential: (whose, secret) => seal(sealKey, whose, secret),
    unsealCredential(whose, sealed) {
      try {
        return unseal(sealKey, whose, sealed);
      } catch (error) {
        if (before === undefined) throw error;
        return before.unseal(whose, sealed);
      }
    },
  };
}

/** The key of credentials as the store keeps it: readable with this server key alone. */
export function wrapped(serverKey: Buffer, credentialsKey: Buffer): string {
  return seal(derived(serverKey, 'credentials wrap'), WRAPPED_FOR, credentialsKey.toString('base64'));
}

/** Undefined: another server key wrapped it, or it is damaged. */
export function unwrapped(serverKey: Buffer, text: string): Buffer | undefined {
  try {
    return Buffer.from(unseal(derived(serverKey, 'credentials wrap'), WRAPPED_FOR, text), 'base64');
  } catch {
    return undefined;
  }
}

const WRAPPED_FOR = 'credentials key';

function secretsUnder(serverKey: Buffer): Omit<ClaimSecrets, 'digests'> {
  const digest = keyedDigest(derived(serverKey, 'claim secret digest')); // prepared once, for every claim needs it
  const sealKey = derived(serverKey, 'claim secret seal');

  return {
    // An id has no NUL in it, so no two pairs give the same text.
    digest: (whose, secret) => digest(`${whose}\0${secret}`),

    seal: (whose, secret) => seal(sealKey, whose, secret),
    unseal: (whose, sealed) => unseal(sealKey, whose, sealed),
  };
}

/** Of SHA-256, in bytes. */
const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
/** Longer texts are rare, and are given room of their own. */
const ROOM_BYTES = 1024;

/**
 * HMAC-SHA-256 (RFC 2104) of a text, base64url. By two hashes at one go each: Node's `createHmac` makes an object for each digest that
 * the garbage collector has to finish with, and takes half as long again.
 *
 * @param key of at most 64 bytes
 */
function keyedDigest(key: Buffer): (text: string) => string {
  const [inner, outer] = [padded(key, 0x36, ROOM_BYTES), padded(key, 0x5c, HASH_BYTES)];
  return (text) => {
    const room = text.length * 3 <= ROOM_BYTES ? inner : padded(key, 0x36, text.length * 3);
    const end = BLOCK_BYTES + room.write(text, BLOCK_BYTES);
    outer.write(hash('sha256', room.subarray(0, end), 'hex'), BLOCK_BYTES, 'hex');
    room.fill(0, BLOCK_BYTES, end); // a secret does not stay in memory longer than it need
    return hash('sha256', outer, 'base64url');
  };
}

/** The key's block with each byte changed by `by`, and room behind it. */
function padded(key: Buffer, by: number, room: number): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES + room);
  for (let at = 0; at < BLOCK_BYTES; at += 1) bytes[at] = (key[at] ?? 0) ^ by;
  return bytes;
}

function seal(key: Buffer, whose: string, secret: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(whose));
  const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
}

function unseal(key: Buffer, whose: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), WHOLE_TAG)
    .setAAD(Buffer.from(whose))
    .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const body = bytes.subarray(IV_BYTES + TAG_BYTES);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
}

/** What was sealed, to be shown; null when the key that sealed it has been dropped, for then nobody can read it. */
export function unsealedOrNull(
  secrets: Pick<Secrets, 'unseal'>,
  whose: DeviceId | UserId | KitId,
  sealed: string,
): string | null {
  return orNull(() => secrets.unseal(whose, sealed));
}

/** What `sealCredential` has sealed; null: under a key that is no longer there. */
export function credentialOrNull(
  secrets: Pick<CredentialSecrets, 'unsealCredential'>,
  whose: SealedFor,
  sealed: string,
): string | null {
  return orNull(() => secrets.unsealCredential(whose, sealed));
}

function orNull(unseal: () => string): string | null {
  try {
    return unseal();
  } catch {
    return null;
  }
}

/** Compares two digests, or other texts that are secrets, in constant time. */
export function sameDigest(a: SecretDigest, b: SecretDigest): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
