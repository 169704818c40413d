/** The REST layer over real sockets: raw bytes, floods, limits, and a stop that finishes what is under way. */
import { connect, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { createHttpServer, type HttpServer } from '../../http/server.ts';
import { defaultHttpServerSettings, type HttpServerSettings } from '../../http/settings.ts';
import { PATIENCE_MS, within } from '../kit/patience.ts';
import {
  createRestWorld,
  type Household,
  openWindow,
  provision,
  type RestOptions,
  type RestWorld,
  settle,
} from '../kit/rest-client.ts';
import { pause, until } from '../kit/until.ts';

interface Scene {
  readonly world: RestWorld;
  readonly home: Household;
  readonly server: HttpServer;
  readonly port: number;
}

const LOCAL = '127.0.0.1';

function law(
  name: string,
  play: (scene: Scene) => Promise<void>,
  settings: Partial<HttpServerSettings> = {},
  options: RestOptions = {},
  secure = false,
): void {
  test(`rest server: ${name}`, async () => {
    const world = createRestWorld(options);
    const server = createHttpServer({
      app: world.app,
      settings: { ...defaultHttpServerSettings, address: LOCAL, port: 0, ...settings },
      log: silentLog,
      secure,
    });
    const { port } = await server.start();
    try {
      await play({ world, home: await settle(world, 'home'), server, port });
    } finally {
      await server.stop(0);
      await world.stop();
    }
  });
}

/** Sends bytes as they are, and collects what comes until the other side closes. */
async function raw(port: number, bytes: string | Buffer, address = LOCAL): Promise<string> {
  const socket = connect(port, address);
  socket.write(bytes);
  return (await collect(socket)).toString();
}

function collect(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {}); // a reset ends in 'close' as well
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

function request(method: string, target: string | Buffer, token: string, body = ''): Buffer {
  const headers = [
    `Host: ${LOCAL}`,
    `X-Authorization: Bearer ${token}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  return Buffer.concat([
    Buffer.from(`${method} `),
    Buffer.from(target),
    Buffer.from(` HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`),
  ]);
}

const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);

law(
  'device names reach us as they are: dots, slashes, percent signs, emoji',
  async ({ world, home, port }) => {
    const targets: Readonly<Record<string, string>> = {
      '..': '%2E%2E',
      '.': '.',
      'a/b': 'a%2Fb',
      '100%': '100%25',
      '%2F': '%252F',
      'a;b=c': 'a;b=c',
      'naïve 🚲': encodeURIComponent('naïve 🚲'),
      'a\\b': 'a%5Cb',
      'a?b': 'a%3Fb',
    };
    for (const [name, encoded] of Object.entries(targets)) {
      await openWindow(world, await provision(world, home.tenantId, name), 's');
      const target = `/api/customer/device/${encoded}/claim`;
      const answer = await raw(port, request('POST', target, home.alice.token, '{"secretKey":"s"}'));
      assert.match(answer, /^HTTP\/1\.1 200 /, `${name}: ${answer}`);
      assert.is(JSON.parse(bodyOf(answer)).device.name, name);
    }
  },
);

law('bytes in the path that are no UTF-8, and targets that are none, are 400', async ({ home, port }) => {
  for (const target of [
    Buffer.from('/api/customer/device/\xff\xfe/claim', 'latin1'),
    '/api/customer/device/naïve/claim', // Node's parser wants it encoded
    '/api/customer/device/%ff/claim',
    '/api/customer/device/a\\b/claim',
    'api/customer/device/a/claim',
    '/api/customer/device/a b/claim',
  ]) {
    const answer = await raw(port, request('POST', target, home.alice.token, '{}'));
    assert.match(answer, /^HTTP\/1\.1 400 /, `${target}: ${answer}`);
  }
});

law('two Host headers are refused, the same or different', async ({ home, port }) => {
  for (const second of ['Host: evil.example', `Host: ${LOCAL}`, 'hOST: evil.example']) {
    for (const head of [`Host: ${LOCAL}\r\n${second}`, `${second}\r\nX-A: b\r\nHost: ${LOCAL}`]) {
      const bytes = `GET /api/auth/user HTTP/1.1\r\n${head}\r\nX-Authorization: Bearer ${home.alice.token}\r\n\r\n`;
      assert.match(await raw(port, bytes), /^HTTP\/1\.1 400 /, head);
    }
  }
  const alive = await raw(port, request('GET', '/api/auth/user', home.alice.token));
  assert.match(alive, /^HTTP\/1\.1 200 /);
  assert.not.match(alive, /strict-transport-security/i);
});

law(
  'where people come over HTTPS, every answer says that they come over nothing else',
  async ({ home, port }) => {
    for (const target of ['/api/auth/user', '/api/nothing', '/livez']) {
      const answer = await raw(port, request('GET', target, home.alice.token));
      assert.match(answer, /\r\nStrict-Transport-Security: max-age=31536000\r\n/i, target);
    }
  },
  {},
  {},
  true,
);

law(
  'with a maximal age of 0 nothing is said about HTTPS',
  async ({ home, port }) => {
    const answer = await raw(port, request('GET', '/api/auth/user', home.alice.token));
    assert.not.match(answer, /strict-transport-security/i);
  },
  { hstsMaxAgeSeconds: 0 },
  {},
  true,
);

law('header floods are 431, other noise is 400, and the server goes on', async ({ home, port }) => {
  const many = Array.from({ length: 5000 }, (_, at) => `X-${at}: y`).join('\r\n');
  assert.match(await raw(port, `GET /livez HTTP/1.1\r\nHost: x\r\n${many}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  const long = 'x'.repeat(100_000);
  assert.match(
    await raw(port, `GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ${long}\r\n\r\n`),
    /^HTTP\/1\.1 431 /,
  );
  assert.match(await raw(port, `GET /${long} HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(await raw(port, '\0\x01\x02 noise\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await raw(port, 'GET /livez HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /, 'no Host');
  assert.match(await raw(port, request('GET', '/api/auth/user', home.alice.token)), /^HTTP\/1\.1 200 /);
});

for (const address of [LOCAL, '::1', '::']) {
  law(
    `HTTP/1.0 needs no Host, on any path (${address})`,
    async ({ home, port }) => {
      const send = (bytes: string) => raw(port, bytes, address === '::1' ? address : LOCAL);
      assert.match(await send('GET /readyz HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
      assert.match(await send('OPTIONS /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 (?!400)/);
      const user = await send(
        `GET /api/auth/user HTTP/1.0\r\nX-Authorization: Bearer ${home.alice.token}\r\n\r\n`,
      );
      assert.match(user, /^HTTP\/1\.1 200 /);
      assert.match(await send('GET /nowhere HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 404 /);
      assert.match(await send('GET /livez HTTP/1.0\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 200 /);
      assert.match(await send('GET /livez HTTP/1.0\r\nHost: a b\r\n\r\n'), /^HTTP\/1\.1 400 /);
      assert.match(await send('GET /livez HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /);
      assert.match(
        await send('GET /livez HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'),
        /^HTTP\/1\.1 400 /,
      );
    },
    { address },
  );
}

law(
  'bodies over the limit are 413, announced or not, and are not read to their end',
  async ({ home, port }) => {
    const path = '/api/customer/device/D/claim';
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Authorization: Bearer ${home.alice.token}\r\n`;
    const announced = await raw(port, `${head}Content-Length: 100000000000\r\n\r\n{`);
    assert.match(announced, /^HTTP\/1\.1 413 /);
    assert.is(bodyOf(announced), '"Payload size exceeds the limit of 1000 bytes"');
    const chunk = `200\r\n${'x'.repeat(0x200)}\r\n`;
    const chunked = await raw(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(4)}`);
    assert.match(chunked, /^HTTP\/1\.1 413 /);
  },
  {},
  { settings: { maxBodyBytes: 1000 } },
);

law('a chunked body and a DELETE with a body are read', async ({ world, home, port }) => {
  await openWindow(world, await provision(world, home.tenantId, 'D'), 's');
  const head = (method: string) =>
    `${method} /api/customer/device/D/claim HTTP/1.1\r\nHost: x\r\nX-Authorization: Bearer ${home.alice.token}\r\n` +
    'Content-Type: application/json\r\nConnection: close\r\n';
  const claimed = await raw(
    port,
    `${head('POST')}Transfer-Encoding: chunked\r\n\r\n11\r\n{"secretKey":"s"}\r\n0\r\n\r\n`,
  );
  assert.match(claimed, /^HTTP\/1\.1 200 /);
  const given = await raw(port, `${head('DELETE')}Content-Length: 2\r\n\r\n{}`);
  assert.match(given, /^HTTP\/1\.1 200 /);
  assert.is(bodyOf(given), '');
});

law(
  'who does not finish its headers is let go',
  async ({ port }) => {
    const answer = await raw(port, 'GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    assert.match(answer, /^(HTTP\/1\.1 408 |$)/);
  },
  { headersTimeoutMs: 300, requestTimeoutMs: 300 },
);

law('a taken port is one clear error', async ({ port }) => {
  const world = createRestWorld();
  const second = createHttpServer({
    app: world.app,
    settings: { ...defaultHttpServerSettings, address: LOCAL, port },
    log: silentLog,
  });
  try {
    await second.start();
    assert.unreachable();
  } catch (error) {
    assert.match(
      String(error),
      new RegExp(`^ListenError: HTTP can ?not listen on ${LOCAL}:${port}: the port is taken`),
    );
  } finally {
    await second.stop(0);
    await world.stop();
  }
});

/** Holds requests back in front of the store until it is opened. */
function gated(): { options: RestOptions; waiting: () => number; open: () => void } {
  let open = () => {};
  let count = 0;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const options: RestOptions = {
    disturb: (needs) => ({
      ...needs,
      directory: {
        ...needs.directory,
        idOf: async (tenantId, name) => {
          count += 1;
          await opened;
          return needs.directory.idOf(tenantId, name);
        },
      },
    }),
  };
  return { options, waiting: () => count, open: () => open() };
}

const slow = gated();
law(
  'stopping: requests under way are answered, idle connections are closed, nothing new is accepted',
  async ({ world, home, server, port }) => {
    await openWindow(world, await provision(world, home.tenantId, 'D'), 's');
    const idle = connect(port, LOCAL);
    const idleEnds = collect(idle);
    idle.write(`GET /livez HTTP/1.1\r\nHost: x\r\n\r\n`);
    await new Promise((resolve) => idle.once('data', resolve));

    // Keep-alive, as clients do: the connection must be closed behind the answer.
    const claim = request('POST', '/api/customer/device/D/claim', home.alice.token, '{"secretKey":"s"}')
      .toString()
      .replace('Connection: close\r\n', '');
    const answer = raw(port, claim);
    await until('the request is under way', () => slow.waiting() === 1);
    const stopped = server.stop(PATIENCE_MS);
    await idleEnds;
    assert.is(await raw(port, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'), '', 'no new connection');
    slow.open();
    assert.match(await answer, /^HTTP\/1\.1 200 [\s\S]*"response":"SUCCESS"/);
    await stopped;
  },
  {},
  slow.options,
);

const stuck = gated();
law(
  'stopping: after the drain time the rest is cut off',
  async ({ home, server, port }) => {
    const answer = raw(port, request('POST', '/api/customer/device/D/claim', home.alice.token, '{}'));
    await until('the request is under way', () => stuck.waiting() === 1);
    const from = performance.now();
    await within('it stops', server.stop(200));
    const took = performance.now() - from;
    assert.ok(took > 150, `${took} ms`);
    assert.is(await answer, '');
    stuck.open();
  },
  {},
  stuck.options,
);

law('a client that goes away in the middle of its body is no error', async ({ home, port }) => {
  const socket = connect(port, LOCAL);
  socket.write(
    `POST /api/customer/device/D/claim HTTP/1.1\r\nHost: x\r\nX-Authorization: Bearer ${home.alice.token}\r\nContent-Length: 100\r\n\r\n{`,
  );
  await pause(50);
  socket.destroy();
  await pause(50);
  assert.match(await raw(port, request('GET', '/api/auth/user', home.alice.token)), /^HTTP\/1\.1 200 /);
});

test.run();
