/**
 * Whatever is sent to whatever route: a clear answer of the 400s, no crash, no stack trace, no secret in log or answer.
 * The routes that take a body are enumerated from the definitions.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Log } from '../../actors/base/log.ts';
import type { ApiNeeds } from '../../http/app.ts';
import type { Route } from '../../http/route.ts';
import { PUBLIC_BODY_BYTES_MAX } from '../../http/wire/body.ts';
import {
  type Answer,
  type Caller,
  claimPath,
  createRestWorld,
  isProblem,
  openWindow,
  provision,
  restLaws,
  settle,
  systemAdministrator,
} from '../kit/rest-client.ts';

const MAX_BODY_BYTES = 100_000;

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

const WRONG_TYPES = 'fields of all the wrong types';

const MALFORMED: Readonly<Record<string, string | Uint8Array>> = {
  'half an object': '{',
  'no JSON': 'secretKey=x',
  NaN: '{"a":NaN}',
  'trailing garbage': '{} x',
  'a byte order mark': '\ufeff{}',
  'only spaces': '   ',
  'invalid UTF-8': new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'a lone NUL': '\0',
  'nested 1,000 deep': nested(1_000),
  'nested 4,000 deep in a field': `{"a":${nested(4_000)}}`,
  'an array': '[]',
  'a text': '"x"',
  'a number': '1e999',
  true: 'true',
  [WRONG_TYPES]:
    '{"secretKey":{},"to":{},"code":[],"name":[],"title":1,"email":{},"authority":9,"id":"x","username":[],"password":{},"refreshToken":1,"activateToken":{},"deviceId":1,"currentPassword":[],"label":{},"additionalInfo":[],"description":{},"generateKeys":[],"graceSeconds":{},"since":{},"claimed":{}}',
};

/** Malformed bodies get one of these statuses; 401 is for the routes that log in. */
function isRefused(route: Route, answer: Answer): void {
  assert.ok([400, 401, 413].includes(answer.status), `${answer.status} ${answer.text}`);
  if (!route.plainProblems) isProblem(answer, answer.status, answer.status === 401 ? 10 : 31);
  assert.not.match(answer.text, /\bat .*[.:]\d+|node_modules|SyntaxError|ZodError/);
}

const blank = createRestWorld();
const withBody = blank.routes.filter(({ body }) => body !== undefined);
await blank.stop();

for (const route of withBody) {
  test(`input: ${route.method} ${route.path}: malformed bodies are refused`, async () => {
    const errors: unknown[] = [];
    const log: Log = { debug() {}, info() {}, warn() {}, error: (fields) => errors.push(fields) };
    const world = createRestWorld({ settings: { maxBodyBytes: MAX_BODY_BYTES }, log });
    try {
      const home = await settle(world, 'home');
      const id = await provision(world, home.tenantId, 'D', home.alice.customerId);
      const caller = await callerFor(route, world, home);
      const path = route.path
        .replace(/:(deviceId|entityId)/g, id)
        .replace(':entityType', 'DEVICE')
        .replace(':scope', 'SERVER_SCOPE')
        .replace(':deviceName', 'D');
      for (const [what, body] of Object.entries(MALFORMED)) {
        // The attribute routes take any object.
        if (what === WRONG_TYPES && route.plainProblems) continue;
        const answer = await caller.send(route.method, path, {
          body,
          headers: { 'content-type': 'text/html' },
        });
        try {
          isRefused(route, answer);
        } catch (error) {
          throw new Error(`${what}: ${String(error)}`);
        }
      }
      // A client without a token must not fill the memory.
      const limit = route.roles.includes('PUBLIC') ? PUBLIC_BODY_BYTES_MAX : MAX_BODY_BYTES;
      assert.ok(limit <= MAX_BODY_BYTES);
      const large = await caller.send(route.method, path, { body: `{"a":"${'x'.repeat(limit)}"}` });
      assert.is(large.status, 413);
      assert.is(large.json, `Payload size exceeds the limit of ${limit} bytes`);
      assert.equal(errors, []);
    } finally {
      await world.stop();
    }
  });
}

