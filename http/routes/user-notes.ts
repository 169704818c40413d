/** Entries of the audit trail about users: what they do with their sessions, and what is done with them and by them. */
import type { User } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import { type Action, noteOfUser } from '../../actors/audit/entry.ts';
import type { CustomerId, DeviceId, TenantId } from '../../actors/base/ids.ts';
import type { JsonObject } from '../../actors/base/json.ts';
import type { Principal } from '../auth/principal.ts';

type UserChange = Extract<
  Action,
  'ADDED' | 'UPDATED' | 'DELETED' | 'ACTIVATED' | 'SUSPENDED' | 'CREDENTIALS_UPDATED'
>;

/** Where changes are noted: whoever hears that one is done may rely on its entry. */
export type NotesChanges = Pick<AuditTrail, 'note' | 'noted'>;

/** Resolves when the entry is there, or cannot be now. What changes a user's own record takes `News` instead, which no crash loses. */
export async function noteUser(
  audit: NotesChanges,
  action: UserChange,
  user: Pick<User, 'id' | 'membership'>,
  data: JsonObject = {},
): Promise<void> {
  noteAbout(audit, action, user, undefined, data);
  await audit.noted();
}

/** Logins are many, and nobody waits for their entries. */
export function noteSession(
  audit: Pick<AuditTrail, 'note'>,
  action: Extract<Action, 'LOGIN' | 'LOGOUT'>,
  user: Pick<User, 'id' | 'membership'>,
  failure?: string,
  data: JsonObject = {},
): void {
  noteAbout(audit, action, user, failure, data);
}

function noteAbout(
  audit: Pick<AuditTrail, 'note'>,
  action: Action,
  user: Pick<User, 'id' | 'membership'>,
  failure: string | undefined,
  data: JsonObject,
): void {
  const note = noteOfUser(user, { action, data, failure });
  if (note !== undefined) audit.note(note);
}

/** An entry about what somebody did with something of a tenant's that is neither a user nor a device. Resolves as `noteUser` does. */
export async function noteChange(
  audit: NotesChanges,
  by: Principal,
  change: {
    readonly tenantId: TenantId;
    readonly action: Extract<Action, 'ADDED' | 'UPDATED' | 'DELETED'>;
    readonly customerId?: CustomerId | undefined;
    readonly data: JsonObject;
  },
): Promise<void> {
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
  await audit.noted();
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
export async function noteImpersonated(
  audit: NotesChanges,
  principal: Principal,
  request: { readonly method: string; readonly route: string; readonly status: number },
  /** The one in the path, whose history then names the administrator, too. */
  deviceId: DeviceId | undefined,
): Promise<void> {
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
  await audit.noted();
}
