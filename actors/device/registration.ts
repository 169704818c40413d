/**
 * How a device enters the fleet, how it is described, and how it leaves. None of this but an owner at provisioning
 * touches claiming.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Instant } from '../base/clock.ts';
import type { CustomerId, DeviceId, ProfileId, TenantId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import type { Decision } from '../runtime/decider.ts';
import { isGateway } from './gateways.ts';
import {
  type AskedBy,
  accept,
  EPOCH_CHANGED,
  type InEpoch,
  type Recorded,
  type RecordedBy,
  type Refusal,
  recordedBy,
  refuse,
} from './messages.ts';
import { assignedTo, type Credentials, type Device, isInEpoch, mayWrite } from './state.ts';

// --------------------------------------------------------------------------------------------------- provisioning

export interface ProvisionDevice extends AskedBy {
  readonly type: 'ProvisionDevice';
  readonly tenantId: TenantId;
  readonly name: string;
  readonly deviceType: string;
  readonly label: string | null;
  readonly additionalInfo: JsonObject | null;
  readonly profileId?: ProfileId | null;
  readonly credentials: Credentials;
  /** Owned from the start, as a gateway's devices are when the gateway itself has an owner. */
  readonly customerId: CustomerId | null;
  /** The gateway that brings it up; absent: none does. */
  readonly viaGateway?: DeviceId;
  /** The import whose row it is; absent: of none. */
  readonly importId?: string;
}

export interface DeviceProvisioned extends Recorded<'DeviceProvisioned'>, AskedBy {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly deviceType: string;
  readonly label: string | null;
  readonly additionalInfo: JsonObject | null;
  /** Absent, as in records older than profiles: the tenant's default. */
  readonly profileId?: ProfileId | null;
  readonly credentials: Credentials;
  readonly customerId: CustomerId | null;
  readonly viaGateway?: DeviceId;
  readonly importId?: string;
}

export function provision(command: ProvisionDevice, at: Instant): Decision<DeviceProvisioned, Refusal> {
  const { tenantId, name, deviceType, label, additionalInfo, profileId, credentials, customerId } = command;
  const { viaGateway, importId } = command;
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
    ...(viaGateway === undefined ? {} : { viaGateway }),
    ...(importId === undefined ? {} : { importId }),
    ...(command.userId === undefined ? {} : { userId: command.userId }),
  });
}

export function provisioned(event: DeviceProvisioned): Device {
  const { tenantId, name, deviceType, label, additionalInfo, profileId, credentials, customerId, at } = event;
  const { viaGateway } = event;
  return {
    status: 'provisioned',
    tenantId,
    createdAt: at,
    name,
    type: deviceType,
    label,
    additionalInfo,
    ...(profileId === undefined ? {} : { profileId }),
    credentials,
    ...(viaGateway === undefined ? {} : { viaGateway }),
    owner: customerId === null ? null : assignedTo(customerId, at),
    window: null,
    serverKey: null,
    attributes: { SERVER_SCOPE: {}, SHARED_SCOPE: {} },
  };
}

// ---------------------------------------------------------------------------------- -- description

/** Replaces the descriptive fields; those that are absent stay, and so do ownership, window and credentials. */
export interface UpdateDevice extends AskedBy {
  readonly type: 'UpdateDevice';
  readonly tenantId: TenantId;
  /** Set when a customer asks: only the owner may. */
  readonly customerId: CustomerId | null;
  readonly name?: string;
  readonly deviceType?: string;
  readonly label: string | null;
  readonly additionalInfo?: JsonObject | null;
  readonly profileId?: ProfileId | null;
  /** It holds only while the device has this label, and while no owner has described it (R4); absent: always. */
  readonly ifLabel?: string | null;
}

export interface DeviceUpdated extends RecordedBy<'DeviceUpdated'> {
  readonly name: string;
  readonly deviceType: string;
  readonly label: string | null;
  readonly additionalInfo: JsonObject | null;
  /** Absent: stays as it is. */
  readonly profileId?: ProfileId | null;
}

export function update(device: Device, command: UpdateDevice, at: Instant): Decision<DeviceUpdated, Refusal> {
  if (!mayWrite(device, command.customerId)) return refuse({ reason: 'not-owner' });
  const { ifLabel, label, profileId } = command;
  const isAsExpected = ifLabel === device.label && device.tenantDescription === undefined;
  if (ifLabel !== undefined && !isAsExpected) return refuse({ reason: 'description-changed' });
  const { name = device.name, deviceType = device.type } = command;
  const { additionalInfo = device.additionalInfo } = command;
  // A gateway opens windows on the tenant's other devices: the tenant says which device is one, not a customer.
  const promotes = isGateway({ additionalInfo }) && !isGateway(device);
  if (promotes && command.customerId !== null) return refuse({ reason: 'not-owner' });
  // R4: what a device is called and which rules it follows is the tenant's to say.
  const isOther =
    name !== device.name ||
    deviceType !== device.type ||
    (profileId !== undefined && (profileId ?? null) !== (device.profileId ?? null));
  if (isOther && command.customerId !== null) return refuse({ reason: 'not-owner' });
  const profile = profileId === undefined ? {} : { profileId };
  const described = { name, deviceType, label, additionalInfo, ...profile };
  return accept({ type: 'DeviceUpdated', at, ...recordedBy(command), ...described });
}

export function updated(device: Device, event: DeviceUpdated): Device {
  const { name, deviceType, label, additionalInfo, profileId } = event;
  const profile = profileId === undefined ? {} : { profileId };
  const after = { ...device, name, type: deviceType, label, additionalInfo, ...profile };
  const { tenantDescription, ...rest } = after;
  if (event.customerId !== undefined) {
    // R4: comes back when the owner changes.
    const before = { label: device.label, additionalInfo: device.additionalInfo };
    return { ...rest, tenantDescription: tenantDescription ?? before };
  }
  if (tenantDescription === undefined) return after;
  // The tenant sends back what it has read: only what it changes is its own.
  const own = {
    label: label === device.label ? tenantDescription.label : label,
    additionalInfo: isDeepStrictEqual(additionalInfo, device.additionalInfo)
      ? tenantDescription.additionalInfo
      : additionalInfo,
  };
  return isDeepStrictEqual(own, { label, additionalInfo }) ? rest : { ...rest, tenantDescription: own };
}

export interface DeleteDevice extends InEpoch {
  readonly type: 'DeleteDevice';
  readonly tenantId: TenantId;
}

/** Keeps whose the device was and its name, for whoever reads of it later. Both are absent in older records. */
export interface DeviceDeleted extends Recorded<'DeviceDeleted'> {
  readonly tenantId?: TenantId;
  readonly name?: string;
}

export function deleteDevice(
  device: Device,
  command: DeleteDevice,
  at: Instant,
): Decision<DeviceDeleted, Refusal> {
  if (!isInEpoch(device, command)) return EPOCH_CHANGED;
  return accept({ type: 'DeviceDeleted', at, tenantId: device.tenantId, name: device.name });
}
