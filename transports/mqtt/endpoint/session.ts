/**
 * The state of one client's session, and the few things that can be done with it. Handlers (`handlers/`) decide what to
 * do; the session actor (`session-actor.ts`) decides when. Nothing here waits.
 *
 * A session lives as long as its connection: no subscription, packet identifier or message outlives it. A device that
 * comes back subscribes again and sends again what was not acknowledged, which is harmless (rule O5).
 */
import type mqtt from 'mqtt-packet';
import type { Clock } from '../../../actors/base/clock.ts';
import type { Log } from '../../../actors/base/log.ts';
import type { Tracing } from '../../../actors/base/tracing.ts';
import { unreachable } from '../../../actors/base/unreachable.ts';
import type { DeviceAttributes, SharedNews } from '../../../actors/claiming/attributes.ts';
import type { Claiming } from '../../../actors/claiming/claiming.ts';
import type { AuthenticatedDevice } from '../../../actors/claiming/device-authentication.ts';
import type { Gateways } from '../../../actors/claiming/gateways.ts';
import type { FetchedCredentials } from '../../../actors/claiming/new-credentials.ts';
import type { TokenGuard } from '../../../actors/claiming/wrong-tokens.ts';
import { type PayloadRules, PLAIN_JSON, type Profiles } from '../../../actors/fleet/profiles.ts';
import type { Actor } from '../../../actors/runtime/actor.ts';
import { reportBug } from '../../../actors/runtime/supervision.ts';
import type { Turns } from '../../../actors/runtime/turns.ts';
import {
  type Acknowledge,
  AcknowledgementQueue,
  type Message,
  type Settlement,
  type Ticket,
} from './acknowledgements.ts';
import { Budget, type Spender } from './budget.ts';
import { encode, encodeSuccess } from './codec.ts';
import type { Connection } from './connection.ts';
import type { PacketFigures } from './figures.ts';
import type { GatewayWork } from './gateway-actor.ts';
import { type ProtocolVersion, Reason, type ReasonCode } from './reasons.ts';
import type { RespondTo } from './response-topic.ts';
import { SentIdentifiers } from './sent-identifiers.ts';
import type { SessionTable } from './session-table.ts';
import type { MqttEndpointSettings } from './settings.ts';

export type SessionMessage =
  /** Packets may have arrived, or may be handled now that had to wait. */
  | { readonly type: 'readable' }
  /** Devices have answered: settle what they said. */
  | { readonly type: 'answers' }
  /** End the session, for a reason that lies outside of it. */
  | { readonly type: 'end'; readonly reasonCode: ReasonCode }
  /** Something that the client did not ask for: published if it has subscribed to the topic. */
  | { readonly type: 'notice'; readonly topic: string; readonly payload: string }
  | SharedNews
  /** The server is about to stop: take nothing new, acknowledge what is under way, then end. */
  | { readonly type: 'drain' }
  /** The connection is closed. */
  | { readonly type: 'closed' }
  /** The device is to have other credentials: fetch them. */
  | { readonly type: 'rotated' }
  /** They were fetched. */
  | { readonly type: 'credentials'; readonly fetched: FetchedCredentials }
  /** Something that the session waited for has met a bug. */
  | { readonly type: 'failed'; readonly error: unknown };

export interface SessionContext {
  readonly settings: MqttEndpointSettings;
  readonly claiming: Claiming;
  readonly attributes: DeviceAttributes;
  readonly guard: TokenGuard;
  readonly gateways: Gateways;
  /** Carries out what gateways ask for, one message of each after the other. */
  readonly gatewayWork: Pick<Actor<GatewayWork>, 'tell'>;
  readonly profiles: Profiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly table: SessionTable;
  readonly turns: Turns;
  readonly figures: PacketFigures | undefined;
  /** Undefined: no spans are made. */
  readonly tracing: Tracing | undefined;
}

/** `ending`: takes no more packets, acknowledges what came before, then ends. */
export type SessionStatus = 'connecting' | 'connected' | 'ending' | 'ended';

/** What a client may be sent, as it said in CONNECT. */
interface ClientLimits {
  readonly packetBytesMax: number;
  readonly receiveMaximum: number;
  readonly wantsProblemInformation: boolean;
}

