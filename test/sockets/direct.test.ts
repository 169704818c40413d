/** What is served past Hono (`http/direct.ts`): it answers as the app does, and a body counts only when it is whole. */
import { connect } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { createHttpServer, type HttpServerNeeds } from '../../http/server.ts';
import { defaultHttpServerSettings } from '../../http/settings.ts';
import { within } from '../kit/patience.ts';
import {
  createRestWorld,
  type Household,
  openWindow,
  provision,
  type RestWorld,
  settle,
} from '../kit/rest-client.ts';
import { pause } from '../kit/until.ts';

const LOCAL = '127.0.0.1';

interface Scene {
  readonly world: RestWorld;
  readonly home: Household;
  /** The port where some requests are served directly, and one where all go through the app. */
  readonly direct: number;
  readonly throughApp: number;
  /** How many requests have gone through the app at the first of them. */
  readonly fetched: () => number;
}

function law(name: string, play: (scene: Scene) => Promise<void>): void {
  test(`direct: ${name}`, async () => {
    const world = createRestWorld();
    let fetched = 0;
    const fetch: HttpServerNeeds['app']['fetch'] = (request, env) => {
      fetched += 1;
      return world.app.fetch(request, env as object);
    };
    const serve = (app: HttpServerNeeds['app']) =>
      createHttpServer({
        app,
        settings: { ...defaultHttpServerSettings, address: LOCAL, port: 0 },
        log: silentLog,
      });
    const servers = [serve({ fetch, direct: world.app.direct }), serve({ fetch: world.app.fetch })];
    const [direct = 0, throughApp = 0] = await Promise.all(
      servers.map(async (server) => (await server.start()).port),
    );
    try {
      const home = await settle(world, 'home');
      await play({ world, home, direct, throughApp, fetched: () => fetched });
    } finally {
      await Promise.all(servers.map((server) => server.stop(0)));
      await world.stop();
    }
  });
}

/** Sends parts of a request, each in a packet of its own, and resolves to what came until the connection was closed. */
async function send(port: number, ...parts: readonly string[]): Promise<string> {
  const socket = connect(port, LOCAL).setNoDelay(true);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {}); // a reset ends in 'close' as well
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const part of parts) {
    socket.write(part);
    if (parts.length > 1) await pause(20);
  }
  if (parts.length > 1) socket.end();
  await closed;
  return Buffer.concat(chunks).toString();
}

const headOf = (target: string, headers: readonly string[]) =>
  [`POST ${target} HTTP/1.1`, `Host: ${LOCAL}`, 'Connection: close', ...headers, '', ''].join('\r\n');

const claimOf = (token: string, target: string, body: string, ...headers: readonly string[]) =>
  headOf(target, [
    `X-Authorization: Bearer ${token}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ]) + body;

/** An answer without what differs from one moment to the next: its status, its headers in any order, its body. */
function comparable(answer: string): readonly string[] {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [status = '', ...headers] = head.split('\r\n');
  const kept = headers.map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase()));
  return [
    status,
    body.replace(/"timestamp":\d+/, ''),
    ...kept.filter((line) => !line.startsWith('date:')).sort(),
  ];
}

law('every refusal is the same, to its headers', async ({ world, home, direct, throughApp, fetched }) => {
  await provision(world, home.tenantId, 'shut');
  const { token } = home.alice;
  const shut = '/api/customer/device/shut/claim';
  const requests = [
    claimOf(token, shut, '{"secretKey":"s"}'),
    claimOf(token, shut, ''),
    claimOf(token, shut, '{}', 'Origin: https://elsewhere.example'),
    claimOf(token, '/api/customer/device/unknown%20one/claim', '{"secretKey":"s"}'),
    claimOf(token, '/api/customer/device/%20/claim', '{}'),
    claimOf(token, '/api/customer/device/%ff/claim', '{}'),
    claimOf(token, shut, '{"secretKey":'),
    claimOf(token, shut, '{"secretKey":{}}'),
    claimOf(token, shut, '[1]'),
    claimOf(token, shut, `${'['.repeat(70)}${']'.repeat(70)}`),
    claimOf(token, shut, '"\xff'),
    claimOf('nonsense', shut, '{}'),
    `${headOf(shut, ['Content-Length: 2'])}{}`,
    `${headOf(shut, [`Authorization: Bearer ${token}`, 'Content-Length: 2'])}{}`,
    headOf(shut, [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`]),
    claimOf(token, shut, '{}', 'Idempotency-Key: '),
    `${headOf('/api/v1/no-token/claim', ['Content-Length: 2'])}{}`,
    `${headOf('/api/v1/%ff/claim', ['Content-Length: 2'])}{}`,
  ];
  for (const request of requests) {
    assert.equal(
      comparable(await send(direct, request)),
      comparable(await send(throughApp, request)),
      request,
    );
  }
  assert.is(fetched(), 0, 'all of them were served directly');
});

