/**
 * People who come in: by a mail, because they have no account yet, and by an identity provider; in a real browser, with a real
 * server, a mail server and `oidc-provider`, a certified implementation by others. What the label said is there afterwards.
 */
import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Api, restApi } from '../kit/api.ts';
import { launchBrowser, look, PAGE_BROWSER, Person, PHONE, visitAs } from '../kit/browser.ts';
import { LOCAL_ALONE } from '../kit/connected-story.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { CLIENT } from '../kit/identity-provider.ts';
import { type IndependentProvider, startIndependentProvider } from '../kit/independent-provider.ts';
import { linkIn, type MailServer, mailEnvironment, startMailServer } from '../kit/mail-server.ts';
import { claimPacket, RawMqttClient } from '../kit/mqtt-client.ts';
import { freePorts } from '../kit/ports.ts';
import { cleanUp, type ServerProcess, startServer } from '../kit/process.ts';
import { findProgram, needing } from '../kit/programs.ts';
import { WEBHOOK_ENVIRONMENT } from '../kit/webhook-story.ts';

const PASSWORD = 'a password of hers';
const DEVICE = 'Thermostat T1';
const KEY = 'on the box';
const BUTTON = 'Sign in with Home ID';
/** The pages of the provider ask for a font there, which nobody gives them. */
const FONTS = 'https://fonts.googleapis.com/';

let server: ServerProcess;
let browser: Browser;
let mails: MailServer;
let idp: IndependentProvider;
let api: Api;
let tenant: string;
let providerId: string;

test.before(async () => {
  if (findProgram(PAGE_BROWSER) === undefined) return;
  [mails, idp] = await Promise.all([startMailServer(), startIndependentProvider()]);
  const [httpPort = 0] = await freePorts(1);
  const dataDir = temporaryFolder();
  const env = {
    ...WEBHOOK_ENVIRONMENT,
    ...mailEnvironment(mails.port),
    HTTP_BIND_PORT: String(httpPort),
    HTTP_BASE_URL: `http://127.0.0.1:${httpPort}`,
  };
  // The operator names a tenant that is there.
  const first = await startServer({ dataDir, env, args: ['--demo'] });
  const before = restApi(first.url);
  const admin = await before.login('tenant@thingsboard.org', 'tenant');
  const { tenantId } = await before.get<{ tenantId: { id: string } }>('/api/auth/user', admin);
  await first.stop();
  server = await startServer({
    dataDir,
    env: { ...env, SECURITY_SIGN_UP_TENANTS: tenantId.id },
    args: ['--demo'],
  });
  api = restApi(server.url);
  tenant = await api.login('tenant@thingsboard.org', 'tenant');
  const made = await api.post<{ id: { id: string }; redirectUri: string }>('/api/oauth2/client', tenant, {
    ...CLIENT,
    title: 'Home ID',
    loginButtonLabel: BUTTON,
    issuer: idp.issuer,
    allowedEmailDomains: ['thingsboard.org'],
  });
  providerId = made.id.id;
  idp.begin(made.redirectUri, { post_logout_redirect_uris: [`${server.url}/login`] });
  browser = await launchBrowser(LOCAL_ALONE, PAGE_BROWSER);
});
test.after(async () => {
  await browser?.close();
  await Promise.all([mails, idp].map((one) => one?.stop()));
  await cleanUp();
});

const journey = needing([PAGE_BROWSER], test);
const label = `/claim#${new URLSearchParams({ device: DEVICE, key: KEY })}`;

async function pressButton(): Promise<void> {
  const device = await RawMqttClient.connect(server.mqttPort, 5, 'T1_TEST_TOKEN');
  device.send(claimPacket(1, 1, { secretKey: KEY, durationMs: 600_000 }));
  assert.is((await device.next('puback')).reasonCode ?? 0, 0);
  await device.close();
}

async function claims(page: Person['page']): Promise<void> {
  await page.locator('[data-scanned]').waitFor(); // the key of the label is still there
  await page.getByRole('button', { name: 'Claim', exact: true }).click();
  await page.getByRole('heading', { name: 'It is yours' }).waitFor();
}

journey('who has no account signs up by a mail, in another tab, and claims what was scanned', async () => {
  await pressButton();
  const email = 'nova@elsewhere.example';
  await visitAs(await Person.open(browser, server.url, PHONE), async (person) => {
    const { page } = person;
    await person.goto(label);
    await page.getByText(`Sign in to claim “${DEVICE}”.`).waitFor();
    await page.getByRole('link', { name: 'No account yet? Create one' }).click();
    await page.getByLabel('E-mail').fill(email);
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
    const heard = await mails.mailTo(email);
    assert.not.match(heard.raw, /box|Thermostat/, 'what the label said is in no mail');

    const tab = await person.context.newPage();
    await tab.goto(linkIn(heard, server.url).href);
    await tab.getByLabel('New password').fill(PASSWORD);
    await tab.getByLabel('The same once more').fill(PASSWORD);
    await tab.getByRole('button', { name: 'Set the password and sign in' }).click();
    await claims(tab);
    await tab.goto(`${server.url}/claim`);
    assert.is(await tab.getByLabel('Key', { exact: true }).inputValue(), '', 'the key is forgotten');
    assert.is(await tab.evaluate('localStorage.length'), 0);
    await tab.close();
    // Whoever goes on in the first tab is signed in there too.
    await page.getByRole('link', { name: 'I have chosen my password' }).click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).waitFor();
  });
  await api.reclaim(await api.login(email, PASSWORD), DEVICE);
});

