/** Who counts packets, where somebody watches: called for each, so it does next to nothing. */
import type { Packet } from 'mqtt-packet';
import type { ClientPacket, Fault } from './packets.ts';
import { ConnectRefusal, Reason } from './reasons.ts';

export interface PacketFigures {
  /** A packet of a client is about to be handled; `fault` stands for bytes that are none. */
  received(cmd: ReceivedPacket): void;
  sent(cmd: SentPacket): void;
  /** A CONNACK went out. @param code as the client's version has it */
  answered(code: number): void;
}

export type ReceivedPacket = (ClientPacket | Fault)['cmd'];
export type SentPacket = Packet['cmd'];

/** The codes that CONNACK may have, of all versions. */
export const CONNACK_CODES: readonly number[] = [
  ...new Set([
    Reason.success,
    ...Object.values(ConnectRefusal).flatMap(({ returnCode, reasonCode }) => [returnCode, reasonCode]),
  ]),
];

export const RECEIVED_PACKETS = {
  connect: true,
  publish: true,
  puback: true,
  pubrec: true,
  pubrel: true,
  pubcomp: true,
  subscribe: true,
  unsubscribe: true,
  pingreq: true,
  disconnect: true,
  auth: true,
  fault: true,
} as const satisfies Record<ReceivedPacket, true>;

/** What this server has a reason to send. */
export const SENT_PACKETS = [
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubcomp',
  'suback',
  'unsuback',
  'pingresp',
  'disconnect',
] as const satisfies readonly SentPacket[];
