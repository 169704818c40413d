/**
 * One packet's bytes to a checked packet, and packets to bytes, over the `mqtt-packet` codec.
 *
 * The codec parses. What the specifications forbid and it lets through is refused here: packet identifiers
 * of zero, strings that are not UTF-8 or hold U+0000, empty lists of filters, packets that only a server sends. It is
 * always given exactly one packet, so it cannot read beyond its end into the next one. Hence it keeps no state
 * between packets, and one parser per protocol version serves all connections.
 */

import mqtt from 'mqtt-packet';
import { unreachable } from '../../../actors/base/unreachable.ts';
import { checkConnectProperties } from './connect-properties.ts';
import {
  type ClientPacket,
  type ConnectPacket,
  type Fault,
  MALFORMED,
  PROTOCOL_ERROR,
  type PublishPacket,
  UNSUPPORTED_VERSION,
  type WithIdentifier,
} from './packets.ts';
import { decodePlainPublish } from './plain-publish.ts';
import type { ProtocolVersion } from './reasons.ts';

/** The codec's table of all 65,536 two-byte numbers costs megabytes and gains nothing measurable here. */
mqtt.writeToStream.cacheNumbers = false;

const PACKET_TYPE = { connect: 1, publish: 3, pingreq: 12, disconnect: 14 };

/** Reads the first packet of a connection, which must be CONNECT [MQTT-3.1.0-1]. `bytes` is exactly one packet. */
export function decodeConnect(bytes: Buffer): ConnectPacket | Fault {
  if (typeOf(bytes) !== PACKET_TYPE.connect) return PROTOCOL_ERROR;
  const protocol = protocolOf(bytes);
  if (protocol !== undefined && !SUPPORTED.has(protocol.name)) return UNSUPPORTED_VERSION; // [MQTT-3.1.2-2]
  if (protocol?.name === VERSION_5) {
    const properties = checkConnectProperties(bytes, protocol.end + CONNECT_FLAGS_AND_KEEP_ALIVE_BYTES);
    if (properties !== 'sound') return properties === 'repeated' ? PROTOCOL_ERROR : MALFORMED;
  }

  // A new parser: it changes to the version that it reads, and keeps the packet, password included.
  const packet = parseWith(createParser(undefined), bytes);
  if (packet?.cmd !== 'connect') return MALFORMED;
  const { protocolVersion, will, username, password, clientId } = packet;
  if (protocolVersion === undefined) return MALFORMED;
  if (will?.qos !== undefined && Number(will.qos) > 2) return MALFORMED; // [MQTT-3.1.2-14]
  if (password !== undefined && username === undefined && protocolVersion < 5) return MALFORMED; // [MQTT-3.1.2-22]
  const texts = [clientId, username ?? '', will?.topic ?? ''];
  return texts.every((text) => isMqttString(text, bytes)) ? { ...packet, protocolVersion } : MALFORMED;
}

/** Protocol name and level that exist (section 3.1.2.1 and .2, and MQTT 3.1 section 3.1). */
const VERSION_5 = 'MQTT 5';
const SUPPORTED: ReadonlySet<string> = new Set(['MQIsdp 3', 'MQTT 4', VERSION_5]);
const CONNECT_FLAGS_AND_KEEP_ALIVE_BYTES = 3;

/** Its name and level, and where they end. */
function protocolOf(connect: Buffer): { readonly name: string; readonly end: number } | undefined {
  let at = 1;
  while ((connect[at] ?? 0) >= 0x80) at += 1; // the framer has checked the length
  at += 1;
  if (connect.length < at + 2) return undefined;
  const nameEnd = at + 2 + connect.readUInt16BE(at);
  const level = connect[nameEnd];
  if (level === undefined) return undefined;
  return { name: `${connect.toString('latin1', at + 2, nameEnd)} ${level}`, end: nameEnd + 1 };
}

/** Reads any later packet. `bytes` is exactly one packet. */
export function decode(bytes: Buffer, version: ProtocolVersion): ClientPacket | Fault {
  const type = typeOf(bytes);
  if (type === PACKET_TYPE.publish) {
    const plain = decodePlainPublish(bytes, version);
    if (plain !== undefined) return plain;
  }
  if (type === PACKET_TYPE.connect) return PROTOCOL_ERROR; // a second CONNECT [MQTT-3.1.0-2]
  const hasBody = bytes.length > 2;
  if (hasBody && (type === PACKET_TYPE.pingreq || (type === PACKET_TYPE.disconnect && version < 5))) {
    return MALFORMED;
  }
  const packet = parse(bytes, version);
  return packet === undefined ? MALFORMED : check(packet, bytes);
}

function check(packet: mqtt.Packet, bytes: Buffer): ClientPacket | Fault {
  switch (packet.cmd) {
    case 'publish':
      return checkPublish(packet, bytes);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return withIdentifier(packet);
    case 'subscribe':
      return checkFilters(
        packet,
        packet.subscriptions.map((subscription) => subscription.topic),
        bytes,
      );
    case 'unsubscribe':
      return checkFilters(packet, packet.unsubscriptions, bytes);
    case 'pingreq':
    case 'disconnect':
    case 'auth':
      return packet;
    case 'connect':
    case 'connack':
    case 'suback':
    case 'unsuback':
    case 'pingresp':
      return PROTOCOL_ERROR;
    default:
      return unreachable(packet);
  }
}

