/**
 * A house with everything in it that a page can show, served on a port of this machine: so that each page is looked at with
 * something on it. What people wrote (names, labels) has a digit in it, which no text of ours has.
 */
import type { Page } from 'playwright-core';
import type { DeviceId, TenantId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import { memoryCounters } from '../../actors/limits/counters.ts';
import { createMails } from '../../actors/mail/mails.ts';
import { createSignUps } from '../../actors/mail/sign-ups.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { loadConfig } from '../../config/options/load.ts';
import type { ApiNeeds } from '../../http/app.ts';
import { createHttpServer } from '../../http/server.ts';
import { defaultHttpServerSettings } from '../../http/settings.ts';
import {
  entity,
  HOUR_MS,
  type Household,
  openWindow,
  provision,
  type RestWorld,
  settle,
  steer,
  systemAdministrator,
} from './rest-client.ts';
import { until } from './until.ts';
import { createWebWorld, sendFile, type Visitor, visitor } from './web-client.ts';

export type Who = 'nobody' | 'customer' | 'tenant' | 'system';

/** Each page by a name for its picture; of what a form leads to, what is done on the page to get there. */
type Paths = readonly (readonly [name: string, path: string, then?: (page: Page) => Promise<void>])[];

export interface WebScene {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly pages: Readonly<Record<Who, Paths>>;
  /** By name; none for nobody. */
  readonly cookies: Readonly<Record<Who, ReadonlyMap<string, string>>>;
  stop(): Promise<void>;
}

/** Where there is the demo, there is the page of components. */
const DEMO_ACCOUNTS = [{ label: 'Demo 1', email: 'demo1@house1.test', password: 'not-used' }];
/** After the opening of its window. */
const CLAIMED_AFTER_MS = 42_000;
const SUPPORT = 'mailto:help@example.org';
/** As long as people write them. */
const LONG = 'Wärmepumpenzwischenzähler 2 of the second heating circuit, cellar of the annex';

export async function startWebScene(): Promise<WebScene> {
  const signUpTenants: TenantId[] = [];
  const disturb = (needs: ApiNeeds) => withMails(needs, signUpTenants);
  const web = { pseudo: true, mails: true, signUp: true, support: SUPPORT, demoAccounts: DEMO_ACCOUNTS };
  const world = createWebWorld({ disturb }, web);
  // Pages tell what is past by the browser's clock, which it is when all is there.
  world.clock.step(Date.now() - CLAIMED_AFTER_MS - world.clock.now());
  const settings = { ...defaultHttpServerSettings, address: '127.0.0.1', port: 0 };
  const server = createHttpServer({ app: world.app, settings, log: silentLog });
  const { port } = await server.start();
  const home = await settle(world, 'house1');
  signUpTenants.push(home.tenantId);
  const [tenant, customer, system] = [visitor(world), visitor(world), visitor(world)];
  await tenant.signIn(home.adminEmail);
  await customer.signIn(home.alice.email);
  await systemAdministrator(world);
  await system.signIn('sysadmin@claimd.test');
  const made = await furnish(world, home, tenant, customer);
  await world.audit.catchUp();
  return {
    url: `http://127.0.0.1:${port}`,
    pages: {
      nobody: PAGES_OF_NOBODY,
      customer: pagesOfCustomer(made),
      tenant: pagesOfTenant(made, home),
      system: pagesOfSystem(home),
    },
    cookies: {
      nobody: new Map(),
      customer: customer.cookies,
      tenant: tenant.cookies,
      system: system.cookies,
    },
    async stop() {
      await server.stop(0);
      await world.stop();
    },
  };
}

/** Their choice can be made; nothing is sent. */
function withMails(needs: ApiNeeds, signUpTenants: readonly TenantId[]): ApiNeeds {
  const settings = {
    look: { product: 'claimd', accent: '#0b5fb0', onAccent: '#ffffff' },
    baseUrl: 'https://claimd.test',
    domain: 'claimd.test',
    language: 'en',
    resetLifeMs: HOUR_MS,
    connections: 1,
    perTenant: 100,
    signUpsPerTenant: 100,
  } as const;
  const store = createMemoryStore();
  const smtp = { send: () => Promise.reject(new Error('nothing is sent')), close() {} };
  const { mails } = createMails(settings, { ...needs, store, smtp, counters: memoryCounters });
  const signUp = { tenants: signUpTenants, customerPattern: '%{email}', emailDomains: [] };
  return {
    ...needs,
    serverOptions: shownOptions(),
    mails,
    // As if nobody had asked before: the page is looked at in many languages.
    signUps: createSignUps(signUp, { ...needs, store, mails: { ...mails, ask: async () => 'kept' } }),
  };
}

function shownOptions() {
  const loaded = loadConfig({
    env: { WEB_NAME: 'Lamps 1', SYSADMIN_PASSWORD: 'neither-shown-nor-used-1' },
    flags: [],
  });
  if (loaded.type === 'problems') throw new Error(loaded.problems.join());
  return loaded.shown;
}

type Made = Awaited<ReturnType<typeof furnish>>;

async function furnish(world: RestWorld, home: Household, tenant: Visitor, customer: Visitor) {
  const { tenantId, admin, alice, bob } = home;
  const make = (name: string, owner?: typeof alice) =>
    provision(world, tenantId, name, owner?.customerId ?? null);
  const [owned, offered, open] = [
    await make('Lamp 1', alice),
    await make(LONG, alice),
    await make('مصباح 3'),
  ];
  for (let at = 0; at < 12; at += 1) await make(`Plug ${at}`, at % 3 === 0 ? bob : undefined);
  await openWindow(world, open, 'on the box');
  await openWindow(world, await idOf(admin, 'Plug 11'), 'in the box');
  world.clock.advance(CLAIMED_AFTER_MS);
  await bob.post('/api/customer/device/Plug%2011/claim', { secretKey: 'in the box' });
  await alice.post('/api/customer/device/Plug%201/claim', { secretKey: 'wrong' });
  await alice.post(`/api/customer/device/${encodeURIComponent('مصباح 3')}/claim`, { secretKey: 'wrong' });
  await steer(admin, await idOf(admin, 'Plug 2'), { claimingAllowed: false });
  const claimingData = { secretKey: 'ABCD-EFGH-JKMN-PQRS', expirationTime: world.clock.now() + 24 * HOUR_MS };
  const keyed = [await idOf(admin, 'Plug 10'), await make(`${LONG}, 2nd`)];
  for (const id of keyed) await steer(admin, id, { claimingData });
  await customer.post(`/my/devices/${owned}/name`, { label: 'Kitchen 1' });
  await customer.post(`/my/devices/${offered}/hand-over`, { email: 'somebody1@example.org', days: '7' });
  const gift = await idOf(admin, 'Plug 3');
  await bob.post('/api/customer/device/Plug%203/transfer', { to: alice.email });
  const [kit, claimedKit] = [
    await madeKit(tenant, 'Order 7', 'Plug 4\nPlug 5'),
    await madeKit(tenant, 'Order 8', 'Plug 7'),
  ];
  const claimed = await customer.post('/claim/kit', { code: claimedKit.code });
  await until('the kit is claimed', async () =>
    /It is yours/.test((await customer.get(String(claimed.to))).text),
  );
  const imported = await importedFile(tenant);
  const batch = await carriedOut(tenant, await idOf(admin, 'Plug 8'));
  await tenant.post('/webhooks/new', {
    url: 'http://127.0.0.1:9/hook1',
    label: 'Platform 1',
    format: 'plain',
  });
  const [, webhook = ''] =
    /href="(\/webhooks\/[0-9a-f-]{36})"/.exec((await tenant.get('/webhooks')).html) ?? [];
  const profile = entity(
    await admin.post('/api/deviceProfile', {
      name: 'Strict 1',
      type: 'DEFAULT',
      transportType: 'DEFAULT',
      profileData: {},
    }),
  ).id.id;
  await tenant.post('/account/keys', { description: 'Terminal 1' });
  const person = {
    email: 'new1@house1.test',
    authority: 'CUSTOMER_USER',
    customerId: idAs('CUSTOMER', alice),
  };
  const invited = entity(await admin.post('/api/user?sendActivationMail=false', person)).id.id;
  const issuer = { clientId: 'claimd', clientSecret: 'not-used', loginButtonLabel: 'Sign in with Rooms 1' };
  const provider = entity(
    await admin.post('/api/oauth2/client', { ...issuer, title: LONG, issuer: 'https://rooms1.example' }),
  ).id.id;
  return {
    provider,
    keyed,
    owned,
    offered,
    gift,
    open,
    kit,
    claimedAt: String(claimed.to),
    imported,
    batch,
    webhook,
    profile,
    invited,
  };
}

const idAs = (entityType: string, { customerId }: { readonly customerId: string }) => ({
  id: customerId,
  entityType,
});

async function idOf(admin: Household['admin'], name: string): Promise<DeviceId> {
  const found = entity(await admin.get(`/api/tenant/devices?deviceName=${encodeURIComponent(name)}`));
  return found.id.id as DeviceId; // an id of the API is one of ours
}

async function madeKit(tenant: Visitor, label: string, devices: string) {
  const made = await tenant.post('/kits/new', { label, devices, days: '30' });
  const [code = ''] = /[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}/.exec((await tenant.follow(made)).text) ?? [];
  return { path: String(made.to), code };
}

async function importedFile(tenant: Visitor): Promise<string> {
  const rows = `name;label;Shelf\nPump 1;${LONG};7\nPlug 1;;\nPump 2;;\n`;
  const { to = '' } = await sendFile(tenant, new File([rows], 'devices1.csv', { type: 'text/csv' }));
  await until('the file is checked', async () => /Refused 1/.test((await tenant.get(to)).text));
  return to;
}

/** A batch of one device, done. */
async function carriedOut(tenant: Visitor, id: string): Promise<string> {
  const { to = '' } = await tenant.post('/devices/selected', { id, do: 'forbid', sure: 'yes' });
  await until('the batch is done', async () => /Undo/.test((await tenant.get(to)).text));
  return to;
}

const PAGES_OF_NOBODY: Paths = [
  ['sign-in', '/login'],
  ['forgotten', '/login/resetPasswordRequest'],
  ['new-password', '/login/resetPassword?resetToken=x'],
  ['activation', '/login/createPassword?activateToken=x'],
  ['link-used', '/activationLinkExpired'],
  ['offline', '/offline'],
  ['nowhere', '/nowhere'],
  ['sign-up', '/login/signUp'],
  ['sign-up-password', '/login/signUp/complete?token=x'],
  ['sign-up-asked', '/login/signUp', sendAddress],
];

async function sendAddress(page: Page): Promise<void> {
  await page.fill('input[name=email]', 'new2@example.org');
  await Promise.all([page.waitForNavigation(), page.click('form[action="/login/signUp"] button')]);
}

/**
 * A file with columns that are known (digits in a title change nothing), one that is not, cells longer than a phone is wide, and
 * a row with an empty cell.
 */
async function sendForeignFile(page: Page): Promise<void> {
  const rows = `Device name 1;Serial 1;Label 1;Shelf of the 2nd warehouse\nPump 7;${'9'.repeat(60)};${LONG};\nPump 8;;;7\n`;
  const buffer = Buffer.from(rows);
  await page.setInputFiles('input[type=file]', { name: 'devices1.csv', mimeType: 'text/csv', buffer });
  await Promise.all([page.waitForNavigation(), page.click('form[enctype] button')]);
}

const pagesOfCustomer = ({ owned, offered, gift, claimedAt }: Made): Paths => [
  ['claim', '/claim'],
  ['scanned', '/claim#device=Lamp+1&key=on+the+box'],
  ['claim-kit', '/claim/kit'],
  ['kit-claimed', claimedAt],
  ['done', `/claim/done?device=${owned}`],
  ['my-devices', '/my/devices'],
  ['my-lost', '/my/lost'],
  ['my-device', `/my/devices/${owned}`],
  ['my-offered', `/my/devices/${offered}`],
  ['my-history', `/my/devices/${owned}/history`],
  ['give-back', `/my/devices/${owned}/give-back`],
  ['hand-over', `/my/devices/${owned}/hand-over`],
  ['offers', '/offers'],
  ['not-mine', `/my/devices/${gift}`],
  ['account', '/account'],
  ['second-factor', '/account/second-factor'],
  ['other-role', '/devices'],
];

const pagesOfTenant = (made: Made, { alice, bob }: Household): Paths => [
  ['overview', '/live'],
  ['devices', '/devices'],
  ['devices-none', '/devices?search=nothing1'],
  ['device', `/devices/${made.owned}`],
  ['device-open', `/devices/${made.open}`],
  ['device-long', `/devices/${made.offered}`],
  ['device-history', `/devices/${made.owned}/history`],
  ['device-keys', `/devices/${made.open}/key`],
  ['device-delete', `/devices/${made.owned}/delete`],
  ['device-new', '/devices/new'],
  ['batch', made.batch],
  ['import', '/devices/import'],
  ['import-columns', '/devices/import', sendForeignFile],
  ['import-job', made.imported],
  ['labels-part', '/devices/labels?where=%7B%7D&limit=5'],
  ['labels', `/devices/labels?ids=${[made.owned, ...made.keyed].join()}`],
  ['device-keyed', `/devices/${made.keyed[0]}`],
  ['customers', '/customers'],
  ['customer', `/customers/${alice.customerId}`],
  ['customer-rename', `/customers/${alice.customerId}/rename`],
  ['customer-delete', `/customers/${bob.customerId}/delete`],
  ['user', `/users/${alice.userId}`],
  ['user-invited', `/users/${made.invited}`],
  ['user-delete', `/users/${alice.userId}/delete`],
  ['admins', '/admins'],
  ['kits', '/kits'],
  ['kit', made.kit.path],
  ['kit-new', '/kits/new'],
  ['kit-revoke', `${made.kit.path}/revoke`],
  ['settings', '/settings'],
  ['profiles', '/profiles'],
  ['profile', `/profiles/${made.profile}`],
  ['profile-new', '/profiles/new'],
  ['audit', '/audit'],
  ['audit-none', '/audit?to=2001-01-01'],
  ['providers', '/providers'],
  ['provider-new', '/providers/new'],
  ['provider', `/providers/${made.provider}`],
  ['provider-delete', `/providers/${made.provider}/delete`],
  ['webhooks', '/webhooks'],
  ['webhook', made.webhook],
  ['webhook-new', '/webhooks/new'],
  ['api-keys', '/account/keys'],
  ['tenant-account', '/account'],
  ['tenant-claim', '/claim'],
  ['components', '/ui'],
];

const pagesOfSystem = ({ tenantId }: Household): Paths => [
  ['tenants', '/tenants'],
  ['tenant', `/tenants/${tenantId}`],
  ['server', '/server'],
  ['tenant-delete', `/tenants/${tenantId}/delete`],
  ['system-providers', '/providers'],
  ['system-account', '/account'],
];
