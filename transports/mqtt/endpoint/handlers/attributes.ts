/**
 * Questions for attributes (facts 1.8): by a device for its own, by a gateway for those of a device behind it. ThingsBoard's
 * SDKs wait for the answer, so there is one whatever was asked for.
 */

import type { JsonObject } from '../../../../actors/base/json.ts';
import {
  gatewayAnswer,
  readAttributeRequest,
  readGatewayAttributeRequest,
  type SharedNews,
} from '../../../../actors/claiming/attributes.ts';
import { ifUnavailable } from '../../../../actors/journal/unavailable.ts';
import {
  ATTRIBUTES_TOPICS,
  GATEWAY_ATTRIBUTES_RESPONSE_TOPIC,
  GATEWAY_ATTRIBUTES_TOPIC,
  type PublishRoute,
} from '../../topics.ts';
import type { Settlement, Ticket } from '../acknowledgements.ts';
import { PublicationCost } from '../budget.ts';
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';
import { malformedSettlement } from './claim.ts';
import { jsonIn } from './rpc.ts';

export function attributeRequest(
  session: Session,
  payload: Buffer,
  ticket: Ticket,
  { responseFilter: filter, responseTopic: topic }: Extract<PublishRoute, { type: 'attribute-request' }>,
): void {
  const { device, context } = session;
  if (device === undefined) throw new Error('a session without a device took a publication');
  const request = readAttributeRequest(payload.length === 0 ? {} : jsonIn(payload));
  if (request === undefined) {
    session.settle(ticket, malformedSettlement(session, ticket, 'this is no question for attributes'));
    return;
  }
  answerLater(session, ticket, async () => {
    const answer = await context.attributes.answer(device, request);
    return answer === undefined ? REVOKED : answered(filter, topic, answer);
  });
}

export function gatewayAttributeRequest(session: Session, payload: Buffer, ticket: Ticket): void {
  const { device, context } = session;
  if (device === undefined) throw new Error('a session without a device took a publication');
  const request = readGatewayAttributeRequest(jsonIn(payload));
  if (request === undefined) {
    session.settle(ticket, malformedSettlement(session, ticket, 'this is no question for attributes'));
    return;
  }
  session.budget.spend(PublicationCost.gatewayAttributes);
  answerLater(session, ticket, async () => {
    const read = await context.gateways.read(device, request.device);
    if (read.type === 'revoked') return REVOKED;
    if (read.type === 'unavailable') return unavailable(ticket);
    const topic = GATEWAY_ATTRIBUTES_RESPONSE_TOPIC;
    return answered(topic, topic, gatewayAnswer(request, read.value));
  });
}

const REVOKED: Settlement = { type: 'disconnect', reasonCode: Reason.administrativeAction };

function answered(filter: string, topic: string, answer: object): Settlement {
  const messages = [{ filter, topic, payload: JSON.stringify(answer) }];
  return { type: 'acknowledge', reasonCode: Reason.success, messages };
}

/** Nothing was lost: the client asks again. */
function unavailable(ticket: Ticket): Settlement {
  return ticket.qos === 0
    ? { type: 'drop' }
    : { type: 'disconnect', reasonCode: Reason.implementationSpecific };
}

function answerLater(session: Session, ticket: Ticket, find: () => Promise<Settlement>): void {
  session.budget.spend(PublicationCost.attributes);
  find()
    .catch(ifUnavailable(() => unavailable(ticket)))
    .then(
      (settlement) => session.answered(ticket, () => settlement),
      (error) => session.fail(error),
    );
}

/** Shared attributes have changed. A device whose credentials are replaced hears of none (O9). */
export function shareAttributes(session: Session, { behind, news }: SharedNews): void {
  if (session.over || session.superseded) return;
  if (behind !== undefined) {
    shareBehind(session, behind, news);
    return;
  }
  const { device, context, subscriptions } = session;
  if (device === undefined || session.payloadRules.format === 'PROTOBUF') return; // such a device cannot read JSON
  const topics = ATTRIBUTES_TOPICS.filter((topic) => subscriptions?.has(topic));
  if (topics.length === 0) return;
  // Looked at anew: word of other credentials may come late, or be lost between processes.
  context.attributes
    .hears(device)
    .catch(ifUnavailable(() => false))
    .then(
      (hears) => {
        if (hears) for (const topic of topics) session.notice(topic, JSON.stringify(news));
      },
      (error) => session.fail(error),
    );
}

function shareBehind(session: Session, name: string, data: JsonObject): void {
  const { device, context, subscriptions } = session;
  if (device === undefined || !subscriptions?.has(GATEWAY_ATTRIBUTES_TOPIC)) return;
  context.gateways.read(device, name).then(
    (read) => {
      if (read.type !== 'done' || read.value === undefined) return;
      session.notice(GATEWAY_ATTRIBUTES_TOPIC, JSON.stringify({ device: name, data }));
    },
    (error) => session.fail(error),
  );
}
