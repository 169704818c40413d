/** Entries of the audit trail about users: what they do with their sessions, and what is done with them. */
import type { User } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { JsonObject } from '../../actors/base/json.ts';

/** System administrators belong to no tenant, so no audit trail is theirs. */
export function noteUser(
  audit: Pick<AuditTrail, 'note'>,
  action: 'LOGIN' | 'LOGOUT' | 'CREDENTIALS_UPDATED',
  { id, membership }: User,
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
