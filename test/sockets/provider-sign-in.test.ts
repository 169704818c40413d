/**
 * Signing in with an identity provider, by a browser's steps and against a provider that lies: what is forged, replayed, mixed up or
 * late signs nobody in, and no provider vouches for users who are none of its administrator's business.
 */
import * as assert from 'uvu/assert';
import { subjectId } from '../../actors/accounts/provider-links.ts';
import type { ProviderId, UserId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import { defaultWebSettings } from '../../http/web/settings.ts';
import { CLIENT, type IdentityProvider, type Lies, startIdentityProvider } from '../kit/identity-provider.ts';
import {
  type Caller,
  isProblem,
  provision,
  type RestOptions,
  type RestWorld,
  restLaws,
  type Scene,
  settle,
  systemAdministrator,
} from '../kit/rest-client.ts';
import { type Visitor, visitor } from '../kit/web-client.ts';

const { law, run } = restLaws('signing in with an identity provider');

const PAGES: RestOptions = { disturb: (needs) => ({ ...needs, web: defaultWebSettings }) };
const ALICE = { sub: 'sub-of-alice', email: 'alice@home.test', email_verified: true };
const STRANGER = { sub: 'sub-of-a-stranger', email: 'new@elsewhere.test', email_verified: true };

type Play = (
  scene: Scene & { readonly idp: IdentityProvider; readonly set: SetUp; readonly browser: Visitor },
) => Promise<void>;
type SetUp = (by: Caller, more?: object) => Promise<string>;

function story(name: string, play: Play, metadata: object = {}, options: RestOptions = PAGES): void {
  law(
    name,
    async (scene) => {
      const idp = await startIdentityProvider(metadata);
      try {
        await play({ ...scene, idp, set: setUpWith(idp), browser: visitor(scene.world) });
      } finally {
        await idp.stop();
      }
    },
    options,
  );
}

/** Sets a provider up. Resolves to its id. */
function setUpWith({ issuer }: Pick<IdentityProvider, 'issuer'>): SetUp {
  return async (by, more = {}) => {
    const fields = { title: 'Acme', loginButtonLabel: 'Sign in with Acme', issuer, ...CLIENT };
    const domains = { allowedEmailDomains: ['home.test'] };
    const made = await by.post('/api/oauth2/client', { ...fields, ...domains, ...more });
    assert.is(made.status, 200, made.text);
    return (made.json as { id: { id: string } }).id.id;
  };
}

const SIGN_UP = { allowedEmailDomains: [], mapperConfig: { allowUserCreation: true } };

async function leave(browser: Visitor, id: string, prevUri = '/claim'): Promise<string> {
  const left = await browser.get(`/oauth2/authorization/${id}?prevUri=${encodeURIComponent(prevUri)}`);
  assert.is(left.status, 303, left.text);
  return left.to ?? '';
}

async function signIn(
  { browser, idp }: { readonly browser: Visitor; readonly idp: IdentityProvider },
  id: string,
  person: Readonly<Record<string, unknown>> = ALICE,
  lies: Lies = {},
) {
  return browser.get(idp.approve(await leave(browser, id), person, lies));
}

const isIn = (browser: Visitor) => browser.cookies.has('claimd-session');

/** Nobody was signed in, and the login page says why. */
async function isOut(browser: Visitor, shown: Awaited<ReturnType<Visitor['get']>>, words: RegExp) {
  assert.is(shown.to, '/login');
  assert.not.ok(isIn(browser));
  assert.match((await browser.follow(shown)).text, words);
}

async function sessionsOf({ accounts }: RestWorld, id: UserId): Promise<number> {
  return (await accounts.users.sessions(id)).length;
}

story(
  'a user is found by a checked address at first, and by issuer and subject from then on',
  async (all) => {
    const { home, world, browser, set } = all;
    const id = await set(home.admin);
    const before = await sessionsOf(world, home.alice.userId);
    const back = await signIn(all, id);
    assert.is(back.to, '/claim');
    assert.ok(isIn(browser));
    assert.is(await sessionsOf(world, home.alice.userId), before + 1);
    assert.not.match([...browser.cookies.keys()].join(), /oidc/, 'the attempt is over');
    // Another address at the provider: still the same person.
    const again = { ...all, browser: visitor(world) };
    assert.is(
      (await signIn(again, id, { ...ALICE, email: 'other@home.test', email_verified: false })).to,
      '/claim',
    );
    assert.is(await sessionsOf(world, home.alice.userId), before + 2);
    assert.match((await again.browser.get('/account')).text, /alice@home\.test/);
  },
);

story('whoever is given the address of somebody who has signed in before is somebody else', async (all) => {
  const { home, world, set } = all;
  const id = await set(home.admin);
  assert.is((await signIn(all, id)).to, '/claim');
  const heir = { ...all, browser: visitor(world) };
  await isOut(heir.browser, await signIn(heir, id, { ...ALICE, sub: 'sub-of-her-heir' }), /no account here/);
  const herself = { ...all, browser: visitor(world) };
  assert.is((await signIn(herself, id)).to, '/claim', 'she herself goes on');
});

for (const authorization_endpoint of ['/authorize', 7, ['https://elsewhere.test/']])
  story(
    `metadata that send the browser to ${JSON.stringify(authorization_endpoint)} are refused in words`,
    async ({ world, home, set }) => {
      const providerId = await set(home.admin);
      isProblem(await world.nobody.post('/api/noauth/oauth2/begin', { providerId }), 502, 2);
    },
    { authorization_endpoint },
  );

const told: { readonly fields: object; readonly message: string }[] = [];
story(
  'a client secret that is good no more is told to the person in words, and in the log by the name that it has at the provider',
  async (all) => {
    const id = await all.set(all.home.admin);
    all.idp.disturb('/token', (response) =>
      response
        .writeHead(401, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: 'invalid_client', error_description: `not ${CLIENT.clientSecret}` })),
    );
    await isOut(all.browser, await signIn(all, id), /does not hold/);
    const { fields } = told.find(({ message }) => /does not sign somebody in/.test(message)) ?? {};
    assert.equal(fields, {
      providerId: id,
      tenantId: all.home.tenantId,
      why: 'provider-wrong',
      code: 'invalid_client',
    });
    // What the person decides there is nobody else's business.
    const before = told.length;
    const { searchParams } = new URL(await leave(all.browser, id));
    const state = searchParams.get('state') ?? '';
    const no = new URLSearchParams({ error: 'access_denied', state, iss: all.idp.issuer });
    const back = new URL(searchParams.get('redirect_uri') ?? '').pathname;
    await isOut(all.browser, await all.browser.get(`${back}?${no}`), /broken off/);
    assert.is(told.length, before);
  },
  {},
  { ...PAGES, log: { ...silentLog, warn: (fields, message) => void told.push({ fields, message }) } },
);

