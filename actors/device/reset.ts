/**
 * A factory reset, told by the device itself: `"reset": true` in its claim message ends the ownership, where its profile
 * allows it (N4, N5). ThingsBoard ignores the field, so one firmware serves both: where nobody owns the device the
 * message means what it means without it, and opens a window.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId } from '../base/ids.ts';
import type { SecretDigest } from '../base/secret.ts';
import type { Decision } from '../runtime/decider.ts';
import { type ClaimPolicy, restoresPermission } from './claim-policy.ts';
import { type BeginsEpoch, beginEpoch } from './credentials.ts';
import { givenBack } from './giving-back.ts';
import { accept, type Recorded, type Refusal, refuse, type Traced } from './messages.ts';
import { type ClaimWindowOpened, mayNotSpeak, type OpensWindow, open } from './opening.ts';
import type { OwnershipRules } from './ownership-rules.ts';
import { type Device, isForbidden, type Owner } from './state.ts';

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

type ResetDecision = Decision<DeviceReset | ResetNoted | ClaimWindowOpened, Refusal>;

const NOT_ALLOWED = refuse({ reason: 'reset-not-allowed' });

/** N4: a reset gives the device back, and its message may open a window, all at once or not at all. */
export function reset(policy: ClaimPolicy, device: Device, command: ResetDevice, at: Instant): ResetDecision {
  const refused = mayNotSpeak(device, command, at);
  if (refused !== undefined) return refused;
  return device.owner === null
    ? resetUnowned(policy, device, command, at)
    : resetOwned(policy, device, device.owner, command, at);
}

/** There is no owner to release it from: the message opens a window, as without `reset`, where one is wanted. */
function resetUnowned(policy: ClaimPolicy, device: Device, command: ResetDevice, at: Instant): ResetDecision {
  const { deviceReset } = policy.ownership;
  const byDevice = command.openedBy.type === 'device';
  if (byDevice && deviceReset === 'release') return accept({ type: 'ResetNoted', at });
  const opened = open(policy, device, command, at);
  const isNoted = byDevice && deviceReset !== 'off' && opened.type === 'accept';
  return isNoted ? accept({ ...opened.event, byReset: true }) : opened;
}

function resetOwned(
  policy: ClaimPolicy,
  device: Device,
  owner: Owner,
  command: ResetDevice,
  at: Instant,
): ResetDecision {
  const { deviceReset } = policy.ownership;
  const refused = mayNotReset(deviceReset, device, command, at);
  if (refused !== undefined) return refused;
  const release: DeviceReset = {
    type: 'DeviceReset',
    at,
    previousCustomerId: owner.customerId,
    claimingAllowedRestored: restoresPermission(policy, device),
    ...beginEpoch(device, policy.ownership, at),
  };
  if (deviceReset === 'release') return accept(release);
  // The same message: that the credentials change with the owner does not matter to it.
  const opened = open(policy, givenBack(device, release), command, at);
  if (opened.type !== 'accept') return opened;
  const { secretDigest, closesAt, pending } = opened.event;
  const window = pending ? { secretDigest, closesAt, pending } : { secretDigest, closesAt };
  return accept({ ...release, window });
}

/** Why the owner stays. That the device, or its gateway, may speak at all has been checked. */
function mayNotReset(
  deviceReset: OwnershipRules['deviceReset'],
  device: Device,
  { openedBy, isRedelivery }: ResetDevice,
  at: Instant,
): Decision<never, Refusal> | undefined {
  // A gateway speaks for what it cannot touch: who resets a device has it in hand.
  if (openedBy.type !== 'device' || deviceReset === 'off') return NOT_ALLOWED;
  // Nor does who has quarantined credentials: a former owner may (O9).
  if (device.quarantined) return NOT_ALLOWED;
  // A device that the tenant has frozen stays where it is (O3).
  if (isForbidden(device)) return refuse({ reason: 'claiming-not-allowed' });

  // The message may have been carried out when it came first, and the device been claimed since.
  if (isRedelivery) return refuse({ reason: 'reset-repeated' });
  const { lastResetAt } = device;
  if (lastResetAt === undefined) return undefined;
  const sinceMs = Math.abs(at - lastResetAt); // a clock that was set back must not lock the device for longer
  if (sinceMs >= RESET_INTERVAL_MS) return undefined;
  return refuse({ reason: 'rate-limited', retryAfterMs: RESET_INTERVAL_MS - sinceMs });
}

export function wasReset(device: Device, event: DeviceReset & Traced): Device {
  const { at, window: opened, trace } = event;
  const released = { ...givenBack(device, event), lastResetAt: at };
  if (opened === undefined) return released;
  const { secretDigest, closesAt, pending } = opened;
  const inOrder = { secretDigest, openedAt: at, closesAt, openedBy: 'device' as const };
  const window = trace === undefined ? inOrder : { ...inOrder, trace };
  return pending ? { ...released, pendingWindow: window } : { ...released, window };
}
