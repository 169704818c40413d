/** The device HTTP API, in the app and over a real server: statuses, envelopes, limits, methods, encodings. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { serve } from '@hono/node-server';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_OWNERSHIP_RULES } from '../../actors/device/ownership-rules.ts';
import { accessToken } from '../../actors/fleet/credentials.ts';
import type { DeviceAnswer } from '../../actors/fleet/devices.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { describe } from '../../http/openapi/openapi.ts';
import type { DeviceApiSettings } from '../../http/settings.ts';
import { createTransportWorld, TENANT, type TransportWorld } from '../contract/transport-world.ts';
import { createDeviceApi, type DeviceApi } from '../kit/device-api.ts';
import { within } from '../kit/patience.ts';
import { pause, settled, until } from '../kit/until.ts';

interface Scene extends DeviceApi {
  readonly world: TransportWorld;
  post(path: string, body?: string): Promise<Response>;
}

async function withApi(
  play: (scene: Scene) => Promise<void>,
  settings: Partial<DeviceApiSettings> = {},
  policy?: Parameters<typeof createTransportWorld>[0],
): Promise<void> {
  const world = await createTransportWorld(policy);
  const { app, routes } = createDeviceApi(world, settings);
  try {
    const post = async (path: string, body?: string) =>
      app.request(path, { method: 'POST', ...(body === undefined ? {} : { body }) });
    await play({ world, app, routes, post });
  } finally {
    await world.stop();
  }
}

async function envelope(
  response: Response,
  status: number,
  errorCode: number,
): Promise<Record<string, unknown>> {
  assert.is(response.status, status);
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(Object.keys(body).slice(0, 4), ['status', 'message', 'errorCode', 'timestamp']);
  assert.equal(
    [body.status, body.errorCode, typeof body.message, typeof body.timestamp],
    [status, errorCode, 'string', 'number'],
  );
  return body;
}

for (const [what, body] of [
  ['no body', undefined],
  ['an empty object', '{}'],
  ['a secret and a duration', '{"secretKey":"value","durationMs":60000}'],
  ['a duration as text', '{"durationMs":"60000"}'],
] as const) {
  test(`device http: ${what} opens a window: 200, nothing in it`, () =>
    withApi(async ({ world, post }) => {
      const id = await world.provision('TOKEN');
      const response = await post('/api/v1/TOKEN/claim', body);
      assert.equal([response.status, await response.text()], [200, '']);
      assert.ok((await world.devices.read(id))?.window);
    }));
}

test('device http: refused: 409 with the reason', () =>
  withApi(async ({ world, post }) => {
    await world.assign(await world.provision('TOKEN'));
    const body = await envelope(await post('/api/v1/TOKEN/claim', '{}'), 409, 31);
    assert.is(body.reason, 'already-claimed');
    assert.is(body.message, 'the device already has an owner');
  }));

test('device http: refused: too long, with the limit', () =>
  withApi(
    async ({ world, post }) => {
      await world.provision('TOKEN');
      const body = await envelope(await post('/api/v1/TOKEN/claim', '{"durationMs":1001}'), 409, 31);
      assert.equal([body.reason, body.maxDurationMs], ['duration-too-long', 1_000]);
    },
    {},
    { maxDurationMs: 1_000 },
  ));

test('device http: refused: a secret shorter than the rules ask for, with the length', () =>
  withApi(
    async ({ world, post }) => {
      await world.provision('TOKEN');
      const body = await envelope(await post('/api/v1/TOKEN/claim', '{"secretKey":"1234567"}'), 409, 31);
      assert.equal([body.reason, body.minSecretLength], ['secret-too-short', 8]);
      assert.is(body.message, 'secretKey has fewer than 8 characters');
      assert.is((await post('/api/v1/TOKEN/claim', '{"secretKey":"12345678"}')).status, 200);
    },
    {},
    { ownership: { ...DEFAULT_OWNERSHIP_RULES, minSecretLength: 8 } },
  ));

for (const body of [
  'not json',
  '[]',
  ' ',
  'null',
  '{"durationMs":"abc"}',
  `{"durationMs":${Number.MAX_SAFE_INTEGER}}`,
]) {
  test(`device http: malformed: ${body}: 400`, () =>
    withApi(async ({ world, post }) => {
      const id = await world.provision('TOKEN');
      await envelope(await post('/api/v1/TOKEN/claim', body), 400, 31);
      assert.is((await world.devices.read(id))?.window, null);
    }));
}

for (const path of [
  '/api/v1/NOBODY/claim',
  '/api/v1/token/claim',
  '/api/v1/%20/claim',
  '/api/v1/%/claim',
  '/api/v1/%ff%fe/claim',
  '/api/v1/%00/claim',
  `/api/v1/${'x'.repeat(5_000)}/claim`,
]) {
  test(`device http: unknown token: 401, empty: ${path.slice(0, 40)}`, () =>
    withApi(async ({ world, post }) => {
      await world.provision('TOKEN');
      const response = await post(path, 'not json either');
      assert.equal([response.status, await response.text()], [401, '']);
    }));
}

test('device http: a token with unusual characters is found by its percent-encoding', () =>
  withApi(async ({ world, post }) => {
    const token = 'a/b %25+ü🔑';
    await world.provision(token);
    assert.is((await post(`/api/v1/${encodeURIComponent(token)}/claim`)).status, 200);
  }));

test('device http: a deleted device is unknown', () =>
  withApi(async ({ world, post }) => {
    const id = await world.provision('TOKEN');
    await world.devices.ask(id, { type: 'DeleteDevice', tenantId: TENANT });
    assert.is((await post('/api/v1/TOKEN/claim')).status, 401);
  }));

test('device http: revoked between the look-up and the claim: 401', () =>
  withApi(async ({ world, post }) => {
    await world.provision('TOKEN');
    world.intercept = async () => ({ type: 'refused', refusal: { reason: 'credentials-revoked' } });
    assert.is((await post('/api/v1/TOKEN/claim')).status, 401);
  }));

test('device http: no answer: 503 with Retry-After, whether the look-up or the device fails', () =>
  withApi(
    async ({ world, post }) => {
      await world.provision('TOKEN');
      world.intercept = async () => ({ type: 'unavailable', reason: 'overloaded' });
      const response = await post('/api/v1/TOKEN/claim');
      assert.is(response.headers.get('retry-after'), '7');
      await envelope(response, 503, 2);
      world.interceptLookup = () => Promise.reject(new StoreUnavailable('test', new Error('down')));
      await envelope(await post('/api/v1/TOKEN/claim'), 503, 2);
    },
    { retryAfterSeconds: 7 },
  ));

test('device http: a bug: 500 without a word of it, whether it is in the look-up or in the device', () =>
  withApi(async ({ world, post }) => {
    await world.provision('TOKEN');
    world.intercept = () => Promise.reject(new TypeError('a secret detail'));
    const body = await envelope(await post('/api/v1/TOKEN/claim'), 500, 2);
    assert.is(body.message, 'Internal server error');
    world.interceptLookup = () => Promise.reject(new TypeError('a secret detail'));
    await envelope(await post('/api/v1/TOKEN/claim'), 500, 2);
  }));

for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
  test(`device http: ${method} on the claim path: 405`, () =>
    withApi(async ({ app }) => {
      const response = await app.request('/api/v1/TOKEN/claim', { method });
      assert.is(response.headers.get('allow'), 'POST');
      await envelope(response, 405, 31);
    }));
}

for (const path of [
  '/api/v1/TOKEN/rpc/1/2',
  '/api/v1/TOKEN/CLAIM',
  '/api/v1/TOKEN',
  '/api/v1/TOKEN/claim/more',
]) {
  test(`device http: no such feature: 404: ${path}`, () =>
    withApi(async ({ world, post }) => {
      await world.provision('TOKEN');
      await envelope(await post(path), 404, 32);
    }));
}

test('device http: telemetry and attributes are taken and dropped, with a token that is right', () =>
  withApi(async ({ world, post }) => {
    await world.provision('TOKEN');
    for (const feature of ['telemetry', 'attributes']) {
      const taken = await post(`/api/v1/TOKEN/${feature}`, '{"temperature":21}');
      assert.equal([taken.status, await taken.text()], [200, ''], feature);
      assert.is((await post(`/api/v1/NOBODY/${feature}`, '{}')).status, 401);
      assert.is((await post(`/api/v1/TOKEN/${feature}`, 'x'.repeat(70_000))).status, 413);
    }
    assert.equal(world.commands, []);
  }));

test('device http: a device reads its shared attributes, those that it names or all', () =>
  withApi(async ({ world, app }) => {
    const id = await world.provision('TOKEN');
    const whose = { tenantId: TENANT, customerId: null } as const;
    for (const [scope, values] of [
      ['SHARED_SCOPE', { a: 1, b: 'two' }],
      ['SERVER_SCOPE', { secret: 's' }],
    ] as const)
      await world.devices.ask(id, { type: 'SaveAttributes', ...whose, scope, values });
    const read = async (query: string) => {
      const response = await app.request(`/api/v1/TOKEN/attributes${query}`);
      assert.is(response.status, 200, query);
      return response.json();
    };
    assert.equal(await read(''), { shared: { a: 1, b: 'two' } });
    assert.equal(await read('?clientKeys=&sharedKeys='), { shared: { a: 1, b: 'two' } });
    assert.equal(await read('?clientKeys=a&sharedKeys='), {});
    assert.equal(await read('?sharedKeys=a,x'), { shared: { a: 1 } });
    assert.equal(await read('?clientKeys=a&sharedKeys=secret'), {});
    assert.is((await app.request('/api/v1/NOBODY/attributes')).status, 401);
  }));

/** Begins requests, and resolves when the device of each is known: what is left to do needs no I/O. */
async function lookedUp<Asked>(world: TransportWorld, count: number, ask: () => Asked): Promise<Asked[]> {
  let known = 0;
  world.interceptLookup = async (pass) => {
    const device = await pass();
    known += 1;
    return device;
  };
  const all = Array.from({ length: count }, ask);
  await until('the devices are known', () => known === count);
  await settled();
  world.interceptLookup = undefined;
  return all;
}

