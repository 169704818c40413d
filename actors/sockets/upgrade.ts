/** A connection that leaves HTTP for another protocol (RFC 9110, section 7.8): HTTP hands it on and is done with it. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** Bytes that came behind the request already. */
  readonly head: Buffer;
  /** The address of the client, looked at through the proxies that are trusted. */
  readonly peer: string;
}
