/** TLS handshakes in turns: those that come at once do not hold up everybody else, and each is served as without a line. */
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, createServer, type Server, type TLSSocket } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Turns } from '../../actors/runtime/turns.ts';
import { type Line, paceHandshakes } from '../../actors/sockets/handshakes.ts';
import { SERVER_CERTIFICATE } from '../kit/certificate.ts';
import { until } from '../kit/until.ts';

interface Scene {
  readonly server: Server;
  /** Connections that TLS was given. */
  served(): number;
  /** The server's side of its connections, in the order in which they came. */
  readonly accepted: readonly Socket[];
  /** A connection that has said nothing yet. */
  open(): Promise<Socket>;
}

/** A server that sends back whatever it is sent. */
async function withServer(line: Line, silenceMaxMs: number, play: (scene: Scene) => Promise<void>) {
  const server = createServer(SERVER_CERTIFICATE, (socket) => socket.pipe(socket));
  server.on('tlsClientError', () => {});
  const served = countHandedOver(server);
  paceHandshakes(server, line, silenceMaxMs);
  const accepted: Socket[] = [];
  server.on('connection', (socket: Socket) => void accepted.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  try {
    await play({
      server,
      served,
      accepted,
      async open() {
        const socket = connectTcp({ host: '127.0.0.1', port });
        sockets.push(socket.on('error', () => {}));
        await once(socket, 'connect');
        return socket;
      },
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** Puts a counter in front of what TLS does with a connection. To be called before the connections are paced. */
function countHandedOver(server: Server): () => number {
  const listeners = server.listeners('connection');
  let count = 0;
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    count += 1;
    for (const listener of listeners) listener.call(server, socket);
  });
  return () => count;
}

const secure = (socket: Duplex): TLSSocket =>
  connectTls({ socket, rejectUnauthorized: false }).on('error', () => {});

async function echoOf(socket: TLSSocket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = await once(socket, 'data');
  return String(answer);
}

/** A line whose turns the test gives. */
function heldLine() {
  const waiting: (() => void)[] = [];
  return { waiting, line: { wait: (turn: () => void) => void waiting.push(turn) } };
}

test('handshakes: who speaks waits for a turn, and is then served; who is silent does not stand in the line', async () => {
  const { waiting, line } = heldLine();
  await withServer(line, 60_000, async ({ server, open }) => {
    let done = 0;
    server.on('secureConnection', () => {
      done += 1;
    });
    await open();
    const clients = await Promise.all(Array.from({ length: 5 }, async () => secure(await open())));
    await until('all have spoken', () => waiting.length === clients.length);
    assert.is(done, 0);
    for (const [at, turn] of waiting.entries()) {
      turn();
      await until('one more has shaken hands', () => done === at + 1);
    }
    for (const [at, client] of clients.entries()) assert.is(await echoOf(client, `n${at}`), `n${at}`);
  });
});

test('handshakes: a first message in pieces, with long pauses, is taken as a whole', () =>
  withServer(new Turns(), 60_000, async ({ open }) => {
    const socket = await open();
    const slow = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        const [first, ...rest] = [chunk.subarray(0, 1), chunk.subarray(1, 50), chunk.subarray(50)];
        socket.write(first);
        for (const [at, piece] of rest.entries()) setTimeout(() => socket.write(piece), 30 * (at + 1));
        setTimeout(done, 90);
      },
    });
    socket.on('data', (chunk) => slow.push(chunk));
    assert.is(await echoOf(secure(slow), 'x'), 'x');
  }));

test('handshakes: who says nothing is closed after its time, and is not served', () =>
  withServer(heldLine().line, 50, async ({ open, served }) => {
    const silent = await open();
    silent.resume();
    await once(silent, 'close');
    assert.is(served(), 0);
  }));

test('handshakes: who leaves while it waits is not served, and who stays is', async () => {
  const { waiting, line } = heldLine();
  await withServer(line, 600_000, async ({ open, served, accepted }) => {
    const leaving = await open();
    secure(leaving);
    await until('it waits', () => waiting.length === 1);
    const staying = secure(await open());
    await until('another waits behind it', () => waiting.length === 2);
    leaving.resetAndDestroy();
    await until('the server knows that it is gone', () => accepted[0]?.destroyed === true);
    for (const turn of waiting) turn();
    assert.is(await echoOf(staying, 'x'), 'x');
    assert.is(served(), 1);
  });
});

test('handshakes: hundreds that come at once are spread over many turns of the event loop', () => {
  // By this clock each takes a millisecond, however fast the machine is.
  let begun = 0;
  return withServer(new Turns(() => begun), 60_000, async ({ server, open }) => {
    const many = 300;
    const clients: Socket[] = [];
    for (let at = 0; at < many; at += 1) clients.push(await open());
    const [hello] = await firstMessage();
    const perTurn = new Map<number, number>();
    let turn = 0;
    let answered = 0;
    const count = () => {
      turn += 1;
      if (answered < many) setImmediate(count);
    };
    count();
    // The server's side of a handshake ends where these clients say nothing more; its answer shows that it was done.
    server.on('keylog', () => {
      begun += 1;
      perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
    });
    for (const client of clients) {
      client.once('data', () => {
        answered += 1;
      });
      client.write(hello);
    }
    await until('all are answered', () => answered === many);
    const turns = perTurn.size;
    assert.ok(turns >= 8, `all in ${turns} turns`);
  });
});

/** What a client begins with. */
function firstMessage(): Promise<[Buffer]> {
  return new Promise((resolve) => {
    const nowhere = new Duplex({ read() {}, write: (chunk: Buffer) => resolve([chunk]) });
    secure(nowhere);
  });
}

test.run();