function checkPublish(packet: mqtt.IPublishPacket, bytes: Buffer): PublishPacket | Fault {
  const { qos, dup, topic, payload, properties } = packet;
  const messageId = packet.messageId ?? 0;
  if (qos > 0 && messageId < 1) return MALFORMED; // [MQTT-2.3.1-1]
  if (typeof payload === 'string' || !isMqttString(topic, bytes)) return MALFORMED;
  if (/[+#]/.test(topic)) return MALFORMED; // [MQTT-3.3.2-2]
  if (properties !== undefined && isRepeated(properties)) return PROTOCOL_ERROR;
  return { cmd: 'publish', qos, dup, topic, payload, messageId, properties };
}

/** Whether a property stands there twice that may not (section 3.3.2.3): the codec makes a list of it. */
function isRepeated({ userProperties: _many, ...once }: NonNullable<PublishPacket['properties']>): boolean {
  return Object.values(once).some((value) => Array.isArray(value));
}

function checkFilters<Packet extends mqtt.ISubscribePacket | mqtt.IUnsubscribePacket>(
  packet: Packet,
  filters: readonly string[],
  bytes: Buffer,
): WithIdentifier<Packet> | Fault {
  if (filters.length === 0) return PROTOCOL_ERROR; // [MQTT-3.8.3-3], [MQTT-3.10.3-2]
  let at = 0;
  for (const filter of filters) {
    if (filter === '') return MALFORMED; // [MQTT-4.7.3-1]
    at = behindString(filter, bytes, at);
    if (at < 0) return MALFORMED;
  }
  return withIdentifier(packet);
}

function withIdentifier<Packet extends { messageId?: number }>(
  packet: Packet,
): WithIdentifier<Packet> | Fault {
  const { messageId } = packet;
  if (messageId === undefined || messageId < 1) return MALFORMED; // [MQTT-2.3.1-1]
  return { ...packet, messageId };
}

/**
 * Whether a string of a packet is what the specification calls a UTF-8 encoded string: well-formed [MQTT-1.5.3-1],
 * without U+0000 [MQTT-1.5.3-2]. The codec replaces what is ill-formed by U+FFFD, whose own
 * bytes then are not in the packet.
 */
function isMqttString(text: string, packet: Buffer): boolean {
  return behindString(text, packet, 0) >= 0;
}

/**
 * The same of one of several, which lie in the packet in their order: each of thousands is looked for behind the one before, as
 * looking from the beginning took half a second.
 *
 * @returns from where on to look for the next; -1: it is no such string
 */
function behindString(text: string, packet: Buffer, from: number): number {
  if (text.includes('\0')) return -1;
  if (!text.includes('\uFFFD')) return from;
  const at = packet.indexOf(text, from, 'utf8');
  return at < 0 ? -1 : at + Buffer.byteLength(text);
}

// -------------------------------------------------------------------------------------------------------- parsers

interface OneShotParser {
  readonly parser: mqtt.Parser;
  parsed: mqtt.Packet | undefined;
  failed: boolean;
}

const parsers = new Map<ProtocolVersion, OneShotParser>();

function createParser(version: ProtocolVersion | undefined): OneShotParser {
  const parser = mqtt.parser(version === undefined ? {} : { protocolVersion: version });
  const oneShot: OneShotParser = { parser, parsed: undefined, failed: false };
  parser.on('packet', (packet) => {
    oneShot.parsed = packet;
  });
  parser.on('error', () => {
    oneShot.failed = true;
  });
  return oneShot;
}

function parse(bytes: Buffer, version: ProtocolVersion): mqtt.Packet | undefined {
  let oneShot = parsers.get(version);
  if (oneShot === undefined) {
    oneShot = createParser(version);
    parsers.set(version, oneShot);
  }
  const packet = parseWith(oneShot, bytes);
  // After an error the codec's read position is off: never use that parser again.
  if (packet === undefined) parsers.delete(version);
  return packet;
}

function parseWith(oneShot: OneShotParser, bytes: Buffer): mqtt.Packet | undefined {
  oneShot.parsed = undefined;
  let left: number;
  try {
    left = oneShot.parser.parse(bytes);
  } catch {
    return undefined; // it reads beyond the end of some truncated packets
  }
  return oneShot.failed || left > 0 ? undefined : oneShot.parsed;
}

function typeOf(bytes: Buffer): number {
  return (bytes[0] ?? 0) >> 4;
}

// --------------------------------------------------------------------------------------------------------- writing

/** A packet for a client of that version. */
export function encode(packet: mqtt.Packet, version: ProtocolVersion): Buffer {
  return mqtt.generate(packet, { protocolVersion: version });
}

/** PUBACK, PUBREC or PUBCOMP that says success: the same four bytes in every version (sections 3.4, 3.5, 3.7). */
export function encodeSuccess(cmd: 'puback' | 'pubrec' | 'pubcomp', messageId: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes[0] = FIRST_BYTE[cmd];
  bytes[1] = 2;
  bytes[2] = messageId >> 8;
  bytes[3] = messageId & 0xff;
  return bytes;
}

const FIRST_BYTE = { puback: 0x40, pubrec: 0x50, pubcomp: 0x70 };