test('device http: a device that waits for its attributes hears of a change at once, and of none with 408', () =>
  withApi(async ({ world, app }) => {
    const id = await world.provision('TOKEN');
    const whose = { tenantId: TENANT, customerId: null, scope: 'SHARED_SCOPE' } as const;
    const updates = (query = '') =>
      within('it is answered', Promise.resolve(app.request(`/api/v1/TOKEN/attributes/updates${query}`)));
    assert.is((await updates('?timeout=1')).status, 408);
    for (const [change, news] of [
      [{ type: 'SaveAttributes', ...whose, values: { a: 1 } }, { a: 1 }],
      [{ type: 'DeleteAttributes', ...whose, keys: ['a'] }, { deleted: ['a'] }],
    ] as const) {
      const waiting = await lookedUp(world, 1, () => updates());
      await world.devices.ask(id, change);
      assert.equal(await (await waiting[0])?.json(), news);
    }
    const waiting = await lookedUp(world, 1, () => updates());
    const credentials = accessToken(world.secrets, id, 'ANOTHER-TOKEN-OF-IT');
    await world.devices.ask(id, { type: 'ChangeCredentials', tenantId: TENANT, credentials });
    assert.is((await waiting[0])?.status, 401);
    assert.is((await updates()).status, 401);
  }));

