/** PUBACK: the client has a message that we sent with QoS 1. */
import type { PacketOf } from '../packets.ts';
import type { Session } from '../session.ts';

export function puback(session: Session, { messageId }: PacketOf<'puback'>): void {
  session.acknowledged(messageId);
}
