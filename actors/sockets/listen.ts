/** Listening on a TCP port, and what a person is told when that fails. Used by every server of this process. */
import type { Server } from 'node:net';
import { codeOf } from '../base/error-code.ts';

/** Where a server listens: the address it was given, and the port it got. */
export interface Listening {
  readonly address: string;
  readonly port: number;
}

/** The address is taken or not allowed. `message` is one line for a person. */
export class ListenError extends Error {
  /** @param what the server, as the operator knows it: `MQTT`, `HTTP` */
  constructor(what: string, address: string, port: number, cause: unknown) {
    super(`${what} cannot listen on ${address}:${port}: ${reasonOf(cause)}`, { cause });
    this.name = 'ListenError';
  }
}

function reasonOf(cause: unknown): string {
  const code = codeOf(cause);
  switch (code) {
    case 'EADDRINUSE':
      return 'the port is taken by another program';
    case 'EACCES':
      return 'this user may not listen there';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that address';
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}

export interface ListenOptions {
  /** The server, as the operator knows it: `MQTT`, `HTTP`. */
  readonly what: string;
  /** IP address or host name. */
  readonly address: string;
  /** TCP port; 0 takes any free one. */
  readonly port: number;
  /** Connections that the kernel keeps until they are accepted; without it, Node's default. */
  readonly backlog?: number;
  /** Errors of the server after it has begun to listen. */
  readonly onError: (error: Error) => void;
}

/** Hears of each connection that has ended, by the port at which it came in; undefined: nobody asked. */
let onEnd: ((port: number) => void) | undefined;

/** For all servers that begin to listen in this process after it. */
export function whenConnectionsEnd(hear: (port: number) => void): void {
  onEnd = hear;
}

/** To be called before it listens: in a worker, a connection may come before the server says that it does. */
function tellEnds(server: Server, hear: (port: number) => void): void {
  const ended = (): void => {
    const bound = server.address();
    if (bound !== null && typeof bound !== 'string') hear(bound.port);
  };
  server.on('connection', (socket) => socket.on('close', ended));
}

/** Starts to listen; TLS and HTTP servers are TCP servers too. Rejects with a `ListenError`. */
export function listen(server: Server, options: ListenOptions): Promise<Listening> {
  const { what, address: host, port, backlog, onError } = options;
  if (onEnd !== undefined) tellEnds(server, onEnd);
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) => reject(new ListenError(what, host, port, error));
    server.once('error', refuse);
    server.listen({ host, port, ...(backlog === undefined ? {} : { backlog }) }, () => {
      server.off('error', refuse);
      server.on('error', onError);
      const bound = server.address();
      if (bound === null || typeof bound === 'string') reject(new Error(`${what} is bound to no TCP port`));
      else resolve({ address: bound.address, port: bound.port });
    });
  });
}
