/** Logging in, and what each token allows (facts 3.2 and 4.2). */
import { createSigner } from 'fast-jwt';
import * as assert from 'uvu/assert';
import { NULL_UUID } from '../../actors/base/ids.ts';
import { nextTurn } from '../../actors/base/slices.ts';
import {
  type Answer,
  entity,
  given,
  isDone,
  isProblem,
  PASSWORD,
  type RestWorld,
  restLaws,
  START,
  systemAdministrator,
  type Tokens,
} from '../kit/rest-client.ts';

const { law, run } = restLaws('rest auth');

const expired = (answer: Answer) => isProblem(answer, 401, 11, 'Token has expired');
const notAuthenticated = (answer: Answer) => isProblem(answer, 401, 10);
const user = (world: RestWorld, token: string) => world.as(token).get('/api/auth/user');

/** The parts of a token, as a client reads them. */
function read(token: string): { header: unknown; claims: Record<string, unknown> } {
  const [header, claims] = token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  return { header, claims };
}

law('login: a pair of HS512 tokens with the claims that clients read', async ({ world, home }) => {
  const { token, refreshToken, ...more } = await world.login(home.alice.email);
  assert.equal(more, {});
  const access = read(token);
  assert.equal(access.header, { alg: 'HS512', typ: 'at+jwt' });
  const { sessionId, credentialsVersion, ...claims } = access.claims;
  assert.equal(claims, {
    sub: home.alice.email,
    userId: home.alice.userId,
    scopes: ['CUSTOMER_USER'],
    iss: 'thingsboard.io',
    aud: 'claimd',
    iat: START / 1000,
    exp: START / 1000 + 9000,
    firstName: null,
    lastName: null,
    enabled: true,
    isPublic: false,
    tenantId: home.tenantId,
    customerId: home.alice.customerId,
  });
  assert.equal(read(refreshToken).header, { alg: 'HS512', typ: 'refresh+jwt' });
  const refresh = read(refreshToken).claims;
  assert.equal(refresh.scopes, ['REFRESH_TOKEN']);
  assert.is(refresh.exp, START / 1000 + 604_800);
  assert.is(refresh.sessionId, sessionId);
  assert.type(refresh.jti, 'string');
  assert.type(credentialsVersion, 'number');
});

law(
  'login: administrators have the null id where they have no customer or tenant',
  async ({ world, home }) => {
    const admin = read((await world.login(home.adminEmail)).token).claims;
    assert.is(admin.tenantId, home.tenantId);
    assert.is(admin.customerId, NULL_UUID);
    await systemAdministrator(world);
    const system = read((await world.login('sysadmin@claimd.test')).token).claims;
    assert.is(system.tenantId, NULL_UUID);
  },
);

law('login: wrong password, unknown user and malformed bodies look the same', async ({ world, home }) => {
  const login = (body: unknown) => world.nobody.post('/api/auth/login', body);
  for (const body of [
    { username: home.alice.email, password: 'wrong-one' },
    { username: 'nobody@home.test', password: PASSWORD },
    { username: home.alice.email.toUpperCase(), password: PASSWORD },
    { username: home.alice.email },
    { username: 1, password: [] },
    { username: home.alice.email, password: 'x'.repeat(2000) },
    {},
    [],
  ]) {
    isProblem(await login(body), 401, 10, 'Invalid username or password');
  }
});

law(
  'login: failures are limited per user and address; other users and addresses may go on',
  async ({ world, home }) => {
    const body = { username: home.alice.email, password: 'wrong-one' };
    const right = { ...body, password: PASSWORD };
    const wrong = await Promise.all(
      Array.from({ length: 8 }, () => world.nobody.post('/api/auth/login', body)),
    );
    assert.is(wrong.filter(({ status }) => status === 401).length, 3);
    assert.is(wrong.filter(({ status }) => status === 429).length, 5);
    const limited = await world.nobody.post('/api/auth/login', right);
    isProblem(limited, 429, 33);
    assert.ok(Number(limited.headers.get('retry-after')) > 0);
    assert.is((await world.as('', '192.0.2.2').post('/api/auth/login', right)).status, 200);
    assert.ok(await world.login(home.bob.email));
  },
  { limits: { failedLogins: { max: 3, windowMs: 60_000 } } },
);

