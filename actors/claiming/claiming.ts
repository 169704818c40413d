/**
 * Opening a claim window, as all transports do it: who the device is, what it asks for, and what came of it.
 *
 * A transport brings bytes and a way to acknowledge; everything between is here. The secret is digested before it
 * leaves this file (rule C9), the outcome is known only after it is durable (rule O6).
 */
import type { Instant } from '../base/clock.ts';
import type { DeviceId, ProfileId, TenantId } from '../base/ids.ts';
import type { Secrets } from '../base/secret.ts';
import { isGateway } from '../device/decide.ts';
import type { DeviceRecord, RefusalReason } from '../device/protocol.ts';
import { type MqttBasicParts, matchesMqttBasic, mqttBasicId, x509Id } from '../fleet/credentials.ts';
import type { DeviceAnswer, Devices, Directory } from '../fleet/devices.ts';
import type { Unavailable } from '../runtime/decider.ts';
import type { ClaimRequest } from './payload.ts';

/** A device that has shown its credentials, for as long as its session or request lasts. */
export interface AuthenticatedDevice {
  readonly id: DeviceId;
  readonly tenantId: TenantId;
  readonly profileId: ProfileId | null;
  readonly credentialsId: string;
  readonly isGateway: boolean;
}

export type ClaimOutcome =
  /** Durable: the window is open until just before `closesAt`. */
  | { readonly type: 'opened'; readonly closesAt: Instant }
  | {
      readonly type: 'refused';
      readonly reason: RefusalReason;
      readonly maxDurationMs?: number;
      readonly retryAfterMs?: number;
    }
  /** The sum of now and duration leaves the range of instants: the message is at fault (rule O4). */
  | { readonly type: 'malformed'; readonly why: string }
  /** The device is gone or its token no longer valid: whatever trusted it ends. */
  | { readonly type: 'revoked' }
  /** It may or may not have happened; asking again is safe. */
  | { readonly type: 'unavailable'; readonly reason: Unavailable['reason'] };

export interface Claiming {
  /** Which device holds this access token. Rejects with `StoreUnavailable`. */
  authenticate(accessToken: string): Promise<AuthenticatedDevice | undefined>;
  /** Who says this in MQTT's CONNECT: an access token as user name, or MQTT_BASIC credentials (facts 2.1). */
  authenticateMqtt(said: MqttBasicParts): Promise<AuthenticatedDevice | undefined>;
  /** Which device somebody trusted has checked and names by the id of its credentials, of whatever kind; no proof by itself. */
  vouchedFor(credentialsId: string): Promise<AuthenticatedDevice | undefined>;
  /** Which device has this certificate, in DER, whose private key was proven by TLS. */
  authenticateCertificate(der: Buffer): Promise<AuthenticatedDevice | undefined>;
  /** Asks the device to open its window. Never rejects. */
  initiate(device: AuthenticatedDevice, request: ClaimRequest): Promise<ClaimOutcome>;
}

export function createClaiming(devices: Devices, directory: Directory, secrets: Secrets): Claiming {
  function proven(record: DeviceRecord, said: MqttBasicParts): AuthenticatedDevice | undefined {
    const { id, credentials } = record;
    switch (credentials.type) {
      case 'ACCESS_TOKEN':
        return authenticated(record);
      case 'MQTT_BASIC':
        return matchesMqttBasic(secrets, id, credentials, said) ? authenticated(record) : undefined;
      case 'X509_CERTIFICATE':
        return undefined;
      default:
        return credentials satisfies never;
    }
  }

  return {
    async authenticate(accessToken) {
      const record = await directory.byCredentials(accessToken);
      // Other credentials are found by ids that are no secrets.
      return record?.credentials.type === 'ACCESS_TOKEN' ? authenticated(record) : undefined;
    },

    async authenticateMqtt(said) {
      const clientId = said.clientId || null;
      const userName = said.userName || null;
      const find = async (id: string | undefined) =>
        id === undefined ? undefined : directory.byCredentials(id);
      // Both at once, for a device with a token waits for both. Without a client id there is nothing to digest.
      const [byBoth, byName] = await Promise.all([
        clientId === null ? undefined : find(mqttBasicId(clientId, userName)),
        userName === null ? undefined : find(userName),
      ]);
      // Credentials of both parts come first: with a wrong password for them, nothing else is looked at.
      if (byBoth?.credentials.type === 'MQTT_BASIC') return proven(byBoth, said);
      return byName === undefined ? undefined : proven(byName, said);
    },

    async vouchedFor(credentialsId) {
      const record = await directory.byCredentials(credentialsId);
      return record === undefined ? undefined : authenticated(record);
    },

    async authenticateCertificate(der) {
      const record = await directory.byCredentials(x509Id(der));
      return record?.credentials.type === 'X509_CERTIFICATE' ? authenticated(record) : undefined;
    },

    initiate(device, request) {
      return devices
        .ask(device.id, {
          type: 'InitiateClaim',
          openedBy: { type: 'device', credentialsId: device.credentialsId },
          secretDigest: secrets.digest(device.id, request.secretKey),
          durationMs: request.durationMs,
        })
        .then(outcomeOf);
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

export function outcomeOf(answer: DeviceAnswer): ClaimOutcome {
  switch (answer.type) {
    case 'accepted': {
      const window = answer.state.status === 'provisioned' ? answer.state.window : null;
      if (window === null) throw new Error('an accepted InitiateClaim left no window');
      return { type: 'opened', closesAt: window.closesAt };
    }
    case 'refused':
      return refused(answer.refusal);
    case 'unavailable':
      return { type: 'unavailable', reason: answer.reason };
    default:
      return answer satisfies never;
  }
}

function refused(refusal: Extract<DeviceAnswer, { type: 'refused' }>['refusal']): ClaimOutcome {
  switch (refusal.reason) {
    case 'credentials-revoked':
    case 'unknown-device':
      return { type: 'revoked' };
    case 'duration-out-of-range':
      return { type: 'malformed', why: 'durationMs reaches beyond the end of time' };
    case 'duration-too-long':
      return { type: 'refused', reason: refusal.reason, maxDurationMs: refusal.maxDurationMs };
    case 'rate-limited':
      return { type: 'refused', reason: refusal.reason, retryAfterMs: refusal.retryAfterMs };
    default:
      return { type: 'refused', reason: refusal.reason };
  }
}

/** The outcome as a device reads it, on the response topic; undefined where it learns it in another way. */
export function outcomeMessage(outcome: ClaimOutcome): object | undefined {
  switch (outcome.type) {
    case 'opened':
      return { status: 'opened', closesAt: outcome.closesAt };
    case 'refused': {
      const { reason, maxDurationMs, retryAfterMs } = outcome;
      return { status: 'refused', reason, maxDurationMs, retryAfterMs };
    }
    case 'malformed':
    case 'revoked':
    case 'unavailable':
      return undefined;
    default:
      return outcome satisfies never;
  }
}

/** A refusal in words, for a person who reads a device's log. */
export function refusalInWords(outcome: Extract<ClaimOutcome, { type: 'refused' }>): string {
  switch (outcome.reason) {
    case 'already-claimed':
      return 'the device already has an owner';
    case 'claiming-not-allowed':
      return 'claiming is not allowed for this device';
    case 'duration-too-long':
      return `durationMs is above the limit of ${outcome.maxDurationMs} ms`;
    case 'rate-limited':
      return `too many claim windows of this device, try again in ${outcome.retryAfterMs} ms`;
    default:
      return outcome.reason.replaceAll('-', ' ');
  }
}
