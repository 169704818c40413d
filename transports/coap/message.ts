/**
 * The first of CoAP's three layers: bytes to message and back (RFC 7252 §3). Pure: no sockets, no state, and whatever
 * the bytes are, the answer is a value.
 *
 *    0               1               2               3
 *   +---+---+-------+---------------+-------------------------------+
 *   |Ver| T |  TKL  |     Code      |          Message ID           |
 *   +---+---+-------+---------------+-------------------------------+
 *   | Token (TKL bytes) | Options … | 0xFF | Payload …              |
 *   +-------------------+-----------+------+------------------------+
 *
 * npm's `coap-packet` is not used: it accepts lengths that run past the end of the datagram, and a payload marker without
 * payload.
 */

/** Confirmable, non-confirmable, acknowledgement, reset; in the order of their numbers. */
const TYPES = ['CON', 'NON', 'ACK', 'RST'] as const;
type MessageType = (typeof TYPES)[number];

export interface Option {
  readonly number: number;
  readonly value: Buffer;
}

export interface Message {
  readonly type: MessageType;
  /** Class in the upper three bits, detail in the lower five: see `codes.ts`. */
  readonly code: number;
  /** 0 … 65535. */
  readonly messageId: number;
  /** 0 … 8 bytes. */
  readonly token: Buffer;
  /** In the order of their numbers; equal numbers in the order in which they came. */
  readonly options: readonly Option[];
  readonly payload: Buffer;
}

/** The part of a message that can be read even when the rest cannot. */
export type Header = Pick<Message, 'type' | 'code' | 'messageId' | 'token'>;

export type Decoded =
  | { readonly type: 'message'; readonly message: Message }
  /** Larger than the limit; nothing behind the token was looked at. */
  | { readonly type: 'too-large'; readonly header: Header }
  /** A message format error: a confirmable one is rejected with a reset (§4.2), others are ignored (§4.2, §4.3). */
  | { readonly type: 'malformed'; readonly messageType: MessageType; readonly messageId: number }
  /** Another version of CoAP: to be ignored silently (§3). */
  | { readonly type: 'foreign' };

const VERSION = 1;
const HEADER_BYTES = 4;
const TOKEN_BYTES_MAX = 8;
const PAYLOAD_MARKER = 0xff;
export const NO_BYTES = Buffer.alloc(0);

/** Reads a datagram. The parts of the message are views into it. */
export function decode(datagram: Buffer, bytesMax: number): Decoded {
  if (datagram.length < HEADER_BYTES) return { type: 'foreign' };
  const first = datagram.readUInt8(0);
  if (first >> 6 !== VERSION) return { type: 'foreign' }; // §3: unknown versions are silently ignored
  const type = TYPES[(first >> 4) & 3];
  if (type === undefined) return { type: 'foreign' };
  const tokenBytes = first & 0x0f;
  const code = datagram.readUInt8(1);
  const messageId = datagram.readUInt16BE(2);
  const malformed: Decoded = { type: 'malformed', messageType: type, messageId };

  if (code === 0) {
    if (datagram.length > HEADER_BYTES || tokenBytes > 0) return malformed; // §4.1: empty means empty
    return {
      type: 'message',
      message: { type, code, messageId, token: NO_BYTES, options: [], payload: NO_BYTES },
    };
  }
  const bodyAt = HEADER_BYTES + tokenBytes;
  if (tokenBytes > TOKEN_BYTES_MAX || bodyAt > datagram.length) return malformed; // §3: 9 to 15 are reserved
  const token = datagram.subarray(HEADER_BYTES, bodyAt);
  if (datagram.length > bytesMax) return { type: 'too-large', header: { type, code, messageId, token } };

  const body = decodeBody(datagram, bodyAt);
  if (body === undefined) return malformed;
  return { type: 'message', message: { type, code, messageId, token, ...body } };
}

/** Options and payload from `at` on (§3.1); undefined when they are not well-formed. */
function decodeBody(datagram: Buffer, at: number): Pick<Message, 'options' | 'payload'> | undefined {
  const options: Option[] = [];
  let number = 0;
  let next = at;
  while (next < datagram.length) {
    const head = datagram.readUInt8(next++);
    if (head === PAYLOAD_MARKER) {
      // §3: a marker with nothing behind it is a format error
      return next === datagram.length ? undefined : { options, payload: datagram.subarray(next) };
    }
    const delta = extended(datagram, next, head >> 4);
    if (delta === undefined) return undefined;
    const length = extended(datagram, delta.next, head & 0x0f);
    if (length === undefined) return undefined;
    number += delta.value;
    next = length.next + length.value;
    if (next > datagram.length || number > OPTION_NUMBER_MAX) return undefined;
    options.push({ number, value: datagram.subarray(length.next, next) });
  }
  return { options, payload: NO_BYTES };
}

const OPTION_NUMBER_MAX = 0xffff;
const ONE_BYTE = 13;
const TWO_BYTES = 14;
const RESERVED = 15;
const TWO_BYTES_FROM = 269;

/** A delta or length whose first four bits are `nibble`: 13 and 14 say that it goes on in one or two bytes (§3.1). */
function extended(
  datagram: Buffer,
  at: number,
  nibble: number,
): { readonly value: number; readonly next: number } | undefined {
  switch (nibble) {
    case ONE_BYTE:
      return at + 1 > datagram.length
        ? undefined
        : { value: datagram.readUInt8(at) + ONE_BYTE, next: at + 1 };
    case TWO_BYTES:
      return at + 2 > datagram.length
        ? undefined
        : { value: datagram.readUInt16BE(at) + TWO_BYTES_FROM, next: at + 2 };
    case RESERVED:
      return undefined;
    default:
      return { value: nibble, next: at };
  }
}

/** Writes a message. The options may come in any order. */
export function encode(message: Message): Buffer {
  const { type, code, messageId, token, payload } = message;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8((VERSION << 6) | (TYPES.indexOf(type) << 4) | token.length, 0);
  header.writeUInt8(code, 1);
  header.writeUInt16BE(messageId, 2);
  const parts: Buffer[] = [header, token];
  let number = 0;
  for (const option of [...message.options].sort((a, b) => a.number - b.number)) {
    parts.push(optionHead(option.number - number, option.value.length), option.value);
    number = option.number;
  }
  if (payload.length > 0) parts.push(Buffer.of(PAYLOAD_MARKER), payload);
  return Buffer.concat(parts);
}

function optionHead(delta: number, length: number): Buffer {
  const [deltaNibble, deltaBytes] = extend(delta);
  const [lengthNibble, lengthBytes] = extend(length);
  return Buffer.of((deltaNibble << 4) | lengthNibble, ...deltaBytes, ...lengthBytes);
}

function extend(value: number): readonly [nibble: number, bytes: readonly number[]] {
  if (value < ONE_BYTE) return [value, []];
  if (value < TWO_BYTES_FROM) return [ONE_BYTE, [value - ONE_BYTE]];
  const rest = value - TWO_BYTES_FROM;
  return [TWO_BYTES, [rest >> 8, rest & 0xff]];
}

/** An empty message: an acknowledgement or a reset of the message with this id. */
export function encodeEmpty(type: 'ACK' | 'RST', messageId: number): Buffer {
  return encode({ type, code: 0, messageId, token: NO_BYTES, options: [], payload: NO_BYTES });
}
