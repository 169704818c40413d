/** What clients see of an entry in the audit trail. */
import { z } from 'zod';
import { ACTIONS, type AuditEntry } from '../../actors/audit/entry.ts';
import { NULL_UUID, type TenantId } from '../../actors/base/ids.ts';
import { entityId, instant, optional, uuid } from './parts.ts';

export const auditView = z
  .object({
    id: z.object({ id: uuid }),
    createdTime: instant,
    tenantId: entityId('TENANT'),
    customerId: entityId('CUSTOMER'),
    entityId: z.union([entityId('DEVICE'), entityId('USER')]),
    entityName: optional,
    userId: entityId('USER'),
    /** Null if no user of the tenant did it, or the user was deleted. */
    userName: optional,
    actionType: z.enum(ACTIONS),
    actionData: z.record(z.string(), z.unknown()),
    actionStatus: z.enum(['SUCCESS', 'FAILURE']),
    actionFailureDetails: optional,
  })
  .meta({ id: 'AuditLog' });

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
