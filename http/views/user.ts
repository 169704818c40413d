/** What clients see of a user, and the tokens of a session. */
import { z } from 'zod';
import type { Customer, Membership, User } from '../../actors/accounts/accounts.ts';
import type { Instant } from '../../actors/base/clock.ts';
import { NULL_UUID } from '../../actors/base/ids.ts';
import type { JsonObject } from '../../actors/base/json.ts';
import { entityId, info, instant, optional } from './parts.ts';

export const userView = z
  .object({
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
  })
  .meta({ id: 'User' });

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

/** The user of everybody who logs in as a public customer: there is none, but clients ask for one. */
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

/** A user with what administrators see, inside `additionalInfo` as in ThingsBoard. */
export function viewUserWithState(user: User, lastLoginAt: Instant | null): z.infer<typeof userView> {
  const additionalInfo = {
    ...user.additionalInfo,
    userCredentialsEnabled: user.enabled && user.activated,
    userActivated: user.activated,
    lastLoginTs: lastLoginAt,
  };
  return { ...viewUser(user), additionalInfo };
}

/** Without what reading adds: a client that sends back what it has read does not make it the user's own. */
export function withoutState(info: JsonObject | null): JsonObject | null {
  if (info === null || Object.keys(info).length === 0) return info;
  const { userCredentialsEnabled: _, userActivated: __, lastLoginTs: ___, ...own } = info;
  return Object.keys(own).length === 0 ? null : own;
}

/** The null UUID if there is none. */
export function tenantOf(membership: Membership): string {
  return membership.authority === 'SYS_ADMIN' ? NULL_UUID : membership.tenantId;
}

export function customerOf(membership: Membership): string {
  return membership.authority === 'CUSTOMER_USER' ? membership.customerId : NULL_UUID;
}

export const tokenPairView = z
  .object({ token: z.string(), refreshToken: z.string() })
  .meta({ id: 'TokenPair' });

/** The password was right, and more is to come: the token is good for that alone. */
const loginStepView = z
  .object({
    token: z.string(),
    refreshToken: z.null(),
    scope: z.enum(['PRE_VERIFICATION_TOKEN', 'MFA_CONFIGURATION_TOKEN']),
  })
  .meta({ id: 'LoginStep' });

export const loginView = z.union([loginStepView, tokenPairView]);
