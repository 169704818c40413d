/**
 * A device opens its claim window: what every transport does with what a device sends. Read this file first.
 *
 *   admit      whose credentials are these? wrong ones are counted   device-authentication.ts, wrong-tokens.ts
 *   read       bytes to a claim request, in the profile's format     payload.ts, proto/
 *   initiate   digest the secret, ask the device's actor             this file
 *   answer     the outcome in the words of a device                  outcome.ts
 *
 * A gateway does the same for the devices behind it (`gateways.ts`). A transport brings bytes and a way to acknowledge.
 * The secret does not leave this file except as a digest (rule C9), and an outcome is known only once it is durable
 * (rule O6).
 */
import type { Instant } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secret.ts';
import type { TraceText } from '../base/tracing.ts';
import { secretLengthOf } from '../device/ownership-rules.ts';
import type { Devices, Directory } from '../fleet/devices.ts';
import {
  type AuthenticatedDevice,
  createDeviceAuthentication,
  type DeviceAuthentication,
} from './device-authentication.ts';
import { type FetchedCredentials, fetchCredentials } from './new-credentials.ts';
import { type ClaimOutcome, outcomeOf, resetOutcomeOf } from './outcome.ts';
import type { ClaimRequest } from './payload.ts';

export interface Claiming extends DeviceAuthentication {
  /** The credentials that replace those that the device has shown (O9); rejects for bugs only. */
  fetchCredentials(device: AuthenticatedDevice): Promise<FetchedCredentials>;
  /**
   * Asks the device to open its window, or to be reset. Whatever the store does is in the outcome; rejects for bugs only.
   * @param isRedelivery the transport knows that the message may have come before
   * @param arrivedAt of the message, where it may have waited since (O5)
   * @param trace what it is a part of, where that is recorded
   */
  initiate(
    device: AuthenticatedDevice,
    request: ClaimRequest,
    isRedelivery?: boolean,
    arrivedAt?: Instant,
    trace?: TraceText,
  ): Promise<ClaimOutcome>;
}

export function createClaiming(devices: Devices, directory: Directory, secrets: Secrets, log: Log): Claiming {
  return {
    ...createDeviceAuthentication(devices, directory, secrets, log),

    fetchCredentials: (device) => fetchCredentials(devices, secrets, log, device),

    initiate(device, request, isRedelivery = false, arrivedAt, trace) {
      const opening = {
        type: 'InitiateClaim',
        openedBy: { type: 'device', credentialsId: device.credentialsId },
        secretDigest: secrets.digest(device.id, request.secretKey),
        secretLength: secretLengthOf(request.secretKey),
        durationMs: request.durationMs,
        ...(arrivedAt === undefined ? {} : { arrivedAt }),
        ...(trace === undefined ? {} : { trace }),
      } as const;
      if (!request.reset) return devices.ask(device.id, opening).then(outcomeOf);
      return devices
        .ask(device.id, { ...opening, type: 'ResetDevice', isRedelivery })
        .then((answer) => resetOutcomeOf(answer));
    },
  };
}
