/** What holds for every request, whatever the route: methods, unknown paths, CORS, health, faults, the log. */
import * as assert from 'uvu/assert';
import type { Log } from '../../actors/base/log.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import {
  claimPath,
  createRestWorld,
  isProblem,
  openWindow,
  PASSWORD,
  provision,
  restLaws,
  settle,
} from '../kit/rest-client.ts';
import { settled } from '../kit/until.ts';

const { law, run } = restLaws('rest http');

law('http: unknown paths are 404, wrong methods 405 with the right ones', async ({ world, home }) => {
  for (const path of [
    '/',
    '/api',
    '/api/',
    '/api/nothing',
    '/api/device/',
    '/api/customer/device//claim',
    '/API/auth/user',
  ]) {
    isProblem(await home.alice.get(path), 404, 32);
    const isInApi = path.startsWith('/api/'); // ThingsBoard's answer to strangers there
    isProblem(await world.nobody.get(path), isInApi ? 401 : 404, isInApi ? 10 : 32);
  }
  const wrong = await home.alice.send('PUT', claimPath('D'), { body: '{}' });
  isProblem(wrong, 405, 31);
  assert.is(wrong.headers.get('allow'), 'POST, DELETE, OPTIONS');
  isProblem(await home.alice.send('PATCH', '/api/auth/login'), 405, 31);
  isProblem(await home.alice.get(claimPath('D')), 405, 31);
  // DELETE is for /api/deviceProfile/{profileId}, which the path would fit as well.
  const names = await home.admin.send('PUT', '/api/deviceProfile/names');
  assert.is(names.headers.get('allow'), 'GET, HEAD, OPTIONS');
});

law('http: HEAD is GET without the body; OPTIONS tells the methods', async ({ home }) => {
  const head = await home.alice.send('HEAD', '/api/auth/user');
  assert.is(head.status, 200);
  assert.is(head.text, '');
  const options = await home.alice.send('OPTIONS', '/api/auth/user');
  assert.is(options.status, 200);
  assert.is(options.headers.get('allow'), 'GET, HEAD, OPTIONS');
  isProblem(await home.alice.send('OPTIONS', '/api/nothing'), 404, 32);
});

const MIB = 1024 * 1024;

law(
  'attack: bodies of which nothing comes: an address hears 429 beyond its share, all hear 503 beyond the whole, and small ones go on',
  async ({ world, home }) => {
    const ends: (() => void)[] = [];
    const begun = (address: string) => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => void ends.push(() => controller.close()),
      });
      const headers = { 'content-length': String(MIB) };
      return world
        .as(home.alice.token, address)
        .send('POST', '/api/device', { body, headers, duplex: 'half' });
    };
    const addresses = [1, 2, 3, 4].map((last) => `192.0.2.${last}`);
    const waiting = addresses.flatMap((address) => Array.from({ length: 64 }, () => begun(address)));
    await settled();
    const refused = await begun('192.0.2.1');
    isProblem(refused, 429, 33);
    assert.is(refused.headers.get('retry-after'), '1');
    const large = { name: 'x'.repeat(20_000) };
    isProblem(await world.as(home.alice.token, '192.0.2.9').post('/api/device', large), 503, 2);
    isProblem(await world.as(home.alice.token, '192.0.2.1').post('/api/device', {}), 400, 31);
    for (const end of ends) end();
    await Promise.all(waiting);
    isProblem(await world.as(home.alice.token, '192.0.2.9').post('/api/device', large), 400, 31);
  },
);

const APP = 'https://app.example';
const preflightOf = (origin: string) => ({
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'x-authorization,content-type',
  },
});

law('http: a page of another origin may not ask, unless that origin is listed', async ({ world, home }) => {
  const preflight = await world.nobody.send('OPTIONS', claimPath('D'), preflightOf(APP));
  assert.is(preflight.headers.get('access-control-allow-origin'), null);
  assert.is(preflight.headers.get('access-control-allow-methods'), null);
  const answer = await home.alice.send('GET', '/api/auth/user', { headers: { origin: APP } });
  assert.is(answer.headers.get('access-control-allow-origin'), null);
  assert.is(answer.headers.get('access-control-allow-credentials'), null);
});

law(
  'http: pages of listed origins may ask, and read refusals too',
  async ({ world, home }) => {
    const preflight = await world.nobody.send('OPTIONS', claimPath('D'), preflightOf(APP));
    assert.is(preflight.status, 200);
    assert.is(preflight.headers.get('access-control-allow-origin'), APP);
    assert.is(preflight.headers.get('access-control-allow-methods'), 'POST');
    assert.is(preflight.headers.get('access-control-allow-headers'), 'x-authorization,content-type');
    assert.is(preflight.headers.get('access-control-allow-credentials'), 'true');
    for (const path of ['/api/auth/user', claimPath('nothing'), '/api/nothing']) {
      const answer = await home.alice.send('GET', path, { headers: { origin: APP } });
      assert.is(answer.headers.get('access-control-allow-origin'), APP);
      assert.is(answer.headers.get('vary'), 'Origin');
    }
    for (const other of [
      'https://app.example.evil',
      'https://app.example:8443',
      'http://app.example',
      'null',
    ]) {
      const answer = await world.nobody.send('OPTIONS', claimPath('D'), preflightOf(other));
      assert.is(answer.headers.get('access-control-allow-origin'), null, other);
    }
    const same = await home.alice.get('/api/auth/user');
    assert.is(same.headers.get('access-control-allow-origin'), null);
    const health = await world.nobody.send('GET', '/livez', { headers: { origin: APP } });
    assert.is(health.headers.get('access-control-allow-origin'), null);
  },
  { settings: { corsOrigins: [APP, 'https://other.example'] } },
);

