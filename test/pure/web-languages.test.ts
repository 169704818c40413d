/** Which language a page is in, and that it says so. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allPages } from '../../http/web/pages/all.ts';
import type { WebSettings } from '../../http/web/settings.ts';
import {
  claimPath,
  type Household,
  openWindow,
  provision,
  type RestWorld,
  settle,
  systemAdministrator,
} from '../kit/rest-client.ts';
import { createWebWorld, type Visitor, visitor } from '../kit/web-client.ts';

const test = suite('web languages');

type Scene = { readonly world: RestWorld; readonly home: Household; readonly alice: Visitor };

function law(name: string, play: (scene: Scene) => Promise<void>, web: Partial<WebSettings> = {}): void {
  test(name, async () => {
    const world = createWebWorld({}, web);
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

const FRENCH = { 'accept-language': 'fr-CH, en;q=0.5' };

law(
  'the address goes before the user’s own, that before the cookie, that before the browser',
  async ({ alice }) => {
    const languageOf = async (path: string) =>
      (await alice.get(path, FRENCH)).headers.get('content-language');
    assert.is(await languageOf('/claim'), 'fr');
    assert.is(await languageOf('/claim?lang=ja'), 'ja');
    assert.is(await languageOf('/claim'), 'ja', 'the cookie');
    const chosen = await alice.post('/language', { lang: 'de', next: '/my/devices' });
    assert.is(chosen.to, '/my/devices');
    alice.setCookie('claimd-lang', 'ko');
    assert.is(await languageOf('/claim'), 'de', 'the user’s own');
    assert.is(await languageOf('/claim?lang=zh_CN'), 'zh-Hans');
    assert.is(await languageOf('/claim?lang=nonsense'), 'de');
  },
);

law('a name that runs the other way turns nothing around it', async ({ world, home, alice }) => {
  const name = 'מנורה (1)';
  const id = await provision(world, home.tenantId, name);
  await openWindow(world, id, 'printed on the box');
  const claimed = await home.alice.post(claimPath(name), { secretKey: 'printed on the box' });
  assert.is(claimed.status, 200, claimed.text);
  const { html } = await alice.get(`/my/devices/${id}/history`);
  assert.match(html, `<a href="/my/devices/${id}"><bdi>${name}</bdi></a>`);
  assert.match((await alice.get('/my/devices')).html, '<bdi>default</bdi>');
});

law('a page says which language it is in, which way it runs, and what it depends on', async ({ alice }) => {
  const page = await alice.get('/claim?lang=ar');
  assert.match(page.html, '<html lang="ar" dir="rtl"');
  assert.match(page.text, 'تسجيل جهاز');
  assert.match(page.headers.get('vary') ?? '', /accept-language/i);
  assert.match((await visitorOf(page.html)) ?? '', 'العربية');
});

const visitorOf = async (html: string) => /<option value="ar"[^>]*selected[^>]*>([^<]*)/.exec(html)?.[1];

law(
  'who has said nothing is spoken to in the operator’s language',
  async ({ world }) => {
    const bob = visitor(world);
    assert.match((await bob.get('/login')).html, '<html lang="pl" dir="ltr"');
    assert.match((await bob.get('/login', FRENCH)).html, '<html lang="fr"');
  },
  { language: 'pl' },
);

/** What answers with no page here: it leads on, is a file, is switched off, or is of a thing that its address does not name. */
const NO_PAGES: readonly string[] = [
  'CUSTOMER_USER /claim/done: 404',
  'PUBLIC /login/signUp: 404',
  'PUBLIC /oauth2/logout/there: 303',
  'PUBLIC /oauth2/logout: 303',
  'PUBLIC /ui: 404',
  'TENANT_ADMIN /audit/export: 200',
  'TENANT_ADMIN /devices/export.csv: 303',
  'TENANT_ADMIN /devices/import/template.csv: 200',
  'TENANT_ADMIN /devices/labels.pdf: 400',
];

law('every page that stands by itself is in the language of who reads it', async ({ world, home, alice }) => {
  const [admin, system] = [visitor(world), visitor(world)];
  await admin.signIn(home.adminEmail);
  await systemAdministrator(world);
  await system.signIn('sysadmin@claimd.test');
  const readers = { CUSTOMER_USER: alice, TENANT_ADMIN: admin, SYS_ADMIN: system, PUBLIC: visitor(world) };
  const skipped: string[] = [];
  for (const { path, roles, get } of allPages()) {
    // Of one thing, or the endless feed: the pages of things are gone through in `web-languages` of the programs.
    if (get === undefined || path.includes(':') || path === '/live/events') continue;
    for (const role of roles) {
      const { html, status, headers } = await readers[role].get(path, FRENCH);
      const isPage = status < 300 && headers.get('content-type')?.startsWith('text/html');
      if (isPage) assert.match(html, '<html lang="fr"', `${path} for ${role}`);
      else skipped.push(`${role} ${path}: ${status}`);
    }
  }
  assert.equal(skipped.sort(), NO_PAGES);
  assert.match((await system.get('/server?lang=ar')).text, 'جميع الخيارات');
});

law(
  'what an administrator did, and what the API refused, is said in the language of the page',
  async ({ world, home }) => {
    const admin = visitor(world);
    await admin.signIn(home.adminEmail);
    await admin.post('/language', { lang: 'de', next: '/webhooks' });
    const refused = await admin.post('/webhooks/new', { url: 'http://10.0.0.1/', format: 'plain' });
    assert.is(refused.status, 400);
    assert.match(refused.text, 'Der Webhook wurde nicht gespeichert');
    const made = await admin.post('/webhooks/new', { url: 'http://127.0.0.1:9/', format: 'plain' });
    assert.match(made.text, 'Geben Sie es dem Empfänger');
    const [, path = ''] = /href="(\/webhooks\/[0-9a-f-]{36})"/.exec(made.html) ?? [];
    assert.match((await admin.follow(await admin.post(`${path}/disable`, {}))).text, 'Er ist ausgeschaltet');
    assert.match((await admin.get('/live')).text, 'Drei Schritte');
    await provision(world, home.tenantId, 'Lamp');
    await home.alice.post('/api/customer/device/Lamp/claim', { secretKey: 'no' });
    await world.audit.catchUp();
    const overview = await admin.get('/live');
    assert.match(overview.text, /1 Gerät insgesamt 0 Fenster jetzt offen 0 Geräte registriert/);
    // What the browser adds as it happens is in the page, in the same words.
    const [, words = ''] = /data-words="([^"]*)"/.exec(overview.html) ?? [];
    assert.match(words, 'Registrierung abgelehnt');
    assert.match(words, 'falscher Schlüssel');
  },
);

law('a form leads back to a page of this site alone', async ({ alice }) => {
  assert.is((await alice.post('/language', { lang: 'de', next: '//evil.example' })).to, '/');
  assert.is((await alice.post('/language', { lang: 'xx', next: '/claim' })).to, '/claim');
});

law(
  'the made-up language is there where the settings say so',
  async ({ alice }) => {
    assert.match((await alice.get('/claim?lang=en-XA')).text, 'Çłáíḿ'.slice(0, 3));
  },
  { pseudo: true },
);

law('and nowhere else', async ({ alice }) => {
  assert.match((await alice.get('/claim?lang=en-XA')).text, 'Claim a device');
});

test.run();
