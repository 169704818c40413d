/**
 * Opening a claim window, as all transports do it: who the device is, what it asks for, and what came of it.
 *
 * A transport brings bytes and a way to acknowledge; everything between is here. The secret is digested before it
 * leaves this file (rule C9), the outcome is known only after it is durable (rule O6).
 */
import type { Instant } from '../actors/clock.ts';
import type { Unavailable } from '../actors/decider.ts';
import { isGateway } from '../actors/device/decide.ts';
import type { DeviceRecord, RefusalReason } from '../actors/device/protocol.ts';
import type { DeviceAnswer, Devices, Directory } from '../actors/devices.ts';
import type { DeviceId } from '../actors/ids.ts';
import type { Secrets } from '../actors/secret.ts';
import type { ClaimRequest } from './payload.ts';

/** A device that has shown its access token, for as long as its session or request lasts. */
export interface AuthenticatedDevice {
  readonly id: DeviceId;
  readonly credentialsId: string;
  readonly isGateway: boolean;
}

export type ClaimOutcome =
  /** Durable: the window is open until just before `closesAt`. */
  | { readonly type: 'opened'; readonly closesAt: Instant }
  | { readonly type: 'refused'; readonly reason: RefusalReason; readonly maxDurationMs?: number }
  /** The sum of now and duration leaves the range of instants: the message is at fault (rule O4). */
  | { readonly type: 'malformed'; readonly why: string }
  /** The device is gone or its token no longer valid: whatever trusted it ends. */
  | { readonly type: 'revoked' }
  /** It may or may not have happened; asking again is safe. */
  | { readonly type: 'unavailable'; readonly reason: Unavailable['reason'] };

export interface Claiming {
  /** Which device holds this access token. Rejects with `StoreUnavailable`. */
  authenticate(accessToken: string): Promise<AuthenticatedDevice | undefined>;
  /** Asks the device to open its window. Never rejects. */
  initiate(device: AuthenticatedDevice, request: ClaimRequest): Promise<ClaimOutcome>;
}

export function createClaiming(devices: Devices, directory: Directory, secrets: Secrets): Claiming {
  return {
    async authenticate(accessToken) {
      const record = await directory.byCredentials(accessToken);
      // Other credentials are found by ids that are no secrets.
      return record?.credentials.type === 'ACCESS_TOKEN' ? authenticated(record) : undefined;
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
    credentialsId: record.credentials.credentialsId,
    isGateway: isGateway(record),
  };
}

function outcomeOf(answer: DeviceAnswer): ClaimOutcome {
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
    default:
      return { type: 'refused', reason: refusal.reason };
  }
}

/** The outcome as a device reads it, on the response topic; undefined where it learns it in another way. */
export function outcomeMessage(outcome: ClaimOutcome): string | undefined {
  switch (outcome.type) {
    case 'opened':
      return JSON.stringify({ status: 'opened', closesAt: outcome.closesAt });
    case 'refused':
      return JSON.stringify({
        status: 'refused',
        reason: outcome.reason,
        maxDurationMs: outcome.maxDurationMs,
      });
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
    default:
      return outcome.reason.replaceAll('-', ' ');
  }
}
