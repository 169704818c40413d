/** Handing a device over on the pages: offered by e-mail or with a code, seen, withdrawn, accepted, declined. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Household, provision, type RestWorld, settle } from '../kit/rest-client.ts';
import { createWebWorld, type Visitor, visitor } from '../kit/web-client.ts';

interface Scene {
  readonly world: RestWorld;
  readonly home: Household;
  readonly id: string;
  /** Signed in: the owner, the other customer, the tenant's administrator. */
  readonly alice: Visitor;
  readonly bob: Visitor;
  readonly admin: Visitor;
}

const test = suite('web transfers');

function law(name: string, play: (scene: Scene) => Promise<void>): void {
  test(name, async () => {
    const world = createWebWorld();
    try {
      const home = await settle(world, 'home');
      const id = await provision(world, home.tenantId, 'Pump 1', home.alice.customerId);
      const [alice, bob, admin] = [visitor(world), visitor(world), visitor(world)];
      await alice.signIn(home.alice.email);
      await bob.signIn(home.bob.email);
      await admin.signIn(home.adminEmail);
      await play({ world, home, id, alice, bob, admin });
    } finally {
      await world.stop();
    }
  });
}

/** The action of the form whose button says this. */
function actionOf(html: string, button: string): string {
  const forms = html.split('<form ').slice(1);
  const form = forms.find((text) => text.split('</form>')[0]?.includes(button)) ?? '';
  const [, action] = /action="([^"]*)"/.exec(form) ?? [];
  if (action === undefined) throw new Error(`no form with "${button}"`);
  return action;
}

law('offered by e-mail, seen by both, accepted from the list', async ({ home, id, alice, bob }) => {
  const mine = await alice.get('/my/devices');
  assert.ok(mine.html.includes(`/my/devices/${id}/hand-over`));
  const made = await alice.post(`/my/devices/${id}/hand-over`, { to: home.bob.email, days: '3' });
  const shown = await alice.follow(made);
  assert.match(shown.text, `To ${home.bob.email}`);
  assert.match((await alice.get('/my/devices')).text, 'on offer');

  const offers = await bob.get('/offers');
  assert.match(offers.text, 'Pump 1');
  assert.match(offers.text, 'From alice');
  const accepted = await bob.follow(await bob.post(actionOf(offers.html, 'aria-label="Accept '), {}));
  assert.match(accepted.text, '“Pump 1” is yours now.');
  assert.not.match((await alice.get('/my/devices')).text, 'Pump 1');
  assert.match((await bob.get('/offers')).text, 'Nobody offers you a device');
});

law('a code is shown once, is kept from the address line, and works as it is read aloud', async (scene) => {
  const { id, alice, bob } = scene;
  const made = await alice.post(`/my/devices/${id}/hand-over`, { to: '', days: '7' });
  assert.is(made.status, 200);
  const [, code = ''] = /<code>([A-Z0-9-]+)<\/code>/.exec(made.html) ?? [];
  assert.match(code, /^\w{4}(-\w{4}){3}$/);
  assert.not.ok((await alice.get(`/my/devices/${id}/hand-over`)).html.includes(code));

  const wrong = await bob.post('/offers/code', { code: 'AAAA-BBBB-CCCC-DDDD' });
  assert.is(wrong.status, 400);
  assert.match(wrong.text, 'No device is offered under this code');
  const right = await bob.follow(await bob.post('/offers/code', { code: code.toLowerCase() }));
  assert.match(right.text, '“Pump 1” is yours now.');
});

law('withdrawn by the owner: whoever still has the list open is told that it is gone', async (scene) => {
  const { home, id, alice, bob } = scene;
  await alice.post(`/my/devices/${id}/hand-over`, { to: home.bob.email, days: '7' });
  const offers = await bob.get('/offers');
  const done = await alice.follow(await alice.post(`/my/devices/${id}/withdraw`, {}));
  assert.match(done.text, 'The offer is withdrawn.');
  for (const button of ['aria-label="Accept ', 'aria-label="Decline ']) {
    const late = await bob.follow(await bob.post(actionOf(offers.html, button), {}));
    assert.match(late.text, 'It is not on offer any more');
  }
});

law('the tenant sees an offer on the device’s page, and withdraws it', async ({ home, id, alice, admin }) => {
  await alice.post(`/my/devices/${id}/hand-over`, { to: home.bob.email, days: '7' });
  const page = await admin.get(`/devices/${id}`);
  assert.match(page.text, 'It is on offer to an e-mail address');
  const done = await admin.follow(await admin.post(actionOf(page.html, 'Withdraw the offer'), {}));
  assert.match(done.text, 'The offer is withdrawn.');
  assert.not.match((await admin.get(`/devices/${id}`)).text, 'It is on offer');
});

law('declined: the device stays where it is', async ({ home, id, alice, bob }) => {
  await alice.post(`/my/devices/${id}/hand-over`, { to: home.bob.email, days: '7' });
  const offers = await bob.get('/offers');
  const done = await bob.follow(await bob.post(actionOf(offers.html, 'aria-label="Decline '), {}));
  assert.match(done.text, 'Declined.');
  assert.match((await alice.get('/my/devices')).text, 'Pump 1');
});

law('what cannot be offered is refused in words, and another’s device has no such page', async (scene) => {
  const { id, alice, bob } = scene;
  const path = `/my/devices/${id}/hand-over`;
  for (const [fields, words] of [
    [{ to: 'bob', days: '7' }, 'to should be an e-mail address'],
    [{ to: '', days: '0' }, 'Choose 1 to 90 days.'],
    [{ to: '', days: 'soon' }, 'Choose 1 to 90 days.'],
  ] as const) {
    const refused = await alice.post(path, fields);
    assert.is(refused.status, 400);
    assert.match(refused.text, words);
  }
  assert.is((await bob.get(path)).status, 403);
  assert.is((await bob.post(path, { to: '', days: '7' })).status, 403);
});

test.run();
