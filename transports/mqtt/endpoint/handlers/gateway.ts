/**
 * A gateway's publications to `v1/gateway/…`. This server does not speak for devices behind a gateway, and must
 * not acknowledge a claim that it does not carry out: version 5 is told so, older versions are left without an
 * acknowledgement as the only way to say no.
 */
import type { Ticket } from '../acknowledgements.ts';
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';

export function gateway(session: Session, ticket: Ticket): void {
  if (session.version === 5) {
    session.settle(ticket, { type: 'acknowledge', reasonCode: Reason.implementationSpecific });
  } else {
    session.settle(ticket, { type: 'drop' });
  }
}