law(
  'tokens: both header names, the scheme in any case; X-Authorization wins over Authorization',
  async ({ world, home }) => {
    const { token } = home.alice;
    const ask = (headers: Record<string, string>) => world.nobody.send('GET', '/api/auth/user', { headers });
    assert.is((await ask({ 'X-Authorization': `Bearer ${token}` })).status, 200);
    assert.is((await ask({ Authorization: `Bearer ${token}` })).status, 200);
    assert.is((await ask({ authorization: `bearer ${token}` })).status, 200);
    notAuthenticated(await ask({ 'X-Authorization': 'Bearer x', Authorization: `Bearer ${token}` }));
    isProblem(await ask({}), 401, 10, 'Authentication failed');
    isProblem(await ask({ Authorization: 'Basic YTpi' }), 401, 10, 'Authentication failed');
    isProblem(await ask({ Authorization: 'Bearer ' }), 401, 10, 'Authentication failed');
    isProblem(await ask({ Authorization: token }), 401, 10, 'Authentication failed');
  },
);

law(
  'tokens: what is no token of ours is errorCode 10, another key or a changed token 11',
  async ({ world, home }) => {
    const { token } = home.alice;
    const { claims } = read(token);
    const signer = (options: object) => createSigner(options)(claims);
    for (const strange of ['x', 'a.b.c', `${token}x.y`, '💥'])
      notAuthenticated(await user(world, encodeURIComponent(strange)));

    const unsigned = (alg: string) =>
      `${Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url')}.${token.split('.')[1]}.`;
    notAuthenticated(await user(world, unsigned('none')));
    notAuthenticated(await user(world, signer({ algorithm: 'HS256', key: Buffer.alloc(64, 2) })));
    expired(await user(world, signer({ algorithm: 'HS512', key: Buffer.alloc(64, 3) })));

    const [header, payload, signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...claims, scopes: ['SYS_ADMIN'] })).toString('base64url');
    expired(await user(world, [header, forged, signature].join('.')));
    expired(
      await user(
        world,
        [header, payload, signature?.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))].join('.'),
      ),
    );

    const other = { ...claims, iss: 'elsewhere' };
    const foreign = createSigner({ algorithm: 'HS512', key: Buffer.alloc(64, 2) })(other);
    notAuthenticated(await user(world, foreign));
  },
);

law(
  'tokens: an access token ends at its expiry; a refresh token then gives a new pair of the same session',
  async ({ world, home }) => {
    const { token, refreshToken } = await world.login(home.alice.email);
    world.clock.advance(9000 * 1000 - 1);
    assert.is((await user(world, token)).status, 200);
    world.clock.advance(1);
    expired(await user(world, token));
    const renewed = await world.nobody.post('/api/auth/token', { refreshToken });
    assert.is(renewed.status, 200);
    const pair = renewed.json as Tokens;
    assert.is(read(pair.token).claims.sessionId, read(token).claims.sessionId);
    assert.is((await user(world, pair.token)).status, 200);
    world.clock.advance(604_800 * 1000);
    expired(await world.nobody.post('/api/auth/token', { refreshToken: pair.refreshToken }));
  },
);

law('tokens: refresh tokens are no access tokens, and the other way round', async ({ world, home }) => {
  const { token, refreshToken } = await world.login(home.alice.email);
  notAuthenticated(await user(world, refreshToken));
  notAuthenticated(await world.nobody.post('/api/auth/token', { refreshToken: token }));
  for (const body of [{}, undefined, { refreshToken: 1 }, { refreshToken: '' }]) {
    notAuthenticated(await world.nobody.post('/api/auth/token', body));
  }
});

law('tokens: logging out ends that session, both its tokens, and no other', async ({ world, home }) => {
  const [one, two] = [await world.login(home.alice.email), await world.login(home.alice.email)];
  assert.is((await user(world, one.token)).status, 200);
  isDone(await world.as(one.token).post('/api/auth/logout'));
  expired(await user(world, one.token));
  expired(await world.nobody.post('/api/auth/token', { refreshToken: one.refreshToken }));
  assert.is((await user(world, two.token)).status, 200);
});

law('password: changing it outdates every token before, and gives a new pair', async ({ world, home }) => {
  const old = await world.login(home.alice.email);
  const change = (currentPassword: string, newPassword: string) =>
    home.alice.post('/api/auth/changePassword', { currentPassword, newPassword });
  isProblem(await change('wrong-one', 'another'), 400, 31, "Current password doesn't match!");
  isProblem(await change(PASSWORD, '12345'), 400, 31, 'Password must be 12 or more characters in length.');
  isProblem(
    await change(PASSWORD, 'x'.repeat(73)),
    400,
    31,
    'Password must be no more than 72 characters in length.',
  );
  assert.is((await user(world, old.token)).status, 200);

  const changed = await change(PASSWORD, 'another-password');
  assert.is(changed.status, 200);
  expired(await user(world, old.token));
  expired(await user(world, home.alice.token));
  expired(await world.nobody.post('/api/auth/token', { refreshToken: old.refreshToken }));
  assert.is((await user(world, (changed.json as Tokens).token)).status, 200);
  await world.login(home.alice.email, 'another-password');
});

