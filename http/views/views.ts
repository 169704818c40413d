/**
 * What clients see of devices, customers, users and tenants: ThingsBoard's shapes, field by field, nulls included.
 * Each view is a schema (for the description of the API, and for the tests that hold answers against it) and a
 * function that is typed by it.
 */
import { z } from 'zod';
import {
  type Activity,
  type Contact,
  type Customer,
  isPublic,
  type Membership,
  type Tenant,
  type User,
} from '../../actors/accounts/accounts.ts';
import type { ApiKey } from '../../actors/accounts/api-keys.ts';
import { ACTIONS, type AuditEntry } from '../../actors/audit/entry.ts';
import { type DeviceId, NULL_UUID, type ProfileId, type TenantId } from '../../actors/base/ids.ts';
import { isJsonObject, type JsonObject } from '../../actors/base/json.ts';
import { claimingAttribute, type Device, type DeviceRecord, openWindow } from '../../actors/device/state.ts';
import type { Page } from '../../actors/fleet/devices.ts';
import type { DeviceProfile } from '../../actors/fleet/profiles.ts';
import type { ClaimState } from '../wire/schemas.ts';

// ------------------------------------------------------------------------------------------------------- entities

const uuid = z.uuid();
const entityId = <Type extends string>(type: Type) => z.object({ entityType: z.literal(type), id: uuid });
const info = z.record(z.string(), z.unknown()).nullable();
const optional = z.string().nullable();
/** Epoch ms. */
const instant = z.int();

export const deviceView = z.object({
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
  externalId: z.null(),
  /** Devices are changed by commands, which need no optimistic lock; null is what ThingsBoard takes as "any". */
  version: z.null(),
});

/** A device with what lists of devices show beside it: ThingsBoard's fields, and since when it is whose. */
export const deviceInfoView = deviceView.extend({
  customerTitle: optional,
  customerIsPublic: z.boolean(),
  deviceProfileName: z.string(),
  /** Connected by MQTT to the server that answers, at this moment. */
  active: z.boolean(),
  /** When a customer claimed it; null when nobody owns it, or the tenant assigned it. */
  claimedAt: instant.nullable(),
  ownedSince: instant.nullable(),
  ownedBy: z.enum(['claim', 'assignment']).nullable(),
  /** Open at this moment. Null for customers: who does not own a device does not see it. */
  claimWindow: z
    .object({ openedAt: instant, closesAt: instant, openedBy: z.enum(['device', 'gateway']) })
    .nullable(),
  /** Until when `claimingData` works; null where there is none, and for customers. */
  claimingDataExpiresAt: instant.nullable(),
  /** The attribute `claimingAllowed`, where it is a boolean; null for customers. */
  claimingAllowed: z.boolean().nullable(),
});

export function viewDeviceInfo(
  device: DeviceRecord,
  owner: Customer | undefined,
  profile: DeviceProfile,
  active: boolean,
  claiming: Claimability,
): z.infer<typeof deviceInfoView> {
  const { since = null, by = null } = device.owner ?? {};
  return {
    ...viewDevice(device.id, device, profile.id),
    customerTitle: owner?.title ?? null,
    customerIsPublic: owner !== undefined && isPublic(owner),
    deviceProfileName: profile.name,
    active,
    claimedAt: by === 'claim' ? since : null,
    ownedSince: since,
    ownedBy: by,
    ...claiming,
  };
}

type Claimability = Pick<
  z.infer<typeof deviceInfoView>,
  'claimWindow' | 'claimingDataExpiresAt' | 'claimingAllowed'
>;

export const NO_CLAIMABILITY: Claimability = {
  claimWindow: null,
  claimingDataExpiresAt: null,
  claimingAllowed: null,
};

/** Whether a device can be claimed at this moment, as its tenant may know. */
export function claimabilityOf(device: Device, nowMs: number): Claimability {
  const open = openWindow(device, nowMs);
  return {
    claimWindow:
      open === null ? null : { openedAt: open.openedAt, closesAt: open.closesAt, openedBy: open.openedBy },
    claimingDataExpiresAt: device.serverKey?.expiresAt ?? null,
    claimingAllowed: claimingAttribute(device),
  };
}