story(
  'what the browser is sent to has code flow, PKCE, state and nonce, and no secret in it',
  async (all) => {
    const url = new URL(await leave(all.browser, await all.set(all.home.admin)));
    const { searchParams } = url;
    assert.is(searchParams.get('response_type'), 'code');
    assert.is(searchParams.get('code_challenge_method'), 'S256');
    for (const name of ['code_challenge', 'state', 'nonce'])
      assert.ok((searchParams.get(name) ?? '').length >= 43);
    assert.match(
      searchParams.get('redirect_uri') ?? '',
      /^http:\/\/localhost\/login\/oauth2\/code\/[0-9a-f-]{36}$/,
    );
    assert.not.match(url.href, /secret/);
  },
);

const FORGED: Readonly<Record<string, Lies>> = {
  'without signature': { signed: 'none' },
  'signed with the public key as a secret': { signed: 'HS256' },
  'signed with the secret of the client': { signed: 'secret' },
  'signed by a stranger under the id of the right key': { signed: 'stranger' },
  'of another issuer': { claims: { iss: 'https://elsewhere.test' } },
  'for another client': { claims: { aud: 'another client' } },
  'for several, this one not in charge': { claims: { aud: ['claimd', 'another'], azp: 'another' } },
  'with the nonce of another attempt': { claims: { nonce: 'another' } },
  'without a nonce': { claims: { nonce: null } },
  'that has expired': { claims: { iat: 1_000, exp: 2_000 } },
  'without a subject': { claims: { sub: null } },
  'whose subject is no text': { claims: { sub: { $ne: null } } },
};

for (const [what, lies] of Object.entries(FORGED)) {
  story(`an id_token ${what} signs nobody in`, async (all) => {
    const id = await all.set(all.home.admin);
    await isOut(all.browser, await signIn(all, id, ALICE, lies), /does not hold/);
    assert.is((await signIn(all, id)).to, '/claim', 'an honest one does');
  });
}

story('the answer of one provider is not taken for that of another', async (all) => {
  const { home, browser, idp, set } = all;
  const evil = await startIdentityProvider();
  try {
    const honest = await set(home.admin);
    const other = await setUpWith(evil)(home.admin);
    // The browser began at the evil one, which sent it on to the honest one with what is ours in it.
    const begun = await leave(browser, other);
    const answer = idp.approve(begun, ALICE);
    await isOut(browser, await browser.get(answer), /does not hold/);
    await isOut(
      browser,
      await browser.get(answer.replace(other, honest)),
      /another browser, or took too long/,
    );
    const lying = idp.approve(await leave(browser, honest), ALICE, { answeredIss: evil.issuer });
    await isOut(browser, await browser.get(lying), /does not hold/);
  } finally {
    await evil.stop();
  }
});

story('an answer is good in the browser that began, once, and not for ever', async (all) => {
  const { world, home, browser, idp, set } = all;
  const id = await set(home.admin);
  const answer = idp.approve(await leave(browser, id), ALICE);
  const other = visitor(world);
  await isOut(other, await other.get(answer), /another browser/);
  const kept = new Map(browser.cookies);
  assert.is((await browser.get(answer)).to, '/claim');
  for (const [name, value] of kept) other.setCookie(name, value);
  await isOut(other, await other.get(answer), /does not hold/); // the code is used up
  const late = visitor(world);
  const lateAnswer = idp.approve(await leave(late, id), ALICE);
  world.clock.advance(600_000);
  await isOut(late, await late.get(lateAnswer), /took too long/);
});

story('two tabs sign in beside each other', async (all) => {
  const { browser, idp, set, home } = all;
  const id = await set(home.admin);
  const [one, two] = [await leave(browser, id, '/claim'), await leave(browser, id, '/account')];
  assert.is((await browser.get(idp.approve(two, ALICE))).to, '/account');
  assert.is((await browser.get(idp.approve(one, ALICE))).to, '/claim');
});

story('nobody is led to another site afterwards', async (all) => {
  const id = await all.set(all.home.admin);
  for (const evil of ['//evil.test', '/\\evil.test', 'https://evil.test', '/\t/evil.test']) {
    const browser = visitor(all.world);
    const back = await browser.get(all.idp.approve(await leave(browser, id, evil), ALICE));
    assert.is(back.to, '/', evil);
  }
});

story('an address that the provider has not checked, or may not vouch for, finds nobody', async (all) => {
  const { browser, set, home } = all;
  const id = await set(home.admin);
  for (const email_verified of [false, null, 'no', 1])
    await isOut(browser, await signIn(all, id, { ...ALICE, email_verified }), /has not checked/);
  const elsewhere = await set(home.admin, { allowedEmailDomains: ['other.test'] });
  await isOut(browser, await signIn(all, elsewhere), /no account here/);
  await isOut(browser, await signIn(all, elsewhere, STRANGER), /no account here/);
});

story('an address that a user gave itself does not draw its owner into that account', async (all) => {
  const { accounts } = all.world;
  const { userId } = all.home.bob;
  const fields = { firstName: null, lastName: null, phone: null, additionalInfo: null };
  await accounts.users.update(userId, { email: 'victim@home.test', ...fields }, undefined, 'itself');
  const id = await all.set(all.home.admin);
  const victim = { sub: 'victim', email: 'victim@home.test', email_verified: true };
  await isOut(all.browser, await signIn(all, id, victim), /no account here/);
});

story('a provider of one tenant vouches for nobody of another, and for no administrator', async (all) => {
  const { world, home, browser, set } = all;
  const other = await settle(world, 'other');
  const theirs = await set(other.admin, { allowedEmailDomains: ['home.test', 'other.test'] });
  await isOut(browser, await signIn(all, theirs), /no account here/);
  const admin = { sub: 'admin', email: 'admin@other.test', email_verified: true };
  await isOut(browser, await signIn(all, theirs, admin), /no account here/);
  // The same issuer and subject through the own provider is not what the other one said.
  assert.is((await signIn(all, await set(home.admin))).to, '/claim');
  const again = visitor(world);
  await isOut(again, await signIn({ ...all, browser: again }, theirs), /no account here/);
});

story(
  'a provider of the system signs administrators of tenants in, and never its own equals',
  async (all) => {
    const root = await systemAdministrator(all.world);
    const id = await all.set(root, { allowedEmailDomains: ['home.test', 'claimd.test'] });
    const admin = { sub: 'admin', email: 'admin@home.test', email_verified: true };
    assert.is((await signIn(all, id, admin)).to, '/claim');
    const equal = { sub: 'root', email: 'sysadmin@claimd.test', email_verified: true };
    const browser = visitor(all.world);
    await isOut(browser, await signIn({ ...all, browser }, id, equal), /no account here/);
  },
);

