/**
 * A gateway's publications to `v1/gateway/…`, for the devices behind it. A message is acknowledged when every device has
 * answered; the outcome of each device goes to `v1/gateway/claim/response`, if the gateway has subscribed to it.
 *
 *   outcome (the first that applies)   3.1, 3.1.1           5
 *   a device gave no answer            closed               DISCONNECT 0x83       it may be sent again
 *   the gateway itself is revoked      closed               DISCONNECT 0x98
 *   text that cannot be read           closed               PUBACK 0x99 (QoS 0: DISCONNECT 0x99)
 *   JSON with nothing usable in it     PUBACK, closed       PUBACK 0x83, DISCONNECT 0x83
 *   an entry that cannot be read       closed               PUBACK 0x99 (QoS 0: DISCONNECT 0x99), the others go on
 *   a device could not be created      PUBACK               PUBACK 0x80, 0x97 when there are too many
 *   a device refused                   PUBACK               PUBACK 0x87, 0x97 when the first was asked too often
 *   all windows are open               PUBACK               PUBACK 0x00
 *
 * Messages of one gateway are carried out one after the other (`../gateway-actor.ts`). What waits is kept as bytes: parsed, a
 * message of many short names takes thirty times as much.
 */
import { nextTurn } from '../../../../actors/base/slices.ts';
import { unreachable } from '../../../../actors/base/unreachable.ts';
import { endOfClaim, endOfGatewayClaims, orEndOfFault } from '../../../../actors/claiming/claim-spans.ts';
import type { AuthenticatedDevice } from '../../../../actors/claiming/device-authentication.ts';
import { ENTRIES_PER_TURN, type GatewayAnswer } from '../../../../actors/claiming/gateways.ts';
import {
  type EntryOutcome,
  gatewayOutcomeMessages,
  refusalInWords,
} from '../../../../actors/claiming/outcome.ts';
import { readGatewayClaims, readGatewayConnect } from '../../../../actors/claiming/payload.ts';
import { toldAs } from '../../../../actors/claiming/reasons.ts';
import { GATEWAY_CLAIM_RESPONSE_TOPIC, GATEWAY_CLAIM_TOPIC, type GatewayAction } from '../../topics.ts';
import { tracePublication } from '../../trace.ts';
import type { Message, Settlement, Ticket } from '../acknowledgements.ts';
import { PublicationCost } from '../budget.ts';
import type { PublishPacket } from '../packets.ts';
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';
import { gatewayAttributeRequest } from './attributes.ts';
import { malformedSettlement, refusalCode } from './claim.ts';

type Publication = Pick<PublishPacket, 'payload' | 'properties'>;

export function gateway(
  session: Session,
  publication: Publication,
  ticket: Ticket,
  action: GatewayAction,
): void {
  const { payload } = publication;
  switch (action) {
    case 'claim':
      claims(session, publication, ticket);
      return;
    case 'connect':
      connected(session, payload, ticket);
      return;
    case 'disconnect':
      disconnected(session, payload, ticket);
      return;
    case 'attributes':
      gatewayAttributeRequest(session, payload, ticket);
      return;
    case 'ignored':
      session.settle(ticket, SUCCESS);
      return;
    case 'unknown':
      session.settle(ticket, { type: 'acknowledge', reasonCode: Reason.topicNameInvalid });
      return;
    default:
      unreachable(action);
  }
}

const SUCCESS: Settlement = { type: 'acknowledge', reasonCode: Reason.success };
const NOTHING_USABLE: Settlement = {
  type: 'acknowledge',
  reasonCode: Reason.implementationSpecific,
  why: 'the message has no entry',
  thenDisconnect: Reason.implementationSpecific,
};

function claims(session: Session, { payload, properties }: Publication, ticket: Ticket): void {
  // What it may bring of a trace is looked at now, so that only its bytes wait.
  const traced = { destination: GATEWAY_CLAIM_TOPIC, version: session.version };
  const { tracing } = session.context;
  const span =
    tracing && tracePublication(tracing, { ...traced, userProperties: properties?.userProperties });
  const { gateways } = session.context;
  const task = async (device: AuthenticatedDevice): Promise<Settlement> => {
    if (payload.length > LARGE_BYTES) await nextTurn(); // of many gateways one message is read in a turn
    const read = readGatewayClaims(payload, session.payloadRules.format);
    if (read.type !== 'entries') endOfClaim(span, read);
    if (read.type === 'malformed') return malformedSettlement(session, ticket, read.why);
    if (read.type === 'nothing-usable') return NOTHING_USABLE;
    session.budget.spend(PublicationCost.gatewayEntry * Math.min(read.entries.size, ENTRIES_PER_TURN));
    const outcome = await orEndOfFault(span, gateways.claim(device, read.entries, undefined, span?.text));
    endOfGatewayClaims(span, outcome);
    return settlementOf(ticket, outcome, (devices) => batch(session, ticket, devices));
  };
  inTurn(session, ticket, payload, task, () => endOfClaim(span, { type: 'unavailable' }));
}

/** A message whose reading takes a good part of a turn. */
const LARGE_BYTES = 4_096;