export function claimStateOf(device: Device, nowMs: number): ClaimState {
  if (device.owner !== null) return 'OWNED';
  return openWindow(device, nowMs) === null ? 'UNCLAIMED' : 'WINDOW_OPEN';
}

const DEFAULT_DEVICE_DATA = {
  configuration: { type: 'DEFAULT' },
  transportConfiguration: { type: 'DEFAULT' },
} as const;

/** @param fallback the profile of devices that name none: the tenant's default */
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
    externalId: null,
    version: null,
  };
}

export const credentialsView = z.object({
  id: z.object({ id: uuid }),
  createdTime: instant,
  deviceId: entityId('DEVICE'),
  credentialsType: z.enum(['ACCESS_TOKEN', 'MQTT_BASIC', 'X509_CERTIFICATE']),
  credentialsId: z.string(),
  /** MQTT_BASIC: its parts as JSON; X509_CERTIFICATE: base64 of the certificate. */
  credentialsValue: optional,
  version: z.null(),
});

export function viewCredentials(
  id: DeviceId,
  device: Device,
  credentialsValue: string | null,
): z.infer<typeof credentialsView> {
  return {
    id: { id: derivedId(id) },
    createdTime: device.createdAt,
    deviceId: { entityType: 'DEVICE', id },
    credentialsType: device.credentials.type,
    credentialsId: device.credentials.credentialsId,
    credentialsValue,
    version: null,
  };
}

function derivedId(id: string): string {
  const versionDigit = 14;
  return `${id.slice(0, versionDigit)}8${id.slice(versionDigit + 1)}`;
}

/** What a client wrote into a profile beside these fields is there too, as it was written. */
export const profileView = z.looseObject({
  id: entityId('DEVICE_PROFILE'),
  createdTime: instant,
  tenantId: entityId('TENANT'),
  name: z.string(),
  description: optional,
  type: z.literal('DEFAULT'),
  transportType: z.enum(['DEFAULT', 'MQTT', 'COAP']),
  provisionType: z.literal('DISABLED'),
  profileData: z.looseObject({ transportConfiguration: z.looseObject({ type: z.string() }) }),
  version: z.int(),
  default: z.boolean(),
});

export function viewProfile(profile: DeviceProfile, defaultId: ProfileId): z.infer<typeof profileView> {
  const { id, tenantId, name, description, transport, version } = profile;
  const more = profile.more ?? {};
  const written: JsonObject = isJsonObject(more.profileData) ? more.profileData : {};
  const configuration = isJsonObject(written.transportConfiguration)
    ? written.transportConfiguration
    : { type: transport.type };
  return {
    ...EMPTY_PROFILE,
    ...more,
    id: { entityType: 'DEVICE_PROFILE', id },
    createdTime: profile.createdAt,
    tenantId: { entityType: 'TENANT', id: tenantId },
    name,
    description,
    type: 'DEFAULT',
    transportType: transport.type,
    provisionType: 'DISABLED',
    profileData: {
      configuration: { type: 'DEFAULT' },
      provisionConfiguration: { type: 'DISABLED', provisionDeviceSecret: null },
      alarms: null,
      ...written,
      transportConfiguration: { ...configuration, type: transport.type },
    },
    version,
    default: id === defaultId,
  };
}

const EMPTY_PROFILE = {
  image: null,
  defaultRuleChainId: null,
  defaultDashboardId: null,
  defaultQueueName: null,
  provisionDeviceKey: null,
  firmwareId: null,
  softwareId: null,
  defaultEdgeRuleChainId: null,
  externalId: null,
};

export const profileInfoView = z.object({
  id: entityId('DEVICE_PROFILE'),
  tenantId: entityId('TENANT'),
  name: z.string(),
  image: z.null(),
  defaultDashboardId: z.null(),
  type: z.literal('DEFAULT'),
  transportType: z.enum(['DEFAULT', 'MQTT', 'COAP']),
});

export function viewProfileInfo(profile: DeviceProfile): z.infer<typeof profileInfoView> {
  const { id, tenantId, name, transport } = profile;
  return {
    id: { entityType: 'DEVICE_PROFILE', id },
    tenantId: { entityType: 'TENANT', id: tenantId },
    name,
    image: null,
    defaultDashboardId: null,
    type: 'DEFAULT',
    transportType: transport.type,
  };
}

