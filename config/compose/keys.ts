/**
 * The two keys of a server: one digests and seals claim secrets, one signs tokens. Each comes from the settings, or is
 * generated at the first start and kept in the data folder. With a store in memory they are not kept.
 *
 * The store keeps a fingerprint of its server key. With another key it would look healthy, refuse every claim and let no device
 * in, so such a start is refused. It also keeps a key for the credentials of devices, wrapped under the server key: that one
 * stays the same when the server key is changed, and so does what devices are found by. If nodes share a store over the network,
 * it keeps a fingerprint of the signing key too.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../actors/base/log.ts';
import { createSecrets, unwrapped, wrapped } from '../../actors/base/secret.ts';
import type { CredentialsLift } from '../../actors/store/format-2.ts';
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
/** A list of texts in JSON: the key of the devices' credentials, wrapped; behind it those that were given up. */
const CREDENTIALS_KEY_RECORD = 'claimd:credentials-key';
const CREDENTIALS_KEY_BYTES = 32;
const INSTALLATION_RECORD = 'claimd:installation';

/** Throws `StartRefused` if a key file cannot be read or made. */
export function loadKeys(config: Pick<Config, 'store' | 'claim' | 'accounts'>, volatile: boolean): Keys {
  const key = (configured: Buffer | undefined, file: string, bytes: number): Buffer =>
    configured ?? (volatile ? randomBytes(bytes) : keptKey(config.store.dataDir, file, bytes));
  const other = (configured: Buffer | undefined, file: string, bytes: number): Buffer | undefined =>
    configured ?? (volatile ? undefined : keptOtherKey(config.store.dataDir, file, bytes));
  return {
    otherServerKey: other(config.claim.otherServerKey, OTHER_KEY_FILES.serverKey, SERVER_KEY_BYTES),
    otherJwtSigningKey: other(config.accounts.otherJwtSigningKey, OTHER_KEY_FILES.jwtKey, JWT_KEY_BYTES),
    serverKey: key(config.claim.serverKey, KEY_FILES.serverKey, SERVER_KEY_BYTES),
    jwtSigningKey: key(config.accounts.jwtSigningKey, KEY_FILES.jwtKey, JWT_KEY_BYTES),
  };
}

/** In the data folder. */
const KEY_FILES = { serverKey: 'server.key', jwtKey: 'jwt.key' } as const;
/** Beside them, while they are changed. */
export const OTHER_KEY_FILES = { serverKey: 'server.other.key', jwtKey: 'jwt.other.key' } as const;

/** For users beyond its owner and its group, which may be that of a container's volume. */
const OTHERS = { read: 0o004, enter: 0o001 };

/** Made here, keys are their owner's alone. Copied, as back-ups are, they may have become everybody's. */
export function tellOfReadableKeys(dataDir: string, log: Pick<Log, 'warn'>): void {
  const isOpen = (path: string, to: number) =>
    ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & to) !== 0;
  if (!isOpen(dataDir, OTHERS.enter)) return;
  for (const file of [...Object.values(KEY_FILES), ...Object.values(OTHER_KEY_FILES)]) {
    if (isOpen(join(dataDir, file), OTHERS.read))
      log.warn({ file }, 'every user of this machine can read a key of this server: give it mode 0600');
  }
}

/** Before the keys are loaded. A folder of which not all was restored looks like a first start, but for its keys. */
export async function tellOfNewStore(store: Store, dataDir: string, log: Pick<Log, 'warn'>): Promise<void> {
  const file = KEY_FILES.serverKey;
  if (!existsSync(join(dataDir, file)) || (await store.records.get(SERVER_KEY_RECORD)) !== undefined) return;
  log.warn({ file }, NEW_STORE);
}

const NEW_STORE =
  'the store is empty, but its key was there before: if there should be devices, stop and restore all of the data folder';

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
  const kept = { record: SERVER_KEY_RECORD, purpose: SERVER_KEY_PURPOSE };
  if (await isKept(store, kept, serverKey, otherKey, acceptNew)) return;
  throw wrongServerKey();
}

const SERVER_KEY_PURPOSE = 'claimd server key fingerprint';

