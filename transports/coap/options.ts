/**
 * CoAP's options as far as the device API needs them (RFC 7252 §5.10, RFC 7959, RFC 9175).
 *
 * An odd number is critical: a server that does not understand it must not act on the message (§5.4.1). An option that is
 * repeated without being repeatable, or has a wrong length, counts as not understood (§5.4.3, §5.4.5).
 */
import { isUtf8 } from 'node:buffer';
import { NO_BYTES, type Option } from './message.ts';

export const OptionNumber = {
  uriHost: 3,
  etag: 4,
  observe: 6,
  uriPort: 7,
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  accept: 17,
  block2: 23,
  block1: 27,
  size2: 28,
  proxyUri: 35,
  proxyScheme: 39,
  size1: 60,
  requestTag: 292,
} as const;

/** RFC 7252 §12.3. */
export const ContentFormat = { linkFormat: 40, json: 50 } as const;

interface Form {
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly repeatable?: true;
}

const FORMS: ReadonlyMap<number, Form> = new Map<number, Form>([
  [OptionNumber.uriHost, { bytesMin: 1, bytesMax: 255 }],
  [OptionNumber.observe, { bytesMin: 0, bytesMax: 3 }],
  [OptionNumber.uriPort, { bytesMin: 0, bytesMax: 2 }],
  [OptionNumber.uriPath, { bytesMin: 0, bytesMax: 255, repeatable: true }],
  [OptionNumber.uriQuery, { bytesMin: 0, bytesMax: 255, repeatable: true }],
  [OptionNumber.accept, { bytesMin: 0, bytesMax: 2 }],
  [OptionNumber.block2, { bytesMin: 0, bytesMax: 3 }],
  [OptionNumber.block1, { bytesMin: 0, bytesMax: 3 }],
  [OptionNumber.proxyUri, { bytesMin: 1, bytesMax: 1034 }],
  [OptionNumber.proxyScheme, { bytesMin: 1, bytesMax: 255 }],
  [OptionNumber.size1, { bytesMin: 0, bytesMax: 4 }],
  [OptionNumber.requestTag, { bytesMin: 0, bytesMax: 8, repeatable: true }],
]);

/** The first critical option that is not understood, by its number. */
export function badOption(options: readonly Option[]): number | undefined {
  let previous = -1;
  for (const { number, value } of options) {
    const form = FORMS.get(number);
    const understood =
      form !== undefined && fits(form, value) && (form.repeatable === true || number !== previous);
    if (!understood && number % 2 === 1) return number;
    previous = number;
  }
  return undefined;
}

/** The values of one option; those with a wrong length are ignored (§5.4.3). */
export function valuesOf(options: readonly Option[], number: number): Buffer[] {
  const form = FORMS.get(number);
  return options
    .filter((option) => option.number === number && (form === undefined || fits(form, option.value)))
    .map((option) => option.value);
}

function fits({ bytesMin, bytesMax }: Form, value: Buffer): boolean {
  return value.length >= bytesMin && value.length <= bytesMax;
}

/** The segments of the path; undefined when one is not UTF-8 (§3.2: strings are). */
export function pathOf(options: readonly Option[]): string[] | undefined {
  const segments = valuesOf(options, OptionNumber.uriPath);
  return segments.every((segment) => isUtf8(segment))
    ? segments.map((segment) => segment.toString())
    : undefined;
}

/** The value of an option that is a number: big-endian, without leading zeros, 0 as no bytes at all (§3.2). */
export function uintOf(options: readonly Option[], number: number): number | undefined {
  const value = valuesOf(options, number)[0];
  return value === undefined ? undefined : readUint(value);
}

function readUint(value: Buffer): number {
  return value.length === 0 ? 0 : value.readUIntBE(0, value.length);
}

export function uintOption(number: number, value: number): Option {
  let bytes = 0;
  while (2 ** (8 * bytes) <= value) bytes += 1;
  if (bytes === 0) return { number, value: NO_BYTES };
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return { number, value: buffer };
}

/** A block of a payload that comes in several (RFC 7959 §2.2). */
export interface Block {
  readonly number: number;
  /** Whether further blocks follow. */
  readonly more: boolean;
  /** The block's size is 2^(4 + sizeExponent) bytes: 16 … 1024. 7 is reserved. */
  readonly sizeExponent: number;
}

export const SIZE_EXPONENT_MAX = 6;

export function blockOf(options: readonly Option[], number: number): Block | undefined {
  const value = uintOf(options, number);
  if (value === undefined) return undefined;
  return { number: value >> 4, more: (value & 8) !== 0, sizeExponent: value & 7 };
}

export function blockOption(number: number, block: Block): Option {
  return uintOption(number, (block.number << 4) | (block.more ? 8 : 0) | block.sizeExponent);
}

export function blockBytes({ sizeExponent }: Block): number {
  return 2 ** (4 + sizeExponent);
}
