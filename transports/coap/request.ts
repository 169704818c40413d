/** A request to be served, and its response: without message types, ids and retransmission. */
import type { ReasonCode } from '../../actors/claiming/reasons.ts';
import { Code } from './codes.ts';
import type { Option } from './message.ts';
import { blockOption, OptionNumber, SIZE_EXPONENT_MAX, uintOption } from './options.ts';

export interface Request {
  /** Names who asks: an address with its port. */
  readonly peer: string;
  /** The address alone, and the port alone. */
  readonly address: string;
  readonly port: number;
  /** What the answer carries, so that who asks knows to what. */
  readonly token: Buffer;
  readonly code: number;
  readonly options: readonly Option[];
  readonly payload: Buffer;
}

export interface Response {
  readonly code: number;
  readonly options: readonly Option[];
  readonly payload: Buffer;
}

/** A response with nothing in it but its code, a word for a person, and options. */
export function responseOf(code: number, diagnostic = '', options: readonly Option[] = []): Response {
  return { code, options, payload: Buffer.from(diagnostic) };
}

/** 5.03, and when to ask again (RFC 7252 §5.9.3.4). */
export function unavailableResponse(retryAfterSeconds: number): Response {
  return responseOf(Code.serviceUnavailable, '', [uintOption(OptionNumber.maxAge, retryAfterSeconds)]);
}

/** RFC 7252 §5.4.1: a critical option that is not understood. */
export function badOptionResponse(option: number): Response {
  return responseOf(Code.badOption, `option ${option}`);
}

/** RFC 8516 §3: Max-Age says when to come back. */
export function tooManyResponse(
  why: ReasonCode,
  retryAfterMs: number,
  more: readonly Option[] = [],
): Response {
  const maxAge = uintOption(OptionNumber.maxAge, Math.ceil(retryAfterMs / 1000));
  return responseOf(Code.tooManyRequests, why, [maxAge, ...more]);
}

/** RFC 7959 §2.9.3: 4.13 with the limit, and to who sent all in one, in which blocks to send it. */
export function tooLargeResponse(payloadBytesMax: number, more?: readonly Option[]): Response {
  const inBlocks = blockOption(OptionNumber.block1, {
    number: 0,
    more: false,
    sizeExponent: SIZE_EXPONENT_MAX,
  });
  return responseOf(Code.requestEntityTooLarge, '', [
    uintOption(OptionNumber.size1, payloadBytesMax),
    ...(more ?? [inBlocks]),
  ]);
}