const READABLE: SessionMessage = { type: 'readable' };
const ANSWERS: SessionMessage = { type: 'answers' };
/** QoS 2 publications that were acknowledged and have no PUBREL yet, beside those in flight. Their identifiers take 28 KB; all take 1.8 MB. */
const UNRELEASED_MAX = 1_000;
/** Of a client that says nothing of it. */
const LIMITS_DEFAULT: ClientLimits = {
  packetBytesMax: Number.POSITIVE_INFINITY,
  receiveMaximum: 0xffff, // version 5, section 3.1.2.11.3
  wantsProblemInformation: true,
};

export class Session implements Spender {
  readonly context: SessionContext;
  readonly connection: Connection;
  /** How much of what the client sends is handled in one turn of the event loop. */
  readonly budget: Budget;
  status: SessionStatus = 'connecting';
  version: ProtocolVersion = 4;
  device: AuthenticatedDevice | undefined;
  /** Its credentials are replaced, and do nothing but fetch their successors (O9). */
  superseded = false;
  /** How the profile has the device write its payloads, as it was at CONNECT. */
  payloadRules: PayloadRules = PLAIN_JSON;
  limits = LIMITS_DEFAULT;
  /** Silence after which the client is taken for dead, in ms. */
  silenceMaxMs = Number.POSITIVE_INFINITY;
  /** Filters granted, with their QoS. Undefined, as the next two: none yet. Most of a fleet is silent, and an empty map is 180 bytes. */
  subscriptions: Map<string, 0 | 1> | undefined;
  /** Topic names by alias (version 5). */
  topicAliases: Map<number, string> | undefined;
  /**
   * QoS 2 packet identifiers that the client uses. `deciding`: PUBREC is still to be sent; `received`: it was sent, and
   * PUBREL is to come. Meanwhile a PUBLISH with this identifier is a duplicate [MQTT-4.3.3-2].
   */
  qos2Identifiers: Map<number, 'deciding' | 'received'> | undefined;
  /** Publications that count against the Receive Maximum. */
  unacknowledged = 0;
  /** QoS 0 publications that wait for a device's answer. */
  unreliable = 0;
  /** What devices have answered and is not settled yet. */
  #answers: { readonly ticket: Ticket; readonly settlement: () => Settlement }[] | undefined;
  /** Set once it is spawned. */
  actor: Actor<SessionMessage> | undefined;

  readonly #tickets = new AcknowledgementQueue();
  /** Of our own messages that the client has not acknowledged. */
  readonly #sent = new SentIdentifiers();

  constructor(context: SessionContext, connection: Connection) {
    this.context = context;
    this.connection = connection;
    this.budget = new Budget(context.turns, this);
  }

  /** Puts a message into the mailbox of this session's actor; may be called from anywhere. False: the actor has stopped. */
  tell(message: SessionMessage): boolean {
    return this.actor?.tell(message) === true;
  }

  /** Whether the client has said who it is. */
  get isLetIn(): boolean {
    return this.status !== 'connecting';
  }

  /** Whether the session has ended, or the connection was cut under it. */
  get over(): boolean {
    return this.status === 'ended' || this.connection.endedAt !== undefined;
  }

  /** Whether nothing waits to be acknowledged. */
  get idle(): boolean {
    return this.#tickets.size === 0;
  }

  /**
   * Whether to take no more publications until some are acknowledged. A version 5 client knows its limit: here only what
   * that limit does not cover counts, the rest is checked in `takeIn`.
   */
  get full(): boolean {
    const waiting = this.version === 5 ? this.unreliable : this.#tickets.size;
    return waiting >= this.context.settings.inFlightMax;
  }

  // ------------------------------------------------------------------------------------------- from the client

  /** Takes a publication in. Undefined: the client sent too many and was disconnected. */
  takeIn(qos: 0 | 1 | 2, messageId: number, respondTo?: RespondTo): Ticket | undefined {
    if (qos === 0) this.unreliable += 1;
    else this.unacknowledged += 1;
    if (this.version === 5 && this.unacknowledged > this.context.settings.inFlightMax) {
      this.disconnect(Reason.receiveMaximumExceeded); // [MQTT5-3.3.4-7]
      return undefined;
    }
    if (qos === 2) {
      if (this.#isFullOfQos2) {
        this.disconnect(Reason.receiveMaximumExceeded);
        return undefined;
      }
      this.#setQos2(messageId, 'deciding');
    }
    const ticket: Ticket = { qos, messageId, respondTo, settlement: undefined };
    this.#tickets.add(ticket);
    return ticket;
  }