law(
  'attack: a stolen token does not take the account over by another e-mail address',
  async ({ world, home }) => {
    world.clock.advance(10 * 60_000);
    const change = (email: string, more: object = {}) =>
      home.alice.post('/api/user', {
        id: { id: home.alice.userId },
        email,
        authority: 'CUSTOMER_USER',
        ...more,
      });
    isProblem(await change('mine@evil.test'), 400, 31);
    isProblem(await change('mine@evil.test', { currentPassword: null }), 400, 31);
    const wrong = { currentPassword: 'wrong-one' };
    isProblem(await change('mine@evil.test', wrong), 400, 31, "Current password doesn't match!");
    assert.is(entity(await user(world, home.alice.token)).email, home.alice.email);
    assert.is((await change(home.alice.email, { lastName: 'A' })).status, 200, 'the rest needs none');

    const right = await change('alice2@home.test', { currentPassword: PASSWORD });
    assert.is(entity(right).email, 'alice2@home.test');
    const fresh = world.as((await world.login('alice2@home.test')).token);
    const body = { id: { id: home.alice.userId }, email: 'alice3@home.test', authority: 'CUSTOMER_USER' };
    assert.is((await fresh.post('/api/user', body)).status, 200, 'a fresh login is as good');

    const passwordless = await home.alice.post('/api/auth/changePassword', {
      newPassword: 'another-password',
    });
    isProblem(passwordless, 400, 31);
  },
);

law(
  'e-mail: administrators change those right below them, and their like only by password',
  async (scene) => {
    const { world, home } = scene;
    world.clock.advance(10 * 60_000);
    const like = { email: 'like@home.test', authority: 'TENANT_ADMIN' };
    const { id } = entity(await home.admin.post('/api/user', like));
    const body = { ...like, id, email: 'other@home.test' };
    isProblem(await home.admin.post('/api/user', body), 400, 31);
    const own = { id: { id: home.adminId }, email: 'own@home.test', authority: 'TENANT_ADMIN' };
    isProblem(await home.admin.post('/api/user', own), 400, 31);
    assert.is((await home.admin.post('/api/user', { ...body, currentPassword: PASSWORD })).status, 200);
    const below = { id: { id: home.alice.userId }, email: 'a@home.test', authority: 'CUSTOMER_USER' };
    assert.is((await home.admin.post('/api/user', below)).status, 200);
  },
);

const LOGIN = '/api/auth/login';

law(
  'login: one password tried on many users from one address; who logged in from there before may go on',
  async ({ world, home }) => {
    const address = '198.51.100.7';
    const there = world.as('', address);
    const right = { username: home.alice.email, password: PASSWORD };
    assert.is((await there.post(LOGIN, right)).status, 200);
    const sprayed = await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        there.post(LOGIN, { username: `user${at}@home.test`, password: 'Summer2026!' }),
      ),
    );
    assert.is(sprayed.filter(({ status }) => status === 401).length, 50);
    assert.is(sprayed.filter(({ status }) => status === 429).length, 10);
    isProblem(await there.post(LOGIN, { username: home.bob.email, password: PASSWORD }), 429, 33);
    assert.is((await there.post(LOGIN, right)).status, 200, 'alice is not kept out');
    assert.ok(await world.login(home.bob.email), 'bob is not kept out elsewhere');
  },
);

law(
  'login: one user guessed from many addresses; the user may log in from where it did before',
  async ({ world, home }) => {
    const guesses = Array.from({ length: 300 }, (_, at) =>
      world
        .as('', `203.0.113.${at % 30}`)
        .post(LOGIN, { username: home.alice.email, password: `guess ${at}` }),
    );
    const answers = await Promise.all(guesses);
    assert.is(answers.filter(({ status }) => status === 401).length, 50);
    assert.is(answers.filter(({ status }) => status === 429).length, 250);
    const away = world.as('', '203.0.113.99');
    isProblem(await away.post(LOGIN, { username: home.alice.email, password: PASSWORD }), 429, 33);
    assert.ok(await world.login(home.alice.email), 'from the address of her last login');
    assert.is((await away.post(LOGIN, { username: home.bob.email, password: PASSWORD })).status, 200);
  },
);

