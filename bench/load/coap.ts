/**
 * Devices over CoAP: a confirmable POST, repeated after 2, 4, 8 and 16 seconds (RFC 7252 §4.2) until its answer, which
 * comes with the acknowledgement or separately. One UDP socket per connection. The datagram is made once per lane; only
 * message id and token change.
 */
import { createSocket, type Socket } from 'node:dgram';
import { Code, showCode } from '../../transports/coap/codes.ts';
import { encode } from '../../transports/coap/message.ts';
import { OptionNumber } from '../../transports/coap/options.ts';
import type { CoapStep, Job } from '../contract.ts';
import { openAll, portOf } from './connecting.ts';
import type { Answered, Driver } from './driver.ts';
import type { Subject } from './subjects.ts';
import { filler, payloads } from './text.ts';

const ACK_TIMEOUT_MS = 2_000;
const RETRANSMITS_MAX = 4;
const LOOK_EVERY_MS = 250;
const TYPE_CON = 0;
const TYPE_ACK = 2;
const TYPE_RST = 3;
const HEADER_BYTES = 4;
const TOKEN_BYTES = 4;
const CONTENT_FORMAT = 12;
const JSON_FORMAT = 50;

export class CoapDriver implements Driver {
  readonly #peers: Peer[];
  readonly #inflight: number;
  #look: NodeJS.Timeout | undefined;

  constructor(step: CoapStep, job: Job, answered: Answered) {
    this.#inflight = job.inflight;
    this.#peers = Array.from(
      { length: job.connections },
      (_, at) => new Peer(step, portOf(step.ports, at), job.inflight, at * job.inflight, answered),
    );
  }

  async open(): Promise<void> {
    await openAll(this.#peers.map((peer) => () => peer.open()));
    this.#look = setInterval(() => {
      const now = performance.now();
      for (const peer of this.#peers) peer.repeat(now);
    }, LOOK_EVERY_MS);
  }

  send(lane: number, subject: Subject): void {
    this.#peers[Math.floor(lane / this.#inflight)]?.send(lane % this.#inflight, subject);
  }

  abandon(lane: number): void {
    this.#peers[Math.floor(lane / this.#inflight)]?.abandon(lane % this.#inflight);
  }

  close(): void {
    clearInterval(this.#look);
    for (const peer of this.#peers) peer.close();
  }
}

interface Exchange {
  readonly frame: Buffer;
  readonly n: number;
  /** Differs for each request of the lane. */
  token: number;
  busy: boolean;
  acknowledged: boolean;
  repeats: number;
  repeatAt: number;
}

class Peer {
  readonly #host: string;
  readonly #port: number;
  readonly #firstLane: number;
  readonly #answered: Answered;
  readonly #path: (n: number) => string;
  readonly #payload: (n: number) => string;
  readonly #exchanges: (Exchange | undefined)[];
  readonly #socket: Socket = createSocket('udp4');
  #messageId = Math.floor(Math.random() * 65_536);
  #token = 0;
  #closed = false;

  constructor(step: CoapStep, port: number, lanes: number, firstLane: number, answered: Answered) {
    this.#host = step.host;
    this.#port = port;
    this.#firstLane = firstLane;
    this.#answered = answered;
    this.#path = filler(step.path);
    this.#payload = payloads(step.payload);
    this.#exchanges = Array.from({ length: lanes }, () => undefined);
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.on('error', reject);
      this.#socket.on('message', (datagram) => this.#read(datagram));
      this.#socket.connect(this.#port, this.#host, resolve);
    });
  }

  send(lane: number, { n }: Subject): void {
    const last = this.#exchanges[lane];
    const exchange = last?.n === n ? last : this.#newExchange(n);
    this.#exchanges[lane] = exchange;
    this.#messageId = (this.#messageId + 1) & 0xffff;
    this.#token = (this.#token + 1) >>> 0;
    exchange.token = this.#token;
    exchange.frame.writeUInt16BE(this.#messageId, 2);
    exchange.frame.writeUInt32BE(this.#token, HEADER_BYTES);
    exchange.busy = true;
    exchange.acknowledged = false;
    exchange.repeats = 0;
    exchange.repeatAt = performance.now() + ACK_TIMEOUT_MS;
    this.#transmit(exchange.frame);
  }

  abandon(lane: number): void {
    const exchange = this.#exchanges[lane];
    if (exchange !== undefined) exchange.busy = false;
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }

  repeat(now: number): void {
    for (const exchange of this.#exchanges) {
      if (exchange === undefined || !exchange.busy || exchange.acknowledged) continue;
      if (exchange.repeatAt > now || exchange.repeats === RETRANSMITS_MAX) continue;
      exchange.repeats += 1;
      exchange.repeatAt = now + ACK_TIMEOUT_MS * 2 ** exchange.repeats;
      this.#transmit(exchange.frame);
    }
  }

  #newExchange(n: number): Exchange {
    const path = this.#path(n).split('/').filter(Boolean);
    const frame = encode({
      type: 'CON',
      code: Code.post,
      messageId: 0,
      token: Buffer.alloc(TOKEN_BYTES),
      options: [
        ...path.map((segment) => ({ number: OptionNumber.uriPath, value: Buffer.from(segment) })),
        { number: CONTENT_FORMAT, value: Buffer.from([JSON_FORMAT]) },
      ],
      payload: Buffer.from(this.#payload(n)),
    });
    return { frame, n, token: 0, busy: false, acknowledged: false, repeats: 0, repeatAt: 0 };
  }

  /** Sends a copy, because the bytes of a queued datagram must not change. */
  #transmit(frame: Buffer): void {
    if (!this.#closed) this.#socket.send(Buffer.from(frame), () => {});
  }

  #read(datagram: Buffer): void {
    const type = ((datagram[0] ?? 0) >> 4) & 0x03;
    const code = datagram[1] ?? 0;
    if (type === TYPE_RST) this.#reset(datagram.readUInt16BE(2));
    else if (code === 0) this.#acknowledge(datagram.readUInt16BE(2));
    else this.#respond(datagram, type, code);
  }

  #respond(datagram: Buffer, type: number, code: number): void {
    if (type === TYPE_CON) {
      this.#transmit(Buffer.from([0x40 | (TYPE_ACK << 4), 0, datagram[2] ?? 0, datagram[3] ?? 0]));
    }
    if (((datagram[0] ?? 0) & 0x0f) !== TOKEN_BYTES) return;
    const token = datagram.readUInt32BE(HEADER_BYTES);
    const lane = this.#exchanges.findIndex((exchange) => exchange?.busy === true && exchange.token === token);
    if (lane !== -1) this.#answer(lane, showCode(code));
  }

  /** The request has arrived; its answer comes separately. */
  #acknowledge(messageId: number): void {
    const exchange = this.#exchanges.find((one) => one?.busy && one.frame.readUInt16BE(2) === messageId);
    if (exchange !== undefined) exchange.acknowledged = true;
  }

  #reset(messageId: number): void {
    const lane = this.#exchanges.findIndex((one) => one?.busy && one.frame.readUInt16BE(2) === messageId);
    if (lane !== -1) this.#answer(lane, 'RST');
  }

  #answer(lane: number, outcome: string): void {
    const exchange = this.#exchanges[lane];
    if (exchange !== undefined) exchange.busy = false;
    this.#answered(this.#firstLane + lane, outcome);
  }
}
