/** Sessions: what has ended stays ended, who may end what, and how long one lasts. */
import * as assert from 'uvu/assert';
import type { User } from '../../actors/accounts/accounts.ts';
import { defaultAccountSettings } from '../../actors/accounts/accounts.ts';
import { openRecords } from '../../actors/records/records.ts';
import { createTokens } from '../../http/auth/tokens.ts';
import { defaultTokenSettings } from '../../http/settings.ts';
import {
  type Answer,
  HOUR_MS,
  isDone,
  isProblem,
  PASSWORD,
  type RestWorld,
  restLaws,
  START,
  systemAdministrator,
  type Tokens,
} from '../kit/rest-client.ts';

const { law, run } = restLaws('rest sessions');

const DAY_MS = 24 * HOUR_MS;
const expired = (answer: Answer) => isProblem(answer, 401, 11, 'Token has expired');
const me = (world: RestWorld, { token }: Tokens) => world.as(token).get('/api/auth/user');
const renew = (world: RestWorld, { refreshToken }: Tokens) =>
  world.nobody.post('/api/auth/token', { refreshToken });

interface Seen {
  readonly id: string;
  readonly current: boolean;
  readonly [field: string]: unknown;
}

async function listed(world: RestWorld, { token }: Tokens): Promise<readonly Seen[]> {
  const answer = await world.as(token).get('/api/auth/sessions');
  assert.is(answer.status, 200, answer.text);
  return answer.json as Seen[];
}

law(
  'attack: a session that was logged out stays dead, however many sessions begin and end after it',
  async ({ world, home }) => {
    const stolen = await world.login(home.alice.email);
    isDone(await world.as(stolen.token).post('/api/auth/logout'));
    for (let n = 0; n < 130; n += 1) {
      const pair = (await home.admin.get(`/api/user/${home.alice.userId}/token`)).json as Tokens;
      isDone(await world.as(pair.token).post('/api/auth/logout'));
    }
    for (let n = 0; n < 130; n += 1) await world.login(home.alice.email);
    world.clock.advance(3000);
    expired(await me(world, stolen));
    expired(await renew(world, stolen));
    assert.is(
      (await world.accounts.users.sessions(home.alice.userId)).length,
      defaultAccountSettings.sessionsMax,
    );
  },
);

law('bound: a further login ends the session that was unused for longest', async ({ world, home }) => {
  const [used, unused] = [await world.login(home.alice.email), await world.login(home.alice.email)];
  world.clock.advance(HOUR_MS);
  assert.is((await me(world, used)).status, 200);
  for (let n = 1; n < defaultAccountSettings.sessionsMax; n += 1) await world.login(home.alice.email);
  expired(await me(world, unused));
  assert.is((await me(world, used)).status, 200);
});

law('own sessions: seen with device and address, ended one by one or all others', async ({ world, home }) => {
  const phone = world.as('', '198.51.100.7');
  const headers = { 'user-agent': 'Phone/1.0' };
  const body = JSON.stringify({ username: home.alice.email, password: PASSWORD });
  const there = (await phone.send('POST', '/api/auth/login', { headers, body })).json as Tokens;
  const here = await world.login(home.alice.email);

  const sessions = await listed(world, here);
  assert.is(sessions.length, 3);
  const [mine, other] = sessions;
  assert.is(mine?.current, true);
  assert.equal(
    { ...other, id: '' },
    {
      id: '',
      createdTime: START,
      lastUsedTime: START,
      address: '198.51.100.7',
      device: 'Phone/1.0',
      current: false,
      impersonated: false,
      providerId: null,
    },
  );
  const path = `/api/auth/sessions/${other?.id}`;
  isProblem(await home.bob.delete(path), 404, 32);
  assert.is((await me(world, there)).status, 200);
  isDone(await world.as(here.token).delete(path));
  expired(await me(world, there));
  expired(await renew(world, there));
  isProblem(await world.as(here.token).delete(path), 404, 32);

  isDone(await world.as(here.token).delete('/api/auth/sessions'));
  expired(await home.alice.get('/api/auth/user'));
  assert.is((await me(world, here)).status, 200);
  assert.is((await listed(world, here)).length, 1);

  await world.audit.catchUp();
  const trail = await home.admin.get('/api/audit/logs?pageSize=10&page=0&actionTypes=LOGOUT');
  assert.is((trail.json as { totalElements: number }).totalElements, 2);
});

