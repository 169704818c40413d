/**
 * DISCONNECT: the client leaves, and we close (section 3.14.4). Claims under way go on to their end; there is nobody
 * left to acknowledge them to. (ThingsBoard answers version 5 with a DISCONNECT of its own, which nobody reads.)
 */
import type { Session } from '../session.ts';

export function disconnect(session: Session): void {
  session.close();
}
