/**
 * Devices over MQTT. The frames are made once by `mqtt-packet` and only their packet id changes, so that the generator
 * is cheaper than any server. A lost connection is opened again.
 */
import { connect, type Socket } from 'node:net';
import mqttPacket from 'mqtt-packet';
import type { Job, MqttStep } from '../contract.ts';
import { OPEN_WITHIN_MS, openAll, portOf, REOPEN_MS, within } from './connecting.ts';
import { type Answered, CLOSED, type Driver } from './driver.ts';
import type { Subject } from './subjects.ts';
import { filler, payloads } from './text.ts';

export const CONNACK = 0x20;
const PUBACK = 0x40;
const PUBLISH = 0x30;
const SUBACK = 0x90;
const DISCONNECT = 0xe0;
/** The largest packet id. Each lane of a connection has its own id. */
const PACKET_IDS_MAX = 65_535;

/** The bytes of a CONNECT. With a keep-alive of 0 s the client never has to send anything. */
export function connectFrame(version: 4 | 5, clientId: string, userName: string, keepAliveS = 0): Buffer {
  return mqttPacket.generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: version,
    clean: true,
    clientId,
    username: userName,
    keepalive: keepAliveS,
  });
}

function subscribeFrame(version: 4 | 5, topic: string): Buffer {
  return mqttPacket.generate(
    {
      cmd: 'subscribe',
      messageId: PACKET_IDS_MAX,
      subscriptions: [{ topic, qos: 0 }],
      ...(version === 5 ? { properties: {} } : {}),
    },
    { protocolVersion: version },
  );
}

/** The packets that a device sends. */
interface Frames {
  readonly connect: Buffer;
  readonly publish: Buffer;
  /** Set if answers come by a topic. */
  readonly subscribe: Buffer | undefined;
}

/** Returns a function that makes the packets of a device or gateway, with the token that it has by now. */
function frames(step: MqttStep): (n: number, token?: string, about?: number) => Frames {
  const userName = filler(step.userName);
  const text = payloads(step.payload);
  const topic = filler(step.topic);
  const responseOf = step.response === undefined ? undefined : filler(step.response);
  return (n, token, about = n) => ({
    connect: connectFrame(step.version, `bench-${process.pid}-${n}`, userName(n, token)),
    publish: mqttPacket.generate(
      {
        cmd: 'publish',
        topic: topic(n, token),
        payload: Buffer.from(text(about)),
        qos: 1,
        messageId: 1,
        retain: false,
        dup: false,
        ...(step.version === 5 ? { properties: {} } : {}),
      },
      { protocolVersion: step.version },
    ),
    subscribe: responseOf === undefined ? undefined : subscribeFrame(step.version, responseOf(n, token)),
  });
}

export class MqttDriver implements Driver {
  readonly #connections: Connection[];
  readonly #inflight: number;
  readonly #speaksForOthers: boolean;

  /** @param tokenOf the token that a device has by now, where devices learn them */
  constructor(
    step: MqttStep,
    job: Job,
    answered: Answered,
    tokenOf: (n: number) => string | undefined = () => undefined,
  ) {
    this.#inflight = Math.min(job.inflight, PACKET_IDS_MAX);
    this.#speaksForOthers = step.gateways !== undefined;
    const framesOf = frames(step);
    this.#connections = Array.from({ length: job.connections }, (_, at) => {
      const n =
        step.gateways === undefined ? job.subjects.from + at : (job.subjects.from + at) % step.gateways;
      const port = portOf(step.ports, n);
      const sends = (token?: string, about?: number) => framesOf(n, token, about);
      const lanes = { first: at * this.#inflight, count: this.#inflight };
      return new Connection(step.host, port, sends, tokenOf(n), lanes, answered);
    });
  }

  open(): Promise<void> {
    return openAll(this.#connections.map((connection) => () => connection.open()));
  }

  send(lane: number, { n, token }: Subject): void {
    this.#of(lane)?.send(lane % this.#inflight, token, this.#speaksForOthers ? n : undefined);
  }

  abandon(lane: number): void {
    this.#of(lane)?.abandon(lane % this.#inflight);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #of(lane: number): Connection | undefined {
    return this.#connections[Math.floor(lane / this.#inflight)];
  }
}

/** Where the body of a packet begins and ends; undefined if the buffer does not contain all of it. */
function bounds(bytes: Buffer, at: number): { readonly body: number; readonly end: number } | undefined {
  let length = 0;
  for (let place = 0; place < 4; place += 1) {
    const byte = bytes[at + 1 + place];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) << (7 * place);
    if (byte < 0x80) {
      const body = at + 2 + place;
      return body + length <= bytes.length ? { body, end: body + length } : undefined;
    }
  }
  throw new Error('malformed remaining length');
}

/** A copy with the packet id of a lane. */
function publishFrame(publish: Buffer, lane: number): Buffer {
  const frame = Buffer.from(publish);
  const body = bounds(frame, 0)?.body ?? 0;
  frame.writeUInt16BE(lane + 1, body + 2 + frame.readUInt16BE(body)); // the packet id is after the topic
  return frame;
}

/** One device or gateway. Its packet ids are the numbers of its lanes, from 1. */
class Connection {
  readonly #host: string;
  readonly #port: number;
  readonly #framesOf: (token?: string, about?: number) => Frames;
  #token: string | undefined;
  #sends: Frames;
  readonly #firstLane: number;
  readonly #answered: Answered;
  /** A frame for each lane, because a socket may still hold the bytes of the last one. */
  #frames: (Buffer | undefined)[];
  /** Lanes that wait for an answer. */
  readonly #busy: boolean[];
  /** Lanes in the order of sending; used only if answers come by a topic. */
  #order: number[] = [];
  #socket: Socket | undefined;
  #up = false;
  #closing = false;
  #pending: Buffer | undefined;
  #onUp: (() => void) | undefined;
  #onRefused: ((error: Error) => void) | undefined;

