/**
 * Access tokens of another issuer on the REST API: what holds acts as the user that its subject is linked to, what is forged opens
 * nothing, and an issuer that is away, slow or made to be asked all the time stops nobody.
 */
import * as assert from 'uvu/assert';
import type { ProviderId } from '../../actors/base/ids.ts';
import { API, CLIENT, type IdentityProvider, startIdentityProvider } from '../kit/identity-provider.ts';
import {
  type Caller,
  claimPath,
  isProblem,
  openWindow,
  provision,
  restLaws,
  type Scene,
  systemAdministrator,
} from '../kit/rest-client.ts';
import { until } from '../kit/until.ts';

const { law, run } = restLaws('access tokens of another issuer');

interface Set extends Scene {
  readonly idp: IdentityProvider;
  readonly root: Caller;
  readonly providerId: string;
  /** Now, in seconds. */
  now(): number;
  link(subject: string, userId: string, more?: object): Promise<number>;
}

function story(name: string, play: (set: Set) => Promise<void>, more: object = {}): void {
  law(name, async (scene) => {
    const { world, home } = scene;
    const idp = await startIdentityProvider();
    try {
      const root = await systemAdministrator(world);
      const made = await root.post('/api/oauth2/client', {
        ...CLIENT,
        title: 'Platform',
        loginButtonLabel: 'Platform',
        issuer: idp.issuer,
        apiAudience: API,
        ...more,
      });
      assert.is(made.status, 200, made.text);
      const { id: providerId } = (made.json as { id: { id: string } }).id;
      const now = () => Math.floor(world.clock.now() / 1000);
      const link: Set['link'] = async (subject, userId, how = {}) =>
        (await root.post(`/api/oauth2/client/${providerId}/link`, { subject, userId, ...how })).status;
      assert.is(await link('a person', home.alice.userId), 200);
      await play({ ...scene, idp, root, providerId, now, link });
    } finally {
      await idp.stop();
    }
  });
}

const who = (caller: Caller) => caller.get('/api/auth/user');

story('a token of a linked subject claims for its user', async ({ world, home, idp, now }) => {
  const id = await provision(world, home.tenantId, 'Heater');
  await openWindow(world, id, 'secret');
  const person = world.as(await idp.accessToken(now()));
  assert.is((await person.post(claimPath('Heater'), { secretKey: 'secret' })).status, 200);
  assert.is((await world.devices.read(id))?.owner?.customerId, home.alice.customerId);
  const standard = await world.nobody.send('GET', '/api/auth/user', {
    headers: { authorization: `Bearer ${await idp.accessToken(now())}` },
  });
  assert.is(standard.status, 200);
});

story('it does not make a login that outlasts it, and a machine may only claim', async (set) => {
  const { world, home, idp, now } = set;
  const person = world.as(await idp.accessToken(now()));
  const change = { currentPassword: 'a', newPassword: 'another long password' };
  isProblem(await person.post('/api/auth/changePassword', change), 403, 20);
  assert.is(await set.link('a machine', home.bob.userId, { claimingOnly: true }), 200);
  const machine = world.as(await idp.accessToken(now(), { claims: { sub: 'a machine' } }));
  assert.is((await who(machine)).status, 200);
  isProblem(await machine.get(`/api/customer/${home.bob.customerId}/devices?pageSize=10&page=0`), 403, 20);
});

story(
  'a password that is set by a mail ends the tokens of sign-ins that were added before, at once',
  async (set) => {
    const { world, home, idp, now } = set;
    const { users, providerLinks } = world.accounts;
    const user = await users.find(home.alice.userId);
    if (user === undefined) throw new Error('she is there');
    const providerId = set.providerId as ProviderId;
    await providerLinks.add({ tenantId: null, iss: idp.issuer, sub: 'a thief' }, user, { providerId });
    const linked = world.as(await idp.accessToken(now()));
    const added = world.as(await idp.accessToken(now(), { claims: { sub: 'a thief' } }));
    for (const caller of [linked, added]) assert.is((await who(caller)).status, 200);
    const asked = { token: 'a token in the mail', email: user.email, askedAt: world.clock.now() + 1 };
    await users.beginReset(user.id, { ...asked, lifeMs: 60_000 });
    assert.is((await users.resetPassword(asked.token, 'a password of her own')).type, 'done');
    assert.is((await who(linked)).status, 200, 'what a system administrator linked stays');
    isProblem(await who(added), 401, 10);
  },
);

