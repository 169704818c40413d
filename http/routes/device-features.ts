/**
 * The device HTTP API besides claiming, so that firmware and SDKs written for ThingsBoard work: attributes are read,
 * telemetry is taken and dropped, and calls (RPC) get the answer that ThingsBoard gives where nobody answers: 408.
 */
import { z } from 'zod';
import { createDeviceAttributes, readAttributeRequest } from '../../actors/claiming/attributes.ts';
import { defineRoute, type Route } from '../route.ts';
import type { Payload } from '../wire/body.ts';
import { noSuchFeature } from '../wire/errors.ts';
import { type EmptyReply, empty, json, type Reply } from '../wire/reply.ts';
import {
  type DeviceApiNeeds,
  type DeviceDoor,
  deviceInPath,
  FOR_DEVICES,
  tokenResponses,
  unauthorized,
} from './device-door.ts';
import { createWaits, type Waits } from './device-waits.ts';

export function deviceFeatureRoutes(door: DeviceDoor, needs: DeviceApiNeeds): Route[] {
  const waits = createWaits(needs);
  return [
    readAttributes(door, needs),
    awaitAttributes(door, needs, waits),
    awaitCalls(door, waits),
    call(door),
    ...DROPPED.map((feature) => dropped(door, feature)),
  ];
}

/** What a device may send that is of no use to claiming. `rpc/:requestId`: its answer to a call. */
const DROPPED = ['telemetry', 'attributes', 'rpc/:requestId'] as const;

const nobodyAnswered: EmptyReply = { ...empty, status: 408 };

/** ThingsBoard's answer: the shared attributes that were asked for; client attributes are not kept here. */
function readAttributes({ asDevice, unavailable }: DeviceDoor, { devices }: DeviceApiNeeds): Route {
  const attributes = createDeviceAttributes(devices);
  return defineRoute({
    method: 'GET',
    path: '/api/v1/:deviceToken/attributes',
    summary: 'A device reads its shared attributes',
    description: FOR_DEVICES,
    ...deviceInPath,
    query: z.object({ clientKeys: keys, sharedKeys: keys }),
    unavailable,
    responses: {
      200: { description: 'Those that are there', schema: attributeAnswer },
      ...tokenResponses,
    },
    handle: (call) =>
      asDevice(call, async (device) => {
        const answer = await attributes.answer(device, readAttributeRequest(call.query) ?? {});
        return answer === undefined ? unauthorized : json(answer);
      }),
  });
}

/** An empty list is none, by HTTP: without any, all are asked for. */
const keys = z
  .string()
  .optional()
  .transform((text) => text || undefined);

const attributeAnswer = z.object({ shared: z.record(z.string(), z.unknown()).optional() });

const waiting = z.object({
  timeout: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .optional(),
});

function awaitAttributes(
  { asDevice, unavailable }: DeviceDoor,
  { devices }: DeviceApiNeeds,
  waits: Waits,
): Route {
  const attributes = createDeviceAttributes(devices);
  return defineRoute({
    method: 'GET',
    path: '/api/v1/:deviceToken/attributes/updates',
    summary: 'A device waits until its shared attributes change',
    description: `${FOR_DEVICES} It waits for timeout ms, five seconds at most, and then asks again.`,
    ...deviceInPath,
    query: waiting,
    unavailable,
    responses: {
      200: { description: 'What was saved, or the names of what was deleted', schema: attributeNews },
      408: { description: 'Nothing has changed', isEmpty: true },
      ...tokenResponses,
    },
    handle: (call) =>
      asDevice(call, async (device) => {
        const news = await waits.wait(device.id, call.query.timeout);
        if (news === 'full') return unavailable;
        if (!(await attributes.hears(device))) return unauthorized;
        if (news === 'elapsed' || news.type === 'revoked') return nobodyAnswered;
        return json(news.type === 'saved' ? news.values : { deleted: news.keys });
      }),
  });
}

const attributeNews = z.record(z.string(), z.unknown());

/** There are none: nobody calls a device here. A device that waits for them is not to ask in a loop. */
function awaitCalls({ asDevice, unavailable }: DeviceDoor, waits: Waits): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/v1/:deviceToken/rpc',
    summary: 'A device waits for a call; there are none',
    description: `${FOR_DEVICES} It waits for timeout ms, five seconds at most, and then asks again.`,
    ...deviceInPath,
    query: waiting,
    unavailable,
    responses: {
      408: { description: 'Nobody has called', isEmpty: true },
      ...tokenResponses,
    },
    handle: (call) =>
      asDevice(call, async (device) => {
        const ended = await waits.sleep(device.id, call.query.timeout);
        return ended === 'full' ? unavailable : nobodyAnswered;
      }),
  });
}

function call({ asDevice, settings, unavailable }: DeviceDoor): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/v1/:deviceToken/rpc',
    summary: 'A device calls the server; nobody answers such calls here',
    description: FOR_DEVICES,
    ...deviceInPath,
    payload: { bytesMax: settings.payloadBytesMax, schema: z.unknown() },
    unavailable,
    responses: {
      408: { description: 'Nobody has answered', isEmpty: true },
      ...tokenResponses,
    },
    handle: (call) => asDevice(call, () => taken(call, nobodyAnswered)),
  });
}

/** Accepted and dropped, as by MQTT: firmware that also sends telemetry works, and an SDK's test of the connection. */
function dropped({ asDevice, settings, unavailable }: DeviceDoor, feature: (typeof DROPPED)[number]): Route {
  return defineRoute({
    method: 'POST',
    path: `/api/v1/:deviceToken/${feature}`,
    summary: `A device sends ${feature.replace('rpc/:requestId', 'the answer to a call')}: taken, and not kept (transport.telemetry.accept)`,
    description: FOR_DEVICES,
    ...deviceInPath,
    payload: { bytesMax: settings.payloadBytesMax, schema: z.unknown() },
    unavailable,
    responses: {
      200: { description: 'Taken', isEmpty: true },
      404: { description: 'Not taken here' },
      ...tokenResponses,
    },
    handle: (call) => (settings.acceptsTelemetry ? asDevice(call, () => taken(call, empty)) : noSuchFeature),
  });
}

/** Reads a payload that nothing is done with; one that is too large is refused. */
async function taken({ readPayload }: { readPayload(): Promise<Payload> }, reply: Reply): Promise<Reply> {
  const payload = await readPayload();
  return payload.type === 'refused' ? payload.reply : reply;
}
