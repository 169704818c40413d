/** Mails to people, by a real SMTP server: they arrive, they are tried again, and nothing of theirs touches a claim. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Api, cast, PASSWORD, restApi } from '../kit/api.ts';
import { createSettableClock } from '../kit/awake-clock.ts';
import {
  type LocalServer,
  type LocalServerOptions,
  SYSADMIN_PASSWORD,
  startLocalServer,
} from '../kit/local-server.ts';
import {
  BASE_URL,
  linkIn,
  type MailServer,
  mailOptions,
  startMailServer,
  startSilentServer,
} from '../kit/mail-server.ts';
import { until } from '../kit/until.ts';

const test = suite('mail');

const NEW_PASSWORD = 'another-long-password';
const USER = 'user@customer-0.example';

interface Lines {
  readonly log: NonNullable<LocalServerOptions['log']>;
  readonly warned: { readonly fields: object; readonly message: string }[];
}

function lines(): Lines {
  const warned: { fields: object; message: string }[] = [];
  const keep = (fields: object, message: string) => void warned.push({ fields, message });
  return { warned, log: { debug() {}, info() {}, warn: keep, error: keep } };
}

interface Scene {
  readonly server: LocalServer;
  readonly mails: MailServer;
  readonly api: Api;
  readonly sysadmin: string;
  readonly tenant: string;
  readonly customer: { readonly id: string; readonly token: string };
}

async function scene(
  play: (scene: Scene) => Promise<void>,
  more: LocalServerOptions & { readonly startTls?: boolean } = {},
): Promise<void> {
  const { startTls = true, ...given } = more;
  const mails = await startMailServer({ startTls });
  const options = { ...mails.options, ...given.options };
  const server = await startLocalServer({ ...given, options });
  try {
    const { api, sysadmin, tenant, customers } = await cast(server.url, SYSADMIN_PASSWORD, 1);
    const [customer] = customers;
    if (customer === undefined) throw new Error('no customer');
    await play({ server, mails, api, sysadmin, tenant, customer });
  } finally {
    await server.stop();
    await mails.stop();
  }
}

const forget = (api: Api, email: string) =>
  api.send('POST', '/api/noauth/resetPasswordByEmail', undefined, { email });
const reset = (api: Api, resetToken: string | null, password: string) =>
  api.send('POST', '/api/noauth/resetPassword', undefined, { resetToken, password });
/** The page that the link of a mail leads to. */
async function leadsTo(api: Api, token: string | null): Promise<string | null> {
  const answer = await fetch(`${api.url}/api/noauth/resetPassword?resetToken=${token}`, {
    redirect: 'manual',
  });
  assert.is(answer.status, 303);
  return answer.headers.get('location');
}

/** The mails of the set-up, which say that the accounts are active, are there: none of them meets what comes next. */
async function castIsTold(mails: MailServer): Promise<void> {
  for (const to of ['admin@tenant.example', USER]) await mails.mailTo(to);
}

const tokenIn = (link: URL) => link.searchParams.get('resetToken');

test('a forgotten password: the mail, its link, another password, and all sessions have ended', () =>
  scene(async ({ api, mails, customer }) => {
    const asked = await forget(api, USER);
    assert.equal([asked.status, asked.body], [200, '']);
    const heard = await mails.mailTo(USER, 2); // the first said that the account is active
    assert.ok(heard.secure, 'it went over TLS');
    assert.is(heard.mail.subject, 'Choose a new password');
    assert.is(heard.mail.headers.get('auto-submitted'), 'auto-generated');
    assert.is(heard.mail.from?.text, '"claimd" <no-reply@example.org>');
    const link = linkIn(heard);
    assert.ok(link.href.startsWith(`${BASE_URL}/api/noauth/resetPassword?resetToken=`));
    assert.ok(String(heard.mail.html).includes(link.href.replaceAll('&', '&amp;')));
    assert.not.match(String(heard.mail.html), /<img|src=/, 'nothing is loaded');

    const token = tokenIn(link);
    assert.is(await leadsTo(api, token), `/base/login/resetPassword?resetToken=${token}`);
    const same = await reset(api, token, PASSWORD);
    assert.is(same.status, 400);
    assert.match(same.body, 'should be different');
    assert.match((await reset(api, token, 'short')).body, 'Password must be');

    // Twice at once: one wins.
    const both = await Promise.all([NEW_PASSWORD, `${NEW_PASSWORD}!`].map((one) => reset(api, token, one)));
    assert.equal(both.map(({ status }) => status).sort(), [200, 400]);
    const winner = both[0]?.status === 200 ? NEW_PASSWORD : `${NEW_PASSWORD}!`;
    assert.is((await api.send('GET', '/api/auth/user', customer.token)).status, 401, 'old sessions are over');
    await api.login(USER, winner);
    assert.is((await reset(api, token, 'yet-another-password')).status, 400, 'used up');
    assert.is((await api.send('GET', `/api/noauth/resetPassword?resetToken=${token}`)).status, 409);
    const changed = await mails.mailTo(USER, 3);
    assert.is(changed.mail.subject, 'Your password was changed');
    assert.match(changed.mail.text ?? '', 'Other ways to sign in and API keys were removed');
  }));

