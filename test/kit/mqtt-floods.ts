/**
 * Floods: what a client with a valid token can send without end, as one piece of bytes that is sent again and again. Each is
 * allowed by the protocol, so the connection stays; only a fair server keeps them from everybody else.
 */
import { connect, type Socket } from 'node:net';
import mqtt from 'mqtt-packet';
import { CLAIM_TOPIC, connectPacket, type Sendable, type Version } from './mqtt-client.ts';

export interface Flood {
  readonly name: string;
  readonly version: Version;
  /** Packets that are sent once, before the flood. */
  readonly first?: readonly Sendable[];
  readonly packets: readonly Sendable[];
  /** Only a gateway may send it. */
  readonly asGateway?: boolean;
  /** The client never reads what it is answered. */
  readonly deaf?: boolean;
  /**
   * Connections instead of packets: each is closed once it is answered, and another is opened. `wrong`: with credentials that
   * are none; `silent`: closed as soon as it is open.
   */
  readonly storm?: 'right' | 'wrong' | 'silent';
  /** Addresses of this machine from which the connections come; by default one. */
  readonly addresses?: number;
}

const publish = (topic: string, payload: string | Buffer, qos: 0 | 1 | 2 = 0): Sendable => ({
  cmd: 'publish',
  topic,
  payload,
  qos,
  dup: false,
  retain: false,
  ...(qos === 0 ? {} : { messageId: 7 }),
});
const subscribe = (...topics: readonly string[]): Sendable => ({
  cmd: 'subscribe',
  messageId: 7,
  subscriptions: topics.map((topic) => ({ topic, qos: 1 })),
});

/** About what one packet may have. */
const FILTERS = 5_000;
const ENTRIES = 2_000;

const ANSWERS = 'v1/devices/me/attributes/response/+';
const CALLS = 'v1/devices/me/rpc/response/+';
const PINGS: readonly Sendable[] = [{ cmd: 'pingreq' }];

export const FLOODS: readonly Flood[] = [
  { name: 'PINGREQ', version: 4, packets: PINGS },
  { name: 'PINGREQ, never reads', version: 4, packets: PINGS, deaf: true },
  { name: 'SUBSCRIBE', version: 4, packets: [subscribe('v1/devices/me/attributes')] },
  {
    name: 'SUBSCRIBE, many filters',
    version: 4,
    packets: [subscribe(...Array.from({ length: FILTERS }, (_, at) => `a/${at}`))],
  },
  {
    name: 'UNSUBSCRIBE',
    version: 4,
    packets: [{ cmd: 'unsubscribe', messageId: 7, unsubscriptions: ['a'] }],
  },
  { name: 'telemetry, QoS 0', version: 4, packets: [publish('v1/devices/me/telemetry', '{"t":1}')] },
  { name: 'telemetry, QoS 1', version: 4, packets: [publish('v1/devices/me/telemetry', '{"t":1}', 1)] },
  { name: 'PUBREL', version: 4, packets: [{ cmd: 'pubrel', messageId: 7 }] },
  { name: 'telemetry, 60 KB', version: 4, packets: [publish('v1/devices/me/telemetry', 'x'.repeat(60_000))] },
  { name: 'unknown topic', version: 4, packets: [publish('a', '')] },
  { name: 'QoS 2 duplicates', version: 4, packets: [publish('v2/t', '{}', 2)] },
  {
    name: 'PUBLISH with properties',
    version: 5,
    packets: [
      {
        ...publish('v2/t', '{}'),
        properties: {
          userProperties: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`k${at}`, 'v'])),
        },
      },
    ],
  },
  { name: 'PUBREC', version: 5, packets: [{ cmd: 'pubrec', messageId: 7, reasonCode: 0 }] },
  { name: 'PUBACK', version: 4, packets: [{ cmd: 'puback', messageId: 7 }] },
  { name: 'claims, QoS 0', version: 4, packets: [publish(CLAIM_TOPIC, '{"secretKey":"s"}')] },
  { name: 'claims, QoS 1', version: 4, packets: [publish(CLAIM_TOPIC, '{"secretKey":"s"}', 1)] },
  {
    name: 'questions for attributes',
    version: 4,
    first: [subscribe(ANSWERS)],
    packets: [publish('v1/devices/me/attributes/request/1', '{"sharedKeys":"a,b"}')],
  },
  {
    name: 'calls',
    version: 4,
    first: [subscribe(CALLS)],
    packets: [publish('v1/devices/me/rpc/request/1', '{"method":"getSessionLimits","params":{}}')],
  },
  {
    name: 'gateway, large batches',
    version: 4,
    asGateway: true,
    packets: [
      publish(
        'v1/gateway/claim',
        JSON.stringify(Object.fromEntries(Array.from({ length: ENTRIES }, (_, at) => [`behind ${at}`, {}]))),
      ),
    ],
  },
  {
    name: 'gateway, connects',
    version: 4,
    asGateway: true,
    packets: [publish('v1/gateway/connect', '{"device":"behind 1"}')],
  },
  {
    name: 'gateway, questions for attributes',
    version: 4,
    asGateway: true,
    packets: [
      publish('v1/gateway/attributes/request', '{"id":1,"device":"behind 1","client":false,"key":"a"}'),
    ],
  },
  { name: 'CONNECT again and again', version: 4, packets: [], storm: 'right' },
  { name: 'CONNECT from many addresses', version: 4, packets: [], storm: 'right', addresses: 250 },
  { name: 'CONNECT with wrong credentials', version: 4, packets: [], storm: 'wrong' },
  { name: 'connections that say nothing', version: 4, packets: [], storm: 'silent' },
];

