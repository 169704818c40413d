/** SUBSCRIBE: filters of a fixed list are granted, and topics of single answers under them, with QoS 1 at most. */
import { isTopicOfOne, SUBSCRIBABLE } from '../../topics.ts';
import type { PacketOf } from '../packets.ts';
import { Reason, SUBACK_FAILURE } from '../reasons.ts';
import type { Session } from '../session.ts';
import { fetchCredentials } from './new-credentials.ts';

export function subscribe(session: Session, packet: PacketOf<'subscribe'>): void {
  if (packet.properties?.subscriptionIdentifier !== undefined) {
    session.disconnect(Reason.subscriptionIdentifiersNotSupported); // announced in CONNACK (version 5, 3.2.2.3.12)
    return;
  }
  // One code per filter, in their order [MQTT-3.8.4-5]; the packet's own identifier [MQTT-3.8.4-2].
  const granted = packet.subscriptions.map(({ topic, qos }) => grant(session, topic, qos));
  session.send({ cmd: 'suback', messageId: packet.messageId, granted });
  if (session.superseded) fetchCredentials(session);
}

/** A client that asks under a new id each time and never unsubscribes comes to this; it should use the filter. */
const TOPICS_OF_ONE_MAX = 100;

function grant(session: Session, filter: string, requestedQos: number): number {
  session.subscriptions ??= new Map();
  const { subscriptions } = session;
  const isOfList = SUBSCRIBABLE.has(filter);
  if (isOfList || isTopicOfOne(filter)) {
    const isOneTooMany = subscriptions.size >= SUBSCRIBABLE.size + TOPICS_OF_ONE_MAX;
    if (!isOfList && isOneTooMany && !subscriptions.has(filter)) {
      return session.version < 5 ? SUBACK_FAILURE : Reason.quotaExceeded;
    }
    const qos = requestedQos === 0 ? 0 : 1;
    subscriptions.set(filter, qos); // replaces an older one [MQTT-3.8.4-3]
    return qos;
  }
  if (session.version < 5) return SUBACK_FAILURE;
  return filter.startsWith('$share/') ? Reason.sharedSubscriptionsNotSupported : Reason.topicFilterInvalid;
}