law(
  'login: who has many networks of IPv6 has them counted together',
  async ({ world }) => {
    const spray = async (address: (at: number) => string) => {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          world.as('', address(at)).post(LOGIN, { username: `user${at}@home.test`, password: 'Summer2026!' }),
        ),
      );
      return answers.filter(({ status }) => status === 401).length;
    };
    assert.is(await spray((at) => `2001:db8:1:100::${at}`), 2, 'one of 64 bits');
    assert.is(await spray((at) => `2001:db8:2:1${at.toString(16).padStart(2, '0')}::1`), 8, 'one of 56 bits');
    assert.is(
      await spray((at) => `2001:db8:3:${at.toString(16).padStart(2, '0')}00::1`),
      32,
      'one of 48 bits',
    );
    assert.is(await spray((at) => `2001:db8:${at + 10}::1`), 40);
  },
  { limits: { failedLoginsPerAddress: { max: 2, windowMs: 60_000 } } },
);

law('login: an address is remembered after its session has ended', async ({ world, home }) => {
  const { token } = await world.login(home.alice.email);
  isDone(await world.as(token).post('/api/auth/logout'));
  for (let at = 0; at < 60; at += 1) {
    await world.as('', `203.0.113.${at}`).post(LOGIN, { username: home.alice.email, password: 'guess' });
  }
  assert.ok(await world.login(home.alice.email));
});

law(
  'e-mail: wrong passwords count as failed logins, and failed logins as wrong passwords',
  async ({ world, home }) => {
    world.clock.advance(10 * 60_000);
    const body = { id: { id: home.alice.userId }, email: 'mine@evil.test', authority: 'CUSTOMER_USER' };
    const guess = (currentPassword: string) => home.alice.post('/api/user', { ...body, currentPassword });
    isProblem(await guess('wrong-1'), 400, 31);
    isProblem(await guess('wrong-2'), 400, 31);
    const login = { username: home.alice.email, password: 'wrong-3' };
    isProblem(await world.nobody.post('/api/auth/login', login), 401, 10);
    isProblem(await guess(PASSWORD), 429, 33);
  },
  { limits: { failedLogins: { max: 3, windowMs: 60_000 } } },
);

law(
  'users: disabling ends tokens and forbids the login; enabling allows it again',
  async ({ world, home }) => {
    const path = (enabled: boolean) =>
      `/api/user/${home.alice.userId}/userCredentialsEnabled?userCredentialsEnabled=${enabled}`;
    isDone(await home.admin.post(path(false)));
    expired(await user(world, home.alice.token));
    const body = { username: home.alice.email, password: PASSWORD };
    isProblem(await world.nobody.post('/api/auth/login', body), 401, 10, 'User account is not active');
    isProblem(
      await world.nobody.post('/api/auth/login', { ...body, password: 'wrong-one' }),
      401,
      10,
      'Invalid username or password',
    );
    isDone(await home.admin.post(path(true)));
    expired(await user(world, home.alice.token));
    await world.login(home.alice.email);
    isProblem(
      await home.admin.post(`/api/user/${home.adminId}/userCredentialsEnabled?userCredentialsEnabled=false`),
      403,
      20,
    );
  },
);

law('users: tokens end with the user, with its customer, and with its tenant', async ({ world, home }) => {
  const carol = given(
    await world.accounts.users.create(
      { authority: 'CUSTOMER_USER', tenantId: home.tenantId, customerId: home.alice.customerId },
      { email: 'carol@home.test', firstName: null, lastName: null, phone: null, additionalInfo: null },
      PASSWORD,
    ),
  );
  const { token } = await world.login('carol@home.test');
  assert.is((await user(world, token)).status, 200);
  isDone(await home.admin.delete(`/api/user/${carol.id}`));
  expired(await user(world, token));
  isDone(await home.admin.delete(`/api/customer/${home.alice.customerId}`));
  expired(await user(world, home.alice.token));
  const system = await systemAdministrator(world);
  isDone(await system.delete(`/api/tenant/${home.tenantId}`));
  expired(await home.bob.get('/api/auth/user'));
  expired(await home.admin.get('/api/auth/user'));
});

