/** The description of the API: whole, sound, and true (what every answer of every REST test is held against). */
import * as assert from 'uvu/assert';
import type { Description } from '../../http/openapi/openapi.ts';
import type { Schema } from '../../http/openapi/schemas.ts';
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
      const letters = parameters.map(({ name }) => name.replace(/\W/g, '').toLowerCase());
      assert.is(new Set(letters).size, letters.length, `generators tell the parameters of ${path} apart`);
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

law(
  'openapi: every id is {entityType, id}, except the two that ThingsBoard gives bare',
  async ({ world }) => {
    const description = (await world.nobody.get('/v3/api-docs')).json as Description;
    const bare: string[] = [];
    let ids = 0;
    for (const [at, { properties = {} }] of schemasIn(description)) {
      for (const [name, { $ref, properties: parts }] of Object.entries(properties)) {
        if (!/(^i|I)d$/.test(name)) continue;
        ids += 1;
        if ($ref === undefined && parts?.id !== undefined) bare.push(`${at}.${name}`);
      }
    }
    assert.ok(ids > 30, `${ids} ids were looked at`);
    assert.equal(
      bare.filter((at) => !/Body\b/.test(at)), // a client may send the id alone
      ['DeviceCredentials.id', 'AuditLog.id'],
    );
  },
);

law('openapi: generators find types with names, and nothing that they stumble over', async ({ world }) => {
  const description = (await world.nobody.get('/v3/api-docs')).json as Description;
  for (const [at, schema] of schemasIn(description)) {
    assert.is.not(schema.type, 'null', `${at} is never anything but null`);
    const choices = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
    assert.ok(!choices.some((part) => Object.keys(part).length === 0), `${at} is this or anything`);
    assert.not('documentedAs' in schema, at);
  }
  const { schemas } = description.components;
  for (const name of ['Device', 'DeviceId', 'PageDataDevice', 'ClaimResult', 'User', 'AuditLog'])
    assert.ok(schemas[name], name);
  assert.equal(schemas.Device?.properties?.createdTime, { type: 'integer', format: 'int64' });
  assert.equal(schemas.Device?.properties?.label, { type: ['string', 'null'] });
  const parameter = (path: string, name: string) =>
    description.paths[path]?.get?.parameters.find((one) => one.name === name);
  assert.equal(parameter('/api/tenant/claimStatistics', 'hours')?.schema, {
    type: 'integer',
    minimum: 0,
    maximum: 168,
    default: 24,
  });
  assert.is(parameter('/api/tenant/devices', 'page')?.schema.type, 'integer');
  assert.equal(parameter('/api/devices', 'deviceIds'), {
    name: 'deviceIds',
    in: 'query',
    required: true,
    schema: { type: 'array', items: { type: 'string', format: 'uuid' }, maxItems: 1000 },
  });
  assert.ok(JSON.stringify(parameter('/api/audit/logs', 'actionTypes')?.schema).includes('"CLAIM_REFUSED"'));
  assert.is(parameter('/api/device/{deviceId}', 'deviceId')?.schema.format, 'uuid');
});

law('openapi: 3.0 says the same, in the words of 3.0', async ({ world }) => {
  const newer = (await world.nobody.get('/v3/api-docs')).json as Description;
  const older = (await world.nobody.get('/v3/api-docs/3.0')).json as Description;
  assert.is(older.openapi as string, '3.0.3');
  assert.equal(Object.keys(older.paths), Object.keys(newer.paths));
  assert.equal(older.components.schemas.Device?.properties?.label, { type: 'string', nullable: true });
  for (const [at, schema] of schemasIn(older)) {
    assert.ok(!Array.isArray(schema.type), at);
    assert.is.not(schema.type, 'null', at);
    for (const word of ['const', 'propertyNames', '$defs']) assert.not(word in schema, `${at}: ${word}`);
  }
});

law('openapi: attack: however often it is asked for, it is written once', async ({ world }) => {
  const ask = async (path: string) => (await world.nobody.get(path)).headers.get('content-type');
  const paths = ['/v3/api-docs', '/v3/api-docs/3.0'];
  for (const path of paths) assert.is(await ask(path), 'application/json');
  const { stringify } = JSON;
  const lengths: number[] = [];
  JSON.stringify = new Proxy(stringify, {
    apply(target, self, given) {
      const written: string | undefined = Reflect.apply(target, self, given);
      lengths.push(written?.length ?? 0);
      return written;
    },
  });
  try {
    for (const path of paths) await ask(path);
  } finally {
    JSON.stringify = stringify;
  }
  assert.ok(Math.max(0, ...lengths) < 10_000);
});

law('openapi: the page shows every route, runs nothing and loads nothing', async ({ world }) => {
  const page = await world.nobody.get('/swagger-ui');
  assert.is(page.status, 200);
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.not.match(policy, /unsafe|https?:/);
  assert.not.match(page.text, /<script|\ssrc=|\sstyle=|url\(|@import|\son\w+=/i);
  // Relative: a proxy may serve all of it below a path.
  for (const [, target] of page.text.matchAll(/href="([^"]*)"/g)) assert.is(target, 'v3/api-docs');
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

/** All schemas of the description, each with the component or the operation that it stands in. */
function* schemasIn({ components, paths }: Description): Generator<[string, Schema]> {
  for (const [name, schema] of Object.entries(components.schemas)) yield* within(name, schema);
  for (const methods of Object.values(paths)) {
    for (const { operationId, parameters, requestBody, responses } of Object.values(methods)) {
      for (const { name, schema } of parameters) yield* within(`${operationId}.${name}`, schema);
      for (const { content = {} } of [...Object.values(responses), ...(requestBody ? [requestBody] : [])])
        for (const { schema } of Object.values(content)) yield* within(operationId, schema);
    }
  }
}

function* within(at: string, schema: Schema): Generator<[string, Schema]> {
  yield [at, schema];
  const { properties = {}, anyOf = [], oneOf = [], allOf = [], items } = schema;
  for (const [name, part] of Object.entries(properties)) yield* within(`${at}.${name}`, part);
  for (const part of [...anyOf, ...oneOf, ...allOf]) if (part.type !== 'null') yield* within(at, part);
  if (typeof items === 'object') yield* within(at, items as Schema);
}

run();
