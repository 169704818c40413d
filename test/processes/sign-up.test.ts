/** Signing up by mail: who scanned a label and has no account becomes a customer, and nobody learns who has one. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Accounts, User } from '../../actors/accounts/accounts.ts';
import { type Clock, systemClock } from '../../actors/base/clock.ts';
import { type CustomerId, type MailId, newId, type TenantId } from '../../actors/base/ids.ts';
import { signUpToken } from '../../actors/mail/sign-up-links.ts';
import { USED_LINKS } from '../../actors/mail/used-links.ts';
import { markOf, signUp as newcomer } from '../../actors/providers/sign-up.ts';
import { type Api, PASSWORD, restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { type LocalServer, SYSADMIN_PASSWORD, startLocalServer } from '../kit/local-server.ts';
import { linkIn, type MailServer, mailOptions, startMailServer } from '../kit/mail-server.ts';
import { until } from '../kit/until.ts';

const test = suite('sign-up');

const NEW = 'new@elsewhere.example';

interface Scene {
  readonly server: LocalServer;
  readonly mails: MailServer;
  readonly api: Api;
  readonly sysadmin: string;
  /** The administrator of the tenant that people sign up with. */
  readonly tenant: string;
  readonly tenantId: string;
  readonly clock: Clock & { step(ms: number): void };
}

/** The machine's clock, which a test may set forward. */
function settableClock(): Scene['clock'] {
  let set = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + set,
    step: (ms) => {
      set += ms;
    },
  };
}

/** The operator names a tenant that is there: the server is started twice. */
async function scene(
  play: (scene: Scene) => Promise<void>,
  more: Record<string, string> = {},
): Promise<void> {
  const folder = temporaryFolder();
  const store = { 'store.url': `lmdb:${join(folder, 'store')}`, 'data.dir': folder };
  const mails = await startMailServer();
  const first = await startLocalServer({ options: { ...store, ...mails.options } });
  const before = restApi(first.url);
  const root = await before.login('sysadmin@thingsboard.org', SYSADMIN_PASSWORD);
  const admin = await before.createTenant(root, 'Tenant');
  const { tenantId } = await before.get<{ tenantId: { id: string } }>('/api/auth/user', admin);
  await first.stop();
  const clock = settableClock();
  const server = await startLocalServer({
    clock,
    options: { ...store, ...mails.options, 'security.sign_up.tenants': tenantId.id, ...more },
  });
  try {
    const api = restApi(server.url);
    const sysadmin = await api.login('sysadmin@thingsboard.org', SYSADMIN_PASSWORD);
    const tenant = await api.login('admin@tenant.example', PASSWORD);
    await play({ server, mails, api, sysadmin, tenant, tenantId: tenantId.id, clock });
  } finally {
    await server.stop();
    await mails.stop();
  }
}

const signUp = (api: Api, email: string, more: object = {}) =>
  api.send('POST', '/api/noauth/signup', undefined, { email, ...more });
const complete = (api: Api, token: string | null, more: object = {}) =>
  api.send('POST', '/api/noauth/signup/complete', undefined, { token, password: PASSWORD, ...more });
const tokenOf = async (mails: MailServer, email: string, count = 1) =>
  linkIn(await mails.mailTo(email, count)).searchParams.get('token');

const customersOf = async ({ api, tenant }: Pick<Scene, 'api' | 'tenant'>) =>
  (await api.get<{ totalElements: number }>('/api/customers?pageSize=10&page=0', tenant)).totalElements;

