/**
 * A factory reset, told by the device itself: `"reset": true` in its claim message ends the ownership, where its profile
 * allows it (N4, N5). ThingsBoard ignores the field, so one firmware serves both: where nobody owns the device the
 * message means what it means without it, and opens a window.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId } from '../base/ids.ts';
import type { SecretDigest } from '../base/secret.ts';
import type { BeginsEpoch } from './credentials.ts';
import type { Recorded, Refusal } from './messages.ts';
import type { OpensWindow } from './opening.ts';
import type { OwnershipRules } from './ownership-rules.ts';
import { type Device, isForbidden } from './state.ts';

export interface ResetDevice extends OpensWindow {
  readonly type: 'ResetDevice';
  /** The transport says that the message may have been delivered before (MQTT: DUP). */
  readonly isRedelivery: boolean;
}

export interface DeviceReset extends Recorded<'DeviceReset'>, BeginsEpoch {
  readonly previousCustomerId: CustomerId;
  /** As in `DeviceReclaimed`: a reset gives the device back (R2). */
  readonly claimingAllowedRestored: boolean;
  /** `release-and-open`: the window that the same message opened. */
  readonly window?: {
    readonly secretDigest: SecretDigest;
    readonly closesAt: Instant;
    /** It waits for the tenant's approval (O9). */
    readonly pending?: true;
  };
}

/**
 * A reset was told to a device that nobody owns, and opened no window. It is recorded all the same, for the message may
 * come again when somebody has claimed the device (N5). Where it opens one, `ClaimWindowOpened` says so.
 */
export interface ResetNoted extends Recorded<'ResetNoted'> {}

/** A device is reset once in this time, in ms (N5). */
const RESET_INTERVAL_MS = 3_600_000;

export type ResetStep =
  /** There is no owner to release it from: the message opens a window, as without `reset`. */
  | { readonly type: 'open'; readonly isNoted: boolean }
  /** Nor is a window wanted. */
  | { readonly type: 'note' }
  | { readonly type: 'release'; readonly opens: boolean }
  | { readonly type: 'refuse'; readonly refusal: Refusal };

/** What a reset comes to. That the device, or its gateway, may speak at all has been checked. */
export function resetStep(
  { deviceReset }: OwnershipRules,
  device: Device,
  { openedBy, isRedelivery }: ResetDevice,
  at: Instant,
): ResetStep {
  const byDevice = openedBy.type === 'device';
  if (device.owner === null) {
    if (byDevice && deviceReset === 'release') return { type: 'note' };
    return { type: 'open', isNoted: byDevice && deviceReset !== 'off' };
  }
  // A gateway speaks for what it cannot touch: who resets a device has it in hand.
  if (!byDevice || deviceReset === 'off') return refusal({ reason: 'reset-not-allowed' });
  // Nor does who has quarantined credentials: a former owner may (O9).
  if (device.quarantined) return refusal({ reason: 'reset-not-allowed' });
  // A device that the tenant has frozen stays where it is (O3).
  if (isForbidden(device)) return refusal({ reason: 'claiming-not-allowed' });

  // The message may have been carried out when it came first, and the device been claimed since.
  if (isRedelivery) return refusal({ reason: 'reset-repeated' });
  const { lastResetAt } = device;
  if (lastResetAt !== undefined) {
    const sinceMs = Math.abs(at - lastResetAt); // a clock that was set back must not lock the device for longer
    if (sinceMs < RESET_INTERVAL_MS) {
      return refusal({ reason: 'rate-limited', retryAfterMs: RESET_INTERVAL_MS - sinceMs });
    }
  }
  return { type: 'release', opens: deviceReset === 'release-and-open' };
}

function refusal(why: Refusal): ResetStep {
  return { type: 'refuse', refusal: why };
}