law('who is refused and sends no body is not waited for', async ({ direct }) => {
  const head = `POST /api/customer/device/shut/claim HTTP/1.1\r\nHost: ${LOCAL}\r\nContent-Length: 10\r\n\r\n`;
  // The time limit of a request is a minute.
  const answer = await within('it is refused', send(direct, head), 30_000);
  assert.match(answer, /^HTTP\/1\.1 401 /);
  assert.not.match(answer, ' 408 ');
});

law('what is not plain goes through the app', async ({ home, direct, fetched }) => {
  const { token } = home.alice;
  const path = '/api/customer/device/a/claim';
  const chunked = headOf(path, [`X-Authorization: Bearer ${token}`, 'Transfer-Encoding: chunked']);
  const others = [
    claimOf(token, `${path}?a=b`, '{}'),
    claimOf(token, path, ' '.repeat(10_000)),
    claimOf(token, `http://${LOCAL}${path}`, '{}'),
    claimOf(token, '/api/customer/device/%2E/../a/claim', '{}'),
    claimOf(token, '/api/customer/device//claim', '{}'),
    claimOf(token, path, '{}').replace(`Host: ${LOCAL}`, 'Host: [::1]'),
    claimOf(token, path, '{}').replace('POST', 'PUT'),
    `${chunked}2\r\n{}\r\n0\r\n\r\n`,
  ];
  for (const request of others) {
    const before = fetched();
    assert.match(await send(direct, request), /^HTTP\/1\.1 4/);
    assert.is(fetched(), before + 1, request);
  }
});

law('a body that comes in pieces is read whole', async ({ world, home, direct, fetched }) => {
  await openWindow(world, await provision(world, home.tenantId, 'pump'), 'open sesame');
  const body = '{"secretKey":"open sesame"}';
  const request = claimOf(home.alice.token, '/api/customer/device/pump/claim', body);
  const cuts = [request.length - body.length, request.length - 9, request.length - 1];
  const parts = [0, ...cuts].map((from, at) => request.slice(from, cuts[at]));
  assert.match(await send(direct, ...parts), /^HTTP\/1\.1 200 .*"response":"SUCCESS"/s);
  assert.is(fetched(), 0);
});

law('whoever leaves within the body has claimed nothing', async ({ world, home, direct, fetched }) => {
  await openWindow(world, await provision(world, home.tenantId, 'pump'), '');
  const target = '/api/customer/device/pump/claim';
  const head = headOf(target, [`X-Authorization: Bearer ${home.alice.token}`, 'Content-Length: 30']);
  for (const parts of [
    [head, ''],
    [head, '{}'],
  ]) {
    assert.not.match(await send(direct, ...parts), /^HTTP\/1\.1 200/);
  }
  const whole = claimOf(home.alice.token, target, '{}');
  assert.match(
    await send(direct, whole),
    /^HTTP\/1\.1 200 .*"response":"SUCCESS"/s,
    'it was still to be had',
  );
  assert.is(fetched(), 0);
});

law('a connection goes on after each answer, read or not', async ({ world, home, direct, fetched }) => {
  await openWindow(world, await provision(world, home.tenantId, 'pump'), 's');
  const target = '/api/customer/device/pump/claim';
  const lasting = (request: string) => request.replace('Connection: close\r\n', '');
  const answers = await send(
    direct,
    lasting(`${headOf(target, ['Content-Length: 2'])}{}`) + // refused before its body is read
      lasting(claimOf(home.alice.token, target, '{"secretKey":"s"}')) +
      claimOf(home.alice.token, target, '{"secretKey":"s"}'),
  );
  assert.equal(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 401', 'HTTP/1.1 200', 'HTTP/1.1 400']);
  assert.is(fetched(), 0);
});

test.run();