story('the same subject of another issuer is another person', async (all) => {
  const evil = await startIdentityProvider();
  try {
    assert.is((await signIn(all, await all.set(all.home.admin))).to, '/claim');
    const id = await setUpWith(evil)(all.home.admin, { allowedEmailDomains: [] });
    const browser = visitor(all.world);
    await isOut(browser, await signIn({ ...all, idp: evil, browser }, id), /no account here/);
  } finally {
    await evil.stop();
  }
});

story('who is disabled stays out, and who was deleted is not remembered', async (all) => {
  const { accounts } = all.world;
  const id = await all.set(all.home.admin);
  assert.is((await signIn(all, id)).to, '/claim');
  await accounts.users.setEnabled(all.home.alice.userId, false);
  const browser = visitor(all.world);
  await isOut(browser, await signIn({ ...all, browser }, id), /not active/);
  await accounts.users.remove(all.home.alice.userId);
  await isOut(browser, await signIn({ ...all, browser }, id), /no account here/);
});

story('a second factor is asked for as after a password', async (all) => {
  const { secondFactors } = all.world.accounts;
  const { userId } = all.home.alice;
  await secondFactors.update(userId, () => ({ sealedSecret: 'x', since: 0, lastStep: 0, codes: [] }));
  const shown = await signIn(all, await all.set(all.home.admin));
  assert.match(shown.text, /Your code/);
  assert.not.ok(isIn(all.browser));
});

