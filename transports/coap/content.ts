/**
 * Answers with content: in one datagram, or in the block that was asked for (RFC 7959 §2.4). Nothing is kept between two
 * blocks; the ETag tells the client whether both are of one content.
 */
import { createHash } from 'node:crypto';
import { Code } from './codes.ts';
import type { Option } from './message.ts';
import { blockBytes, blockOf, blockOption, OptionNumber, SIZE_EXPONENT_MAX, uintOption } from './options.ts';
import { type Request, type Response, responseOf } from './request.ts';

const ETAG_BYTES = 8;
/** A larger content goes in blocks, which are no larger than this. */
const CONTENT_BYTES_MAX = 2 ** (4 + SIZE_EXPONENT_MAX);

/** 2.05 with this content, or with the part of it that the request asks for. */
export function contentResponse({ options }: Request, content: Buffer, format: number): Response {
  const formatOption = uintOption(OptionNumber.contentFormat, format);
  const wanted = blockOf(options, OptionNumber.block2);
  if (wanted === undefined && content.length <= CONTENT_BYTES_MAX) {
    return { code: Code.content, options: [formatOption], payload: content };
  }
  const { number, sizeExponent } = wanted ?? { number: 0, sizeExponent: SIZE_EXPONENT_MAX };
  const bytes = blockBytes({ number, more: false, sizeExponent });
  const from = number * bytes;
  if (number > 0 && from >= content.length)
    return responseOf(Code.badRequest, 'the answer has no such block');
  const more = from + bytes < content.length;
  return {
    code: Code.content,
    options: [
      etagOf(content),
      formatOption,
      blockOption(OptionNumber.block2, { number, more, sizeExponent }),
      uintOption(OptionNumber.size2, content.length),
    ],
    payload: content.subarray(from, from + bytes),
  };
}

function etagOf(content: Buffer): Option {
  const value = createHash('sha256').update(content).digest().subarray(0, ETAG_BYTES);
  return { number: OptionNumber.etag, value };
}
