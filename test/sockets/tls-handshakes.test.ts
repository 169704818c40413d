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
  /** A connection that has said nothing yet. */
  open(): Promise<Socket>;
  connections(): Promise<number>;
}

/** A server that sends back whatever it is sent. */
async function withServer(line: Line, silenceMaxMs: number, play: (scene: Scene) => Promise<void>) {
  const server = createServer(SERVER_CERTIFICATE, (socket) => socket.pipe(socket));
  server.on('tlsClientError', () => {});
  paceHandshakes(server, line, silenceMaxMs);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  try {
    await play({
      server,
      async open() {
        const socket = connectTcp({ host: '127.0.0.1', port });
        sockets.push(socket.on('error', () => {}));
        await once(socket, 'connect');
        return socket;
      },
      connections: () =>
        new Promise((resolve, reject) =>
          server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
        ),
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
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

test('handshakes: who says nothing is closed after its time, and who leaves while it waits is not served', async () => {
  const { waiting, line } = heldLine();
  await withServer(line, 50, async ({ server, open, connections }) => {
    let shaking = 0;
    server.on('newSession', () => {
      shaking += 1;
    });
    const silent = await open();
    silent.resume();
    await once(silent, 'close');
    const leaving = await open();
    secure(leaving);
    await until('it waits', () => waiting.length === 1);
    leaving.resetAndDestroy();
    for (const turn of waiting) turn();
    await until('it is gone', async () => (await connections()) === 0);
    assert.is(shaking, 0);
  });
});

test('handshakes: hundreds that come at once are spread over many turns of the event loop', () =>
  withServer(new Turns(), 60_000, async ({ server, open }) => {
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
  }));

/** What a client begins with. */
function firstMessage(): Promise<[Buffer]> {
  return new Promise((resolve) => {
    const nowhere = new Duplex({ read() {}, write: (chunk: Buffer) => resolve([chunk]) });
    secure(nowhere);
  });
}

test.run();
