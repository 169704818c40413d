/** What happens to a device reaches its owner by mail, as the owner wants it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Cast, cast } from '../kit/api.ts';
import { SYSADMIN_PASSWORD, startLocalServer } from '../kit/local-server.ts';
import { type MailServer, startMailServer } from '../kit/mail-server.ts';
import { until } from '../kit/until.ts';

const test = suite('mail: notices');

const A = 'user@customer-0.example';
const B = 'user@customer-1.example';

interface Scene extends Cast {
  readonly mails: MailServer;
  readonly a: string;
  readonly b: string;
  /** A device that the first customer owns. */
  owned(name: string): Promise<void>;
  /** The mails with such a subject to somebody. */
  about(to: string, subject: string): number;
  offer(name: string, to: string): Promise<string>;
}

async function scene(
  play: (scene: Scene) => Promise<void>,
  options: Readonly<Record<string, string>> = {},
): Promise<void> {
  const mails = await startMailServer();
  const server = await startLocalServer({ options: { ...mails.options, ...options } });
  try {
    const made = await cast(server.url, SYSADMIN_PASSWORD, 2);
    const { api, tenant, customers } = made;
    const [a = '', b = ''] = customers.map(({ token }) => token);
    await play({
      ...made,
      mails,
      a,
      b,
      async owned(name) {
        const token = `t${Buffer.from(name).toString('hex').slice(0, 24)}`;
        await api.createDevice(tenant, name, token);
        await api.initiate(token, { secretKey: 'a secret' });
        assert.is((await api.confirm(a, name, 'a secret')).status, 200);
      },
      about: (to, subject) =>
        mails.heard.filter((one) => one.to.includes(to) && one.mail.subject === subject).length,
      async offer(name, to) {
        const path = `/api/customer/device/${encodeURIComponent(name)}/transfer`;
        const { transferId } = await api.post<{ transferId: string }>(path, a, { to });
        return transferId;
      },
    });
  } finally {
    await server.stop();
    await mails.stop();
  }
}

test('an offer, its acceptance and a giving back are told, each to whom it concerns', () =>
  scene(async ({ api, about, owned, offer, a, b }) => {
    await owned('Lamp');
    const transferId = await offer('Lamp', B);
    await until('the offer is told', () => about(B, 'Lamp is offered to you') === 1);
    await api.must('POST', `/api/transfer/${transferId}/accept`, b);
    await until('the handing over is told', () => about(A, 'Lamp is not yours any more') === 1);
    await api.reclaim(b, 'Lamp');
    await until('the giving back is told', () => about(B, 'Lamp is not yours any more') === 1);
    assert.is(about(A, 'Lamp is yours now') + about(B, 'Lamp is yours now'), 0, 'which nobody asked for');
    assert.is((await api.send('GET', '/api/user/mailNotices', a)).status, 200);
  }));

test('everybody chooses which mails come', () =>
  scene(async ({ api, about, owned, a }) => {
    const chosen = await api.post<object>('/api/user/mailNotices', a, { claimed: true, givenBack: false });
    assert.equal(chosen, {
      claimed: true,
      givenBack: false,
      offered: true,
      takeOver: true,
      taken: true,
      reset: true,
    });
    await owned('Lamp');
    await until('the claim is told', () => about(A, 'Lamp is yours now') === 1);
    await api.reclaim(a, 'Lamp');
    await owned('Second');
    await until('the next claim is told', () => about(A, 'Second is yours now') === 1);
    assert.is(about(A, 'Lamp is not yours any more'), 0);
  }));

test('an offer to an address without an account goes there, three a day, and shows the owner nothing', () =>
  scene(async ({ about, owned, offer }) => {
    await owned('Lamp');
    for (let n = 0; n < 5; n += 1) await offer('Lamp', 'stranger@example.org');
    await offer('Lamp', B);
    await until('the last offer is told', () => about(B, 'Lamp is offered to you') === 1);
    assert.ok(about('stranger@example.org', 'Lamp is offered to you') <= 3);
  }));

test('the name of a device is text: no markup, no line of a header, no link', () =>
  scene(async ({ api, a, owned, mails }) => {
    const name = '<img src=x> http://evil.example www.evil.example';
    await api.post('/api/user/mailNotices', a, { claimed: true });
    await owned(name);
    const { mail } = await mails.mailTo(A, 2);
    assert.match(mail.subject ?? '', /^<img src=x> /);
    assert.not.match(String(mail.html), '<img');
    for (const text of [mail.subject, mail.text, String(mail.html)]) {
      assert.not.match(text ?? '', 'http://evil');
      assert.not.match(text ?? '', 'www.evil');
    }
  }));

test('who plays with a device does not fill a mailbox, and keeps no warning out of it', () =>
  scene(
    async ({ api, a, b, owned, mails, about }) => {
      await api.post('/api/user/mailNotices', a, { claimed: true, givenBack: false });
      for (let n = 0; n < 25; n += 1) await owned(`D${n}`);
      await until('some are told', () => about(A, 'D19 is yours now') === 1);
      await api.must('POST', '/api/noauth/resetPasswordByEmail', undefined, { email: A });
      await until('mails of the account still come', () => about(A, 'Choose a new password') === 1);
      await api.initiate(`t${Buffer.from('D0').toString('hex')}`, { secretKey: 'on its display' });
      assert.is((await api.confirm(b, 'D0', 'on its display')).status, 400, 'it is pending');
      await until('a take-over is told', () => about(A, 'Somebody wants to take D0 over') === 1);
      assert.is(mails.heard.filter(({ mail }) => mail.subject?.endsWith('is yours now')).length, 20);
    },
    { 'security.claim.takeOver': 'after-notice' },
  ));

test.run();