function connected(session: Session, payload: Buffer, ticket: Ticket): void {
  inTurn(session, ticket, payload, async (device) => {
    const read = readGatewayConnect(payload, session.payloadRules.format);
    if (read.type === 'malformed') return malformedSettlement(session, ticket, read.why);
    const outcome = await session.context.gateways.connect(device, read.name, read.deviceType);
    return settlementOf(ticket, outcome, (broughtUp) => {
      if (typeof broughtUp !== 'string') return batch(session, ticket, new Map([[read.name, broughtUp]]));
      // The gateway may be gone by now.
      if (!session.over) session.context.table.connectBehind(session, read.name, broughtUp);
      return SUCCESS;
    });
  });
}

/** In turn, so that it ends what was connected before it. */
function disconnected(session: Session, payload: Buffer, ticket: Ticket): void {
  inTurn(session, ticket, payload, async () => {
    const read = readGatewayConnect(payload, session.payloadRules.format);
    if (read.type === 'malformed') return malformedSettlement(session, ticket, read.why);
    session.context.table.disconnectBehind(session, read.name);
    return SUCCESS;
  });
}

/**
 * Queues a task behind what the gateway sent before. Where too much waits, the gateway has to send it again.
 * @param notTaken is called then, and the task is not
 */
function inTurn(
  session: Session,
  ticket: Ticket,
  payload: Buffer,
  task: (device: AuthenticatedDevice) => Promise<Settlement>,
  notTaken: () => void = () => {},
): void {
  const { device, context } = session;
  if (device === undefined) throw new Error('a session without a device took a publication');
  session.budget.spend(PublicationCost.gatewayMessage);
  const taken = context.gatewayWork.tell({
    gateway: device.id,
    bytes: payload.length,
    perform: async () => {
      const settlement = await task(device);
      session.answered(ticket, () => settlement);
    },
    fail: (error) => session.fail(error),
  });
  if (taken) return;
  notTaken();
  session.settle(ticket, unavailable(ticket));
}

function settlementOf<Value>(
  ticket: Ticket,
  outcome: GatewayAnswer<Value>,
  done: (value: Value) => Settlement,
): Settlement {
  switch (outcome.type) {
    case 'done':
      return done(outcome.value);
    case 'revoked':
      return { type: 'disconnect', reasonCode: Reason.administrativeAction };
    case 'unavailable':
      return unavailable(ticket);
    default:
      return unreachable(outcome);
  }
}

function unavailable(ticket: Ticket): Settlement {
  return ticket.qos === 0
    ? { type: 'drop' }
    : { type: 'disconnect', reasonCode: Reason.implementationSpecific };
}

function batch(session: Session, ticket: Ticket, outcomes: ReadonlyMap<string, EntryOutcome>): Settlement {
  const of = (type: EntryOutcome['type']) =>
    [...outcomes.values()].filter((outcome) => outcome.type === type);
  if (of('unavailable').length > 0) return unavailable(ticket);
  const messages = responses(session, ticket, outcomes);
  const [malformed] = of('malformed');
  if (malformed?.type === 'malformed') return malformedSettlement(session, ticket, malformed.why, messages);
  const acknowledge = (reasonCode: 0x80 | 0x87 | 0x97, why: string): Settlement => ({
    type: 'acknowledge',
    reasonCode,
    why,
    messages,
  });
  const [missing] = of('not-created');
  if (missing?.type === 'not-created') {
    const reasonCode = missing.why === 'too-many-devices' ? Reason.quotaExceeded : Reason.unspecifiedError;
    return acknowledge(reasonCode, toldAs(missing.why));
  }
  const [refused] = of('refused');
  if (refused?.type === 'refused')
    return acknowledge(refusalCode(refused), toldAs(refused.reason, refusalInWords(refused)));
  // A device that was deleted while it was asked: its gateway may bring it up again.
  if (of('revoked').length > 0) return acknowledge(Reason.unspecifiedError, 'a device was deleted meanwhile');
  return { type: 'acknowledge', reasonCode: Reason.success, messages };
}

/** The outcomes, in messages that are no larger than the gateway's own may be. */
function responses(session: Session, ticket: Ticket, outcomes: ReadonlyMap<string, EntryOutcome>): Message[] {
  if (!session.hearsAnswer(ticket, GATEWAY_CLAIM_RESPONSE_TOPIC)) return [];
  const { payloadBytesMax } = session.context.settings;
  const correlationBytes = ticket.respondTo?.correlationData?.length ?? 0;
  const bytesMax = Math.min(
    payloadBytesMax,
    session.limits.packetBytesMax - ROOM_FOR_THE_REST - correlationBytes,
  );
  const payloads = gatewayOutcomeMessages(outcomes, bytesMax);
  const topic = GATEWAY_CLAIM_RESPONSE_TOPIC;
  session.connection.grant(payloads.reduce((sum, payload) => sum + payload.length * UTF8_BYTES_MAX, 0));
  return payloads.map((payload) => ({ filter: topic, topic, payload }));
}

/** Of one UTF-16 code unit. */
const UTF8_BYTES_MAX = 3;

/** The fixed header, the topic name, an identifier, an empty list of properties, a brace. */
const ROOM_FOR_THE_REST = 64;
