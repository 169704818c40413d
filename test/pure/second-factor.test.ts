/** The second factor over REST and in the pages: set up, shown, guessed, replayed, required, lost. */
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { createSecrets } from '../../actors/base/secret.ts';
import { totpCode, totpSecretOf } from '../../http/auth/totp.ts';
import { changingSecrets } from '../kit/changing-secrets.ts';
import {
  type Answer,
  isDone,
  isProblem,
  PASSWORD,
  provision,
  type RestWorld,
  restLaws,
  settle,
  systemAdministrator,
  type Tokens,
} from '../kit/rest-client.ts';
import { createWebWorld, visitor } from '../kit/web-client.ts';

const { law, run } = restLaws('second factor');

const CONFIG = '/api/2fa/account/config';
const checkPath = (code: string, kind = 'TOTP') =>
  `/api/auth/2fa/verification/check?providerType=${kind}&verificationCode=${code}`;

interface Half {
  readonly token: string;
  readonly refreshToken: null;
  readonly scope: string;
}

async function half(world: RestWorld, email: string): Promise<Half> {
  const answer = await world.nobody.post('/api/auth/login', { username: email, password: PASSWORD });
  assert.is(answer.status, 200);
  return answer.json as Half;
}

/** Sets an app up for a user who has just logged in, and returns its secret. */
async function setUp(world: RestWorld, token: string): Promise<string> {
  const me = world.as(token);
  const { authUrl } = (await me.post(`${CONFIG}/generate?providerType=TOTP`)).json as { authUrl: string };
  assert.match(authUrl, /^otpauth:\/\/totp\/claimd:[^?]+\?issuer=claimd&secret=[A-Z2-7]{32}$/);
  const secret = totpSecretOf(authUrl) ?? '';
  const code = totpCode(secret, world.clock.now());
  const saved = await me.post(`${CONFIG}?verificationCode=${code}`, { providerType: 'TOTP', authUrl });
  assert.is(saved.status, 200, saved.text);
  assert.not.match(saved.text, secret);
  world.clock.advance(30_000);
  return secret;
}

law('the codes are those of RFC 6238', () => {
  // Appendix B, SHA1, the last six digits; the secret is 12345678901234567890.
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  for (const [seconds, code] of [
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_234_567_890, '005924'],
    [20_000_000_000, '353130'],
  ] as const)
    assert.is(totpCode(secret, seconds * 1000), code);
  return Promise.resolve();
});

law('the password alone opens nothing any more, and a code is good once', async ({ world, home }) => {
  const secret = await setUp(world, home.alice.token);
  const login = await half(world, home.alice.email);
  assert.equal([login.refreshToken, login.scope], [null, 'PRE_VERIFICATION_TOKEN']);
  const halfway = world.as(login.token);
  for (const path of ['/api/auth/user', '/api/auth/sessions', '/api/2fa/account/settings'])
    assert.is((await halfway.get(path)).status, 403, path);
  for (const path of [
    '/api/customer/device/D/claim',
    '/api/auth/2fa/login',
    `${CONFIG}/generate?providerType=TOTP`,
  ])
    assert.is((await halfway.post(path)).status, 403, path);
  isProblem(await world.nobody.post('/api/auth/token', { refreshToken: login.token }), 401, 10);

  isProblem(await halfway.post(checkPath('000000')), 400, 31, 'Verification code is incorrect');
  const code = totpCode(secret, world.clock.now());
  const whole = (await halfway.post(checkPath(code))).json as Tokens;
  assert.is((await world.as(whole.token).get('/api/auth/user')).status, 200);
  const again = world.as((await half(world, home.alice.email)).token);
  isProblem(await again.post(checkPath(code)), 400, 31);
  world.clock.advance(30_000);
  assert.is((await again.post(checkPath(totpCode(secret, world.clock.now())))).status, 200);
});