law('administrator: ends the sessions of a user of the tenant, and of no other', async ({ world, home }) => {
  const path = `/api/user/${home.alice.userId}/sessions`;
  isProblem(await home.bob.delete(path), 403, 20);
  isDone(await home.admin.delete(path));
  expired(await home.alice.get('/api/auth/user'));
  assert.is((await home.bob.get('/api/auth/user')).status, 200);
  assert.ok(await world.login(home.alice.email), 'the user may log in again');
  const system = await systemAdministrator(world);
  isDone(await system.delete(`/api/user/${home.adminId}/sessions`));
  expired(await home.admin.get('/api/auth/user'));
});

law('password: changing it ends all other sessions; the own one goes on', async ({ world, home }) => {
  const [mine, other] = [await world.login(home.alice.email), await world.login(home.alice.email)];
  const before = (await listed(world, mine)).find(({ current }) => current);
  const body = { currentPassword: PASSWORD, newPassword: 'another-password' };
  const pair = (await world.as(mine.token).post('/api/auth/changePassword', body)).json as Tokens;
  for (const dead of [mine, other]) {
    expired(await me(world, dead));
    expired(await renew(world, dead));
  }
  const left = await listed(world, pair);
  assert.equal(
    left.map(({ id }) => id),
    [before?.id],
  );
});

law('disabling ends all sessions, and enabling brings none back', async ({ world, home }) => {
  const pair = await world.login(home.alice.email);
  const path = `/api/user/${home.alice.userId}/userCredentialsEnabled?userCredentialsEnabled=`;
  isDone(await home.admin.post(`${path}false`));
  isDone(await home.admin.post(`${path}true`));
  expired(await me(world, pair));
  expired(await renew(world, pair));
  assert.equal(await world.accounts.users.sessions(home.alice.userId), []);
});

law('idle: an unused session ends after a week, however its tokens are dated', async ({ world, home }) => {
  const pair = await world.login(home.alice.email);
  world.clock.advance(7 * DAY_MS - 60_000);
  const renewed = (await renew(world, pair)).json as Tokens; // used: another week
  world.clock.advance(60_000);
  assert.is((await me(world, renewed)).status, 200);
  world.clock.advance(7 * DAY_MS);
  expired(await renew(world, renewed));
  assert.equal(await world.accounts.users.sessions(home.alice.userId), []);
});

law('absolute: a session ends after 30 days, and no token of it is dated later', async ({ world, home }) => {
  let pair = await world.login(home.alice.email);
  for (let day = 0; day < 29; day += 1) {
    world.clock.advance(DAY_MS);
    pair = (await renew(world, pair)).json as Tokens;
  }
  world.clock.advance(DAY_MS - 60_000);
  pair = (await renew(world, pair)).json as Tokens;
  for (const token of [pair.token, pair.refreshToken]) {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    assert.is(claims.exp * 1000, START + 30 * DAY_MS);
  }
  world.clock.advance(60_000);
  expired(await me(world, pair));
  expired(await renew(world, pair));
});

law('attack: a stolen refresh token ends the session at its second use, whoever is second', async (scene) => {
  const { world, home } = scene;
  for (const thiefFirst of [true, false]) {
    const stolen = await world.login(home.alice.email);
    const first = (await renew(world, stolen)).json as Tokens;
    world.clock.advance(31_000);
    expired(await renew(world, stolen));
    expired(await renew(world, first));
    expired(await me(world, first));
    expired(await me(world, stolen));
    assert.ok(thiefFirst || (await world.login(home.alice.email)));
  }
  assert.is((await home.alice.get('/api/auth/user')).status, 200, 'no other session is concerned');
  await world.audit.catchUp();
  const trail = (await home.admin.get('/api/audit/logs?pageSize=10&page=0&actionTypes=LOGOUT')).json as {
    data: { actionStatus: string }[];
  };
  assert.equal(
    trail.data.map(({ actionStatus }) => actionStatus),
    ['FAILURE', 'FAILURE'],
  );
});

law(
  'attack: an older refresh token than the one before ends the session within the grace, too',
  async (scene) => {
    const { world, home } = scene;
    const oldest = await world.login(home.alice.email);
    const second = (await renew(world, oldest)).json as Tokens;
    const newest = (await renew(world, second)).json as Tokens;
    expired(await renew(world, oldest));
    expired(await renew(world, newest));
  },
);

law('two tabs and lost answers: whoever asks again within seconds gets the newest tokens', async (scene) => {
  const { world, home } = scene;
  const pair = await world.login(home.alice.email);
  const tabs = await Promise.all(Array.from({ length: 5 }, () => renew(world, pair)));
  assert.equal(
    tabs.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  );
  world.clock.advance(29_000);
  const again = await renew(world, pair);
  assert.is(again.status, 200, again.text);
  const next = await renew(world, again.json as Tokens);
  assert.is(next.status, 200, next.text);
  // The other tabs still hold tokens of the rotation before.
  assert.is((await renew(world, tabs[0]?.json as Tokens)).status, 200);
});

