/**
 * A raw MQTT client for tests: it sends exactly what the test says, valid or not, and shows what came back, packet by
 * packet and byte by byte. It answers nothing by itself.
 */
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import mqtt from 'mqtt-packet';
import { within } from './patience.ts';

export type Version = 3 | 4 | 5;

/** A packet to send. Loosely typed on purpose: tests send what no well-behaved client would. */
export type Sendable = { readonly cmd: mqtt.PacketCmd } & Readonly<Record<string, unknown>>;

export class RawMqttClient<Wire extends Duplex = Socket> {
  readonly version: Version;
  readonly socket: Wire;
  /** Packets received and not taken by `next` yet. */
  readonly packets: mqtt.Packet[] = [];
  /** Everything received, as it came. */
  readonly chunks: Buffer[] = [];
  /** Resolves when the connection is closed, by whomever. */
  readonly closed: Promise<void>;
  isClosed = false;
  #wake: (() => void) | undefined;

  /** @param socket what the packets travel over: connected */
  constructor(socket: Wire, version: Version) {
    this.socket = socket;
    this.version = version;
    const parser = mqtt.parser({ protocolVersion: version });
    parser.on('packet', (packet) => {
      this.packets.push(packet);
      this.#wake?.();
    });
    parser.on('error', (error) => socket.destroy(error));
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      parser.parse(chunk);
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.isClosed = true;
        this.#wake?.();
        resolve();
      });
    });
  }

  /** Opens the TCP connection; says nothing yet. */
  static open(port: number, version: Version = 4): Promise<RawMqttClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(RawMqttClient.over(socket, version));
      });
    });
  }

  /** Speaks over a connection that is there, of whatever kind. */
  static over(socket: Socket, version: Version): RawMqttClient {
    socket.setNoDelay(true);
    return new RawMqttClient(socket, version);
  }

  /** Opens, sends CONNECT with a device's access token, and takes the CONNACK, which must say success. */
  static async connect(
    port: number,
    version: Version,
    accessToken: string,
    more: Partial<mqtt.IConnectPacket> = {},
  ): Promise<RawMqttClient> {
    const client = await RawMqttClient.open(port, version);
    client.send(connectPacket(version, accessToken, more));
    const connack = await client.next('connack');
    if ((version === 5 ? connack.reasonCode : connack.returnCode) !== 0) {
      throw new Error(`refused: ${JSON.stringify(connack)}`);
    }
    return client;
  }

  /** Bytes of packets, as this client's version writes them. */
  encode(...packets: Sendable[]): Buffer {
    const options = { protocolVersion: this.version };
    return Buffer.concat(packets.map((packet) => mqtt.generate(packet as unknown as mqtt.Packet, options)));
  }

  send(...packets: Sendable[]): void {
    this.socket.write(this.encode(...packets));
  }

  sendBytes(bytes: Uint8Array | readonly number[]): void {
    this.socket.write(Buffer.from(bytes));
  }

  /** Takes the next packet, which must be of this kind. Rejects when another comes, none comes, or it is closed. */
  async next<Cmd extends mqtt.PacketCmd>(cmd: Cmd): Promise<Extract<mqtt.Packet, { cmd: Cmd }>> {
    const packet = await this.take();
    if (packet === undefined) throw new Error(`closed while waiting for ${cmd}`);
    if (packet.cmd !== cmd) throw new Error(`expected ${cmd}, got ${JSON.stringify(packet)}`);
    return packet as Extract<mqtt.Packet, { cmd: Cmd }>;
  }

  /** Takes the next packet whatever it is; undefined when the connection is closed and nothing is left. */
  async take(): Promise<mqtt.Packet | undefined> {
    while (this.packets.length === 0) {
      if (this.isClosed) return undefined;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await within('a packet comes', woken);
    }
    return this.packets.shift();
  }

  /** Everything that comes before the server's answer to a PINGREQ: the way to see that something does not come. */
  async untilPong(): Promise<mqtt.Packet[]> {
    this.send({ cmd: 'pingreq' });
    const seen: mqtt.Packet[] = [];
    for (let packet = await this.take(); packet?.cmd !== 'pingresp'; packet = await this.take()) {
      if (packet === undefined) throw new Error('closed while waiting for pingresp');
      seen.push(packet);
    }
    return seen;
  }

  /** Everything that comes until the server closes the connection. */
  async untilClosed(): Promise<mqtt.Packet[]> {
    const seen: mqtt.Packet[] = [];
    for (let packet = await this.take(); packet !== undefined; packet = await this.take()) seen.push(packet);
    return seen;
  }

  async subscribe(filter: string, qos: mqtt.QoS = 1): Promise<void> {
    this.send({ cmd: 'subscribe', messageId: 900, subscriptions: [{ topic: filter, qos }] });
    await this.next('suback');
  }

  close(): Promise<void> {
    this.socket.destroy();
    return this.closed;
  }
}

/** CONNECT as a device sends it: token as user name, clean session, no keep-alive. */
export function connectPacket(
  version: Version,
  accessToken: string | undefined,
  more: Partial<mqtt.IConnectPacket> = {},
): Sendable {
  return {
    cmd: 'connect',
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: version,
    clientId: 'raw-client',
    clean: true,
    keepalive: 0,
    ...(accessToken === undefined ? {} : { username: accessToken }),
    ...more,
  };
}

export const CLAIM_TOPIC = 'v1/devices/me/claim';
export const CLAIM_RESPONSE_TOPIC = 'v1/devices/me/claim/response';

/** A PUBLISH to the claim topic. */
export function claimPacket(
  qos: mqtt.QoS,
  messageId: number,
  payload: string | Buffer | object = {},
): Sendable {
  const isRaw = typeof payload === 'string' || Buffer.isBuffer(payload);
  return {
    cmd: 'publish',
    topic: CLAIM_TOPIC,
    payload: isRaw ? payload : JSON.stringify(payload),
    qos,
    dup: false,
    retain: false,
    ...(qos === 0 ? {} : { messageId }),
  };
}