law('codes cannot be guessed: ten from an address, sixty from everywhere', async ({ world, home }) => {
  const secret = await setUp(world, home.alice.token);
  const { token } = await half(world, home.alice.email);
  const guess = (address: string) => world.as(token, address).post(checkPath('000000'));
  for (let n = 0; n < 10; n += 1) isProblem(await guess('192.0.2.66'), 400, 31);
  isProblem(await guess('192.0.2.66'), 429, 33);
  for (let n = 0; n < 50; n += 1) assert.is((await guess(`198.51.100.${n % 25}`)).status, 400);
  isProblem(await guess('203.0.113.1'), 429, 33);
  const right = totpCode(secret, world.clock.now());
  assert.is((await world.as(token, '203.0.113.2').post(checkPath(right))).status, 429);
});

law(
  'whoever has the password does not keep the owner out: not where it logged in before, nor with a recovery code',
  async ({ world, home }) => {
    const secret = await setUp(world, home.alice.token);
    const codes = ['0123456789abcdef'];
    assert.is((await home.alice.post(CONFIG, { providerType: 'BACKUP_CODE', codes })).status, 200);
    const { token } = await half(world, home.alice.email);
    const at = (address: string, path: string) => world.as(token, address).post(path);
    for (let n = 0; n < 60; n += 1)
      assert.is((await at(`198.51.100.${n % 6}`, checkPath('000000'))).status, 400);
    isProblem(await at('203.0.113.1', checkPath('000000')), 429, 33);
    isProblem(await at('203.0.113.1', checkPath(totpCode(secret, world.clock.now()))), 429, 33);
    assert.is((await world.as(token).post(checkPath(totpCode(secret, world.clock.now())))).status, 200);
    // From an address that is new, and with it from then on.
    assert.is((await at('203.0.113.1', checkPath(codes[0] ?? '', 'BACKUP_CODE'))).status, 200);
    world.clock.advance(30_000);
    assert.is((await at('203.0.113.1', checkPath(totpCode(secret, world.clock.now())))).status, 200);
  },
);

law(
  'half a login ends after ten minutes, with a new password, and with the user',
  async ({ world, home }) => {
    const secret = await setUp(world, home.alice.token);
    const late = await half(world, home.alice.email);
    world.clock.advance(600_000);
    const code = () => totpCode(secret, world.clock.now());
    isProblem(await world.as(late.token).post(checkPath(code())), 401, 11);
    const outdated = await half(world, home.alice.email);
    const change = { currentPassword: PASSWORD, newPassword: 'quite another password' };
    assert.is((await home.alice.post('/api/auth/changePassword', change)).status, 200);
    isProblem(await world.as(outdated.token).post(checkPath(code())), 401, 11);
  },
);

law('recovery codes stand in for the app, each once', async ({ world, home }) => {
  await setUp(world, home.alice.token);
  const made = await home.alice.post(`${CONFIG}/generate?providerType=BACKUP_CODE`);
  const { codes } = made.json as { codes: string[] };
  assert.is(new Set(codes).size, 10);
  const saved = await home.alice.post(CONFIG, { providerType: 'BACKUP_CODE', codes });
  assert.match(saved.text, '"codesLeft":10');
  const [code = ''] = codes;
  const use = async () =>
    world.as((await half(world, home.alice.email)).token).post(checkPath(code, 'BACKUP_CODE'));
  assert.is((await use()).status, 200);
  isProblem(await use(), 400, 31);
  assert.match((await home.alice.get('/api/2fa/account/settings')).text, '"codesLeft":9');
});

