/** A take-over on the pages: who asks is told to wait, the owner objects, the tenant cancels (rules N2, N3). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Household, openWindow, provision, type RestWorld, settle } from '../kit/rest-client.ts';
import { createWebWorld, type Visitor, visitor } from '../kit/web-client.ts';

interface Scene {
  readonly world: RestWorld;
  readonly home: Household;
  readonly id: string;
  /** Signed in: the owner, who wants the device, the tenant's administrator. */
  readonly alice: Visitor;
  readonly bob: Visitor;
  readonly admin: Visitor;
}

const test = suite('web take-over');
const KEY = 'shown on its display';

/** The device has opened a window although alice owns it. */
function law(name: string, play: (scene: Scene) => Promise<void>): void {
  test(name, async () => {
    const world = createWebWorld();
    try {
      const home = await settle(world, 'home');
      const claiming = { takeOver: 'after-notice' };
      const profile = await home.admin.post('/api/deviceProfile', { name: 'lost and found', claiming });
      const { id: profileId } = profile.json as { id: object };
      const id = await provision(world, home.tenantId, 'Pump 1', home.alice.customerId);
      const device = (await home.admin.get(`/api/device/${id}`)).json as object;
      assert.is(
        (await home.admin.post('/api/device', { ...device, deviceProfileId: profileId })).status,
        200,
      );
      await openWindow(world, id, KEY);
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

const asksFor = (who: Visitor) => who.post('/claim', { device: 'Pump 1', key: KEY, once: 'a' });

law('who asks for it is told to wait, and its owner objects', async ({ id, alice, bob }) => {
  assert.match((await alice.get('/my/devices')).text, 'The device has opened a claim window');
  assert.match((await asksFor(bob)).text, 'You have asked for it');
  const warned = await alice.get('/my/devices');
  assert.match(warned.text, 'Somebody wants to take it over');
  assert.ok(!warned.text.includes('bob'), 'the owner does not hear who');
  assert.match((await alice.get(`/my/devices/${id}/object`)).text, 'Keep it?');
  const kept = await alice.follow(await alice.post(`/my/devices/${id}/object`, {}));
  assert.match(kept.text, '“Pump 1” stays yours.');
  assert.not.match(kept.text, 'Somebody wants to take it over');
});

law('the tenant sees who wants it, and cancels', async ({ id, bob, admin }) => {
  await asksFor(bob);
  const shown = await admin.get(`/devices/${id}`);
  assert.match(shown.text, 'bob has asked to take it over');
  const done = await admin.follow(await admin.post(`/devices/${id}/cancel-take-over`, {}));
  assert.match(done.text, 'It stays with its owner.');
  assert.not.match(done.text, 'has asked to take it over');
});

law(
  'the tenant closes the window of an owned device, and its owner keeps it',
  async ({ id, home, admin }) => {
    await admin.post(`/devices/${id}/close-window`, {});
    const { json } = await home.admin.get(`/api/device/info/${id}`);
    const { claimWindow, customerTitle } = json as { claimWindow: unknown; customerTitle: string };
    assert.equal([claimWindow, customerTitle], [null, 'alice']);
  },
);

test.run();
