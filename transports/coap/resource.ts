/**
 * What the CoAP server serves: below `/api/v1/{access token}` the device API. `POST …/claim` opens a claim window. The code is
 * the outcome, once it is durable (rule O6); a diagnostic payload says more to a person (RFC 7252 §5.5.2).
 *
 *   2.01 Created      empty: the window is open, or the reset is done   (ThingsBoard: also when it silently refused)
 *   2.01 Created      with the payload `pending`: the window waits for the tenant's approval (O9)
 *   2.01 Created      `POST …/telemetry`, `POST …/attributes`: taken, and not kept
 *   2.05 Content      `GET …/claim/credentials`: the device's new credentials, as JSON (O9)
 *   2.05 Content      `GET …/attributes`, `GET /.well-known/core`; in blocks where it is large
 *   2.05, 2.02        `GET …/attributes` with Observe 0: they are told now and when they change; with Observe 1: no more
 *   2.03 Valid        `GET …/rpc` with Observe 0: as in ThingsBoard; nobody calls a device here
 *   4.09 Conflict     refused; the payload is the reason: `already-claimed`
 *   4.00              malformed (`malformed: secretKey is not text`); not a feature; GET of what is for POST
 *   4.01              unknown or revoked token
 *   4.04              not below `/api/v1`; `GET …/attributes` where there are none
 *   4.05              PUT, DELETE and later methods
 *   4.29              too many claim windows of this device, or too many wrong tokens of its address; Max-Age says when to
 *                     ask again
 *   5.00              the device's profile is for another transport; a bug
 *   5.01              attributes for a device whose profile says protobuf
 *   4.08, 4.13        blocks that do not fit together; too large, with the limit in Size1
 *   5.03              the store or this process cannot serve now; Max-Age says when to ask again. `POST …/rpc`: nobody
 *                     answers a device's calls
 */

import type { Tracing } from '../../actors/base/tracing.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { DeviceAttributes } from '../../actors/claiming/attributes.ts';
import type { Claiming } from '../../actors/claiming/claiming.ts';
import { type AdmissionNeeds, createAdmission } from './admission.ts';
import { attributesResponse, observationResponse } from './attributes.ts';
import { createClaims, isSound } from './claims.ts';
import { Code } from './codes.ts';
import { contentResponse } from './content.ts';
import { coreResponse } from './core.ts';
import type { Observations } from './observations.ts';
import { blockOf, blockOption, ContentFormat, OptionNumber, uintOf, uintOption } from './options.ts';
import { type Request, type Response, responseOf, tooLargeResponse, unavailableResponse } from './request.ts';
import type { CoapSettings } from './settings.ts';
import { targetOf } from './target.ts';
import type { CoapDevice, Uploads } from './uploads.ts';

export interface ResourceOptions extends AdmissionNeeds {
  readonly settings: CoapSettings;
  readonly attributes: Pick<DeviceAttributes, 'answer'>;
  readonly observations: Observations;
  readonly claiming: Claiming;
  readonly uploads: Uploads;
  readonly tracing?: Tracing | undefined;
}

const NOBODY = 'nobody answers calls here';
const CALLS_BEGIN = uintOption(OptionNumber.observe, 1);

/** Returns how a request is served. What it returns rejects for bugs only. */
export function createResource(options: ResourceOptions): (request: Request) => Promise<Response> {
  const { settings, claiming, uploads, attributes, observations } = options;
  const { retryAfterSeconds } = settings;
  const admit = createAdmission(options);
  const claim = createClaims({ settings, claiming, uploads, admit, tracing: options.tracing });

  /** Serves a request of a device that has to be known first. */
  const forDevice = async (
    request: Request,
    accessToken: string,
    serve: (device: CoapDevice) => Response | Promise<Response>,
  ): Promise<Response> => {
    const admitted = await admit(request, accessToken);
    return admitted.type === 'refused' ? admitted.response : serve(admitted.device);
  };

  return async (request) => {
    const target = targetOf(request);
    if (target.type === 'refused') return target.response;
    const size = uintOf(request.options, OptionNumber.size1) ?? 0; // RFC 7959 §4: what all blocks will come to
    if (Math.max(size, request.payload.length) > settings.payloadBytesMax) {
      return tooLargeResponse(settings.payloadBytesMax);
    }

    switch (target.type) {
      case 'core':
        return coreResponse(request);
      case 'claim':
        return claim(request, target.accessToken);
      case 'credentials':
        return forDevice(request, target.accessToken, (device) =>
          credentialsResponse(claiming, request, device, retryAfterSeconds),
        );
      case 'attributes':
        return forDevice(request, target.accessToken, (device) =>
          attributesResponse(attributes, request, device, retryAfterSeconds),
        );
      case 'observe':
        return forDevice(request, target.accessToken, (device) =>
          settings.observationsMax === 0
            ? attributesResponse(attributes, request, device, retryAfterSeconds)
            : observationResponse(observations, request, device, retryAfterSeconds),
        );
      case 'unobserve':
        observations.end(request); // whoever knows the token and has the port may
        return forDevice(request, target.accessToken, () => responseOf(Code.deleted));
      case 'dropped':
        if (!settings.acceptsTelemetry)
          return responseOf(Code.badRequest, 'no such feature of the device API');
        return forDevice(request, target.accessToken, () => droppedResponse(request));
      case 'call': // the answer to it would be late in ThingsBoard, too
        return forDevice(request, target.accessToken, () => responseOf(Code.serviceUnavailable, NOBODY));
      case 'take-calls': // nobody calls, so nothing is kept
        return forDevice(request, target.accessToken, () => responseOf(Code.valid, '', [CALLS_BEGIN]));
      default:
        return unreachable(target);
    }
  };
}

async function credentialsResponse(
  claiming: Pick<Claiming, 'fetchCredentials'>,
  request: Request,
  device: CoapDevice,
  retryAfterSeconds: number,
): Promise<Response> {
  const fetched = await claiming.fetchCredentials(device);
  switch (fetched.type) {
    case 'fetched':
      return contentResponse(request, Buffer.from(JSON.stringify(fetched.message)), ContentFormat.json);
    case 'revoked':
      return responseOf(Code.unauthorized);
    case 'unavailable':
      return unavailableResponse(retryAfterSeconds);
    default:
      return unreachable(fetched);
  }
}

/** As by MQTT and HTTP. Nothing is kept, so of several blocks each is answered by itself. */
function droppedResponse({ options, payload }: Request): Response {
  const block = blockOf(options, OptionNumber.block1);
  if (block === undefined) return responseOf(Code.created);
  if (!isSound(block, payload)) return responseOf(Code.badRequest, 'the block is not sound');
  const own = [blockOption(OptionNumber.block1, block)];
  return responseOf(block.more ? Code.continue : Code.created, '', own);
}
