/** PINGREQ: I am here; so are we [MQTT-3.12.4-1]. */
import type { Session } from '../session.ts';

const PINGRESP = Buffer.from([0xd0, 0x00]);

export function pingreq(session: Session): void {
  session.connection.write(PINGRESP);
}
