/** CoAP's codes (RFC 7252 §12.1, RFC 7959 §2.9, RFC 8132 §4): three bits of class, five of detail, read `c.dd`. */

const code = (classOf: number, detail: number): number => (classOf << 5) | detail;

export const Code = {
  empty: 0,

  get: code(0, 1),
  post: code(0, 2),
  put: code(0, 3),
  delete: code(0, 4),

  created: code(2, 1),
  deleted: code(2, 2),
  valid: code(2, 3),
  content: code(2, 5),
  continue: code(2, 31),

  badRequest: code(4, 0),
  unauthorized: code(4, 1),
  badOption: code(4, 2),
  notFound: code(4, 4),
  methodNotAllowed: code(4, 5),
  notAcceptable: code(4, 6),
  requestEntityIncomplete: code(4, 8),
  conflict: code(4, 9),
  requestEntityTooLarge: code(4, 13),
  /** RFC 8516. */
  tooManyRequests: code(4, 29),

  internalServerError: code(5, 0),
  notImplemented: code(5, 1),
  serviceUnavailable: code(5, 3),
  proxyingNotSupported: code(5, 5),
} as const;

/** What a request may be answered with: classes 2, 4 and 5. */
export const ANSWER_CODES: readonly number[] = Object.values(Code).filter((value) => value >> 5 >= 2);

/** Class 0 without the empty code: a method, known or not. */
export function isRequest(value: number): boolean {
  return value >> 5 === 0 && value !== Code.empty;
}

/** For people: `4.09`. */
export function showCode(value: number): string {
  return `${value >> 5}.${String(value & 0x1f).padStart(2, '0')}`;
}