type World = ReturnType<typeof createRestWorld>;

async function callerFor(
  route: Route,
  world: World,
  home: Awaited<ReturnType<typeof settle>>,
): Promise<Caller> {
  if (route.roles.includes('TENANT_ADMIN')) return home.admin;
  if (route.roles.includes('CUSTOMER_USER')) return home.alice;
  if (route.roles.includes('SYS_ADMIN')) return systemAdministrator(world);
  return world.nobody;
}

test.run();

const { law, run } = restLaws('rest input');

law('input: a body within the limits is read whatever its type is called', async ({ world, home }) => {
  for (const [at, contentType] of [
    'application/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'nonsense',
    undefined,
  ].entries()) {
    const name = `D${at}`;
    await openWindow(world, await provision(world, home.tenantId, name), 's');
    const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType };
    const body = new TextEncoder().encode('{"secretKey":"s"}');
    assert.is(
      (await home.alice.send('POST', claimPath(name), { headers, body })).status,
      200,
      contentType ?? 'none',
    );
  }
});

law('input: a secret of a megabyte is a wrong secret like others', async ({ world, home }) => {
  await openWindow(world, await provision(world, home.tenantId, 'D'), 's');
  const answer = await home.alice.post(claimPath('D'), { secretKey: 'x'.repeat(1_000_000) });
  assert.is(answer.text, '"FAILURE"');
});

law('input: names that the store cannot take as keys are refused', async ({ home }) => {
  for (const name of ['', ' ', '\t', 'a\0b', 'a\nb', '\ud800', 'x'.repeat(256)]) {
    isProblem(await home.admin.post('/api/device', { name }), 400, 31);
    isProblem(await home.admin.post('/api/customer', { title: name }), 400, 31);
  }
  for (const token of ['a\u0001', ' x', 'x ', 'x'.repeat(256)]) {
    const path = `/api/device?accessToken=${encodeURIComponent(token)}`;
    isProblem(await home.admin.post(path, { name: 'D' }), 400, 31);
  }
});

law('input: additional info must be an object that can be stored', async ({ home }) => {
  const create = (info: string) =>
    home.admin.send('POST', '/api/device', { body: `{"name":"D","additionalInfo":${info}}` });
  for (const info of ['[]', '1', '"x"', 'true', '{"a":1e999}', '{"a":[{"b":-1e999}]}']) {
    isProblem(await create(info), 400, 31);
  }
  assert.is((await create('{"a":{"b":[null,1e300,"\\ud83d\\ude00"]}}')).status, 200);
});

law(
  'input: a name that is too long is found nowhere, without asking the store',
  async ({ world, home }) => {
    const long = 'ü'.repeat(2000);
    isProblem(await home.alice.post(claimPath(long), {}), 404, 32);
    isProblem(await home.admin.delete(claimPath(long)), 404, 32);
    for (const path of [
      '/api/tenant/devices?deviceName=',
      '/api/tenant/device?deviceName=',
      '/api/tenant/customers?customerTitle=',
    ]) {
      isProblem(await home.admin.get(path + encodeURIComponent(long)), 404, 32);
    }
    isProblem(await world.nobody.post('/api/auth/login', { username: long, password: 'x' }), 401, 10);
    const activate = `/api/noauth/activate?activateToken=${long.slice(0, 200)}`;
    assert.is((await world.nobody.get(activate)).status, 409);
  },
  { disturb: boundedKeys },
);

/** A store whose keys may be as long as LMDB's. */
function boundedKeys(needs: ApiNeeds): ApiNeeds {
  const { directory, accounts } = needs;
  const bounded = (key: string) => assert.ok(Buffer.byteLength(key) < 1900, 'a key that no store takes');
  return {
    ...needs,
    directory: {
      ...directory,
      idOf: async (tenantId, name) => {
        bounded(name);
        return directory.idOf(tenantId, name);
      },
      byName: async (tenantId, name) => {
        bounded(name);
        return directory.byName(tenantId, name);
      },
    },
    accounts: {
      ...accounts,
      customers: {
        ...accounts.customers,
        findByTitle: async (tenantId, title) => {
          bounded(title);
          return accounts.customers.findByTitle(tenantId, title);
        },
      },
      users: {
        ...accounts.users,
        login: async (email, password) => {
          bounded(email);
          return accounts.users.login(email, password);
        },
      },
    },
  };
}