export const profileNameView = z.object({ id: entityId('DEVICE_PROFILE'), name: z.string() });

export function viewProfileName({ id, name }: DeviceProfile): z.infer<typeof profileNameView> {
  return { id: { entityType: 'DEVICE_PROFILE', id }, name };
}

const contact = {
  country: optional,
  state: optional,
  city: optional,
  address: optional,
  address2: optional,
  zip: optional,
  phone: optional,
};

export const customerView = z.object({
  id: entityId('CUSTOMER'),
  createdTime: instant,
  ...contact,
  title: z.string(),
  tenantId: entityId('TENANT'),
  externalId: z.null(),
  version: z.int(),
  email: optional,
  additionalInfo: info,
  name: z.string(),
});

export function viewCustomer(customer: Customer): z.infer<typeof customerView> {
  return {
    id: { entityType: 'CUSTOMER', id: customer.id },
    createdTime: customer.createdAt,
    ...postal(customer.contact),
    title: customer.title,
    tenantId: { entityType: 'TENANT', id: customer.tenantId },
    externalId: null,
    version: customer.version,
    email: customer.contact.email,
    additionalInfo: customer.additionalInfo,
    name: customer.title,
  };
}

export const tenantView = z.object({
  id: entityId('TENANT'),
  createdTime: instant,
  ...contact,
  title: z.string(),
  region: optional,
  tenantProfileId: entityId('TENANT_PROFILE'),
  email: optional,
  additionalInfo: info,
  version: z.int(),
  name: z.string(),
});

/** All tenants have the one profile, which limits nothing. */
const TENANT_PROFILE = '13814000-1dd2-11b2-8080-808080808081';

export function viewTenant(tenant: Tenant): z.infer<typeof tenantView> {
  return {
    id: { entityType: 'TENANT', id: tenant.id },
    createdTime: tenant.createdAt,
    ...postal(tenant.contact),
    title: tenant.title,
    region: tenant.region,
    tenantProfileId: { entityType: 'TENANT_PROFILE', id: TENANT_PROFILE },
    email: tenant.contact.email,
    additionalInfo: tenant.additionalInfo,
    version: tenant.version,
    name: tenant.title,
  };
}

function postal({ country, state, city, address, address2, zip, phone }: Contact) {
  return { country, state, city, address, address2, zip, phone };
}

export const userView = z.object({
  id: entityId('USER'),
  createdTime: instant,
  tenantId: entityId('TENANT'),
  customerId: entityId('CUSTOMER'),
  email: z.string(),
  authority: z.enum(['SYS_ADMIN', 'TENANT_ADMIN', 'CUSTOMER_USER']),
  firstName: optional,
  lastName: optional,
  phone: optional,
  version: z.int(),
  additionalInfo: info,
  name: z.string(),
});

export function viewUser(user: User): z.infer<typeof userView> {
  return {
    id: { entityType: 'USER', id: user.id },
    createdTime: user.createdAt,
    tenantId: { entityType: 'TENANT', id: tenantOf(user.membership) },
    customerId: { entityType: 'CUSTOMER', id: customerOf(user.membership) },
    email: user.email,
    authority: user.membership.authority,
    firstName: user.firstName,
    lastName: user.lastName,
    phone: user.phone,
    version: user.version,
    additionalInfo: user.additionalInfo,
    name: user.email,
  };
}

/** Who everybody is that logs in as a public customer: there is no such user, but clients ask for one. */
export function viewAnonymousUser(customer: Customer): z.infer<typeof userView> {
  return {
    id: { entityType: 'USER', id: NULL_UUID },
    createdTime: customer.createdAt,
    tenantId: { entityType: 'TENANT', id: customer.tenantId },
    customerId: { entityType: 'CUSTOMER', id: customer.id },
    email: customer.id,
    authority: 'CUSTOMER_USER',
    firstName: 'Public',
    lastName: 'Public',
    phone: null,
    version: customer.version,
    additionalInfo: null,
    name: customer.id,
  };
}

