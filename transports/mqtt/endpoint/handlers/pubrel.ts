/** PUBREL: the client lets go of a QoS 2 packet identifier; answered with PUBCOMP in any case [MQTT-4.3.3-2]. */
import type { PacketOf } from '../packets.ts';
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';

export function pubrel(session: Session, { messageId }: PacketOf<'pubrel'>): void {
  const inUse = session.qos2Identifiers?.get(messageId);
  if (inUse === 'deciding') {
    session.disconnect(Reason.protocolError); // no PUBREC was sent yet: the client cannot have seen one
    return;
  }
  if (inUse === undefined && session.version === 5) {
    session.send({ cmd: 'pubcomp', messageId, reasonCode: Reason.packetIdentifierNotFound });
    return;
  }
  if (session.qos2Identifiers?.delete(messageId)) session.unacknowledged -= 1;
  session.confirm('pubcomp', messageId);
}
