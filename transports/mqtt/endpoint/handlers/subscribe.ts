/** SUBSCRIBE: filters of a fixed list are granted, with QoS 1 at most. */
import { SUBSCRIBABLE } from '../../topics.ts';
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

function grant(session: Session, filter: string, requestedQos: number): number {
  if (SUBSCRIBABLE.has(filter)) {
    const qos = requestedQos === 0 ? 0 : 1;
    session.subscriptions.set(filter, qos); // replaces an older one [MQTT-3.8.4-3]
    return qos;
  }
  if (session.version < 5) return SUBACK_FAILURE;
  return filter.startsWith('$share/') ? Reason.sharedSubscriptionsNotSupported : Reason.topicFilterInvalid;
}