story(
  'a provider that is slow to be found, huge or away is told in words, and may come back',
  async (all) => {
    const { browser, idp, set, home } = all;
    const id = await set(home.admin);
    const url = await leave(browser, id);
    const answers: Parameters<IdentityProvider['disturb']>[1][] = [
      (response) => response.writeHead(500).end(),
      (response) => response.destroy(),
      (response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(`"${'x'.repeat(2 ** 20)}"`),
    ];
    for (const answer of answers) {
      idp.disturb('/token', answer);
      const at = idp.approve(await leave(browser, id), ALICE);
      await isOut(browser, await browser.get(at), /does not answer/);
    }
    idp.disturb('/token', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'));
    await isOut(browser, await browser.get(idp.approve(url, ALICE)), /does not hold/);
    idp.disturb('/token', undefined);
    assert.is((await signIn(all, id)).to, '/claim');
  },
);

story('keys of the provider are not asked for with every sign-in', async (all) => {
  const id = await all.set(all.home.admin);
  for (let times = 0; times < 5; times += 1) await signIn(all, id);
  assert.is(all.idp.asked.get('/jwks'), 1);
  assert.is(all.idp.asked.get('/.well-known/openid-configuration'), 1);
});

story(
  'metadata of another issuer are not believed',
  async (all) => {
    const id = await all.set(all.home.admin);
    const left = await all.browser.get(`/oauth2/authorization/${id}`);
    await isOut(all.browser, left, /does not hold/);
  },
  { issuer: 'https://elsewhere.test' },
);

story(
  'nobody signs up where the operator has not allowed it, whatever a provider is set to',
  async (all) => {
    const { world, home, browser, set } = all;
    const id = await set(home.admin, { mapperConfig: SIGN_UP.mapperConfig });
    const newcomer = { ...STRANGER, email: 'new@home.test' };
    await isOut(browser, await signIn(all, id, newcomer), /no account here/);
    assert.is(await world.accounts.users.findByEmail(newcomer.email), undefined);
    assert.is((await signIn(all, id)).to, '/claim', 'who has an account signs in all the same');
  },
  {},
  { ...PAGES, allowSignUp: false },
);

story('a tenant that is deleted takes its providers along', async (all) => {
  const { world, home, set } = all;
  const sysadmin = await systemAdministrator(world);
  const id = await set(home.admin);
  assert.is((await signIn(all, id)).to, '/claim');
  assert.is((await sysadmin.delete(`/api/tenant/${home.tenantId}`)).status, 200);
  const left = await visitor(world).get(`/oauth2/authorization/${id}`);
  assert.is(left.to, '/login', 'nobody is sent to it any more');
});

story('who signs up becomes the only user of a customer of its own', async (all) => {
  const { world, home, browser, set } = all;
  const id = await set(home.admin, SIGN_UP);
  await isOut(browser, await signIn(all, id, { ...STRANGER, email_verified: false }), /has not checked/);
  assert.is((await signIn(all, id, STRANGER)).to, '/claim');
  const user = await world.accounts.users.findByEmail(STRANGER.email);
  assert.is(user?.membership.authority, 'CUSTOMER_USER');
  // Somebody else at the provider who has this address by now: neither the account nor the customer is theirs.
  const later = visitor(world);
  const recycled = { ...STRANGER, sub: 'another person' };
  await isOut(later, await signIn({ ...all, browser: later }, id, recycled), /no account here/);
  // Nor is an account that was there before.
  const known = visitor(world);
  await isOut(known, await signIn({ ...all, browser: known }, id, ALICE), /no account here/);
});

story(
  'who has an account with one tenant may sign up with another, which learns nothing of it',
  async (all) => {
    const { world, home } = all;
    const other = await settle(world, 'other');
    const theirs = await all.set(other.admin, SIGN_UP);
    assert.is((await signIn(all, theirs)).to, '/claim');
    const me = await all.browser.get('/account');
    assert.match(me.text, /alice@home\.test/);
    assert.is(
      (await world.accounts.users.findByEmail(ALICE.email))?.id,
      home.alice.userId,
      'the first keeps it',
    );
    assert.is(await sessionsOf(world, home.alice.userId), 1);
  },
);

story('by domain, people share a customer, and only where the domains are named', async (all) => {
  const { accounts } = all.world;
  const mapperConfig = { allowUserCreation: true, basic: { customerNamePattern: 'People of %{domain}' } };
  const unnamed = { ...CLIENT, title: 'A', loginButtonLabel: 'A', issuer: all.idp.issuer, mapperConfig };
  isProblem(await all.home.admin.post('/api/oauth2/client', unnamed), 400, 31);
  const id = await all.set(all.home.admin, { allowedEmailDomains: ['Elsewhere.test'], mapperConfig });
  for (const name of ['one', 'two']) {
    const browser = visitor(all.world);
    const person = { sub: name, email: `${name}@elsewhere.test`, email_verified: true };
    assert.is((await signIn({ ...all, browser }, id, person)).to, '/claim');
  }
  const customer = await accounts.customers.findByTitle(all.home.tenantId, 'People of elsewhere.test');
  const membership = {
    authority: 'CUSTOMER_USER',
    tenantId: all.home.tenantId,
    customerId: customer?.id,
  } as const;
  assert.ok(membership.customerId !== undefined);
  const { total } = await accounts.users.list(
    { ...membership, customerId: membership.customerId },
    { page: 0, pageSize: 9 },
  );
  assert.is(total, 2);
  const outside = { sub: 'x', email: 'x@sub.elsewhere.test', email_verified: true };
  const browser = visitor(all.world);
  await isOut(browser, await signIn({ ...all, browser }, id, outside), /no account here/);
});

story('sign-ups from one address are bounded', async (all) => {
  const id = await all.set(all.home.admin, SIGN_UP);
  for (let n = 0; n < 20; n += 1) {
    const person = { sub: `p${n}`, email: `p${n}@many.test`, email_verified: true };
    assert.is((await signIn({ ...all, browser: visitor(all.world) }, id, person)).to, '/claim');
  }
  const browser = visitor(all.world);
  const one = { sub: 'more', email: 'more@many.test', email_verified: true };
  await isOut(browser, await signIn({ ...all, browser }, id, one), /Too many/);
  const elsewhere = visitor(all.world, '198.51.100.7');
  assert.is((await signIn({ ...all, browser: elsewhere }, id, one)).to, '/claim');
});

story('a secret is shown to nobody, and does not follow to another issuer', async (all) => {
  const { home } = all;
  const { admin } = home;
  const id = await all.set(admin);
  const fields = { id: { id }, title: 'B', loginButtonLabel: 'B', clientId: CLIENT.clientId };
  const moved = await admin.post('/api/oauth2/client', { ...fields, issuer: 'http://127.0.0.1:1' });
  isProblem(moved, 400, 31);
  const kept = await admin.post('/api/oauth2/client', { ...fields, issuer: all.idp.issuer });
  assert.is(kept.status, 200, kept.text);
  for (const { text } of [
    kept,
    await admin.get(`/api/oauth2/client/${id}`),
    await admin.get('/api/oauth2/client/infos'),
    await admin.get(`/api/oauth2/client/list?clientIds=${id},${home.tenantId}`),
  ]) {
    assert.match(text, /"hasClientSecret":true/);
    assert.not.match(text, /a secret of the client|sealed/);
  }
});

story("the login page shows the system's providers, and no tenant's", async (all) => {
  const root = await systemAdministrator(all.world);
  await all.set(all.home.admin, { loginButtonLabel: 'Of a tenant' });
  const id = await all.set(root, { loginButtonLabel: 'Of the system' });
  const { html, text } = await all.browser.get('/login?next=%2Fclaim');
  assert.match(text, /Of the system/);
  assert.not.match(text, /Of a tenant/);
  assert.match(html, new RegExp(`href="/oauth2/authorization/${id}\\?prevUri=%2Fclaim"`));
});

story('issuers that lead inside are refused', async ({ home }) => {
  const fields = { ...CLIENT, title: 'A', loginButtonLabel: 'A' };
  for (const issuer of ['http://10.0.0.1', 'https://169.254.169.254/', 'ftp://example.org', 'nonsense'])
    isProblem(await home.admin.post('/api/oauth2/client', { ...fields, issuer }), 400, 31);
});

const seconds = ({ clock }: RestWorld) => Math.floor(clock.now() / 1000);

/** What an identity provider sends when somebody signs out there. */
function tellOfLogout({ nobody }: RestWorld, id: string, token: string) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams({ logout_token: token }).toString();
  return nobody.send('POST', `/api/noauth/oauth2/backchannel-logout/${id}`, { headers, body });
}

const NOT_LOGOUTS: Readonly<Record<string, Lies & { readonly typ?: string }>> = {
  'without signature': { signed: 'none' },
  'signed with the public key as a secret': { signed: 'HS256' },
  'signed by a stranger under the id of the right key': { signed: 'stranger' },
  'of another issuer': { claims: { iss: 'https://elsewhere.test' } },
  'for another client': { claims: { aud: 'another client' } },
  'without an event': { claims: { events: null } },
  'with another event': { claims: { events: { 'https://elsewhere.test/event': {} } } },
  'whose event is no object': {
    claims: { events: { 'http://schemas.openid.net/event/backchannel-logout': 1 } },
  },
  'with a nonce, as an id_token has': { claims: { nonce: 'a nonce' } },
  'without an id of its own': { claims: { jti: null } },
  'without a subject': { claims: { sub: null, sid: 'a session' } },
  'without an instant': { claims: { iat: null } },
  'without an end': { claims: { exp: null } },
  'that is an access token': { typ: 'at+jwt' },
};

for (const [what, lies] of Object.entries(NOT_LOGOUTS)) {
  story(`a logout token ${what} ends nothing`, async (all) => {
    const { world, idp, home } = all;
    const id = await all.set(home.admin);
    assert.is((await signIn(all, id)).to, '/claim');
    const claims = { sub: ALICE.sub, ...lies.claims };
    const told = await tellOfLogout(world, id, await idp.logoutToken(seconds(world), { ...lies, claims }));
    isProblem(told, 400, 31);
    assert.is((await all.browser.get('/account')).status, 200);
  });
}

story(
  'who signs out at the provider is out here, of the sessions that began there and no others',
  async (all) => {
    const { world, idp, home } = all;
    const id = await all.set(home.admin);
    const browsers = { one: visitor(world), two: visitor(world), byPassword: visitor(world) };
    await signIn({ ...all, browser: browsers.one }, id, { ...ALICE, sid: 'one' });
    await signIn({ ...all, browser: browsers.two }, id, { ...ALICE, sid: 'two' });
    await browsers.byPassword.signIn('alice@home.test');
    const isIn = async (browser: Visitor) => (await browser.get('/account')).status === 200;
    const who = async () => [
      await isIn(browsers.one),
      await isIn(browsers.two),
      await isIn(browsers.byPassword),
    ];
    const logout = async (claims: object) =>
      idp.logoutToken(seconds(world), { claims: { sub: ALICE.sub, ...claims } });

    const ofOne = await logout({ sid: 'one' });
    assert.is((await tellOfLogout(world, id, ofOne)).status, 200);
    assert.equal(await who(), [false, true, true]);
    // Kept by somebody on the way: it does not throw her out again.
    await signIn({ ...all, browser: browsers.one }, id, { ...ALICE, sid: 'one' });
    isProblem(await tellOfLogout(world, id, ofOne), 400, 31);
    assert.equal(await who(), [true, true, true]);
    // To another provider of the same issuer and client it says nothing of these sessions.
    const other = await all.set(home.admin);
    assert.is((await tellOfLogout(world, other, await logout({}))).status, 200);
    assert.equal(await who(), [true, true, true]);
    const late = await logout({});
    world.clock.advance(600_000);
    isProblem(await tellOfLogout(world, id, late), 400, 31);
    assert.is((await tellOfLogout(world, id, await logout({}))).status, 200);
    assert.equal(await who(), [false, false, true]);
    assert.is(
      (await tellOfLogout(world, id, await logout({ sub: 'nobody here' }))).status,
      200,
      'nothing to find out',
    );
  },
);

story('the provider signs out who has shown a second factor as well', async (all) => {
  const { world, idp, home } = all;
  const { secondFactors } = world.accounts;
  const { userId } = home.alice;
  await secondFactors.update(userId, () => ({ sealedSecret: 'x', since: 0, lastStep: 0, codes: [] }));
  const codes = ['0123456789abcdef'];
  const digest = world.secrets.digestForUser(userId, `recovery code ${codes[0]}`);
  await secondFactors.update(userId, (factor) => factor && { ...factor, codes: [digest] });
  const id = await all.set(home.admin);
  const shown = await signIn(all, id);
  const token = /name="token" value="([^"]+)"/.exec(shown.html)?.[1] ?? '';
  const through = await all.browser.post('/login/code', { token, next: '/', code: codes[0] ?? '' });
  assert.is(through.status, 303, through.text);
  assert.is((await all.browser.get('/account')).status, 200);
  const logout = await idp.logoutToken(seconds(world), { claims: { sub: ALICE.sub } });
  assert.is((await tellOfLogout(world, id, logout)).status, 200);
  assert.is((await all.browser.get('/account')).to, '/login?next=%2Faccount');
});

