/** The web application without a browser: sessions, what protects them, and how a customer claims and gives back. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { programOf } from '../../http/web/pages/account.tsx';
import { allPages } from '../../http/web/pages/all.ts';
import { shadesOn } from '../../http/web/parts/theme.ts';
import { isFromOurPage } from '../../http/web/security.ts';
import type { WebSettings } from '../../http/web/settings.ts';
import { sayIn } from '../../http/web/texts/say.ts';
import { addressedBy } from '../../http/wire/addressed.ts';
import {
  createRestWorld,
  HOUR_MS,
  type Household,
  openWindow,
  PASSWORD,
  provision,
  type RestOptions,
  type RestWorld,
  settle,
} from '../kit/rest-client.ts';
import { createWebWorld, type Visitor, visitor } from '../kit/web-client.ts';

interface Scene {
  readonly world: RestWorld;
  readonly home: Household;
  /** Alice, signed in. */
  readonly alice: Visitor;
}

const test = suite('web');

function law(
  name: string,
  play: (scene: Scene) => Promise<void>,
  options: RestOptions = {},
  web: Partial<WebSettings> = {},
): void {
  test(name, async () => {
    const world = createWebWorld(options, web);
    try {
      const home = await settle(world, 'home');
      const alice = visitor(world);
      await alice.signIn(home.alice.email);
      await play({ world, home, alice });
    } finally {
      await world.stop();
    }
  });
}

// -------------------------------------------------------------------------------------------------------- sessions

law(
  'sign-in: scripts cannot read the cookie, other sites do not send it, and it leads home',
  async ({ world, home }) => {
    const bob = visitor(world);
    assert.is((await bob.get('/my/devices')).to, '/login?next=%2Fmy%2Fdevices');
    const signedIn = await bob.post('/login', {
      email: home.bob.email,
      password: PASSWORD,
      next: '/my/devices',
    });
    assert.is(signedIn.to, '/my/devices');
    const [cookie = ''] = signedIn.headers.getSetCookie();
    for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Path=/'])
      assert.ok(cookie.includes(attribute), cookie);
    assert.is((await bob.get('/my/devices')).status, 200);
    assert.is((await bob.get('/')).to, '/claim');
  },
);

law(
  'sign-in: where people come over HTTPS the cookie is Secure and bound to the host',
  async ({ alice }) => {
    assert.equal([...alice.cookies.keys()], ['__Host-claimd-session', '__Secure-claimd-browser']);
  },
  { settings: { baseUrl: 'https://claim.example.org' } },
);

law('sign-in: a wrong password is refused in words, and never shown again', async ({ world, home }) => {
  const shown = await visitor(world).post('/login', { email: home.bob.email, password: 'wr0ng-password' });
  assert.is(shown.status, 400);
  assert.match(shown.text, 'The e-mail or the password is wrong');
  assert.not.match(shown.html, 'wr0ng-password');
});

law('sign-in: leads only to pages of this site', async ({ world, home }) => {
  for (const next of [
    '//evil.example',
    'https://evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    'javascript:alert(1)',
  ]) {
    const shown = await visitor(world).post('/login', { email: home.bob.email, password: PASSWORD, next });
    assert.is(shown.to, '/', next);
  }
});

law('sign-out: ends the session for everybody who has the cookie', async ({ world, alice }) => {
  const thief = visitor(world);
  for (const [name, value] of alice.cookies) thief.setCookie(name, value);
  assert.is((await thief.get('/claim')).status, 200);
  world.clock.advance(10_000);
  const out = await alice.post('/logout', {});
  assert.is(out.to, '/login');
  assert.is(out.headers.get('clear-site-data'), '"storage"', 'what a label said is forgotten');
  world.clock.advance(10_000);
  assert.match((await thief.get('/claim')).to ?? '', /^\/login/);
  assert.equal([...alice.cookies.keys()], ['claimd-browser'], 'where alice is known opens nothing');
});

law('session: lasts while it is used, and ends a week after the last use', async ({ world, alice }) => {
  for (let day = 0; day < 10; day += 1) {
    world.clock.advance(24.5 * HOUR_MS);
    assert.is((await alice.get('/claim')).status, 200, `day ${day}`);
  }
  world.clock.advance(8 * 24 * HOUR_MS);
  assert.match((await alice.get('/claim')).to ?? '', /^\/login/);
});

