/**
 * An audit entry as it is written: one short line, because there are many. A block (`blocks.ts`) holds two hundred of
 * them.
 */
import type { Instant } from '../base/clock.ts';
import { storedId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { type Action, type AuditEntry, type EventEntry, eventEntryId, type Note } from './entry.ts';

/** 0 stands for "none". The id is the event's number in its device's stream, or a note's own id as a text. */
export type Line = readonly [
  at: Instant,
  action: Action,
  id: number | string,
  device: string | 0,
  name: string | 0,
  customer: string | 0,
  user: string | 0,
  data: JsonObject,
  failure: string | 0,
];

/** How many UTF-16 units of a name or a reason an entry keeps. */
const TEXT_MAX = 255;

/** @param name what the device was called at the time */
export function lineOfEvent(
  { at, action, customerId, userId, data }: EventEntry,
  device: string,
  sequence: number,
  name: string,
): Line {
  return [at, action, sequence, device, name.slice(0, TEXT_MAX), customerId ?? 0, userId ?? 0, data, 0];
}

export function lineOfNote(note: Note, at: Instant, id: string): Line {
  const { action, deviceId, deviceName, customerId, userId, data, failure } = note;
  return [
    at,
    action,
    id,
    deviceId ?? 0,
    deviceName?.slice(0, TEXT_MAX) ?? 0,
    customerId ?? 0,
    userId ?? 0,
    data,
    failure?.slice(0, TEXT_MAX) ?? 0,
  ];
}

/** Tells lines apart: a device's events by their number, notes by their id. */
export function identityOf([, , id, device]: Line): string {
  return typeof id === 'string' ? id : `${device}/${id}`;
}

export function entryOf([at, action, id, device, name, customer, user, data, failure]: Line): AuditEntry {
  return {
    id: typeof id === 'string' ? id : eventEntryId(String(device), id),
    at,
    action,
    failure: failure === 0 ? undefined : failure,
    deviceId: device === 0 ? undefined : storedId(device),
    deviceName: name === 0 ? undefined : name,
    customerId: customer === 0 ? undefined : storedId(customer),
    userId: user === 0 ? undefined : storedId(user),
    data,
  };
}
