/**
 * A publication to `v1/devices/me/claim`: ask the device's actor, and acknowledge when the window is durable (O6).
 *
 * What a device sees, by outcome (facts 1.6 with the deviations of rule O6):
 *
 *   outcome      3.1, 3.1.1                        5
 *   opened       PUBACK/PUBREC                     PUBACK/PUBREC 0x00
 *   released     PUBACK/PUBREC                     PUBACK/PUBREC 0x00
 *   refused      PUBACK/PUBREC                     PUBACK/PUBREC 0x87 with a reason string
 *   too often    PUBACK/PUBREC                     PUBACK/PUBREC 0x97 with a reason string
 *   malformed    closed                            PUBACK/PUBREC 0x99; QoS 0: DISCONNECT 0x99
 *   revoked      closed                            DISCONNECT 0x98
 *   unavailable  closed (QoS 0: nothing)           DISCONNECT 0x83 (QoS 0: nothing)
 *
 * Opened, released and refused also go to the response topic, in every version, if the device has subscribed to it.
 */

import { unreachable } from '../../../../actors/base/unreachable.ts';
import { endOfClaim, orEndOfFault } from '../../../../actors/claiming/claim-spans.ts';
import { type ClaimOutcome, outcomeMessage, refusalInWords } from '../../../../actors/claiming/outcome.ts';
import { readClaimPayload } from '../../../../actors/claiming/payload.ts';
import { toldAs } from '../../../../actors/claiming/reasons.ts';
import type { PayloadFormat } from '../../../../actors/fleet/profiles.ts';
import { CLAIM_RESPONSE_TOPIC, CLAIM_TOPIC } from '../../topics.ts';
import { tracePublication } from '../../trace.ts';
import type { Message, Settlement, Ticket } from '../acknowledgements.ts';
import { PublicationCost } from '../budget.ts';
import type { PublishPacket } from '../packets.ts';
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';
import { fetchCredentials } from './new-credentials.ts';

/** @param format what the topic says; without it, what the device's profile says */
export function claim(
  session: Session,
  { payload, dup, properties }: Pick<PublishPacket, 'payload' | 'dup' | 'properties'>,
  ticket: Ticket,
  format?: PayloadFormat,
): void {
  const { device, context } = session;
  if (device === undefined) throw new Error('a session without a device took a publication');
  session.budget.spend(PublicationCost.claim);
  const request = readClaimPayload(payload, format ?? session.payloadRules.format);
  if (request.type === 'malformed') session.settle(ticket, settlementOf(session, ticket, request));
  else {
    const userProperties = properties?.userProperties;
    const publication = { destination: CLAIM_TOPIC, version: session.version, userProperties };
    const span = context.tracing === undefined ? undefined : tracePublication(context.tracing, publication);
    orEndOfFault(span, context.claiming.initiate(device, request, dup, undefined, span?.text)).then(
      (outcome) => {
        endOfClaim(span, outcome);
        session.answered(ticket, () => settlementOf(session, ticket, outcome));
      },
      (error) => session.fail(error),
    );
  }
}

function settlementOf(session: Session, ticket: Ticket, outcome: ClaimOutcome): Settlement {
  switch (outcome.type) {
    case 'opened':
    case 'released':
      return { type: 'acknowledge', reasonCode: Reason.success, ...response(session, ticket, outcome) };
    case 'refused': {
      if (outcome.reason === 'credentials-superseded') fetchCredentials(session);
      const why = toldAs(outcome.reason, refusalInWords(outcome));
      return {
        type: 'acknowledge',
        reasonCode: refusalCode(outcome),
        why,
        ...response(session, ticket, outcome),
      };
    }
    case 'malformed':
      return malformedSettlement(session, ticket, outcome.why);
    case 'revoked':
      return { type: 'disconnect', reasonCode: Reason.administrativeAction };
    case 'unavailable':
      return ticket.qos === 0
        ? { type: 'drop' }
        : { type: 'disconnect', reasonCode: Reason.implementationSpecific };
    default:
      return unreachable(outcome);
  }
}

export function refusalCode({ reason }: Extract<ClaimOutcome, { type: 'refused' }>) {
  return reason === 'rate-limited' ? Reason.quotaExceeded : Reason.notAuthorized;
}

/** A payload that cannot be read: the session ends where no reason can be given, unless the profile wants a PUBACK. */
export function malformedSettlement(
  session: Session,
  ticket: Ticket,
  why: string,
  messages: readonly Message[] = [],
): Settlement {
  const acknowledged = ticket.qos > 0 && (session.version === 5 || session.payloadRules.ackMalformed);
  const reasonCode = Reason.payloadFormatInvalid;
  const told = toldAs('malformed', why);
  if (acknowledged) return { type: 'acknowledge', reasonCode, why: told, messages };
  return { type: 'disconnect', reasonCode, why: told };
}

/** The message for the response topic; not written when nobody listens, which is the common case. */
function response(session: Session, ticket: Ticket, outcome: ClaimOutcome) {
  if (!session.hearsAnswer(ticket, CLAIM_RESPONSE_TOPIC)) return undefined;
  const payload = outcomeMessage(outcome);
  if (payload === undefined) return undefined;
  const topic = CLAIM_RESPONSE_TOPIC;
  return { messages: [{ filter: topic, topic, payload: JSON.stringify(payload) }] };
}
