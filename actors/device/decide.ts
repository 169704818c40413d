/**
 * The rules of claiming (the rule book's numbers stand beside the lines that keep them), as a pure function from
 * a device's state, a command and the instant to what happens. See `decider.ts` for the shape, `evolve.ts` for what
 * an event does to the state.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, UserId } from '../base/ids.ts';
import { isJsonObject } from '../base/json.ts';
import { sameDigest } from '../base/secret.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Decider, Decision } from '../runtime/decider.ts';
import { absentDevice, evolve } from './evolve.ts';
import {
  type AssignDevice,
  CLAIMING_ALLOWED,
  CLAIMING_DATA,
  type ConfirmClaim,
  type DeleteAttributes,
  type Device,
  type DeviceCommand,
  type DeviceEvent,
  type DeviceState,
  type InitiateClaim,
  type ProvisionDevice,
  type ReclaimDevice,
  type Refusal,
  type SaveAttributes,
  type SecretDigest,
  type UnassignDevice,
  type UpdateDevice,
} from './protocol.ts';

/** What the operator decides about claiming, the same for every device. */
export interface ClaimPolicy {
  /** `security.claim.allowClaimingByDefault`: without the attribute `claimingAllowed`, may a device be claimed? */
  readonly allowClaimingByDefault: boolean;
  /** `security.claim.duration`: how long a window is open when the device does not say, in ms; at least 1. */
  readonly defaultDurationMs: number;
  /** `security.claim.maxDuration`: the longest a device may ask for, in ms; 0: no limit. */
  readonly maxDurationMs: number;
  /** How large a device's attributes may be together, in bytes of JSON. */
  readonly maxAttributeBytes: number;
}

type DeviceDecision = Decision<DeviceEvent, Refusal>;

/** The device machine under a policy. */
export function createDeviceDecider(
  policy: ClaimPolicy,
): Decider<DeviceState, DeviceCommand, DeviceEvent, Refusal> {
  return {
    initial: absentDevice,
    evolve,
    decide(state, command, at) {
      if (command.type === 'ProvisionDevice') {
        return state.status === 'absent' ? provision(command, at) : refuse({ reason: 'already-provisioned' });
      }
      if (state.status === 'absent') {
        return command.type === 'ExpireClaimWindow' ? IGNORE : UNKNOWN;
      }
      return decideProvisioned(policy, state, command, at);
    },
  };
}

function decideProvisioned(
  policy: ClaimPolicy,
  device: Device,
  command: Exclude<DeviceCommand, ProvisionDevice>,
  at: Instant,
): DeviceDecision {
  // Whoever names a tenant sees only that tenant's devices; another's does not exist for it.
  if ('tenantId' in command && command.tenantId !== device.tenantId) return UNKNOWN;

  switch (command.type) {
    case 'InitiateClaim':
      return initiate(policy, device, command, at);
    case 'ConfirmClaim':
      return confirm(policy, device, command, at);
    case 'ReclaimDevice':
      return reclaim(policy, device, command, at);
    case 'AssignDevice':
      return assign(device, command, at);
    case 'UnassignDevice':
      return unassign(policy, device, command, at);
    case 'ExpireClaimWindow':
      // Never early, whatever the timer thought; a window replaced meanwhile has a later instant of its own.
      return device.window !== null && at >= device.window.closesAt
        ? accept({ type: 'ClaimWindowExpired', at })
        : IGNORE;
    case 'UpdateDevice':
      return update(device, command, at);
    case 'ChangeCredentials':
      return accept({ type: 'CredentialsChanged', at, ...doneBy(command), credentials: command.credentials });
    case 'DeleteDevice':
      return accept({ type: 'DeviceDeleted', at, tenantId: device.tenantId, name: device.name });
    case 'SaveAttributes':
      return saveAttributes(policy, device, command, at);
    case 'DeleteAttributes':
      return deleteAttributes(device, command, at);
    default:
      return unreachable(command);
  }
}

// ------------------------------------------------------------------------------------------------------- claiming

