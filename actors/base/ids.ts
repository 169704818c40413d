/**
 * Branded identifiers: a tenant's id cannot be passed where a device's is wanted.
 *
 * New ids are UUIDs of version 7 (RFC 9562 §5.7): they begin with the creation time, so records that are created
 * together lie together in an ordered store, and ordering by id is ordering by creation.
 */
import { randomFillSync } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type TenantId = Branded<'TenantId'>;
export type CustomerId = Branded<'CustomerId'>;
export type UserId = Branded<'UserId'>;
export type DeviceId = Branded<'DeviceId'>;
export type ProfileId = Branded<'ProfileId'>;
export type ApiKeyId = Branded<'ApiKeyId'>;
export type ImportId = Branded<'ImportId'>;
export type BatchId = Branded<'BatchId'>;
export type KitId = Branded<'KitId'>;
export type TransferId = Branded<'TransferId'>;
export type WebhookId = Branded<'WebhookId'>;
export type ProviderId = Branded<'ProviderId'>;
export type MailId = Branded<'MailId'>;
type AnyId =
  | TenantId
  | CustomerId
  | UserId
  | DeviceId
  | ProfileId
  | ApiKeyId
  | ImportId
  | BatchId
  | KitId
  | TransferId
  | WebhookId
  | ProviderId
  | MailId;

/** ThingsBoard writes this where there is no entity, e.g. as `customerId` of an unassigned device. */
export const NULL_UUID = '13814000-1dd2-11b2-8080-808080808080';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Reads an id from a text in either case. Undefined when the text is not a UUID. */
export function parseId<Id extends AnyId>(text: string): Id | undefined {
  const lower = text.toLowerCase();
  return UUID.test(lower) ? (lower as Id) : undefined;
}

/** An id as a store gives it back, e.g. a device's as the name of its stream. Throws where it is none: a damaged store. */
export function storedId<Id extends AnyId>(text: string): Id {
  if (!UUID.test(text)) throw new TypeError('the store has something else where an id should be');
  return text as Id;
}

const POOL_BYTES = 16 * 256;
const pool = Buffer.alloc(POOL_BYTES);
let poolAt = POOL_BYTES;
let lastMs = 0;
let counter = 0;

/**
 * Draws a new id. Ids drawn by one process ascend, also within one millisecond: twelve bits after the time
 * count up (RFC 9562 §6.2, method 1), the remaining 62 are random.
 */
export function newId<Id extends AnyId>(nowMs: number): Id {
  if (poolAt === POOL_BYTES) {
    randomFillSync(pool);
    poolAt = 0;
  }
  const bytes = Buffer.from(pool.subarray(poolAt, poolAt + 16));
  poolAt += 16;

  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = bytes.readUInt16BE(6) & 0x7ff; // the top bit stays free as room to count
  } else if (++counter > 0xfff) {
    lastMs += 1; // out of numbers, or the clock went back: use the next millisecond
    counter = 0;
  }
  return timedId(bytes, lastMs, counter);
}

/**
 * An id of version 7 for an instant.
 *
 * @param bytes 16; what they hold after the first 8 stays, but for two bits
 * @param counter 0 … 4095, orders the ids of one millisecond
 */
export function timedId<Id extends AnyId>(bytes: Buffer, ms: number, counter: number): Id {
  bytes.writeUIntBE(ms, 0, 6);
  bytes.writeUInt16BE(counter, 6);
  return formatUuid(bytes, 7) as Id;
}

/** Writes 16 bytes as a UUID of a version and of variant 10 (RFC 9562 §4). The bits of both are set in the bytes. */
export function formatUuid(bytes: Buffer, version: number): string {
  bytes.writeUInt8((version << 4) | ((bytes[6] ?? 0) & 0x0f), 6);
  bytes.writeUInt8(0x80 | ((bytes[8] ?? 0) & 0x3f), 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
