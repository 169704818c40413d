/**
 * Connections that leave HTTP for another protocol, such as WebSocket.
 *
 * A server may ignore such an offer and answer the request (RFC 9110, section 7.8), and must be able to: Java's HTTP
 * client offers `h2c` with every request. But once there is an `upgrade` listener, Node 20 hands over the connection of
 * every request with an offer, after its head. Before that it reads `upgrade` of the message, so messages here answer
 * true only if somebody takes the connection.
 */
import { IncomingMessage } from 'node:http';
import type { Upgrade } from '../actors/sockets/upgrade.ts';

/** Who takes WebSocket connections, by path. Must answer or close each. */
export type WebSocketUpgrades = ReadonlyMap<string, (upgrade: Upgrade) => void>;

/** The class of messages for `http.createServer`. */
export function messagesThatUpgrade(upgrades: WebSocketUpgrades): typeof IncomingMessage {
  return class extends IncomingMessage {
    /** Whether the request offers another protocol. The parser sets it, also from the super constructor. */
    declare offered: boolean | null;

    set upgrade(offered: boolean | null) {
      this.offered = offered;
    }

    get upgrade(): boolean {
      if (this.offered !== true) return false;
      // CONNECT is not an offer, and cannot be answered in another way.
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
