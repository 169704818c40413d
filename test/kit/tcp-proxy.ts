/** A TCP proxy in front of a server on 127.0.0.1 that cuts its connections, also in the middle of a reply. */
import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Lets this many more bytes of replies through, then cuts the connection they came on. */
  cutAfter(bytes: number): void;
  /** Cuts all connections, and refuses new ones until `mend`. */
  sever(): void;
  mend(): void;
  /** Silently drops everything on the open connections. New connections work. */
  freeze(): void;
  /** Sends new connections to another server and keeps the open ones, as when a DNS name moves. */
  moveTo(target: number): void;
  /** How many connections were cut by `cutAfter`. */
  readonly cuts: number;
  close(): Promise<void>;
}

export async function openTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let left = Number.POSITIVE_INFINITY;
  let severed = false;
  let cuts = 0;
  let frozenBefore = 0;
  let made = 0;
  let current = target;

  const server = createServer((client) => {
    if (severed) {
      client.destroy();
      return;
    }
    const upstream = connect(current, '127.0.0.1');
    made += 1;
    const number = made;
    const isFrozen = () => number <= frozenBefore;
    const end = () => {
      client.destroy();
      upstream.destroy();
      sockets.delete(client);
      sockets.delete(upstream);
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (chunk: Buffer) => isFrozen() || upstream.write(chunk));
    upstream.on('data', (chunk: Buffer) => {
      if (isFrozen()) return;
      const through = chunk.subarray(0, left);
      left -= chunk.length;
      client.write(through);
      if (left > 0) return;
      left = Number.POSITIVE_INFINITY;
      cuts += 1;
      client.destroySoon();
      upstream.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    cutAfter(bytes) {
      left = bytes;
    },
    sever() {
      severed = true;
      cutAll();
    },
    freeze() {
      frozenBefore = made;
    },
    moveTo(next) {
      current = next;
    },
    mend() {
      severed = false;
    },
    get cuts() {
      return cuts;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cutAll();
      await closed;
    },
  };
}
