/**
 * Reads a body within a limit of bytes; a JSON body must also be UTF-8 and not nested too deep. The content type is
 * ignored, because devices and scripts often send none or a wrong one.
 *
 * Not Hono's `bodyLimit`: the limit depends on who asks, and who asks is known only after its place in the chain; and a
 * chunked body would make it build a second Request.
 */
import { isUtf8 } from 'node:buffer';
import { createGrowingBuffer } from '../../actors/base/growing-buffer.ts';
import { isTooDeep, JSON_DEPTH_MAX } from '../../actors/base/json.ts';
import type { Asked } from './asked.ts';
import { badRequest, malformedJson } from './errors.ts';
import type { Problem, Reply } from './reply.ts';
import { ANY_ROOM, type Room } from './waiting-bodies.ts';

/** The limit for callers without a token, who send passwords and tokens alone: a body is kept in memory until it is complete or its time is up. */
export const PUBLIC_BODY_BYTES_MAX = 8192;

export type Body =
  | { readonly type: 'body'; readonly value: unknown }
  | { readonly type: 'refused'; readonly reply: Reply };

/** The body of a route that reads it itself. */
export type Payload =
  | { readonly type: 'payload'; readonly bytes: Buffer }
  | { readonly type: 'refused'; readonly reply: Reply };

/** @param declared the length that the request declares */
export async function readPayload(
  asked: Asked,
  maxBytes: number,
  declared: number | undefined,
  room?: Room,
): Promise<Payload> {
  const bytes = await readBytes(asked, maxBytes, room, declared);
  if (bytes === 'too-large') return { type: 'refused', reply: tooLarge(maxBytes) };
  return Buffer.isBuffer(bytes) ? { type: 'payload', bytes } : { type: 'refused', reply: bytes };
}

/** Reads and parses the request's body; an empty one is undefined. */
export async function readJson(asked: Asked, maxBytes: number, room?: Room): Promise<Body> {
  const bytes = await readBytes(asked, maxBytes, room);
  if (bytes === 'too-large') return { type: 'refused', reply: tooLarge(maxBytes) };
  if (!Buffer.isBuffer(bytes)) return { type: 'refused', reply: bytes };
  if (bytes.length === 0) return { type: 'body', value: undefined };
  return parse(bytes);
}

/** ThingsBoard's answer to a body over the limit: a JSON string, not the envelope. */
export function tooLarge(maxBytes: number): Reply {
  return { type: 'json', status: 413, body: `Payload size exceeds the limit of ${maxBytes} bytes` };
}

function parse(bytes: Buffer): Body {
  if (!isUtf8(bytes)) return refuse(malformedJson);
  const text = bytes.toString();
  if (isTooDeep(text)) return refuse(badRequest(`JSON nested deeper than ${JSON_DEPTH_MAX}`));
  try {
    return { type: 'body', value: JSON.parse(text) };
  } catch {
    return refuse(malformedJson);
  }
}

function refuse(reply: Problem): Body {
  return { type: 'refused', reply };
}

/** The body as it came, or why there is no room for it. Rejects with `BrokenOff`. */
export async function readBytes(
  asked: Asked,
  maxBytes: number,
  room = ANY_ROOM,
  declared = declaredBytes(asked),
): Promise<Buffer | 'too-large' | Problem> {
  try {
    if (declared === undefined) return await readStream(asked.stream(), maxBytes, room);
    // Node's parser holds the sender to its word, so the length is known before anything is buffered.
    if (declared > maxBytes) return 'too-large';
    return room.grow(declared) ?? (await asked.bytes(declared));
  } catch (error) {
    throw asked.brokenOff(error);
  } finally {
    room.leave();
  }
}

/** Leaving the loop cancels the stream, so the rest is not read. */
async function readStream(stream: ReadableStream<Uint8Array> | null, maxBytes: number, room: Room) {
  const gathered = createGrowingBuffer();
  for await (const chunk of stream ?? []) {
    const size = gathered.length + chunk.length;
    if (size > maxBytes) return 'too-large';
    const full = room.grow(size);
    if (full !== undefined) return full;
    gathered.add(chunk);
  }
  return gathered.bytes();
}

/** The length that the request declares; undefined if its body is chunked. */
export function declaredBytes(asked: Asked): number | undefined {
  const declared = asked.header('content-length');
  return declared === undefined ? undefined : Number(declared);
}
