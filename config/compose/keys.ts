/**
 * The two keys of a server: one digests and seals claim secrets, one signs tokens. Each comes from the settings, or is
 * generated at the first start and kept in the data folder. With a store in memory they are not kept.
 *
 * The store keeps a fingerprint of its server key. With another key it would look healthy and refuse every claim, so
 * such a start is refused. If nodes share a store over the network, it keeps a fingerprint of the signing key too.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../../actors/store/store.ts';
import type { Config } from '../options/schema.ts';
import { keyFromFile } from './key-file.ts';
import { StartRefused } from './refusal.ts';

export interface Keys {
  readonly serverKey: Buffer;
  readonly jwtSigningKey: Buffer;
  /** While keys are changed: the old ones, or on the first of several nodes the new ones. What they made still counts. */
  readonly otherServerKey: Buffer | undefined;
  readonly otherJwtSigningKey: Buffer | undefined;
}

const SERVER_KEY_BYTES = 32;
/** As long as the digest of HS512 (RFC 7518 §3.2). */
const JWT_KEY_BYTES = 64;
const SERVER_KEY_RECORD = 'claimd:server-key-fingerprint';
const JWT_KEY_RECORD = 'claimd:jwt-key-fingerprint';
const INSTALLATION_RECORD = 'claimd:installation';

/** Throws `StartRefused` if a key file cannot be read or made. */
export function loadKeys(config: Config, volatile: boolean): Keys {
  const key = (configured: Buffer | undefined, file: string, bytes: number): Buffer =>
    configured ?? (volatile ? randomBytes(bytes) : keptKey(config.store.dataDir, file, bytes));
  const other = (configured: Buffer | undefined, file: string, bytes: number): Buffer | undefined =>
    configured ?? (volatile ? undefined : keptOtherKey(config.store.dataDir, file, bytes));
  return {
    otherServerKey: other(config.claim.otherServerKey, OTHER_KEY_FILES.serverKey, SERVER_KEY_BYTES),
    otherJwtSigningKey: other(config.accounts.otherJwtSigningKey, OTHER_KEY_FILES.jwtKey, JWT_KEY_BYTES),
    serverKey: key(config.claim.serverKey, 'server.key', SERVER_KEY_BYTES),
    jwtSigningKey: key(config.accounts.jwtSigningKey, 'jwt.key', JWT_KEY_BYTES),
  };
}

/** Beside the keys in the data folder, while they are changed. */
export const OTHER_KEY_FILES = { serverKey: 'server.other.key', jwtKey: 'jwt.other.key' } as const;

function keptOtherKey(dataDir: string, file: string, bytes: number): Buffer | undefined {
  return existsSync(join(dataDir, file)) ? keptKey(dataDir, file, bytes) : undefined;
}

function keptKey(dataDir: string, file: string, bytes: number): Buffer {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return keyFromFile(join(dataDir, file), bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartRefused(`the key ${join(dataDir, file)} cannot be read or made: ${why}`, error);
  }
}

/**
 * Checks that the server key is that of the store. A store without one keeps this one.
 *
 * @param acceptNew keep this key instead of refusing
 */
export async function checkServerKey(
  store: Store,
  serverKey: Buffer,
  acceptNew: boolean,
  otherKey?: Buffer,
): Promise<void> {
  const kept = { record: SERVER_KEY_RECORD, purpose: 'claimd server key fingerprint' };
  if (await isKept(store, kept, serverKey, otherKey, acceptNew)) return;
  throw new StartRefused(
    'the server key is not the one that this store was made with, so no open claim window could be confirmed: ' +
      'restore server.key from a back-up (several nodes need the same one, as SECURITY_CLAIM_SERVER_KEY), ' +
      'or start once with --security.claim.acceptNewServerKey=true to give those windows up',
  );
}

/**
 * Checks that tokens of this node are valid on the other machines that share the store.
 *
 * @param acceptNew keep this key instead of refusing
 */
export async function checkJwtKey(
  store: Store,
  jwtKey: Buffer,
  acceptNew: boolean,
  otherKey?: Buffer,
): Promise<void> {
  const kept = { record: JWT_KEY_RECORD, purpose: 'claimd jwt key fingerprint' };
  if (await isKept(store, kept, jwtKey, otherKey, acceptNew)) return;
  throw new StartRefused(
    'the key that signs tokens is not the one of the other nodes on this store, so that each would refuse what the other ' +
      'signs: give all of them the same JWT_TOKEN_SIGNING_KEY, or start once with --security.jwt.acceptNewSigningKey=true ' +
      'to change it; everybody logs in again then',
  );
}

/**
 * The name of this installation, which its tokens carry: all processes on one store have the same, and no other store
 * has it. A store without one gets one.
 */
export async function installationOf(store: Store): Promise<string> {
  for (;;) {
    const kept = (await store.records.get<string>(INSTALLATION_RECORD)) as string | undefined; // Keyv's types: a text
    if (kept !== undefined) return kept;
    await store.swap(INSTALLATION_RECORD, undefined, randomUUID());
  }
}

/**
 * Whether the store has this key's fingerprint. A store without one keeps it, and one with that of the other key, which is
 * being changed.
 */
async function isKept(
  store: Store,
  { record, purpose }: { readonly record: string; readonly purpose: string },
  key: Buffer,
  otherKey: Buffer | undefined,
  acceptNew: boolean,
): Promise<boolean> {
  const fingerprintOf = (one: Buffer) => createHmac('sha256', one).update(purpose).digest('base64url');
  const fingerprint = fingerprintOf(key);
  const other = otherKey === undefined ? undefined : fingerprintOf(otherKey);
  for (;;) {
    const kept = (await store.records.get<string>(record)) as string | undefined; // Keyv's types: a text
    if (kept === fingerprint) return true;
    if (kept !== undefined && kept !== other && !acceptNew) return false;
    if (await store.swap(record, kept, fingerprint)) return true; // else another process was first
  }
}
