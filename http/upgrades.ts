/**
 * Connections that leave HTTP for another protocol, such as WebSocket, and those that only offer to.
 *
 * A server may ignore an offer and answer the request (RFC 9110, section 7.8), and has to be able to: Java's HTTP client
 * offers `h2c` with every request. But once somebody listens to `upgrade`, Node 20 parses no further than the head of a
 * request that offers anything, and gives its connection away. What it asks before is the message, `upgrade`; so
 * messages here say yes only where somebody is there to take the connection.
 */
import { IncomingMessage } from 'node:http';
import type { Upgrade } from '../actors/sockets/upgrade.ts';

/** Who takes WebSocket connections, by path. Must answer or close every one. */
export type WebSocketUpgrades = ReadonlyMap<string, (upgrade: Upgrade) => void>;

/** What `http.createServer` is to make of requests. */
export function messagesThatUpgrade(upgrades: WebSocketUpgrades): typeof IncomingMessage {
  return class extends IncomingMessage {
    /** Whether the request offers another protocol at all. Set by the parser, also from the super constructor. */
    declare offered: boolean | null;

    set upgrade(offered: boolean | null) {
      this.offered = offered;
    }

    get upgrade(): boolean {
      if (this.offered !== true) return false;
      // CONNECT is no offer, and can not be answered in any other way.
      return this.method === 'CONNECT' || takerOf(this, upgrades) !== undefined;
    }
  };
}

export function takerOf(
  { url = '', headers }: IncomingMessage,
  upgrades: WebSocketUpgrades,
): ((upgrade: Upgrade) => void) | undefined {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return undefined;
  const [path = ''] = url.split('?', 1);
  return upgrades.get(path);
}
