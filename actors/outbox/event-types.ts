/**
 * What events of devices are called outside, and what is told of them: who owns the device, since when, by what. What it says
 * is what the audit trail says (`../audit/entry.ts`), so it has no secret in it: of attributes the names, of credentials
 * that they changed.
 */
import { type EventEntry, entryOfEvent } from '../audit/entry.ts';
import type { CustomerId, DeviceId } from '../base/ids.ts';
import type { DeviceEvent } from '../device/device.ts';
import type { KnownDevice } from './known-devices.ts';
import type { Message } from './message.ts';

/** Null: it is nobody's business outside. */
const TYPES: Readonly<Record<DeviceEvent['type'], string | null>> = {
  DeviceProvisioned: 'device.created',
  DeviceUpdated: 'device.updated',
  DeviceDeleted: 'device.deleted',
  CredentialsChanged: 'device.credentials.changed',
  CredentialsRotated: 'device.credentials.rotated',
  CredentialsRead: null,
  ClaimWindowOpened: 'device.window.opened',
  ClaimWindowApproved: 'device.window.approved',
  ClaimWindowClosed: 'device.window.closed',
  ClaimWindowExpired: 'device.window.expired',
  ChallengeIssued: null,
  DeviceClaimed: 'device.claimed',
  DeviceReclaimed: 'device.reclaimed',
  DeviceAssigned: 'device.assigned',
  DeviceUnassigned: 'device.unassigned',
  DeviceOffered: 'device.transfer.offered',
  DeviceTransferred: 'device.transfer.accepted',
  OfferDeclined: 'device.transfer.declined',
  OfferWithdrawn: 'device.transfer.withdrawn',
  OfferExpired: 'device.transfer.expired',
  TakeOverAsked: 'device.takeover.asked',
  TakeOverEnded: 'device.takeover.ended',
  DeviceTakenOver: 'device.takeover.completed',
  DeviceReset: 'device.reset',
  ResetNoted: null,
  ClaimsRefused: 'claim.refused',
  AttributesSaved: 'device.attributes.updated',
  AttributesDeleted: 'device.attributes.deleted',
};

/** Instead of `opened`, where the window waits for the tenant's approval. */
const PENDING = 'device.window.pending';

const EVENT_TYPES: readonly string[] = [
  ...Object.values(TYPES).filter((type) => type !== null),
  PENDING,
].sort();

/** What is told only to who names it: others can cause as many of it as they like, up to a bound. */
const ONLY_NAMED: ReadonlySet<string> = new Set(['claim.refused']);

/** Whether it is told to who has not said what it wants. */
export const isForAll = (type: string) => !ONLY_NAMED.has(type);

/** The types that a text names: one, or with `.*` at its end all that begin so. None: it names no type. */
export function typesNamed(text: string): readonly string[] {
  return text.endsWith('.*')
    ? EVENT_TYPES.filter((type) => type.startsWith(text.slice(0, -1)))
    : EVENT_TYPES.filter((type) => type === text);
}

function typeOf(event: DeviceEvent): string | null {
  return event.type === 'ClaimWindowOpened' && event.pending ? PENDING : TYPES[event.type];
}

/** Undefined for what is not told outside. */
export function messageOf(
  event: DeviceEvent,
  deviceId: DeviceId,
  number: number,
  { tenantId, name, type: deviceType, profileId }: KnownDevice,
): Message | undefined {
  const type = typeOf(event);
  if (type === null) return undefined;
  const { customerId = null, userId = null, data = {} } = toldOf(event);
  const told = { deviceId, deviceName: name, deviceType: deviceType ?? null, customerId, userId, ...data };
  return {
    id: messageId(deviceId, number),
    tenantId,
    deviceId,
    number,
    type,
    at: event.at,
    data: told,
    customerIds: customersOf(event),
    profileId,
    ...(event.trace === undefined ? {} : { trace: event.trace }),
  };
}

function toldOf(event: DeviceEvent): Partial<Pick<EventEntry, 'customerId' | 'userId' | 'data'>> {
  if (event.type !== 'ClaimsRefused') return entryOfEvent(event) ?? {};
  const { since, reasons, by, ownerId: customerId } = event;
  const count = Object.values(reasons).reduce((sum, one) => sum + one, 0);
  return { ...(customerId === undefined ? {} : { customerId }), data: { count, since, reasons, by } };
}

function messageId(deviceId: DeviceId, number: number): string {
  return `evt_${deviceId}_${number}`;
}

/** The device and the number in the id of a message; undefined for any other text. */
export function partsOfId(id: string): { readonly deviceId: string; readonly number: number } | undefined {
  const [, deviceId = '', number = ''] = /^evt_([0-9a-f-]{36})_(\d{1,15})$/.exec(id) ?? [];
  return deviceId === '' ? undefined : { deviceId, number: Number(number) };
}

/** Whom it is about: who has the device by it, and who had it until then. */
function customersOf(event: DeviceEvent): readonly CustomerId[] {
  const named = [
    'customerId' in event ? event.customerId : null,
    'previousCustomerId' in event ? event.previousCustomerId : null,
    'ownerId' in event ? event.ownerId : null,
  ];
  return [...new Set(named.filter((id) => id !== null && id !== undefined))];
}
