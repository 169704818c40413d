/**
 * Calls by the device. `getSessionLimits`, which ThingsBoard's Python SDK makes on every connect, is answered (facts 1.8). To
 * others nobody has an answer: they hear what ThingsBoard says when their time is up, at once. Clients wait for it.
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
  const answer = answerTo(session, methodOf(payload));
  session.settle(ticket, {
    type: 'acknowledge',
    reasonCode: Reason.success,
    ...(answer === undefined ? {} : { messages: [{ filter, topic, payload: JSON.stringify(answer) }] }),
  });
}

const NOBODY_ANSWERED = { error: 'timeout' };

/** Undefined: this is no call. */
function answerTo(session: Session, method: unknown): object | undefined {
  if (typeof method !== 'string') return undefined;
  return method === 'getSessionLimits' ? sessionLimits(session) : NOBODY_ANSWERED;
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