law(
  'a stolen token changes no second factor: that takes a login of the last ten minutes',
  async ({ world, home }) => {
    await setUp(world, home.alice.token);
    world.clock.advance(600_000);
    isProblem(await home.alice.delete(`${CONFIG}?providerType=TOTP`), 400, 31);
    const { authUrl } = (await home.alice.post(`${CONFIG}/generate?providerType=TOTP`)).json as {
      authUrl: string;
    };
    const code = totpCode(totpSecretOf(authUrl) ?? '', world.clock.now());
    isProblem(
      await home.alice.post(`${CONFIG}?verificationCode=${code}`, { providerType: 'TOTP', authUrl }),
      400,
      31,
    );
    const key = (await home.bob.post('/api/apiKey', { description: 'k' })).json as { value: string };
    const byKey = { headers: { 'x-authorization': `ApiKey ${key.value}` } };
    assert.is((await world.nobody.send('POST', `${CONFIG}/generate?providerType=TOTP`, byKey)).status, 403);
  },
);

const policy = (enforcedUsersFilter: object) => ({ enforceTwoFa: true, enforcedUsersFilter });

law('it can be required of a tenant, and of system administrators', async ({ world, home }) => {
  const sysadmin = await systemAdministrator(world);
  const scopeOf = async (email: string) => (await half(world, email)).scope;
  const set = (filter: object) => sysadmin.post('/api/2fa/settings', policy(filter));
  assert.is((await set({ type: 'TENANT_ADMINISTRATORS', tenantsIds: [home.tenantId] })).status, 200);
  assert.is(await scopeOf(home.adminEmail), 'MFA_CONFIGURATION_TOKEN');
  assert.is(await scopeOf(home.alice.email), undefined);
  assert.is((await set({ type: 'TENANTS', tenantsIds: [home.tenantId] })).status, 200);
  assert.is(await scopeOf(home.alice.email), 'MFA_CONFIGURATION_TOKEN');
  assert.match((await sysadmin.get('/api/2fa/settings')).text, '"systemAdministrators":false');

  const enrolling = world.as((await half(world, home.alice.email)).token);
  for (const path of ['/api/auth/user', '/api/auth/2fa/providers'])
    assert.is((await enrolling.get(path)).status, 403);
  isProblem(await enrolling.post('/api/auth/2fa/login'), 400, 31);
  const { token } = await half(world, home.alice.email);
  await setUp(world, token);
  const whole = (await world.as(token).post('/api/auth/2fa/login')).json as Tokens;
  const alice = world.as(whole.token);
  assert.is((await alice.get('/api/auth/user')).status, 200);
  isProblem(await alice.delete(`${CONFIG}?providerType=TOTP`), 400, 31, 'A second factor is required here!');
});

law(
  'a login that set a factor up and was broken off locks nobody out: the next one by a code is complete',
  async ({ world, home }) => {
    const sysadmin = await systemAdministrator(world);
    const filter = { type: 'TENANTS', tenantsIds: [home.tenantId] };
    assert.is((await sysadmin.post('/api/2fa/settings', policy(filter))).status, 200);
    const secret = await setUp(world, (await half(world, home.alice.email)).token);
    for (const _ of 'again') {
      const { token } = await half(world, home.alice.email);
      const checked = await world.as(token).post(checkPath(totpCode(secret, world.clock.now())));
      assert.is(checked.status, 200);
      assert.is((await world.as((checked.json as Tokens).token).get('/api/auth/user')).status, 200);
      world.clock.advance(30_000);
    }
  },
);

