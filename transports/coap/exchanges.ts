/**
 * The second of CoAP's three layers: from messages to requests that are served once, and answers that arrive
 * (RFC 7252 §4 and §5.2). No sockets: datagrams come in by `receive` and leave by `ports.send`; time and chance are
 * handed in, so that a test owns them.
 *
 *   request CON  ── answered within the piggyback timeout ──► ACK with the answer
 *                ── not yet ──► empty ACK, later the answer as CON of its own, sent again until ACK, RST or giving up
 *   request NON  ──► the answer as NON
 *   the same message again: a CON gets what it got before, a NON nothing (§4.5); neither is served again
 *   another message with its id: another request
 *
 * A message that is sent again is the same to the byte (§4.2). What only has the id of one before comes from a device that
 * was started anew, or from another one to which the network gave the port since: were it answered like the first, it
 * would hear that its window is open when nobody opened it. While the first is still being served it is dropped, and
 * comes again.
 *
 * Everything about a request that is past is one entry in two maps: its peer's, to find it, and the order in which
 * requests were answered, to forget them. Entries are forgotten when their lifetime is over (checked on reading; the
 * sweep only frees memory) or when they are too many: first the peer's own oldest, then the oldest of all. What is
 * lost by that is the memory of an old answer, so opening a window twice, which is harmless (rule O5).
 *
 * Nothing that is sent is much larger than what caused it: a reset has 4 bytes, answers have no or a short payload,
 * and an unauthenticated peer can have no more answers under way than `inFlightPerPeerMax` (§11.3).
 */

import { createHash } from 'node:crypto';
import type { Cancel, Clock, Instant } from '../../actors/base/clock.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { Code, isRequest } from './codes.ts';
import { decode, encode, encodeEmpty, type Header, type Message, type Option } from './message.ts';
import { badOption, OptionNumber, uintOption } from './options.ts';
import { type CoapSettings, Transmission } from './settings.ts';

/** Where a datagram came from and its answer goes. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface Request {
  /** Names the endpoint that asks. */
  readonly peer: string;
  /** Its address alone. */
  readonly address: string;
  readonly code: number;
  readonly options: readonly Option[];
  readonly payload: Buffer;
}

export interface Response {
  readonly code: number;
  readonly options: readonly Option[];
  readonly payload: Buffer;
}

export interface ExchangePorts {
  readonly clock: Clock;
  /** At least 0, less than 1. */
  readonly random: () => number;
  send(datagram: Buffer, to: Endpoint): void;
  /** Answers a request whose critical options are all understood. Never rejects. */
  serve(request: Request): Promise<Response>;
  /** The answer to a request that is larger than a datagram may be. */
  tooLarge(): Response;
  /** The answer when too much is under way. */
  overloaded(): Response;
}

interface Peer {
  readonly key: string;
  readonly endpoint: Endpoint;
  readonly exchanges: Map<number, Exchange>;
  /** Our confirmable messages that wait for their acknowledgement, by message id. */
  readonly unacknowledged: Map<number, Unacknowledged>;
  serving: number;
  /** Ids of one peer are in sequence, so none comes twice while the peer could still remember it (§4.4). */
  nextMessageId: number;
}

interface Exchange {
  readonly peer: Peer;
  readonly messageId: number;
  /** Of the whole datagram. */
  readonly fingerprint: string;
  readonly confirmable: boolean;
  readonly expiresAt: Instant;
  /** What a duplicate gets: nothing yet, an empty acknowledgement, or one with the answer. */
  reply: Buffer | undefined;
  answered: boolean;
}

interface Unacknowledged {
  readonly datagram: Buffer;
  cancel: Cancel;
}

/** What an entry takes besides its answer: two map entries, an object, a fingerprint, its share of the peer. */
const ENTRY_BYTES = 400;
/** The least time between two sweeps. */
const SWEEP_MS = 1_000;

export class Exchanges {
  readonly #settings: CoapSettings;
  readonly #ports: ExchangePorts;
  readonly #peers = new Map<string, Peer>();
  /** Answered ones, the longest answered first. */
  readonly #answered = new Set<Exchange>();
  #answeredBytes = 0;
  #inFlight = 0;
  #draining = false;
  #onIdle: (() => void) | undefined;
  #cancelSweep: Cancel | undefined;

