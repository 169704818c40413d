/**
 * The two keys of a server: one under which claim secrets are digested and sealed, one that signs tokens. Each comes
 * from the settings, or is made at the first start and kept in the data folder; with a store that forgets, so do they.
 *
 * The store remembers which server key it was made with (a fingerprint of it). A restored store without its key
 * would look healthy and refuse every claim, so such a start is refused instead.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../actors/store/store.ts';
import { keyFromFile } from './key-file.ts';
import { StartRefused } from './refusal.ts';
import type { Config } from './schema.ts';

export interface Keys {
  readonly serverKey: Buffer;
  readonly jwtSigningKey: Buffer;
}

const SERVER_KEY_BYTES = 32;
/** As long as the digest of HS512 (RFC 7518 §3.2). */
const JWT_KEY_BYTES = 64;
const FINGERPRINT_RECORD = 'claimd:server-key-fingerprint';

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
  const fingerprint = createHmac('sha256', serverKey)
    .update('claimd server key fingerprint')
    .digest('base64url');
  for (;;) {
    const known = (await store.records.get<string>(FINGERPRINT_RECORD)) as string | undefined; // Keyv's types: a text
    if (known === fingerprint) return;
    if (known !== undefined && !acceptNew) break;
    if (await store.swap(FINGERPRINT_RECORD, known, fingerprint)) return; // else another process was first: look again
  }
  throw new StartRefused(
    'the server key is not the one that this store was made with, so no open claim window could be confirmed: ' +
      'restore server.key from a back-up, or start once with --security.claim.acceptNewServerKey=true to give those windows up',
  );
}
