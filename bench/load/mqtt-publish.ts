/**
 * A fleet of devices over MQTT 3.1.1, each with one QoS 1 publish in flight: it sends the next when the last is
 * acknowledged (closed loop). Raw frames over sockets, so that the generator is cheaper than any server it loads.
 */
import { connect, type Socket } from 'node:net';
import { options, Recorder, report } from './result.ts';

export interface MqttPublishOptions {
  readonly host: string;
  readonly port: number;
  /** User names to connect with, one connection each. */
  readonly userNames: readonly string[];
  readonly topic: string;
  readonly payload: string;
  readonly warmUpMs: number;
  readonly durationMs: number;
}

const CONNACK = 0x20;
const PUBACK = 0x40;
/** Connections opened at the same time. */
const CONNECTING_MAX = 100;

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A control packet with its remaining length (here always under 16,384). */
function packet(type: number, body: Buffer): Buffer {
  const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7];
  return Buffer.concat([Buffer.from([type, ...length]), body]);
}

function connectPacket(clientId: string, userName: string): Buffer {
  const head = Buffer.from([4, 0b1000_0010, 0, 120]); // level 4, user name and clean session, keep-alive 120 s
  return packet(0x10, Buffer.concat([text('MQTT'), head, text(clientId), text(userName)]));
}

/** One device: publishes for ever, one at a time. */
class Device {
  readonly #socket: Socket;
  readonly #publish: Buffer;
  readonly #idAt: number;
  readonly #recorder: Recorder;
  #id = 0;
  #sentAt = 0;
  #pending: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, publish: Buffer, idAt: number, recorder: Recorder) {
    this.#socket = socket;
    this.#publish = Buffer.from(publish);
    this.#idAt = idAt;
    this.#recorder = recorder;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('close', () => recorder.wrong('connection closed'));
    this.#send();
  }

  #send(): void {
    this.#id = (this.#id % 65_535) + 1;
    this.#publish.writeUInt16BE(this.#id, this.#idAt);
    this.#sentAt = performance.now();
    this.#socket.write(this.#publish);
  }

  #read(chunk: Buffer): void {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    if (bytes.length < 4) {
      this.#pending = bytes;
      return;
    }
    this.#pending = bytes.subarray(4);
    if (bytes[0] !== PUBACK || bytes.readUInt16BE(2) !== this.#id) {
      this.#recorder.wrong(`packet ${bytes[0]}`);
      return;
    }
    this.#recorder.done(this.#sentAt);
    this.#send();
  }
}

/** Connects one device and waits for the CONNACK. */
function open(host: string, port: number, clientId: string, userName: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => socket.write(connectPacket(clientId, userName)));
    socket.once('data', (chunk) => {
      if (chunk[0] === CONNACK && chunk[3] === 0) resolve(socket);
      else reject(new Error(`CONNACK ${chunk.toString('hex')}`));
    });
  });
}

async function main(): Promise<void> {
  const { host, port, userNames, topic, payload, warmUpMs, durationMs } = options<MqttPublishOptions>();
  const recorder = new Recorder();
  const idAt = 2 + (topic.length + payload.length + 4 < 128 ? 0 : 1) + 2 + topic.length;
  const publish = packet(0x32, Buffer.concat([text(topic), Buffer.alloc(2), Buffer.from(payload)]));

  const sockets: Socket[] = [];
  for (let from = 0; from < userNames.length; from += CONNECTING_MAX) {
    const names = userNames.slice(from, from + CONNECTING_MAX);
    sockets.push(
      ...(await Promise.all(names.map((name, at) => open(host, port, `bench-${from + at}`, name)))),
    );
  }
  for (const socket of sockets) new Device(socket, publish, idAt, recorder);

  setTimeout(() => recorder.begin(), warmUpMs);
  setTimeout(() => {
    report(recorder.end());
    process.exit(0);
  }, warmUpMs + durationMs);
}

await main();