law(
  'http: where any origin may ask, none may ask with cookies',
  async ({ world }) => {
    const any = await world.nobody.send('OPTIONS', claimPath('D'), preflightOf('https://any.example'));
    assert.is(any.headers.get('access-control-allow-origin'), '*');
    assert.is(any.headers.get('access-control-allow-credentials'), null);
    const listed = await world.nobody.send('OPTIONS', claimPath('D'), preflightOf(APP));
    assert.is(listed.headers.get('access-control-allow-origin'), APP);
    assert.is(listed.headers.get('access-control-allow-credentials'), 'true');
  },
  { settings: { corsOrigins: [APP, '*'] } },
);

law(
  'http: no cache keeps an answer: neither tokens, nor credentials, nor who is signed in',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, 'D');
    const { refreshToken } = await world.login(home.alice.email);
    for (const answer of [
      await world.nobody.post('/api/auth/login', { username: home.alice.email, password: PASSWORD }),
      await world.nobody.post('/api/auth/login', { username: home.alice.email, password: 'wrong-password' }),
      await world.nobody.post('/api/auth/token', { refreshToken }),
      await home.admin.get(`/api/device/${id}/credentials`),
      await home.admin.get(`/api/user/${home.alice.userId}/token`),
      await home.admin.post('/api/apiKey', { description: 'k' }),
      await home.alice.get('/api/auth/user'),
      await home.alice.post(claimPath('D'), {}),
      await home.alice.get('/api/nothing'),
      await home.alice.post('/api/auth/logout'),
    ]) {
      assert.is(answer.headers.get('cache-control'), 'no-store', answer.text);
    }
  },
);

law('health: alive and ready', async ({ world }) => {
  for (const path of ['/livez', '/readyz']) {
    const answer = await world.nobody.get(path);
    assert.is(answer.status, 200);
    assert.equal(answer.json, { status: 'up' });
  }
});

for (const [what, readiness, status] of [
  ['draining', { check: () => Promise.resolve(), draining: () => true }, 'draining'],
  [
    'without a store',
    { check: () => Promise.reject(new Error('x')), draining: () => false },
    'store-unavailable',
  ],
] as const) {
  law(
    `health: ${what}: alive, not ready`,
    async ({ world }) => {
      assert.is((await world.nobody.get('/livez')).status, 200);
      const answer = await world.nobody.get('/readyz');
      assert.is(answer.status, 503);
      assert.equal(answer.json, { status });
    },
    { disturb: (needs) => ({ ...needs, readiness }) },
  );
}

for (const [what, error, status] of [
  ['the store is away: 503 with Retry-After', new StoreUnavailable('test', new Error('disk on fire')), 503],
  ['a bug: 500 without a word of it', new TypeError('a secret detail'), 500],
] as const) {
  law(
    `faults: ${what}`,
    async ({ home }) => {
      const answer = await home.alice.post(claimPath('D'), {});
      isProblem(answer, status, 2);
      assert.not.match(answer.text, /fire|detail/);
      assert.is(answer.headers.get('retry-after'), status === 503 ? '1' : null);
    },
    {
      disturb: (needs) => ({
        ...needs,
        directory: { ...needs.directory, idOf: () => Promise.reject(error) },
      }),
    },
  );
}

law(
  'device api: everything under /api/v1 answers in the form for devices, with CORS headers for listed origins',
  async ({ world }) => {
    const headers = { origin: 'https://a.example' };
    for (const [method, path, status, allow] of [
      ['POST', '/api/v1/TOKEN/claim', 401, null],
      ['PUT', '/api/v1/TOKEN/claim', 405, 'POST'],
      ['POST', '/api/v1/TOKEN/anything', 404, null],
    ] as const) {
      const answer = await world.nobody.send(method, path, { headers });
      assert.is(answer.status, status, path);
      assert.is(answer.headers.get('allow'), allow);
      assert.is(answer.headers.get('access-control-allow-origin'), 'https://a.example');
    }
  },
  { settings: { corsOrigins: ['https://a.example'] } },
);

law('log: every request by its pattern; never a token, a secret, a password or a name', async () => {
  const lines: string[] = [];
  const write = (fields: object, message: string) => lines.push(JSON.stringify({ ...fields, message }));
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const world = createRestWorld({ log });
  try {
    const home = await settle(world, 'home');
    const { token } = await world.login(home.alice.email);
    const id = await provision(world, home.tenantId, 'Private name');
    await openWindow(world, id, 'the-secret');
    await home.alice.post(claimPath('Private name'), { secretKey: 'wrong-guess' });
    await home.alice.post(claimPath('Private name'), { secretKey: 'the-secret' });
    await home.admin.post('/api/device?accessToken=DEVICE_TOKEN', { name: 'Private two' });
    await world.nobody.post('/api/auth/login', { username: home.alice.email, password: 'wrong-password' });
    await world.nobody.get('/api/noauth/activate?activateToken=ACTIVATE_ME');
    const text = lines.join('\n');
    assert.match(text, '"route":"/api/customer/device/:deviceName/claim","status":400');
    assert.match(text, '"route":"/api/customer/device/:deviceName/claim","status":200');
    const secrets = [
      token,
      'the-secret',
      'wrong-guess',
      'DEVICE_TOKEN',
      PASSWORD,
      'wrong-password',
      'ACTIVATE_ME',
      'Private',
      id,
    ];
    for (const secret of secrets) assert.not.ok(text.includes(secret), secret);
  } finally {
    await world.stop();
  }
});

run();
