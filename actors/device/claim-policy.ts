/** What the operator decides about claiming, the same for every device, and what that means for one device. */
import type { Decision } from '../runtime/decider.ts';
import type { DeviceRules } from './credentials.ts';
import { type Consented, type Evidence, type Refusal, refuse } from './messages.ts';
import { CLAIMING_ALLOWED, type Device, isForbidden, ownerEpochOf } from './state.ts';

export interface ClaimPolicy {
  /** `security.claim.allowClaimingByDefault`: without the attribute `claimingAllowed`, may a device be claimed? */
  readonly allowClaimingByDefault: boolean;
  /** `security.claim.duration`: how long a window is open when the device does not say, in ms; at least 1. */
  readonly defaultDurationMs: number;
  /** `security.claim.maxDuration`: the longest a device may ask for, in ms; 0: no limit. */
  readonly maxDurationMs: number;
  /** The ownership rules of devices whose profile says nothing else. */
  readonly ownership: DeviceRules;
  /** Whether the operator's policy is asked before a claim is final (C12). Default: no. */
  readonly asksConsent?: boolean;
  /** How large a device's attributes may be together, in bytes of JSON. */
  readonly maxAttributeBytes: number;
}

/** C12: all is in order, and the operator's policy has not yet allowed it in this owner epoch. */
export function consentNeeded(
  { asksConsent }: ClaimPolicy,
  device: Device,
  { consentIn }: Consented,
  evidence: Evidence,
): Decision<never, Refusal> | undefined {
  const ownerEpoch = ownerEpochOf(device);
  if (!asksConsent || consentIn === ownerEpoch) return undefined;
  const { name, type: deviceType } = device;
  return refuse({ reason: 'consent-needed', ownerEpoch, evidence, name, deviceType });
}

/** C4: whether a claim uses the attribute `claimingAllowed` up; it does not where claiming needs none. */
export function usesUpPermission(policy: ClaimPolicy, device: Device): boolean {
  return !policy.allowClaimingByDefault && Object.hasOwn(device.attributes.SERVER_SCOPE, CLAIMING_ALLOWED);
}

/** R2: whether giving back allows claiming again, for a claim used the permission up; not if the tenant has forbidden it since. */
export function restoresPermission(policy: ClaimPolicy, device: Device): boolean {
  return !policy.allowClaimingByDefault && !isForbidden(device);
}
