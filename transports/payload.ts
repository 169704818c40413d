/**
 * What a device says when it opens a claim window: bytes to `{ secretKey, durationMs }` (rule O1).
 *
 * Every transport that speaks JSON comes through here. Real devices send numbers where text is meant and text where
 * numbers are meant, and ThingsBoard takes both, so we do too: a number or boolean is a secret by its text, the text
 * "60000" is a duration, a list of one is its element. No bytes at all is the empty secret for the default duration.
 *
 * Deviation: standard JSON only (RFC 8259). ThingsBoard's parser also takes unquoted and single-quoted keys.
 * Deviation: a duration that is no safe integer is malformed; ThingsBoard lets it wrap around.
 *
 * `JSON.parse` is iterative in V8, so nesting costs memory in proportion to the payload and no stack; payloads are
 * bounded by the transports. Never puts anything of the payload into `why`: it would end up in logs and answers.
 */
import { isUtf8 } from 'node:buffer';
import { isJsonObject, type Json } from '../actors/json.ts';

export type ClaimPayload = ClaimRequest | Malformed;

export interface ClaimRequest {
  readonly type: 'request';
  readonly secretKey: string;
  /** Milliseconds; 0 and negative ask for the server's default. Always a safe integer. */
  readonly durationMs: number;
}

export interface Malformed {
  readonly type: 'malformed';
  /** For the device's developer; a constant text. */
  readonly why: string;
}

const EMPTY: ClaimRequest = { type: 'request', secretKey: '', durationMs: 0 };

/** Reads the payload of a claim message. Total: whatever the bytes are, the answer is a value. */
export function parseClaimPayload(bytes: Uint8Array): ClaimPayload {
  if (bytes.length === 0) return EMPTY;
  if (!isUtf8(bytes)) return malformed('the payload is not UTF-8');
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
  const text = buffer.toString('utf8');
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed('the payload is not JSON');
  }
  if (!isJsonObject(value)) return malformed('the payload is not a JSON object');

  const secretKey = value.secretKey === undefined ? '' : secretOf(value.secretKey, text);
  if (secretKey === undefined) return malformed('secretKey is not text');
  const durationMs = value.durationMs === undefined ? 0 : durationOf(value.durationMs);
  if (durationMs === undefined) return malformed('durationMs is not a whole number in range');
  return { type: 'request', secretKey, durationMs };
}

function malformed(why: string): Malformed {
  return { type: 'malformed', why };
}

function secretOf(value: Json, text: string): string | undefined {
  if (typeof value === 'string') return value;
  const single = unwrap(value);
  switch (typeof single) {
    case 'string':
      return single;
    case 'boolean':
      return String(single);
    case 'number':
      return sourceOfNumber(text, 'secretKey');
    default:
      return undefined;
  }
}

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

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g;

/**
 * The digits of a number exactly as they were written: 12345678901234567890 or 1.0 as a secret must not lose what
 * a JavaScript number can not keep. `text` is valid JSON for an object whose last member `key` is a number, perhaps
 * within lists of one.
 */
function sourceOfNumber(text: string, key: string): string | undefined {
  let source: string | undefined;
  let depth = 0;
  let previous = '';
  let ours = false;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (token === ':' && depth === 1) ours = JSON.parse(previous) === key;
    else if (token === ',' && depth === 1) ours = false;
    else if (ours && !token.startsWith('"')) source = token;
    previous = token;
  }
  return source;
}
