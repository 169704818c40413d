/** Claiming a device that opens its window while the request waits for it. */
import * as assert from 'uvu/assert';
import {
  claimPath,
  type Household,
  openWindow,
  provision,
  type RestWorld,
  restLaws,
} from '../kit/rest-client.ts';

const NAME = 'Thermostat T1';
const WAIT = `${claimPath(NAME)}/wait`;
const { law, run } = restLaws('rest claim wait');

/** Lets the simulated clock run until the answer is there. @returns how long that took in simulated time */
async function whileTimePasses<Value>(world: RestWorld, answer: Promise<Value>): Promise<[Value, number]> {
  const since = world.clock.elapsed();
  const answers: Value[] = [];
  void answer.then((value) => answers.push(value));
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    const [value] = answers;
    if (value !== undefined) return [value, world.clock.elapsed() - since];
    world.clock.advance(50);
  }
}

const asked = (home: Household, secretKey: string, headers: Record<string, string> = {}) =>
  home.alice.send('POST', WAIT, { body: JSON.stringify({ secretKey }), headers });

law(
  'claim wait: the button is pressed while the request waits, and the device is claimed',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    const answer = asked(home, 'secret');
    world.clock.after(2_000, () => void openWindow(world, id, 'secret'));
    const [claimed, ms] = await whileTimePasses(world, answer);
    assert.is(claimed.status, 200, claimed.text);
    assert.ok(ms >= 2_000 && ms < 5_000, String(ms));
    assert.is((await world.devices.read(id))?.owner?.customerId, home.alice.customerId);
  },
);

law('claim wait: in vain it ends after five seconds, and counts as no attempt', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  for (let time = 0; time < 30; time += 1) {
    const [answer, ms] = await whileTimePasses(world, asked(home, 'secret'));
    assert.is(answer.status, 400);
    assert.is(answer.text, '"FAILURE"');
    assert.is(answer.headers.get('claim-refusal'), 'no-window');
    assert.ok(ms >= 5_000 && ms < 6_000, String(ms));
  }
  await openWindow(world, id, 'secret');
  const wrong = await home.alice.post(claimPath(NAME), { secretKey: 'guess' });
  assert.is(wrong.headers.get('claim-attempts-left'), '9');
});

law('claim wait: a wrong secret counts once, as soon as there is a window', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  const answer = asked(home, 'guess');
  world.clock.after(1_000, () => void openWindow(world, id, 'secret'));
  const [wrong] = await whileTimePasses(world, answer);
  assert.is(wrong.headers.get('claim-refusal'), 'wrong-secret');
  assert.is(wrong.headers.get('claim-attempts-left'), '9');
});

law(
  'claim wait: nobody waits without a secret, or he would be first at every window without one',
  async ({ world, home }) => {
    await provision(world, home.tenantId, NAME);
    const answer = await asked(home, '');
    assert.is(answer.headers.get('claim-refusal'), 'no-window');
  },
);

law(
  'claim wait: two of a user wait; a third one is an ordinary claim, which counts',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    const two = Promise.all([asked(home, 'secret'), asked(home, 'secret')]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.is((await asked(home, 'secret')).status, 400); // at once: time stands still
    await openWindow(world, id, 'secret');
    const [answers] = await whileTimePasses(world, two);
    assert.equal(answers.map(({ status }) => status).sort(), [200, 400]);
  },
);

law('claim wait: asked again after a lost answer, the answer is the same', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  await openWindow(world, id, 'secret');
  const key = { 'Idempotency-Key': 'abc' };
  assert.is((await asked(home, 'secret', key)).status, 200);
  const again = await asked(home, 'secret', key);
  assert.is(again.status, 200);
  assert.is(again.headers.get('idempotency-replayed'), 'true');
});

law('claim wait: who is signed out meanwhile claims nothing', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  const answer = asked(home, 'secret');
  world.clock.after(1_000, () => void home.alice.post('/api/auth/logout'));
  world.clock.after(2_000, () => void openWindow(world, id, 'secret'));
  const [refused] = await whileTimePasses(world, answer);
  assert.is(refused.status, 401);
  assert.is((await world.devices.read(id))?.owner, null);
});

law(
  'claim wait: there is nothing to wait for where the device is taken, unknown, or has a key',
  async ({ world, home }) => {
    assert.is((await asked(home, 'secret')).status, 404);
    await provision(world, home.tenantId, NAME, home.bob.customerId);
    assert.is((await asked(home, 'secret')).text, '"CLAIMED"');
  },
);

law(
  'claim wait: where refusals are uniform nobody waits',
  async ({ world, home }) => {
    await provision(world, home.tenantId, NAME);
    const answer = await asked(home, 'secret');
    assert.is(answer.text, '"FAILURE"');
    assert.is(answer.headers.get('claim-refusal'), null);
  },
  { settings: { uniformRefusals: true } },
);

run();