law(
  'an address that only takes a form leads to the page of the form: reloaded, and after signing in again',
  async ({ world, alice }) => {
    const pages = allPages();
    const withoutPage = pages.filter(({ get }) => get === undefined);
    assert.ok(withoutPage.length > 10, String(withoutPage.length));
    const shown = ['/', ...pages.flatMap(({ path, get }) => (get === undefined ? [] : [path]))];
    const isShown = (to: string) =>
      shown.some((path) => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`).test(to));
    for (const { path, roles } of withoutPage) {
      const address = path.replace(/:\w+/g, 'some');
      const reloaded = await alice.get(address);
      assert.is(reloaded.status, 303, path);
      assert.ok(isShown(reloaded.to ?? ''), `${path} leads to ${reloaded.to}`);
      if (roles.includes('PUBLIC')) continue;
      const { to = '' } = await visitor(world).post(address, {});
      assert.is(new URLSearchParams(to.split('?')[1]).get('next') ?? '/', reloaded.to, path);
    }
    assert.is((await alice.get('/offers/code')).to, '/offers');
    assert.is((await alice.get('/my/devices/some/withdraw')).to, '/my/devices/some');
    const refused = await alice.post('/offers/code', { code: 'ABCD' });
    assert.match(refused.html, 'name="next" value="/offers"', 'another language of it');
  },
);

law('sign-in: who shows the code too late is told so, and goes on where the way led', async ({ world }) => {
  for (const path of ['/login/code', '/login/second-factor']) {
    const bob = visitor(world);
    const late = await bob.post(path, {
      token: 'too old',
      code: '123456',
      next: '/offers',
      url: 'otpauth://x',
    });
    assert.is(late.to, '/login?next=%2Foffers');
    assert.match((await bob.follow(late)).html, 'You are not signed in any more');
  }
});

/** While it is so, no standing of a user can be read. */
let isStoreAway = false;

law(
  'the store is away: whoever is signed in is not led to the sign-in page, but told to wait, and stays signed in',
  async ({ world, alice }) => {
    isStoreAway = true;
    try {
      for (const late of [false, true]) {
        if (late) world.clock.advance(HOUR_MS); // nothing is remembered of the session any more
        for (const path of ['/', '/claim', '/my/devices'])
          assert.is((await alice.get(path)).status, 503, `${path}, late: ${late}`);
        assert.is((await alice.post('/claim', { device: 'Lamp', key: 'secret' })).status, 503);
        assert.is((await alice.get('/no-such-page')).status, 404);
      }
      assert.is((await alice.get('/login')).status, 200);
      assert.match((await alice.get('/claim')).text, 'please try again in a moment');
    } finally {
      isStoreAway = false;
    }
    assert.is((await alice.get('/claim')).status, 200);
  },
  {
    disturb: (needs) => ({
      ...needs,
      accounts: {
        ...needs.accounts,
        users: {
          ...needs.accounts.users,
          standing: (id) =>
            isStoreAway
              ? Promise.reject(new StoreUnavailable('test', 'away'))
              : needs.accounts.users.standing(id),
          find: (...asked) =>
            isStoreAway
              ? Promise.reject(new StoreUnavailable('test', 'away'))
              : needs.accounts.users.find(...asked),
        },
      },
    }),
  },
);

law(
  'account: other sessions are seen, and ended one by one or all at once',
  async ({ world, home, alice }) => {
    const other = visitor(world, '198.51.100.9');
    await other.signIn(home.alice.email);
    const shown = await alice.get('/account');
    assert.match(shown.text, 'from 198.51.100.9');
    const [, path = ''] = /action="(\/account\/sessions\/[^"]+)"/.exec(shown.html) ?? [];
    assert.is((await alice.post(path, {})).to, '/account');
    world.clock.advance(1000);
    await alice.post('/account/sessions', {});
    assert.match((await other.get('/claim')).to ?? '', /^\/login/);
    assert.is((await world.accounts.users.sessions(home.alice.userId)).length, 1);
    assert.is((await alice.get('/claim')).status, 200);
  },
);

law('session: the cookie is no token of the REST API', async ({ world, alice }) => {
  const [cookie = ''] = alice.cookies.values();
  assert.is((await world.as(cookie).get('/api/auth/user')).status, 401);
  assert.is((await world.nobody.post('/api/auth/token', { refreshToken: cookie })).status, 401);
  assert.is((await alice.get('/claim')).status, 200);
});

law('session: the REST API ignores the cookie', async ({ alice }) => {
  assert.is((await alice.get('/api/auth/user')).status, 401);
});

law('demo: accounts are offered only where there are any', async ({ world }) => {
  assert.not.match((await visitor(world).get('/login')).text, 'Try the demo');
});
law(
  'demo: an offered account signs in by one button',
  async ({ world, home }) => {
    const shown = await visitor(world).get('/login');
    assert.match(shown.text, 'Try the demo');
    assert.match(shown.html, home.adminEmail);
  },
  {},
  { demoAccounts: [{ label: 'Administrator', email: 'admin@home.test', password: PASSWORD }] },
);

law(
  'components: they are shown in both themes where there is the demo, and nowhere else',
  async ({ world }) => {
    assert.is((await visitor(world).get('/ui')).status, 404);
  },
);
law(
  'components: each is in both themes',
  async ({ world }) => {
    const { status, html } = await visitor(world).get('/ui');
    assert.is(status, 200);
    const [, light = '', dark = ''] = html.split(/<section class="in-(?:light|dark)"/);
    for (const theme of [light, dark])
      for (const part of [
        '<table',
        'class="bar"',
        'type="checkbox"',
        'class="plot"',
        'class="story"',
        'note warn',
      ])
        assert.match(theme, part);
  },
  {},
  { demoAccounts: [{ label: 'Administrator', email: 'admin@home.test', password: PASSWORD }] },
);

// ------------------------------------------------------------------------------------------------------ protection

law('forms: only those sent from pages of this site are accepted', async ({ world, home, alice }) => {
  const id = await provision(world, home.tenantId, 'D');
  await openWindow(world, id, 's');
  const host = 'localhost';
  for (const headers of [
    { host, 'sec-fetch-site': 'cross-site', origin: 'http://localhost' },
    { host, 'sec-fetch-site': 'same-site' },
    { host, 'sec-fetch-site': 'none' },
    { host, origin: 'https://evil.example' },
    { host, origin: 'null' },
    { host, origin: 'http://localhost:81' },
    { host },
  ] as Record<string, string>[]) {
    const shown = await alice.post('/claim', { device: 'D', key: 's' }, headers);
    assert.is(shown.status, 403, JSON.stringify(headers));
  }
  assert.is((await world.devices.read(id))?.owner, null);
  assert.is((await alice.post('/claim', { device: 'D', key: 's' })).status, 303);
});

test('forms: behind a proxy that changes the host, the public address counts', () => {
  const seen = { secFetchSite: undefined, origin: 'https://claim.example.org', host: '10.0.0.5:8080' };
  const addressed = (baseUrl: string | null, trustedProxies: number, headers: Record<string, string> = {}) =>
    addressedBy((name) => headers[name], 'http://10.0.0.5:8080/', { baseUrl, trustedProxies });
  assert.ok(isFromOurPage(seen, addressed('https://claim.example.org', 0)));
  assert.not.ok(isFromOurPage(seen, addressed(null, 0)));
  const said = { 'x-forwarded-host': 'claim.example.org' };
  assert.ok(isFromOurPage(seen, addressed(null, 1, said)));
  assert.not.ok(isFromOurPage(seen, addressed(null, 0, said)), 'nobody trusts that header');
});

test('forms: behind a proxy that drops the port, the page and the log say which option mends it', async () => {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: unknown, message: string) => void warnings.push(message) };
  const world = createWebWorld({ log });
  const from = { host: 'claim.example.org', origin: 'http://claim.example.org:8080' };
  for (let n = 0; n < 3; n += 1) {
    const shown = await visitor(world).post('/login', { username: 'a@b.de', password: 'x' }, from);
    assert.is(shown.status, 403);
    assert.match(shown.text, /HTTP_BASE_URL/);
  }
  assert.is(warnings.length, 1, 'once a minute');
  assert.match(warnings[0] ?? '', /HTTP_BASE_URL.*HTTP_TRUSTED_PROXIES/);
  await world.stop();
});

law(
  'pages: nothing from another site runs in them, is loaded by them, or frames them',
  async ({ world, alice }) => {
    for (const shown of [
      await alice.get('/claim'),
      await visitor(world).get('/login'),
      await alice.get('/nowhere'),
    ]) {
      const policy = shown.headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.not.match(policy, /unsafe|\*|https?:/);
      assert.is(shown.headers.get('x-frame-options'), 'DENY');
      assert.is(shown.headers.get('x-content-type-options'), 'nosniff');
      assert.is(shown.headers.get('cache-control'), 'no-store');
      assert.not.match(shown.html, /\sstyle=|\son\w+=|<style|(src|href)="(https?:)?\/\//i);
      assert.not.match(shown.html, /<script(?![^>]*src=)/);
    }
  },
);

law('pages: what people typed is escaped', async ({ world, home, alice }) => {
  const name = '<img src=x onerror=alert(1)>"\'&';
  const id = await provision(world, home.tenantId, name, home.alice.customerId);
  for (const path of ['/my/devices', `/my/devices/${id}/give-back`]) {
    const { html } = await alice.get(path);
    assert.not.match(html, '<img');
    assert.match(html, '&lt;img src=x onerror=alert(1)&gt;');
  }
  const { html } = await alice.post('/claim', { device: '"><script>alert(1)</script>', key: '' });
  assert.not.match(html, '<script>alert');
});

law('pages: an unknown path gets a page for people, and JSON for programs', async ({ alice }) => {
  assert.is((await alice.get('/nowhere')).status, 404);
  assert.is(
    (await alice.get('/nowhere', { accept: 'application/json' })).headers.get('content-type'),
    'application/json',
  );
});

test('pages: without the web application every path answers JSON', async () => {
  const world = createRestWorld();
  try {
    for (const path of ['/', '/login', '/assets/x/style.css']) {
      assert.is((await visitor(world).get(path)).headers.get('content-type'), 'application/json', path);
    }
  } finally {
    await world.stop();
  }
});

// ----------------------------------------------------------------------------------------------------------- claim

const CLAIM = { device: 'Thermostat T1' };

law('claim: with name and key it is yours, and the page says since when', async ({ world, home, alice }) => {
  await openWindow(world, await provision(world, home.tenantId, CLAIM.device), 'secret');
  const shown = await alice.follow(await alice.post('/claim', { ...CLAIM, key: 'secret' }));
  assert.is(shown.status, 200);
  assert.match(shown.text, 'It is yours');
  assert.match(shown.html, new Date(world.clock.now()).toISOString());
});

law('claim: every refusal says what happened and what to do', async ({ world, home, alice }) => {
  const says = async (key: string, device: string, status: number, words: RegExp) => {
    const shown = await alice.post('/claim', { device, key });
    assert.is(shown.status, status, shown.text);
    assert.match(shown.text, words);
    assert.not.match(shown.html, `value="${key}"`);
  };
  await says('k3y', 'Nobody', 400, /no such device.*“Nobody”/i);
  const id = await provision(world, home.tenantId, CLAIM.device);
  await says('k3y', CLAIM.device, 400, /not waiting.*Press the button/);
  await openWindow(world, id, 'secret', 1000);
  await says('k3y', CLAIM.device, 400, /key is wrong.*9 attempts left/);
  await says('k3y', CLAIM.device, 400, /8 attempts left/);
  world.clock.advance(1000);
  await says('secret', CLAIM.device, 400, /time was up.*Press the button/);
  await home.admin.post(`/api/plugins/telemetry/${id}/SERVER_SCOPE`, { claimingAllowed: false });
  await says('secret', CLAIM.device, 400, /Not allowed yet/);
  await home.admin.post(`/api/customer/${home.bob.customerId}/device/${id}`);
  await says('secret', CLAIM.device, 400, /belongs to someone else/);
  await home.admin.post(`/api/customer/${home.alice.customerId}/device/${id}`);
  const own = await alice.post('/claim', { device: CLAIM.device.toUpperCase(), key: 'secret' });
  assert.is(own.to, `/my/devices/${id}?already-yours`);
  assert.match((await alice.follow(own)).text, 'It is yours already.');
});

law('my device: its owner sees how it stands and what it has been through, and names it', async (scene) => {
  const { world, home, alice } = scene;
  const id = await provision(world, home.tenantId, CLAIM.device);
  await openWindow(world, id, 'secret');
  const done = await alice.follow(await alice.post('/claim', { ...CLAIM, key: 'secret' }));
  assert.match(done.text, 'Your name for it');
  const named = await alice.follow(await alice.post(`/my/devices/${id}/name`, { label: 'Attic' }));
  for (const words of [
    'Saved.',
    'Attic',
    CLAIM.device,
    'Claimed with its key',
    'Hand it over',
    'Factory reset',
  ])
    assert.match(named.text, words);
  assert.match(named.text, `/devices/${id}`, 'the link for the support');
  assert.match((await alice.get('/my/devices')).text, 'Attic');
  const bob = visitor(world);
  await bob.signIn(home.bob.email);
  assert.is((await bob.get(`/my/devices/${id}`)).status, 403);
  assert.is((await bob.post(`/my/devices/${id}/name`, { label: 'Mine' })).status, 403);
  await alice.follow(await alice.post(`/my/devices/${id}/name`, { label: '' }));
  assert.not.match((await alice.get(`/my/devices/${id}`)).text, 'Attic');
});

law(
  'the operator’s: which button to press, what comes after a claim, support and privacy',
  async ({ world, home, alice }) => {
    const id = await provision(world, home.tenantId, CLAIM.device);
    const early = await alice.post('/claim', { ...CLAIM, key: 'secret' });
    assert.match(
      early.text,
      'Hold the <round> button.'.replace(/[<>]/g, (sign) => (sign === '<' ? '&lt;' : '&gt;')),
    );
    await openWindow(world, id, 'secret');
    const done = await alice.follow(await alice.post('/claim', { ...CLAIM, key: 'secret' }));
    assert.match(done.text, 'Install the app.');
    assert.match(done.html, 'href="https://example.org/app"');
    assert.match(done.html, 'href="mailto:help@example.org"');
    assert.match((await visitor(world).get('/login')).html, 'href="https://example.org/privacy"');
  },
  {},
  {
    buttonHint: 'Hold the <round> button.',
    afterClaim: { text: 'Install the app.', link: 'https://example.org/app' },
    support: 'mailto:help@example.org',
    privacy: 'https://example.org/privacy',
  },
);

law(
  'claim: after too many wrong keys the page says how long to wait',
  async ({ world, home, alice }) => {
    await openWindow(world, await provision(world, home.tenantId, CLAIM.device), 'secret');
    assert.match((await alice.post('/claim', { ...CLAIM, key: 'x' })).text, '1 attempt left');
    assert.match((await alice.post('/claim', { ...CLAIM, key: 'x' })).text, 'last attempt for now');
    const shown = await alice.post('/claim', { ...CLAIM, key: 'secret' });
    assert.is(shown.status, 429);
    assert.match(shown.text, /wait \d+ seconds?/);
  },
  { limits: { wrongSecretsPerCustomerAndDevice: { max: 2, windowMs: 60_000 } } },
);

law(
  'claim: where refusals are uniform the page says no more than the API',
  async ({ world, home, alice }) => {
    await openWindow(world, await provision(world, home.tenantId, CLAIM.device), 'secret');
    const wrong = await alice.post('/claim', { ...CLAIM, key: 'x' });
    const unknown = await alice.post('/claim', { device: 'Nobody', key: 'x' });
    assert.is(wrong.html.replace(/value="[^"]*"/g, ''), unknown.html.replace(/value="[^"]*"/g, ''));
    assert.match(wrong.text, 'do not fit');
  },
  { settings: { uniformRefusals: true } },
);

law(
  'claim: a form that is sent twice claims once and gets the same answer',
  async ({ world, home, alice }) => {
    await openWindow(world, await provision(world, home.tenantId, CLAIM.device), 'secret');
    const form = { ...CLAIM, key: 'secret', once: 'abc' };
    const [first, second] = [await alice.post('/claim', form), await alice.post('/claim', form)];
    assert.is(first.status, 303);
    assert.is(second.to, first.to);
  },
);

law(
  'claim: a refused form that is sent again is tried again, but its wrong key counts once',
  async (scene) => {
    const { world, home, alice } = scene;
    const id = await provision(world, home.tenantId, CLAIM.device);
    const form = { ...CLAIM, key: 'secret', once: 'abc' };
    assert.match((await alice.post('/claim', form)).text, 'The device is not waiting for you');
    assert.match((await alice.post('/claim', form)).text, 'The device is not waiting for you');
    await openWindow(world, id, 'secret');
    const wrong = { ...CLAIM, key: 'wrong', once: 'def' };
    for (let time = 1; time <= 2; time += 1)
      assert.match((await alice.post('/claim', wrong)).text, /key is wrong.*9 attempts left/);
    // Meanwhile the button was pressed, or the key was corrected in the same form.
    assert.is((await alice.post('/claim', { ...form, once: 'def' })).status, 303);
    await home.alice.delete(`/api/customer/device/${encodeURIComponent(CLAIM.device)}/claim`);
    await openWindow(world, id, 'secret');
    assert.is((await alice.post('/claim', form)).status, 303);
  },
);

law(
  'claim: a session that has ended leads back to the form, and says that nothing was done',
  async ({ alice }) => {
    const guest = await alice.post('/logout', {});
    assert.is(guest.status, 303);
    const sent = await alice.post('/claim', { ...CLAIM, key: 'secret' });
    assert.is(sent.to, '/login?next=%2Fclaim');
    assert.match((await alice.follow(sent)).text, 'nothing was done yet');
    assert.is(
      (await alice.post('/devices/1/permission', {})).to,
      '/login?next=%2Fdevices%2F1',
      'to the page of the form',
    );
  },
);

law('claim: an administrator gets the page of the device', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, CLAIM.device);
  const admin = visitor(world);
  await admin.signIn('admin@home.test');
  assert.match((await admin.get('/claim')).text, 'Find a device by its label');
  assert.is((await admin.post('/claim', { ...CLAIM, key: 'secret' })).to, `/devices/${id}`);
  assert.match((await admin.post('/claim', { device: '<Nobody>' })).text, 'Nothing here is called');
});

law(
  'claim: a device that does not wait yet is waited for, but not without a key',
  async ({ world, home, alice }) => {
    const id = await provision(world, home.tenantId, CLAIM.device);
    assert.match((await alice.post('/claim', { ...CLAIM, key: 'secret' })).html, 'data-waiting');
    assert.not.match((await alice.post('/claim', { ...CLAIM, key: '' })).html, 'data-waiting');
    await openWindow(world, id, 'secret');
    assert.is((await alice.post('/claim', { ...CLAIM, key: 'secret', wait: 'yes' })).status, 303);
  },
);

law('refused: another role is told only where it is one', async ({ world, home, alice }) => {
  const role = await alice.get('/devices');
  assert.is(role.status, 403);
  assert.match(role.text, `signed in as ${home.alice.email}, a customer. This page is for an administrator.`);
  const id = await provision(world, home.tenantId, CLAIM.device, home.bob.customerId);
  const another = await alice.get(`/my/devices/${id}`);
  assert.is(another.status, 403);
  assert.match(another.text, 'It belongs to somebody else, or not to you any more.');
});

law('claim: a malformed form gets a page in words', async ({ alice }) => {
  for (const device of ['..', '.', 'a/b', '?x', '#y', '%2e%2e', '\u2028'])
    assert.match(
      (await alice.post('/claim', { device, key: '' })).text,
      /no such device|name is missing/i,
      device,
    );
  for (const once of ['\u2028', 'é\n', 'z'.repeat(9000)])
    assert.match((await alice.post('/claim', { device: 'Nobody', key: '', once })).text, 'no such device');
});

law('my devices: searched, paged, and given back after a confirmation', async ({ world, home, alice }) => {
  for (let at = 1; at <= 25; at += 1) {
    await provision(world, home.tenantId, `Pump ${String(at).padStart(2, '0')}`, home.alice.customerId);
  }
  const id = await provision(world, home.tenantId, 'Valve', home.alice.customerId);
  const first = await alice.get('/my/devices');
  assert.match(first.text, '26 devices');
  assert.match(first.text, '1–20 of 26');
  assert.match((await alice.get('/my/devices?page=1')).text, '21–26 of 26');
  const beyond = await alice.get('/my/devices?page=499950');
  assert.match(beyond.text, /nothing on this page.*ends before this page: it has 26.*To the last page/);
  assert.match(beyond.html, 'href="/my/devices?page=1"');
  const none = await alice.get('/my/devices?search=nothing');
  assert.match(none.html, 'href="/my/devices">Show all devices');
  const found = await alice.get('/my/devices?search=valve');
  assert.match(found.text, '1 device found');
  assert.match((await alice.get(`/my/devices/${id}/give-back`)).text, 'Give it back? Valve');
  const after = await alice.follow(await alice.post(`/my/devices/${id}/give-back`, {}));
  assert.match(after.text, 'You gave “Valve” back.');
  assert.not.match((await alice.get('/my/devices')).text, 'Valve');
  assert.is((await alice.get(`/my/devices/${id}/give-back`)).status, 403);
});

law('activation: the link leads to a page, and its password signs in', async ({ world, home }) => {
  const body = {
    email: 'new@home.test',
    authority: 'CUSTOMER_USER',
    customerId: { id: home.alice.customerId },
  };
  const user = (await home.admin.post('/api/user', body)).json as { id: { id: string } };
  const link = (await home.admin.get(`/api/user/${user.id.id}/activationLink`)).text;
  const guest = visitor(world);
  const page = await guest.follow(await guest.get(new URL(link).pathname + new URL(link).search));
  const [, activateToken = ''] = /name="activateToken" value="([^"]*)"/.exec(page.html) ?? [];
  const set = (password: string, again = password) =>
    guest.post('/login/createPassword', { activateToken, password, again });
  assert.match((await set('a-long-password', 'another')).text, 'not the same');
  assert.match((await set('abc')).text, '12 or more characters');
  assert.is((await set('a-long-password')).to, '/');
  assert.is((await guest.get('/claim')).status, 200);
  assert.match((await set('a-long-password')).text, 'does not work any more');
  const used = await guest.get(new URL(link).pathname + new URL(link).search);
  assert.match((await guest.follow(used)).text, 'This link was used already');
  const program = await guest.get(new URL(link).pathname + new URL(link).search, { accept: '*/*' });
  assert.is(program.status, 409, 'as in ThingsBoard');
});

test('account: a session is named by the browser and the system that it is of', () => {
  const mozilla = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)';
  const phone =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
  for (const [userAgent, words] of [
    [`${mozilla} Chrome/140.0.0.0 Safari/537.36`, 'Chrome on Linux'],
    [`${mozilla} Chrome/140.0.0.0 Safari/537.36 Edg/140.0`, 'Edge on Linux'],
    [`${phone} Version/18.0 Mobile/15E148 Safari/604.1`, 'Safari on iPhone'],
    [`${phone} CriOS/140.0 Mobile/15E148 Safari/604.1`, 'Chrome on iPhone'],
    ['Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', 'Firefox on Android'],
    ['curl/8.0 Chrome/1', 'curl/8.0 Chrome/1'],
    ['Mozilla/5.0 (something)', 'Mozilla/5.0 (something)'],
    [null, 'A program without a name'],
  ] as const) {
    assert.is(programOf(userAgent, { say: sayIn('en', 'en') }), words);
  }
});

law('account: a new password signs out everywhere else', async ({ world, home, alice }) => {
  const elsewhere = visitor(world);
  await elsewhere.signIn(home.alice.email);
  const change = (current: string, again = 'new-password') =>
    alice.post('/account', { current, password: 'new-password', again });
  assert.match((await change(PASSWORD, 'other')).text, 'not the same');
  assert.match((await change('wrong')).text, "doesn't match");
  assert.match((await alice.follow(await change(PASSWORD))).text, 'Your password was changed');
  assert.match((await elsewhere.get('/claim')).to ?? '', /^\/login/);
});

law('locale: dates and numbers are in the reader’s format', async ({ world, home, alice }) => {
  const id = await provision(world, home.tenantId, 'D', home.alice.customerId);
  world.clock.advance(48 * HOUR_MS);
  const read = async (headers: Record<string, string>) =>
    (await alice.get(`/claim/done?device=${id}`, headers)).html;
  assert.match(await read({ 'accept-language': 'de-DE' }), '01.01.2026, 00:00 UTC');
  (alice.cookies as Map<string, string>).set('claimd-tz', 'America/New_York');
  assert.match(await read({ 'accept-language': 'de-DE' }), '31.12.2025, 19:00');
  assert.match(await read({ 'accept-language': 'en-US' }), /Dec 31, 2025, 7:00/);
  assert.match(await read({ 'accept-language': 'x!, ;;,' }), '31 Dec 2025, 19:00');
});

// ----------------------------------------------------------------------------------------------------------- looks

test('theme: any accent is readable on light and on dark', () => {
  for (const accent of ['#ffffff', '#000000', '#ffff00', '#0b5fb0', '#ff0000', '#808080']) {
    for (const ground of ['#f5f6f8', '#10141a']) {
      const shades = shadesOn(ground, accent);
      assert.ok(contrast(shades.accent, ground) >= 4.5, `${accent} on ${ground}: ${shades.accent}`);
      assert.ok(contrast(shades.onAccent, shades.accent) >= 4.5, `${shades.onAccent} on ${shades.accent}`);
    }
  }
});

/** WCAG's formula, written independently of the code under test. */
function contrast(one: string, other: string): number {
  const [a, b] = [one, other].map((hex) => {
    const channels = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
    const [r = 0, g = 0, bl = 0] = channels.map((c) =>
      c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
  });
  return (Math.max(a ?? 0, b ?? 0) + 0.05) / (Math.min(a ?? 0, b ?? 0) + 0.05);
}

law(
  'looks: pages have the operator’s name and logo, and the name is escaped',
  async ({ alice }) => {
    const { html } = await alice.get('/claim');
    assert.match(html, '<title>Claim a device · &lt;b&gt;Söhne</title>');
    const [, path = ''] = /<img src="(\/assets\/[^"]*\/logo)" alt=""/.exec(html) ?? [];
    const logo = await alice.get(path);
    assert.is(logo.html, '<svg/>');
    assert.is(logo.headers.get('content-type'), 'image/svg+xml');
    // A logo that is opened as a page of its own runs no script.
    assert.match(logo.headers.get('content-security-policy') ?? '', /default-src 'none'.*sandbox/);
  },
  {},
  { name: '<b>Söhne', logo: { type: 'image/svg+xml', body: Buffer.from('<svg/>') } },
);

law(
  'attack: of who is not signed in no form is kept that is larger than a password and an address to go to',
  async ({ world }) => {
    const stranger = visitor(world);
    const next = `/devices?textSearch=${'x'.repeat(16_000)}`;
    const fields = { email: 'a@home.test', password: 'wrong'.repeat(200), next };
    assert.match((await stranger.post('/login', fields)).text, 'wrong');
    const refused = await stranger.post('/login', { ...fields, more: 'x'.repeat(10_000) });
    assert.match(refused.text, 'too large: 24 KiB at most');
  },
);

law('forms: too large ones are refused, before and after signing in', async ({ world, alice }) => {
  const large = 'x'.repeat(200_000);
  const refused = await visitor(world).post('/login', { email: large, password: 'p' });
  assert.is(refused.status, 400);
  assert.match(refused.text, 'too large');
  assert.match((await alice.post('/claim', { device: large, key: '' })).text, 'too large');
});

law(
  'assets: text is compressed for browsers that take it, and the camera’s decoder is ours',
  async ({ alice }) => {
    const page = await alice.get('/claim');
    const [, base = ''] = /href="(\/assets\/[^/]+\/)style\.css"/.exec(page.html) ?? [];
    const css = await alice.get(`${base}style.css`, { 'accept-encoding': 'br, gzip' });
    assert.is(css.headers.get('content-encoding'), 'gzip');
    for (const accept of ['identity', 'gzip;q=0', 'br'])
      assert.is(
        (await alice.get(`${base}style.css`, { 'accept-encoding': accept })).headers.get('content-encoding'),
        null,
      );
    assert.match((await alice.get(`${base}camera.js`)).html, /'.\/qr\/decode\.js'/);
    assert.match((await alice.get(`${base}qr/decode.js`)).html, /'.\/index\.js'/);
    assert.is((await alice.get(`${base}qr/index.js`)).status, 200);
  },
);

law(
  'install: a manifest with the operator’s name and colour, icons of the sizes it says, and a worker that is looked for anew',
  async ({ alice }) => {
    const answer = await alice.get('/manifest.webmanifest');
    const { name, theme_color, icons } = JSON.parse(answer.html);
    assert.equal([name, theme_color], ['Söhne & Co', '#aa0000']);
    for (const { src } of icons) {
      const { pathname } = new URL(src, 'http://claimd/manifest.webmanifest');
      assert.is((await alice.get(pathname)).headers.get('content-type'), 'image/png');
    }
    assert.is((await alice.get('/worker.js')).headers.get('cache-control'), 'no-cache');
    const page = await alice.get('/claim');
    assert.match(page.headers.get('content-security-policy') ?? '', "worker-src 'self'");
    assert.match(page.html, 'rel="manifest"');
  },
  {},
  { name: 'Söhne & Co', accent: '#aa0000' },
);

law('assets: cached for a year under a path that changes with them', async ({ alice }) => {
  const { html } = await alice.get('/claim');
  const [, path = ''] = /href="(\/assets\/[^"]*style\.css)"/.exec(html) ?? [];
  const style = await alice.get(path);
  assert.is(style.status, 200);
  assert.match(style.headers.get('cache-control') ?? '', /immutable/);
  assert.is((await alice.get('/assets/000000000000/style.css')).status, 404);
  assert.is((await alice.get('/assets/../../package.json')).status, 404);
});

test.run();