law('two processes renew by one token at once: both get the newest tokens', async ({ world, home }) => {
  const { users } = world.accounts;
  const [session] = await users.sessions(home.alice.userId);
  const both = await Promise.all(
    [users, world.elsewhere().users].map((one) => one.rotate(home.alice.userId, session?.id ?? '', 0)),
  );
  assert.equal(
    both.map((one) => (one === 'reused' ? one : one?.rotation)),
    [1, 1],
  );
});

law('a session that another process has just started counts at once', async ({ world, home }) => {
  assert.is((await me(world, await world.login(home.alice.email))).status, 200); // and this process remembers
  const { users } = world.elsewhere();
  const user = await users.find(home.alice.userId);
  assert.ok(user);
  const session = await users.startSession(user, { address: '192.0.2.1', device: 'another' });
  const settings = { ...defaultTokenSettings, signingKey: Buffer.alloc(64, 2) };
  const there = createTokens(settings, world.clock).issue(user, session);
  assert.is((await me(world, there)).status, 200);
});

law('clients that keep the newest they were given go on for as long as the session lasts', async (scene) => {
  const { world, home } = scene;
  let pair = await world.login(home.alice.email);
  for (let n = 0; n < 200; n += 1) {
    world.clock.advance(2.5 * HOUR_MS);
    const renewed = await renew(world, pair);
    assert.is(renewed.status, 200, renewed.text);
    pair = renewed.json as Tokens;
    assert.is((await me(world, pair)).status, 200);
  }
});

law('kinds: no token is taken for another kind', async ({ world, home }) => {
  const pair = await world.login(home.alice.email);
  const settings = { ...defaultTokenSettings, signingKey: Buffer.alloc(64, 2) };
  const tokens = createTokens(settings, world.clock);
  const all = { access: pair.token, refresh: pair.refreshToken, cookie: tokens.cookieOf(pair.token).value };
  for (const [kind, token] of Object.entries(all)) {
    assert.is(tokens.readAccess(token).type, kind === 'access' ? 'good' : 'unreadable');
    assert.is(tokens.readRefresh(token).type, kind === 'refresh' ? 'good' : 'unreadable');
    assert.is(tokens.readCookie(token).type, kind === 'cookie' ? 'good' : 'unreadable');
  }
  isProblem(await world.as(all.cookie).get('/api/auth/user'), 401, 10);
  isProblem(await world.nobody.post('/api/auth/token', { refreshToken: all.cookie }), 401, 10);
});

law('attack: a token that was shown lets in no other that ends as it does', async ({ world, home }) => {
  const { token } = await world.login(home.alice.email);
  const show = async (custom: string) =>
    (await world.nobody.send('GET', '/api/auth/user', { headers: { 'X-Authorization': custom } })).status;
  assert.is(await show(`Bearer ${token}`), 200);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const other = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
  for (const text of [
    `${other(header)}.${payload}.${signature}`,
    `${header}.${other(payload)}.${signature}`,
    `${header}.${payload}.${other(signature)}`,
    `${header}.${payload}.${signature.slice(1)}`,
    `${token}${token}`,
    token.slice(1),
    token.slice(-24),
    `x ${token}`,
    ` x${token}`,
    `${token} x`,
  ]) {
    assert.is(await show(`Bearer ${text}`), 401, text);
    assert.is(await show(`Bearer ${token}`), 200);
  }
  for (const front of ['bearer ', 'BEARER  ', 'Bearer   ']) assert.is(await show(front + token), 200, front);
});

law('attack: tokens of another claimd with the same key and issuer are refused', async ({ world, home }) => {
  const settings = { ...defaultTokenSettings, signingKey: Buffer.alloc(64, 2), audience: 'claimd:another' };
  const another = createTokens(settings, world.clock);
  const alice = (await world.accounts.users.find(home.alice.userId)) as User;
  const [session] = await world.accounts.users.sessions(home.alice.userId);
  assert.ok(session);
  const pair = another.issue(alice, session);
  expired(await me(world, pair));
  expired(await renew(world, pair));
  assert.is((await home.alice.get('/api/auth/user')).status, 200);
});

