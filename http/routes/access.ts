/**
 * Which entities a principal may use. Entities of another tenant do not exist for it (404); within its tenant, a
 * customer is told that it may not (403), as in ThingsBoard.
 */
import type { Accounts, Customer, Membership, User } from '../../actors/accounts/accounts.ts';
import type { CustomerId, DeviceId, TenantId, UserId } from '../../actors/base/ids.ts';
import type { DeviceRecord } from '../../actors/device/state.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import {
  type CustomerUser,
  isRightBelow,
  type Principal,
  type TenantAdministrator,
} from '../auth/principal.ts';
import { notFound, permissionDenied } from '../wire/errors.ts';
import type { Problem } from '../wire/reply.ts';
import { NAME_MAX } from '../wire/schemas.ts';

export interface Found<Value> {
  readonly type: 'found';
  readonly value: Value;
}

const found = <Value>(value: Value): Found<Value> => ({ type: 'found', value });

/** A tenant's administrator sees the tenant's devices, a user of a customer those that the customer owns. */
export async function visibleDevice(
  devices: Devices,
  principal: TenantAdministrator | CustomerUser,
  id: DeviceId,
): Promise<Found<DeviceRecord> | Problem> {
  const device = await devices.read(id);
  if (device === undefined || device.tenantId !== principal.tenantId) return notFound;
  return mayRead(principal, device) ? found(device) : permissionDenied;
}

export function mayRead(principal: TenantAdministrator | CustomerUser, device: DeviceRecord): boolean {
  if (device.tenantId !== principal.tenantId) return false;
  return principal.authority === 'TENANT_ADMIN' || device.owner?.customerId === principal.customerId;
}

/** The customer for whom a device is asked; null for the tenant's administrator. */
export function customerOf(principal: TenantAdministrator | CustomerUser): CustomerId | null {
  return principal.authority === 'CUSTOMER_USER' ? principal.customerId : null;
}

/** The tenant's device of a name. A text too long for a name is not looked up: stores limit their keys. */
export async function deviceByName(
  directory: Directory,
  tenantId: TenantId,
  name: string,
): Promise<DeviceRecord | undefined> {
  return name.length > NAME_MAX ? undefined : directory.byName(tenantId, name);
}

/** Only the id of the tenant's device of a name. */
export async function deviceIdByName(
  directory: Directory,
  tenantId: TenantId,
  name: string,
): Promise<DeviceId | undefined> {
  return name.length > NAME_MAX ? undefined : directory.idOf(tenantId, name);
}

/** Likewise, by a name as a customer typed it: in any case, where only one device fits (C5). */
export async function deviceIdByTypedName(
  directory: Directory,
  tenantId: TenantId,
  name: string,
): Promise<DeviceId | undefined> {
  if (name.length > NAME_MAX) return undefined;
  return (await directory.idOf(tenantId, name)) ?? directory.idOfTyped(tenantId, name);
}

/** A tenant's administrator sees the tenant's customers, a user of a customer its own customer. */
export async function visibleCustomer(
  accounts: Accounts,
  principal: TenantAdministrator | CustomerUser,
  id: CustomerId,
): Promise<Found<Customer> | Problem> {
  const customer = await accounts.customers.find(principal.tenantId, id);
  if (customer === undefined) return notFound;
  const own = principal.authority === 'TENANT_ADMIN' || principal.customerId === id;
  return own ? found(customer) : permissionDenied;
}

/**
 * A user whom the principal may read and change: everybody themselves; a tenant's administrator every user of the
 * tenant; the system administrator everybody except users of customers.
 */
export async function manageableUser(
  accounts: Accounts,
  principal: Principal,
  id: UserId,
): Promise<Found<User> | Problem> {
  const user = await accounts.users.find(id);
  if (user === undefined) return notFound;
  if (user.id === principal.userId) return found(user);
  const { membership } = user;
  if (principal.authority === 'SYS_ADMIN') {
    return membership.authority === 'CUSTOMER_USER' ? permissionDenied : found(user);
  }
  const sameTenant = membership.authority !== 'SYS_ADMIN' && membership.tenantId === principal.tenantId;
  if (!sameTenant) return notFound;
  return principal.authority === 'TENANT_ADMIN' ? found(user) : permissionDenied;
}

/**
 * Whether a caller acts by delegation, and this is the login of its own or of its like. A stolen API key must not become
 * a login that outlives it, neither by another address nor by another administrator.
 */
export function isBeyondDelegation(principal: Principal, membership: Membership): boolean {
  return principal.grant === 'delegated' && !isRightBelow(principal, membership);
}