function wrongServerKey(): StartRefused {
  return new StartRefused(
    'the server key is not the one that this store was made with, so no device could connect and no open claim window be ' +
      'confirmed: restore server.key from a back-up (several nodes need the same one, as SECURITY_CLAIM_SERVER_KEY), or ' +
      'start once with --security.claim.acceptNewServerKey=true to give up those windows and the credentials of all devices',
  );
}

type ServerKeys = Pick<Keys, 'serverKey' | 'otherServerKey'>;

/**
 * The key of the devices' credentials. A store without one gets one; one that is wrapped under the other server key is
 * wrapped under this one from now on. After `checkServerKey`. Throws `StartRefused`.
 *
 * @param acceptNew begin with a new one where none can be read. Those that cannot are kept: if the server key is found
 *   again, so are they
 */
export async function credentialsKeyOf(
  store: Store,
  keys: ServerKeys,
  acceptNew: boolean,
  log: Log,
): Promise<Buffer> {
  for (;;) {
    const kept = (await store.records.get<string>(CREDENTIALS_KEY_RECORD)) as string | undefined; // Keyv's types: a text
    const found = readCredentialsKey(kept, keys, acceptNew);
    if (found.text === kept) return found.key;
    if (!(await store.swap(CREDENTIALS_KEY_RECORD, kept, found.text))) continue; // another process was first
    if (found.isNew && kept !== undefined) {
      log.warn(
        {},
        'the credentials of all devices are given up: they connect when their tokens are set anew',
      );
    }
    return found.key;
  }
}

interface FoundKey {
  readonly key: Buffer;
  /** What the store is to keep. */
  readonly text: string;
  readonly isNew: boolean;
}

function readCredentialsKey(
  kept: string | undefined,
  { serverKey, otherServerKey }: ServerKeys,
  acceptNew: boolean,
): FoundKey {
  const texts: readonly string[] = kept === undefined ? [] : JSON.parse(kept);
  for (const under of otherServerKey === undefined ? [serverKey] : [serverKey, otherServerKey]) {
    for (const text of texts) {
      const key = unwrapped(under, text);
      if (key === undefined) continue;
      if (under === serverKey) return { key, text: kept ?? '', isNew: false };
      const rest = texts.filter((other) => other !== text);
      return { key, text: JSON.stringify([wrapped(serverKey, key), ...rest]), isNew: false };
    }
  }
  if (kept !== undefined && !acceptNew) throw wrongServerKey();
  const key = randomBytes(CREDENTIALS_KEY_BYTES);
  return { key, text: JSON.stringify([wrapped(serverKey, key), ...texts]), isNew: true };
}

/**
 * Under which key a store of an older format seals the tokens that it has in plain.
 *
 * @param keysOf reads the keys of this server; asked where there is something to be lifted
 */
export function credentialsLift(keysOf: () => ServerKeys, acceptNew: boolean): CredentialsLift {
  return {
    reads: [SERVER_KEY_RECORD, CREDENTIALS_KEY_RECORD],
    open([fingerprint, kept]) {
      const keys = keysOf();
      const { serverKey, otherServerKey } = keys;
      const ours = [serverKey, otherServerKey ?? serverKey].map((key) =>
        fingerprintOf(key, SERVER_KEY_PURPOSE),
      );
      // Tokens would be sealed under a key that is refused right after it.
      if (fingerprint !== undefined && !ours.includes(fingerprint) && !acceptNew) throw wrongServerKey();
      const { key, text } = readCredentialsKey(kept, keys, acceptNew);
      return {
        secrets: createSecrets(serverKey, otherServerKey, key),
        record: { key: CREDENTIALS_KEY_RECORD, text },
      };
    },
  };
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

function fingerprintOf(key: Buffer, purpose: string): string {
  return createHmac('sha256', key).update(purpose).digest('base64url');
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
  const fingerprint = fingerprintOf(key, purpose);
  const other = otherKey === undefined ? undefined : fingerprintOf(otherKey, purpose);
  for (;;) {
    const kept = (await store.records.get<string>(record)) as string | undefined; // Keyv's types: a text
    if (kept === fingerprint) return true;
    if (kept !== undefined && kept !== other && !acceptNew) return false;
    if (await store.swap(record, kept, fingerprint)) return true; // else another process was first
  }
}