story('a subject is not taken for one that may only claim because that was asked for later', async (set) => {
  assert.is(await set.link('a person', set.home.alice.userId, { claimingOnly: true }), 400);
  assert.is(await set.link('a person', set.home.alice.userId), 200);
});

story('a key that is none, in the set of the issuer, makes a bad token and no fault', async (set) => {
  const { world, idp, now } = set;
  const jwk = { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', kid: 'broken', alg: 'ES256' };
  idp.disturb('/jwks', (response) => response.end(JSON.stringify({ keys: [jwk] })));
  const [, ...rest] = (await idp.accessToken(now())).split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: 'broken', typ: 'at+jwt' }));
  isProblem(await who(world.as([header.toString('base64url'), ...rest].join('.'))), 401, 10);
});

story('what is forged, meant for others or of another kind opens nothing', async ({ world, idp, now }) => {
  const stranger = await startIdentityProvider();
  try {
    const forged: Readonly<Record<string, Promise<string>>> = {
      'without signature': idp.accessToken(now(), { signed: 'none' }),
      'signed with the public key': idp.accessToken(now(), { signed: 'HS256' }),
      'signed with the secret of the client': idp.accessToken(now(), { signed: 'secret' }),
      'signed by a stranger': idp.accessToken(now(), { signed: 'stranger' }),
      'of a stranger in its name': stranger.accessToken(now(), { claims: { iss: idp.issuer } }),
      'of an issuer that does not count': stranger.accessToken(now()),
      'for another audience': idp.accessToken(now(), { claims: { aud: 'another' } }),
      'for the client, as an id_token is': idp.accessToken(now(), { claims: { aud: CLIENT.clientId } }),
      'without an audience': idp.accessToken(now(), { claims: { aud: null } }),
      'without an end': idp.accessToken(now(), { claims: { exp: null } }),
      'that has ended': idp.accessToken(now() - 1_000),
      'that has not begun': idp.accessToken(now(), { claims: { nbf: now() + 300 } }),
      'without a subject': idp.accessToken(now(), { claims: { sub: null } }),
      'of a subject that is linked to nobody': idp.accessToken(now(), { claims: { sub: 'somebody' } }),
      'that is no access token': idp.accessToken(now(), { typ: 'JWT' }),
      'that logs somebody out': idp.accessToken(now(), { typ: 'logout+jwt' }),
      'that is too long': idp.accessToken(now(), { claims: { more: 'x'.repeat(9_000) } }),
      'that is none': Promise.resolve('a.b.c'),
    };
    for (const [what, token] of Object.entries(forged))
      assert.is((await who(world.as(await token))).status, 401, what);
    assert.is((await who(world.as(await idp.accessToken(now())))).status, 200);
  } finally {
    await stranger.stop();
  }
});

story(
  'tokens of the plain type are taken where the operator says so',
  async ({ world, idp, now }) => {
    assert.is((await who(world.as(await idp.accessToken(now(), { typ: 'JWT' })))).status, 200);
    assert.is((await who(world.as(await idp.accessToken(now(), { typ: 'logout+jwt' })))).status, 401);
  },
  { apiTakesPlainJwt: true },
);

story('a token ends when it says, and with its user', async ({ world, home, idp, now }) => {
  const short = await idp.accessToken(now(), { claims: { exp: now() + 20 } });
  assert.is((await who(world.as(short))).status, 200);
  world.clock.advance(51_000); // 30 s of tolerance are over too
  assert.is((await who(world.as(short))).status, 401);
  const person = world.as(await idp.accessToken(now()));
  assert.is((await who(person)).status, 200);
  await world.accounts.users.setEnabled(home.alice.userId, false);
  assert.is((await who(person)).status, 401);
});