test('who gets another way to sign in is mailed, with the way to be rid of it', () =>
  scene(async ({ mails, server }) => {
    await mails.mailTo(USER);
    const user = await server.core.accounts.users.findByEmail(USER);
    if (user === undefined) throw new Error('it is there');
    await server.core.mail.mails?.post({ type: 'sign-in-added', userId: user.id, provider: 'Acme' }, null);
    const heard = await mails.mailTo(USER, 2);
    assert.is(heard.mail.subject, 'Another way to sign in was added');
    assert.match(heard.mail.text ?? '', /sign in to your account at claimd with “Acme”/);
    assert.is(linkIn(heard).pathname, '/base/login/resetPasswordRequest');
  }));

test('a link dies by its time, by a newer one, by another address, and while the user is disabled', async () => {
  const clock = createSettableClock();
  await scene(
    async ({ api, mails, tenant, server }) => {
      /** Without the limit for strangers. */
      const another = async (count: number) => {
        await server.core.mail.mails?.post({ type: 'reset', email: USER }, null);
        return tokenIn(linkIn(await mails.mailTo(USER, count)));
      };
      const first = await another(2);
      clock.step(61 * 60_000);
      assert.match((await reset(api, first, NEW_PASSWORD)).body, 'Password reset token expired');
      assert.is(await leadsTo(api, first), '/base/passwordResetLinkExpired');

      const second = await another(3);
      const third = await another(4);
      assert.match((await reset(api, second, NEW_PASSWORD)).body, 'Invalid reset token');

      const { data } = await api.get<{ data: readonly { id: { id: string }; email: string }[] }>(
        '/api/users?pageSize=10&page=0',
        tenant,
      );
      const user = data.find(({ email }) => email === USER);
      const enable = (may: boolean) =>
        api.must(
          'POST',
          `/api/user/${user?.id.id}/userCredentialsEnabled?userCredentialsEnabled=${may}`,
          tenant,
        );
      await enable(false);
      assert.is((await reset(api, third, NEW_PASSWORD)).status, 400);
      await enable(true);
      await api.post('/api/user', tenant, {
        ...user,
        version: undefined,
        email: 'moved@example.org',
      });
      assert.match((await reset(api, third, NEW_PASSWORD)).body, 'Invalid reset token');
      assert.is((await mails.mailTo(USER, 5)).mail.subject, 'Your e-mail address was changed');
    },
    { clock },
  );
});

test('a mail that is tried again brings no used, overtaken or younger link to life', async () => {
  const clock = createSettableClock();
  await scene(
    async ({ api, server }) => {
      const { users } = server.core.accounts;
      const user = await users.findByEmail(USER);
      if (user === undefined) throw new Error('no user');
      const lifeMs = 60_000;
      const begin = async (token: string, askedAt: number, email = USER) =>
        (await users.beginReset(user.id, { token, email, askedAt, lifeMs })).type;
      clock.step(1_000);
      const first = clock.now();
      assert.is(await begin('first', first, 'moved@example.org'), 'refused', 'not for another address');
      assert.is(await begin('first', first), 'done');
      clock.step(40_000);
      assert.is(await begin('first', first), 'done', 'tried again');
      clock.step(40_000);
      assert.is(await users.resetWorks('first'), 'expired');
      assert.is(await begin('first', first), 'refused');

      const second = clock.now();
      assert.is(await begin('second', second), 'done');
      assert.is((await reset(api, 'second', NEW_PASSWORD)).status, 200);
      for (const [token, askedAt] of [
        ['second', second],
        ['first', first],
      ] as const) {
        assert.is(await begin(token, askedAt), 'refused');
        assert.is(await users.resetWorks(token), 'unknown');
      }
      clock.step(1_000);
      assert.is(await begin('third', clock.now()), 'done');
    },
    { clock },
  );
});