function initiate(policy: ClaimPolicy, device: Device, command: InitiateClaim, at: Instant): DeviceDecision {
  const { openedBy } = command;
  if (openedBy.type === 'device' && openedBy.credentialsId !== device.credentials.credentialsId) {
    return refuse({ reason: 'credentials-revoked' });
  }
  if (openedBy.type === 'gateway' && openedBy.tenantId !== device.tenantId) return UNKNOWN;

  if (device.owner !== null) return refuse({ reason: 'already-claimed' }); // O2
  if (!claimingAllowed(policy, device)) return refuse({ reason: 'claiming-not-allowed' }); // O3

  // O1: not positive means the default. O4: an instant is stored, never a duration, and never cut.
  const durationMs = command.durationMs <= 0 ? policy.defaultDurationMs : command.durationMs;
  const closesAt = at + durationMs;
  if (!Number.isSafeInteger(durationMs) || !Number.isSafeInteger(closesAt)) {
    return refuse({ reason: 'duration-out-of-range' });
  }
  if (policy.maxDurationMs > 0 && durationMs > policy.maxDurationMs) {
    return refuse({ reason: 'duration-too-long', maxDurationMs: policy.maxDurationMs });
  }
  // O5: an open window is replaced, secret and expiry.
  return accept({
    type: 'ClaimWindowOpened',
    at,
    secretDigest: command.secretDigest,
    closesAt,
    openedBy: openedBy.type,
  });
}

/** O3: the attribute must be the boolean; the text "true" is not. Without one the policy decides. */
function claimingAllowed(policy: ClaimPolicy, device: Device): boolean {
  const attribute = device.attributes.SERVER_SCOPE[CLAIMING_ALLOWED]?.value;
  return policy.allowClaimingByDefault ? attribute !== false : attribute === true;
}

function confirm(policy: ClaimPolicy, device: Device, command: ConfirmClaim, at: Instant): DeviceDecision {
  if (device.owner !== null) return refuse({ reason: 'already-claimed' }); // C5, also for the owner itself

  const verdict = tryKeys(device, command.secretDigest, at);
  if (verdict !== 'match') return refuse({ reason: verdict }); // C6: and the window stays open
  return accept({
    type: 'DeviceClaimed',
    at,
    customerId: command.customerId,
    userId: command.userId,
    // C4: used up, unless claiming needs no attribute.
    claimingAllowedDeleted: !policy.allowClaimingByDefault && hasServerAttribute(device, CLAIMING_ALLOWED),
  });
}

/** C2, C3: the window's key and the server-side key open alike, each before its own instant (C8). */
function tryKeys(
  device: Device,
  digest: SecretDigest,
  at: Instant,
): 'match' | 'wrong-secret' | 'window-elapsed' | 'no-window' {
  const { window, serverKey } = device;
  const windowOpen = window !== null && at < window.closesAt;
  const keyValid = serverKey !== null && at < serverKey.expiresAt;

  if (windowOpen && sameDigest(window.secretDigest, digest)) return 'match';
  if (keyValid && sameDigest(serverKey.secretDigest, digest)) return 'match';
  if (windowOpen || keyValid) return 'wrong-secret';
  return window !== null || serverKey !== null ? 'window-elapsed' : 'no-window';
}

function reclaim(policy: ClaimPolicy, device: Device, command: ReclaimDevice, at: Instant): DeviceDecision {
  const { owner } = device;
  if (owner === null) {
    // R2: nothing to give back. A customer must not close somebody's window; the tenant's administrator may.
    if (command.customerId !== null || device.window === null) return IGNORE;
    return accept({ type: 'ClaimWindowClosed', at, userId: command.userId });
  }
  if (command.customerId !== null && command.customerId !== owner.customerId) {
    return refuse({ reason: 'not-owner' }); // R1
  }
  return accept({
    type: 'DeviceReclaimed',
    at,
    previousCustomerId: owner.customerId,
    userId: command.userId,
    claimingAllowedRestored: !policy.allowClaimingByDefault, // R2
  });
}

function assign(device: Device, command: AssignDevice, at: Instant): DeviceDecision {
  if (isOwnedBy(device, command.customerId)) return IGNORE;
  return accept({
    type: 'DeviceAssigned',
    at,
    customerId: command.customerId,
    previousCustomerId: device.owner?.customerId ?? null,
    userId: command.userId,
  });
}

function unassign(policy: ClaimPolicy, device: Device, command: UnassignDevice, at: Instant): DeviceDecision {
  const { owner } = device;
  if (owner === null || (command.customerId !== null && command.customerId !== owner.customerId)) {
    return refuse({ reason: 'not-assigned' });
  }
  return accept({
    type: 'DeviceUnassigned',
    at,
    previousCustomerId: owner.customerId,
    userId: command.userId,
    claimingAllowedRestored: !policy.allowClaimingByDefault, // R3: the rule of R2
  });
}

