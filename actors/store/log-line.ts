/**
 * An event as a line of text in a log: "<stream> <sequence> <event>".
 *
 * The log is what a device's life costs on the disk, so LMDB's lines are packed: a stream that is a UUID is written in base64,
 * and frequent pieces of JSON as one control character, which JSON texts never hold. The pieces are a format: one that
 * was written is read for ever, and new ones are added at the end.
 */
import type { LoggedEvent } from '../journal/journal.ts';

export function parseLogged(line: string): LoggedEvent {
  const first = line.indexOf(' ');
  const second = line.indexOf(' ', first + 1);
  return {
    stream: line.slice(0, first),
    sequence: Number(line.slice(first + 1, second)),
    event: line.slice(second + 1),
  };
}

/** Reads a packed line, or the line of an event in JSON that is not packed. */
export function unpackedLine(line: string): LoggedEvent {
  const { stream, sequence, event } = parseLogged(line);
  return {
    stream: stream.startsWith(UUID_MARK) ? unpackedUuid(stream.slice(1)) : stream,
    sequence,
    event: unpackedText(event),
  };
}

/** `unpackedLine` reads it back. */
export function packedLine(stream: string, sequence: number, event: string): string {
  return `${packedName(stream)} ${sequence} ${packedText(event)}`;
}

const UUID_MARK = '\u001e';
/** Before an event that is not packed. */
const PLAIN_MARK = '\u001d';
/** Where a UUID has a dash. */
const DASHES: readonly number[] = [8, 13, 18, 23];
const UUID_LENGTH = 36;
const UUID_DIGITS = 32;
const DASH = 0x2d;

/** Of a code below 128 the value of the hexadecimal digit, in lower case as ids have it; -1 of any other. */
const HEX = Int8Array.from({ length: 128 }, (_, code) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(code)),
);
/** All pairs of digits of base64url: 12 bits, as three hexadecimal digits have. */
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const BASE64_PAIRS = [...BASE64].flatMap((first) => [...BASE64].map((second) => first + second));

/** By hand, three hexadecimal digits at a time: it is done for each event, and by a buffer it takes three times as long. */
function packedName(stream: string): string {
  if (stream.length !== UUID_LENGTH) return stream;
  let packed = UUID_MARK;
  let bits = 0;
  let digits = 0;
  for (let at = 0; at < UUID_LENGTH; at += 1) {
    const code = stream.charCodeAt(at);
    if (code === DASH && DASHES.includes(at)) continue;
    const digit = HEX[code] ?? -1;
    if (digit < 0) return stream;
    bits = (bits << 4) | digit;
    digits += 1;
    if (digits % 3 !== 0) continue;
    packed += BASE64_PAIRS[bits];
    bits = 0;
  }
  // 32 digits are ten times three, and two: a whole byte, with four bits of nothing behind it.
  return digits === UUID_DIGITS ? `${packed}${BASE64_PAIRS[bits << 4]}` : stream;
}

/** Every event that is read passes here, so it is made once. */
const uuidBytes = Buffer.alloc(16);
/** In base64. */
const UUID_CHARS = 22;