test('who asks hears the same, and as soon, whether the address is somebody’s: the same is kept for both', () =>
  scene(async ({ api, mails, server }) => {
    mails.refuse({ at: 'data', code: 451 });
    const answers = [];
    for (const email of [USER, 'nobody@example.org', 'not an address', 'a@b.example\r\nBcc: c@d.example']) {
      const { status, body } = await forget(api, email);
      answers.push([status, body]);
    }
    assert.equal(answers, Array(4).fill([200, '']));
    assert.is(mails.heard.filter(({ to }) => to.includes('nobody@example.org')).length, 0);
    assert.is(server.core.mail.figures().dropped, 0);
  }));

test('4xx is tried again, 5xx is dropped and told, and other mails go on', async () => {
  const clock = createSettableClock();
  const { log, warned } = lines();
  await scene(
    async ({ api, mails, sysadmin, server }) => {
      await castIsTold(mails);
      mails.refuse({ at: 'data', code: 451 });
      await forget(api, USER);
      await until('it was put off', () => server.core.mail.figures().deferred === 1);
      mails.refuse(undefined);
      await forget(api, 'admin@tenant.example');
      await mails.mailTo('admin@tenant.example', 2);
      assert.is(mails.heard.filter(({ to }) => to.includes(USER)).length, 1, 'not yet');
      clock.step(2 * 60_000);
      await mails.mailTo(USER, 2);

      mails.refuse({ at: 'recipient', code: 550 });
      const { tenantId } = await api.get<{ tenantId: object }>(
        '/api/auth/user',
        await api.login('admin@tenant.example', PASSWORD),
      );
      await api.post('/api/user', sysadmin, {
        email: 'gone@example.org',
        authority: 'TENANT_ADMIN',
        tenantId,
      });
      await until('it was dropped', () => server.core.mail.figures().dropped === 1);
      const line = warned.find(({ message }) => message.startsWith('the mail server refuses'));
      assert.match(JSON.stringify(line), '550');
      assert.not.match(JSON.stringify(warned), 'gone@example.org', 'no address is in the log');
    },
    { clock, log },
  );
});

test('a server that refuses our own address drops nothing: the mail waits until it is taken', async () => {
  const clock = createSettableClock();
  const { log, warned } = lines();
  await scene(
    async ({ api, mails, server }) => {
      await castIsTold(mails);
      mails.refuse({ at: 'sender', code: 550 });
      await forget(api, USER);
      await until('it was put off', () => server.core.mail.figures().deferred === 1);
      assert.is(server.core.mail.figures().dropped, 0);
      const line = warned.find(({ message }) => message.startsWith('the mail server cannot be used'));
      assert.match(JSON.stringify(line), '550 MAIL FROM');
      mails.refuse(undefined);
      clock.step(2 * 60_000);
      await mails.mailTo(USER, 2);
    },
    { clock, log },
  );
});

for (const [at, code, words] of [
  ['recipient', 550, '5.7.1 Anything'],
  ['recipient', 553, '5.1.8 Anything'],
  ['recipient', 553, 'Sender address rejected: not owned by user'],
  ['data', 554, '5.7.26 Anything'],
] as const)
  test(`a server that refuses our address only at the ${at} (${code} ${words}) drops nothing`, async () => {
    const clock = createSettableClock();
    await scene(
      async ({ api, mails, server }) => {
        await castIsTold(mails);
        mails.refuse({ at, code, words });
        await forget(api, USER);
        await until('it was put off', () => server.core.mail.figures().deferred === 1);
        assert.is(server.core.mail.figures().dropped, 0);
        mails.refuse(undefined);
        clock.step(2 * 60_000);
        await mails.mailTo(USER, 2);
      },
      { clock },
    );
  });