law(
  'from when it is required, sessions of who has none are good for nothing, and set-up ends them for good',
  async ({ world, home }) => {
    const sysadmin = await systemAdministrator(world);
    const secret = await setUp(world, home.bob.token);
    const before = await world.login(home.alice.email);
    const key = (await home.alice.post('/api/apiKey', {})).json as { value: string };
    const looking = (await home.admin.get(`/api/user/${home.alice.userId}/token`)).json as Tokens;
    const set = { type: 'TENANTS', tenantsIds: [home.tenantId], systemAdministrators: true };
    assert.is((await sysadmin.post('/api/2fa/settings', policy(set))).status, 200);
    world.clock.advance(3_000);

    const isOut = async (token: string) => isProblem(await world.as(token).get('/api/auth/user'), 401, 11);
    const bare = [before.token, home.alice.token, looking.token];
    for (const token of bare) await isOut(token);
    isProblem(await home.admin.get('/api/auth/user'), 401, 11);
    isProblem(await sysadmin.get('/api/2fa/settings'), 401, 11);
    isProblem(await world.nobody.post('/api/auth/token', { refreshToken: before.refreshToken }), 401, 11);
    assert.is((await home.bob.get('/api/auth/user')).status, 200, 'bob has one');
    const byKey = { headers: { 'x-authorization': `ApiKey ${key.value}` } };
    assert.is((await world.nobody.send('GET', '/api/auth/user', byKey)).status, 200, 'programs go on');

    const { token, scope } = await half(world, home.alice.email);
    assert.is(scope, 'MFA_CONFIGURATION_TOKEN');
    await setUp(world, token);
    await isOut(before.token); // set up, and the login is not complete
    const pair = (await world.as(token).post('/api/auth/2fa/login')).json as Tokens;
    assert.is((await world.as(pair.token).get('/api/auth/user')).status, 200);
    world.clock.advance(3_000);
    await isOut(before.token);
    await isOut(home.alice.token);
    assert.is(secret.length, 32);
  },
);

const changing = changingSecrets(createSecrets(Buffer.alloc(32, 1)));
const told: string[] = [];

law(
  'a secret that a dropped server key has sealed is a wrong code, and the log says what to do',
  async ({ world, home }) => {
    const secret = await setUp(world, home.alice.token);
    const { token } = await half(world, home.alice.email);
    changing.present = createSecrets(Buffer.alloc(32, 9));
    const answer = await world.as(token).post(checkPath(totpCode(secret, world.clock.now())));
    isProblem(answer, 400, 31, 'Verification code is incorrect');
    assert.match(told.join(), 'sealed under a server key that is no longer there');
  },
  {
    log: { ...silentLog, warn: (_fields, message) => told.push(message) },
    disturb: (needs) => ({ ...needs, secrets: changing.secrets }),
  },
);

const [FIRST_KEY, SECOND_KEY, STORE_KEY] = [1, 9, 5].map((byte) => Buffer.alloc(32, byte)) as [
  Buffer,
  Buffer,
  Buffer,
];

law(
  'a second factor outlasts the server key: also one that is older than the key of the store, once its user has logged in',
  async ({ world, home }) => {
    const { alice, bob } = home;
    changing.present = createSecrets(FIRST_KEY, undefined, STORE_KEY);
    const secrets = new Map([
      [alice, await setUp(world, alice.token)],
      [bob, await setUp(world, bob.token)],
    ]);
    const codes = ['0123456789abcdef', 'fedcba9876543210'];
    assert.is((await alice.post(CONFIG, { providerType: 'BACKUP_CODE', codes })).status, 200);
    // As before the store had a key of its own.
    await world.accounts.secondFactors.update(bob.userId, (factor) =>
      factor === undefined
        ? factor
        : {
            ...factor,
            sealedSecret: changing.present.seal(bob.userId, secrets.get(bob) ?? ''),
            codes: codes.map((code) => changing.present.digest(bob.userId, `recovery code ${code}`)),
          },
    );
    const logIn = async (who: typeof alice) => {
      world.clock.advance(30_000);
      const { token } = await half(world, who.email);
      const code = totpCode(secrets.get(who) ?? '', world.clock.now());
      return (await world.as(token).post(checkPath(code))).status;
    };
    const recover = async (who: typeof alice, code = '') =>
      (await world.as((await half(world, who.email)).token).post(checkPath(code, 'BACKUP_CODE'))).status;

    changing.present = createSecrets(SECOND_KEY, FIRST_KEY, STORE_KEY);
    assert.equal([await logIn(bob), await recover(bob, codes[0])], [200, 200]);
    changing.present = createSecrets(SECOND_KEY, undefined, STORE_KEY);
    assert.equal([await logIn(alice), await recover(alice, codes[0])], [200, 200]);
    assert.is(await logIn(bob), 200);
    assert.is(await recover(bob, codes[1]), 400, 'an old recovery code goes with its key');
  },
  { disturb: (needs) => ({ ...needs, secrets: changing.secrets }) },
);