story(
  'a provider that leads a browser anywhere but to a page offers no logout',
  async (all) => {
    assert.is((await signIn(all, await all.set(all.home.admin))).to, '/claim');
    assert.not.match([...all.browser.cookies.keys()].join(), /oidc-logout/);
  },
  { end_session_endpoint: 'javascript:alert(1)' },
);

story(
  'an address that a tenant wrote draws nobody in by a provider of the system, until its holder has proven it',
  async (all) => {
    const { world, home } = all;
    const { users } = world.accounts;
    const root = await systemAdministrator(world);
    const id = await all.set(root, { allowedEmailDomains: ['corp.test'] });
    const { customerId } = home.alice;
    // The tenant waits with an account of its own making for somebody who is coming.
    const trap = { email: 'victim@corp.test', customerId: { id: customerId }, authority: 'CUSTOMER_USER' };
    const made = await home.admin.post('/api/user', trap);
    assert.is(made.status, 200, made.text);
    const victim = { sub: 'victim', email: 'victim@corp.test', email_verified: true };
    await isOut(all.browser, await signIn(all, id, victim), /nobody has checked that it is yours/);
    const user = await users.findByEmail(trap.email);
    if (user === undefined) throw new Error('it was made');
    const { token = '' } = await users
      .activation(user.id)
      .then((answer) => (answer.type === 'done' ? answer.value : { token: '' }));
    await users.activate(token, 'a password that the tenant chose');
    await isOut(all.browser, await signIn(all, id, victim), /nobody has checked that it is yours/);
    // By the mail that only the holder reads.
    const asked = { token: 'a token in the mail', email: user.email, askedAt: world.clock.now() + 1 };
    await users.beginReset(user.id, { ...asked, lifeMs: 60_000 });
    assert.is((await users.resetPassword('a token in the mail', 'a password of her own')).type, 'done');
    assert.is((await signIn(all, id, victim)).to, '/claim');
    // What a tenant writes in afterwards is nobody's again.
    const moved = { ...trap, id: { id: user.id }, email: 'other@corp.test' };
    assert.is((await home.admin.post('/api/user', moved)).status, 200);
    const other = visitor(world);
    const holder = { sub: 'other', email: 'other@corp.test', email_verified: true };
    await isOut(
      other,
      await signIn(
        { ...all, browser: other },
        await all.set(root, { title: 'B', allowedEmailDomains: ['corp.test'] }),
        holder,
      ),
      /nobody has checked/,
    );
  },
);

story(
  'what a token of a client is for is no audience of the API, whichever of two providers says so first',
  async (all) => {
    const root = await systemAdministrator(all.world);
    const fields = { title: 'A', loginButtonLabel: 'A', issuer: all.idp.issuer };
    const save = (more: object) => root.post('/api/oauth2/client', { ...fields, ...more });
    assert.is((await save({ clientId: 'one', apiAudience: 'api' })).status, 200);
    isProblem(await save({ clientId: 'api' }), 400, 31);
    isProblem(await save({ clientId: 'two', apiAudience: 'one' }), 400, 31);
    isProblem(await save({ clientId: 'three', apiAudience: 'three' }), 400, 31);
    isProblem(await all.home.admin.post('/api/oauth2/client', { ...fields, clientId: 'api' }), 400, 31);
    assert.is((await save({ clientId: 'two', apiAudience: 'api' })).status, 200);
  },
);

story(
  'people see by what they sign in, and end it where another way in remains; both are in the trail',
  async (all) => {
    const { world, home } = all;
    const id = await all.set(home.admin);
    assert.is((await signIn(all, id)).to, '/claim');
    const byPassword = visitor(world);
    await byPassword.signIn('alice@home.test');
    const account = await byPassword.get('/account');
    assert.match(account.text, /How you sign in elsewhere Acme/);
    const action = /action="(\/account\/sign-ins\/[0-9a-f-]+)"/.exec(account.html)?.[1] ?? '';
    const bob = visitor(world);
    await bob.signIn('bob@home.test');
    await bob.follow(await bob.post(action, {}));
    assert.match((await byPassword.get('/account')).text, /Acme/, "nobody ends another's");
    await byPassword.follow(await byPassword.post(action, {}));
    assert.match((await byPassword.get('/account')).text, /How you sign in elsewhere Add Acme/);
    assert.is((await all.browser.get('/account')).to, '/login?next=%2Faccount', 'what began by it has ended');
    await world.audit.catchUp();
    const trail = await home.admin.get(`/api/audit/logs?pageSize=50&page=0`);
    assert.match(trail.text, /"signIn":"linked"/);
    assert.match(trail.text, /"signIn":"removed"/);
  },
);

story('nobody ends the only way in', async (all) => {
  const id = await all.set(all.home.admin, SIGN_UP);
  assert.is((await signIn(all, id, STRANGER)).to, '/claim');
  const { html } = await all.browser.get('/account');
  const action = /action="(\/account\/sign-ins\/[0-9a-f-]+)"/.exec(html)?.[1] ?? '';
  const shown = await all.browser.follow(await all.browser.post(action, {}));
  assert.match(shown.text, /only way to sign in/);
  assert.match(shown.text, /Acme/);
});

