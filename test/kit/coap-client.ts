/**
 * A raw CoAP client for tests: it sends what it is told, valid or not, and shows the datagrams that come back, one by
 * one. It repeats nothing and acknowledges nothing by itself.
 */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { Code, showCode } from '../../transports/coap/codes.ts';
import {
  type Decoded,
  decode,
  encode,
  encodeEmpty,
  type Message,
  NO_BYTES,
  type Option,
} from '../../transports/coap/message.ts';
import { type Block, blockBytes, blockOption, OptionNumber } from '../../transports/coap/options.ts';
import { PATIENCE_MS, within } from './patience.ts';

const DATAGRAM_BYTES_MAX = 65_536;
const MESSAGE_IDS = 0x1_0000;

export class RawCoapClient {
  readonly port: number;
  readonly socket: Socket;
  /** Received and not taken yet. */
  readonly datagrams: Buffer[] = [];
  /** Starts at random: a server remembers ids for minutes, and ports are used again. */
  #messageId = randomInt(MESSAGE_IDS / 2);
  #wake: (() => void) | undefined;

  private constructor(socket: Socket, port: number) {
    this.socket = socket;
    this.port = port;
    socket.on('message', (datagram) => {
      this.datagrams.push(datagram);
      this.#wake?.();
    });
  }

  /** Talks to this port of 127.0.0.1, from a port of its own. */
  static open(port: number): Promise<RawCoapClient> {
    const socket = createSocket('udp4');
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address: '127.0.0.1', port: 0 }, () => resolve(new RawCoapClient(socket, port)));
    });
  }

  sendBytes(bytes: Buffer): void {
    this.socket.send(bytes, this.port, '127.0.0.1');
  }

  /** Sends a message; the defaults are a confirmable POST with a fresh id and token. */
  send(message: Partial<Message> = {}): Message {
    const whole = this.message(message);
    this.sendBytes(encode(whole));
    return whole;
  }

  message(message: Partial<Message> = {}): Message {
    const messageId = this.#messageId++;
    const token = Buffer.alloc(4);
    token.writeUInt32BE(messageId);
    return { type: 'CON', code: Code.post, messageId, token, options: [], payload: NO_BYTES, ...message };
  }

  /** The next datagram as a message. Rejects when none comes. */
  async take(waitMs = PATIENCE_MS): Promise<Message> {
    for (;;) {
      const datagram = this.datagrams.shift();
      if (datagram !== undefined) return mustBeMessage(decode(datagram, DATAGRAM_BYTES_MAX));
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await within('a datagram comes', woken, waitMs);
    }
  }

  /** Sends a request and takes its answer, which must carry its token. */
  async request(message: Partial<Message> = {}): Promise<Message> {
    const { token } = this.send(message);
    let answer = await this.take();
    if (answer.type === 'ACK' && answer.code === Code.empty) answer = await this.take();
    if (answer.type === 'CON') this.sendBytes(encodeEmpty('ACK', answer.messageId));
    if (!answer.token.equals(token)) throw new Error('an answer to something else');
    return answer;
  }

  /** Opens a claim window with a payload in one datagram. */
  claim(accessToken: string, payload: string | Buffer, message: Partial<Message> = {}): Promise<Message> {
    return this.request({ options: claimPath(accessToken), payload: Buffer.from(payload), ...message });
  }

  /** The same in blocks, each with its own token; ends at the first answer other than 2.31 Continue. */
  async claimInBlocks(accessToken: string, payload: string | Buffer, sizeExponent: number): Promise<Message> {
    for (const { block, part } of blocksOf(Buffer.from(payload), sizeExponent)) {
      const answer = await this.claim(accessToken, part, {
        options: [...claimPath(accessToken), block1(block)],
      });
      if (!block.more || answer.code !== Code.continue) return answer;
    }
    throw new Error('there is always a last block');
  }

  /** Everything that arrives before the answer to a ping, which the server sends last. */
  async untilPong(): Promise<Message[]> {
    const { messageId } = this.send({ code: Code.empty, token: NO_BYTES });
    const seen: Message[] = [];
    for (;;) {
      const message = await this.take();
      if (message.type === 'RST' && message.messageId === messageId) return seen;
      seen.push(message);
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.socket.close(() => resolve()));
  }
}

function mustBeMessage(decoded: Decoded): Message {
  if (decoded.type !== 'message') throw new Error(`the server sent what is ${decoded.type}`);
  return decoded.message;
}

export function uriPath(...segments: string[]): Option[] {
  return segments.map((segment) => ({ number: OptionNumber.uriPath, value: Buffer.from(segment) }));
}

export function claimPath(accessToken: string): Option[] {
  return uriPath('api', 'v1', accessToken, 'claim');
}

export const block1 = (block: Block): Option => blockOption(OptionNumber.block1, block);

export function blocksOf(payload: Buffer, sizeExponent: number): { block: Block; part: Buffer }[] {
  const bytes = blockBytes({ number: 0, more: false, sizeExponent });
  const count = Math.max(1, Math.ceil(payload.length / bytes));
  return Array.from({ length: count }, (_, number) => ({
    block: { number, more: number < count - 1, sizeExponent },
    part: payload.subarray(number * bytes, (number + 1) * bytes),
  }));
}

/** `ACK 4.09 already-claimed` */
export function show({ type, code, payload }: Message): string {
  return [type, showCode(code), payload.toString()].join(' ').trim();
}