  constructor(settings: CoapSettings, ports: ExchangePorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  /** Requests that are being served and answers that are not acknowledged yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests that are remembered, those being served not counted. */
  get remembered(): number {
    return this.#answered.size;
  }

  receive(datagram: Buffer, from: Endpoint): void {
    const decoded = decode(datagram, this.#settings.datagramBytesMax);
    switch (decoded.type) {
      case 'message':
        this.#take(datagram, decoded.message, decoded.message, from);
        return;
      case 'too-large':
        this.#take(datagram, decoded.header, undefined, from);
        return;
      case 'malformed':
        // §4.2: rejected by a reset; §4.3: a non-confirmable one may be ignored, acknowledgements and resets must be
        if (decoded.messageType === 'CON') this.#ports.send(encodeEmpty('RST', decoded.messageId), from);
        return;
      case 'foreign':
        return;
      default:
        unreachable(decoded);
    }
  }

  /** @param message undefined when it is too large to be read */
  #take(datagram: Buffer, header: Header, message: Message | undefined, from: Endpoint): void {
    switch (header.type) {
      case 'ACK':
      case 'RST':
        // §4.2: whatever is acknowledged or reset is not sent again; what matches nothing is ignored
        this.#settle(this.#peers.get(keyOf(from)), header.messageId);
        return;
      case 'CON':
      case 'NON':
        if (isRequest(header.code)) this.#request(datagram, header, message, from);
        // §4.3: a ping, a response to nothing, a reserved class
        else if (header.type === 'CON') this.#ports.send(encodeEmpty('RST', header.messageId), from);
        return;
      default:
        unreachable(header.type);
    }
  }

  #request(datagram: Buffer, header: Header, message: Message | undefined, from: Endpoint): void {
    const known = this.#peers.get(keyOf(from));
    const past = known?.exchanges.get(header.messageId);
    const fingerprint = createHash('sha256').update(datagram).digest('base64');
    if (past !== undefined) {
      const same = past.fingerprint === fingerprint;
      if (!past.answered || (same && past.expiresAt > this.#ports.clock.now())) {
        if (same && past.reply !== undefined) this.#ports.send(past.reply, from); // §4.5
        return;
      }
      this.#forget(past);
    }
    // Who is going to stop answers nothing new: the device sends it again, to the one that comes after us.
    if (this.#draining) return;

    const bad = message === undefined ? undefined : badOption(message.options);
    if (bad !== undefined && header.type === 'NON') {
      this.#ports.send(encodeEmpty('RST', header.messageId), from); // §5.4.1: rejected
      return;
    }

    const peer = this.#peerOf(from);
    const full =
      this.#inFlight >= this.#settings.inFlightMax ||
      peer.serving + peer.unacknowledged.size >= this.#settings.inFlightPerPeerMax;
    const respond = this.#open(peer, header, fingerprint, !full);
    if (full) respond(this.#ports.overloaded());
    else if (message === undefined) respond(this.#ports.tooLarge());
    else if (bad !== undefined) respond(badOptionResponse(bad));
    else {
      const { code, options, payload } = message;
      void this.#ports.serve({ peer: peer.key, address: from.address, code, options, payload }).then(respond);
    }
  }

  /** Remembers the request and returns how to answer it, once. */
  #open(
    peer: Peer,
    { type, messageId, token }: Header,
    fingerprint: string,
    mayWait: boolean,
  ): (response: Response) => void {
    const { clock, send } = this.#ports;
    const confirmable = type === 'CON';
    const lifetimeMs = confirmable ? Transmission.exchangeLifetimeMs : Transmission.nonLifetimeMs;
    const exchange: Exchange = {
      peer,
      messageId,
      fingerprint,
      confirmable,
      expiresAt: clock.now() + lifetimeMs,
      reply: undefined,
      answered: false,
    };
    peer.exchanges.set(messageId, exchange);
    peer.serving += 1;
    this.#inFlight += 1;

    const cancelPiggyback =
      confirmable && mayWait
        ? clock.after(this.#settings.piggybackTimeoutMs, () => {
            exchange.reply = encodeEmpty('ACK', messageId); // §5.2.2: a separate response will follow
            send(exchange.reply, peer.endpoint);
          })
        : undefined;

    return (response) => {
      cancelPiggyback?.();
      peer.serving -= 1;
      this.#inFlight -= 1;
      const answer = { ...response, token };
      if (!confirmable) {
        send(encode({ type: 'NON', messageId: messageIdOf(peer), ...answer }), peer.endpoint); // §5.2.3
      } else if (exchange.reply === undefined) {
        exchange.reply = encode({ type: 'ACK', messageId, ...answer }); // §5.2.1: piggybacked
        send(exchange.reply, peer.endpoint);
      } else {
        this.#sendReliably(peer, answer);
      }
      this.#remember(exchange);
      this.#lookIdle();
    };
  }

  /** Sends a confirmable message until it is acknowledged, reset, or nobody is there (§4.2). */
  #sendReliably(peer: Peer, answer: Response & { readonly token: Buffer }): void {
    const { clock, random, send } = this.#ports;
    const { ackTimeoutMs, ackRandomFactor, maxRetransmit } = Transmission;
    const messageId = messageIdOf(peer);
    const datagram = encode({ type: 'CON', messageId, ...answer });

    const sendAndWait = (timeoutMs: number, retransmissionsLeft: number): void => {
      send(datagram, peer.endpoint);
      waiting.cancel = clock.after(timeoutMs, () => {
        if (retransmissionsLeft > 0) sendAndWait(timeoutMs * 2, retransmissionsLeft - 1);
        else this.#settle(peer, messageId);
      });
    };
    const waiting: Unacknowledged = { datagram, cancel: () => {} };
    peer.unacknowledged.set(messageId, waiting);
    this.#inFlight += 1;
    sendAndWait(ackTimeoutMs * (1 + random() * (ackRandomFactor - 1)), maxRetransmit);
  }

  /** A confirmable message of ours needs no more sending. */
  #settle(peer: Peer | undefined, messageId: number): void {
    const waiting = peer?.unacknowledged.get(messageId);
    if (peer === undefined || waiting === undefined) return;
    waiting.cancel();
    peer.unacknowledged.delete(messageId);
    this.#inFlight -= 1;
    this.#forgetIfGone(peer);
    this.#lookIdle();
  }

