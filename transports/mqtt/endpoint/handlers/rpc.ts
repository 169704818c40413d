/**
 * Calls by the device. One is answered: `getSessionLimits`, which ThingsBoard's Python SDK makes on every connect
 * and waits for (facts 1.8). Others are acknowledged and dropped.
 */
import { isUtf8 } from 'node:buffer';
import { isJsonObject, parsedJson } from '../../../../actors/base/json.ts';
import type { PublishRoute } from '../../topics.ts';
import type { Ticket } from '../acknowledgements.ts';
import { PublicationCost } from '../budget.ts';
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';

export function rpcRequest(
  session: Session,
  payload: Buffer,
  ticket: Ticket,
  route: Extract<PublishRoute, { type: 'rpc-request' }>,
): void {
  const { responseFilter: filter, responseTopic: topic } = route;
  session.budget.spend(PublicationCost.call);
  const isLimits = methodOf(payload) === 'getSessionLimits';
  session.settle(ticket, {
    type: 'acknowledge',
    reasonCode: Reason.success,
    ...(isLimits ? { messages: [{ filter, topic, payload: JSON.stringify(sessionLimits(session)) }] } : {}),
  });
}

function methodOf(payload: Buffer): unknown {
  const call = jsonIn(payload);
  return isJsonObject(call) ? call.method : undefined;
}

/** The JSON in a message; undefined where it is none. */
export function jsonIn(payload: Buffer): unknown {
  return isUtf8(payload) ? parsedJson(payload.toString('utf8')) : undefined;
}

/** There are no rate limits per device, which is what empty texts say. */
const NO_RATE_LIMITS = { messages: '', telemetryMessages: '', telemetryDataPoints: '' };

function sessionLimits(session: Session) {
  const { payloadBytesMax, inFlightMax } = session.context.settings;
  return {
    maxPayloadSize: payloadBytesMax,
    maxInflightMessages: inFlightMax,
    rateLimits: NO_RATE_LIMITS,
    ...(session.device?.isGateway ? { gatewayRateLimits: NO_RATE_LIMITS } : {}),
  };
}
