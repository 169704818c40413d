/**
 * The payload of a claim message, from every transport: bytes to `{ secretKey, durationMs, reset }` (rules O1, N4).
 *
 * Protobuf (`proto/claiming.proto`) has types. In JSON, devices send numbers for text and text for numbers, and
 * ThingsBoard takes both; so do we: a number or boolean is a secret as it is written, the text "60000" is a duration, a list
 * of one is its element. No bytes at all mean the empty secret and the default duration.
 *
 * Deviation: standard JSON only (RFC 8259). ThingsBoard's parser also takes unquoted and single-quoted keys.
 * Deviation: a duration that is no safe integer is malformed; ThingsBoard lets it wrap around.
 *
 * `JSON.parse` is iterative in V8, so nesting costs memory in proportion to the payload and no stack; transports bound
 * the payload. Nothing of the payload is ever put into `why`, which ends up in logs and answers.
 */
import { isUtf8 } from 'node:buffer';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import type { PayloadFormat } from '../fleet/profiles.ts';
import { jsonMembers } from './json-members.ts';
import { type ClaimDevice, readClaimDevice, readConnect, readGatewayClaim } from './proto/messages.ts';

export type ClaimPayload = ClaimRequest | Malformed;

export interface ClaimRequest {
  readonly type: 'request';
  readonly secretKey: string;
  /** Milliseconds; 0 and negative ask for the server's default. Always a safe integer. */
  readonly durationMs: number;
  /**
   * The device was reset to its factory state (N4). Nothing but JSON's `true` says so: devices send fields of this name
   * to ThingsBoard, which ignores them, and another's reason for a restart is no reason to lose its owner.
   */
  readonly reset?: true;
}

interface Malformed {
  readonly type: 'malformed';
  /** For the device's developer; a constant text. */
  readonly why: string;
}

const EMPTY: ClaimRequest = { type: 'request', secretKey: '', durationMs: 0 };

/** Reads the payload of a claim message in the format of the device's profile. Total. */
export function readClaimPayload(bytes: Uint8Array, format: PayloadFormat): ClaimPayload {
  if (format === 'JSON') return parseClaimPayload(bytes);
  const message = readClaimDevice(bytes);
  if (message !== undefined) return requestOf(message);
  return format === 'PROTOBUF_OR_JSON' ? parseClaimPayload(bytes) : NO_PROTOBUF;
}

/** Reads the JSON payload of a claim message. Total: whatever the bytes are, the answer is a value. */
export function parseClaimPayload(bytes: Uint8Array): ClaimPayload {
  if (bytes.length === 0) return EMPTY;
  const parsed = parseJson(bytes);
  if (parsed.type === 'malformed') return parsed;
  const { value, text } = parsed;
  if (!isJsonObject(value)) return malformed('the payload is not a JSON object');
  return claimOf(value, () => text);
}

/** What a gateway asks for the devices behind it, by their names. */
export type GatewayClaimPayload =
  | { readonly type: 'entries'; readonly entries: ReadonlyMap<string, ClaimPayload> }
  /** JSON, but nothing in it that could be an entry. */
  | { readonly type: 'nothing-usable' }
  | Malformed;

/**
 * Reads a gateway's claims: in JSON a map from names to claim messages, in protobuf a list, of which the last entry of a
 * name counts. JSON is not read where the profile says protobuf, compatible or not (facts 1.2).
 */
export function readGatewayClaims(bytes: Uint8Array, format: PayloadFormat): GatewayClaimPayload {
  if (format !== 'JSON') return protobufEntries(bytes);
  if (bytes.every(isJsonSpace)) return NOTHING_USABLE; // for ThingsBoard's parser no text is null
  const parsed = parseJson(bytes);
  if (parsed.type === 'malformed') return parsed;
  const { value: named, text } = parsed;
  if (!isJsonObject(named)) return NOTHING_USABLE;
  let texts: ReadonlyMap<string, string> | undefined;
  const textOf = (name: string) => {
    texts ??= jsonMembers(text);
    return texts.get(name) ?? '';
  };
  const entries = new Map<string, ClaimPayload>();
  for (const [name, value] of Object.entries(named)) {
    if (!isJsonObject(value)) continue; // dropped, as ThingsBoard does
    entries.set(
      name,
      claimOf(value, () => textOf(name)),
    );
  }
  return entries.size === 0 ? NOTHING_USABLE : { type: 'entries', entries };
}