law(
  'users: a request whose body comes late is of its user as that one stands by then',
  async ({ world, home }) => {
    const fields = { firstName: null, lastName: null, phone: null, additionalInfo: null };
    const membership = { authority: 'TENANT_ADMIN', tenantId: home.tenantId } as const;
    const carol = given(
      await world.accounts.users.create(membership, { email: 'carol@home.test', ...fields }, PASSWORD),
    );
    const { token } = await world.login('carol@home.test');
    /** Sends its headers and half of its body at once, and the rest when it is told to. */
    const late = (email: string) => {
      const body = JSON.stringify({ email, authority: 'TENANT_ADMIN' });
      let complete = () => {};
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(Buffer.from(body.slice(0, 10)));
          complete = () => {
            controller.enqueue(Buffer.from(body.slice(10)));
            controller.close();
          };
        },
      });
      const init = { body: stream, duplex: 'half', headers: { 'content-type': 'application/json' } } as const;
      const answer = world.as(token).send('POST', '/api/user?sendActivationMail=false', init);
      return { answer, complete };
    };
    const stands = late('dora@home.test');
    const falls = late('eve@home.test');
    await nextTurn(); // both are let in
    world.clock.advance(1000);
    stands.complete();
    assert.is((await stands.answer).status, 200);
    isDone(await home.admin.delete(`/api/user/${carol.id}`));
    falls.complete();
    expired(await falls.answer);
    assert.is(await world.accounts.users.findByEmail('eve@home.test'), undefined);
  },
);

law('users: what another process changed is seen after the standing time', async ({ world, home }) => {
  assert.is((await user(world, home.alice.token)).status, 200);
  // A second set of accounts over the same store stands for another process.
  await world.elsewhere().users.setEnabled(home.alice.userId, false);
  world.clock.advance(2000);
  expired(await user(world, home.alice.token));
});

law(
  'activation: a link leads to a page, the password logs in, and the link works once',
  async ({ world, home }) => {
    const created = entity(
      await home.admin.post('/api/user?sendActivationMail=false', {
        email: 'dora@home.test',
        authority: 'CUSTOMER_USER',
        customerId: { entityType: 'CUSTOMER', id: home.alice.customerId },
        firstName: 'Dora',
      }),
    );
    const linkPath = `/api/user/${created.id.id}/activationLink`;
    const link = await home.admin.get(linkPath);
    assert.match(link.headers.get('content-type') ?? '', 'text/plain');
    assert.match(link.text, /^http:\/\/localhost\/api\/noauth\/activate\?activateToken=[\w-]{40}$/);
    assert.is((await home.admin.get(linkPath)).text, link.text, 'the same link when asked again');
    const info = (await home.admin.get(`${linkPath}Info`)).json;
    assert.equal(info, { value: link.text, ttlMs: 86_400_000 });

    const activateToken = new URL(link.text).searchParams.get('activateToken') ?? '';
    const page = await world.nobody.get(`/api/noauth/activate?activateToken=${activateToken}`);
    assert.is(page.status, 303);
    assert.is(page.headers.get('location'), `/login/createPassword?activateToken=${activateToken}`);

    const activate = (password: string) =>
      world.nobody.post('/api/noauth/activate?sendActivationMail=false', { activateToken, password });
    isProblem(await activate('12345'), 400, 31);
    isProblem(
      await world.nobody.post('/api/auth/login', { username: 'dora@home.test', password: '' }),
      401,
      10,
    );
    const both = await Promise.all([activate('the first password'), activate('the second password')]);
    assert.equal(both.map(({ status }) => status).sort(), [200, 400]);
    const [pair] = both.filter(({ status }) => status === 200).map(({ json }) => json as Tokens);
    const me = entity(await user(world, pair?.token ?? ''));
    assert.is(me.email, 'dora@home.test');
    assert.is(me.firstName, 'Dora');

    isProblem(await activate('password-3'), 400, 31);
    assert.is((await world.nobody.get(`/api/noauth/activate?activateToken=${activateToken}`)).status, 409);
    isProblem(await home.admin.get(linkPath), 400, 31, 'User is already activated!');
  },
);

law('activation: a link ends after a day; asking again gives a new one', async ({ world, home }) => {
  const body = { email: 'eve@home.test', authority: 'TENANT_ADMIN' };
  const { id } = entity(await home.admin.post('/api/user', body));
  const path = `/api/user/${id.id}/activationLink`;
  const first = new URL((await home.admin.get(path)).text).searchParams.get('activateToken') ?? '';
  world.clock.advance(86_400_000);
  assert.is((await world.nobody.get(`/api/noauth/activate?activateToken=${first}`)).status, 409);
  isProblem(
    await world.nobody.post('/api/noauth/activate', { activateToken: first, password: PASSWORD }),
    400,
    31,
  );
  const admin = world.as((await world.login(home.adminEmail)).token);
  const second = new URL((await admin.get(path)).text).searchParams.get('activateToken') ?? '';
  assert.is.not(second, first);
  assert.is(
    (await world.nobody.post('/api/noauth/activate', { activateToken: second, password: PASSWORD })).status,
    200,
  );
});

run();
