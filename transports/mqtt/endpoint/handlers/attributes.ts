/**
 * Questions for attributes (facts 1.8): by a device for its own, by a gateway for those of a device behind it. ThingsBoard's
 * SDKs wait for the answer, so there is one whatever was asked for.
 */
import {
  gatewayAnswer,
  readAttributeRequest,
  readGatewayAttributeRequest,
} from '../../../../actors/claiming/attributes.ts';
import { ifUnavailable } from '../../../../actors/journal/unavailable.ts';
import { GATEWAY_ATTRIBUTES_RESPONSE_TOPIC, type PublishRoute } from '../../topics.ts';
import type { Settlement, Ticket } from '../acknowledgements.ts';
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
  find()
    .catch(ifUnavailable(() => unavailable(ticket)))
    .then(
      (settlement) => session.answered(ticket, () => settlement),
      (error) => session.fail(error),
    );
}
