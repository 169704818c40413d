/** Which handler a packet goes to. Handlers never throw for what a client does. */
import { unreachable } from '../../../../actors/base/unreachable.ts';
import type { ClientPacket, Fault } from '../packets.ts';
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';
import { auth } from './auth.ts';
import { connect, refuse } from './connect.ts';
import { disconnect } from './disconnect.ts';
import { pingreq } from './pingreq.ts';
import { puback } from './puback.ts';
import { publish } from './publish.ts';
import { pubrec } from './pubrec.ts';
import { pubrel } from './pubrel.ts';
import { subscribe } from './subscribe.ts';
import { unsubscribe } from './unsubscribe.ts';

/** Handles one packet. Returns a promise only for CONNECT, and then nothing else may be handled before it settles. */
export function handle(session: Session, packet: ClientPacket | Fault): Promise<void> | undefined {
  switch (packet.cmd) {
    case 'connect':
      return connect(session, packet);
    case 'publish':
      publish(session, packet);
      return undefined;
    case 'puback':
      puback(session, packet);
      return undefined;
    case 'pubrec':
    case 'pubcomp':
      pubrec(session, packet);
      return undefined;
    case 'pubrel':
      pubrel(session, packet);
      return undefined;
    case 'subscribe':
      subscribe(session, packet);
      return undefined;
    case 'unsubscribe':
      unsubscribe(session, packet);
      return undefined;
    case 'pingreq':
      pingreq(session);
      return undefined;
    case 'disconnect':
      disconnect(session);
      return undefined;
    case 'auth':
      auth(session);
      return undefined;
    case 'fault':
      fault(session, packet);
      return undefined;
    default:
      return unreachable(packet);
  }
}

/** Bytes that cannot be understood: the connection ends [MQTT-4.8.0-1] [MQTT5-4.13.1-1]. */
function fault(session: Session, { reasonCode }: Fault): void {
  if (reasonCode === Reason.unsupportedProtocolVersion) refuse(session, 'unacceptableProtocolVersion');
  else session.disconnect(reasonCode);
}
