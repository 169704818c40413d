/** What clients see of a device: ThingsBoard's shape, and what lists show beside it. */
import { z } from 'zod';
import { type Customer, isPublic } from '../../actors/accounts/accounts.ts';
import { type DeviceId, NULL_UUID, type ProfileId } from '../../actors/base/ids.ts';
import {
  claimingAttribute,
  type Device,
  type DeviceRecord,
  type Offer,
  openWindow,
  ownerEpochOf,
} from '../../actors/device/state.ts';
import type { DeviceProfile } from '../../actors/fleet/profiles.ts';
import { entityId, info, instant, optional } from './parts.ts';

export const deviceView = z
  .object({
    id: entityId('DEVICE'),
    createdTime: instant,
    tenantId: entityId('TENANT'),
    customerId: entityId('CUSTOMER'),
    name: z.string(),
    type: z.string(),
    label: optional,
    deviceProfileId: entityId('DEVICE_PROFILE'),
    deviceData: z.object({
      configuration: z.object({ type: z.literal('DEFAULT') }),
      transportConfiguration: z.object({ type: z.literal('DEFAULT') }),
    }),
    firmwareId: z.null(),
    softwareId: z.null(),
    additionalInfo: info,
    /** How often the owner has changed: what `If-Match: "epoch-7"` compares with (rule R5). */
    ownerEpoch: z.int().nonnegative(),
    externalId: z.null(),
    /** Devices are changed by commands, without an optimistic lock; ThingsBoard takes null as "any". */
    version: z.null(),
  })
  .meta({ id: 'Device' });

/** A device with what lists show beside it: ThingsBoard's fields, and the ownership. */
export const deviceInfoView = deviceView
  .extend({
    customerTitle: optional,
    customerIsPublic: z.boolean(),
    deviceProfileName: z.string(),
    /** Connected by MQTT to the server that answers, at this moment. */
    active: z.boolean(),
    /** When a customer claimed it; null when nobody owns it, or the tenant assigned it. */
    claimedAt: instant.nullable(),
    ownedSince: instant.nullable(),
    ownedBy: z.enum(['claim', 'assignment', 'transfer', 'take-over']).nullable(),
    /** Whether its owner offers it to somebody at this moment. */
    offer: z
      .object({ to: z.enum(['customer', 'email', 'code']), offeredAt: instant, expiresAt: instant })
      .nullable(),
    /** Somebody has asked to take it over, and its owner may still object (rule N2). `customerTitle`: null for the owner. */
    takeOver: z.object({ askedAt: instant, completesAt: instant, customerTitle: optional }).nullable(),
    /** Open at this moment. For customers, who see only what they own: opened for a take-over. */
    claimWindow: z
      .object({ openedAt: instant, closesAt: instant, openedBy: z.enum(['device', 'gateway']) })
      .nullable(),
    /** Waits for the tenant's approval, and cannot be claimed before (rule O9). Null for customers. */
    pendingWindow: z
      .object({ openedAt: instant, closesAt: instant, openedBy: z.enum(['device', 'gateway']) })
      .nullable(),
    /** `rotating`: it has not used its new credentials yet; `quarantined`: what they open waits. Null for customers. */
    credentialsState: z.enum(['good', 'rotating', 'quarantined']).nullable(),
    /** Until when `claimingData` works; null without it, and for customers. */
    claimingDataExpiresAt: instant.nullable(),
    /** The attribute `claimingAllowed`, if it is a boolean; null for customers. */
    claimingAllowed: z.boolean().nullable(),
  })
  .meta({ id: 'DeviceInfo' });

/** What is told of a customer in lists of devices. */
export interface ShownOwner {
  readonly title: string;
  readonly isPublic: boolean;
}

export function shownOwner(customer: Customer): ShownOwner {
  return { title: customer.title, isPublic: isPublic(customer) };
}

/** What is shown of a device beside its record. */
interface Surroundings {
  readonly owner: ShownOwner | undefined;
  readonly profile: Pick<DeviceProfile, 'id' | 'name'>;
  readonly active: boolean;
  readonly offer: Offer | null;
  /** Who takes the device over, where the reader may know it. */
  readonly newcomer: ShownOwner | undefined;
  readonly claiming: Claimability;
}