story('of two ways in, ended at once, one stays', async (all) => {
  const { world, home, browser } = all;
  const other = await startIdentityProvider();
  try {
    assert.is((await signIn(all, await all.set(home.admin, SIGN_UP), STRANGER)).to, '/claim');
    const user = await world.accounts.users.findByEmail(STRANGER.email);
    if (user === undefined) throw new Error('she signed up');
    const providerId = (await setUpWith(other)(home.admin)) as ProviderId;
    const subject = { tenantId: home.tenantId, iss: other.issuer, sub: 'herself' };
    await world.accounts.providerLinks.add(subject, user, { providerId });
    const { html } = await browser.get('/account');
    const actions = [...html.matchAll(/action="(\/account\/sign-ins\/[0-9a-f-]+)"/g)].map(
      ([, to]) => to ?? '',
    );
    assert.is(actions.length, 2);
    await Promise.all(actions.map((action) => browser.post(action, {})));
    const left = await world.accounts.providerLinks.list(user.id);
    assert.ok(left.length >= 1, 'she can still sign in');
    for (const { endingAt } of left) assert.is(endingAt, undefined, 'and could end it again');
    if (left.length === 2) await browser.post(actions[0] ?? '', {});
    assert.is((await world.accounts.providerLinks.list(user.id)).length, 1);
  } finally {
    await other.stop();
  }
});

story(
  'who can read the records of a tenant cannot prepare a customer for somebody who is to come',
  async (all) => {
    const { world, home } = all;
    const id = await all.set(home.admin, SIGN_UP);
    const subject = { tenantId: home.tenantId, iss: all.idp.issuer, sub: STRANGER.sub };
    const trap = { title: STRANGER.email, additionalInfo: { signedUp: subjectId(subject) } };
    assert.is((await home.admin.post('/api/customer', trap)).status, 200);
    await isOut(all.browser, await signIn(all, id, STRANGER), /no account here/);
    assert.is(await world.accounts.users.findByEmail(STRANGER.email), undefined);
  },
);

story(
  'whose user the tenant deleted comes by the same provider into a new customer, not to the devices',
  async (all) => {
    const { world, home } = all;
    const { users } = world.accounts;
    const id = await all.set(home.admin, SIGN_UP);
    const customerNow = async (browser: Visitor) => {
      await signIn({ ...all, browser }, id, STRANGER);
      const user = await users.findByEmail(STRANGER.email);
      if (user?.membership.authority !== 'CUSTOMER_USER') throw new Error('nobody signed up');
      return { userId: user.id, customerId: user.membership.customerId };
    };
    const before = await customerNow(visitor(world));
    await users.remove(before.userId);
    const again = await customerNow(visitor(world));
    assert.is(again.customerId, before.customerId, 'nobody uses it');
    await provision(world, home.tenantId, 'Lamp', again.customerId);
    await users.remove(again.userId);
    assert.is.not((await customerNow(visitor(world))).customerId, before.customerId);
  },
);

/** The link of the account page that adds a way to sign in. */
async function addLink(browser: Visitor): Promise<string> {
  const { html } = await browser.get('/account');
  return /href="(\/account\/sign-ins\/add\/[^"]+)"/.exec(html)?.[1]?.replaceAll('&amp;', '&') ?? '';
}

story('who is signed in adds a provider, and signs in by it whatever the address there is', async (all) => {
  const { world, home, idp } = all;
  await all.set(home.admin, { allowedEmailDomains: [] });
  const browser = visitor(world);
  await browser.signIn('alice@home.test');
  const person = { sub: 'her private account', email: 'private@elsewhere.test', email_verified: false };
  const add = async (as: Visitor, link: string) => {
    const left = await as.get(link);
    const back = await as.get(idp.approve(left.to ?? '', person));
    return (await as.follow(back)).text;
  };
  const ofHers = await addLink(browser);
  assert.match(await add(browser, ofHers), /You can sign in by it from now on/);
  const left = await browser.get(ofHers);
  const more = await browser.get(idp.approve(left.to ?? '', { ...person, sub: 'another one' }));
  assert.match((await browser.follow(more)).text, /already/);
  assert.is(await addLink(browser), '', 'there is no other one to add');
  const elsewhere = visitor(world);
  const [link] = await world.accounts.providerLinks.list(home.alice.userId);
  assert.is((await signIn({ ...all, browser: elsewhere }, link?.providerId ?? '', person)).to, '/claim');

  // The same person of the provider is nobody else here.
  const bob = visitor(world);
  await bob.signIn('bob@home.test');
  assert.match(await add(bob, await addLink(bob)), /signs somebody else in/);
  // A login that was long ago is no reason to believe that it is she.
  await world.accounts.providerLinks.forget(home.alice.userId);
  const late = await addLink(browser);
  world.clock.advance(11 * 60_000);
  assert.match(await add(browser, late), /Sign in again first/);
  assert.equal(await world.accounts.providerLinks.list(home.alice.userId), []);
});

story('nobody is led into adding a provider at which the browser is somebody else', async (all) => {
  const { world, home, idp } = all;
  const id = await all.set(home.admin, { allowedEmailDomains: [] });
  const attacker = { sub: 'attacker', email: 'x@elsewhere.test', email_verified: true };
  const [alice, bob] = [visitor(world), visitor(world)];
  await alice.signIn('alice@home.test');
  await bob.signIn('bob@home.test');
  const ofBob = (await addLink(bob)).split('?')[1];
  for (const query of ['', '?ticket=', `?${ofBob}`]) {
    const left = await alice.get(`/account/sign-ins/add/${id}${query}`);
    await alice.follow(await alice.get(idp.approve(left.to ?? '', attacker)));
  }
  const begun = await leave(alice, id, `/account?${ofBob}`);
  await alice.get(idp.approve(begun, attacker));
  assert.equal(await world.accounts.providerLinks.list(home.alice.userId), []);
});

story('who signs out on the way to another way in is neither signed in nor signed up', async (all) => {
  const { world, home, idp } = all;
  await all.set(home.admin, { ...SIGN_UP, allowedEmailDomains: [] });
  const browser = visitor(world);
  await browser.signIn('alice@home.test');
  const left = await browser.get(await addLink(browser));
  await browser.post('/logout', {});
  const shown = await browser.get(idp.approve(left.to ?? '', STRANGER));
  await isOut(browser, shown, /took too long|began/);
  assert.is(await world.accounts.users.findByEmail(STRANGER.email), undefined);
  // Nor is the attempt good for anything once she is in again.
  await browser.signIn('alice@home.test');
  await browser.follow(await browser.get(idp.approve(left.to ?? '', STRANGER)));
  assert.equal(await world.accounts.providerLinks.list(home.alice.userId), []);
});

