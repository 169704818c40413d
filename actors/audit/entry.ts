/**
 * What happened, to what, by whom: one line of a tenant's audit trail. Made from what devices have recorded in the
 * journal, and from what is nowhere recorded: refused claims, logins.
 *
 * Nothing secret is ever in an entry: of attributes their names alone, of credentials that they changed.
 */
import { createHash } from 'node:crypto';
import type { Instant } from '../base/clock.ts';
import { type CustomerId, type DeviceId, formatUuid, type TenantId, type UserId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { unreachable } from '../base/unreachable.ts';
import type { DeviceEvent } from '../device/device.ts';
import { CLAIMING_DATA } from '../device/state.ts';

/** ThingsBoard's names where it has one; it has none for windows, nor for a claim that was refused. */
export const ACTIONS = [
  'ADDED',
  'UPDATED',
  'DELETED',
  'CREDENTIALS_UPDATED',
  'ASSIGNED_TO_CUSTOMER',
  'UNASSIGNED_FROM_CUSTOMER',
  'ATTRIBUTES_UPDATED',
  'ATTRIBUTES_DELETED',
  'LOGIN',
  'LOGOUT',
  'CLAIM_WINDOW_OPENED',
  'CLAIM_WINDOW_CLOSED',
  'CLAIM_WINDOW_EXPIRED',
  'CLAIM_REFUSED',
] as const;
export type Action = (typeof ACTIONS)[number];

export interface AuditEntry {
  readonly id: string;
  readonly at: Instant;
  readonly action: Action;
  /** Undefined: it succeeded. */
  readonly failure: string | undefined;
  readonly deviceId: DeviceId | undefined;
  /** What the device was called at the time. */
  readonly deviceName: string | undefined;
  /** The customer whom it concerns: who became the owner, or ceased to be; or the user's own. */
  readonly customerId: CustomerId | undefined;
  readonly userId: UserId | undefined;
  readonly data: JsonObject;
}

/** Something that is in no journal. */
export interface Note extends Omit<AuditEntry, 'id' | 'at'> {
  readonly tenantId: TenantId;
}

export type Told = Pick<AuditEntry, 'action' | 'customerId' | 'userId' | 'data'>;

/**
 * An event in the words of the audit trail. A deletion is not among them: whoever asks for one leaves a note, which
 * says who it was.
 */
export function tell(event: DeviceEvent): Told | undefined {
  const told = (
    action: Action,
    data: JsonObject = {},
    who: Pick<Partial<Told>, 'customerId' | 'userId'> = {},
  ): Told => ({
    action,
    customerId: who.customerId,
    userId: who.userId,
    data,
  });
  switch (event.type) {
    case 'DeviceProvisioned': {
      const { name, deviceType: type, customerId } = event;
      return told('ADDED', { name, type }, customerId === null ? {} : { customerId });
    }
    case 'DeviceUpdated':
      return told('UPDATED', { name: event.name, type: event.deviceType, label: event.label }, event);
    case 'CredentialsChanged':
      return told('CREDENTIALS_UPDATED', { credentialsType: event.credentials.type }, event);
    case 'DeviceDeleted':
      return undefined;
    case 'ClaimWindowOpened':
      return told('CLAIM_WINDOW_OPENED', { closesAt: event.closesAt, openedBy: event.openedBy });
    case 'ClaimWindowClosed':
      return told('CLAIM_WINDOW_CLOSED', {}, event);
    case 'ClaimWindowExpired':
      return told('CLAIM_WINDOW_EXPIRED');
    case 'DeviceClaimed':
      return told('ASSIGNED_TO_CUSTOMER', { by: 'claim', assignedCustomerId: event.customerId }, event);
    case 'DeviceAssigned': {
      const { customerId: assignedCustomerId, previousCustomerId } = event;
      return told(
        'ASSIGNED_TO_CUSTOMER',
        { by: 'assignment', assignedCustomerId, previousCustomerId },
        event,
      );
    }
    case 'DeviceReclaimed':
    case 'DeviceUnassigned': {
      const { previousCustomerId: customerId, userId } = event;
      const by = event.type === 'DeviceReclaimed' ? 'reclaim' : 'assignment';
      const data = { by, unassignedCustomerId: customerId };
      return told('UNASSIGNED_FROM_CUSTOMER', data, { customerId, userId });
    }
    case 'AttributesSaved': {
      const keys = Object.keys(event.values);
      const named = event.serverKey === undefined ? keys : [...keys, CLAIMING_DATA];
      return told('ATTRIBUTES_UPDATED', { scope: event.scope, keys: named.slice(0, KEYS_MAX) }, event);
    }
    case 'AttributesDeleted':
      return told('ATTRIBUTES_DELETED', { scope: event.scope, keys: event.keys.slice(0, KEYS_MAX) }, event);
    default:
      return unreachable(event);
  }
}

/** Names of attributes that one entry lists. */
const KEYS_MAX = 20;

/** The id of the entry that stands for a device's event of this number, the same whenever it is asked for. */
export function eventEntryId(device: string, sequence: number): string {
  const bytes = createHash('sha256').update(`${device}/${sequence}`).digest().subarray(0, 16);
  bytes.writeUInt8(0x20 | ((bytes[8] ?? 0) & 0x0f), 8); // as these ids have always been
  return formatUuid(bytes, 8); // version 8: "custom" (RFC 9562 §5.8)
}
