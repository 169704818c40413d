/**
 * Requests that offer another protocol: only a WebSocket handshake at a path where somebody takes it leaves HTTP. All
 * others are answered as if they had offered nothing, and the limits of HTTP hold for both.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import type { Upgrade } from '../../actors/sockets/upgrade.ts';
import { createHttpServer, type HttpServer } from '../../http/server.ts';
import { defaultHttpServerSettings, type HttpServerSettings } from '../../http/settings.ts';
import { pause } from '../kit/until.ts';
import { handshake, openRaw } from '../kit/websocket.ts';

interface Scene {
  readonly server: HttpServer;
  readonly port: number;
  readonly taken: Upgrade[];
}

/** A server whose app tells what it was asked, and which hands `/mqtt` over to somebody who says so. */
function law(
  name: string,
  play: (scene: Scene) => Promise<void>,
  settings: Partial<HttpServerSettings> = {},
): void {
  test(`http upgrades: ${name}`, async () => {
    const taken: Upgrade[] = [];
    const server = createHttpServer({
      app: {
        async fetch(request) {
          const { pathname } = new URL(request.url);
          return new Response(`${request.method} ${pathname} <${await request.text()}>`);
        },
      },
      settings: { ...defaultHttpServerSettings, address: '127.0.0.1', port: 0, ...settings },
      log: silentLog,
      upgrades: new Map([
        [
          '/mqtt',
          (upgrade) => {
            taken.push(upgrade);
            const { socket } = upgrade;
            socket.on('error', () => {}).resume();
            socket.once('end', () => socket.end()); // HTTP's sockets stay open on this side
            socket.write(`taken <${upgrade.head}>`);
          },
        ],
      ]),
    });
    const { port } = await server.start();
    try {
      await play({ server, port, taken });
    } finally {
      await server.stop(0);
    }
  });
}

/** What Java's HttpClient sends with each request over plain HTTP. */
const H2C =
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA\r\n';

const count = (text: string, part: string) => text.split(part).length - 1;

law(
  'a request that offers h2c is answered over HTTP/1.1, and so is the next on its connection',
  async ({ port }) => {
    const { socket, until, received } = openRaw(port, `GET /a HTTP/1.1\r\nHost: x\r\n${H2C}\r\n`);
    await until((text) => text.includes('GET /a <>'));
    socket.write(`GET /b HTTP/1.1\r\nHost: x\r\n${H2C}\r\n`);
    await until((text) => text.includes('GET /b <>'));
    assert.is(count(received(), 'HTTP/1.1 200 '), 2);
    assert.not.match(received(), /101|426/);
    socket.destroy();
  },
);

law(
  'bodies of such requests are read, of known length and in chunks, at once and later',
  async ({ port }) => {
    const body = 'x'.repeat(50_000);
    const sized = `POST /sized HTTP/1.1\r\nHost: x\r\n${H2C}Content-Length: ${body.length}\r\n\r\n`;
    const first = openRaw(port, sized + body);
    await first.until((text) => text.includes(`POST /sized <${body}>`));
    first.socket.write(sized);
    await pause(30);
    first.socket.write(body);
    await first.until((text) => count(text, `POST /sized <${body}>`) === 2);
    const chunked = `POST /chunked HTTP/1.1\r\nHost: x\r\n${H2C}Transfer-Encoding: chunked\r\n\r\n`;
    first.socket.write(`${chunked}5\r\nhello\r\n0\r\n\r\n`);
    await first.until((text) => text.includes('POST /chunked <hello>'));
    first.socket.destroy();
  },
);

law('offers of WebSocket elsewhere, or without Connection: Upgrade, are ignored', async ({ port, taken }) => {
  for (const [path, headers] of [
    ['/api/ws', {}],
    ['/mqtt/', {}],
    ['/', {}],
    ['/mqtt', { Connection: 'keep-alive' }],
    ['/mqtt', { Upgrade: 'h2c' }],
    ['/mqtt', { Upgrade: undefined }],
  ] as const) {
    const { socket, until } = openRaw(port, handshake(headers, path));
    await until((text) => text.startsWith('HTTP/1.1 200 ') && text.includes(`GET ${path} <>`));
    socket.destroy();
  }
  assert.equal(taken, []);
});