function protobufEntries(bytes: Uint8Array): GatewayClaimPayload {
  const messages = readGatewayClaim(bytes);
  if (messages === undefined) return NO_PROTOBUF;
  if (messages.length === 0) return malformed('the message has no entries');
  if (messages.some(({ deviceName }) => deviceName === '')) return malformed('an entry has no deviceName');
  const entries = new Map(
    messages.map(({ deviceName, claimRequest }) => [deviceName, requestOf(claimRequest)]),
  );
  return { type: 'entries', entries };
}

/** A gateway says that a device behind it came or went. `deviceType` is empty where it was not said. */
export type GatewayConnectPayload =
  | { readonly type: 'device'; readonly name: string; readonly deviceType: string }
  | Malformed;

export function readGatewayConnect(bytes: Uint8Array, format: PayloadFormat): GatewayConnectPayload {
  if (format !== 'JSON') {
    const message = readConnect(bytes);
    if (message === undefined || message.deviceName === '') return NO_PROTOBUF;
    return { type: 'device', name: message.deviceName, deviceType: message.deviceType };
  }
  const parsed = parseJson(bytes);
  if (parsed.type === 'malformed') return parsed;
  const { device: name, type: deviceType = '' } = isJsonObject(parsed.value) ? parsed.value : {};
  if (typeof name !== 'string' || typeof deviceType !== 'string') return malformed('device is not text');
  return { type: 'device', name, deviceType };
}

const NOTHING_USABLE: GatewayClaimPayload = { type: 'nothing-usable' };
const NO_PROTOBUF = malformed('the payload is not the protobuf message that is expected here');

function requestOf({ secretKey, durationMs, reset }: ClaimDevice): ClaimPayload {
  const milliseconds = Number(durationMs);
  return Number.isSafeInteger(milliseconds)
    ? requested(secretKey, milliseconds, reset)
    : malformed('durationMs is not a whole number in range');
}

function parseJson(
  bytes: Uint8Array,
): { readonly type: 'json'; readonly value: Json; readonly text: string } | Malformed {
  if (!isUtf8(bytes)) return malformed('the payload is not UTF-8');
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
  const text = buffer.toString('utf8');
  try {
    return { type: 'json', value: JSON.parse(text), text };
  } catch {
    return malformed('the payload is not JSON');
  }
}

/** @param textOfObject the text that the object was parsed from, asked for only where it is needed */
function claimOf(value: JsonObject, textOfObject: () => string): ClaimPayload {
  const secretKey = value.secretKey === undefined ? '' : secretOf(value.secretKey, textOfObject);
  if (secretKey === undefined) return malformed('secretKey is not text');
  const durationMs = value.durationMs === undefined ? 0 : durationOf(value.durationMs);
  if (durationMs === undefined) return malformed('durationMs is not a whole number in range');
  return requested(secretKey, durationMs, value.reset === true);
}

function requested(secretKey: string, durationMs: number, reset: boolean): ClaimRequest {
  return reset
    ? { type: 'request', secretKey, durationMs, reset }
    : { type: 'request', secretKey, durationMs };
}

function malformed(why: string): Malformed {
  return { type: 'malformed', why };
}

function secretOf(value: Json, textOfObject: () => string): string | undefined {
  if (typeof value === 'string') return value;
  const single = unwrap(value);
  switch (typeof single) {
    case 'string':
      return single;
    case 'boolean':
      return String(single);
    case 'number':
      return jsonMembers(textOfObject()).get('secretKey')?.replaceAll(LIST_MARKS, '');
    default:
      return undefined;
  }
}

/** What lists around a number consist of. */
const LIST_MARKS = /[[\]\s]/g;

const WHOLE_NUMBER = /^[+-]?\d+$/;

function durationOf(value: Json): number | undefined {
  const single = unwrap(value);
  let durationMs: number;
  if (typeof single === 'number') durationMs = Math.trunc(single);
  else if (typeof single === 'string' && WHOLE_NUMBER.test(single)) durationMs = Number(single);
  else return undefined;
  return Number.isSafeInteger(durationMs) ? durationMs + 0 : undefined; // + 0: no negative zero
}

/** A list of exactly one element stands for that element, however often it is wrapped. */
function unwrap(value: Json): Json {
  let inner = value;
  while (Array.isArray(inner)) {
    if (inner.length !== 1) return null;
    inner = inner[0];
  }
  return inner;
}

function isJsonSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