function unpackedUuid(packed: string): string {
  // Of a damaged one only what it says itself: bytes of the one before would make it another device's.
  const isWhole = packed.length === UUID_CHARS && uuidBytes.write(packed, 'base64url') === uuidBytes.length;
  const hex = (isWhole ? uuidBytes : Buffer.from(packed, 'base64url')).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Each is tried once per event, longer ones before those that they contain. NUL, line feed and the marks are no codes. */
const PIECES: readonly (readonly [code: string, piece: string])[] = [
  ['\u0001', '{"v":1,"type":"ClaimWindowOpened","at":'],
  ['\u0002', ',"secretDigest":"'],
  ['\u0003', '","closesAt":'],
  ['\u0004', ',"openedBy":"device"}'],
  ['\u0005', ',"openedBy":"gateway"'],
  ['\u0006', '{"v":1,"type":"ClaimWindowExpired","at":'],
];
/** How frequent events begin that hold none of them: it is not looked for what is not there. */
const WITHOUT_PIECES = ['{"v":1,"type":"DeviceClaimed",', '{"v":1,"type":"DeviceReclaimed",'];
const CODES = new Map(PIECES);
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are the codes
const ANY_CODE = /[\u0001-\u0006]/g;
/** Before an instant of 13 digits that is written as 8 of base 36, which does until the year 2059. */
const INSTANT_MARK = '\u0007';
const INSTANT_DIGITS = 13;
const INSTANT_END = 36 ** 8;
// biome-ignore lint/suspicious/noControlCharactersInRegex: likewise
const PACKED_INSTANT = /\u0007([0-9a-z]{8})/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: likewise
const CONTROL = /[\u0000-\u001f]/;

/** The event that is written most, whose pieces stand where they always do. Like what `packedText` makes of it, in one look. */
const OPENED = '{"v":1,"type":"ClaimWindowOpened","at":';
const DIGEST = ',"secretDigest":"';
const CLOSES = '","closesAt":';
const BY_DEVICE = ',"openedBy":"device"}';
const DIGEST_AT = OPENED.length + INSTANT_DIGITS + DIGEST.length;
/** A digest is SHA-256 in base64url. */
const DIGEST_CHARS = 43;
const CLOSES_AT = DIGEST_AT + DIGEST_CHARS + CLOSES.length;
const OPENED_LENGTH = CLOSES_AT + INSTANT_DIGITS + BY_DEVICE.length;
const BASE64URL = /^[\w-]+$/;

/** Undefined for any other event. Slices are compared because that is quicker than to ask what a text starts with. */
function packedOpening(event: string): string | undefined {
  if (event.length !== OPENED_LENGTH) return undefined;
  const pieces =
    event.slice(0, OPENED.length) === OPENED &&
    event.slice(DIGEST_AT - DIGEST.length, DIGEST_AT) === DIGEST &&
    event.slice(CLOSES_AT - CLOSES.length, CLOSES_AT) === CLOSES &&
    event.slice(-BY_DEVICE.length) === BY_DEVICE;
  if (!pieces) return undefined;
  const at = instantAt(event, OPENED.length);
  const closesAt = instantAt(event, CLOSES_AT);
  const digest = event.slice(DIGEST_AT, DIGEST_AT + DIGEST_CHARS);
  if (at === undefined || closesAt === undefined || !BASE64URL.test(digest)) return undefined;
  return `\u0001${packedInstant(at)}\u0002${digest}\u0003${packedInstant(closesAt)}\u0004`;
}

/** All pairs of digits of base 36: by them a number is written ten times as fast as by `toString`. */
const PAIRS = Array.from({ length: 36 ** 2 }, (_, pair) => pair.toString(36).padStart(2, '0'));

/** An instant of 13 digits, in 8 of base 36. */
function packedInstant(instant: number): string {
  const high = Math.floor(instant / 36 ** 4);
  const low = instant - high * 36 ** 4;
  return INSTANT_MARK + fourDigits(high) + fourDigits(low);
}

function fourDigits(number: number): string {
  const high = Math.floor(number / 36 ** 2);
  return `${PAIRS[high]}${PAIRS[number - high * 36 ** 2]}`;
}

function packedText(event: string): string {
  const opening = packedOpening(event);
  if (opening !== undefined) return opening;
  if (CONTROL.test(event)) return PLAIN_MARK + event; // no JSON text of ours
  let text = packedInstants(event);
  if (WITHOUT_PIECES.some((beginning) => event.slice(0, beginning.length) === beginning)) return text;
  for (const [code, piece] of PIECES) text = text.replace(piece, code);
  return text;
}

/** By hand: it is done for each event, and a regular expression takes twice as long. */
function packedInstants(event: string): string {
  let packed = '';
  let done = 0;
  for (let at = event.indexOf(':') + 1; at > 0; at = event.indexOf(':', at) + 1) {
    const instant = instantAt(event, at);
    if (instant === undefined) continue;
    packed += event.slice(done, at) + packedInstant(instant);
    done = at + INSTANT_DIGITS;
  }
  return packed + event.slice(done);
}

/** The member's value, where that is an instant of 13 digits. */
function instantAt(event: string, from: number): number | undefined {
  const first = event.charAt(from);
  if (first !== '1' && first !== '2') return undefined;
  const end = from + INSTANT_DIGITS;
  const behind = event.charAt(end);
  if (behind !== ',' && behind !== '}') return undefined;
  let instant = 0;
  for (let at = from; at < end; at += 1) {
    const digit = event.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    instant = 10 * instant + digit;
  }
  return instant < INSTANT_END ? instant : undefined;
}

/** What `packedOpening` makes, which most events are. */
const PACKED_OPENING =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: likewise
  /^\u0001\u0007([0-9a-z]{8})\u0002([\w-]{43})\u0003\u0007([0-9a-z]{8})\u0004$/;

function unpackedText(text: string): string {
  const [whole, at = '', digest, closesAt = ''] = PACKED_OPENING.exec(text) ?? [];
  if (whole !== undefined) {
    return `${OPENED}${unpackedInstant(at)}${DIGEST}${digest}${CLOSES}${unpackedInstant(closesAt)}${BY_DEVICE}`;
  }
  if (text.startsWith(PLAIN_MARK)) return text.slice(1);
  return text
    .replace(PACKED_INSTANT, (_, packed: string) => unpackedInstant(packed))
    .replace(ANY_CODE, (code) => CODES.get(code) ?? code);
}

function unpackedInstant(packed: string): string {
  return String(Number.parseInt(packed, 36));
}
