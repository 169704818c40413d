/** Which device shows these credentials: an access token, MQTT_BASIC credentials, or a certificate (facts 2.1). */

import type { DeviceId, ProfileId, TenantId } from '../base/ids.ts';
import type { Secrets } from '../base/secret.ts';
import { unreachable } from '../base/unreachable.ts';
import { isGateway } from '../device/gateways.ts';
import type { DeviceRecord } from '../device/state.ts';
import { type MqttBasicParts, matchesMqttBasic, mqttBasicId, x509Id } from '../fleet/credentials.ts';
import type { Directory } from '../fleet/devices.ts';

/** A device that has shown its credentials, for as long as its session or request lasts. */
export interface AuthenticatedDevice {
  readonly id: DeviceId;
  readonly tenantId: TenantId;
  readonly profileId: ProfileId | null;
  readonly credentialsId: string;
  readonly isGateway: boolean;
}

/** Undefined: no device has these credentials. All of it rejects with `StoreUnavailable`. */
export interface Authentication {
  authenticate(accessToken: string): Promise<AuthenticatedDevice | undefined>;
  /** What MQTT's CONNECT carries: an access token as user name, or MQTT_BASIC credentials. */
  authenticateMqtt(parts: MqttBasicParts): Promise<AuthenticatedDevice | undefined>;
  /** @param der the certificate in DER; TLS has proven that the client has its private key */
  authenticateCertificate(der: Buffer): Promise<AuthenticatedDevice | undefined>;
  /** The device with this id of credentials, of any kind. The id proves nothing: somebody trusted has checked them. */
  vouchedFor(credentialsId: string): Promise<AuthenticatedDevice | undefined>;
}

export function createAuthentication(directory: Directory, secrets: Secrets): Authentication {
  function matching(record: DeviceRecord, parts: MqttBasicParts): AuthenticatedDevice | undefined {
    const { id, credentials } = record;
    switch (credentials.type) {
      case 'ACCESS_TOKEN':
        return authenticated(record);
      case 'MQTT_BASIC':
        return matchesMqttBasic(secrets, id, credentials, parts) ? authenticated(record) : undefined;
      case 'X509_CERTIFICATE':
        return undefined;
      default:
        return unreachable(credentials);
    }
  }

  function find(credentialsId: string | undefined): Promise<DeviceRecord | undefined> {
    return credentialsId === undefined ? Promise.resolve(undefined) : directory.byCredentials(credentialsId);
  }

  return {
    async authenticate(accessToken) {
      const record = await directory.byCredentials(accessToken);
      // Credentials of another kind are found by an id that is no secret.
      return record?.credentials.type === 'ACCESS_TOKEN' ? authenticated(record) : undefined;
    },

    async authenticateMqtt(parts) {
      const clientId = parts.clientId || null;
      const userName = parts.userName || null;
      // Both at once: on a store in the network each takes a round trip.
      const [byBoth, byName] = await Promise.all([
        find(clientId === null ? undefined : mqttBasicId(clientId, userName)),
        find(userName ?? undefined),
      ]);
      // Credentials of both parts come first: with a wrong password for them, nothing else is looked at.
      if (byBoth?.credentials.type === 'MQTT_BASIC') return matching(byBoth, parts);
      return byName === undefined ? undefined : matching(byName, parts);
    },

    async authenticateCertificate(der) {
      const record = await directory.byCredentials(x509Id(der));
      return record?.credentials.type === 'X509_CERTIFICATE' ? authenticated(record) : undefined;
    },

    async vouchedFor(credentialsId) {
      const record = await directory.byCredentials(credentialsId);
      return record === undefined ? undefined : authenticated(record);
    },
  };
}

function authenticated(record: DeviceRecord): AuthenticatedDevice {
  return {
    id: record.id,
    tenantId: record.tenantId,
    profileId: record.profileId ?? null,
    credentialsId: record.credentials.credentialsId,
    isGateway: isGateway(record),
  };
}
