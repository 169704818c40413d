/** Entries of the audit trail about users: what they do with their sessions, and what is done with them and by them. */
import type { User } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Action } from '../../actors/audit/entry.ts';
import type { CustomerId, DeviceId, TenantId } from '../../actors/base/ids.ts';
import type { JsonObject } from '../../actors/base/json.ts';
import type { Principal } from '../auth/principal.ts';

type UserAction = Extract<
  Action,
  'LOGIN' | 'LOGOUT' | 'ADDED' | 'UPDATED' | 'DELETED' | 'ACTIVATED' | 'SUSPENDED' | 'CREDENTIALS_UPDATED'
>;

/** System administrators belong to no tenant, so no audit trail is theirs. */
export function noteUser(
  audit: Pick<AuditTrail, 'note'>,
  action: UserAction,
  { id, membership }: Pick<User, 'id' | 'membership'>,
  failure?: string,
  data: JsonObject = {},
): void {
  if (membership.authority === 'SYS_ADMIN') return;
  audit.note({
    tenantId: membership.tenantId,
    action,
    deviceId: undefined,
    deviceName: undefined,
    customerId: membership.authority === 'CUSTOMER_USER' ? membership.customerId : undefined,
    userId: id,
    data,
    failure,
  });
}

/** An entry about what somebody did with something of a tenant's that is neither a user nor a device. */
export function noteChange(
  audit: Pick<AuditTrail, 'note'>,
  by: Principal,
  change: {
    readonly tenantId: TenantId;
    readonly action: Extract<Action, 'ADDED' | 'UPDATED' | 'DELETED'>;
    readonly customerId?: CustomerId | undefined;
    readonly data: JsonObject;
  },
): void {
  const { tenantId, action, customerId, data } = change;
  audit.note({
    tenantId,
    action,
    deviceId: undefined,
    deviceName: undefined,
    customerId,
    userId: by.userId,
    data: { ...data, ...impersonatorOf(by) },
    failure: undefined,
  });
}

/** Who does it, for an entry about somebody. */
export function byOf({ userId, impersonatorId }: Principal): JsonObject {
  return impersonatorId === undefined ? { by: userId } : { by: userId, impersonator: impersonatorId };
}

/** For entries that name the user in another way. */
export function impersonatorOf({ impersonatorId }: Pick<Principal, 'impersonatorId'>): JsonObject {
  return impersonatorId === undefined ? {} : { impersonator: impersonatorId };
}

/**
 * What somebody asked for who looks in as another user. The entries that follow from it name the user; this one names who it
 * was in truth.
 */
export function noteImpersonated(
  audit: Pick<AuditTrail, 'note'>,
  principal: Principal,
  request: { readonly method: string; readonly route: string; readonly status: number },
  /** The one in the path, whose history then names the administrator, too. */
  deviceId: DeviceId | undefined,
): void {
  if (principal.impersonatorId === undefined || principal.authority === 'SYS_ADMIN') return;
  audit.note({
    tenantId: principal.tenantId,
    action: 'UPDATED',
    deviceId,
    deviceName: undefined,
    customerId: principal.authority === 'CUSTOMER_USER' ? principal.customerId : undefined,
    userId: principal.userId,
    data: { ...request, impersonator: principal.impersonatorId },
    failure: undefined,
  });
}
