/** UNSUBSCRIBE: answered also where nothing was subscribed [MQTT-3.10.4-5]. */
import type { PacketOf } from '../packets.ts';
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';

export function unsubscribe(session: Session, { messageId, unsubscriptions }: PacketOf<'unsubscribe'>): void {
  const granted = unsubscriptions.map((filter) =>
    session.subscriptions?.delete(filter) ? Reason.success : Reason.noSubscriptionExisted,
  );
  session.send({ cmd: 'unsuback', messageId, granted });
}
