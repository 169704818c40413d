/** Listening on a TCP port, and what a person is told when that fails. Used by every server of this process. */
import type { Server } from 'node:net';

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
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
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

/** The servers that listen, and how many connections have come to each. */
const servers = new Map<Server, { readonly port: number; readonly came: () => number }>();

/** Of all servers that listen in this process: how many connections have ended, by port. */
export async function endedConnections(): Promise<ReadonlyMap<number, number>> {
  const ended = new Map<number, number>();
  const held = await Promise.all(
    [...servers].map(async ([server, { port, came }]) => ({
      port,
      came: came(),
      held: await countOf(server),
    })),
  );
  for (const { port, came, held: now } of held) ended.set(port, (ended.get(port) ?? 0) + came - now);
  return ended;
}

function countOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

/** From before it listens: in a worker, one may come before the server says that it does. @returns to be called with the port it got */
function countConnections(server: Server): (port: number) => void {
  let came = 0;
  server.on('connection', () => {
    came += 1;
  });
  return (port) => {
    servers.set(server, { port, came: () => came });
    server.once('close', () => servers.delete(server));
  };
}

/** Starts to listen; TLS and HTTP servers are TCP servers too. Rejects with a `ListenError`. */
export function listen(server: Server, options: ListenOptions): Promise<Listening> {
  const { what, address: host, port, backlog, onError } = options;
  const countAt = countConnections(server);
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) => reject(new ListenError(what, host, port, error));
    server.once('error', refuse);
    server.listen({ host, port, ...(backlog === undefined ? {} : { backlog }) }, () => {
      server.off('error', refuse);
      server.on('error', onError);
      const bound = server.address();
      if (bound === null || typeof bound === 'string') reject(new Error(`${what} is bound to no TCP port`));
      else {
        countAt(bound.port);
        resolve({ address: bound.address, port: bound.port });
      }
    });
  });
}