for (const [way, isReset, crashes] of [
  ['resets the password by a mail', true, false],
  ['resets the password by a mail, where the process ends right after,', true, true],
  ['activates an account that nobody has proven', false, false],
  ['activates an account that nobody has proven, where the process ends right after,', false, true],
] as const)
  story(`who ${way} is alone in the account: no provider added before, and no key`, async (all) => {
    const { world, home, idp } = all;
    const { users, providerLinks, apiKeys } = world.accounts;
    const id = await all.set(home.admin, isReset ? { allowedEmailDomains: [] } : SIGN_UP);
    const thief = { ...all, browser: visitor(world) };
    const person = isReset ? { sub: 'thief', email: 'thief@elsewhere.test', email_verified: true } : STRANGER;
    if (isReset) {
      await thief.browser.signIn('alice@home.test');
      const left = await thief.browser.get(await addLink(thief.browser));
      await thief.browser.get(idp.approve(left.to ?? '', person));
    } else assert.is((await signIn(thief, id, person)).to, '/claim');
    const user = await users.findByEmail(isReset ? 'alice@home.test' : STRANGER.email);
    if (user === undefined) throw new Error('it is there');
    const linkId = 'an identity of her own';
    const iss = 'https://login.example';
    await providerLinks.add({ tenantId: null, iss, sub: linkId }, user, { claimingOnly: true });
    const made = await apiKeys.create(user, { description: 'mine', expiresAt: null, claimingOnly: false });
    if (made === 'too-many') throw new Error('it is the first');
    const headers = { 'x-authorization': `ApiKey ${made.value}` };
    const byKey = () => world.nobody.send('GET', '/api/auth/user', { headers });
    assert.is((await byKey()).status, 200);
    const sets = async (
      path: string,
      body: { readonly password: string },
      alone: () => Promise<{ type: string }>,
    ) =>
      crashes
        ? assert.is((await alone()).type, 'done')
        : assert.is((await world.nobody.post(path, body)).status, 200);
    assert.is((await providerLinks.list(user.id)).length, 2);
    if (isReset) {
      const asked = { token: 'a token in the mail', email: user.email, askedAt: world.clock.now() + 1 };
      await users.beginReset(user.id, { ...asked, lifeMs: 60_000 });
      const body = { resetToken: asked.token, password: 'a password of her own' };
      await sets('/api/noauth/resetPassword', body, () => users.resetPassword(asked.token, body.password));
    } else {
      const { email: _, ...fields } = user;
      const moved = await users.update(
        user.id,
        { ...fields, email: 'victim@elsewhere.test' },
        undefined,
        'itself',
      );
      assert.is(moved.type, 'done');
      const link = await users.activation(user.id);
      const activateToken = link.type === 'done' ? link.value.token : '';
      const body = { activateToken, password: 'a password of her own' };
      await sets('/api/noauth/activate', body, () => users.activate(activateToken, body.password));
    }
    isProblem(await byKey(), 401, 10);
    assert.not.ok(await apiKeys.works(made.key.id), 'nor does what was begun by it go on');
    const left = await providerLinks.list(user.id);
    assert.equal(
      left.map(({ sub }) => sub),
      [linkId],
      'what a system administrator linked stays',
    );
    assert.is((await apiKeys.list(user.id, { page: 0, pageSize: 1 })).total, 0);
    assert.is((await thief.browser.get('/account')).status, 303, 'and the sessions have ended');
    const again = { ...all, browser: visitor(world) };
    await signIn(again, id, person);
    const account = await again.browser.get('/account');
    assert.not.match(account.text, /alice@home\.test|victim@elsewhere\.test/);
    // What is made from now on counts.
    const now = await users.find(user.id);
    const mine =
      now && (await apiKeys.create(now, { description: '', expiresAt: null, claimingOnly: false }));
    assert.ok(mine !== undefined && mine !== 'too-many' && (await apiKeys.works(mine.key.id)));
    const sub = `a person of hers ${crashes}`;
    const hers = { tenantId: home.tenantId, iss: idp.issuer, sub };
    assert.is(now && (await providerLinks.add(hers, now, { providerId: id as ProviderId })), user.id);
    assert.equal((await providerLinks.list(user.id)).map((one) => one.sub).sort(), [sub, linkId].sort());
  });

story(
  'a sign-in that a password has ended is made anew by the same person, and by nobody of before',
  async (all) => {
    const { world, home, idp } = all;
    const { users, providerLinks } = world.accounts;
    const providerId = (await all.set(home.admin, { allowedEmailDomains: [] })) as ProviderId;
    const subject = { tenantId: home.tenantId, iss: idp.issuer, sub: 'herself' };
    const before = await users.find(home.alice.userId);
    if (before === undefined) throw new Error('she is there');
    assert.is(await providerLinks.add(subject, before, { providerId }), before.id);
    const asked = { token: 'a token in the mail', email: before.email, askedAt: world.clock.now() + 1 };
    await users.beginReset(before.id, { ...asked, lifeMs: 60_000 });
    assert.is((await users.resetPassword(asked.token, 'a password of her own')).type, 'done');
    assert.is(await providerLinks.find(subject), undefined);
    assert.not.ok(await providerLinks.isTaken(before.id, providerId));
    // Somebody who was let in before the password was set adds it a moment later.
    assert.is(await providerLinks.add(subject, before, { providerId }), undefined);
    const now = await users.find(before.id);
    assert.is(now && (await providerLinks.add(subject, now, { providerId })), before.id);
    await providerLinks.clear(before.id);
    assert.is(await providerLinks.find(subject), before.id);
  },
);

