/** What a former owner sees of devices that it lost without giving them back (rule N6): over REST and in the pages. */
import * as assert from 'uvu/assert';
import { createLosses, LOSSES_KEPT_MS, LOSSES_MAX, type Loss } from '../../actors/audit/losses.ts';
import type { CustomerId, DeviceId, UserId } from '../../actors/base/ids.ts';
import { DEFAULT_OWNERSHIP_RULES } from '../../actors/device/ownership-rules.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { createSimClock } from '../kit/clock.ts';
import { idOf } from '../kit/given.ts';
import {
  type Answer,
  claimPath,
  given,
  HOUR_MS,
  isDone,
  openWindow,
  provision,
  type RestWorld,
  restLaws,
  START,
  settle,
} from '../kit/rest-client.ts';
import { createWebWorld, visitor } from '../kit/web-client.ts';

const { law: lawOf, run } = restLaws('rest losses');
const ownership = { ...DEFAULT_OWNERSHIP_RULES, takeOver: 'at-once', deviceReset: 'release' } as const;
const law = (name: string, play: Parameters<typeof lawOf>[1]) => lawOf(name, play, { policy: { ownership } });

async function reset({ devices, secrets }: RestWorld, id: DeviceId): Promise<void> {
  const answer = await devices.ask(id, {
    type: 'ResetDevice',
    openedBy: { type: 'device', credentialsId: secrets.credentialsId(`token of ${id}`) },
    secretDigest: secrets.digest(id, ''),
    secretLength: 0,
    durationMs: HOUR_MS,
    isRedelivery: false,
  });
  assert.is(answer.type, 'accepted', JSON.stringify(answer));
}

function losses(answer: Answer): readonly { readonly [field: string]: unknown }[] {
  assert.is(answer.status, 200, answer.text);
  return answer.json as readonly { readonly [field: string]: unknown }[];
}

law(
  'N6: who lost a device by a reset or a take-over sees which, when and by what, and not to whom',
  async (scene) => {
    const { world, home } = scene;
    const { alice, bob, admin, tenantId } = home;
    const lamp = await provision(world, tenantId, 'Lamp', alice.customerId);
    const pump = await provision(world, tenantId, 'Pump', alice.customerId);
    await provision(world, tenantId, 'Given', alice.customerId);
    await world.audit.catchUp();
    assert.equal(losses(await alice.get('/api/lostDevices')), []);

    await reset(world, lamp);
    world.clock.advance(HOUR_MS);
    await openWindow(world, pump, 'shown on its display');
    const taken = await bob.post(claimPath('Pump'), { secretKey: 'shown on its display' });
    assert.is(taken.status, 200, taken.text);
    isDone(await alice.delete(claimPath('Given')));
    await world.audit.catchUp();

    const answer = await alice.get('/api/lostDevices');
    const device = (id: DeviceId) => ({ entityType: 'DEVICE', id });
    assert.equal(losses(answer), [
      { deviceId: device(pump), deviceName: 'Pump', lostTime: START + HOUR_MS, by: 'take-over' },
      { deviceId: device(lamp), deviceName: 'Lamp', lostTime: START, by: 'reset' },
    ]);
    for (const stranger of [bob.customerId, bob.email, 'bob']) assert.not.ok(answer.text.includes(stranger));
    assert.equal(losses(await bob.get('/api/lostDevices')), []);
    assert.is((await admin.get('/api/lostDevices')).status, 403);

    // What becomes of it afterwards is not told, and what it was called then stays.
    const renamed = { ...((await admin.get(`/api/device/${pump}`)).json as object), name: 'Pump of Bob' };
    assert.is((await admin.post('/api/device', renamed)).status, 200);
    await world.audit.catchUp();
    assert.equal((await alice.get('/api/lostDevices')).text, answer.text);
  },
);

law(
  'N6: a reset of what nobody owns is nobody’s loss; losses end after 90 days, and with the customer',
  async (scene) => {
    const { world, home } = scene;
    const { alice, tenantId } = home;
    await reset(world, await provision(world, tenantId, 'Free'));
    await reset(world, await provision(world, tenantId, 'Lamp', alice.customerId));
    await world.audit.catchUp();
    const kept = createLosses(world.store, world.clock);
    assert.is((await kept.of(alice.customerId)).length, 1);
    world.clock.advance(LOSSES_KEPT_MS);
    assert.equal(await kept.of(alice.customerId), []);
    world.clock.advance(-LOSSES_KEPT_MS);
    given(await world.accounts.customers.remove(tenantId, alice.customerId, idOf<UserId>(3)));
    assert.equal(await kept.of(alice.customerId), []);
  },
);

law('N6: of what is read twice each loss is there once, and of many the newest', async () => {
  const clock = createSimClock(START);
  const losing = createLosses(createMemoryStore(), clock);
  const customer = idOf<CustomerId>(1);
  const loss = (number: number): Loss => ({
    deviceId: idOf<DeviceId>(2),
    number,
    deviceName: 'Lamp',
    at: START + number,
    by: 'reset',
  });
  const page = Array.from({ length: LOSSES_MAX + 20 }, (_, n) => loss(n + 1));
  for (const _ of ['first', 'again, as after a crash']) {
    await losing.add(new Map([[customer, page.slice(0, 60)]]));
    await losing.add(new Map([[customer, page.slice(40)]]));
  }
  const all = await losing.of(customer);
  assert.equal(
    all.map(({ number }) => number),
    page
      .slice(-LOSSES_MAX)
      .map(({ number }) => number)
      .reverse(),
  );
});

law('N6: the pages say so where the owner looks for the device', async () => {
  const world = createWebWorld({ policy: { ownership } });
  try {
    const home = await settle(world, 'home');
    const id = await provision(world, home.tenantId, 'Lamp', home.alice.customerId);
    const alice = visitor(world);
    await alice.signIn(home.alice.email);
    assert.not.match((await alice.get('/my/devices')).text, 'no longer yours');
    assert.match((await alice.get('/my/lost')).text, 'You lost none.');
    await reset(world, id);
    await world.audit.catchUp();
    assert.match((await alice.get('/my/devices')).text, '“Lamp” is no longer yours: it was reset');
    const page = (await alice.get('/my/lost')).text;
    assert.match(page, 'Lamp');
    assert.match(page, 'it was reset to its factory settings');
    const bob = visitor(world);
    await bob.signIn(home.bob.email);
    assert.match((await bob.get('/my/lost')).text, 'You lost none.');
  } finally {
    await world.stop();
  }
});

run();
