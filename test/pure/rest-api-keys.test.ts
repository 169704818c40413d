/** API keys: who has one acts as its user, or only claims, until it is revoked, expires or the user goes. */
import * as assert from 'uvu/assert';
import { API_KEYS_MAX } from '../../actors/accounts/api-keys.ts';
import {
  type Caller,
  claimPath,
  entity,
  HOUR_MS,
  isDone,
  isProblem,
  openWindow,
  pageOf,
  provision,
  restLaws,
  START,
} from '../kit/rest-client.ts';

const { law, run } = restLaws('rest api keys');

/** Sends requests by a key, in the one header or the other. */
function by(nobody: Caller, value: string, header = 'x-authorization') {
  return (method: string, path: string, body?: object) =>
    nobody.send(method, path, {
      headers: { [header]: `ApiKey ${value}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}

async function make(owner: Caller, body: object = {}) {
  const { id, value, ...rest } = entity(await owner.post('/api/apiKey', body));
  return { id: id.id, value: String(value), ...rest };
}

law('api key: acts as its user, in either header; told once, kept as a digest', async ({ world, home }) => {
  const key = await make(home.alice, { description: 'nightly' });
  assert.match(key.value, /^tb_[\w-]{43}$/);
  for (const header of ['x-authorization', 'authorization']) {
    const answer = await by(world.nobody, key.value, header)('GET', '/api/auth/user');
    assert.is(entity(answer).email, home.alice.email);
  }
  const list = await home.alice.get(`/api/apiKeys/${home.alice.userId}?pageSize=10&page=0`);
  assert.equal(
    pageOf(list).data.map(({ description, expirationTime, claimingOnly }) => [
      description,
      expirationTime,
      claimingOnly,
    ]),
    [['nightly', 0, false]],
  );
  assert.not.ok(list.text.includes(key.value));
  for (const wrong of [
    'tb_',
    `${key.value}x`,
    key.value.slice(0, -1),
    key.value.toUpperCase(),
    'tb_'.padEnd(46, 'A'),
  ])
    isProblem(await by(world.nobody, wrong)('GET', '/api/auth/user'), 401, 10);
});

law(
  'api key: for claiming it claims, gives back, tells who it is, and nothing else',
  async ({ world, home }) => {
    const ask = by(world.nobody, (await make(home.alice, { claimingOnly: true })).value);
    const id = await provision(world, home.tenantId, 'D');
    await openWindow(world, id, 's');
    assert.is((await ask('POST', claimPath('D'), { secretKey: 's' })).status, 200);
    assert.is(entity(await ask('GET', '/api/auth/user')).email, home.alice.email);
    for (const [method, path, body] of [
      ['GET', `/api/device/${id}`],
      ['GET', `/api/device/${id}/credentials`],
      ['GET', `/api/customer/${home.alice.customerId}/devices`],
      ['POST', '/api/apiKey', {}],
      ['GET', `/api/apiKeys/${home.alice.userId}`],
      ['POST', '/api/auth/logout'],
      ['POST', '/api/user', { id: { id: home.alice.userId }, email: 'x@y.test', authority: 'CUSTOMER_USER' }],
    ] as const)
      isProblem(await ask(method, path, body), 403, 20);
    isDone(await ask('DELETE', claimPath('D')));
  },
);

law("api key: revoked it is worth nothing at once; nobody revokes another's", async ({ world, home }) => {
  const key = await make(home.alice);
  const ask = by(world.nobody, key.value);
  isProblem(await home.bob.delete(`/api/apiKey/${key.id}`), 404, 32);
  isProblem(await home.admin.get(`/api/apiKeys/${home.alice.userId}`), 403, 20);
  assert.is((await ask('GET', '/api/auth/user')).status, 200);
  isDone(await home.alice.delete(`/api/apiKey/${key.id}`));
  isProblem(await ask('GET', '/api/auth/user'), 401, 10);
  isProblem(await home.alice.delete(`/api/apiKey/${key.id}`), 404, 32);
});

law('api key: good until just before its expiry', async ({ world, home }) => {
  const ask = by(world.nobody, (await make(home.alice, { expirationTime: START + HOUR_MS })).value);
  world.clock.advance(HOUR_MS - 1);
  assert.is((await ask('GET', '/api/auth/user')).status, 200);
  world.clock.advance(1);
  isProblem(await ask('GET', '/api/auth/user'), 401, 10);
  for (const expirationTime of ['soon', -1, 1.5])
    isProblem(await home.alice.post('/api/apiKey', { expirationTime }), 400, 31);
});

law(
  'api key: as good as its user: not while that is disabled, not when it is deleted',
  async ({ world, home }) => {
    const ask = by(world.nobody, (await make(home.alice)).value);
    await world.accounts.users.setEnabled(home.alice.userId, false);
    isProblem(await ask('GET', '/api/auth/user'), 401, 10);
    await world.accounts.users.setEnabled(home.alice.userId, true);
    assert.is((await ask('GET', '/api/auth/user')).status, 200);
    await world.accounts.users.remove(home.alice.userId);
    isProblem(await ask('GET', '/api/auth/user'), 401, 10);
    assert.is((await world.accounts.apiKeys.list(home.alice.userId, { page: 0, pageSize: 1 })).total, 0);
  },
);

law('api key: a user has so many and no more', async ({ home }) => {
  for (let n = 0; n < API_KEYS_MAX; n += 1) await make(home.alice);
  isProblem(await home.alice.post('/api/apiKey', {}), 400, 31);
  await make(home.bob);
});

law(
  'api key: it has no session to end: logging out by it changes nothing, and fills no trail',
  async (given) => {
    const { world, home } = given;
    const ask = by(world.nobody, (await make(home.alice)).value);
    for (let n = 0; n < 3; n += 1) isDone(await ask('POST', '/api/auth/logout'));
    assert.is((await ask('GET', '/api/auth/user')).status, 200);
    assert.is((await world.accounts.users.sessions(home.alice.userId)).length, 1);
    await world.audit.catchUp();
    const trail = await home.admin.get('/api/audit/logs?pageSize=10&page=0&actionTypes=LOGOUT');
    assert.is(pageOf(trail).totalElements, 0);
  },
);

run();