test('from an address to claiming a device: nothing is stored before the link is opened', () =>
  scene(async (all) => {
    const { api, mails, tenant, server } = all;
    const asked = await signUp(api, NEW, { lang: 'de_DE' });
    assert.equal([asked.status, asked.body], [200, '']);
    const heard = await mails.mailTo(NEW);
    assert.match(String(heard.mail.text), 'Jemand möchte');
    assert.is(await customersOf(all), 0);
    assert.is(await server.core.accounts.users.findByEmail(NEW), undefined);

    const token = await tokenOf(mails, NEW);
    const short = await complete(api, token, { password: 'short' });
    assert.match(short.body, 'Password must be');
    assert.is(await customersOf(all), 0, 'a bad password leaves nothing behind');
    const done = await complete(api, token, { firstName: 'Nova' });
    assert.is(done.status, 200, done.body);
    const { token: session } = JSON.parse(done.body) as { token: string };
    const me = await api.get<Record<string, unknown>>('/api/auth/user', session);
    assert.equal(
      [me.authority, me.firstName, (me.additionalInfo as { lang?: string }).lang],
      ['CUSTOMER_USER', 'Nova', 'de_DE'],
    );
    await api.createDevice(tenant, 'D', 'a token of D');
    await api.initiate('a token of D', { secretKey: 'on the box' });
    assert.is((await api.confirm(session, 'D', 'on the box')).status, 200);
    await api.login(NEW, PASSWORD);
    assert.is((await server.core.accounts.users.findByEmail(NEW))?.emailIsProven, true);
    await until('it is in the trail', async () =>
      (await api.must('GET', '/api/audit/logs?pageSize=50&page=0', tenant)).includes('"signUp":"mail"'),
    );
  }));

test('a link is good once, of two at once one wins, and for a day', () =>
  scene(async (all) => {
    const { api, mails, clock } = all;
    await signUp(api, NEW);
    const token = await tokenOf(mails, NEW);
    const both = await Promise.all([complete(api, token), complete(api, token)]);
    assert.equal(both.map(({ status }) => status).sort(), [200, 400]);
    assert.match((await complete(api, token)).body, 'does not work any more');
    assert.is(await customersOf(all), 1);

    await signUp(api, 'late@elsewhere.example');
    const late = await tokenOf(mails, 'late@elsewhere.example');
    clock.step(24 * 3_600_000);
    assert.is((await complete(api, late)).status, 400);
    for (const forged of ['', 'x', '.', `${randomUUID()}.`, `${randomUUID()}.${late?.split('.')[1]}`])
      assert.is((await complete(api, forged)).status, 400, forged);
  }));

test('whoever asks hears the same whether somebody has the address; who has it is told by mail', () =>
  scene(async ({ api, mails, sysadmin, tenant, tenantId }) => {
    const { id } = await api.createCustomer(tenant, 'Known');
    const waiting = { email: 'waiting@known.example', authority: 'CUSTOMER_USER', customerId: { id } };
    await api.post('/api/user?sendActivationMail=false', tenant, waiting);
    const other = await api.createTenant(sysadmin, 'Other');
    const theirs = await api.createCustomer(other, 'Theirs');
    assert.ok(theirs);
    const answers = [];
    for (const email of [
      NEW,
      'user@known.example',
      'user@theirs.example',
      waiting.email,
      'admin@other.example',
    ])
      answers.push(await signUp(api, email).then(({ status, body }) => [status, body]));
    assert.equal(answers, Array(5).fill([200, '']));
    for (const [email, count] of [
      ['user@known.example', 2],
      ['user@theirs.example', 2],
      ['admin@other.example', 2],
    ] as const)
      assert.is((await mails.mailTo(email, count)).mail.subject, 'You have an account already');
    const own = linkIn(await mails.mailTo(waiting.email));
    assert.match(own.href, '/api/noauth/activate?', 'who was made and never came in gets the own link');
    // Nobody signs up with a tenant that the operator has not named.
    const unnamed = await api.get<{ tenantId: { id: string } }>('/api/auth/user', other);
    assert.is((await signUp(api, 'x@y.example', { tenantId: unnamed.tenantId.id })).status, 404);
    assert.is((await signUp(api, 'x@y.example', { tenantId })).status, 200);
    assert.is((await signUp(api, 'a@b.example\r\nBcc: c@d.example')).status, 400);
  }));

