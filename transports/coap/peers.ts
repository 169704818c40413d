/** The peers (an address with its port) that we exchange messages with, and what is kept for each while an exchange lasts. */
import type { Cancel } from '../../actors/base/clock.ts';

/** Where a datagram came from and its answer goes. */
export interface PeerAddress {
  readonly address: string;
  readonly port: number;
}

export interface Peer {
  readonly key: string;
  readonly address: PeerAddress;
  /** Its requests by message id: those being served, and past ones that are remembered. */
  readonly exchanges: Map<number, Exchange>;
  /** Our confirmable messages that are not acknowledged, by message id. */
  readonly unacknowledged: Map<number, Unacknowledged>;
  /** How many of these are notifications. */
  notifications: number;
  /** Its requests that are being served. */
  serving: number;
  nextMessageId: number;
}

/** What became of a confirmable message: the peer has it, does not want it, or nobody is there. */
export type Delivery = 'acknowledged' | 'reset' | 'given-up';

interface Unacknowledged {
  /** Cancels its retransmission. */
  readonly cancel: Cancel;
  readonly onEnd: (delivery: Delivery) => void;
}

/** A request and its answer. */
export interface Exchange {
  readonly peer: Peer;
  readonly messageId: number;
  /** Of the whole datagram. */
  readonly fingerprint: string;
  readonly confirmable: boolean;
  /** By `Clock.elapsed`. */
  readonly expiresAt: number;
  /** What a duplicate is answered: nothing yet, an empty acknowledgement, or one with the answer. */
  reply: Buffer | undefined;
  answered: boolean;
}

export class Peers {
  readonly #random: () => number;
  readonly #peers = new Map<string, Peer>();

  /** @param random at least 0, less than 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  find(address: PeerAddress): Peer | undefined {
    return this.#peers.get(keyOf(address));
  }

  /** The peer at this address, which may be a new one. */
  at({ address, port }: PeerAddress): Peer {
    const key = keyOf({ address, port });
    const existing = this.#peers.get(key);
    if (existing !== undefined) return existing;
    const peer: Peer = {
      key,
      address: { address, port },
      exchanges: new Map(),
      unacknowledged: new Map(),
      notifications: 0,
      serving: 0,
      nextMessageId: Math.floor(this.#random() * 0x1_0000), // RFC 7252 §4.4: the first one is random
    };
    this.#peers.set(key, peer);
    return peer;
  }

  /** Forgets a peer of which nothing is kept any more. */
  release(peer: Peer): void {
    if (peer.exchanges.size === 0 && peer.unacknowledged.size === 0) this.#peers.delete(peer.key);
  }

  all(): Iterable<Peer> {
    return this.#peers.values();
  }
}

function keyOf({ address, port }: PeerAddress): string {
  return `${address} ${port}`;
}

/** Ids are in sequence, so that none comes twice while the peer may still remember it (RFC 7252 §4.4). */
export function takeMessageId(peer: Peer): number {
  const messageId = peer.nextMessageId;
  peer.nextMessageId = (messageId + 1) & 0xffff;
  return messageId;
}
