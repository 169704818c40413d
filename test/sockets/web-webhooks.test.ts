/** The pages of webhooks, without a browser: made, tried, changed, replaced in their secret, deleted. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startReceiver, withStatus } from '../kit/receiver.ts';
import { settle } from '../kit/rest-client.ts';
import { createWebWorld, visitor } from '../kit/web-client.ts';

const test = suite('web webhooks');

const SECRET = /whsec_[A-Za-z0-9+/=]+/;

test('a webhook is made with a secret that is shown once, tried, changed and deleted', async () => {
  const world = createWebWorld();
  const receiver = await startReceiver();
  try {
    const home = await settle(world, 'home');
    const [admin, alice] = [visitor(world), visitor(world)];
    await admin.signIn(home.adminEmail);
    await alice.signIn(home.alice.email);
    assert.match((await admin.get('/webhooks')).text, 'There are no webhooks yet');

    const inside = await admin.post('/webhooks/new', { url: 'http://10.0.0.1/', format: 'plain' });
    assert.is(inside.status, 400);
    assert.match(inside.text, 'it leads to an address that is not public');
    const made = await admin.post('/webhooks/new', {
      url: `${receiver.url}/hook`,
      label: 'Platform',
      format: 'structured',
      events: 'device.claimed\r\n device.window.* \r\n',
    });
    const [secret = ''] = SECRET.exec(made.text) ?? [];
    assert.ok(secret !== '');
    const [, path = ''] = /href="(\/webhooks\/[0-9a-f-]{36})"/.exec(made.html) ?? [];
    const shown = await admin.get(path);
    assert.match(shown.text, 'Platform');
    assert.match(shown.html, /device\.claimed\ndevice\.window\.\*/);
    assert.not.match(shown.text, SECRET);

    const tried = await admin.follow(await admin.post(`${path}/test`, {}));
    assert.match(tried.text, 'The receiver has taken it (204)');
    assert.match(receiver.heard[0]?.headers['content-type'] ?? '', 'cloudevents');
    receiver.answer(withStatus(500, {}, '<b>not now</b>'));
    const refused = await admin.follow(await admin.post(`${path}/test`, {}));
    assert.match(refused.text, 'The receiver has not taken it: 500');
    assert.match(refused.html, '&lt;b&gt;not now');

    const wrong = await admin.post(path, {
      url: `${receiver.url}/hook`,
      format: 'plain',
      events: 'device.nothing',
    });
    assert.is(wrong.status, 400);
    const other = { url: `${receiver.url}/other`, format: 'plain', events: '', label: 'Other' };
    const saved = await admin.follow(await admin.post(path, other));
    assert.match(saved.text, 'The webhook is changed');
    assert.match((await admin.follow(await admin.post(`${path}/disable`, {}))).text, 'Switched off');
    assert.match((await admin.follow(await admin.post(`${path}/enable`, {}))).text, 'Switch off');
    assert.match((await admin.follow(await admin.post(`${path}/replay`, { hours: '2' }))).text, 'once more');
    assert.match((await admin.follow(await admin.post(`${path}/recover`, {}))).text, 'tried again');

    assert.match((await admin.get(`${path}/rotate`)).text, 'Make a new secret');
    const [next = ''] = SECRET.exec((await admin.post(`${path}/rotate`, {})).text) ?? [];
    assert.ok(next !== '' && next !== secret);
    assert.is((await alice.get(path)).status, 403);

    assert.match((await admin.get(`${path}/delete`)).text, 'Delete this webhook');
    const deleted = await admin.follow(await admin.post(`${path}/delete`, {}));
    assert.match(deleted.text, 'There are no webhooks yet');
    assert.is((await admin.get(path)).status, 404);
  } finally {
    await world.stop();
    await receiver.stop();
  }
});

test.run();