  /**
   * Older versions have no Receive Maximum, and what is to be released cannot wait: a PUBREL comes behind the publications.
   * Only who never sends one gets so far.
   */
  get #isFullOfQos2(): boolean {
    return (this.qos2Identifiers?.size ?? 0) >= this.context.settings.inFlightMax + UNRELEASED_MAX;
  }

  #setQos2(messageId: number, state: 'deciding' | 'received'): void {
    this.qos2Identifiers ??= new Map();
    this.qos2Identifiers.set(messageId, state);
  }

  /** There may be packets to handle; may be called from anywhere. */
  read(): void {
    this.tell(READABLE);
  }

  /** The budget allows more packets. */
  goOn(): void {
    this.read();
  }

  /**
   * A device has answered, in whatever order. Devices of one commit answer one promise after the other; what has come until
   * then is settled together. Where nothing else is under way, nothing else can come.
   */
  answered(ticket: Ticket, settlement: () => Settlement): void {
    this.#answers ??= [];
    if (this.#answers.push({ ticket, settlement }) > 1) return;
    if (this.#tickets.size === 1) this.tell(ANSWERS);
    else queueMicrotask(() => this.tell(ANSWERS));
  }

  /** Something that this session waited for has met a bug; may be called from anywhere, and after its end. */
  fail(error: unknown): void {
    const taken = this.tell({ type: 'failed', error });
    if (!taken) reportBug(this.context.log, 'session', error, { deviceId: this.device?.id });
  }

  /** Tells of shared attributes; may be called from anywhere. */
  share(news: SharedNews): void {
    this.tell(news);
  }

  requestCredentials(): void {
    this.tell({ type: 'rotated' });
  }

  /** Ends the session in its own time; may be called from anywhere. */
  requestEnd(reasonCode: ReasonCode): void {
    this.tell({ type: 'end', reasonCode });
  }

  /** Tells the client something that it did not ask for; may be called from anywhere. */
  notice(topic: string, payload: string): void {
    this.tell({ type: 'notice', topic, payload });
  }

  settleAnswers(): void {
    const answers = this.#answers ?? [];
    this.#answers = undefined;
    for (const { ticket, settlement } of answers) this.settle(ticket, settlement());
  }

  settle(ticket: Ticket, settlement: Settlement): void {
    ticket.settlement = settlement;
    const ends =
      settlement.type === 'disconnect' ||
      (settlement.type === 'acknowledge' && settlement.thenDisconnect !== undefined);
    if (ends && this.status === 'connected') this.status = 'ending';
  }

  /** Acknowledges what is settled, from the front. Returns whether anything left the queue. */
  acknowledge(): boolean {
    let any = false;
    while (!this.over) {
      const ticket = this.#tickets.shiftSettled();
      if (ticket?.settlement === undefined) break;
      any = true;
      this.#carryOut(ticket, ticket.settlement);
    }
    return any;
  }

  #carryOut(ticket: Ticket, settlement: Settlement): void {
    if (ticket.qos === 0) this.unreliable -= 1;
    switch (settlement.type) {
      case 'acknowledge':
        if (ticket.qos === 1) this.#puback(ticket, settlement);
        if (ticket.qos === 2) this.#pubrec(ticket, settlement);
        if (settlement.messages !== undefined) {
          for (const message of settlement.messages) this.#answer(ticket, message);
        }
        if (settlement.thenDisconnect !== undefined) this.disconnect(settlement.thenDisconnect);
        return;
      case 'drop':
        return;
      case 'disconnect':
        this.disconnect(settlement.reasonCode, settlement.why);
        return;
      default:
        unreachable(settlement);
    }
  }

  #answer({ respondTo }: Ticket, { filter, topic, payload }: Message): void {
    if (respondTo === undefined) this.publish(filter, topic, payload);
    else this.publish(respondTo.filter, respondTo.topic, payload, respondTo.correlationData);
  }

  /** Whether somebody hears the answer to this publication. @param usual the filter for such answers */
  hearsAnswer({ respondTo }: Ticket, usual: string): boolean {
    const { filter, topic } = respondTo ?? { filter: usual, topic: usual };
    return this.#qosOf(filter, topic) !== undefined;
  }

  #puback(ticket: Ticket, settlement: Acknowledge): void {
    this.unacknowledged -= 1;
    this.#confirm('puback', ticket.messageId, settlement); // [MQTT-4.3.2-2]
  }

  #pubrec(ticket: Ticket, settlement: Acknowledge): void {
    const failed = this.version === 5 && settlement.reasonCode >= 0x80;
    // A PUBREC that says failure ends the exchange: the identifier is free again (version 5, section 4.3.3).
    if (failed) this.qos2Identifiers?.delete(ticket.messageId);
    else this.#setQos2(ticket.messageId, 'received');
    if (failed) this.unacknowledged -= 1;
    this.#confirm('pubrec', ticket.messageId, settlement); // [MQTT-4.3.3-2]
  }

  #confirm(cmd: 'puback' | 'pubrec', messageId: number, { reasonCode, why }: Acknowledge): void {
    if (this.version < 5 || reasonCode === Reason.success) {
      this.confirm(cmd, messageId);
      return;
    }
    // Without a reason string if so asked [MQTT5-3.1.2-29].
    this.#sendWithReason(
      { cmd, messageId, reasonCode },
      this.limits.wantsProblemInformation ? why : undefined,
    );
  }

  // --------------------------------------------------------------------------------------------- to the client

  /** Publishes to the client if it has subscribed to `filter`, or to this topic alone, with the QoS granted. */
  publish(filter: string, topic: string, payload: string, correlationData?: Buffer): void {
    const granted = this.#qosOf(filter, topic);
    if (granted === undefined) return;
    const messageId = granted === 1 ? this.#sent.take(this.#sentMax) : undefined;
    const properties = correlationData === undefined ? {} : { properties: { correlationData } };
    const message = { cmd: 'publish', topic, payload, dup: false, retain: false, ...properties } as const;
    if (messageId === undefined) this.send({ ...message, qos: 0 });
    else if (!this.send({ ...message, qos: 1, messageId })) this.#sent.release(messageId);
  }

  /** With which QoS the client has subscribed to the filter, or to this topic alone. */
  #qosOf(filter: string, topic: string): 0 | 1 | undefined {
    return this.subscriptions?.get(filter) ?? this.subscriptions?.get(topic);
  }

  /** How many messages of ours may be unacknowledged [MQTT5-3.3.4-9]; beyond it they go out with QoS 0. */
  get #sentMax(): number {
    return Math.min(this.context.settings.unacknowledgedMax, this.limits.receiveMaximum);
  }

  /** The client has acknowledged a message of ours. */
  acknowledged(messageId: number): void {
    this.#sent.release(messageId);
  }

  /** Sends a packet that says yes, of which nearly all that is sent consists. */
  confirm(cmd: 'puback' | 'pubrec' | 'pubcomp', messageId: number): void {
    this.connection.write(encodeSuccess(cmd, messageId));
    this.context.figures?.sent(cmd);
  }

  /** Sends a packet, unless the client cannot take one so large [MQTT5-3.1.2-24] [MQTT5-3.1.2-25]. */
  send(packet: mqtt.Packet): boolean {
    const bytes = encode(packet, this.version);
    if (bytes.length > this.limits.packetBytesMax) return false;
    this.connection.write(bytes);
    const { figures } = this.context;
    figures?.sent(packet.cmd);
    if (packet.cmd === 'connack') figures?.answered(codeOf(packet, this.version));
    return true;
  }

  #sendWithReason(
    packet: mqtt.IPubackPacket | mqtt.IPubrecPacket | mqtt.IDisconnectPacket,
    why?: string,
  ): void {
    if (why !== undefined && this.send({ ...packet, properties: { reasonString: why } })) return;
    this.send(packet);
  }

  /** Ends the session at once; a version 5 client is told why [MQTT5-4.13.1-1]. */
  disconnect(reasonCode: ReasonCode, why?: string): void {
    if (this.over) return;
    // Not before a CONNACK that says success [MQTT5-3.14.0-1].
    if (this.version === 5 && this.status !== 'connecting') {
      this.#sendWithReason({ cmd: 'disconnect', reasonCode }, why);
    }
    this.context.log.debug({ deviceId: this.device?.id, reasonCode }, 'mqtt session ended by us');
    this.close();
  }

  /** Ends the session without a word. */
  close(): void {
    this.leave();
    this.connection.end();
  }

  /** The connection is no longer this session's business. */
  leave(): void {
    this.status = 'ended';
    if (this.device !== undefined) this.context.table.leave(this.device.id, this);
  }
}

function codeOf({ returnCode, reasonCode }: mqtt.IConnackPacket, version: ProtocolVersion): number {
  return (version === 5 ? reasonCode : returnCode) ?? 0;
}
