/**
 * The properties of a version 5 CONNECT (section 3.1.2.11), looked at before the codec reads them: each may stand there once
 * at most, except user properties, and no others may. The codec keeps the last of several, or a list where one value is meant.
 */

/** How long a value is: so many bytes, or as its own two bytes of length say, once or twice. */
type Shape = 1 | 2 | 4 | 'text' | 'pair';

const SHAPES: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [0x11, 4], // Session Expiry Interval
  [0x15, 'text'], // Authentication Method
  [0x16, 'text'], // Authentication Data
  [0x17, 1], // Request Problem Information
  [0x19, 1], // Request Response Information
  [0x21, 2], // Receive Maximum
  [0x22, 2], // Topic Alias Maximum
  [0x26, 'pair'], // User Property
  [0x27, 4], // Maximum Packet Size
]);
const USER_PROPERTY = 0x26;
const LENGTH_BYTES_MAX = 4;

/** @param start where the length of the properties is. `repeated`: a protocol error (section 3.1.2.11). */
export function checkConnectProperties(bytes: Buffer, start: number): 'sound' | 'repeated' | 'malformed' {
  const length = variableLength(bytes, start);
  if (length === undefined) return 'malformed';
  const end = length.next + length.value;
  if (end > bytes.length) return 'malformed';
  const seen = new Set<number>();
  let at = length.next;
  while (at < end) {
    const id = bytes[at] ?? 0;
    const shape = SHAPES.get(id);
    if (shape === undefined) return 'malformed';
    if (seen.has(id) && id !== USER_PROPERTY) return 'repeated';
    seen.add(id);
    const after = valueEnd(bytes, at + 1, shape);
    if (after > end) return 'malformed';
    at = after;
  }
  return 'sound';
}

function valueEnd(bytes: Buffer, at: number, shape: Shape): number {
  if (typeof shape === 'number') return at + shape;
  const end = textEnd(bytes, at);
  return shape === 'pair' ? textEnd(bytes, end) : end;
}

function textEnd(bytes: Buffer, at: number): number {
  return at + 2 > bytes.length ? Number.POSITIVE_INFINITY : at + 2 + bytes.readUInt16BE(at);
}

function variableLength(
  bytes: Buffer,
  start: number,
): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let digits = 0; digits < LENGTH_BYTES_MAX; digits += 1) {
    const digit = bytes[start + digits];
    if (digit === undefined) return undefined;
    value += (digit & 0x7f) * 0x80 ** digits;
    if (digit < 0x80) return { value, next: start + digits + 1 };
  }
  return undefined;
}
