/**
 * What each fact does to a device. Facts are complete: what a policy decided when they happened is written in them,
 * so replaying them gives the same state under any policy, on any node, for ever.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId } from '../base/ids.ts';
import type { Json } from '../base/json.ts';
import { unreachable } from '../base/unreachable.ts';
import {
  type AbsentDevice,
  type Attribute,
  type Attributes,
  type AttributesDeleted,
  type AttributesSaved,
  CLAIMING_ALLOWED,
  CLAIMING_DATA,
  type Device,
  type DeviceEvent,
  type DeviceProvisioned,
  type DeviceState,
  type Owner,
} from './protocol.ts';

export const absentDevice: AbsentDevice = { status: 'absent' };

/** Folds one event into the state. An event that no decision can produce in this state is a bug, and throws. */
export function evolve(state: DeviceState, event: DeviceEvent): DeviceState {
  if (event.type === 'DeviceProvisioned') {
    if (state.status !== 'absent') throw new Error('DeviceProvisioned on a device that exists');
    return provisioned(event);
  }
  if (state.status === 'absent') throw new Error(`${event.type} on a device that does not exist`);
  return evolveProvisioned(state, event);
}

function evolveProvisioned(device: Device, event: Exclude<DeviceEvent, DeviceProvisioned>): DeviceState {
  switch (event.type) {
    case 'ClaimWindowOpened': {
      const { secretDigest, at, closesAt, openedBy } = event;
      return { ...device, window: { secretDigest, openedAt: at, closesAt, openedBy } };
    }
    case 'ClaimWindowExpired':
    case 'ClaimWindowClosed':
      return { ...device, window: null };
    case 'DeviceClaimed': {
      const owner: Owner = { customerId: event.customerId, since: event.at, by: 'claim' };
      const attributes = event.claimingAllowedDeleted
        ? without(device.attributes, 'SERVER_SCOPE', [CLAIMING_ALLOWED])
        : device.attributes;
      return { ...device, owner, window: null, serverKey: null, attributes };
    }
    case 'DeviceAssigned':
      return { ...device, owner: assignment(event.customerId, event.at), window: null };
    case 'DeviceReclaimed':
    case 'DeviceUnassigned': {
      const attributes = event.claimingAllowedRestored
        ? withValues(device.attributes, 'SERVER_SCOPE', { [CLAIMING_ALLOWED]: true }, event.at)
        : device.attributes;
      return { ...device, owner: null, window: null, attributes };
    }
    case 'DeviceUpdated': {
      const { name, deviceType, label, additionalInfo, profileId } = event;
      const profile = profileId === undefined ? {} : { profileId };
      return { ...device, name, type: deviceType, label, additionalInfo, ...profile };
    }
    case 'CredentialsChanged':
      return { ...device, credentials: event.credentials };
    case 'DeviceDeleted':
      return absentDevice;
    case 'AttributesSaved':
      return saved(device, event);
    case 'AttributesDeleted':
      return deleted(device, event);
    default:
      return unreachable(event);
  }
}

function provisioned(event: DeviceProvisioned): Device {
  const { tenantId, name, deviceType, label, additionalInfo, profileId, credentials, customerId, at } = event;
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
    owner: customerId === null ? null : assignment(customerId, at),
    window: null,
    serverKey: null,
    attributes: { SERVER_SCOPE: {}, SHARED_SCOPE: {} },
  };
}

function assignment(customerId: CustomerId, at: Instant): Owner {
  return { customerId, since: at, by: 'assignment' };
}

function saved(device: Device, event: AttributesSaved): Device {
  const attributes = withValues(device.attributes, event.scope, event.values, event.at);
  if (event.serverKey === undefined) return { ...device, attributes };
  return { ...device, attributes, serverKey: { ...event.serverKey, savedAt: event.at } };
}

function deleted(device: Device, event: AttributesDeleted): Device {
  const attributes = without(device.attributes, event.scope, event.keys);
  const keyGoes = event.scope === 'SERVER_SCOPE' && event.keys.includes(CLAIMING_DATA);
  return { ...device, attributes, serverKey: keyGoes ? null : device.serverKey };
}

function withValues(
  attributes: Attributes,
  scope: keyof Attributes,
  values: { readonly [key: string]: Json },
  savedAt: Instant,
): Attributes {
  // Entries, not spread or assignment: a key called `__proto__` is data like any other.
  const rows = Object.entries(values).map(([key, value]): [string, Attribute] => [key, { value, savedAt }]);
  const scoped = Object.fromEntries([...Object.entries(attributes[scope]), ...rows]);
  return { ...attributes, [scope]: scoped };
}

function without(attributes: Attributes, scope: keyof Attributes, keys: readonly string[]): Attributes {
  const kept = Object.entries(attributes[scope]).filter(([key]) => !keys.includes(key));
  return { ...attributes, [scope]: Object.fromEntries(kept) };
}