story(
  'administrators set providers up on pages, try them, change and delete them; no page has the secret',
  async (all) => {
    const { world, idp, home } = all;
    const admin = visitor(world);
    await admin.signIn(home.adminEmail);
    assert.match((await admin.get('/settings')).html, /href="\/providers"/);
    const fields = {
      title: 'Acme',
      issuer: idp.issuer,
      clientId: CLIENT.clientId,
      clientSecret: CLIENT.clientSecret,
      authentication: 'BASIC',
      scopes: 'openid email',
      domains: 'home.test',
      customer: '%{email}',
    };
    const refused = await admin.post('/providers/new', { ...fields, issuer: 'http://10.0.0.1' });
    assert.is(refused.status, 400);
    assert.match(refused.html, /value="Acme"/, 'what was typed is still there');
    const made = await admin.post('/providers/new', fields);
    assert.is(made.status, 303, made.text);
    const path = made.to ?? '';
    const shown = await admin.follow(made);
    assert.match(shown.text, /Redirect URI http:\/\/localhost\/login\/oauth2\/code\//);
    assert.match((await admin.follow(await admin.post(`${path}/test`, {}))).text, /The provider answers/);
    assert.is((await signIn(all, path.split('/').at(-1) ?? '')).to, '/claim');
    const saved = await admin.post(path, { ...fields, title: 'Acme of Home', clientSecret: '' });
    assert.is(saved.status, 303, saved.text);
    assert.is((await signIn({ ...all, browser: visitor(world) }, path.split('/').at(-1) ?? '')).to, '/claim');
    for (const page of ['/providers', path, `${path}/delete`]) {
      const { html, text } = await admin.get(page);
      assert.match(text, /Acme of Home/);
      assert.not.match(html, new RegExp(CLIENT.clientSecret));
    }
    // Another tenant's administrator, and a customer, see nothing of it.
    const other = await settle(world, 'other');
    const stranger = visitor(world);
    await stranger.signIn(other.adminEmail);
    assert.is((await stranger.get(path)).status, 404);
    await stranger.post(path, fields);
    await stranger.post(`${path}/delete`, {});
    assert.is((await all.browser.get('/providers')).status, 403);
    idp.disturb('/.well-known/openid-configuration', (response) => response.writeHead(500).end());
    const away = await admin.post('/providers/new', { ...fields, issuer: `${idp.issuer}/x` });
    const soon = await admin.follow(await admin.post(`${away.to}/test`, {}));
    assert.match(soon.text, /a few seconds ago/);
    world.clock.advance(5_000);
    assert.match((await admin.follow(await admin.post(`${away.to}/test`, {}))).text, /does not/);
    await admin.follow(await admin.post(`${path}/delete`, {}));
    assert.not.match((await admin.get('/providers')).text, /Acme of Home/);
  },
);

const METADATA = '/.well-known/openid-configuration';

/** What the provider says of itself, with some of it otherwise. */
async function saysOtherwise(idp: IdentityProvider, more: object) {
  const honest = (await (await fetch(`${idp.issuer}${METADATA}`)).json()) as object;
  const text = JSON.stringify({ ...honest, ...more });
  idp.disturb(METADATA, (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(text),
  );
}

story(
  'the test of a provider asks it anew: another key and another page of it are used at once',
  async (all) => {
    const { world, home, idp, set } = all;
    const id = await set(home.admin);
    const signsIn = async () => isIn((await another()).browser);
    const another = async () => {
      const again = { ...all, browser: visitor(world) };
      await signIn(again, id);
      return again;
    };
    const test = () => home.admin.post(`/api/oauth2/client/${id}/test`);
    assert.ok(await signsIn());
    await idp.rotate();
    assert.not(await signsIn(), 'its keys are remembered');
    const tested = await test();
    assert.is(tested.status, 200, tested.text);
    const authorizationUri = `${idp.issuer}/authorize`;
    assert.equal(tested.json, { authorizationUri, keys: 1, offersLogout: false });
    assert.ok(await signsIn(), 'with the key that it has now');

    await saysOtherwise(idp, { authorization_endpoint: `${idp.issuer}/moved` });
    const leads = async () => new URL(await leave(visitor(world), id)).pathname;
    assert.is(await leads(), '/authorize');
    world.clock.advance(5_000);
    assert.is((await test()).status, 200);
    assert.is(await leads(), '/moved');
  },
);

story('the test of a provider says what is wrong, and sign-ins go on with what was good', async (all) => {
  const { world, home, idp, set } = all;
  const id = await set(home.admin);
  assert.is((await signIn(all, id)).to, '/claim');
  const test = async () => {
    world.clock.advance(5_000);
    return home.admin.post(`/api/oauth2/client/${id}/test`);
  };
  await saysOtherwise(idp, { issuer: 'https://elsewhere.test' });
  isProblem(
    await test(),
    502,
    2,
    'What the provider says of itself does not hold: it is no OpenID provider, or says that it is another issuer.',
  );
  const ill: Parameters<IdentityProvider['disturb']>[1] = (response) => response.writeHead(500).end();
  idp.disturb(METADATA, ill);
  isProblem(await test(), 502, 2, 'The provider does not answer.');
  idp.disturb(METADATA, undefined);
  const sets = ['<p>', '{}', '{"keys": 7}', '{"keys": [{"kty": "oct"}, {"kty": "RSA", "use": "enc"}]}'];
  for (const keys of sets) {
    idp.disturb('/jwks', (response) => response.writeHead(200).end(keys));
    isProblem(await test(), 502, 2, 'The provider shows no keys by which its tokens could be checked.');
  }
  idp.disturb('/jwks', ill);
  isProblem(await test(), 502, 2, 'The provider does not answer.');
  assert.is((await signIn({ ...all, browser: visitor(world) }, id)).to, '/claim');
  idp.disturb('/jwks', undefined);
  assert.is((await test()).status, 200);
});

story('attack: tests of providers in a row: one in five seconds of each tenant goes out', async (all) => {
  const { world, home, idp, set } = all;
  const ids = [await set(home.admin), await set(home.admin, { title: 'Acme again' })];
  const other = await settle(world, 'other');
  const theirs = await set(other.admin);
  const asked = () => idp.asked.get(METADATA) ?? 0;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, nth) => home.admin.post(`/api/oauth2/client/${ids[nth % 2]}/test`)),
  );
  assert.is(answers.filter(({ status }) => status === 200).length, 1);
  for (const answer of answers.filter(({ status }) => status !== 200)) {
    isProblem(answer, 429, 33);
    assert.is(answer.headers.get('retry-after'), '5');
  }
  assert.is(asked(), 1);
  assert.is((await other.admin.post(`/api/oauth2/client/${theirs}/test`)).status, 200, 'another tenant');
  isProblem(await other.admin.post(`/api/oauth2/client/${ids[0]}/test`), 404, 32);
  assert.is(asked(), 2);
  world.clock.advance(5_000);
  assert.is((await home.admin.post(`/api/oauth2/client/${ids[0]}/test`)).status, 200);
});

story(
  'the system administrator has the same pages, and says of which tenant people become customers',
  async (all) => {
    const { world, idp, home } = all;
    const root = await systemAdministrator(world);
    const browser = visitor(world);
    await browser.signIn('sysadmin@claimd.test');
    assert.ok(root);
    const fields = {
      title: 'All',
      issuer: idp.issuer,
      ...CLIENT,
      authentication: 'BASIC',
      scopes: 'openid email',
      signsUp: 'on',
    };
    assert.is((await browser.post('/providers/new', fields)).status, 400, 'of which tenant?');
    const made = await browser.post('/providers/new', { ...fields, tenant: home.tenantId });
    assert.is(made.status, 303, made.text);
    assert.match((await browser.follow(made)).text, /Audience of access tokens/);
    assert.is((await signIn(all, made.to?.split('/').at(-1) ?? '', STRANGER)).to, '/claim');
  },
);

run();
