/**
 * What a gateway may do for other devices (O8). A gateway is a device that speaks for those behind it, so its word is
 * worth what its owner's is: one of the tenant's own speaks for all of the tenant's devices, one that a customer owns for
 * those that it brought up itself and those that its owner owns.
 *
 * A gateway that a customer gave back is nobody's, and still may be in that customer's hands. So it is the tenant's own
 * again only when the tenant has set its credentials since (O9).
 */
import type { CustomerId } from '../base/ids.ts';
import { isJsonObject, type Json } from '../base/json.ts';
import type { OwnershipRules } from './ownership-rules.ts';
import { type Device, type DeviceRecord, type OwnedGateway, ownerEpochOf } from './state.ts';

/** For whom a gateway speaks, as it stands when it speaks. */
export type GatewayAuthority =
  /** The tenant's own. */
  | { readonly for: 'tenant' }
  /** A customer owns it, or has owned it. `everyDevice`: its profile widens it to all of the tenant's. */
  | {
      readonly for: 'owner';
      readonly gateway: OwnedGateway;
      readonly customerId: CustomerId | null;
      readonly everyDevice: boolean;
    };

export function gatewayAuthority(
  gateway: DeviceRecord,
  gatewayScope: OwnershipRules['gatewayScope'],
): GatewayAuthority {
  const ownerEpoch = ownerEpochOf(gateway);
  if (gateway.owner === null && (gateway.credentialsEpoch ?? 0) === ownerEpoch) return { for: 'tenant' };
  return {
    for: 'owner',
    gateway: { id: gateway.id, ownerEpoch },
    customerId: gateway.owner?.customerId ?? null,
    everyDevice: gatewayScope === 'tenant',
  };
}

/**
 * O8. What a gateway brought up is its to speak for until an owner has lost it: neither who had the device nor who gets the
 * gateway is to read on what the device is told (O9).
 */
export function speaksFor(authority: GatewayAuthority, device: Device): boolean {
  if (authority.for === 'tenant' || authority.everyDevice) return true;
  const { owner } = device;
  if (owner !== null && owner.customerId === authority.customerId) return true;
  if (device.viaGateway !== authority.gateway.id) return false;
  // What it created for an owner of its own is that owner's. Of the first change of owner a claim says that nobody had the
  // device before; an assignment does not.
  const ownerEpoch = ownerEpochOf(device);
  return owner === null ? ownerEpoch === 0 : ownerEpoch <= 1 && owner.by === 'claim';
}

/**
 * Whether the device may act for others behind it: `additionalInfo.gateway`, read as ThingsBoard does (Jackson's
 * `asBoolean`): true, the text "true" with or without space around it, a whole number other than 0.
 */
export function isGateway({ additionalInfo }: Pick<Device, 'additionalInfo'>): boolean {
  return isJsonObject(additionalInfo) && asBoolean(additionalInfo.gateway);
}

function asBoolean(value: Json | undefined): boolean {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      return JAVA_TRUE.test(value);
    case 'number':
      return Number.isInteger(value) && value !== 0;
    default:
      return false;
  }
}

/** Java's `trim` takes off all characters up to the space. */
const JAVA_TRUE = /^[\0- ]*true[\0- ]*$/;
