/** API keys: a key acts as its user, or only claims, until it is revoked, has expired or its user is deleted. */
import * as assert from 'uvu/assert';
import { API_KEYS_MAX } from '../../actors/accounts/api-keys.ts';
import {
  type Answer,
  type Caller,
  claimPath,
  entity,
  HOUR_MS,
  isDone,
  isProblem,
  openWindow,
  PASSWORD,
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

law('api key: acts as its user, in either header; shown once, kept as a digest', async ({ world, home }) => {
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
  'api key: a key for claiming may claim, give back and ask who it is, and nothing else',
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
  'api key: does not work while its user is disabled, nor after its user is deleted',
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

law('attack: a stolen key makes no key, no login and no administrator', async ({ world, home }) => {
  const { value, id } = await make(home.admin);
  const ask = by(world.nobody, value);
  const [alice, admin] = [home.alice.userId, home.adminId];
  const own = { id: { id: admin }, email: 'mine@home.test', authority: 'TENANT_ADMIN' };
  const like = { email: 'like@home.test', authority: 'TENANT_ADMIN' };
  for (const [method, path, body] of [
    ['POST', '/api/apiKey', {}],
    ['GET', `/api/apiKeys/${admin}?pageSize=1&page=0`],
    ['DELETE', `/api/apiKey/${id}`],
    ['POST', '/api/auth/changePassword', { currentPassword: PASSWORD, newPassword: 'another-password' }],
    ['POST', '/api/user', own],
    ['POST', '/api/user', like],
    ['GET', `/api/user/${alice}/token`],
    ['GET', '/api/auth/sessions'],
    ['DELETE', '/api/auth/sessions'],
  ] as const)
    isProblem(await ask(method, path, body), 403, 20);
  // Another administrator, made by a person, is waiting for a password.
  const waiting = entity(await home.admin.post('/api/user', like));
  isProblem(await ask('GET', `/api/user/${waiting.id.id}/activationLink`), 403, 20);
  isProblem(await ask('GET', `/api/user/${waiting.id.id}/activationLinkInfo`), 403, 20);
  // What keys are for goes on: users of customers are made by programs.
  const customerId = { entityType: 'CUSTOMER', id: home.alice.customerId };
  const made = await ask('POST', '/api/user', {
    email: 'c@home.test',
    authority: 'CUSTOMER_USER',
    customerId,
  });
  assert.is((await ask('GET', `/api/user/${entity(made).id.id}/activationLink`)).status, 200);
});

law('api key: shows when it was last used, without a write per request', async ({ world, home }) => {
  const ask = by(world.nobody, (await make(home.alice)).value);
  const shown = async () => {
    const list = await home.alice.get(`/api/apiKeys/${home.alice.userId}?pageSize=10&page=0`);
    return pageOf(list).data[0]?.lastUsedTime;
  };
  assert.is(await shown(), 0);
  let commits = 0;
  const commit = world.store.entities.commit.bind(world.store.entities);
  Object.assign(world.store.entities, {
    commit: (...all: Parameters<typeof commit>) => {
      commits += 1;
      return commit(...all);
    },
  });
  for (let minute = 0; minute < 20; minute += 1) {
    for (let n = 0; n < 5; n += 1) assert.is((await ask('GET', '/api/auth/user')).status, 200);
    world.clock.advance(60_000);
  }
  assert.is(commits, 4);
  assert.is(await shown(), START + 15 * 60_000);
});

law('api key: a new password revokes the keys if so asked, and only then', async ({ world, home }) => {
  const ask = by(world.nobody, (await make(home.alice)).value);
  const change = (token: string, from: string, to: string, more: object) =>
    world.as(token).post('/api/auth/changePassword', { currentPassword: from, newPassword: to, ...more });
  const first = await change(home.alice.token, PASSWORD, 'another-password', {});
  assert.is((await ask('GET', '/api/auth/user')).status, 200);
  const { token } = first.json as { token: string };
  const second = await change(token, 'another-password', 'a-third-password', { revokeApiKeys: true });
  assert.is(second.status, 200, second.text);
  isProblem(await ask('GET', '/api/auth/user'), 401, 10);
});

/** Done once while a key is being made: its user has been let in, and the key is not there yet. */
let meanwhile = async () => {};

law(
  'api key: one that is made while a new password revokes the keys, or while its user logs out, is none',
  async ({ world, home }) => {
    const expired = (answer: Answer) => isProblem(answer, 401, 11, 'Token has expired');
    const change = { currentPassword: PASSWORD, newPassword: 'another-password', revokeApiKeys: true };
    meanwhile = async () => {
      // The session goes on under the new password; the token that asked for the key may be in other hands.
      assert.is((await home.alice.post('/api/auth/changePassword', change)).status, 200);
    };
    expired(await home.alice.post('/api/apiKey', {}));
    meanwhile = async () => isDone(await home.bob.post('/api/auth/logout'));
    expired(await home.bob.post('/api/apiKey', {}));
    for (const { userId } of [home.alice, home.bob]) {
      const { total } = await world.accounts.apiKeys.list(userId, { page: 0, pageSize: 10 });
      assert.is(total, 0);
    }
  },
  {
    disturb: (needs) => ({
      ...needs,
      accounts: {
        ...needs.accounts,
        apiKeys: {
          ...needs.accounts.apiKeys,
          async create(...asked) {
            await meanwhile();
            return needs.accounts.apiKeys.create(...asked);
          },
        },
      },
    }),
  },
);

law(
  'api key: a new password that revokes them does so in its own commit, also where the process ends right after',
  async ({ world, home }) => {
    const { userId } = home.alice;
    const { users, apiKeys } = world.accounts;
    const key = await make(home.alice);
    const ask = by(world.nobody, key.value);
    const sets = (password: string, ends: object) => users.setPassword(userId, password, undefined, ends);
    assert.is((await sets(`${PASSWORD} and more`, {})).type, 'done');
    assert.is((await ask('GET', '/api/auth/user')).status, 200, 'nobody asked for that');
    assert.is((await sets(`${PASSWORD} and other`, { apiKeys: true })).type, 'done');
    isProblem(await ask('GET', '/api/auth/user'), 401, 10);
    const { total } = await apiKeys.list(userId, { page: 0, pageSize: 10 });
    assert.is(total, 0);
  },
);

law('api key: a user can have a bounded number', async ({ home }) => {
  for (let n = 0; n < API_KEYS_MAX; n += 1) await make(home.alice);
  isProblem(await home.alice.post('/api/apiKey', {}), 400, 31);
  await make(home.bob);
});

law(
  'api key: logging out by a key changes nothing and writes no audit entry, as a key has no session',
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