law(
  'a handshake at its path leaves HTTP, also behind other requests, with what came behind it',
  async ({ port, taken }) => {
    const { socket, until } = openRaw(port, 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n');
    await until((text) => text.includes('GET /a <>'));
    socket.write(`${handshake({ Upgrade: 'WebSocket' }, '/mqtt?x=1')}first bytes`);
    await until((text) => text.endsWith('taken <first bytes>'));
    assert.is(taken[0]?.peer, '127.0.0.1');
    assert.is(taken[0]?.request.url, '/mqtt?x=1');
    socket.destroy();
  },
);

law(
  'the peer is the one that the trusted proxy saw',
  async ({ port, taken }) => {
    const { socket, until } = openRaw(port, handshake({ 'X-Forwarded-For': '1.1.1.1, 203.0.113.9' }));
    await until((text) => text.includes('taken'));
    assert.is(taken[0]?.peer, '203.0.113.9');
    socket.destroy();
  },
  { trustedProxies: 1 },
);

law('too large a head is 431, of whatever it offers', async ({ port, taken }) => {
  for (const offer of [
    handshake({ 'X-Long': 'x'.repeat(20_000) }),
    `GET / HTTP/1.1\r\n${H2C}X: ${'x'.repeat(20_000)}`,
  ]) {
    const { until, closed } = openRaw(port, offer);
    await until((text) => text.startsWith('HTTP/1.1 431 '));
    await closed;
  }
  assert.equal(taken, []);
});

law(
  'who offers and does not finish its headers, or its body, is let go',
  async ({ port, taken }) => {
    for (const begun of [
      handshake().slice(0, -2),
      `POST / HTTP/1.1\r\nHost: x\r\n${H2C}Content-Length: 9\r\n\r\nhello`,
    ]) {
      const { received, closed } = openRaw(port, begun);
      await closed;
      assert.match(received(), /^(HTTP\/1\.1 408 |$)/);
    }
    assert.equal(taken, []);
  },
  { headersTimeoutMs: 300, requestTimeoutMs: 300 },
);

law(
  'an upgraded connection counts among the connections at once, until it is closed',
  async ({ port }) => {
    const upgraded = openRaw(port, handshake());
    await upgraded.until((text) => text.includes('taken'));
    const turnedAway = openRaw(port, 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n');
    await turnedAway.closed;
    assert.is(turnedAway.received(), '');
    upgraded.socket.destroy();
    await upgraded.closed;
    for (let answered = false, tries = 0; !answered; tries++) {
      assert.ok(tries < 1_000, 'there is room again');
      const again = openRaw(port, 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      await again.closed;
      answered = again.received().includes('GET /a <>');
    }
  },
  { maxConnections: 1 },
);

law(
  'an upgraded connection has the time limits of who took it, not those of HTTP',
  async ({ port }) => {
    const { socket, until } = openRaw(port, handshake());
    await until((text) => text.includes('taken'));
    // Those of HTTP end what came later: who says nothing, and who has been answered.
    await openRaw(port, '').closed;
    await openRaw(port, 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n').closed;
    assert.is(socket.closed, false);
    socket.destroy();
  },
  { headersTimeoutMs: 1_000, requestTimeoutMs: 1_000, keepAliveTimeoutMs: 1_000 },
);

law('stopping waits for upgraded connections, and cuts them off at last', async ({ server, port, taken }) => {
  const kept = openRaw(port, handshake());
  await kept.until((text) => text.includes('taken'));
  const left = openRaw(port, handshake());
  await left.until((text) => text.includes('taken'));
  const from = performance.now();
  const stopped = server.stop(300);
  const cutOff = kept.closed.then(() => performance.now() - from);
  taken[1]?.socket.end();
  await left.closed;
  await stopped;
  assert.ok((await cutOff) > 250, `after ${await cutOff} ms`);
});

law('CONNECT is not answered', async ({ port }) => {
  const { received, closed } = openRaw(port, 'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n');
  await closed;
  assert.is(received(), '');
});

test.run();
