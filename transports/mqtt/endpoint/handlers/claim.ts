/**
 * A publication to `v1/devices/me/claim`: ask the device's actor, and acknowledge when the window is durable (O6).
 *
 * What a device sees, by outcome (facts 1.6 with the deviations of rule O6):
 *
 *   outcome      3.1, 3.1.1                        5
 *   opened       PUBACK/PUBREC                     PUBACK/PUBREC 0x00
 *   refused      PUBACK/PUBREC                     PUBACK/PUBREC 0x87 with a reason string
 *   malformed    closed                            PUBACK/PUBREC 0x99; QoS 0: DISCONNECT 0x99
 *   revoked      closed                            DISCONNECT 0x98
 *   unavailable  closed (QoS 0: nothing)           DISCONNECT 0x83 (QoS 0: nothing)
 *
 * Opened and refused are also told on the response topic, on every version, to whoever subscribed to it.
 */
import { type ClaimOutcome, outcomeMessage, refusalInWords } from '../../../claiming.ts';
import { parseClaimPayload } from '../../../payload.ts';
import { CLAIM_RESPONSE_TOPIC } from '../../../topics.ts';
import type { Settlement, Ticket } from '../acknowledgements.ts';
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';

export function claim(session: Session, payload: Buffer, ticket: Ticket): void {
  const { device, context } = session;
  if (device === undefined) throw new Error('a session without a device took a publication');
  const request = parseClaimPayload(payload);
  if (request.type === 'malformed') settleClaim(session, ticket, request);
  else context.claiming.initiate(device, request).then((outcome) => session.answered(ticket, outcome));
}

export function settleClaim(session: Session, ticket: Ticket, outcome: ClaimOutcome): void {
  session.settle(ticket, settlementOf(session, ticket, outcome));
}

function settlementOf(session: Session, ticket: Ticket, outcome: ClaimOutcome): Settlement {
  switch (outcome.type) {
    case 'opened':
      return { type: 'acknowledge', reasonCode: Reason.success, ...told(session, outcome) };
    case 'refused': {
      const why = refusalInWords(outcome);
      return { type: 'acknowledge', reasonCode: Reason.notAuthorized, why, ...told(session, outcome) };
    }
    case 'malformed': {
      const type = session.version === 5 && ticket.qos > 0 ? 'acknowledge' : 'disconnect';
      return { type, reasonCode: Reason.payloadFormatInvalid, why: outcome.why };
    }
    case 'revoked':
      return { type: 'disconnect', reasonCode: Reason.administrativeAction };
    case 'unavailable':
      return ticket.qos === 0
        ? { type: 'drop' }
        : { type: 'disconnect', reasonCode: Reason.implementationSpecific };
    default:
      return outcome satisfies never;
  }
}

/** The message for the response topic; not even written down when nobody listens, which is the common case. */
function told(session: Session, outcome: ClaimOutcome) {
  if (!session.subscriptions.has(CLAIM_RESPONSE_TOPIC)) return undefined;
  const payload = outcomeMessage(outcome);
  if (payload === undefined) return undefined;
  return { message: { filter: CLAIM_RESPONSE_TOPIC, topic: CLAIM_RESPONSE_TOPIC, payload } };
}
