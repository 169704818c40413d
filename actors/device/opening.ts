/**
 * Opening a claim window (O1 to O10): the device itself does it, or a gateway for a device behind it. From then on, until
 * the window closes, whoever has its secret can claim the device.
 */
import type { Instant } from '../base/clock.ts';
import type { TenantId, UserId } from '../base/ids.ts';
import type { SecretDigest } from '../base/secret.ts';
import type { Decision } from '../runtime/decider.ts';
import type { ClaimPolicy } from './claim-policy.ts';
import { whyCredentialsFail } from './credentials.ts';
import { type GatewayAuthority, speaksFor } from './gateways.ts';
import { accept, type Recorded, type Refusal, refuse, type Traced, UNKNOWN } from './messages.ts';
import { mayOpenWhileOwned } from './ownership-rules.ts';
import { type ClaimWindow, type Device, mayBeClaimed, type OwnedGateway } from './state.ts';

/** What a message says that opens a window. */
export interface OpensWindow {
  /** The device itself, having shown these credentials (refused when they are the device's no longer), or a gateway. */
  readonly openedBy:
    | { readonly type: 'device'; readonly credentialsId: string }
    | { readonly type: 'gateway'; readonly tenantId: TenantId; readonly authority: GatewayAuthority };
  readonly secretDigest: SecretDigest;
  /** See `secretLengthOf`; absent: 0. Only its digest says more of the secret. */
  readonly secretLength?: number;
  /** Milliseconds; 0 and negative mean the server's default (O1). */
  readonly durationMs: number;
  /** When its message arrived, where it may have waited since, as one from a broker does (O5). Absent: just now. */
  readonly arrivedAt?: Instant;
}

export interface InitiateClaim extends OpensWindow {
  readonly type: 'InitiateClaim';
}

/** A message that waited for longer is taken for late. Less is no reason to doubt the order, nor to compare two clocks. */
export const LATE_MS = 1_000;

/** A new window, in place of the one that may have been open (O5). */
export interface ClaimWindowOpened extends Recorded<'ClaimWindowOpened'> {
  readonly secretDigest: SecretDigest;
  readonly closesAt: Instant;
  readonly openedBy: 'device' | 'gateway';
  /** As in `ClaimWindow`. */
  readonly gateway?: OwnedGateway;
  /** It waits for the tenant's approval, and an open window stays (O9). */
  readonly pending?: true;
  /** As in `ClaimWindow`. */
  readonly arrivedAt?: Instant;
  /** By a reset, told while nobody owned the device: it counts as one all the same (N5). */
  readonly byReset?: true;
}

/** Closed by the tenant's reclaim of a device that nobody owned (R2), or by an owner who wants no take-over (N2). */
export interface ClaimWindowClosed extends Recorded<'ClaimWindowClosed'> {
  readonly userId: UserId;
}

type OpeningDecision = Decision<ClaimWindowOpened, Refusal>;

export function initiate(
  policy: ClaimPolicy,
  device: Device,
  command: InitiateClaim,
  at: Instant,
): OpeningDecision {
  const refused = mayNotSpeak(device, command, at);
  if (refused !== undefined) return refused;
  if (device.owner !== null) {
    // O2. For a take-over the device speaks for itself: a gateway need not be near it, nor an ex-owner with its token (N1).
    const speaksForItself = command.openedBy.type === 'device' && !device.quarantined;
    const mayOpen = speaksForItself && mayOpenWhileOwned(policy.ownership);
    if (!mayOpen) return refuse({ reason: 'already-claimed' });
    if (device.takeOver !== undefined) return refuse({ reason: 'take-over-pending' });
  }
  return open(policy, device, command, at);
}

/** Whether who sends this is not, or no longer, the device or a gateway of its tenant. */
export function mayNotSpeak(
  device: Device,
  { openedBy }: OpensWindow,
  at: Instant,
): Decision<never, Refusal> | undefined {
  if (openedBy.type === 'device') {
    const reason = whyCredentialsFail(device, openedBy.credentialsId, at);
    return reason === undefined ? undefined : refuse({ reason });
  }
  if (openedBy.tenantId !== device.tenantId) return UNKNOWN;
  // O8: before anything else, so that such a gateway learns nothing of the tenant's other devices.
  return speaksFor(openedBy.authority, device) ? undefined : refuse({ reason: 'not-behind-gateway' });
}

/** The window, for whoever may open one. */
export function open(
  policy: ClaimPolicy,
  device: Device,
  command: OpensWindow,
  at: Instant,
): OpeningDecision {
  const { openedBy, secretDigest, secretLength = 0 } = command;
  if (!mayBeClaimed(device, policy.allowClaimingByDefault)) return refuse({ reason: 'claiming-not-allowed' }); // O3

  if (isOvertaken(device, command, at)) return refuse({ reason: 'superseded' }); // O5

  // O1: not positive means the default. O4: an instant is stored, never a duration, and never cut.
  const durationMs = command.durationMs <= 0 ? policy.defaultDurationMs : command.durationMs;
  const closesAt = at + durationMs;
  if (!Number.isSafeInteger(durationMs) || !Number.isSafeInteger(closesAt)) {
    return refuse({ reason: 'duration-out-of-range' });
  }
  if (policy.maxDurationMs > 0 && durationMs > policy.maxDurationMs) {
    return refuse({ reason: 'duration-too-long', maxDurationMs: policy.maxDurationMs });
  }
  // N1: anybody who knows its name has the empty secret.
  const minSecretLength = Math.max(policy.ownership.minSecretLength, device.owner === null ? 0 : 1);
  if (secretLength < minSecretLength) return refuse({ reason: 'secret-too-short', minSecretLength }); // O10
  const asked = { type: 'ClaimWindowOpened', at, secretDigest, closesAt, openedBy: openedBy.type } as const;
  const { arrivedAt = at } = command;
  const opened = arrivedAt < at ? { ...asked, arrivedAt } : asked;
  const authority = openedBy.type === 'gateway' ? openedBy.authority : undefined;
  if (authority?.for === 'tenant') return accept(opened); // O9: it has the tenant's own word
  const asTrusted = device.quarantined ? { ...opened, pending: true as const } : opened;
  return accept(authority === undefined ? asTrusted : { ...asTrusted, gateway: authority.gateway });
}

/** O5: the message is late, and one that arrived after it has opened a window since. */
function isOvertaken({ window, pendingWindow }: Device, { arrivedAt }: OpensWindow, at: Instant): boolean {
  if (arrivedAt === undefined || at - arrivedAt <= LATE_MS) return false;
  const isNewer = (other: ClaimWindow) => (other.arrivedAt ?? other.openedAt) > arrivedAt;
  return (window !== null && isNewer(window)) || (pendingWindow !== undefined && isNewer(pendingWindow));
}

/** O5: a window that was open is replaced, secret and expiry; one that waits for approval replaces only its like. */
export function windowOpened(device: Device, event: ClaimWindowOpened & Traced): Device {
  const { secretDigest, at, closesAt, openedBy, gateway, pending, arrivedAt, trace } = event;
  const inOrder = { secretDigest, openedAt: at, closesAt, openedBy };
  const asked = arrivedAt === undefined ? inOrder : { ...inOrder, arrivedAt };
  const opened = gateway === undefined ? asked : { ...asked, gateway };
  const window = trace === undefined ? opened : { ...opened, trace };
  const asToReset = event.byReset ? { ...device, lastResetAt: at } : device;
  return pending ? { ...asToReset, pendingWindow: window } : { ...asToReset, window };
}
