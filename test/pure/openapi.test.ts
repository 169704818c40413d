/** The description of the API: whole, sound, and true (what every answer of every REST test is held against). */
import * as assert from 'uvu/assert';
import type { Description } from '../../http/openapi/openapi.ts';
import { conformanceTo } from '../kit/conformance.ts';
import { restLaws } from '../kit/rest-client.ts';

const { law, run } = restLaws('openapi');

law(
  'openapi: every route is described, with its roles, parameters and body, and nothing else',
  async ({ world }) => {
    const { json } = await world.nobody.get('/v3/api-docs');
    const { openapi, paths } = json as Description;
    assert.match(openapi, /^3\.1\./);
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const defined = world.routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    assert.equal(described.sort(), defined.sort());

    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation })),
    );
    const ids = operations.map(({ operationId }) => operationId);
    assert.is(new Set(ids).size, ids.length, 'operationIds are unique');
    for (const { path, parameters } of operations) {
      const named = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
      assert.equal(named, path.match(/\{\w+\}/g) ?? []);
    }

    const claim = paths['/api/customer/device/{deviceName}/claim']?.post;
    assert.equal(claim?.requestBody?.required, false);
    assert.equal(claim?.security, [{ bearer: [] }, { apiKey: [] }]);
    for (const status of ['200', '400', '401', '403', '404', '429', '503'])
      assert.ok(claim?.responses[status], status);
    const list = paths['/api/tenant/devices']?.get;
    const queries = list?.parameters.map(({ name }) => name) ?? [];
    for (const name of ['deviceName', 'pageSize', 'page', 'textSearch', 'sortProperty', 'sortOrder'])
      assert.ok(queries.includes(name), name);
    assert.is(list?.parameters.find(({ name }) => name === 'deviceName')?.required, false);
  },
);

law('openapi: the page shows every route, runs nothing and loads nothing', async ({ world }) => {
  const page = await world.nobody.get('/swagger-ui');
  assert.is(page.status, 200);
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.not.match(policy, /unsafe|https?:/);
  assert.not.match(page.text, /<script|\ssrc=|\sstyle=|url\(|@import|\son\w+=/i);
  for (const [, target] of page.text.matchAll(/href="([^"]*)"/g)) assert.is(target, '/v3/api-docs');
  for (const { path } of world.routes) assert.ok(page.text.includes(path.replace(/:(\w+)/g, '{$1}')), path);
});

law('openapi: the check itself sees what is not as described', async ({ world }) => {
  const conform = conformanceTo(world.routes);
  const fails = (method: string, path: string, status: number, body: unknown, type = 'application/json') =>
    assert.throws(() => conform(method, path, { status, text: JSON.stringify(body), type }));
  fails('GET', '/livez', 418, {});
  fails('GET', '/livez', 200, { status: 'sideways' });
  fails('GET', '/livez', 200, { status: 'up' }, 'text/plain');
  fails('GET', '/api/tenant/devices?page=0', 200, { data: [{ name: 'half a device' }] });
  fails('POST', '/api/customer/device/D/claim', 400, 'PERHAPS');
  fails('GET', '/api/auth/user', 401, { message: 'half an envelope' });
  conform('POST', '/api/customer/device/D/claim', {
    status: 400,
    text: '"CLAIMED"',
    type: 'application/json',
  });
});

run();