test('whose account of another tenant was never opened gets a link to it, and nobody else does', () =>
  scene(async ({ api, mails, sysadmin, tenant, tenantId, server }) => {
    const { users } = server.core.accounts;
    const other = await api.createTenant(sysadmin, 'Other');
    const { id } = await api.createCustomer(other, 'Theirs');
    const made = async (email: string, as: string, more: object) => {
      await api.post('/api/user?sendActivationMail=false', as, { email, ...more });
      return email;
    };
    const prepared = await made('prepared@x.example', other, {
      authority: 'CUSTOMER_USER',
      customerId: { id },
    });
    const admins = [
      await made('their@x.example', sysadmin, {
        authority: 'TENANT_ADMIN',
        tenantId: await api.get<{ tenantId: object }>('/api/auth/user', other).then((me) => me.tenantId),
      }),
      await made('our@x.example', sysadmin, { authority: 'TENANT_ADMIN', tenantId: { id: tenantId } }),
      await made('root@x.example', sysadmin, { authority: 'SYS_ADMIN' }),
    ];
    for (const email of [prepared, ...admins])
      assert.is((await signUp(api, email, { lang: 'en_US' })).status, 200);

    for (const email of admins) {
      const { mail } = await mails.mailTo(email);
      assert.is(mail.subject, 'An account waits for you', email);
      assert.match(String(mail.text), 'ask the administrator for a new one');
      // Else strangers would keep its link good for ever, for whoever reads the address by then.
      assert.not.match(String(mail.text), 'activateToken');
    }
    const heard = await mails.mailTo(prepared);
    assert.is(heard.mail.subject, 'An account waits for you');
    const said = `${heard.mail.text} ${heard.mail.html}`;
    for (const name of ['Other', 'Theirs', 'Tenant']) assert.not.match(said, name);
    const activateToken = linkIn(heard).searchParams.get('activateToken');
    const opened = await api.send('POST', '/api/noauth/activate', undefined, {
      activateToken,
      password: PASSWORD,
    });
    assert.is(opened.status, 200, opened.body);
    const membership = (await users.findByEmail(prepared))?.membership;
    assert.is(membership?.authority === 'CUSTOMER_USER' ? membership.customerId : undefined, id);
    assert.ok(tenant);
  }));

test('strangers fill no mailbox and no outbox: few mails to an address, from a network and of a tenant', () =>
  scene(
    async ({ api, mails, server }) => {
      const signUps = server.core.mail.signUps;
      if (signUps === undefined) throw new Error('they are on');
      for (let n = 0; n < 3; n += 1) await signUp(api, NEW);
      await mails.mailTo(NEW);
      const from = (n: number) => `198.51.${n}.1`;
      // From as many networks as there are: an address gets one in five minutes.
      for (let n = 0; n < 20; n += 1) assert.is(await signUps.ask({ email: NEW }, from(n)), 'asked');
      let asked = 0;
      for (let n = 0; n < 20; n += 1)
        if ((await signUps.ask({ email: `${n}@elsewhere.example` }, from(n))) === 'asked') asked += 1;
      assert.is(asked, 9, 'the tenant’s number, of which one was used');
      await until('all are sent', async () => (await server.core.store.index.count('mail/fresh')) === 0);
      assert.is(mails.heard.filter(({ to }) => to.includes(NEW)).length, 1);
      // One network of its own.
      const statuses = [];
      for (let n = 0; n < 12; n += 1) statuses.push((await signUp(api, `n${n}@x.example`)).status);
      assert.ok(statuses.every((status) => status === 429));
    },
    { 'security.sign_up.perHour': '10' },
  ));

test('where people share a customer, only the addresses of the named domains come in', () =>
  scene(
    async (all) => {
      const { api, mails, server, tenantId } = all;
      assert.is((await signUp(api, 'x@elsewhere.example')).status, 400);
      assert.is((await signUp(api, 'x@sub.house.example')).status, 400);
      for (const email of ['one@house.example', 'two@HOUSE.example']) {
        await signUp(api, email);
        // On the way the domain is in lower case.
        assert.is((await complete(api, await tokenOf(mails, email.toLowerCase()))).status, 200);
      }
      assert.is(await customersOf(all), 1);
      const { customers } = server.core.accounts;
      assert.ok(await customers.findByTitle(tenantId as TenantId, 'People of house.example'));
    },
    { 'security.sign_up.customer': 'People of %{domain}', 'security.sign_up.domains': 'house.example' },
  ));

interface Me {
  readonly id: { readonly id: string };
  readonly customerId: { readonly id: string };
}

/** Signs up by the link, and says who it is. */
async function come({ api }: Pick<Scene, 'api'>, link: string | null) {
  const done = await complete(api, link);
  assert.is(done.status, 200, done.body);
  const { token } = JSON.parse(done.body) as { token: string };
  return { token, me: await api.get<Me>('/api/auth/user', token) };
}

