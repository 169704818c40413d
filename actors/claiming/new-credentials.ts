/**
 * A device whose owner has changed gets other credentials (O9): with its old ones it asks for the new ones, on every door,
 * until it has used them. What it is told:
 *
 *   {"credentials": {"type": "ACCESS_TOKEN", "token": "…", "epoch": 7}, "ownerEpoch": 7}
 *   {"credentials": {"type": "MQTT_BASIC", "clientId": "…", "userName": "…", "password": "…", "epoch": 7}, "ownerEpoch": 7}
 *   {"credentials": null, "ownerEpoch": 7}                    what it has shown is what it has
 *
 * Who has the old credentials learns the new ones. So there is nothing here that is written to a log.
 */
import type { Log } from '../base/log.ts';
import type { CredentialSecrets } from '../base/secret.ts';
import { unreachable } from '../base/unreachable.ts';
import { type Credentials, ownerEpochOf } from '../device/state.ts';
import { logUnreadable, mqttBasicParts, tokenOf } from '../fleet/credentials.ts';
import type { Devices } from '../fleet/devices.ts';
import type { Unavailable } from '../runtime/decider.ts';
import type { AuthenticatedDevice } from './device-authentication.ts';

export type FetchedCredentials =
  | {
      readonly type: 'fetched';
      /** For the device: see above. */
      readonly message: CredentialsMessage;
      /** The same as shared attributes, which ThingsBoard's SDKs deliver; undefined: there is nothing new. */
      readonly attributes: { readonly [key: string]: string } | undefined;
    }
  /** The credentials shown are the device's no longer, and their time to fetch others is up, or nobody can read these. */
  | { readonly type: 'revoked' }
  | Unavailable;

interface CredentialsMessage {
  readonly credentials: { readonly type: string; readonly [part: string]: string | number } | null;
  readonly ownerEpoch: number;
}

export async function fetchCredentials(
  devices: Devices,
  secrets: CredentialSecrets,
  log: Log,
  { id, credentialsId }: AuthenticatedDevice,
): Promise<FetchedCredentials> {
  const answer = await devices.ask(id, { type: 'FetchCredentials', credentialsId });
  if (answer.type === 'unavailable') return answer;
  if (answer.type === 'refused' || answer.state.status === 'absent') return { type: 'revoked' };
  const { nextCredentials } = answer.state;
  const ownerEpoch = ownerEpochOf(answer.state);
  if (nextCredentials === undefined) {
    return { type: 'fetched', message: { credentials: null, ownerEpoch }, attributes: undefined };
  }
  const words = inWords(nextCredentials.credentials);
  if (words === undefined) {
    logUnreadable(log, id);
    return { type: 'revoked' };
  }
  const { type, parts, attributes } = words;
  return {
    type: 'fetched',
    message: { credentials: { type, ...parts, epoch: ownerEpoch }, ownerEpoch },
    attributes,
  };

  /** Undefined: nobody can read them any more, as the key that sealed them was given up. */
  function inWords(credentials: Credentials) {
    switch (credentials.type) {
      case 'ACCESS_TOKEN': {
        const token = tokenOf(secrets, id, credentials);
        if (token === null) return undefined;
        return { type: credentials.type, parts: { token }, attributes: { claimToken: token } };
      }
      case 'MQTT_BASIC': {
        const basic = mqttBasicParts(secrets, id, credentials);
        if (basic === undefined) return undefined;
        const { clientId, userName, password } = basic;
        const parts = {
          ...given('clientId', clientId),
          ...given('userName', userName),
          ...given('password', password),
        };
        const attributes = { ...given('claimUserName', userName), ...given('claimPassword', password) };
        return { type: credentials.type, parts, attributes };
      }
      case 'X509_CERTIFICATE':
        throw new Error('a certificate does not rotate');
      default:
        return unreachable(credentials);
    }
  }
}

function given(name: string, value: string | null): { readonly [name: string]: string } {
  return value === null ? {} : { [name]: value };
}
