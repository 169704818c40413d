/**
 * What format 2 kept in plain, and format 3 keeps as keyed digests with sealed copies: the access tokens of devices, in their
 * heads and events, in the unique keys that lead to them, and in the rows of imports. This is how data in format 2 looks,
 * and never changes again.
 *
 * In format 2 `credentialsId` was the text that a device shows: its token, a user name, or a SHA3-256 digest. All of these
 * become keyed digests, as one cannot tell from a unique key which of them it is. Beside a token comes its sealed copy.
 */

import type { DeviceId, ImportId } from '../base/ids.ts';
import { type CredentialSecrets, credentialOrNull } from '../base/secret.ts';

/** Under which key tokens are lifted: whoever starts the server says so, since the server key is not the store's. */
export interface CredentialsLift {
  /** The plain records that it has to see first, the one that goes with it among them. */
  readonly reads: readonly string[];
  /**
   * @param texts of these records
   * @throws where the server key is not that of the store: lifted under another one, no device would get in any more
   */
  open(texts: readonly (string | undefined)[]): LiftedUnder;
}

export interface LiftedUnder {
  readonly secrets: CredentialSecrets;
  /** A record that goes with it: without it, what is lifted could not be read again. */
  readonly record: { readonly key: string; readonly text: string };
}

/** What the unique keys of credentials begin with, before and now. */
export const OLD_CREDENTIALS = 'device-credentials/';
const CREDENTIALS = 'credentials/';

export function liftedKey(secrets: CredentialSecrets, key: string): string {
  return CREDENTIALS + secrets.credentialsId(key.slice(OLD_CREDENTIALS.length));
}

/** What the keys of records with rows of imports begin with; the job's id follows, and a slash. */
export const IMPORT_BLOCKS = 'import-block:';

interface Fields {
  readonly [field: string]: unknown;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The state of a device, not lifted yet. */
export function liftedState(secrets: CredentialSecrets, device: string, text: string): string {
  const state: Fields = JSON.parse(text);
  return JSON.stringify({
    ...state,
    ...liftedAt(secrets, device, state, 'credentials'),
    ...liftedNext(secrets, device, state),
  });
}

/** An event of a device. One that was lifted already, or has no token, stays as it is. */
export function liftedEvent(secrets: CredentialSecrets, device: string, text: string): string {
  if (!hasPlainToken(text)) return text;
  const event: Fields = JSON.parse(text);
  return JSON.stringify({
    ...event,
    ...tokenAt(secrets, device, event, 'credentials'),
    ...tokenNext(secrets, device, event),
  });
}

const TOKEN = '"type":"ACCESS_TOKEN"';

/** Events are many, and few have credentials. */
function hasPlainToken(event: string): boolean {
  return event.includes(TOKEN);
}

function liftedNext(secrets: CredentialSecrets, device: string, { nextCredentials: next }: Fields): Fields {
  if (!isFields(next)) return {};
  return { nextCredentials: { ...next, ...liftedAt(secrets, device, next, 'credentials') } };
}

function tokenNext(secrets: CredentialSecrets, device: string, { nextCredentials: next }: Fields): Fields {
  if (!isFields(next)) return {};
  return { nextCredentials: { ...next, ...tokenAt(secrets, device, next, 'credentials') } };
}

/** In a log what is no secret stays as it was: nobody finds a device by it. */
function tokenAt(secrets: CredentialSecrets, device: string, fields: Fields, name: string): Fields {
  const { [name]: found } = fields;
  const isPlain = isFields(found) && found.type === 'ACCESS_TOKEN' && found.sealedToken === undefined;
  return isPlain ? liftedAt(secrets, device, fields, name) : {};
}

function liftedAt(secrets: CredentialSecrets, device: string, fields: Fields, name: string): Fields {
  const { [name]: found } = fields;
  if (!isFields(found)) return {};
  const shown = String(found.credentialsId);
  const credentialsId = secrets.credentialsId(shown);
  const sealed =
    found.type === 'ACCESS_TOKEN'
      ? { sealedToken: seal(secrets, device, shown) }
      : passwordSealedAnew(secrets, device, found);
  return { [name]: { ...found, credentialsId, ...sealed } };
}

/** A password of MQTT_BASIC was sealed under the server key; what that key does not open stays as it is. */
function passwordSealedAnew(secrets: CredentialSecrets, device: string, { sealedPassword }: Fields): Fields {
  if (typeof sealedPassword !== 'string') return {};
  const password = credentialOrNull(secrets, device as DeviceId, sealedPassword);
  return password === null ? {} : { sealedPassword: seal(secrets, device, password) };
}

/**
 * A block of rows of an import, or undefined where no row has a token in plain.
 * @param key of the record
 */
export function liftedBlock(secrets: CredentialSecrets, key: string, text: string): string | undefined {
  const record: { readonly value?: { readonly rows?: unknown } } = JSON.parse(text);
  const rows = record.value?.rows;
  if (!Array.isArray(rows) || !rows.some((row) => isFields(row) && 'accessToken' in row)) return undefined;
  const job = key.slice(IMPORT_BLOCKS.length, key.lastIndexOf('/'));
  const lifted = rows.map((row: Fields) => {
    const { accessToken, ...rest } = row;
    return accessToken === undefined || accessToken === ''
      ? rest
      : { ...rest, sealedToken: seal(secrets, job, String(accessToken)) };
  });
  return JSON.stringify({ ...record, value: { ...record.value, rows: lifted } });
}

/** @param whose the id of a device or an import, as the store has it */
function seal(secrets: CredentialSecrets, whose: string, secret: string): string {
  return secrets.sealCredential(whose as DeviceId | ImportId, secret);
}