story('keys are asked for once, whoever shows unknown ones', async ({ world, idp, now }) => {
  for (let n = 0; n < 30; n += 1) {
    const flood = world.as(await idp.accessToken(now(), { kid: `random ${n}` }));
    assert.is((await who(flood)).status, 401);
  }
  assert.is((await who(world.as(await idp.accessToken(now())))).status, 200);
  assert.is(idp.asked.get('/jwks'), 1);
});

story('the issuer may change its keys', async ({ world, idp, now }) => {
  assert.is((await who(world.as(await idp.accessToken(now())))).status, 200);
  const old = await idp.accessToken(now(), { claims: { exp: now() + 400 } });
  await idp.rotate();
  const real = Date.now;
  Date.now = () => real() + 31_000; // the key set's own clock: it is asked for again after half a minute
  try {
    assert.is((await who(world.as(await idp.accessToken(now())))).status, 200);
    assert.is((await who(world.as(old))).status, 401, 'a key that is gone signs nothing');
  } finally {
    Date.now = real;
  }
});

story('the issuer may move its keys: a test of the provider finds them at once', async (set) => {
  const { world, idp, now, root, providerId } = set;
  assert.is((await who(world.as(await idp.accessToken(now())))).status, 200);
  await idp.rotate();
  const read = async (path: string) => (await fetch(`${idp.issuer}${path}`)).text();
  const [keys, metadata] = [await read('/jwks'), await read('/.well-known/openid-configuration')];
  const moved = JSON.stringify({ ...JSON.parse(metadata), jwks_uri: `${idp.issuer}/moved` });
  const headers = { 'content-type': 'application/json' };
  idp.disturb('/moved', (response) => response.writeHead(200, headers).end(keys));
  idp.disturb('/.well-known/openid-configuration', (response) => response.writeHead(200, headers).end(moved));
  idp.disturb('/jwks', (response) => response.writeHead(404).end());
  const isKnown = async () => (await who(world.as(await idp.accessToken(now())))).status === 200;
  assert.not(await isKnown(), 'what it says of itself is remembered');
  assert.is((await root.post(`/api/oauth2/client/${providerId}/test`)).status, 200);
  await until('its keys are looked for where they are', isKnown);
});

story('while the issuer is away the keys that were there go on, and without any it is told', async (set) => {
  const { world, idp, now } = set;
  idp.disturb('/jwks', (response) => response.writeHead(500).end());
  assert.is((await who(world.as(await idp.accessToken(now())))).status, 503);
  idp.disturb('/jwks', undefined);
  assert.is((await who(world.as(await idp.accessToken(now())))).status, 200);
  idp.disturb('/jwks', (response) => response.destroy());
  const later = await idp.accessToken(now(), { claims: { exp: now() + 300 } });
  assert.is((await who(world.as(later))).status, 200);
});

story('a subject is one user, and no system administrator', async (set) => {
  const { home, root } = set;
  assert.is(await set.link('a person', home.bob.userId), 400);
  const { id } = ((await root.get('/api/auth/user')).json as { id: { id: string } }).id;
  assert.is(await set.link('root', id), 403);
  const path = `/api/oauth2/client/${set.providerId}/link`;
  isProblem(await home.admin.post(path, { subject: 'x', userId: home.alice.userId }), 403, 20);
});

story(
  "a tenant's provider brings no tokens, and none takes an id_token for one",
  async ({ home, root, idp }) => {
    const fields = { ...CLIENT, title: 'A', loginButtonLabel: 'A', issuer: idp.issuer };
    isProblem(await home.admin.post('/api/oauth2/client', { ...fields, apiAudience: API }), 400, 31);
    isProblem(await root.post('/api/oauth2/client', { ...fields, apiAudience: CLIENT.clientId }), 400, 31);
  },
);

run();