// -------------------------------------------------------------------------------------------------- the rest of it

function provision(command: ProvisionDevice, at: Instant): DeviceDecision {
  const { tenantId, name, deviceType, label, additionalInfo, profileId, credentials, customerId } = command;
  return accept({
    type: 'DeviceProvisioned',
    at,
    tenantId,
    name,
    deviceType,
    label,
    additionalInfo,
    ...(profileId === undefined ? {} : { profileId }),
    credentials,
    customerId,
  });
}

function update(device: Device, command: UpdateDevice, at: Instant): DeviceDecision {
  if (!mayWrite(device, command.customerId)) return refuse({ reason: 'not-owner' });
  // A gateway opens windows on the tenant's other devices: who may is for the tenant to say, not for one customer.
  const promotes = isGateway(command) && !isGateway(device);
  if (promotes && command.customerId !== null) return refuse({ reason: 'not-owner' });
  const { name, deviceType, label, additionalInfo, profileId } = command;
  const profile = profileId === undefined ? {} : { profileId };
  const described = { name, deviceType, label, additionalInfo, ...profile };
  return accept({ type: 'DeviceUpdated', at, ...doneBy(command), ...described });
}

function saveAttributes(
  policy: ClaimPolicy,
  device: Device,
  command: SaveAttributes,
  at: Instant,
): DeviceDecision {
  if (!mayWrite(device, command.customerId)) return refuse({ reason: 'not-owner' });
  const { scope, values, serverKey } = command;
  const event: DeviceEvent = {
    type: 'AttributesSaved',
    at,
    ...doneBy(command),
    scope,
    values,
    ...(serverKey === undefined ? {} : { serverKey }),
  };

  const after = evolve(device, event);
  const attributes = after.status === 'provisioned' ? { ...after.attributes, key: after.serverKey } : {};
  if (Buffer.byteLength(JSON.stringify(attributes)) > policy.maxAttributeBytes) {
    return refuse({ reason: 'attributes-too-large', maxBytes: policy.maxAttributeBytes });
  }
  return accept(event);
}

function deleteAttributes(device: Device, command: DeleteAttributes, at: Instant): DeviceDecision {
  if (!mayWrite(device, command.customerId)) return refuse({ reason: 'not-owner' });
  const { scope, keys } = command;
  const present = keys.filter(
    (key) =>
      Object.hasOwn(device.attributes[scope], key) ||
      (scope === 'SERVER_SCOPE' && key === CLAIMING_DATA && device.serverKey !== null),
  );
  if (present.length === 0) return IGNORE;
  return accept({ type: 'AttributesDeleted', at, ...doneBy(command), scope, keys: present });
}

/** Who asked, as the event says it. */
function doneBy({
  userId,
  customerId,
}: {
  readonly userId?: UserId;
  readonly customerId?: CustomerId | null;
}) {
  if (userId === undefined) return {};
  return customerId === undefined || customerId === null ? { userId } : { userId, customerId };
}

/** The tenant's administrator always; a customer only what it owns. */
function mayWrite(device: Device, customerId: CustomerId | null): boolean {
  return customerId === null || isOwnedBy(device, customerId);
}

function isOwnedBy(device: Device, customerId: CustomerId): boolean {
  return device.owner !== null && device.owner.customerId === customerId;
}

function hasServerAttribute(device: Device, key: string): boolean {
  return Object.hasOwn(device.attributes.SERVER_SCOPE, key);
}

/** Whether this device may act for others behind it (`additionalInfo.gateway` is the boolean true). */
export function isGateway({ additionalInfo }: Pick<Device, 'additionalInfo'>): boolean {
  return isJsonObject(additionalInfo) && additionalInfo.gateway === true;
}

const IGNORE: DeviceDecision = { type: 'ignore' };
const UNKNOWN: DeviceDecision = { type: 'refuse', refusal: { reason: 'unknown-device' } };

function accept(event: DeviceEvent): DeviceDecision {
  return { type: 'accept', event };
}

function refuse(refusal: Refusal): DeviceDecision {
  return { type: 'refuse', refusal };
}