journey(
  'who has forgotten the password chooses another one in another tab, and claims what was scanned',
  async () => {
    const email = 'forgetful@elsewhere.example';
    const { id: customerId } = await api.post('/api/customer', tenant, { title: 'Forgetful' });
    await api.createUser(tenant, { email, authority: 'CUSTOMER_USER', customerId });
    await pressButton();
    await visitAs(await Person.open(browser, server.url, PHONE), async (person) => {
      const { page } = person;
      await person.goto(label);
      await page.getByRole('link', { name: 'Forgot your password?' }).click();
      await page.getByLabel('E-mail').fill(email);
      await page.getByRole('button', { name: 'Send the link' }).click();
      await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();

      const tab = await person.context.newPage();
      await tab.goto(linkIn(await mails.mailTo(email), server.url).href);
      await tab.getByLabel('New password').fill(PASSWORD);
      await tab.getByLabel('The same once more').fill(PASSWORD);
      await tab.getByRole('button', { name: 'Set the password' }).click();
      await tab.getByText(`Sign in to claim “${DEVICE}”.`).waitFor();
      await tab.getByLabel('E-mail').fill(email);
      await tab.getByLabel('Password').fill(PASSWORD);
      await tab.getByRole('button', { name: 'Sign in', exact: true }).click();
      await claims(tab);
    });
    await api.reclaim(await api.login(email, PASSWORD), DEVICE);
  },
);

journey('who signs in by a provider claims what was scanned, and signs out there too', async () => {
  await pressButton();
  const alice = await Person.open(browser, server.url, PHONE, {}, [idp.issuer, FONTS]);
  await visitAs(alice, async ({ page }) => {
    await alice.goto(label);
    await page.getByText(`Sign in to claim “${DEVICE}”.`).waitFor();
    await alice.goto(`/oauth2/authorization/${providerId}?prevUri=/claim`); // a tenant's provider has a link of its own
    await page.locator('input[name=login]').fill('customerA@thingsboard.org');
    await page.locator('input[name=password]').fill('whatever the provider asks for');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await claims(page);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await look(alice, 'people-signed-out');
    await page.getByRole('link', { name: 'Sign out there too' }).click();
    await page.getByRole('button', { name: /sign me out/i }).click();
    await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
    assert.is(new URL(page.url()).origin, server.url);
    // There a password is asked for again.
    await alice.goto(`/oauth2/authorization/${providerId}?prevUri=/claim`);
    await page.locator('input[name=login]').waitFor();
    alice.complaints(); // pages of the provider have a policy and fonts of their own
  });
  await api.reclaim(await api.login('customerA@thingsboard.org', 'customer'), DEVICE);
});

journey('the pages: no flaw that axe finds, on a phone and a desk, in light and dark', async () => {
  for (const width of [360, 1440]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const size = { width, height: 800 };
      const person = await Person.open(browser, server.url, size, { colorScheme });
      const seen = (name: string) => look(person, `people-${width}-${colorScheme}-${name}`);
      const { page } = person;
      for (const [name, path] of Object.entries({
        login: '/login',
        'sign-up': '/login/signUp',
        'choose-password': '/login/signUp/complete?token=x',
        'not-offered': '/login/signUp?tenant=00000000-0000-7000-8000-000000000000',
      })) {
        await person.goto(path);
        await seen(name);
      }
      await page.getByLabel('E-mail').fill('somebody@elsewhere.example');
      await page.getByRole('button', { name: 'Send the link' }).click();
      await page.getByRole('heading', { name: 'Create an account' }).waitFor();
      await seen('not-offered');
      await person.goto('/login/signUp');
      await page.getByLabel('E-mail').fill(`somebody-${width}-${colorScheme}@elsewhere.example`);
      await page.getByRole('button', { name: 'Send the link' }).click();
      await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
      await seen('asked');
      await person.goto('/login/signUp/complete?token=x');
      await page.getByLabel('New password').fill(PASSWORD);
      await page.getByLabel('The same once more').fill(PASSWORD);
      await page.getByRole('button', { name: 'Set the password and sign in' }).click();
      await page.getByRole('heading', { name: 'This link does not work any more' }).waitFor();
      await seen('link-ended');
      await person.goto('/login/resetPasswordRequest');
      await page.getByLabel('E-mail').fill('somebody@elsewhere.example');
      await page.getByRole('button', { name: 'Send the link' }).click();
      await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
      await seen('reset-asked');

      await person.goto('/login');
      await person.signInAs('customerA@thingsboard.org');
      await person.goto('/account');
      await seen('account');
      await page.getByRole('button', { name: 'Sign out', exact: true }).click();
      await person.goto('/login');
      await person.signInAs('tenant@thingsboard.org');
      for (const [name, path] of Object.entries({
        providers: '/providers',
        'new-provider': '/providers/new',
        provider: `/providers/${providerId}`,
        'delete-provider': `/providers/${providerId}/delete`,
      })) {
        await person.goto(path);
        await seen(name);
      }
      await person.close();
    }
  }
});

test.run();