  constructor(
    host: string,
    port: number,
    framesOf: (token?: string, about?: number) => Frames,
    token: string | undefined,
    lanes: { readonly first: number; readonly count: number },
    answered: Answered,
  ) {
    this.#host = host;
    this.#port = port;
    this.#framesOf = framesOf;
    this.#token = token;
    this.#sends = framesOf(token);
    this.#firstLane = lanes.first;
    this.#answered = answered;
    this.#frames = Array.from({ length: lanes.count }, () => undefined);
    this.#busy = Array.from({ length: lanes.count }, () => false);
  }

  open(): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      this.#onUp = resolve;
      this.#onRefused = reject;
    });
    this.#connect();
    return within(OPEN_WITHIN_MS, 'an MQTT connection', opened);
  }

  /** @param about the device that a gateway's message is about */
  send(lane: number, token?: string, about?: number): void {
    if (token !== this.#token) this.#showAnother(token);
    if (about !== undefined) this.#frames[lane] = publishFrame(this.#framesOf(token, about).publish, lane);
    this.#busy[lane] = true;
    if (this.#up) this.#write(lane); // else once it is up again
  }

  abandon(lane: number): void {
    this.#busy[lane] = false;
    this.#socket?.destroy();
  }

  close(): void {
    this.#closing = true;
    this.#socket?.destroy();
  }

  /** Connects with another token, as a device does that has learnt one. */
  #showAnother(token: string | undefined): void {
    this.#token = token;
    this.#sends = this.#framesOf(token);
    this.#frames = this.#frames.map(() => undefined);
    this.#up = false;
    const old = this.#socket;
    this.#connect();
    old?.destroy();
  }

  #write(lane: number): void {
    let frame = this.#frames[lane];
    if (frame === undefined) {
      frame = publishFrame(this.#sends.publish, lane);
      this.#frames[lane] = frame;
    }
    if (this.#sends.subscribe !== undefined) this.#order.push(lane);
    this.#socket?.write(frame);
  }

  #connect(): void {
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    this.#socket = socket;
    this.#pending = undefined;
    this.#order = [];
    socket.on('connect', () => socket.write(this.#sends.connect));
    socket.on('data', (chunk) => {
      if (socket === this.#socket) this.#read(chunk);
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      if (socket === this.#socket) this.#lost();
    });
  }

  #lost(): void {
    const wasUp = this.#up;
    this.#up = false;
    if (this.#closing) return;
    if (wasUp) {
      // What was sent is lost. What was added while it was down is sent once it is up.
      for (const [lane, busy] of this.#busy.entries()) {
        if (!busy) continue;
        this.#busy[lane] = false;
        this.#answered(this.#firstLane + lane, CLOSED);
      }
    }
    const lost = this.#socket;
    setTimeout(() => {
      if (!this.#closing && this.#socket === lost) this.#connect();
    }, REOPEN_MS);
  }

  #read(chunk: Buffer): void {
    const bytes = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const packet = bounds(bytes, at);
      if (packet === undefined) break;
      this.#packet(bytes, at, packet.body, packet.end);
      at = packet.end;
    }
    this.#pending = at === bytes.length ? undefined : bytes.subarray(at);
  }

  #packet(bytes: Buffer, at: number, body: number, end: number): void {
    switch ((bytes[at] ?? 0) & 0xf0) {
      case CONNACK: {
        const code = bytes[body + 1] ?? 0;
        if (code !== 0) {
          this.#onRefused?.(new Error(`CONNACK with code ${code}`));
          for (const [lane, busy] of this.#busy.entries()) if (busy) this.#answer(lane, `CONNACK ${code}`);
          return;
        }
        if (this.#sends.subscribe === undefined) this.#goUp();
        else this.#socket?.write(this.#sends.subscribe);
        return;
      }
      case SUBACK:
        this.#goUp();
        return;
      case PUBLISH:
        this.#onResponse(bytes, body, end);
        return;
      case PUBACK: {
        if (this.#sends.subscribe !== undefined) return; // from the broker, not the server
        const lane = bytes.readUInt16BE(body) - 1;
        const reason = end - body > 2 ? (bytes[body + 2] ?? 0) : 0;
        if (this.#busy[lane] !== true) {
          // An acknowledgement of an unsent packet is a wrong answer, reported on any waiting lane.
          const waiting = this.#busy.indexOf(true);
          if (waiting !== -1) this.#answer(waiting, 'PUBACK of another packet');
          return;
        }
        this.#answer(lane, reason === 0 ? 'PUBACK' : `PUBACK 0x${reason.toString(16)}`);
        return;
      }
      case DISCONNECT:
        return; // the close that follows is reported
      default:
        return; // nothing else is expected
    }
  }

  #goUp(): void {
    this.#up = true;
    this.#onUp?.();
    for (const [lane, busy] of this.#busy.entries()) if (busy) this.#write(lane);
  }

  /** Answers the oldest message in flight: outcomes of a device come in the order of its messages. */
  #onResponse(bytes: Buffer, body: number, end: number): void {
    const lane = this.#order.shift();
    if (lane === undefined || this.#busy[lane] !== true) return;
    const text = bytes.toString('latin1', body, end);
    this.#answer(lane, `response ${/"status":"([\w-]+)"/.exec(text)?.[1] ?? 'without status'}`);
  }

  #answer(lane: number, outcome: string): void {
    this.#busy[lane] = false;
    this.#answered(this.#firstLane + lane, outcome);
  }
}