test('a mail that never comes is in the trail of its tenant, without its address', () =>
  scene(async ({ api, mails, tenant, customer, server }) => {
    await castIsTold(mails);
    mails.refuse({ at: 'recipient', code: 550, words: '5.1.1 No such user, whoever the sender is' });
    await forget(api, USER);
    const person = {
      email: 'gone@example.org',
      authority: 'CUSTOMER_USER',
      customerId: { entityType: 'CUSTOMER', id: customer.id },
    };
    await api.post('/api/user?sendActivationMail=true', tenant, person);
    await until('both were dropped', () => server.core.mail.figures().dropped === 2);
    const trail = async () => {
      const { data } = await api.get<{ data: readonly Record<string, unknown>[] }>(
        '/api/audit/logs?pageSize=50&page=0',
        tenant,
      );
      return data.filter(({ actionType }) => actionType === 'MAIL_DROPPED');
    };
    await until('they are in the trail', async () => (await trail()).length === 2);
    const kinds = (await trail()).map(({ actionData }) => JSON.stringify(actionData)).sort();
    assert.equal(kinds, ['{"mail":"activation"}', '{"mail":"reset"}']);
    for (const { actionFailureDetails } of await trail()) assert.match(String(actionFailureDetails), '550');
  }));

test('who asks for many resets in the name of another keeps nobody from setting a password', async () => {
  const clock = createSettableClock();
  await scene(
    async ({ mails, server }) => {
      await mails.mailTo(USER);
      const counted = server.core.mail.mails;
      if (counted === undefined) throw new Error('mails are on');
      const letter = { type: 'reset', email: USER } as const;
      // Of the limits, the one for an address; the windows of the counters are of the machine's own clock.
      for (let n = 0; n < 5; n += 1) assert.is(await counted.post(letter, null), 'kept');
      assert.is(await counted.post(letter, null), 'too-many');
      const newest = await mails.mailTo(USER, 6);
      assert.is((await reset(restApi(server.url), tokenIn(linkIn(newest)), NEW_PASSWORD)).status, 200);
    },
    { clock },
  );
});

test('who comes in by an identity provider alone sets a first password by a mail; who never came in does not', () =>
  scene(async ({ api, mails, tenant, customer, server }) => {
    const { users, providerLinks } = server.core.accounts;
    const customerId = { entityType: 'CUSTOMER', id: customer.id };
    for (const email of ['guest@example.org', 'never@example.org'])
      await api.post('/api/user?sendActivationMail=false', tenant, {
        email,
        authority: 'CUSTOMER_USER',
        customerId,
      });
    const guest = await users.findByEmail('guest@example.org');
    if (guest === undefined) throw new Error('it was made');
    const subject = { tenantId: null, iss: 'https://login.example', sub: 'guest' };
    await providerLinks.add(subject, guest, { claimingOnly: false });
    await forget(api, 'never@example.org');
    await forget(api, 'guest@example.org');
    const link = linkIn(await mails.mailTo('guest@example.org'));
    assert.match(link.href, '/api/noauth/activate?activateToken=');
    const activateToken = link.searchParams.get('activateToken');
    await api.must('POST', '/api/noauth/activate', undefined, { activateToken, password: PASSWORD });
    await api.login('guest@example.org', PASSWORD);
    await until('all was worked off', async () => (await server.core.store.index.count('mail/fresh')) === 0);
    assert.is(mails.heard.filter(({ to }) => to.includes('never@example.org')).length, 0);
  }));

test('where STARTTLS was taken away nothing is sent, neither a mail nor the password', async () => {
  const { log, warned } = lines();
  await scene(
    async ({ mails, server, api, sysadmin }) => {
      await until('it was tried', () => server.core.mail.figures().deferred > 0);
      assert.is(mails.heard.length, 0);
      assert.ok(warned.some(({ message }) => message.startsWith('the mail server cannot be used')));
      const tried = await api.send('POST', '/api/admin/settings/testMail', sysadmin, {});
      assert.is(tried.status, 400);
      assert.match(tried.body, 'ETLS');
    },
    { startTls: false, log },
  );
});

test('a mail server that hangs, or is not there, touches no claim', async () => {
  const silent = await startSilentServer();
  for (const port of [silent.port, 1]) {
    await scene(
      async ({ api, tenant, customer, server }) => {
        await until('it was tried', () => server.core.mail.figures().deferred > 0);
        for (let n = 0; n < 20; n += 1) {
          await api.createDevice(tenant, `D-${n}`, `token-of-${n}`);
          assert.is((await api.initiate(`token-of-${n}`, { secretKey: 'a secret' })).status, 200);
          assert.is((await api.confirm(customer.token, `D-${n}`, 'a secret')).status, 200);
        }
        assert.is((await forget(api, USER)).status, 200);
      },
      { options: { ...mailOptions(port), 'mail.timeout': '300' } },
    );
  }
  await silent.stop();
});