/** Connections of a storm that are open at once, for each token. */
const STORM_AT_ONCE = 20;

/** As much as is written at a time. */
const PIECE_BYTES = 256 * 1_024;

/** The bytes again and again, as much as is written at a time. */
export function piece(bytes: Buffer): Buffer {
  const times = Math.max(1, Math.floor(PIECE_BYTES / bytes.length));
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}

export function bytesOf(protocolVersion: Version, packets: readonly Sendable[]): Buffer {
  return Buffer.concat(
    packets.map((packet) => mqtt.generate(packet as unknown as mqtt.Packet, { protocolVersion })),
  );
}

/** Connects again and again, until it is stopped. `ended`: connections that were opened and are closed. */
export function storm(
  port: number,
  accessToken: string,
  what: Flood,
): { stop(): void; readonly ended: number } {
  const { version, storm: how, addresses = 1 } = what;
  const open = new Set<Socket>();
  let stopped = false;
  let count = 0;
  let ended = 0;
  const next = (): void => {
    if (stopped) return;
    count += 1;
    const token = how === 'wrong' ? `wrong-${accessToken}-${count}` : accessToken;
    // All of 127.0.0.0/8 is this machine, on Linux.
    const from = addresses === 1 ? {} : { localAddress: `127.0.1.${1 + (count % addresses)}` };
    const socket = connect({ host: '127.0.0.1', port, ...from });
    open.add(socket);
    socket.on('connect', () => {
      if (how === 'silent') socket.destroy();
      else socket.write(bytesOf(version, [connectPacket(version, token)]));
    });
    socket.on('data', () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => {
      open.delete(socket);
      ended += 1;
      setImmediate(next);
    });
  };
  for (let at = 0; at < STORM_AT_ONCE; at += 1) next();
  return {
    get ended() {
      return ended;
    },
    stop() {
      stopped = true;
      for (const socket of open) socket.destroy();
    },
  };
}

/** One flooding connection; it sends as fast as it is taken, and connects again when it is closed. */
export function flood(port: number, accessToken: string, what: Flood): { stop(): void } {
  const { version, packets, first = [], deaf = false } = what;
  const many = piece(bytesOf(version, packets));
  const hello = bytesOf(version, [connectPacket(version, accessToken), ...first]);
  let socket: Socket | undefined;
  let stopped = false;
  const open = (): void => {
    const opened = connect({ host: '127.0.0.1', port });
    socket = opened;
    const pour = (): void => {
      while (!stopped && !opened.destroyed && opened.write(many)) {}
    };
    opened.on('connect', () => {
      opened.write(hello);
      pour();
    });
    opened.on('drain', pour);
    if (deaf) opened.pause();
    else opened.on('data', () => {});
    opened.on('error', () => {});
    opened.on('close', () => {
      if (!stopped) setTimeout(open, REOPEN_MS);
    });
  };
  open();
  return {
    stop() {
      stopped = true;
      socket?.destroy();
    },
  };
}

const REOPEN_MS = 50;
