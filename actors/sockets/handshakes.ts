/**
 * TLS handshakes in turns. A server's part in one is a signature, a millisecond or so with an RSA key, and Node does all whose
 * first message has arrived in one turn of the event loop: two thousand that were opened one by one and then speak at once
 * would hold up everybody else for more than a second. So a connection is looked at first without TLS. When it begins to
 * speak, it stands in a line, and TLS gets it when its turn comes.
 */
import type { Socket } from 'node:net';
import type { Server } from 'node:tls';

/** Calls everybody who waits, a few in each turn of the event loop (`runtime/turns.ts`). */
export interface Line {
  wait(turn: () => void, who: 'newcomer'): void;
}

/**
 * To be called before anything else listens for the server's connections.
 * @param silenceMaxMs a connection that has said nothing for so long is closed; then the server's time for handshakes begins
 */
export function paceHandshakes(server: Server, line: Line, silenceMaxMs: number): void {
  const [shakeHands, ...others] = server.listeners('connection');
  // Node documents that connections may be handed to a TLS server by this event, not that it has one listener.
  if (shakeHands === undefined || others.length > 0) throw new Error('a TLS server has another shape');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const giveUp = () => socket.destroy();
    socket.on('error', giveUp); // TLS has its own from then on, and a second does no harm
    socket.setTimeout(silenceMaxMs, giveUp);
    socket.once('data', (first: Buffer) => {
      socket.setTimeout(0);
      socket.off('timeout', giveUp);
      socket.pause();
      socket.unshift(first);
      line.wait(() => {
        if (!socket.destroyed) shakeHands.call(server, socket);
      }, 'newcomer');
    });
  });
}
