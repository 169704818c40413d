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
 *   what an observer is told (RFC 7641): CON, sent again likewise
 *
 * A message that is sent again is the same to the byte (§4.2). One that only has the id of one before comes from a device
 * that was started anew, or from another one that the network gave the port to since: were it answered like the first, it
 * would hear that its window is open when nobody opened it. While the first is still being served it is dropped, and
 * comes again.
 *
 * Nothing that is sent is much larger than what caused it: a reset has 4 bytes, answers have no or a short payload,
 * and an unauthenticated peer can have no more answers under way than `inFlightPerPeerMax` (§11.3).
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../actors/base/clock.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { createOccupancy, type Occupancy } from '../../actors/limits/occupancy.ts';
import { AnsweredExchanges } from './answered.ts';
import { isRequest } from './codes.ts';
import { decode, encode, encodeEmpty, type Header, type Message } from './message.ts';
import { badOption } from './options.ts';
import { type Delivery, type Exchange, type Peer, type PeerAddress, Peers, takeMessageId } from './peers.ts';
import { badOptionResponse, type Request, type Response } from './request.ts';
import { type CoapSettings, Transmission } from './settings.ts';

export interface ExchangePorts {
  readonly clock: Clock;
  /** At least 0, less than 1. */
  readonly random: () => number;
  send(datagram: Buffer, to: PeerAddress): void;
  /** Answers a request whose critical options are all understood. Never rejects. */
  serve(request: Request): Promise<Response>;
  /** The answer to a request that is larger than a datagram may be. */
  tooLarge(): Response;
  /** The answer when too much is under way. */
  overloaded(address: string): Response;
  /** A request is answered with this code; not called again where the answer is only sent again. */
  onAnswer?: ((code: number) => void) | undefined;
}

/** A response with the token of the request that it answers. */
type Answer = Response & { readonly token: Buffer };

/** The part of all requests in flight that one address may have. */
const ADDRESS_SHARE = 4;

export class Exchanges {
  readonly #settings: CoapSettings;
  readonly #ports: ExchangePorts;
  readonly #peers: Peers;
  readonly #answered: AnsweredExchanges;
  #inFlight = 0;
  /** The same by address: its ports are many, and cost nothing. */
  readonly #held: Occupancy;
  #draining = false;
  #onIdle: (() => void) | undefined;

