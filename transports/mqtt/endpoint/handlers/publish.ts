/** PUBLISH: resolve the topic, drop duplicates, take it in, and pass it on by its topic. */
import { unreachable } from '../../../../actors/base/unreachable.ts';
import { type PublishRoute, routePublish } from '../../topics.ts';
import type { Settlement, Ticket } from '../acknowledgements.ts';
import type { PublishPacket } from '../packets.ts';
import { Reason } from '../reasons.ts';
import { type NotThere, respondTo } from '../response-topic.ts';
import type { Session } from '../session.ts';
import { attributeRequest } from './attributes.ts';
import { claim } from './claim.ts';
import { gateway } from './gateway.ts';
import { rpcRequest } from './rpc.ts';

export function publish(session: Session, packet: PublishPacket): void {
  const topic = topicOf(session, packet);
  if (topic === undefined || isDuplicate(session, packet)) return;
  const route = routePublish(topic);
  if (route.type === 'gateway' && !session.device?.isGateway) return; // no answer at all (facts 1.7)
  const asked = packet.properties === undefined ? undefined : respondTo(packet, route);
  const isRefused = asked !== undefined && 'why' in asked;
  const ticket = session.takeIn(packet.qos, packet.messageId, isRefused ? undefined : asked);
  if (ticket === undefined) return;
  if (isRefused) session.settle(ticket, refusedSettlement(ticket, asked));
  else pass(session, packet, ticket, route);
}

/** It cannot be answered as it asks, so nothing is done. With QoS 0 a DISCONNECT is all that can say so. */
function refusedSettlement({ qos }: Ticket, { reasonCode, why }: NotThere): Settlement {
  return { type: qos === 0 ? 'disconnect' : 'acknowledge', reasonCode, why };
}

function pass(session: Session, packet: PublishPacket, ticket: Ticket, route: PublishRoute): void {
  switch (route.type) {
    case 'claim':
      claim(session, packet, ticket, route.format);
      return;
    case 'rpc-request':
      rpcRequest(session, packet.payload, ticket, route);
      return;
    case 'attribute-request':
      attributeRequest(session, packet.payload, ticket, route);
      return;
    case 'gateway':
      gateway(session, packet, ticket, route.action);
      return;
    case 'ignored':
      session.settle(ticket, { type: 'acknowledge', reasonCode: Reason.success });
      return;
    case 'unknown':
      session.settle(ticket, { type: 'acknowledge', reasonCode: Reason.topicNameInvalid });
      return;
    default:
      unreachable(route);
  }
}

/** The topic name, by its alias if so sent (version 5, section 3.3.2.3.4); undefined when the session had to end. */
function topicOf(session: Session, { topic, properties }: PublishPacket): string | undefined {
  if (properties?.subscriptionIdentifier !== undefined) {
    session.disconnect(Reason.protocolError); // [MQTT5-3.3.4-6]
    return undefined;
  }
  const alias = properties?.topicAlias;
  if (alias === undefined) {
    if (topic === '')
      session.disconnect(session.version === 5 ? Reason.protocolError : Reason.malformedPacket);
    return topic === '' ? undefined : topic; // [MQTT-4.7.3-1]
  }
  if (!(alias >= 1 && alias <= session.context.settings.topicAliasMax)) {
    session.disconnect(Reason.topicAliasInvalid); // [MQTT5-3.3.2-8] [MQTT5-3.3.2-9]
    return undefined;
  }
  session.topicAliases ??= new Map();
  if (topic !== '') session.topicAliases.set(alias, topic);
  const aliased = session.topicAliases.get(alias);
  if (aliased === undefined) session.disconnect(Reason.protocolError);
  return aliased;
}

/**
 * A QoS 2 publication whose packet identifier is in use was taken in before: it must not open a window again
 * [MQTT-4.3.3-2]. If its PUBREC was sent, it is sent again.
 */
function isDuplicate(session: Session, { qos, messageId }: PublishPacket): boolean {
  const inUse = qos === 2 ? session.qos2Identifiers?.get(messageId) : undefined;
  if (inUse === 'received') session.confirm('pubrec', messageId);
  return inUse !== undefined;
}