law('input: ids must be ids, in either case of letters', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, 'D');
  assert.is((await home.admin.get(`/api/device/${id.toUpperCase()}`)).status, 200);
  for (const bad of [
    'x',
    id.slice(1),
    `${id}0`,
    id.replaceAll('-', ''),
    '%20',
    encodeURIComponent("'; DROP"),
  ]) {
    isProblem(await home.admin.get(`/api/device/${bad}`), 400, 31, 'Invalid UUID string!');
  }
  isProblem(await home.admin.get(`/api/devices?deviceIds=${id},x`), 400, 31);
  isProblem(await home.admin.get(`/api/devices?deviceIds=${id}&deviceIds=x`), 400, 31);
  isProblem(await home.admin.get('/api/devices'), 400, 31, 'deviceIds should be specified!');
  isProblem(await home.admin.get('/api/devices?deviceIds=,&deviceIds='), 400, 31);
  const many = Array.from({ length: 1001 }, () => id).join();
  isProblem(await home.admin.get(`/api/devices?deviceIds=${many}`), 400, 31);
});

law('queries: a list is repeated, or separated by commas, or both', async ({ world, home }) => {
  const ids = [];
  for (const name of ['A', 'B', 'C']) ids.push(await provision(world, home.tenantId, name));
  const [a, b, c] = ids;
  const found = async (query: string) => {
    const { status, json } = await home.admin.get(`/api/devices?${query}`);
    assert.is(status, 200, query);
    return (json as { name: string }[]).map(({ name }) => name);
  };
  for (const query of [
    `deviceIds=${a},${b},${c}`,
    `deviceIds=${a}&deviceIds=${b}&deviceIds=${c}`,
    `deviceIds=${a},${b}&deviceIds=${c}`,
  ])
    assert.equal(await found(query), ['A', 'B', 'C'], query);

  const attributes = `/api/plugins/telemetry/DEVICE/${a}`;
  await home.admin.post(`${attributes}/SERVER_SCOPE`, { x: 1, y: 2, z: 3 });
  for (const query of ['keys=x,z', 'keys=x&keys=z', 'key=x&key=z', 'keys=x&key=z']) {
    const { json } = await home.admin.get(`${attributes}/values/attributes?${query}`);
    assert.equal((json as { key: string }[]).map(({ key }) => key).sort(), ['x', 'z'], query);
  }
  const trail = await home.admin.get(
    '/api/audit/logs?pageSize=10&page=0&actionTypes=LOGIN&actionTypes=ATTRIBUTES_UPDATED',
  );
  assert.is(trail.status, 200);
});

law('queries: a switch is true, on, yes or 1 and their opposites, in any case', async ({ world, home }) => {
  await provision(world, home.tenantId, 'A');
  const count = async (query: string) => {
    const answer = await home.admin.get(`/api/tenant/deviceInfos?pageSize=10&page=0&${query}`);
    assert.is(answer.status, 200, `${query}: ${answer.text}`);
    return (answer.json as { totalElements: number }).totalElements;
  };
  for (const no of ['false', 'FALSE', 'off', 'No', '0']) assert.is(await count(`active=${no}`), 1, no);
  for (const yes of ['true', 'True', 'ON', 'yes', '1']) assert.is(await count(`active=${yes}`), 0, yes);
  assert.is(await count('active='), 1);
  for (const wrong of ['2', 'tru', 'active=true&active=false'])
    isProblem(await home.admin.get(`/api/tenant/deviceInfos?active=${wrong}`), 400, 31);
});

run();
