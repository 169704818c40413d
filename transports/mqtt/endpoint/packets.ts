/** The packets that a client may send, checked, and the fault that stands for bytes that fail the check. */
import type mqtt from 'mqtt-packet';
import { type ProtocolVersion, Reason } from './reasons.ts';

export type ConnectPacket = mqtt.IConnectPacket & { readonly protocolVersion: ProtocolVersion };

export interface PublishPacket {
  readonly cmd: 'publish';
  readonly qos: mqtt.QoS;
  /** The client may have sent it before, in an earlier session. */
  readonly dup: boolean;
  readonly topic: string;
  readonly payload: Buffer;
  /** 1 … 65535, or 0 with QoS 0. */
  readonly messageId: number;
  readonly properties: mqtt.IPublishPacket['properties'] | undefined;
}

export type WithIdentifier<Packet> = Omit<Packet, 'messageId'> & { readonly messageId: number };

/** What a client may send, checked. */
export type ClientPacket =
  | ConnectPacket
  | PublishPacket
  | WithIdentifier<mqtt.IPubackPacket>
  | WithIdentifier<mqtt.IPubrecPacket>
  | WithIdentifier<mqtt.IPubrelPacket>
  | WithIdentifier<mqtt.IPubcompPacket>
  | WithIdentifier<mqtt.ISubscribePacket>
  | WithIdentifier<mqtt.IUnsubscribePacket>
  | mqtt.IPingreqPacket
  | mqtt.IDisconnectPacket
  | mqtt.IAuthPacket;

export type PacketOf<Cmd extends ClientPacket['cmd']> = Extract<ClientPacket, { cmd: Cmd }>;

/** Bytes that are no packet, or not one that may come now. The connection is over. */
export interface Fault {
  readonly cmd: 'fault';
  readonly reasonCode:
    | typeof Reason.malformedPacket
    | typeof Reason.protocolError
    | typeof Reason.packetTooLarge
    | typeof Reason.unsupportedProtocolVersion;
}

export const MALFORMED: Fault = { cmd: 'fault', reasonCode: Reason.malformedPacket };
export const PROTOCOL_ERROR: Fault = { cmd: 'fault', reasonCode: Reason.protocolError };
export const TOO_LARGE: Fault = { cmd: 'fault', reasonCode: Reason.packetTooLarge };
export const UNSUPPORTED_VERSION: Fault = { cmd: 'fault', reasonCode: Reason.unsupportedProtocolVersion };