law(
  'MQTT_BASIC credentials that a dropped key has sealed are shown as unreadable, and can be set again',
  async ({ world, home }) => {
    changing.present = createSecrets(Buffer.alloc(32, 1));
    const id = await provision(world, home.tenantId, 'lamp', null);
    const path = `/api/device/${id}/credentials`;
    const before = (await home.admin.get(path)).json as object;
    const credentialsValue = JSON.stringify({ clientId: 'c', userName: 'u', password: 'secret-of-lamp' });
    const basic = { ...before, credentialsType: 'MQTT_BASIC', credentialsId: null, credentialsValue };
    const save = (credentials: object) => home.admin.post('/api/device/credentials', credentials);
    assert.is((await save(basic)).status, 200);
    changing.present = createSecrets(Buffer.alloc(32, 9));
    const shown = (await home.admin.get(path)).json as { credentialsValue: string | null };
    assert.is(shown.credentialsValue, null);
    isProblem(await save(shown), 400, 31); // as a client would that changes something else
    assert.is((await save(basic)).status, 200);
    assert.match((await home.admin.get(path)).text, 'secret-of-lamp');
  },
  { disturb: (needs) => ({ ...needs, secrets: changing.secrets }) },
);

law(
  'where nobody must have one any more, sessions that began before count again',
  async ({ world, home }) => {
    const sysadmin = await systemAdministrator(world);
    await sysadmin.post('/api/2fa/settings', policy({ type: 'TENANTS', tenantsIds: [home.tenantId] }));
    world.clock.advance(3_000);
    isProblem(await home.alice.get('/api/auth/user'), 401, 11);
    await sysadmin.post('/api/2fa/settings', { enforceTwoFa: false });
    world.clock.advance(3_000);
    assert.is((await home.alice.get('/api/auth/user')).status, 200);
  },
);

law(
  'a token for setting up, got by the password before the owner used one, neither logs in nor changes anything afterwards',
  async ({ world, home }) => {
    const sysadmin = await systemAdministrator(world);
    await sysadmin.post('/api/2fa/settings', policy({ type: 'ALL' }));
    const thief = world.as((await half(world, home.alice.email)).token);
    const { token } = await half(world, home.alice.email);
    const owner = world.as(token);
    const secret = await setUp(world, token);
    const changeBy = async (who: typeof thief) => {
      const { authUrl } = (await who.post(`${CONFIG}/generate?providerType=TOTP`)).json as {
        authUrl: string;
      };
      const code = totpCode(totpSecretOf(authUrl) ?? '', world.clock.now());
      return [
        await who.post(`${CONFIG}?verificationCode=${code}`, { providerType: 'TOTP', authUrl }),
        await who.post(CONFIG, { providerType: 'BACKUP_CODE', codes: ['0123456789abcdef'] }),
        await who.post('/api/auth/2fa/login'),
      ];
    };
    const refusal = 'A second factor is set up already. Log in again, with its code!';
    for (const answer of await changeBy(thief)) isProblem(answer, 400, 31, refusal);
    const codes = ['fedcba9876543210'];
    assert.is((await owner.post(CONFIG, { providerType: 'BACKUP_CODE', codes })).status, 200);
    assert.is((await owner.post('/api/auth/2fa/login')).status, 200);
    // Nor does the owner's own, once it has logged in.
    for (const who of [thief, owner])
      for (const answer of await changeBy(who)) isProblem(answer, 400, 31, refusal);
    const right = checkPath(totpCode(secret, world.clock.now()));
    assert.is((await world.as((await half(world, home.alice.email)).token).post(right)).status, 200);
  },
);

