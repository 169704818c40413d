/**
 * How devices prove who they are, as ThingsBoard knows it (facts 2.1): an access token, what MQTT's CONNECT says, or
 * a client certificate. Each is found by its `credentialsId`, the token itself or a SHA3-256 digest.
 */
import { createHash, X509Certificate as ParsedCertificate, timingSafeEqual } from 'node:crypto';
import type { DeviceId } from '../base/ids.ts';
import type { Secrets } from '../base/secret.ts';
import type { AccessToken, MqttBasic, X509Certificate } from '../device/state.ts';

export function accessToken(token: string): AccessToken {
  return { type: 'ACCESS_TOKEN', credentialsId: token };
}

/** What a client says, or must say, in CONNECT; null or absent: nothing, or anything. */
export interface MqttBasicParts {
  readonly clientId?: string | null | undefined;
  readonly userName?: string | null | undefined;
  readonly password?: string | null | undefined;
}

/** MQTT_BASIC credentials, or undefined where neither client id nor user name is given, or a password without a user. */
export function mqttBasic(secrets: Secrets, device: DeviceId, parts: MqttBasicParts): MqttBasic | undefined {
  const clientId = parts.clientId || null;
  const userName = parts.userName || null;
  const password = parts.password || null;
  const credentialsId = mqttBasicId(clientId, userName);
  if (credentialsId === undefined || (password !== null && userName === null)) return undefined;
  const sealedPassword = password === null ? null : secrets.seal(device, password);
  return { type: 'MQTT_BASIC', credentialsId, clientId, userName, sealedPassword };
}

/** Under which id such credentials are found: both parts digested, the client id digested, or the user name. */
export function mqttBasicId(clientId: string | null, userName: string | null): string | undefined {
  if (clientId === null) return userName ?? undefined;
  return sha3(userName === null ? clientId : `${clientId}|${userName}`);
}

/** The parts in plain text, for the tenant who set them. Throws where another server sealed the password. */
export function mqttBasicParts(secrets: Secrets, device: DeviceId, credentials: MqttBasic) {
  const { clientId, userName, sealedPassword } = credentials;
  const password = sealedPassword === null ? null : secrets.unseal(device, sealedPassword);
  return { clientId, userName, password };
}

/** Whether what a client says is what the credentials ask for. */
export function matchesMqttBasic(
  secrets: Secrets,
  device: DeviceId,
  credentials: MqttBasic,
  said: MqttBasicParts,
): boolean {
  const wanted = mqttBasicParts(secrets, device, credentials);
  return (
    (wanted.clientId === null || wanted.clientId === said.clientId) &&
    (wanted.userName === null || wanted.userName === said.userName) &&
    (wanted.password === null || sameText(wanted.password, said.password ?? ''))
  );
}

/**
 * X.509 credentials of a certificate: PEM, or base64 of the DER. Undefined where the text is neither, for no client
 * could ever show it. What is inside the certificate is not looked at: ThingsBoard finds devices by the digest of the
 * whole.
 */
export function x509(certificate: string): X509Certificate | undefined {
  const base64 = certificate.replaceAll(/-----(?:BEGIN|END) CERTIFICATE-----|\s/g, '');
  if (!isCertificate(base64)) return undefined;
  return { type: 'X509_CERTIFICATE', credentialsId: sha3(base64), certificate: base64 };
}

/** Whether this is the one text that base64 makes of one certificate's DER: what a client shows is encoded again. */
function isCertificate(base64: string): boolean {
  const der = Buffer.from(base64, 'base64');
  if (base64 === '' || der.toString('base64') !== base64) return false;
  try {
    return new ParsedCertificate(der).raw.equals(der); // bytes behind it would be left out
  } catch {
    return false;
  }
}

/** Under which id a certificate is found that a client showed. */
export function x509Id(der: Buffer): string {
  return sha3(der.toString('base64'));
}

function sha3(text: string): string {
  return createHash('sha3-256').update(text).digest('hex');
}

/** In a time that does not depend on where they differ. */
export function sameText(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(sha3(a)), Buffer.from(sha3(b)));
}