/** What an administrator sees of a user beside its fields, inside `additionalInfo` as in ThingsBoard. */
export function viewUserWithState(user: User, { lastLoginAt }: Activity): z.infer<typeof userView> {
  const additionalInfo = {
    ...user.additionalInfo,
    userCredentialsEnabled: user.enabled && user.activated,
    userActivated: user.activated,
    lastLoginTs: lastLoginAt,
  };
  return { ...viewUser(user), additionalInfo };
}

/** The null UUID where there is none. */
export function tenantOf(membership: Membership): string {
  return membership.authority === 'SYS_ADMIN' ? NULL_UUID : membership.tenantId;
}

export function customerOf(membership: Membership): string {
  return membership.authority === 'CUSTOMER_USER' ? membership.customerId : NULL_UUID;
}

export const auditView = z.object({
  id: z.object({ id: uuid }),
  createdTime: instant,
  tenantId: entityId('TENANT'),
  customerId: entityId('CUSTOMER'),
  entityId: z.union([entityId('DEVICE'), entityId('USER')]),
  entityName: optional,
  userId: entityId('USER'),
  /** Null when nobody of the tenant did it, or the user is gone. */
  userName: optional,
  actionType: z.enum(ACTIONS),
  actionData: z.record(z.string(), z.unknown()),
  actionStatus: z.enum(['SUCCESS', 'FAILURE']),
  actionFailureDetails: optional,
});

export function viewAudit(
  tenantId: TenantId,
  entry: AuditEntry,
  userNames: ReadonlyMap<string, string | undefined>,
): z.infer<typeof auditView> {
  const { id, at, deviceId, deviceName, customerId, userId, action, data, failure } = entry;
  const userName = userNames.get(userId ?? '') ?? null;
  return {
    id: { id },
    createdTime: at,
    tenantId: { entityType: 'TENANT', id: tenantId },
    customerId: { entityType: 'CUSTOMER', id: customerId ?? NULL_UUID },
    entityId:
      deviceId === undefined
        ? { entityType: 'USER', id: userId ?? NULL_UUID }
        : { entityType: 'DEVICE', id: deviceId },
    entityName: deviceId === undefined ? userName : (deviceName ?? null),
    userId: { entityType: 'USER', id: userId ?? NULL_UUID },
    userName,
    actionType: action,
    actionData: data,
    actionStatus: failure === undefined ? 'SUCCESS' : 'FAILURE',
    actionFailureDetails: failure ?? null,
  };
}

// ----------------------------------------------------------------------------------------------- lists and results

export function pageView<Item extends z.ZodType>(item: Item) {
  return z.object({
    data: z.array(item),
    totalPages: z.int(),
    totalElements: z.int(),
    hasNext: z.boolean(),
  });
}

export function viewPage<Item, View>(
  page: Page<Item>,
  query: { readonly page: number; readonly pageSize: number },
  view: (item: Item) => View,
) {
  return {
    data: page.items.map(view),
    totalPages: Math.ceil(page.total / query.pageSize),
    totalElements: page.total,
    hasNext: (query.page + 1) * query.pageSize < page.total,
  };
}

export const apiKeyView = z.object({
  id: z.object({ id: uuid }),
  createdTime: instant,
  userId: entityId('USER'),
  description: z.string(),
  /** 0: never. */
  expirationTime: instant,
  enabled: z.literal(true),
  claimingOnly: z.boolean(),
});
export const newApiKeyView = apiKeyView.extend({ value: z.string() });

export function viewApiKey(key: ApiKey): z.infer<typeof apiKeyView> {
  return {
    id: { id: key.id },
    createdTime: key.createdAt,
    userId: { entityType: 'USER', id: key.userId },
    description: key.description,
    expirationTime: key.expiresAt ?? 0,
    enabled: true,
    claimingOnly: key.claimingOnly,
  };
}

export const tokenPairView = z.object({ token: z.string(), refreshToken: z.string() });

export const claimResultView = z.object({ device: deviceView, response: z.literal('SUCCESS') });

export const attributesView = z.array(
  z.object({ lastUpdateTs: instant, key: z.string(), value: z.unknown() }),
);