test('an activation goes out by mail: at the making of a user, again when asked, and not to whom another tenant’s user is', () =>
  scene(async ({ api, mails, sysadmin, tenant, customer }) => {
    const customerId = { entityType: 'CUSTOMER', id: customer.id };
    const person = {
      email: 'new@example.org',
      authority: 'CUSTOMER_USER',
      customerId,
      additionalInfo: { lang: 'de_DE' },
    };
    await api.post('/api/user?sendActivationMail=true', tenant, person);
    const link = linkIn(await mails.mailTo('new@example.org'));
    assert.ok(link.href.startsWith(`${BASE_URL}/api/noauth/activate?activateToken=`));
    await api.must('POST', '/api/user/sendActivationMail?email=new%40example.org', tenant);
    const again = linkIn(await mails.mailTo('new@example.org', 2));
    assert.is(again.href, link.href);
    const activateToken = link.searchParams.get('activateToken');
    await api.must('POST', '/api/noauth/activate?sendActivationMail=false', undefined, {
      activateToken,
      password: PASSWORD,
    });
    const done = await api.send('POST', '/api/user/sendActivationMail?email=new%40example.org', tenant);
    assert.is(done.status, 400);
    assert.is(
      (await api.send('POST', '/api/user/sendActivationMail?email=no%40example.org', tenant)).status,
      404,
    );

    // Another tenant makes a user of the same address: it hears nothing, the owner does.
    const other = await api.createTenant(sysadmin, 'Other');
    const theirs = await api.post('/api/customer', other, { title: 'Theirs' });
    const taken = { email: 'new@example.org', authority: 'CUSTOMER_USER', customerId: theirs.id };
    await api.post('/api/user', other, taken);
    assert.is((await mails.mailTo('new@example.org', 3)).mail.subject, 'Sie haben schon ein Konto');
    await api.must('POST', '/api/user/sendActivationMail?email=new%40example.org', other);
  }));

test('an administrator has few activation mails sent to one address, and keeps no warning from its users', () =>
  scene(
    async ({ api, mails, tenant, customer }) => {
      const customerId = { entityType: 'CUSTOMER', id: customer.id };
      await api.post('/api/user', tenant, {
        email: 'new@example.org',
        authority: 'CUSTOMER_USER',
        customerId,
      });
      const again = () => api.send('POST', '/api/user/sendActivationMail?email=new%40example.org', tenant);
      for (let n = 1; n < 5; n += 1) assert.is((await again()).status, 200);
      const tooMany = await again();
      assert.is(tooMany.status, 429, tooMany.body);
      for (let n = 0; n < 10; n += 1) await again(); // the tenant's own number is used up
      await api.must('POST', '/api/auth/changePassword', customer.token, {
        currentPassword: PASSWORD,
        newPassword: NEW_PASSWORD,
      });
      await until('the warning comes', () =>
        mails.heard.some(({ to, mail }) => to.includes(USER) && mail.subject === 'Your password was changed'),
      );
      assert.is(mails.heard.filter(({ to }) => to.includes('new@example.org')).length, 5);
    },
    { options: { 'mail.perTenantPerHour': '10' } },
  ));

