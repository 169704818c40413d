/**
 * The two keys of a server: one under which claim secrets are digested and sealed, one that signs tokens. Each comes
 * from the settings, or is made at the first start and kept in the data folder; with a store that forgets, so do they.
 *
 * The store remembers which server key it was made with (a fingerprint of it). A restored store without its key
 * would look healthy and refuse every claim, so such a start is refused instead. Where nodes share a store over the
 * network, it remembers the other key as well.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../../actors/store/store.ts';
import { StartRefused } from '../options/refusal.ts';
import type { Config } from '../options/schema.ts';
import { keyFromFile } from './key-file.ts';

export interface Keys {
  readonly serverKey: Buffer;
  readonly jwtSigningKey: Buffer;
}

const SERVER_KEY_BYTES = 32;
/** As long as the digest of HS512 (RFC 7518 §3.2). */
const JWT_KEY_BYTES = 64;
const SERVER_KEY_RECORD = 'claimd:server-key-fingerprint';
const JWT_KEY_RECORD = 'claimd:jwt-key-fingerprint';

/** Throws `StartRefused` when a key file can not be read or made. */
export function loadKeys(config: Config, volatile: boolean): Keys {
  const key = (given: Buffer | undefined, file: string, bytes: number): Buffer =>
    given ?? (volatile ? randomBytes(bytes) : keptKey(config.store.dataDir, file, bytes));
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
    throw new StartRefused(`no key can be had from ${join(dataDir, file)}: ${why}`, error);
  }
}

/**
 * Checks that the server key is the one the store knows; a store that knows none remembers this one.
 *
 * @param acceptNew remember this key instead of refusing
 */
export async function checkServerKey(store: Store, serverKey: Buffer, acceptNew: boolean): Promise<void> {
  if (await isKnown(store, SERVER_KEY_RECORD, 'claimd server key fingerprint', serverKey, acceptNew)) return;
  throw new StartRefused(
    'the server key is not the one that this store was made with, so no open claim window could be confirmed: ' +
      'restore server.key from a back-up (several nodes need the same one, as SECURITY_CLAIM_SERVER_KEY), ' +
      'or start once with --security.claim.acceptNewServerKey=true to give those windows up',
  );
}

/**
 * Checks that tokens of this node are good on the others, where several machines share a store.
 *
 * @param acceptNew remember this key instead of refusing
 */
export async function checkJwtKey(store: Store, jwtKey: Buffer, acceptNew: boolean): Promise<void> {
  if (await isKnown(store, JWT_KEY_RECORD, 'claimd jwt key fingerprint', jwtKey, acceptNew)) return;
  throw new StartRefused(
    'the key that signs tokens is not the one of the other nodes on this store, so that each would refuse what the other ' +
      'signs: give all of them the same JWT_TOKEN_SIGNING_KEY, or start once with --security.jwt.acceptNewSigningKey=true ' +
      'to change it; everybody logs in again then',
  );
}

/** Whether the store knows this key by its fingerprint; the first one it is shown it remembers. */
async function isKnown(
  store: Store,
  record: string,
  purpose: string,
  key: Buffer,
  acceptNew: boolean,
): Promise<boolean> {
  const fingerprint = createHmac('sha256', key).update(purpose).digest('base64url');
  for (;;) {
    const known = (await store.records.get<string>(record)) as string | undefined; // Keyv's types: a text
    if (known === fingerprint) return true;
    if (known !== undefined && !acceptNew) return false;
    if (await store.swap(record, known, fingerprint)) return true; // else another process was first: look again
  }
}