export function viewDeviceInfo(
  device: DeviceRecord,
  { owner, profile, active, offer, newcomer, claiming }: Surroundings,
): z.infer<typeof deviceInfoView> {
  const { since = null, by = null } = device.owner ?? {};
  return {
    ...viewDevice(device.id, device, profile.id),
    customerTitle: owner?.title ?? null,
    customerIsPublic: owner?.isPublic ?? false,
    deviceProfileName: profile.name,
    active,
    claimedAt: by === 'claim' || by === 'take-over' ? since : null,
    ownedSince: since,
    ownedBy: by,
    offer: offer && {
      to: offer.to.type === 'address' ? 'email' : offer.to.type,
      offeredAt: offer.offeredAt,
      expiresAt: offer.expiresAt,
    },
    takeOver: device.takeOver
      ? {
          askedAt: device.takeOver.askedAt,
          completesAt: device.takeOver.dueAt,
          customerTitle: newcomer?.title ?? null,
        }
      : null,
    ...claiming,
  };
}

type Claimability = Pick<
  z.infer<typeof deviceInfoView>,
  'claimWindow' | 'pendingWindow' | 'credentialsState' | 'claimingDataExpiresAt' | 'claimingAllowed'
>;

const NO_CLAIMABILITY: Claimability = {
  claimWindow: null,
  pendingWindow: null,
  credentialsState: null,
  claimingDataExpiresAt: null,
  claimingAllowed: null,
};

/** What a customer hears of it: whether its own device waits to be taken over. */
export function claimabilityForOwner(device: Device, nowMs: number): Claimability {
  const { claimWindow } = claimabilityOf(device, nowMs);
  return { ...NO_CLAIMABILITY, claimWindow };
}

/** Whether a device can be claimed at this moment, for its tenant. */
export function claimabilityOf(device: Device, nowMs: number): Claimability {
  const open = openWindow(device, nowMs);
  return {
    claimWindow:
      open === null ? null : { openedAt: open.openedAt, closesAt: open.closesAt, openedBy: open.openedBy },
    pendingWindow: pendingOf(device, nowMs),
    credentialsState: credentialsStateOf(device),
    claimingDataExpiresAt: device.serverKey?.expiresAt ?? null,
    claimingAllowed: claimingAttribute(device),
  };
}

function pendingOf({ pendingWindow }: Device, nowMs: number): Claimability['pendingWindow'] {
  if (pendingWindow === undefined || pendingWindow.closesAt <= nowMs) return null;
  const { openedAt, closesAt, openedBy } = pendingWindow;
  return { openedAt, closesAt, openedBy };
}

function credentialsStateOf({ quarantined, nextCredentials }: Device): Claimability['credentialsState'] {
  if (quarantined) return 'quarantined';
  return nextCredentials === undefined ? 'good' : 'rotating';
}

const DEFAULT_DEVICE_DATA = {
  configuration: { type: 'DEFAULT' },
  transportConfiguration: { type: 'DEFAULT' },
} as const;

/** @param fallback the tenant's default profile, for devices that name none */
export function viewDevice(id: DeviceId, device: Device, fallback: ProfileId): z.infer<typeof deviceView> {
  return {
    id: { entityType: 'DEVICE', id },
    createdTime: device.createdAt,
    tenantId: { entityType: 'TENANT', id: device.tenantId },
    customerId: { entityType: 'CUSTOMER', id: device.owner?.customerId ?? NULL_UUID },
    name: device.name,
    type: device.type,
    label: device.label,
    deviceProfileId: { entityType: 'DEVICE_PROFILE', id: device.profileId ?? fallback },
    deviceData: DEFAULT_DEVICE_DATA,
    firmwareId: null,
    softwareId: null,
    additionalInfo: device.additionalInfo,
    ownerEpoch: ownerEpochOf(device),
    externalId: null,
    version: null,
  };
}

export const claimResultView = z
  .object({ device: deviceView, response: z.literal('SUCCESS') })
  .meta({ id: 'ClaimResult' });

export const attributesView = z.array(
  z.object({ lastUpdateTs: instant, key: z.string(), value: z.unknown() }),
);
