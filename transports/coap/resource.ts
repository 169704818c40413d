/**
 * What the CoAP server serves: `POST /api/v1/{access token}/claim` opens a claim window. The code is the outcome, once it is
 * durable (rule O6); a diagnostic payload says more to a person (RFC 7252 §5.5.2).
 *
 *   2.01 Created      empty: the window is open, or the reset is done   (ThingsBoard: also when it silently refused)
 *   2.01 Created      with the payload `pending`: the window waits for the tenant's approval (O9)
 *   2.05 Content      `GET …/claim/credentials`: the device's new credentials, as JSON (O9)
 *   4.09 Conflict     refused; the payload is the reason: `already-claimed`
 *   4.00              malformed (`malformed: secretKey is not text`); not a feature; GET
 *   4.01              unknown or revoked token
 *   4.04              not below `/api/v1`
 *   4.05              PUT, DELETE and later methods
 *   4.29              too many claim windows of this device, or too many wrong tokens of its address; Max-Age says when to
 *                     ask again
 *   5.00              the device's profile is for another transport; a bug
 *   4.08, 4.13        blocks that do not fit together; too large, with the limit in Size1
 *   5.03              the store or this process cannot serve now; Max-Age says when to ask again
 *
 * Path rules as in ThingsBoard (facts 1.1): the feature's name in any case, segments behind it do not matter; neither do
 * query and Content-Format. Access tokens are part of the path: never log the path.
 */

import type { Log } from '../../actors/base/log.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { Claiming } from '../../actors/claiming/claiming.ts';
import type { ClaimOutcome } from '../../actors/claiming/outcome.ts';
import { readClaimPayload } from '../../actors/claiming/payload.ts';
import { type ReasonCode, toldAs } from '../../actors/claiming/reasons.ts';
import type { TokenGuard } from '../../actors/claiming/wrong-tokens.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { ifUnavailable } from '../../actors/journal/unavailable.ts';
import { Code } from './codes.ts';
import type { Option } from './message.ts';
import {
  type Block,
  blockBytes,
  blockOf,
  blockOption,
  OptionNumber,
  pathOf,
  SIZE_EXPONENT_MAX,
  uintOf,
  uintOption,
  valuesOf,
} from './options.ts';
import { type Request, type Response, responseOf, unavailableResponse } from './request.ts';
import type { CoapSettings } from './settings.ts';
import type { CoapDevice, Received, Uploads } from './uploads.ts';

export interface ResourceOptions {
  readonly settings: CoapSettings;
  readonly claiming: Claiming;
  readonly guard: TokenGuard;
  readonly uploads: Uploads;
  readonly profiles: Pick<Profiles, 'payloadRules'>;
  readonly log: Log;
}

/** RFC 7252 §12.3: application/json. */
const JSON_FORMAT = uintOption(OptionNumber.contentFormat, 50);

const OTHER_TRANSPORT = "the device's profile is for another transport";

/** What a claim is answered with besides its outcome: for a claim in blocks, which block this was. */
type More = readonly Option[];

/** Returns how a request is served. What it returns rejects for bugs only. */
export function createResource(options: ResourceOptions): (request: Request) => Promise<Response> {
  const { settings, claiming, guard, uploads, profiles, log } = options;

  const unavailable = (): Response => unavailableResponse(settings.retryAfterSeconds);

  /** The device with this token, or what to answer when there is none. */
  async function lookUp({ address }: Request, accessToken: string): Promise<Authenticated> {
    const admission = await guard.admit(address, () => claiming.authenticate(accessToken));
    switch (admission.type) {
      case 'unknown':
        return refused(responseOf(Code.unauthorized));
      case 'blocked':
        return refused(tooManyResponse('too-many-wrong-tokens', admission.retryAfterMs));
      case 'admitted': {
        const payloadRules = await profiles.payloadRules(admission.device, 'COAP');
        if (payloadRules === undefined) return refused(responseOf(Code.internalServerError, OTHER_TRANSPORT));
        return { type: 'device', device: { ...admission.device, format: payloadRules.format } };
      }
      default:
        return unreachable(admission);
    }
  }

  function authenticate(request: Request, accessToken: string): Promise<Authenticated> {
    return lookUp(request, accessToken).catch(
      ifUnavailable((error) => {
        log.warn({ err: error }, 'coap: a device could not be looked up');
        return refused(unavailable());
      }),
    );
  }

  async function claim(device: CoapDevice, payload: Buffer, more: More = []): Promise<Response> {
    const request = readClaimPayload(payload, device.format);
    const outcome = request.type === 'malformed' ? request : await claiming.initiate(device, request);
    return responseTo(outcome, more, unavailable);
  }

  async function claimInBlocks(request: Request, accessToken: string, block: Block): Promise<Response> {
    if (!isSound(block, request.payload)) return responseOf(Code.badRequest, 'the block is not sound');
    const own: More = [blockOption(OptionNumber.block1, block)];
    const key = uploadKey(request);
    if (block.number > 0) return afterBlock(uploads.append(key, block, request.payload), own);

    const authenticated = await authenticate(request, accessToken);
    if (authenticated.type === 'refused') return authenticated.response;
    const { device } = authenticated;
    if (!block.more) return claim(device, request.payload, own);
    return afterBlock(uploads.begin(key, device, request.payload), own);
  }

  async function newCredentials(request: Request, accessToken: string): Promise<Response> {
    const authenticated = await authenticate(request, accessToken);
    if (authenticated.type === 'refused') return authenticated.response;
    const fetched = await claiming.fetchCredentials(authenticated.device);
    switch (fetched.type) {
      case 'fetched':
        return responseOf(Code.content, JSON.stringify(fetched.message), [JSON_FORMAT]);
      case 'revoked':
        return responseOf(Code.unauthorized);
      case 'unavailable':
        return unavailable();
      default:
        return unreachable(fetched);
    }
  }

  function afterBlock(received: Received, own: More): Response | Promise<Response> {
    switch (received.type) {
      case 'continue':
        return responseOf(Code.continue, '', own);
      case 'complete':
        return claim(received.device, received.payload, own);
      case 'incomplete':
        return responseOf(Code.requestEntityIncomplete, '', own);
      case 'too-large':
        return tooLargeResponse(settings, own);
      default:
        return unreachable(received);
    }
  }

  return async (request) => {
    const target = targetOf(request);
    if (target.type === 'refused') return target.response;
    const { accessToken } = target;
    const size = uintOf(request.options, OptionNumber.size1) ?? 0; // RFC 7959 §4: what all blocks will come to
    if (Math.max(size, request.payload.length) > settings.payloadBytesMax) return tooLargeResponse(settings);

    if (target.type === 'credentials') return newCredentials(request, accessToken);
    const block = blockOf(request.options, OptionNumber.block1);
    if (block !== undefined) return claimInBlocks(request, accessToken, block);
    const authenticated = await authenticate(request, accessToken);
    return authenticated.type === 'refused'
      ? authenticated.response
      : claim(authenticated.device, request.payload);
  };
}