/** What another mail to the address would lead to: asked for again, one comes after five minutes only. */
const anotherLink = ({ server, clock, tenantId }: Scene, email: string) =>
  signUpToken(server.core.secrets, clock, newId<MailId>(clock.now()), {
    tenantId: tenantId as TenantId,
    email,
    language: null,
  });

const devicesOf = async ({ api }: Scene, { token, me }: Awaited<ReturnType<typeof come>>) =>
  (
    await api.get<{ totalElements: number }>(
      `/api/customer/${me.customerId.id}/devices?pageSize=10&page=0`,
      token,
    )
  ).totalElements;

test('attack: whoever has the address that somebody had before comes to none of that person’s devices', () =>
  scene(async (all) => {
    const { api, mails, tenant, server } = all;
    await signUp(api, NEW);
    const first = await tokenOf(mails, NEW);
    const alice = await come(all, first);
    await api.createDevice(tenant, 'Lamp', 'a token of Lamp');
    await api.initiate('a token of Lamp', { secretKey: 'on the box' });
    assert.is((await api.confirm(alice.token, 'Lamp', 'on the box')).status, 200);
    const { users } = server.core.accounts;
    const user = await users.findByEmail(NEW);
    if (user === undefined) throw new Error('she has just signed up');
    const { firstName, lastName, phone, additionalInfo } = user;
    const moved = { email: 'alice@moved.example', firstName, lastName, phone, additionalInfo };
    assert.is((await users.update(user.id, moved, undefined, 'itself')).type, 'done');

    assert.match((await complete(api, first)).body, 'does not work any more');
    const heir = await come(all, anotherLink(all, NEW));
    assert.is.not(heir.me.customerId.id, alice.me.customerId.id);
    assert.equal([await devicesOf(all, alice), await devicesOf(all, heir)], [1, 0]);
  }));

test('attack: whose user the tenant deletes is not in again by the link that was used, nor among the devices', () =>
  scene(async (all) => {
    const { api, mails, tenant } = all;
    await signUp(api, NEW);
    const first = await tokenOf(mails, NEW);
    const before = await come(all, first);
    await api.must('DELETE', `/api/user/${before.me.id.id}`, tenant);
    assert.match((await complete(api, first)).body, 'does not work any more');

    // A customer that is as empty as one of a sign-up that was broken off is taken; with a device in it, it is not.
    const again = await come(all, anotherLink(all, NEW));
    assert.is(again.me.customerId.id, before.me.customerId.id);
    await api.createDevice(tenant, 'Lamp', 'a token of Lamp');
    await api.initiate('a token of Lamp', { secretKey: 'on the box' });
    assert.is((await api.confirm(again.token, 'Lamp', 'on the box')).status, 200);
    await api.must('DELETE', `/api/user/${again.me.id.id}`, tenant);
    const third = await come(all, anotherLink(all, NEW));
    assert.is.not(third.me.customerId.id, before.me.customerId.id);
    assert.is(await devicesOf(all, third), 0);
  }));

/** Signs up as by a mail to the address; `meanwhile` runs once, where the customer was found empty and the password is hashed. */
function signUpDirectly(
  { server, tenantId }: Scene,
  email: string,
  meanwhile: (customerId: CustomerId) => Promise<unknown> = async () => undefined,
) {
  const { accounts, directory, secrets } = server.core;
  let isFirst = true;
  const users: Accounts['users'] = {
    ...accounts.users,
    async createOwner(membership, ...more) {
      const was = isFirst;
      isFirst = false;
      if (was) await meanwhile(membership.customerId);
      return accounts.users.createOwner(membership, ...more);
    },
  };
  return newcomer(
    { ...accounts, users, directory },
    {
      tenantId: tenantId as TenantId,
      title: email,
      ownOf: markOf(secrets, tenantId as TenantId, `mail ${email}`),
      email,
      firstName: null,
      lastName: null,
      password: PASSWORD,
      news: { action: 'ADDED', data: {} },
    },
  );
}

function customerOf({ membership }: User): CustomerId {
  if (membership.authority !== 'CUSTOMER_USER') throw new Error(membership.authority);
  return membership.customerId;
}

const fieldsOf = (email: string) => ({
  email,
  firstName: null,
  lastName: null,
  phone: null,
  additionalInfo: null,
});