law('impersonation: short, not renewable, and it makes nothing that outlives it', async ({ world, home }) => {
  const pair = (await home.admin.get(`/api/user/${home.alice.userId}/token`)).json as Tokens;
  const acting = world.as(pair.token);
  assert.is((await me(world, pair)).status, 200);
  expired(await renew(world, pair));
  const system = await systemAdministrator(world);
  const above = (await system.get(`/api/user/${home.adminId}/token`)).json as Tokens;
  isProblem(await world.as(above.token).get(`/api/user/${home.alice.userId}/token`), 403, 20);
  const body = { id: { id: home.alice.userId }, email: 'mine@home.test', authority: 'CUSTOMER_USER' };
  isProblem(await acting.post('/api/user', body), 403, 20);
  isProblem(await acting.post('/api/apiKey', {}), 403, 20);
  isProblem(await acting.delete('/api/auth/sessions'), 403, 20);
  const change = { currentPassword: PASSWORD, newPassword: 'another-password' };
  isProblem(await acting.post('/api/auth/changePassword', change), 403, 20);

  const seen = (await home.alice.get('/api/auth/sessions')).json as { impersonated: boolean }[];
  assert.is(seen.filter(({ impersonated }) => impersonated).length, 1, 'the user sees it');
  await world.audit.catchUp();
  const trail = (await home.admin.get('/api/audit/logs?pageSize=99&page=0&actionTypes=LOGIN')).json as {
    data: { actionData: { by?: string } }[];
  };
  assert.ok(trail.data.some(({ actionData }) => actionData.by === home.adminId));

  world.clock.advance(30 * 60_000);
  expired(await me(world, pair));
});

law('impersonation: ends with the session, and with the rights, of who asked', async ({ world, home }) => {
  const { users } = world.accounts;
  const path = `/api/user/${home.alice.userId}/token`;
  for (const end of [
    async (own: Tokens) => isDone(await world.as(own.token).post('/api/auth/logout')),
    async () => assert.ok((await users.endSessions(home.adminId as User['id'])) > 0),
    async () => assert.is((await users.setEnabled(home.adminId as User['id'], false)).type, 'done'),
  ]) {
    const own = await world.login(home.adminEmail);
    const pair = (await world.as(own.token).get(path)).json as Tokens;
    assert.is((await me(world, pair)).status, 200);
    await end(own);
    expired(await me(world, pair));
  }
  assert.is((await home.alice.get('/api/auth/user')).status, 200);
});

law('impersonation: however often, the own sessions of the user stay', async ({ world, home }) => {
  for (let n = 0; n < 60; n += 1) await home.admin.get(`/api/user/${home.alice.userId}/token`);
  assert.is((await home.alice.get('/api/auth/user')).status, 200);
  assert.is((await world.accounts.users.sessions(home.alice.userId)).length, 11);
});

law('use is written down, but not with every request', async ({ world, home }) => {
  const lastUsed = async () => (await world.accounts.users.sessions(home.alice.userId))[0]?.lastUsedAt;
  let swaps = 0;
  const swap = world.store.swap.bind(world.store);
  Object.assign(world.store, {
    swap: (...all: Parameters<typeof swap>) => {
      swaps += 1;
      return swap(...all);
    },
  });
  for (let minute = 0; minute < 60; minute += 1) {
    world.clock.advance(60_000);
    for (let n = 0; n < 10; n += 1) assert.is((await home.alice.get('/api/auth/user')).status, 200);
  }
  assert.ok(swaps > 0 && swaps <= 12, `${swaps} writes for 600 requests in an hour`);
  assert.ok(((await lastUsed()) ?? 0) >= START + HOUR_MS - 5 * 60_000);
});

law('upgrade: a record of ended sessions is read; tokens of that version need a new login', async (scene) => {
  const { world, home } = scene;
  const { users } = world.accounts;
  const records = openRecords<object>(world.store, 'user-activity');
  const old = { lastLoginAt: START - 5, endedSessions: [{ id: 'x', until: START + DAY_MS }] };
  await records.put(home.alice.userId, old);
  world.clock.advance(3000);
  expired(await home.alice.get('/api/auth/user'));
  assert.is(await users.lastLoginAt(home.alice.userId), START - 5);
  assert.ok(await world.login(home.alice.email));

  // Signed with the right key, of a user who exists: but nobody logged in.
  const tokens = createTokens({ ...defaultTokenSettings, signingKey: Buffer.alloc(64, 2) }, world.clock);
  const alice = (await users.find(home.alice.userId)) as User;
  expired(await me(world, tokens.issue(alice, { id: 'never-begun', endsAt: START + DAY_MS, rotation: 0 })));
});

run();
