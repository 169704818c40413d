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
} from '../actors/accounts.ts';
import type { Device, DeviceRecord } from '../actors/device/protocol.ts';
import type { Page } from '../actors/devices.ts';
import { type DeviceId, NULL_UUID, type TenantId } from '../actors/ids.ts';

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
});

export function viewDeviceInfo(
  device: DeviceRecord,
  owner: Customer | undefined,
  active: boolean,
): z.infer<typeof deviceInfoView> {
  const { since = null, by = null } = device.owner ?? {};
  return {
    ...viewDevice(device.id, device),
    customerTitle: owner?.title ?? null,
    customerIsPublic: owner !== undefined && isPublic(owner),
    deviceProfileName: DEFAULT_PROFILE_NAME,
    active,
    claimedAt: by === 'claim' ? since : null,
    ownedSince: since,
    ownedBy: by,
  };
}

const DEFAULT_PROFILE_NAME = 'default';

const DEFAULT_DEVICE_DATA = {
  configuration: { type: 'DEFAULT' },
  transportConfiguration: { type: 'DEFAULT' },
} as const;

export function viewDevice(id: DeviceId, device: Device): z.infer<typeof deviceView> {
  return {
    id: { entityType: 'DEVICE', id },
    createdTime: device.createdAt,
    tenantId: { entityType: 'TENANT', id: device.tenantId },
    customerId: { entityType: 'CUSTOMER', id: device.owner?.customerId ?? NULL_UUID },
    name: device.name,
    type: device.type,
    label: device.label,
    deviceProfileId: { entityType: 'DEVICE_PROFILE', id: defaultProfileOf(device.tenantId) },
    deviceData: DEFAULT_DEVICE_DATA,
    firmwareId: null,
    softwareId: null,
    additionalInfo: device.additionalInfo,
    externalId: null,
    version: null,
  };
}

/**
 * Each tenant has one device profile, `default`. Its id is the tenant's own with another version number (8, RFC 9562
 * §5.8), and so needs no record.
 */
export function defaultProfileOf(tenant: TenantId): string {
  return derivedId(tenant);
}

export const credentialsView = z.object({
  id: z.object({ id: uuid }),
  createdTime: instant,
  deviceId: entityId('DEVICE'),
  credentialsType: z.enum(['ACCESS_TOKEN', 'MQTT_BASIC', 'X509_CERTIFICATE']),
  credentialsId: z.string(),
  credentialsValue: z.null(),
  version: z.null(),
});

export function viewCredentials(id: DeviceId, device: Device): z.infer<typeof credentialsView> {
  return {
    id: { id: derivedId(id) },
    createdTime: device.createdAt,
    deviceId: { entityType: 'DEVICE', id },
    credentialsType: device.credentials.type,
    credentialsId: device.credentials.credentialsId,
    credentialsValue: null,
    version: null,
  };
}

function derivedId(id: string): string {
  const versionDigit = 14;
  return `${id.slice(0, versionDigit)}8${id.slice(versionDigit + 1)}`;
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

export const tokenPairView = z.object({ token: z.string(), refreshToken: z.string() });

export const claimResultView = z.object({ device: deviceView, response: z.literal('SUCCESS') });

export const attributesView = z.array(
  z.object({ lastUpdateTs: instant, key: z.string(), value: z.unknown() }),
);