  constructor(settings: CoapSettings, ports: ExchangePorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#held = createOccupancy(
      Math.max(settings.inFlightPerPeerMax, Math.ceil(settings.inFlightMax / ADDRESS_SHARE)),
    );
    this.#peers = new Peers(ports.random);
    this.#answered = new AnsweredExchanges(settings, ports.clock, ({ peer }) => this.#peers.release(peer));
  }

  /** Requests that are being served and answers that are not acknowledged yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests that are remembered, those being served not counted. */
  get remembered(): number {
    return this.#answered.size;
  }

  // ------------------------------------------------------------------------------------------------- what comes in

  receive(datagram: Buffer, from: PeerAddress): void {
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
  #take(datagram: Buffer, header: Header, message: Message | undefined, from: PeerAddress): void {
    switch (header.type) {
      case 'ACK':
      case 'RST': {
        // §4.2: whatever is acknowledged or reset is not sent again; what matches nothing is ignored
        const peer = this.#peers.find(from);
        const delivery = header.type === 'ACK' ? 'acknowledged' : 'reset';
        if (peer !== undefined) this.#delivered(peer, header.messageId, delivery);
        return;
      }
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

  #request(datagram: Buffer, header: Header, message: Message | undefined, from: PeerAddress): void {
    const fingerprint = createHash('sha256').update(datagram).digest('base64');
    if (this.#isDuplicate(header, fingerprint, from)) return;
    // A server that is about to stop answers nothing new: the device sends it again, to the one that comes after.
    if (this.#draining) return;

    const bad = message === undefined ? undefined : badOption(message.options);
    if (bad !== undefined && header.type === 'NON') {
      this.#ports.send(encodeEmpty('RST', header.messageId), from); // §5.4.1: rejected
      return;
    }

    const peer = this.#peers.at(from);
    const full =
      this.#inFlight >= this.#settings.inFlightMax ||
      this.#held.isFull(from.address) ||
      peer.serving + peer.unacknowledged.size - peer.notifications >= this.#settings.inFlightPerPeerMax;
    const respond = this.#open(peer, header, fingerprint, !full);
    if (full) respond(this.#ports.overloaded(from.address));
    else if (message === undefined) respond(this.#ports.tooLarge());
    else if (bad !== undefined) respond(badOptionResponse(bad));
    else {
      const { code, options, payload } = message;
      const { address, port } = from;
      const request = { peer: peer.key, address, port, token: header.token, code, options, payload };
      void this.#ports.serve(request).then(respond); // a bug in `respond` may concern all peers: it ends the process
    }
  }

  /** Whether the message came before; then its answer is sent again. A past one that only has the same id is forgotten. */
  #isDuplicate({ messageId }: Header, fingerprint: string, from: PeerAddress): boolean {
    const past = this.#peers.find(from)?.exchanges.get(messageId);
    if (past === undefined) return false;
    const same = past.fingerprint === fingerprint;
    if (past.answered && !(same && past.expiresAt > this.#ports.clock.elapsed())) {
      this.#answered.forget(past);
      return false;
    }
    if (same && past.reply !== undefined) this.#ports.send(past.reply, from); // §4.5
    return true;
  }

  // ------------------------------------------------------------------------------------------------- what goes out

  /** Starts an exchange. Returns the function that answers it, to be called once. */
  #open(peer: Peer, header: Header, fingerprint: string, mayWait: boolean): (response: Response) => void {
    const { clock, send } = this.#ports;
    const { type, messageId, token } = header;
    const confirmable = type === 'CON';
    const lifetimeMs = confirmable ? Transmission.exchangeLifetimeMs : Transmission.nonLifetimeMs;
    const exchange: Exchange = {
      peer,
      messageId,
      fingerprint,
      confirmable,
      expiresAt: clock.elapsed() + lifetimeMs,
      reply: undefined,
      answered: false,
    };
    peer.exchanges.set(messageId, exchange);
    peer.serving += 1;
    this.#begin(peer);

    const cancelPiggyback =
      confirmable && mayWait
        ? clock.after(this.#settings.piggybackTimeoutMs, () => {
            exchange.reply = encodeEmpty('ACK', messageId); // §5.2.2: a separate response will follow
            send(exchange.reply, peer.address);
          })
        : undefined;

    return (response) => {
      cancelPiggyback?.();
      peer.serving -= 1;
      this.#end(peer);
      this.#answer(exchange, { ...response, token });
      this.#ports.onAnswer?.(response.code);
      this.#answered.add(exchange);
      this.#lookIdle();
    };
  }

  #answer(exchange: Exchange, answer: Answer): void {
    const { peer, messageId, confirmable } = exchange;
    const { send } = this.#ports;
    if (!confirmable) {
      send(encode({ type: 'NON', messageId: takeMessageId(peer), ...answer }), peer.address); // §5.2.3
    } else if (exchange.reply === undefined) {
      exchange.reply = encode({ type: 'ACK', messageId, ...answer }); // §5.2.1: piggybacked
      send(exchange.reply, peer.address);
    } else {
      this.#begin(peer);
      this.#sendReliably(peer, answer, () => this.#end(peer));
    }
  }

  /**
   * Sends what nobody asks for at this moment: to who observes (RFC 7641 §4.2). `onEnd` is called once, and later. It takes
   * no place from requests: observers sleep, and whoever shares their address (all behind a DTLS proxy do) is to be served.
   *
   * @returns gives up on it, if it is still under way
   */
  notify(to: PeerAddress, answer: Answer, onEnd: (delivery: Delivery) => void): () => void {
    const peer = this.#peers.at(to);
    peer.notifications += 1;
    const messageId = this.#sendReliably(peer, answer, (delivery) => {
      isUnderWay = false;
      peer.notifications -= 1;
      onEnd(delivery);
    });
    let isUnderWay = true;
    return () => {
      if (isUnderWay) this.#delivered(peer, messageId, 'given-up');
    };
  }

  /** Sends a confirmable message until it is acknowledged, reset, or nobody is there (§4.2). Returns its id. */
  #sendReliably(peer: Peer, answer: Answer, onEnd: (delivery: Delivery) => void): number {
    const { clock, random, send } = this.#ports;
    const { ackTimeoutMs, ackRandomFactor, maxRetransmit } = Transmission;
    const messageId = takeMessageId(peer);
    const datagram = encode({ type: 'CON', messageId, ...answer });

    const sendAndWait = (timeoutMs: number, retransmissionsLeft: number): void => {
      send(datagram, peer.address);
      const cancel = clock.after(timeoutMs, () => {
        if (retransmissionsLeft > 0) sendAndWait(timeoutMs * 2, retransmissionsLeft - 1);
        else this.#delivered(peer, messageId, 'given-up');
      });
      peer.unacknowledged.set(messageId, { cancel, onEnd });
    };
    sendAndWait(ackTimeoutMs * (1 + random() * (ackRandomFactor - 1)), maxRetransmit);
    return messageId;
  }

  /** A confirmable message of ours needs no more sending. */
  #delivered(peer: Peer, messageId: number, delivery: Delivery): void {
    const sent = peer.unacknowledged.get(messageId);
    if (sent === undefined) return;
    sent.cancel();
    peer.unacknowledged.delete(messageId);
    sent.onEnd(delivery);
    this.#peers.release(peer);
    this.#lookIdle();
  }

  // ---------------------------------------------------------------------------------------------------- the end

  /** Takes no more requests. Resolves when all under way are answered, and separate answers are acknowledged. */
  drain(): Promise<void> {
    this.#draining = true;
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.#lookIdle();
    });
  }

  #begin({ address }: Peer): void {
    this.#inFlight += 1;
    this.#held.add(address.address);
  }

  #end({ address }: Peer): void {
    this.#inFlight -= 1;
    this.#held.remove(address.address);
  }

  #lookIdle(): void {
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  /** Cancels retransmissions. */
  close(): void {
    this.#answered.close();
    for (const { unacknowledged } of this.#peers.all())
      for (const { cancel } of unacknowledged.values()) cancel();
  }
}
