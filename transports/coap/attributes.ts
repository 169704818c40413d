/** `GET …/attributes?clientKeys=a,b&sharedKeys=c`: what a device may know of itself. */
import { type DeviceAttributes, readAttributeRequest } from '../../actors/claiming/attributes.ts';
import { ifUnavailable } from '../../actors/journal/unavailable.ts';
import { Code } from './codes.ts';
import { contentResponse } from './content.ts';
import type { Option } from './message.ts';
import type { Observations } from './observations.ts';
import { ContentFormat, OptionNumber, valuesOf } from './options.ts';
import { type Request, type Response, responseOf, unavailableResponse } from './request.ts';
import type { CoapDevice } from './uploads.ts';

/** Such a device cannot read JSON, and there is nothing else here. */
const NO_PROTOBUF = 'attributes are told in JSON, and the profile says protobuf';

/**
 * 2.05 with `{"shared": {…}}`. Where there is nothing to tell, 4.04 as in ThingsBoard, which by HTTP and MQTT answers `{}`.
 */
export async function attributesResponse(
  attributes: Pick<DeviceAttributes, 'answer'>,
  request: Request,
  device: CoapDevice,
  retryAfterSeconds: number,
): Promise<Response> {
  if (device.format === 'PROTOBUF') return responseOf(Code.notImplemented, NO_PROTOBUF);
  const asked = readAttributeRequest(queryOf(request.options)) ?? {};
  const answer = await attributes.answer(device, asked).catch(ifUnavailable(() => 'unavailable' as const));
  if (answer === 'unavailable') return unavailableResponse(retryAfterSeconds);
  if (answer === undefined) return responseOf(Code.unauthorized);
  if (answer.shared === undefined) return responseOf(Code.notFound);
  return contentResponse(request, Buffer.from(JSON.stringify(answer)), ContentFormat.json);
}

/**
 * Begins an observation: 2.05 with all shared attributes, as ThingsBoard tells them here, without `{"shared": …}`. Where the
 * operator wants none, the answer is that of a question (RFC 7641 §4.1).
 */
export async function observationResponse(
  observations: Observations,
  request: Request,
  device: CoapDevice,
  retryAfterSeconds: number,
): Promise<Response> {
  if (device.format === 'PROTOBUF') return responseOf(Code.notImplemented, NO_PROTOBUF);
  return observations
    .begin(request, device)
    .catch(ifUnavailable(() => unavailableResponse(retryAfterSeconds)));
}

/** `Uri-Query: name=value`, each once; of those that come twice the first counts, as in ThingsBoard. */
function queryOf(options: readonly Option[]): Record<string, string> {
  const query: Record<string, string> = Object.create(null);
  for (const value of valuesOf(options, OptionNumber.uriQuery)) {
    const [name = '', ...rest] = value.toString().split('=');
    query[name] ??= rest.join('=');
  }
  return query;
}