test('attack: of ten who sign up with one address at once one is in, and the others leave nothing behind', () =>
  scene(async (all) => {
    const { users } = all.server.core.accounts;
    const answers = await Promise.all(Array.from({ length: 10 }, () => signUpDirectly(all, NEW)));
    assert.equal(answers.map(({ type }) => type).sort(), ['done', ...Array(9).fill('refused')]);
    const tenantId = all.tenantId as TenantId;
    const { items } = await users.listOfTenant(tenantId, { page: 0, pageSize: 10, textSearch: NEW });
    assert.is(items.length, 1);
    assert.is(await customersOf(all), 1);
  }));

test('attack: an address that is passed on while somebody signs up with it leads into nobody’s customer', () =>
  scene(async (all) => {
    const { users } = all.server.core.accounts;
    let alice: User | undefined;
    const heir = await signUpDirectly(all, NEW, async () => {
      const made = await signUpDirectly(all, NEW);
      if (made.type !== 'done') throw new Error(made.type);
      alice = made.user;
      const moved = await users.update(made.user.id, fieldsOf('alice@moved.example'));
      assert.is(moved.type, 'done');
    });
    if (heir.type !== 'done' || alice === undefined) throw new Error(heir.type);
    assert.is((await users.find(alice.id))?.email, 'alice@moved.example');
    assert.is(heir.user.email, NEW);
    assert.is.not(customerOf(heir.user), customerOf(alice));
    assert.is((await users.list(alice.membership, { page: 0, pageSize: 10 })).total, 1);
    // The store itself holds whose a customer is, until that user is gone.
    const membership = {
      authority: 'CUSTOMER_USER',
      tenantId: all.tenantId as TenantId,
      customerId: customerOf(alice),
    } as const;
    const next = () => users.createOwner(membership, fieldsOf('next@moved.example'), PASSWORD);
    assert.is((await next()).type, 'refused');
    await users.remove(alice.id);
    assert.is((await next()).type, 'done');
    assert.not('ownsCustomer' in heir.user);
  }));

test('a sign-up against an administrator who gives the address to somebody: one of them has it', () =>
  scene(async (all) => {
    const { users } = all.server.core.accounts;
    const colleague = await users.create(
      { authority: 'TENANT_ADMIN', tenantId: all.tenantId as TenantId },
      fieldsOf('colleague@tenant.example'),
      PASSWORD,
    );
    if (colleague.type !== 'done') throw new Error(colleague.type);
    const { id } = colleague.value;
    // The administrator in between, then both at once, then the sign-up first.
    const refusedOne = await signUpDirectly(all, NEW, () => users.update(id, fieldsOf(NEW)));
    assert.equal([refusedOne.type, (await users.findByEmail(NEW))?.id], ['refused', id]);
    for (let n = 0; n < 5; n += 1) {
      const email = `${n}@elsewhere.example`;
      const [came, changed] = await Promise.all([
        signUpDirectly(all, email),
        users.update(id, fieldsOf(email)),
      ]);
      assert.equal([came.type, changed.type].sort(), ['done', 'refused'], email);
      const holder = await users.findByEmail(email);
      assert.is(holder?.id, came.type === 'done' ? came.user.id : id);
    }
    const first = await signUpDirectly(all, 'first@elsewhere.example');
    const late = await users.update(id, fieldsOf('first@elsewhere.example'));
    assert.equal([first.type, late.type], ['done', 'refused']);
  }));

test('a customer that got a device or a user while somebody signed up is not walked into', () =>
  scene(async (all) => {
    const { api, tenant, server } = all;
    const { users } = server.core.accounts;
    const device = await api.createDevice(tenant, 'Lamp', 'a token of Lamp');
    assert.ok(device);
    const { id } = await api.get<{ id: { id: string } }>('/api/tenant/devices?deviceName=Lamp', tenant);
    let [before, then]: CustomerId[] = [];
    const first = await signUpDirectly(all, NEW, async (customerId) => {
      before = customerId;
      await api.must('POST', `/api/customer/${customerId}/device/${id.id}`, tenant);
    });
    if (first.type !== 'done') throw new Error(first.type);
    assert.is.not(customerOf(first.user), before);
    assert.is((await users.findByEmail(NEW))?.id, first.user.id);

    const second = await signUpDirectly(all, 'two@elsewhere.example', async (customerId) => {
      then = customerId;
      const membership = {
        authority: 'CUSTOMER_USER',
        tenantId: all.tenantId as TenantId,
        customerId,
      } as const;
      await users.create(membership, fieldsOf('invited@elsewhere.example'), PASSWORD);
    });
    if (second.type !== 'done') throw new Error(second.type);
    assert.is.not(customerOf(second.user), then);
  }));

