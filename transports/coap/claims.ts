/** `POST …/claim`: in one datagram, or in blocks (RFC 7959). */
import type { TraceSpan, Tracing } from '../../actors/base/tracing.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { endOfClaim } from '../../actors/claiming/claim-spans.ts';
import type { Claiming } from '../../actors/claiming/claiming.ts';
import type { ClaimOutcome } from '../../actors/claiming/outcome.ts';
import { type ClaimRequest, readClaimPayload } from '../../actors/claiming/payload.ts';
import { toldAs } from '../../actors/claiming/reasons.ts';
import type { Admit } from './admission.ts';
import { Code } from './codes.ts';
import type { Option } from './message.ts';
import {
  type Block,
  blockBytes,
  blockOf,
  blockOption,
  OptionNumber,
  SIZE_EXPONENT_MAX,
  valuesOf,
} from './options.ts';
import {
  type Request,
  type Response,
  responseOf,
  tooLargeResponse,
  tooManyResponse,
  unavailableResponse,
} from './request.ts';
import type { CoapDevice, Received, Uploads } from './uploads.ts';

export interface ClaimNeeds {
  readonly settings: { readonly retryAfterSeconds: number; readonly payloadBytesMax: number };
  readonly claiming: Pick<Claiming, 'initiate'>;
  readonly uploads: Uploads;
  readonly admit: Admit;
  readonly tracing?: Tracing | undefined;
}

/** What a claim is answered with besides its outcome: for a claim in blocks, which block this was. */
type More = readonly Option[];

export function createClaims(
  needs: ClaimNeeds,
): (request: Request, accessToken: string) => Promise<Response> {
  const { settings, claiming, uploads, admit, tracing } = needs;

  async function claim(device: CoapDevice, payload: Buffer, more: More = []): Promise<Response> {
    const request = readClaimPayload(payload, device.format);
    const outcome = request.type === 'malformed' ? request : await initiate(device, request);
    return responseTo(outcome, more, settings.retryAfterSeconds);
  }

  async function initiate(device: CoapDevice, request: ClaimRequest): Promise<ClaimOutcome> {
    const span = spanOf(tracing);
    const outcome = await claiming.initiate(device, request, false, undefined, span?.text);
    endOfClaim(span, outcome);
    return outcome;
  }

  async function claimInBlocks(request: Request, accessToken: string, block: Block): Promise<Response> {
    if (!isSound(block, request.payload)) return responseOf(Code.badRequest, 'the block is not sound');
    const own: More = [blockOption(OptionNumber.block1, block)];
    const key = uploadKey(request);
    if (block.number > 0) return afterBlock(uploads.append(key, block, request.payload), own);

    const admitted = await admit(request, accessToken);
    if (admitted.type === 'refused') return admitted.response;
    const { device } = admitted;
    if (!block.more) return claim(device, request.payload, own);
    return afterBlock(uploads.begin(key, device, request.payload), own);
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
        return tooLargeResponse(settings.payloadBytesMax, own);
      default:
        return unreachable(received);
    }
  }

  return async (request, accessToken) => {
    const block = blockOf(request.options, OptionNumber.block1);
    if (block !== undefined) return claimInBlocks(request, accessToken, block);
    const admitted = await admit(request, accessToken);
    return admitted.type === 'refused' ? admitted.response : claim(admitted.device, request.payload);
  };
}

/** There is no way for a trace context over CoAP, so a trace begins here, where one is chosen. Undefined: it is not traced. */
function spanOf(tracing: Tracing | undefined): TraceSpan | undefined {
  const origin = tracing?.sample({}, 'device');
  if (origin === undefined || origin === 'silenced' || origin === 'unknown') return undefined;
  const attributes = { 'network.protocol.name': 'coap', 'network.transport': 'udp' };
  return tracing?.start({ ...origin, kind: 'server', name: 'POST api/v1/+/claim', attributes });
}

/** RFC 7959 §2.2: size exponent 7 is reserved; a block that others follow is full, the last one may be shorter. */
export function isSound(block: Block, payload: Buffer): boolean {
  if (block.sizeExponent > SIZE_EXPONENT_MAX) return false;
  return block.more ? payload.length === blockBytes(block) : payload.length <= blockBytes(block);
}

/** Which blocks belong together: those of one endpoint, to one path, with one request tag (RFC 9175 §3). */
function uploadKey({ peer, options }: Request): string {
  const values = (number: number) => valuesOf(options, number).map((value) => value.toString('hex'));
  return [peer, values(OptionNumber.uriPath), values(OptionNumber.requestTag)].join(' ');
}

function responseTo(outcome: ClaimOutcome, more: More, retryAfterSeconds: number): Response {
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
      const response = unavailableResponse(retryAfterSeconds);
      return { ...response, options: [...response.options, ...more] };
    }
    default:
      return unreachable(outcome);
  }
}
