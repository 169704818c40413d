/**
 * How devices prove who they are, as in ThingsBoard (facts 2.1): by an access token, by what MQTT's CONNECT contains, or by
 * a client certificate. What a device shows is a text: the token itself, or a SHA3-256 digest of what CONNECT or the certificate
 * says. It is what ThingsBoard calls `credentialsId`. Here that is a keyed digest of the text, by which the device is
 * found; tokens and passwords are kept sealed beside it.
 */
import { createHash, X509Certificate as ParsedCertificate, timingSafeEqual } from 'node:crypto';
import { randomAccessToken } from '../base/access-token.ts';
import type { DeviceId } from '../base/ids.ts';
import { type Log, logBounded } from '../base/log.ts';
import { type CredentialSecrets, credentialOrNull } from '../base/secret.ts';
import { unreachable } from '../base/unreachable.ts';
import type { AccessToken, Credentials, MqttBasic, X509Certificate } from '../device/state.ts';

/** @param device whose it is: the token is sealed for it */
export function accessToken(secrets: CredentialSecrets, device: DeviceId, token: string): AccessToken {
  const sealedToken = secrets.sealCredential(device, token);
  return { type: 'ACCESS_TOKEN', credentialsId: secrets.credentialsId(token), sealedToken };
}

/** The token, for the tenant or the device; null where the key that sealed it was given up. */
export function tokenOf(
  secrets: CredentialSecrets,
  device: DeviceId,
  { sealedToken }: AccessToken,
): string | null {
  return credentialOrNull(secrets, device, sealedToken);
}

/** What ThingsBoard calls the id of the credentials; null where it is a token that nobody can read any more. */
export function shownBy(
  secrets: CredentialSecrets,
  device: DeviceId,
  credentials: Credentials,
): string | null {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return tokenOf(secrets, device, credentials);
    case 'MQTT_BASIC':
      return shownByMqtt(credentials.clientId, credentials.userName) ?? null;
    case 'X509_CERTIFICATE':
      return sha3(credentials.certificate);
    default:
      return unreachable(credentials);
  }
}

/** What CONNECT contains, or must contain. Null or absent: it contains nothing, or may contain anything. */
export interface MqttBasicParts {
  readonly clientId?: string | null | undefined;
  readonly userName?: string | null | undefined;
  readonly password?: string | null | undefined;
}

/** MQTT_BASIC credentials. Undefined without client id and user name, and for a password without a user name. */
export function mqttBasic(
  secrets: CredentialSecrets,
  device: DeviceId,
  parts: MqttBasicParts,
): MqttBasic | undefined {
  const clientId = parts.clientId || null;
  const userName = parts.userName || null;
  const password = parts.password || null;
  const shown = shownByMqtt(clientId, userName);
  if (shown === undefined || (password !== null && userName === null)) return undefined;
  const sealedPassword = password === null ? null : secrets.sealCredential(device, password);
  return {
    type: 'MQTT_BASIC',
    credentialsId: secrets.credentialsId(shown),
    clientId,
    userName,
    sealedPassword,
  };
}

/** What a CONNECT with these shows: the digest of both, the digest of the client id, or the user name. */
export function shownByMqtt(clientId: string | null, userName: string | null): string | undefined {
  if (clientId === null) return userName ?? undefined;
  return sha3(userName === null ? clientId : `${clientId}|${userName}`);
}

/**
 * The parts in plain text, for the tenant who set them. Undefined where the key that sealed the password was given up:
 * then nobody can read it, and the credentials have to be set again.
 */
export function mqttBasicParts(secrets: CredentialSecrets, device: DeviceId, credentials: MqttBasic) {
  const { clientId, userName, sealedPassword } = credentials;
  if (sealedPassword === null) return { clientId, userName, password: null };
  const password = credentialOrNull(secrets, device, sealedPassword);
  return password === null ? undefined : { clientId, userName, password };
}

/** One line a second at most, since whoever is refused asks again. */
export function logUnreadable(log: Log, deviceId: DeviceId): void {
  const message =
    "a device is refused: its password is sealed under a server key that is no longer there; set the device's credentials again";
  logBounded(log, 'warn', performance.now(), { deviceId }, message);
}

/** Whether CONNECT contains what the credentials ask for. `unreadable`: nobody can say. */
export function matchesMqttBasic(
  secrets: CredentialSecrets,
  device: DeviceId,
  credentials: MqttBasic,
  connect: MqttBasicParts,
): boolean | 'unreadable' {
  const wanted = mqttBasicParts(secrets, device, credentials);
  if (wanted === undefined) return 'unreadable';
  return (
    (wanted.clientId === null || wanted.clientId === connect.clientId) &&
    (wanted.userName === null || wanted.userName === connect.userName) &&
    (wanted.password === null || sameText(wanted.password, connect.password ?? ''))
  );
}

/**
 * X.509 credentials from a certificate: PEM, or base64 of the DER. Undefined for any other text, which no client could
 * show. The certificate's content is not checked: ThingsBoard finds devices by the digest of the whole.
 */
export function x509(secrets: CredentialSecrets, certificate: string): X509Certificate | undefined {
  const base64 = certificate.replaceAll(/-----(?:BEGIN|END) CERTIFICATE-----|\s/g, '');
  if (!isCertificate(base64)) return undefined;
  const credentialsId = secrets.credentialsId(sha3(base64));
  return { type: 'X509_CERTIFICATE', credentialsId, certificate: base64 };
}

/** Whether a text is the canonical base64 of one certificate's DER, as it is made again of what a client shows. */
function isCertificate(base64: string): boolean {
  const der = Buffer.from(base64, 'base64');
  if (base64 === '' || der.toString('base64') !== base64) return false;
  try {
    return new ParsedCertificate(der).raw.equals(der); // bytes after it would be left out
  } catch {
    return false;
  }
}

/** What a client shows by its certificate. */
export function shownByCertificate(der: Buffer): string {
  return sha3(der.toString('base64'));
}

function sha3(text: string): string {
  return createHash('sha3-256').update(text).digest('hex');
}

const ROTATED = /~[A-Za-z0-9]{20}$/;
/** How much of a user name is kept, in UTF-16 units. */
const USER_NAME_KEPT = 200;

/**
 * Credentials of the same kind that nobody knows yet, for a device that changes hands (O9). Undefined for a certificate:
 * its key is the device's own. MQTT_BASIC gets another user name too, because a broker in between tells users apart by
 * it alone.
 */
export function freshCredentials(
  secrets: CredentialSecrets,
  device: DeviceId,
  credentials: Credentials,
): Credentials | undefined {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return accessToken(secrets, device, randomAccessToken());
    case 'MQTT_BASIC': {
      const { clientId, userName } = credentials;
      const name = (userName ?? '').replace(ROTATED, '').slice(0, USER_NAME_KEPT);
      const parts = { clientId, userName: `${name}~${randomAccessToken()}`, password: randomAccessToken() };
      return mqttBasic(secrets, device, parts);
    }
    case 'X509_CERTIFICATE':
      return undefined;
    default:
      return unreachable(credentials);
  }
}

/** Compares two texts in constant time. */
export function sameText(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(sha3(a)), Buffer.from(sha3(b)));
}