type Authenticated =
  | { readonly type: 'device'; readonly device: CoapDevice }
  | { readonly type: 'refused'; readonly response: Response };

function refused(response: Response): Extract<Authenticated, { type: 'refused' }> {
  return { type: 'refused', response };
}

type Target =
  | { readonly type: 'claim' | 'credentials'; readonly accessToken: string }
  | { readonly type: 'refused'; readonly response: Response };

function targetOf({ code, options }: Request): Target {
  const refuse = (refusal: number, why = ''): Target => refused(responseOf(refusal, why));

  const isFor = (number: number): boolean => options.some((option) => option.number === number);
  if (isFor(OptionNumber.proxyUri) || isFor(OptionNumber.proxyScheme)) {
    return refuse(Code.proxyingNotSupported); // RFC 7252 §5.10.2
  }
  if (code !== Code.post && code !== Code.get) return refuse(Code.methodNotAllowed); // §5.8

  const path = pathOf(options);
  if (path === undefined) return refuse(Code.badRequest, 'the path is not UTF-8');
  const [api, version, ...rest] = path;
  if (api !== 'api' || version !== 'v1') return refuse(Code.notFound);
  // With one segment left it is the feature, of a device that shows a certificate; there are none without DTLS.
  const [accessToken, feature, what] = rest.length === 1 ? [undefined, rest[0]] : rest;
  if (feature?.toLowerCase() !== 'claim') return refuse(Code.badRequest, 'no such feature of the device API');
  const asks = code === Code.get && what === 'credentials';
  if (code === Code.get && !asks) return refuse(Code.badRequest, 'a claim window is opened by POST');
  if (accessToken === undefined) return refuse(Code.unauthorized);

  const block2 = blockOf(options, OptionNumber.block2); // of our answer, which has one block
  if (block2 !== undefined && (block2.number > 0 || block2.sizeExponent > SIZE_EXPONENT_MAX)) {
    return refuse(Code.badRequest, 'the answer has no such block');
  }
  return { type: asks ? 'credentials' : 'claim', accessToken };
}

/** RFC 7959 §2.2: size exponent 7 is reserved; a block that others follow is full, the last one may be shorter. */
function isSound(block: Block, payload: Buffer): boolean {
  if (block.sizeExponent > SIZE_EXPONENT_MAX) return false;
  return block.more ? payload.length === blockBytes(block) : payload.length <= blockBytes(block);
}

/** Which blocks belong together: those of one endpoint, to one path, with one request tag (RFC 9175 §3). */
function uploadKey({ peer, options }: Request): string {
  const values = (number: number) => valuesOf(options, number).map((value) => value.toString('hex'));
  return [peer, values(OptionNumber.uriPath), values(OptionNumber.requestTag)].join(' ');
}

function responseTo(outcome: ClaimOutcome, more: More, unavailable: () => Response): Response {
  switch (outcome.type) {
    case 'opened':
      return responseOf(Code.created, outcome.pending ? 'pending' : '', more);
    case 'released':
      return responseOf(Code.created, '', more);
    case 'refused':
      return outcome.retryAfterMs === undefined
        ? responseOf(Code.conflict, outcome.reason, more)
        : tooManyResponse(outcome.reason, outcome.retryAfterMs, more);
    case 'malformed':
      return responseOf(Code.badRequest, toldAs('malformed', outcome.why), more);
    case 'revoked':
      return responseOf(Code.unauthorized, '', more);
    case 'unavailable': {
      const response = unavailable();
      return { ...response, options: [...response.options, ...more] };
    }
    default:
      return unreachable(outcome);
  }
}

/** RFC 8516 §3: Max-Age says when to come back. */
function tooManyResponse(why: ReasonCode, retryAfterMs: number, more: More = []): Response {
  const maxAge = uintOption(OptionNumber.maxAge, Math.ceil(retryAfterMs / 1000));
  return responseOf(Code.tooManyRequests, why, [maxAge, ...more]);
}

/** RFC 7959 §2.9.3: 4.13 with the limit, and to who sent all in one, in which blocks to send it. */
export function tooLargeResponse(settings: CoapSettings, more?: More): Response {
  const inBlocks = blockOption(OptionNumber.block1, {
    number: 0,
    more: false,
    sizeExponent: SIZE_EXPONENT_MAX,
  });
  return responseOf(Code.requestEntityTooLarge, '', [
    uintOption(OptionNumber.size1, settings.payloadBytesMax),
    ...(more ?? [inBlocks]),
  ]);
}
