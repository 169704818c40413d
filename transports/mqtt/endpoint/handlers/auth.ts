/** AUTH: only for clients that connected with an authentication method, which none can here [MQTT5-4.12.0-7]. */
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';

export function auth(session: Session): void {
  session.disconnect(Reason.protocolError);
}
