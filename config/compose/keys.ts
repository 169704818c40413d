/**
 * The two keys of a server: one digests and seals claim secrets, one signs tokens. Each comes from the settings, or is
 * generated at the first start and kept in the data folder. With a store in memory they are not kept.
 *
 * The store keeps a fingerprint of its server key. With another key it would look healthy and refuse every claim, so
 * such a start is refused. If nodes share a store over the network, it keeps a fingerprint of the signing key too.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../../actors/store/store.ts';
import type { Config } from '../options/schema.ts';
import { keyFromFile } from './key-file.ts';
import { StartRefused } from './refusal.ts';

export interface Keys {
  readonly serverKey: Buffer;
  readonly jwtSigningKey: Buffer;
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
  return {
    serverKey: key(config.claim.serverKey, 'server.key', SERVER_KEY_BYTES),
    jwtSigningKey: key(config.accounts.jwtSigningKey, 'jwt.key', JWT_KEY_BYTES),
  };
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
export async function checkServerKey(store: Store, serverKey: Buffer, acceptNew: boolean): Promise<void> {
  if (await isKept(store, SERVER_KEY_RECORD, 'claimd server key fingerprint', serverKey, acceptNew)) return;
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
export async function checkJwtKey(store: Store, jwtKey: Buffer, acceptNew: boolean): Promise<void> {
  if (await isKept(store, JWT_KEY_RECORD, 'claimd jwt key fingerprint', jwtKey, acceptNew)) return;
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

/** Whether the store has this key's fingerprint. A store without one keeps it. */
async function isKept(
  store: Store,
  record: string,
  purpose: string,
  key: Buffer,
  acceptNew: boolean,
): Promise<boolean> {
  const fingerprint = createHmac('sha256', key).update(purpose).digest('base64url');
  for (;;) {
    const kept = (await store.records.get<string>(record)) as string | undefined; // Keyv's types: a text
    if (kept === fingerprint) return true;
    if (kept !== undefined && !acceptNew) return false;
    if (await store.swap(record, kept, fingerprint)) return true; // else another process was first
  }
}