test('links that were used are forgotten when they would be too old anyway', () =>
  scene(async (all) => {
    const { index } = all.server.core.store;
    await come(all, anotherLink(all, 'one@elsewhere.example'));
    await come(all, anotherLink(all, 'two@elsewhere.example'));
    assert.is(await index.count(USED_LINKS), 2);
    all.clock.step(24 * 3_600_000);
    await come(all, anotherLink(all, 'three@elsewhere.example'));
    assert.is(await index.count(USED_LINKS), 1);
  }));

test('a customer that somebody else has the name of is not walked into', () =>
  scene(async (all) => {
    const { api, mails, tenant } = all;
    await api.post('/api/customer', tenant, { title: NEW });
    await signUp(api, NEW);
    assert.is((await complete(api, await tokenOf(mails, NEW))).status, 400);
    assert.is(await customersOf(all), 1);
  }));

test('the pages: from the login to the claim page, in the language of the person', () =>
  scene(async ({ mails, server }) => {
    const page = async (path: string, form?: Record<string, string>) => {
      const answer = await fetch(`${server.url}${path}`, {
        redirect: 'manual',
        headers: { accept: 'text/html', 'sec-fetch-site': 'same-origin', 'accept-language': 'fr' },
        ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
      });
      return { status: answer.status, html: await answer.text(), to: answer.headers.get('location') };
    };
    assert.match((await page('/login')).html, 'href="/base/login/signUp"');
    assert.match((await page('/login/signUp')).html, 'Créer un compte');
    assert.is((await page('/login/signUp', { email: 'nonsense' })).status, 400);
    assert.is((await page(`/login/signUp?tenant=${randomUUID()}`, { email: NEW })).status, 404);
    const asked = await page('/login/signUp', { email: NEW });
    const known = await page('/login/signUp', { email: 'admin@tenant.example' });
    assert.is(asked.html.replaceAll(NEW, ''), known.html.replaceAll('admin@tenant.example', ''));
    assert.match(asked.html, 'data-keep-claim');

    const heard = await mails.mailTo(NEW);
    assert.match(String(heard.mail.text), 'Quelqu’un souhaite');
    const token = linkIn(heard).searchParams.get('token') ?? '';
    assert.match((await page(`/login/signUp/complete?token=${token}`)).html, token);
    const tenant = randomUUID();
    const ended = { token: 'ended', password: PASSWORD, again: PASSWORD };
    const { html } = await page(`/login/signUp/complete?tenant=${tenant}`, ended);
    assert.match(html, `signUp?tenant=${tenant}`, 'the new link is of the same tenant');
    const send = (again: string) => page('/login/signUp/complete', { token, password: PASSWORD, again });
    assert.is((await send('other')).status, 400);
    assert.is((await send(PASSWORD)).to, '/base/claim');
    const used = await send(PASSWORD);
    assert.is(used.status, 400);
    assert.match(used.html, 'ne fonctionne plus');
  }));

test('it is off by default, and cannot be on without a mail server or with everybody in one customer', async () => {
  const server = await startLocalServer();
  try {
    assert.is((await signUp(restApi(server.url), NEW)).status, 404);
    assert.is((await complete(restApi(server.url), 'x')).status, 404);
    assert.not.match(await (await fetch(`${server.url}/login`)).text(), 'signUp');
    assert.is((await fetch(`${server.url}/login/signUp`)).status, 404);
  } finally {
    await server.stop();
  }
  const tenants = { 'security.sign_up.tenants': randomUUID() };
  const shared = { ...tenants, ...mailOptions(1), 'security.sign_up.customer': 'Everybody' };
  for (const options of [tenants, shared, { 'security.sign_up.tenants': 'no id' }]) {
    let why = '';
    await startLocalServer({ options }).then(
      (started) => started.stop(),
      (error: Error) => {
        why = error.message;
      },
    );
    assert.match(why, 'security.sign_up');
  }
});

test.run();
