/**
 * How devices prove who they are, as in ThingsBoard (facts 2.1): by an access token, by what MQTT's CONNECT contains, or by
 * a client certificate. A device is found by its `credentialsId`: the token itself, or a SHA3-256 digest.
 */
import { createHash, X509Certificate as ParsedCertificate, timingSafeEqual } from 'node:crypto';
import { randomAccessToken } from '../base/access-token.ts';
import type { DeviceId } from '../base/ids.ts';
import { type Log, logBounded } from '../base/log.ts';
import { type Secrets, unsealedOrNull } from '../base/secret.ts';
import { unreachable } from '../base/unreachable.ts';
import type { AccessToken, Credentials, MqttBasic, X509Certificate } from '../device/state.ts';

export function accessToken(token: string): AccessToken {
  return { type: 'ACCESS_TOKEN', credentialsId: token };
}

/** What CONNECT contains, or must contain. Null or absent: it contains nothing, or may contain anything. */
export interface MqttBasicParts {
  readonly clientId?: string | null | undefined;
  readonly userName?: string | null | undefined;
  readonly password?: string | null | undefined;
}

/** MQTT_BASIC credentials. Undefined without client id and user name, and for a password without a user name. */
export function mqttBasic(secrets: Secrets, device: DeviceId, parts: MqttBasicParts): MqttBasic | undefined {
  const clientId = parts.clientId || null;
  const userName = parts.userName || null;
  const password = parts.password || null;
  const credentialsId = mqttBasicId(clientId, userName);
  if (credentialsId === undefined || (password !== null && userName === null)) return undefined;
  const sealedPassword = password === null ? null : secrets.seal(device, password);
  return { type: 'MQTT_BASIC', credentialsId, clientId, userName, sealedPassword };
}

/** The id of MQTT_BASIC credentials: the digest of both parts, the digest of the client id, or the user name. */
export function mqttBasicId(clientId: string | null, userName: string | null): string | undefined {
  if (clientId === null) return userName ?? undefined;
  return sha3(userName === null ? clientId : `${clientId}|${userName}`);
}

/**
 * The parts in plain text, for the tenant who set them. Undefined where the key that sealed the password has been dropped:
 * then nobody can read it, and the credentials have to be set again.
 */
export function mqttBasicParts(secrets: Secrets, device: DeviceId, credentials: MqttBasic) {
  const { clientId, userName, sealedPassword } = credentials;
  if (sealedPassword === null) return { clientId, userName, password: null };
  const password = unsealedOrNull(secrets, device, sealedPassword);
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
  secrets: Secrets,
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
export function x509(certificate: string): X509Certificate | undefined {
  const base64 = certificate.replaceAll(/-----(?:BEGIN|END) CERTIFICATE-----|\s/g, '');
  if (!isCertificate(base64)) return undefined;
  return { type: 'X509_CERTIFICATE', credentialsId: sha3(base64), certificate: base64 };
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

/** The id of the certificate that a client shows. */
export function x509Id(der: Buffer): string {
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
  secrets: Secrets,
  device: DeviceId,
  credentials: Credentials,
): Credentials | undefined {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return accessToken(randomAccessToken());
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
