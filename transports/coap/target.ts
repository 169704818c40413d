/**
 * What a request asks for. Path rules as in ThingsBoard (facts 1.1): the feature's name in any case; segments behind it do
 * not matter, but for `claim/credentials`; neither does the Content-Format. Access tokens are part of the path: never log it.
 */
import { Code } from './codes.ts';
import { blockOf, OptionNumber, pathOf, SIZE_EXPONENT_MAX, uintOf } from './options.ts';
import { type Request, type Response, responseOf } from './request.ts';

export type Target =
  /** `GET /.well-known/core`: for anybody. */
  | { readonly type: 'core' }
  | { readonly type: Feature; readonly accessToken: string }
  | { readonly type: 'refused'; readonly response: Response };

type Feature =
  | 'claim'
  /** `GET …/claim/credentials`: the device's new credentials (O9). */
  | 'credentials'
  /** `GET …/attributes` */
  | 'attributes'
  /** The same with Observe: 0 begins, anything else ends (RFC 7641 §2). */
  | 'observe'
  | 'unobserve'
  /** `POST …/telemetry`, `POST …/attributes`, `POST …/rpc/{id}`, the answer to a call: of no use to claiming. */
  | 'dropped'
  /** `POST …/rpc`: a call by the device. */
  | 'call'
  /** `GET …/rpc` with Observe 0: a device that takes calls. */
  | 'take-calls';

export function targetOf({ code, options }: Request): Target {
  const has = (number: number): boolean => options.some((option) => option.number === number);
  if (has(OptionNumber.proxyUri) || has(OptionNumber.proxyScheme)) {
    return refuse(Code.proxyingNotSupported); // RFC 7252 §5.10.2
  }
  if (code !== Code.post && code !== Code.get) return refuse(Code.methodNotAllowed); // §5.8

  const path = pathOf(options);
  if (path === undefined) return refuse(Code.badRequest, 'the path is not UTF-8');
  const target = targetAt(path, code, uintOf(options, OptionNumber.observe));
  if (target.type === 'refused') return target;
  const block2 = blockOf(options, OptionNumber.block2);
  const isSound =
    block2 === undefined ||
    (block2.sizeExponent <= SIZE_EXPONENT_MAX && (code === Code.get || block2.number === 0));
  if (!isSound) return refuse(Code.badRequest, 'the answer has no such block');
  return target;
}

function targetAt(
  [first, second, ...rest]: readonly string[],
  code: number,
  observe: number | undefined,
): Target {
  if (first === '.well-known' && second === 'core' && rest.length === 0) {
    return code === Code.get ? { type: 'core' } : refuse(Code.methodNotAllowed);
  }
  if (first !== 'api' || second !== 'v1') return refuse(Code.notFound);
  // With one segment left it is the feature, of a device that shows a certificate; there are none without DTLS.
  const [accessToken, feature, what] = rest.length === 1 ? [undefined, rest[0]] : rest;
  const type = featureOf(feature?.toLowerCase(), what, code, observe);
  if (typeof type === 'object') return refuse(Code.badRequest, type.refused);
  return accessToken === undefined ? refuse(Code.unauthorized) : { type, accessToken };
}

function featureOf(
  name: string | undefined,
  what: string | undefined,
  code: number,
  observe: number | undefined,
): Feature | { readonly refused: string } {
  const isPost = code === Code.post;
  const observes = isPost || observe === undefined ? undefined : observe === 0 ? 'observe' : 'unobserve';
  switch (name) {
    case 'claim':
      if (isPost) return 'claim';
      if (what === 'credentials') return 'credentials';
      // In ThingsBoard any feature with Observe is the one of attributes (facts 1.6).
      return observes ?? { refused: 'a claim window is opened by POST' };
    case 'attributes':
      return isPost ? 'dropped' : (observes ?? 'attributes');
    case 'telemetry':
      return isPost ? 'dropped' : { refused: 'telemetry is sent by POST' };
    case 'rpc':
      if (isPost) return what !== undefined && CALL_ID.test(what) ? 'dropped' : 'call';
      if (observes === undefined) return { refused: 'calls are taken by Observe' };
      return observes === 'observe' ? 'take-calls' : 'unobserve';
    default:
      return { refused: 'no such feature of the device API' };
  }
}

/** A 32-bit integer in ThingsBoard. */
const CALL_ID = /^-?\d{1,10}$/;

function refuse(code: number, why = ''): Extract<Target, { type: 'refused' }> {
  return { type: 'refused', response: responseOf(code, why) };
}
