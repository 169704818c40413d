/** Which device shows these credentials: an access token, MQTT_BASIC credentials, or a certificate (facts 2.1). */

import type { DeviceId, ProfileId, TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { CredentialSecrets, CredentialsId } from '../base/secret.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Credentials } from '../device/state.ts';
import {
  logUnreadable,
  type MqttBasicParts,
  matchesMqttBasic,
  shownByCertificate,
  shownByMqtt,
} from '../fleet/credentials.ts';
import type { CredentialsHolder, Devices, Directory } from '../fleet/devices.ts';
import { StoreUnavailable } from '../journal/unavailable.ts';

/** A device that has shown its credentials, for as long as its session or request lasts. */
export interface AuthenticatedDevice {
  readonly id: DeviceId;
  readonly tenantId: TenantId;
  readonly profileId: ProfileId | null;
  /** Of the ones that it has shown. */
  readonly credentialsId: CredentialsId;
  /** They are replaced, and do nothing but fetch their successors (O9). The device itself decides. */
  readonly superseded?: true;
  readonly isGateway: boolean;
}

/** Undefined: no device has these credentials. All of it rejects with `StoreUnavailable`. */
export interface DeviceAuthentication {
  authenticate(accessToken: string): Promise<AuthenticatedDevice | undefined>;
  /** What MQTT's CONNECT carries: an access token as user name, or MQTT_BASIC credentials. */
  authenticateMqtt(parts: MqttBasicParts): Promise<AuthenticatedDevice | undefined>;
  /** @param der the certificate in DER; TLS has proven that the client has its private key */
  authenticateCertificate(der: Buffer): Promise<AuthenticatedDevice | undefined>;
  /** The device whose credentials show this, of any kind. It proves nothing: somebody trusted has checked them. */
  vouchedFor(shown: string): Promise<AuthenticatedDevice | undefined>;
}

export function createDeviceAuthentication(
  devices: Devices,
  directory: Directory,
  secrets: CredentialSecrets,
  log: Log,
): DeviceAuthentication {
  /** Who comes with credentials that nobody can read is refused, and the log says what to do. */
  function fitting(id: DeviceId, matches: boolean | 'unreadable'): boolean {
    if (matches === 'unreadable') logUnreadable(log, id);
    return matches === true;
  }

  function matching(
    found: Found,
    parts: MqttBasicParts,
  ): AuthenticatedDevice | Promise<AuthenticatedDevice | undefined> | undefined {
    const { holder, credentials } = found;
    switch (credentials.type) {
      case 'ACCESS_TOKEN':
        return admitted(found);
      case 'MQTT_BASIC':
        return fitting(holder.id, matchesMqttBasic(secrets, holder.id, credentials, parts))
          ? admitted(found)
          : undefined;
      case 'X509_CERTIFICATE':
        return undefined;
      default:
        return unreachable(credentials);
    }
  }

  async function find(shown: string | undefined): Promise<Found | undefined> {
    if (shown === undefined) return undefined;
    const credentialsId = secrets.credentialsId(shown);
    const known = directory.holderOf(credentialsId);
    const holder = known instanceof Promise ? await known : known;
    if (holder === undefined) return undefined;
    const { credentials, nextCredentials } = holder;
    const next = nextCredentials?.credentials;
    if (next === undefined || next.credentialsId !== credentialsId)
      return { holder, credentials, isNext: false };
    return { holder, credentials: next, isNext: true };
  }

  /** Next credentials are the device's own from their first use on; that is durable before it is let in (O9). */
  function admitted({
    holder,
    credentials: { credentialsId },
    isNext,
  }: Found): AuthenticatedDevice | Promise<AuthenticatedDevice | undefined> {
    if (holder.nextCredentials === undefined) return authenticated(holder, credentialsId);
    if (!isNext) return { ...authenticated(holder, credentialsId), superseded: true };
    return devices.ask(holder.id, { type: 'AdoptCredentials', credentialsId }).then((answer) => {
      if (answer.type === 'unavailable') throw new StoreUnavailable('devices', answer.reason);
      return answer.type === 'accepted' ? authenticated(holder, credentialsId) : undefined;
    });
  }

  return {
    async authenticate(accessToken) {
      const found = await find(accessToken);
      // Credentials of another kind are found by what is no secret.
      return found?.credentials.type === 'ACCESS_TOKEN' ? admitted(found) : undefined;
    },

    async authenticateMqtt(parts) {
      const clientId = parts.clientId || null;
      const userName = parts.userName || null;
      // Both at once: on a store in the network each takes a round trip.
      const [byBoth, byName] = await Promise.all([
        find(clientId === null ? undefined : shownByMqtt(clientId, userName)),
        find(userName ?? undefined),
      ]);
      // Credentials of both parts come first: with a wrong password for them, nothing else is looked at.
      if (byBoth?.credentials.type === 'MQTT_BASIC') return matching(byBoth, parts);
      return byName === undefined ? undefined : matching(byName, parts);
    },

    async authenticateCertificate(der) {
      const found = await find(shownByCertificate(der));
      return found?.credentials.type === 'X509_CERTIFICATE' ? admitted(found) : undefined;
    },

    async vouchedFor(shown) {
      const found = await find(shown);
      return found === undefined ? undefined : admitted(found);
    },
  };
}

/** A device, and which of its credentials were shown. */
interface Found {
  readonly holder: CredentialsHolder;
  readonly credentials: Credentials;
  readonly isNext: boolean;
}

function authenticated(holder: CredentialsHolder, credentialsId: string): AuthenticatedDevice {
  const { id, tenantId, profileId, isGateway } = holder;
  return { id, tenantId, profileId, credentialsId, isGateway };
}