test('device http: calls: nobody answers one (408), none comes (408 after the time), and an answer is taken', () =>
  withApi(async ({ world, app, post }) => {
    await world.provision('TOKEN');
    const call = await post('/api/v1/TOKEN/rpc', '{"method":"getTime","params":{}}');
    assert.equal([call.status, await call.text()], [408, '']);
    const none = await within('it is answered', Promise.resolve(app.request('/api/v1/TOKEN/rpc?timeout=1')));
    assert.is(none.status, 408);
    assert.is((await app.request('/api/v1/TOKEN/rpc?timeout=-1')).status, 400);
    assert.is((await post('/api/v1/TOKEN/rpc/7', '{"done":true}')).status, 200);
    for (const path of ['rpc', 'rpc/7']) assert.is((await post(`/api/v1/NOBODY/${path}`, '{}')).status, 401);
  }));

test('device http: a device waits four times at once and not more', () =>
  withApi(async ({ world, app }) => {
    const id = await world.provision('TOKEN');
    await world.provision('OTHER');
    const updates = (token = 'TOKEN', query = '') =>
      within('it is answered', Promise.resolve(app.request(`/api/v1/${token}/attributes/updates${query}`)));
    const waiting = await lookedUp(world, 4, () => updates());
    const fifth = await updates();
    assert.equal([fifth.status, fifth.headers.get('retry-after') !== null], [503, true]);
    assert.is((await updates('OTHER', '?timeout=1')).status, 408);
    const whose = { tenantId: TENANT, customerId: null, scope: 'SHARED_SCOPE' } as const;
    await world.devices.ask(id, { type: 'SaveAttributes', ...whose, values: { a: 1 } });
    for (const one of waiting) assert.is((await one).status, 200);
    assert.is((await updates('TOKEN', '?timeout=1')).status, 408);
  }));

test('device http: nothing that is answered holds the token or the secret', () =>
  withApi(async ({ world, app, post }) => {
    await world.provision('TOKEN');
    const answers = [
      await post('/api/v1/TOKEN/claim', '{"secretKey":"hunter2"'),
      await post('/api/v1/TOKEN/other', '{"secretKey":"hunter2"}'),
      await app.request('/api/v1/TOKEN/claim'),
    ];
    for (const answer of answers) assert.not.match(await answer.text(), /TOKEN|hunter2/);
  }));

// ------------------------------------------------------------------------------------------- over a real server

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function withServer(play: (scene: Scene & { port: number }) => Promise<void>): Promise<void> {
  await withApi(
    (scene) =>
      new Promise<void>((resolve, reject) => {
        const server = serve({ fetch: scene.app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
          play({ ...scene, port })
            .then(resolve, reject)
            .finally(() => {
              server.close();
              if ('closeAllConnections' in server) server.closeAllConnections();
            });
        });
      }),
    { payloadBytesMax: 1_000 },
  );
}