  #remember(exchange: Exchange): void {
    exchange.answered = true;
    this.#answered.add(exchange);
    this.#answeredBytes += bytesOf(exchange);
    const { exchanges } = exchange.peer;
    if (exchanges.size > this.#settings.exchangesPerPeerMax) this.#forgetFirstAnswered(exchanges.values());
    while (
      this.#answered.size > this.#settings.exchangesMax ||
      this.#answeredBytes > this.#settings.exchangeBytesMax
    ) {
      this.#forgetFirstAnswered(this.#answered);
    }
    this.#sweepLater();
  }

  #forgetFirstAnswered(exchanges: Iterable<Exchange>): void {
    for (const exchange of exchanges) {
      if (!exchange.answered) continue;
      this.#forget(exchange);
      return;
    }
  }

  #forget(exchange: Exchange): void {
    const { peer, messageId } = exchange;
    if (this.#answered.delete(exchange)) this.#answeredBytes -= bytesOf(exchange);
    peer.exchanges.delete(messageId);
    this.#forgetIfGone(peer);
  }

  #forgetIfGone(peer: Peer): void {
    if (peer.exchanges.size === 0 && peer.unacknowledged.size === 0) this.#peers.delete(peer.key);
  }

  /** Frees what is over. One that lives longer may stand before one that is over, which then waits: no harm. */
  #sweepLater(): void {
    const [first] = this.#answered;
    if (first === undefined || this.#cancelSweep !== undefined) return;
    const { clock } = this.#ports;
    this.#cancelSweep = clock.after(Math.max(SWEEP_MS, first.expiresAt - clock.now()), () => {
      this.#cancelSweep = undefined;
      const now = clock.now();
      for (const exchange of this.#answered) {
        if (exchange.expiresAt > now) break;
        this.#forget(exchange);
      }
      this.#sweepLater();
    });
  }

  #peerOf(endpoint: Endpoint): Peer {
    const key = keyOf(endpoint);
    const known = this.#peers.get(key);
    if (known !== undefined) return known;
    const { address, port } = endpoint;
    const peer: Peer = {
      key,
      endpoint: { address, port },
      exchanges: new Map(),
      unacknowledged: new Map(),
      serving: 0,
      nextMessageId: Math.floor(this.#ports.random() * 0x1_0000), // §4.4: the first one is random
    };
    this.#peers.set(key, peer);
    return peer;
  }

  /** From now on no request is taken. Resolves when all those under way are answered, and heard where that shows. */
  drain(): Promise<void> {
    this.#draining = true;
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.#lookIdle();
    });
  }

  #lookIdle(): void {
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  /** Sends nothing more by itself. */
  close(): void {
    this.#cancelSweep?.();
    for (const peer of this.#peers.values()) {
      for (const { cancel } of peer.unacknowledged.values()) cancel();
    }
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}

function bytesOf({ reply }: Exchange): number {
  return ENTRY_BYTES + (reply?.length ?? 0);
}

function messageIdOf(peer: Peer): number {
  const messageId = peer.nextMessageId;
  peer.nextMessageId = (messageId + 1) & 0xffff;
  return messageId;
}

/** §5.4.1 */
function badOptionResponse(number: number): Response {
  return { code: Code.badOption, options: [], payload: Buffer.from(`option ${number}`) };
}

/** An answer without anything in it but its code, a word for a person, and options. */
export function responseOf(code: number, diagnostic = '', options: readonly Option[] = []): Response {
  return { code, options, payload: Buffer.from(diagnostic) };
}

/** 5.03, and when to ask again (§5.9.3.4). */
export function unavailableResponse(retryAfterSeconds: number): Response {
  return responseOf(Code.serviceUnavailable, '', [uintOption(OptionNumber.maxAge, retryAfterSeconds)]);
}
