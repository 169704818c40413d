/**
 * The credentials that a row of an import asks for: an access token, what MQTT's CONNECT contains, or a certificate. They are kept
 * sealed for the job, as the device may get another id, and made for the device when it is known.
 */
import type { DeviceId, ImportId } from '../base/ids.ts';
import { parsedJson } from '../base/json.ts';
import type { CredentialSecrets } from '../base/secret.ts';
import { isCleanText } from '../base/text.ts';
import type { Credentials } from '../device/state.ts';
import { accessToken as deviceToken, mqttBasic, x509 } from '../fleet/credentials.ts';
import type { RowReason } from './row-reasons.ts';

/** Empty ones are not asked for; all empty: an access token is drawn. */
export interface AskedCredentials {
  readonly accessToken: string;
  readonly mqttClientId: string;
  readonly mqttUserName: string;
  readonly mqttPassword: string;
  /** PEM, or base64 of the DER. */
  readonly certificate: string;
}

export const sameAsked = (one: AskedCredentials, other: AskedCredentials) =>
  one.accessToken === other.accessToken && OTHERS.every((name) => one[name] === other[name]);

/** As a row is stored with them. */
export interface SealedCredentials {
  /** The access token that it is to have; absent: none. */
  readonly sealedToken?: string;
  /** The other kinds, as JSON; absent: none. */
  readonly sealedOther?: string;
}

const OTHERS = ['mqttClientId', 'mqttUserName', 'mqttPassword', 'certificate'] as const;
type Others = Pick<AskedCredentials, (typeof OTHERS)[number]>;
const NO_OTHERS: Others = { mqttClientId: '', mqttUserName: '', mqttPassword: '', certificate: '' };

export function sealedFor(
  secrets: CredentialSecrets,
  job: ImportId,
  { accessToken, ...others }: AskedCredentials,
): SealedCredentials {
  const isOther = OTHERS.some((name) => others[name] !== '');
  return {
    ...(accessToken === '' ? {} : { sealedToken: secrets.sealCredential(job, accessToken) }),
    ...(isOther ? { sealedOther: secrets.sealCredential(job, JSON.stringify(others)) } : {}),
  };
}

/** What a row asks for; null: nobody can read it any more. */
export function askedBy(
  secrets: CredentialSecrets,
  job: ImportId,
  { sealedToken, sealedOther }: SealedCredentials,
): AskedCredentials | null {
  try {
    const accessToken = sealedToken === undefined ? '' : secrets.unsealCredential(job, sealedToken);
    const others =
      sealedOther === undefined ? NO_OTHERS : othersIn(secrets.unsealCredential(job, sealedOther));
    return { accessToken, ...others };
  } catch {
    return null;
  }
}

function othersIn(text: string): Others {
  const found = parsedJson(text);
  const fields: Readonly<Record<string, unknown>> =
    typeof found === 'object' && found !== null ? { ...found } : {};
  const part = (name: keyof Others) => {
    const value = fields[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    mqttClientId: part('mqttClientId'),
    mqttUserName: part('mqttUserName'),
    mqttPassword: part('mqttPassword'),
    certificate: part('certificate'),
  };
}

/** UTF-16 units, as for every name. */
const TEXT_MAX = 255;

/** The device's credentials, or why there are none. @param drawn an access token for who asks for nothing */
export function credentialsFor(
  secrets: CredentialSecrets,
  device: DeviceId,
  asked: AskedCredentials,
  drawn: () => string,
): Credentials | RowReason {
  for (const column of ['accessToken', 'mqttClientId', 'mqttUserName', 'mqttPassword'] as const) {
    if (asked[column].length > TEXT_MAX) return { code: 'too-long', column, max: TEXT_MAX };
    if (!isCleanText(asked[column])) return { code: 'not-shown', column };
  }
  const { accessToken, mqttClientId: clientId, mqttUserName: userName, mqttPassword: password } = asked;
  const isMqtt = clientId !== '' || userName !== '' || password !== '';
  const kinds = [accessToken !== '', isMqtt, asked.certificate !== ''].filter(Boolean).length;
  if (kinds > 1) return { code: 'kinds-mixed' };
  if (isMqtt)
    return mqttBasic(secrets, device, { clientId, userName, password }) ?? { code: 'password-alone' };
  if (asked.certificate !== '') return x509(secrets, asked.certificate) ?? { code: 'certificate-malformed' };
  return deviceToken(secrets, device, accessToken || drawn());
}
