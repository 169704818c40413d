/**
 * Stands between two programs that talk over TCP and can cut their connections in the middle of a reply, as a failing
 * network does: some of the bytes arrive, the rest never does.
 */
import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Cuts every connection: half of the server's next bytes are passed on, then both sides are closed. */
  cut(): void;
  /** Connections cut so far. */
  readonly cuts: number;
  close(): Promise<void>;
}

/** @param to the port on 127.0.0.1 that connections are passed on to */
export async function startTcpProxy(to: number): Promise<TcpProxy> {
  const open = new Map<Socket, { doomed: boolean }>();
  let cuts = 0;

  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1');
    const state = { doomed: false };
    open.set(client, state);
    const end = () => {
      open.delete(client);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => {
      if (!state.doomed) {
        client.write(bytes);
        return;
      }
      cuts += 1;
      open.delete(client);
      upstream.destroy();
      client.end(bytes.subarray(0, bytes.length >> 1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    cut() {
      for (const state of open.values()) state.doomed = true;
    },
    get cuts() {
      return cuts;
    },
    close() {
      for (const client of open.keys()) client.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
