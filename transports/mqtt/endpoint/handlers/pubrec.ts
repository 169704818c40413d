/** PUBREC and PUBCOMP answer QoS 2 messages, and we send none: the identifier is unknown. Harmless. */
import type { PacketOf } from '../packets.ts';
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';

export function pubrec(session: Session, { cmd, messageId }: PacketOf<'pubrec' | 'pubcomp'>): void {
  if (cmd === 'pubrec' && session.version === 5) {
    session.send({ cmd: 'pubrel', messageId, reasonCode: Reason.packetIdentifierNotFound });
  }
}