law('it goes with its user, and when its user switches it off', async ({ world, home }) => {
  await setUp(world, home.alice.token);
  assert.is((await home.alice.delete(`${CONFIG}?providerType=TOTP`)).status, 200);
  await world.login(home.alice.email);
  await setUp(world, (await world.login(home.bob.email)).token);
  isDone(await home.admin.delete(`/api/user/${home.bob.userId}`));
  assert.is(await world.accounts.secondFactors.get(home.bob.userId), undefined);
});

law('pages: set up by a QR code, asked for at the next sign-in, and a recovery code helps', async () => {
  const world = createWebWorld();
  try {
    const home = await settle(world, 'home');
    const alice = visitor(world);
    await alice.signIn(home.alice.email);
    const page = await alice.get('/account/second-factor');
    const url = /name="url" value="([^"]+)"/.exec(page.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const secret = totpSecretOf(url) ?? '';
    assert.match((await alice.post('/account/second-factor', { url, code: '123' })).text, 'incorrect');
    const done = await alice.post('/account/second-factor', {
      url,
      code: totpCode(secret, world.clock.now()),
    });
    assert.match((await alice.follow(done)).text, 'On: signing in takes a code of your app. You have 0');
    const codes = (await alice.post('/account/recovery-codes', {})).text.match(/\b[0-9a-f]{16}\b/g) ?? [];
    assert.is(codes.length, 10);

    const other = visitor(world);
    const asked = await other.post('/login', {
      email: home.alice.email,
      password: PASSWORD,
      next: '/account',
    });
    assert.is(asked.status, 200);
    const token = /name="token" value="([^"]+)"/.exec(asked.html)?.[1] ?? '';
    assert.is((await other.get('/account')).to, '/login?next=%2Faccount');
    const wrong = await other.post('/login/code', { token, next: '/account', code: '000000' });
    assert.match(wrong.text, 'That code is not right');
    const right = await other.post('/login/code', { token, next: '//evil.example', code: codes[0] ?? '' });
    assert.equal([right.status, right.to], [303, '/']);
    assert.match((await other.get('/account')).text, 'You have 9 recovery codes left');
    await alice.follow(await alice.post('/account/second-factor/off', {}));
    assert.match((await alice.get('/account')).text, 'Off: who knows your password');
  } finally {
    await world.stop();
  }
});

law('pages: where it is required, signing in leads through setting it up', async () => {
  const world = createWebWorld();
  try {
    const home = await settle(world, 'home');
    const sysadmin = await systemAdministrator(world);
    await sysadmin.post('/api/2fa/settings', policy({ type: 'ALL' }));
    const alice = visitor(world);
    const asked = await alice.post('/login', { email: home.alice.email, password: PASSWORD, next: '/' });
    assert.match(asked.text, 'Signing in here takes one.');
    const value = (name: string) =>
      new RegExp(`name="${name}" value="([^"]+)"`).exec(asked.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const [url, token] = [value('url'), value('token')];
    const code = totpCode(totpSecretOf(url) ?? '', world.clock.now());
    const done = await alice.post('/login/second-factor', { url, token, next: '/', code });
    assert.match((await alice.follow(done)).text, 'On: signing in takes a code');
  } finally {
    await world.stop();
  }
});

/** ThingsBoard's shape, as its clients read it. */
law('answers have the members that clients read', async ({ world, home }) => {
  await setUp(world, home.alice.token);
  const keys = (answer: Answer) => Object.keys(answer.json as object);
  assert.equal(keys(await home.alice.get('/api/2fa/account/settings')), ['configs']);
  const { token } = await half(world, home.alice.email);
  const providers = (await world.as(token).get('/api/auth/2fa/providers')).json;
  assert.equal(providers, [
    { type: 'TOTP', default: true },
    { type: 'BACKUP_CODE', default: false },
  ]);
  isDone(await world.as(token).post('/api/auth/2fa/verification/send?providerType=TOTP'));
});

run();