test('the pages: from a forgotten password to signing in with another one', () =>
  scene(async ({ mails, server }) => {
    const page = async (path: string, form?: Record<string, string>) => {
      const answer = await fetch(`${server.url}${path}`, {
        redirect: 'manual',
        headers: { accept: 'text/html', 'sec-fetch-site': 'same-origin' },
        ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
      });
      return { status: answer.status, html: await answer.text(), to: answer.headers.get('location') };
    };
    assert.match((await page('/login')).html, 'href="/base/login/resetPasswordRequest"');
    assert.match((await page('/login/resetPasswordRequest')).html, 'Send the link');
    const asked = await page('/login/resetPasswordRequest', { email: USER });
    const stranger = await page('/login/resetPasswordRequest', { email: 'nobody@example.org' });
    assert.is(asked.html.replaceAll(USER, ''), stranger.html.replaceAll('nobody@example.org', ''));

    const resetToken = tokenIn(linkIn(await mails.mailTo(USER, 2))) ?? '';
    assert.match((await page(`/login/resetPassword?resetToken=${resetToken}`)).html, resetToken);
    const other = await page('/login/resetPassword', { resetToken, password: NEW_PASSWORD, again: 'other' });
    assert.match(other.html, 'not the same');
    const short = await page('/login/resetPassword', { resetToken, password: 'short', again: 'short' });
    assert.match(short.html, 'Password must be 12');
    const form = { resetToken, password: NEW_PASSWORD, again: NEW_PASSWORD, keys: 'revoke' };
    assert.is((await page('/login/resetPassword', form)).to, '/base/login');
    const again = await page('/login/resetPassword', form);
    assert.is(again.status, 400);
    assert.match(again.html, 'does not work any more');
    assert.is((await page('/login', { email: USER, password: NEW_PASSWORD })).to, '/base/');
    assert.match((await page('/passwordResetLinkExpired')).html, 'Ask for a new link');
  }));

test('links are of the configured address, whatever Host says', () =>
  scene(async ({ server, mails }) => {
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'content-type': 'application/json',
    };
    await fetch(`${server.url}/api/noauth/resetPasswordByEmail`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ email: USER }),
    });
    const heard = await mails.mailTo(USER, 2);
    assert.not.match(heard.raw, 'evil.example');
    assert.is(linkIn(heard).host, 'claim.example.org');
  }));

test('names cannot write headers, markup or links', () =>
  scene(
    async ({ mails, sysadmin, api }) => {
      await api.must('POST', '/api/admin/settings/testMail', sysadmin, {});
      const heard = await mails.mailTo('sysadmin@thingsboard.org');
      assert.is(heard.mail.subject, 'A test of <b>Acme</b> "Home", Inc. <x@y.example>');
      assert.equal(
        heard.mail.to === undefined
          ? []
          : [heard.mail.to].flat().flatMap(({ value }) => value.map((one) => one.address)),
        ['sysadmin@thingsboard.org'],
      );
      assert.is(heard.mail.from?.value[0]?.address, 'no-reply@example.org');
      assert.match(String(heard.mail.html), '&lt;b&gt;Acme&lt;/b&gt;');
      assert.not.match(String(heard.mail.html), '<b>');
    },
    { options: { 'web.name': '<b>Acme</b> "Home", Inc. <x@y.example>' } },
  ));

test('strangers have few mails sent: one in five minutes to an address, ten an hour from one network', () =>
  scene(async ({ api, mails, server }) => {
    for (let n = 0; n < 3; n += 1) await forget(api, USER);
    for (let n = 0; n < 12; n += 1) await forget(api, `nobody-${n}@example.org`);
    await forget(api, 'admin@tenant.example');
    await mails.mailTo(USER, 2);
    await until('all was worked off', async () => (await server.core.store.index.count('mail/fresh')) === 0);
    assert.is(mails.heard.filter(({ mail }) => mail.subject === 'Choose a new password').length, 1);
  }));

test('without a mail server all is as it was: the answers, and nothing waits', async () => {
  const server = await startLocalServer();
  try {
    const { api, sysadmin, tenant } = {
      ...(await cast(server.url, SYSADMIN_PASSWORD, 1)),
      api: restApi(server.url),
    };
    assert.is((await forget(api, USER)).status, 200);
    assert.is((await api.send('GET', '/api/admin/settings/mail', sysadmin)).status, 404);
    assert.is((await api.send('POST', '/api/admin/settings/testMail', sysadmin, {})).status, 400);
    assert.is((await api.send('GET', '/api/admin/settings/mail', tenant)).status, 403);
    assert.is(await server.core.store.index.count('mail/fresh'), 0);
  } finally {
    await server.stop();
  }
});

test('the system administrator reads the settings, without the password, and does not write them', () =>
  scene(async ({ api, sysadmin }) => {
    const shown = await api.must('GET', '/api/admin/settings/mail', sysadmin);
    assert.match(shown, '"smtpHost":"localhost"');
    assert.not.match(shown, 'a password of');
    assert.is((await api.send('POST', '/api/admin/settings', sysadmin, { key: 'mail' })).status, 400);
  }));

test.run();