function send(port: number, headers: Record<string, string>, chunks: readonly string[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/api/v1/TOKEN/claim',
      headers,
    });
    request.on('error', reject);
    request.on('response', (response: IncomingMessage) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    for (const chunk of chunks) request.write(chunk);
    request.end();
  });
}

const tooLarge: Answer = { status: 413, body: '"Payload size exceeds the limit of 1000 bytes"' };
const padded = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;

test('device http: over a socket: a body of the limit passes, one byte more is 413, with and without a length', () =>
  withServer(async ({ world, port }) => {
    await world.provision('TOKEN');
    const withLength = (body: string) => send(port, { 'content-length': String(body.length) }, [body]);
    assert.equal(await withLength(padded(1_000)), { status: 200, body: '' });
    assert.equal(await withLength(padded(1_001)), tooLarge);
    const streamed = (body: string) =>
      send(port, { 'transfer-encoding': 'chunked' }, [body.slice(0, 500), body.slice(500)]);
    assert.equal(await streamed(padded(1_000)), { status: 200, body: '' });
    assert.equal(await streamed(padded(1_001)), tooLarge);
  }));

test('device http: over a socket: a stream without end is refused while it is still coming', () =>
  withServer(async ({ world, port }) => {
    await world.provision('TOKEN');
    const socket = connect(port, '127.0.0.1');
    let seen = '';
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
    });
    socket.on('error', () => {});
    socket.write('POST /api/v1/TOKEN/claim HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const flood = setInterval(() => socket.write(`400\r\n${'x'.repeat(1_024)}\r\n`), 5);
    try {
      await until('it is refused', () => seen.includes('413'));
      assert.match(seen, /^HTTP\/1\.1 413/);
    } finally {
      clearInterval(flood);
      socket.destroy();
    }
  }));

test('device http: over a socket: a body that breaks off harms nobody', () =>
  withServer(async ({ world, port }) => {
    await world.provision('TOKEN');
    for (const framing of ['Content-Length: 500', 'Transfer-Encoding: chunked']) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`POST /api/v1/TOKEN/claim HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n`);
      await pause(30);
      socket.destroy();
    }
    assert.equal(await send(port, {}, ['{}']), { status: 200, body: '' });
  }));

test('device http: the description of the API has every status, and what is in it', () =>
  withApi(
    async ({ world, app, routes, post }) => {
      await world.provision('T');
      await world.assign(await world.provision('OWNED'));
      const answers = [
        await post('/api/v1/T/claim', '{}'),
        await post('/api/v1/T/claim', '{'),
        await post('/api/v1/NOBODY/claim', '{}'),
        await app.request('/api/v1/T/claim', { method: 'PUT' }),
        await post('/api/v1/OWNED/claim', '{}'),
        await post('/api/v1/T/claim', 'x'.repeat(1_001)),
      ];
      for (const [reason, more] of [
        ['rate-limited', { retryAfterMs: 1_000 }],
        ['duration-too-long', { maxDurationMs: 1 }],
      ] as const) {
        world.intercept = async () => ({ type: 'refused', refusal: { reason, ...more } }) as DeviceAnswer;
        answers.push(await post('/api/v1/T/claim', '{}'));
      }
      world.intercept = async () => ({ type: 'unavailable', reason: 'store' });
      answers.push(await post('/api/v1/T/claim', '{}'));
      world.intercept = () => Promise.reject(new TypeError('a bug'));
      answers.push(await post('/api/v1/T/claim', '{}'));

      const operation = describe(routes, '1.0.0').paths['/api/v1/{deviceToken}/claim']?.post;
      const responses = operation?.responses ?? {};
      const seen = answers.map(({ status }) => String(status));
      // 202 takes a device that changed hands: test/programs/ownership-attacks.test.ts.
      assert.equal([...new Set([...seen, '202'])].sort(), Object.keys(responses).sort());
      for (const answer of answers) {
        const schema = responses[answer.status]?.content?.['application/json']?.schema;
        const text = await answer.text();
        if (schema === undefined) assert.is(text, '');
        else if (schema.type === 'string') assert.type(JSON.parse(text), 'string');
        else {
          assert.equal(Object.keys(JSON.parse(text)).slice(0, 4), [
            'status',
            'message',
            'errorCode',
            'timestamp',
          ]);
          assert.is(answer.status === 409, schema.allOf !== undefined);
          if (answer.status === 409) assert.type(JSON.parse(text).reason, 'string');
        }
      }
    },
    { payloadBytesMax: 1_000 },
  ));

test.run();
