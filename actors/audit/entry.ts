/**
 * One entry of a tenant's audit trail: what happened, to what, by whom. Entries are made from the events of devices, and
 * from notes of what is in no journal: refused claims, logins.
 *
 * No entry has a secret in it. Of attributes it has the names, and of `claimingAllowed` which it became; of credentials only
 * that they changed.
 */
import { createHash } from 'node:crypto';
import type { User } from '../accounts/accounts.ts';
import type { Instant } from '../base/clock.ts';
import { type CustomerId, type DeviceId, formatUuid, type TenantId, type UserId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { unreachable } from '../base/unreachable.ts';
import type { DeviceEvent } from '../device/device.ts';
import { evidenceOf, type OwnershipChange } from '../device/evidence.ts';
import type { GivenAttributes } from '../device/messages.ts';
import { CLAIMING_ALLOWED, CLAIMING_DATA, STEERING, steersClaiming } from '../device/state.ts';

/** ThingsBoard's names where it has one; it has none for windows, challenges, refused claims, take-overs and mails. */
export const ACTIONS = [
  'ADDED',
  'UPDATED',
  'DELETED',
  'CREDENTIALS_UPDATED',
  'CREDENTIALS_READ',
  'ASSIGNED_TO_CUSTOMER',
  'UNASSIGNED_FROM_CUSTOMER',
  'ATTRIBUTES_UPDATED',
  'ATTRIBUTES_DELETED',
  'LOGIN',
  'LOGOUT',
  'ACTIVATED',
  'SUSPENDED',
  'CLAIM_WINDOW_OPENED',
  'CLAIM_WINDOW_PENDING',
  'CLAIM_WINDOW_APPROVED',
  'CLAIM_WINDOW_CLOSED',
  'CLAIM_WINDOW_EXPIRED',
  'CLAIM_REFUSED',
  'TRANSFER_OFFERED',
  'TRANSFER_DECLINED',
  'TRANSFER_WITHDRAWN',
  'TRANSFER_EXPIRED',
  'CLAIM_CHALLENGE_ISSUED',
  'TRANSFER_REFUSED',
  'TAKE_OVER_ASKED',
  'TAKE_OVER_ENDED',
  'RESET_NOTED',
  'MAIL_DROPPED',
  'TRAIL_PRUNED',
] as const;
export type Action = (typeof ACTIONS)[number];

export interface AuditEntry {
  readonly id: string;
  readonly at: Instant;
  readonly action: Action;
  /** Why it was refused; undefined: it succeeded. */
  readonly failure: string | undefined;
  readonly deviceId: DeviceId | undefined;
  /** What the device was called at the time. */
  readonly deviceName: string | undefined;
  /** The customer it is about: the new owner, the former owner, or the user's own. */
  readonly customerId: CustomerId | undefined;
  readonly userId: UserId | undefined;
  readonly data: JsonObject;
}

/** Something that is in no journal. */
export interface Note extends Omit<AuditEntry, 'id' | 'at'> {
  readonly tenantId: TenantId;
}

/** Undefined for a system administrator: these belong to no tenant, so no audit trail is theirs. */
export function noteOfUser(
  { id, membership }: Pick<User, 'id' | 'membership'>,
  entry: Pick<Note, 'action' | 'data' | 'failure'>,
): Note | undefined {
  if (membership.authority === 'SYS_ADMIN') return undefined;
  return {
    tenantId: membership.tenantId,
    deviceId: undefined,
    deviceName: undefined,
    customerId: membership.authority === 'CUSTOMER_USER' ? membership.customerId : undefined,
    userId: id,
    ...entry,
  };
}

/** What an entry says of a device's event, whichever device it is. */
export type EventEntry = Pick<AuditEntry, 'at' | 'action' | 'customerId' | 'userId' | 'data'>;

/** Undefined for a deletion and for refused claims: of each there is a note, which says who it was. */
export function entryOfEvent(event: DeviceEvent): EventEntry | undefined {
  const entry = (
    action: Action,
    data: JsonObject = {},
    who: Pick<Partial<EventEntry>, 'customerId' | 'userId'> = {},
  ): EventEntry => ({
    at: event.at,
    action,
    customerId: who.customerId,
    userId: who.userId,
    data: event.impersonatorId === undefined ? data : { ...data, impersonator: event.impersonatorId },
  });
  switch (event.type) {
    case 'DeviceProvisioned': {
      const { name, deviceType: type, customerId, viaGateway, importId, userId } = event;
      const via = viaGateway === undefined ? {} : { viaGateway };
      const from = importId === undefined ? {} : { importId };
      return entry('ADDED', { name, type, ...via, ...from }, whoOf(customerId, userId));
    }
    case 'DeviceUpdated':
      return entry('UPDATED', { name: event.name, type: event.deviceType, label: event.label }, event);
    case 'CredentialsChanged':
      return entry('CREDENTIALS_UPDATED', { credentialsType: event.credentials.type }, event);
    case 'CredentialsRotated':
      return entry('CREDENTIALS_UPDATED', { by: 'rotation', when: event.by });
    case 'CredentialsRead':
      return entry('CREDENTIALS_READ', {}, event);
    case 'DeviceDeleted':
    case 'ClaimsRefused':
      return undefined;
    case 'ClaimWindowOpened': {
      const action = event.pending ? 'CLAIM_WINDOW_PENDING' : 'CLAIM_WINDOW_OPENED';
      const by = event.byReset ? { by: 'reset' } : {};
      return entry(action, { closesAt: event.closesAt, openedBy: event.openedBy, ...by });
    }
    case 'ClaimWindowApproved':
      return entry('CLAIM_WINDOW_APPROVED', { closesAt: event.closesAt }, event);
    case 'ChallengeIssued':
      return entry('CLAIM_CHALLENGE_ISSUED', { expiresAt: event.expiresAt }, event);
    case 'ClaimWindowClosed':
      return entry('CLAIM_WINDOW_CLOSED', {}, event);
    case 'ClaimWindowExpired':
      return entry('CLAIM_WINDOW_EXPIRED', event.pending ? { pending: true } : {});
    case 'DeviceClaimed':
      return entry(
        'ASSIGNED_TO_CUSTOMER',
        {
          by: 'claim',
          assignedCustomerId: event.customerId,
          ...epochOf(event),
          ...(event.windowOpenedAt === undefined ? {} : { windowOpenedAt: event.windowOpenedAt }),
          ...namesGiven(event),
        },
        event,
      );
    case 'DeviceAssigned': {
      const { customerId: assignedCustomerId, previousCustomerId } = event;
      return entry(
        'ASSIGNED_TO_CUSTOMER',
        { by: 'assignment', assignedCustomerId, previousCustomerId, ...epochOf(event) },
        event,
      );
    }
    case 'DeviceTransferred': {
      const { customerId: assignedCustomerId, previousCustomerId } = event;
      return entry(
        'ASSIGNED_TO_CUSTOMER',
        { by: 'transfer', assignedCustomerId, previousCustomerId, ...epochOf(event) },
        event,
      );
    }
    case 'DeviceOffered':
      return entry('TRANSFER_OFFERED', { to: event.to.type, expiresAt: event.expiresAt }, event);
    case 'OfferDeclined':
      return entry('TRANSFER_DECLINED', {}, event);
    case 'OfferWithdrawn': {
      const { customerId, userId } = event;
      return entry('TRANSFER_WITHDRAWN', {}, customerId === null ? { userId } : { customerId, userId });
    }
    case 'OfferExpired':
      return entry('TRANSFER_EXPIRED');
    case 'DeviceTakenOver': {
      const { customerId: assignedCustomerId, previousCustomerId } = event;
      const names = namesGiven(event);
      const data = { by: 'take-over', assignedCustomerId, previousCustomerId, ...epochOf(event), ...names };
      return entry('ASSIGNED_TO_CUSTOMER', data, event);
    }
    case 'TakeOverAsked': {
      // About the owner, who has to know; who asks for it is the user.
      const { customerId: askedByCustomerId, ownerId: customerId, userId, dueAt } = event;
      return entry('TAKE_OVER_ASKED', { askedByCustomerId, dueAt }, { customerId, userId });
    }
    case 'TakeOverEnded': {
      const { customerId: askedByCustomerId, ownerId, why, userId } = event;
      return entry('TAKE_OVER_ENDED', { askedByCustomerId, why }, whoOf(ownerId, userId));
    }
    case 'DeviceReset': {
      const { previousCustomerId: customerId, window } = event;
      const opened = window === undefined ? {} : { closesAt: window.closesAt };
      const data = { by: 'reset', unassignedCustomerId: customerId, ...opened, ...epochOf(event) };
      return entry('UNASSIGNED_FROM_CUSTOMER', data, { customerId });
    }
    case 'ResetNoted':
      return entry('RESET_NOTED');
    case 'DeviceReclaimed':
    case 'DeviceUnassigned': {
      const { previousCustomerId: customerId, userId } = event;
      const by = event.type === 'DeviceReclaimed' ? 'reclaim' : 'assignment';
      const data = { by, unassignedCustomerId: customerId, ...epochOf(event) };
      return entry('UNASSIGNED_FROM_CUSTOMER', data, { customerId, userId });
    }
    case 'AttributesSaved': {
      const keys = Object.keys(event.values);
      const named = event.serverKey === undefined ? keys : [...keys, CLAIMING_DATA];
      const { scope, values } = event;
      const allowed = scope === 'SERVER_SCOPE' ? values[CLAIMING_ALLOWED] : undefined;
      const decided = typeof allowed === 'boolean' ? { [CLAIMING_ALLOWED]: allowed } : {};
      return entry('ATTRIBUTES_UPDATED', { scope, keys: listed(named), ...decided }, event);
    }
    case 'AttributesDeleted':
      return entry('ATTRIBUTES_DELETED', { scope: event.scope, keys: listed(event.keys) }, event);
    default:
      return unreachable(event);
  }
}

function whoOf(customerId: CustomerId | null, userId: UserId | undefined) {
  return {
    ...(customerId === null ? {} : { customerId }),
    ...(userId === undefined ? {} : { userId }),
  };
}

/**
 * The owner epoch that an event began, which older records do not have, by what it came about (R6), and what it made of
 * the credentials (O9).
 */
function epochOf(event: OwnershipChange): JsonObject {
  const { ownerEpoch, nextCredentials, quarantined } = event;
  return {
    ...(ownerEpoch === undefined ? {} : { ownerEpoch }),
    evidence: evidenceOf(event),
    ...(nextCredentials === undefined ? {} : { rotatesUntil: nextCredentials.until }),
    ...(quarantined ? { quarantined } : {}),
  };
}

/** Of the attributes that the operator's policy gave with the claim (C12) the names, never what is in them. */
function namesGiven({ attributes }: GivenAttributes): JsonObject {
  return attributes === undefined ? {} : { keys: listed(Object.keys(attributes)) };
}

/** How many names of attributes one entry lists. */
const KEYS_MAX = 20;

/** As many names of attributes as an entry lists: first those that steer claiming, which are never left out. */
function listed(keys: readonly string[]): string[] {
  const steering = STEERING.filter((key) => keys.includes(key));
  return [...steering, ...keys.filter((key) => !steersClaiming(key))].slice(0, KEYS_MAX);
}

/** The id of the entry for a device's event of this number: always the same one. */
export function eventEntryId(device: string, sequence: number): string {
  const bytes = createHash('sha256').update(`${device}/${sequence}`).digest().subarray(0, 16);
  bytes.writeUInt8(0x20 | ((bytes[8] ?? 0) & 0x0f), 8); // as these ids have always been
  return formatUuid(bytes, 8); // version 8: "custom" (RFC 9562 §5.8)
}
