/** Claiming and giving back over REST, over the real actors (rules C1-C10, R1-R3). */
import * as assert from 'uvu/assert';
import { NULL_UUID } from '../../actors/base/ids.ts';
import {
  type Answer,
  claimPath,
  HOUR_MS,
  type Household,
  isProblem,
  moveIn,
  openWindow,
  pageOf,
  provision,
  type RestWorld,
  restLaws,
  settle,
  steer,
} from '../kit/rest-client.ts';

const NAME = 'Thermostat T1';

const { law, run } = restLaws('rest claims');

function isClaimed(answer: Answer, customerId: string): void {
  assert.is(answer.status, 200, answer.text);
  const { device, response } = answer.json as {
    device: { customerId: object; name: string };
    response: string;
  };
  assert.is(response, 'SUCCESS');
  assert.equal(device.customerId, { entityType: 'CUSTOMER', id: customerId });
}

function says(answer: Answer, word: 'FAILURE' | 'CLAIMED'): void {
  assert.is(answer.status, 400);
  assert.is(answer.text, `"${word}"`);
}

law(
  'claim: the right secret in an open window: SUCCESS with the device, then CLAIMED for everybody',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    await openWindow(world, id, 'secret');
    isClaimed(await home.alice.post(claimPath(NAME), { secretKey: 'secret' }), home.alice.customerId);
    says(await home.alice.post(claimPath(NAME), { secretKey: 'secret' }), 'CLAIMED');
    says(await home.bob.post(claimPath(NAME), { secretKey: 'secret' }), 'CLAIMED');
    says(await home.bob.post(claimPath(NAME), { secretKey: 'other' }), 'CLAIMED');
  },
);

law(
  'claim: a name in another case is the device’s where only one fits, and one attempt is counted',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    await openWindow(world, id, 'secret');
    const wrong = await home.alice.post(claimPath('THERMOSTAT t1'), { secretKey: 'guess' });
    assert.is(wrong.headers.get('claim-attempts-left'), '9');
    const exact = await home.alice.post(claimPath(NAME), { secretKey: 'guess' });
    assert.is(exact.headers.get('claim-attempts-left'), '8', 'it is the same device');
    isClaimed(
      await home.alice.post(claimPath('thermostat t1'), { secretKey: 'secret' }),
      home.alice.customerId,
    );
    isProblem(await home.alice.post(claimPath('thermostat'), { secretKey: 'secret' }), 404, 32);

    const lower = await provision(world, home.tenantId, 'pump');
    await provision(world, home.tenantId, 'PUMP');
    await openWindow(world, lower, 'secret');
    isProblem(await home.alice.post(claimPath('Pump'), { secretKey: 'secret' }), 404, 32);
    isClaimed(await home.alice.post(claimPath('pump'), { secretKey: 'secret' }), home.alice.customerId);
  },
);

law('claim: a wrong secret is FAILURE and leaves the window open', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  await openWindow(world, id, 'secret');
  says(await home.bob.post(claimPath(NAME), { secretKey: 'guess' }), 'FAILURE');
  says(await home.bob.post(claimPath(NAME)), 'FAILURE');
  isClaimed(await home.alice.post(claimPath(NAME), { secretKey: 'secret' }), home.alice.customerId);
});

law(
  'claim: without a window it is FAILURE; a window is elapsed from the very instant at which it ends',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    says(await home.alice.post(claimPath(NAME), {}), 'FAILURE');
    await openWindow(world, id, '', 1000);
    world.clock.advance(1000);
    says(await home.alice.post(claimPath(NAME), {}), 'FAILURE');
  },
);

for (const [how, body] of [
  ['no body', undefined],
  ['{}', '{}'],
  ['null', '{"secretKey":null}'],
  ['an empty text', '{"secretKey":""}'],
  ['JSON null', 'null'],
] as const) {
  law(`claim: ${how} is the empty secret`, async ({ world, home }) => {
    await openWindow(world, await provision(world, home.tenantId, NAME), '');
    const answer = await home.alice.send('POST', claimPath(NAME), body === undefined ? {} : { body });
    isClaimed(answer, home.alice.customerId);
  });
}

law('claim: a number is its text, unknown fields are ignored', async ({ world, home }) => {
  await openWindow(world, await provision(world, home.tenantId, NAME), '123');
  const body = { secretKey: 123, durationMs: 'x', extra: { a: [] } };
  isClaimed(await home.alice.post(claimPath(NAME), body), home.alice.customerId);
});

law(
  'claim: an unknown name is 404, with a body and without; so is a device of another tenant',
  async ({ world, home }) => {
    const other = await settle(world, 'other');
    await openWindow(world, await provision(world, other.tenantId, NAME), 'secret');
    isProblem(await home.alice.post(claimPath(NAME), { secretKey: 'secret' }), 404, 32);
    isProblem(await home.alice.post(claimPath(NAME)), 404, 32);
    isProblem(await home.alice.delete(claimPath(NAME)), 404, 32);
    isClaimed(await other.alice.post(claimPath(NAME), { secretKey: 'secret' }), other.alice.customerId);
  },
);

law('claim: a blank name is 400; the tenant administrator may not claim', async ({ world, home }) => {
  isProblem(await home.alice.post(claimPath(' '), {}), 400, 31);
  await openWindow(world, await provision(world, home.tenantId, NAME), '');
  isProblem(await home.admin.post(claimPath(NAME), {}), 403, 20);
});

const ODD_NAMES = [
  'a/b',
  '100%',
  '%2F',
  'a;b',
  'a b',
  'emoji 🚲',
  '..',
  '.',
  'a?b#c',
  'back\\slash',
  '"quoted"',
  '+',
  'device',
  'claim',
  'ünïcödé',
];

law(
  'claim: names with slashes, percent signs, spaces and emoji are decoded once',
  async ({ world, home }) => {
    for (const name of ODD_NAMES) {
      await openWindow(world, await provision(world, home.tenantId, name), 'x');
      // A dot alone cannot be sent through the URL parser of a test; the socket test sends it.
      if (name === '.' || name === '..') continue;
      const answer = await home.alice.post(claimPath(name), { secretKey: 'x' });
      isClaimed(answer, home.alice.customerId);
      assert.is((answer.json as { device: { name: string } }).device.name, name);
    }
  },
);

law('claim: invalid percent sequences in the name are 400', async ({ home }) => {
  for (const name of ['%', '%zz', 'a%2', '%ff', '%c3%28']) {
    isProblem(await home.alice.post(`/api/customer/device/${name}/claim`, {}), 400, 31);
  }
});

law(
  'claim: 100 at once with the right secret: one SUCCESS, the others CLAIMED, nobody is limited',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    await openWindow(world, id, 'secret');
    const claimants = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? home.alice : home.bob));
    const answers = await Promise.all(
      claimants.map((who) => who.post(claimPath(NAME), { secretKey: 'secret' })),
    );
    assert.is(answers.filter(({ status }) => status === 200).length, 1);
    assert.is(answers.filter(({ text }) => text === '"CLAIMED"').length, 99);
  },
);

law(
  'claim: wrong secrets past the limit are 429 for that customer and device only, also sent all at once',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    await openWindow(world, id, 'secret');
    const guesses = Array.from({ length: 50 }, (_, at) =>
      home.bob.post(claimPath(NAME), { secretKey: `guess ${at}` }),
    );
    const answers = await Promise.all(guesses);
    assert.is(answers.filter(({ text }) => text === '"FAILURE"').length, 3);
    const limited = answers.filter(({ status }) => status === 429);
    assert.is(limited.length, 47);
    for (const answer of limited) {
      isProblem(answer, 429, 33);
      const seconds = Number(answer.headers.get('retry-after'));
      assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
    }
    isProblem(await home.bob.post(claimPath(NAME), { secretKey: 'secret' }), 429, 33);

    // Another device and another customer may still try.
    await openWindow(world, await provision(world, home.tenantId, 'other'), 'o');
    isClaimed(await home.bob.post(claimPath('other'), { secretKey: 'o' }), home.bob.customerId);
    isClaimed(await home.alice.post(claimPath(NAME), { secretKey: 'secret' }), home.alice.customerId);
  },
  { limits: { wrongSecretsPerCustomerAndDevice: { max: 3, windowMs: 60_000 } } },
);

law(
  'claim: wrong secrets are counted per customer over all devices, and per address over all customers',
  async ({ world, home }) => {
    for (const name of ['d1', 'd2', 'd3', 'd4'])
      await openWindow(world, await provision(world, home.tenantId, name), 's');
    for (const name of ['d1', 'd2']) says(await home.bob.post(claimPath(name), {}), 'FAILURE');
    isProblem(await home.bob.post(claimPath('d3'), {}), 429, 33);
    says(await home.alice.post(claimPath('d1'), {}), 'FAILURE');
    isProblem(await home.alice.post(claimPath('d2'), {}), 429, 33); // the address has used up its three
    const elsewhere = world.as(home.alice.token, '192.0.2.2');
    isClaimed(await elsewhere.post(claimPath('d1'), { secretKey: 's' }), home.alice.customerId);
  },
  {
    limits: {
      wrongSecretsPerCustomer: { max: 2, windowMs: 60_000 },
      wrongSecretsPerAddress: { max: 3, windowMs: 60_000 },
    },
  },
);

law(
  'claim: a limit of 0 means no limit',
  async ({ world, home }) => {
    await openWindow(world, await provision(world, home.tenantId, NAME), 's');
    for (let at = 0; at < 30; at++) says(await home.bob.post(claimPath(NAME), {}), 'FAILURE');
  },
  {
    limits: {
      wrongSecretsPerCustomerAndDevice: { max: 0, windowMs: 60_000 },
      wrongSecretsPerWindow: { max: 0, firstWaitMs: 60_000 },
    },
  },
);

const NO_OWN_LIMITS = {
  wrongSecretsPerCustomerAndDevice: { max: 0, windowMs: 60_000 },
  wrongSecretsPerCustomer: { max: 0, windowMs: 60_000 },
  wrongSecretsPerAddress: { max: 0, windowMs: 60_000 },
};

law(
  'claim: a short PIN does not fall to guessing: 23 of 10,000 are tried, and whoever has not failed still claims',
  async ({ world, home }) => {
    await openWindow(world, await provision(world, home.tenantId, NAME), '9999');
    let tried = 0;
    for (let from = 0; from < 2_000; from += 500) {
      const answers = await Promise.all(
        Array.from({ length: 500 }, (_, at) =>
          home.bob.post(claimPath(NAME), { secretKey: String(from + at).padStart(4, '0') }),
        ),
      );
      tried += answers.filter(({ text }) => text === '"FAILURE"').length;
      const limited = answers.filter(({ status }) => status === 429);
      for (const answer of limited.slice(0, 3)) isProblem(answer, 429, 33);
    }
    assert.is(tried, 23, 'three of its own, and twenty');
    isProblem(await home.bob.post(claimPath(NAME), { secretKey: '9999' }), 429, 33);
    await world.audit.catchUp();
    const trail = pageOf(
      await home.admin.get('/api/audit/logs?pageSize=100&page=0&actionTypes=CLAIM_REFUSED'),
    );
    const told = trail.data.filter((entry) => JSON.stringify(entry).includes('too-many-wrong-secrets'));
    assert.is(told.length, 1, 'the tenant is told once');
    isClaimed(await home.alice.post(claimPath(NAME), { secretKey: '9999' }), home.alice.customerId);
  },
  { limits: NO_OWN_LIMITS },
);

law(
  'claim: a hundred customers together guess no more than RULES.md says, and who mistypes is not locked out by them',
  async ({ world, home }) => {
    await openWindow(world, await provision(world, home.tenantId, NAME), '9999');
    says(await home.alice.post(claimPath(NAME), { secretKey: '9998' }), 'FAILURE');
    const crowd = await Promise.all(
      Array.from({ length: 15 }, (_, at) => moveIn(world, home.tenantId, `crowd${at}@home.test`)),
    );
    const answers = await Promise.all(
      crowd.flatMap((who) =>
        Array.from({ length: 20 }, (_, at) => who.post(claimPath(NAME), { secretKey: `${at}` })),
      ),
    );
    assert.is(answers.filter(({ text }) => text === '"FAILURE"').length, 15 + 20);
    isClaimed(await home.alice.post(claimPath(NAME), { secretKey: '9999' }), home.alice.customerId);
  },
  { limits: NO_OWN_LIMITS },
);

law(
  'claim: however many come anew and guess, who has not failed at the device is not kept out',
  async ({ world, home }) => {
    await openWindow(world, await provision(world, home.tenantId, NAME), '9999');
    const fresh = await Promise.all(
      Array.from({ length: 25 }, (_, at) => moveIn(world, home.tenantId, `fresh${at}@home.test`)),
    );
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(fresh.map((who) => who.post(claimPath(NAME), { secretKey: `${round}` })));
    }
    const [first] = fresh;
    assert.is(
      (await first?.post(claimPath(NAME), { secretKey: '8' }))?.status,
      429,
      'they guess no more now',
    );
    isClaimed(await home.alice.post(claimPath(NAME), { secretKey: '9999' }), home.alice.customerId);
  },
  { limits: NO_OWN_LIMITS },
);

law('claim: a user may wait for the device, and ask once a second', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  for (let at = 0; at < 59; at++) says(await home.alice.post(claimPath(NAME), { secretKey: 's' }), 'FAILURE');
  await openWindow(world, id, 's');
  isClaimed(await home.alice.post(claimPath(NAME), { secretKey: 's' }), home.alice.customerId);
});

law(
  'claim: waiting for an empty secret is no longer free: of 2,592 polls as fast as they go, 60 are answered',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    const polls = await Promise.all(Array.from({ length: 2_592 }, () => home.bob.post(claimPath(NAME), {})));
    assert.is(polls.filter(({ text }) => text === '"FAILURE"').length, 60);
    const limited = polls.filter(({ status }) => status === 429);
    assert.is(limited.length, 2_532);
    for (const answer of limited) isProblem(answer, 429, 33);
    await openWindow(world, id, '');
    isProblem(await home.bob.post(claimPath(NAME), {}), 429, 33);
    isClaimed(await home.alice.post(claimPath(NAME), {}), home.alice.customerId);
  },
);

for (const [what, prepare] of [
  ['that is owned', async ({ home }) => void (await home.alice.post(claimPath(NAME), { secretKey: 's' }))],
  [
    'that must not be claimed',
    async ({ world, home }) => {
      const id = (await world.directory.idOf(home.tenantId, NAME)) ?? '';
      const path = `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`;
      assert.is((await home.admin.post(path, { claimingAllowed: false })).status, 200);
    },
  ],
  ['whose window has elapsed', async ({ world }) => world.clock.advance(HOUR_MS)],
  [
    'that does not exist',
    async ({ world, home }) => {
      const id = await world.directory.idOf(home.tenantId, NAME);
      assert.is((await home.admin.delete(`/api/device/${id}`)).status, 200);
    },
  ],
] as const satisfies readonly (readonly [
  string,
  (w: { world: RestWorld; home: Household }) => Promise<void> | void,
])[]) {
  law(
    `claim: waiting for a device ${what} is counted too, and only against who waits`,
    async ({ world, home }) => {
      await openWindow(world, await provision(world, home.tenantId, NAME), 's');
      await prepare({ world, home });
      for (let at = 0; at < 12; at++) {
        const { status } = await home.bob.post(claimPath(NAME), { secretKey: 's' });
        assert.ok(status === 400 || status === 404, String(status));
      }
      isProblem(await home.bob.post(claimPath(NAME), { secretKey: 's' }), 429, 33);
      assert.is.not((await home.alice.post(claimPath(NAME), { secretKey: 's' })).status, 429);
    },
    { limits: { wrongSecretsPerCustomerAndDevice: { max: 2, windowMs: 60_000 } } },
  );
}

law(
  'claim: whoever comes second for many devices is not limited',
  async ({ world, home }) => {
    for (let at = 0; at < 50; at++) {
      await openWindow(world, await provision(world, home.tenantId, `d${at}`), 's');
      isClaimed(await home.alice.post(claimPath(`d${at}`), { secretKey: 's' }), home.alice.customerId);
      says(await home.bob.post(claimPath(`d${at}`), { secretKey: 's' }), 'CLAIMED');
    }
  },
  {
    limits: {
      wrongSecretsPerCustomer: { max: 2, windowMs: 60_000 },
      wrongSecretsPerAddress: { max: 2, windowMs: 60_000 },
    },
  },
);

law('claim: asking again for what is its own is free', async ({ world, home }) => {
  await openWindow(world, await provision(world, home.tenantId, NAME), 's');
  isClaimed(await home.alice.post(claimPath(NAME), { secretKey: 's' }), home.alice.customerId);
  for (let at = 0; at < 200; at++)
    says(await home.alice.post(claimPath(NAME), { secretKey: 's' }), 'CLAIMED');
});

law(
  'reclaim: the owner gives back; another customer may not; the tenant may always',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    await openWindow(world, id, 's');
    await home.alice.post(claimPath(NAME), { secretKey: 's' });
    isProblem(await home.bob.delete(claimPath(NAME)), 403, 20);
    const given = await home.alice.delete(claimPath(NAME), {}); // as the Python client does
    assert.is(given.status, 200);
    assert.is(given.text, '');
    assert.is((await world.devices.read(id))?.owner, null);

    await openWindow(world, id, 's');
    await home.bob.post(claimPath(NAME), { secretKey: 's' });
    assert.is((await home.admin.delete(claimPath(NAME))).status, 200);
    assert.is((await world.devices.read(id))?.owner, null);
  },
);

law(
  'reclaim: of a device that nobody owns: 200; a customer leaves the window open, the tenant closes it',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    await openWindow(world, id, 's');
    assert.is((await home.bob.delete(claimPath(NAME))).status, 200);
    assert.ok((await world.devices.read(id))?.window);
    assert.is((await home.admin.delete(claimPath(NAME))).status, 200);
    assert.is((await world.devices.read(id))?.window, null);
  },
);

law(
  'claim: where claiming is not allowed by default, a claim removes claimingAllowed and giving back restores it',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    const path = `/api/plugins/telemetry/DEVICE/${id}`;
    const keys = async () => (await home.admin.get(`${path}/keys/attributes/SERVER_SCOPE`)).json;
    assert.is((await home.admin.post(`${path}/SERVER_SCOPE`, { claimingAllowed: true })).status, 200);
    await openWindow(world, id, 's');
    isClaimed(await home.alice.post(claimPath(NAME), { secretKey: 's' }), home.alice.customerId);
    assert.equal(await keys(), []);
    await home.alice.delete(claimPath(NAME));
    assert.equal(await keys(), ['claimingAllowed']);
  },
  { policy: { allowClaimingByDefault: false } },
);

law('claim: a server-side key works without the device, once, until its instant', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  const path = `/api/plugins/telemetry/${id}/SERVER_SCOPE`;
  const expirationTime = world.clock.now() + HOUR_MS;
  assert.is(
    (await home.admin.post(path, { claimingData: { secretKey: 'boxed', expirationTime } })).status,
    200,
  );
  says(await home.alice.post(claimPath(NAME), { secretKey: 'guess' }), 'FAILURE');
  isClaimed(await home.alice.post(claimPath(NAME), { secretKey: 'boxed' }), home.alice.customerId);
  await home.alice.delete(claimPath(NAME));
  says(await home.alice.post(claimPath(NAME), { secretKey: 'boxed' }), 'FAILURE');

  await home.admin.post(path, { claimingData: { secretKey: 'boxed', expirationTime } });
  world.clock.advance(HOUR_MS);
  const later = world.as((await world.login(home.alice.email)).token);
  says(await later.post(claimPath(NAME), { secretKey: 'boxed' }), 'FAILURE');
});

law('claim: a forbidden device is not claimed by a window, nor by a server key', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  const path = `/api/plugins/telemetry/${id}/SERVER_SCOPE`;
  const expirationTime = world.clock.now() + HOUR_MS;
  await openWindow(world, id, 'window');
  await home.admin.post(path, {
    claimingData: { secretKey: 'boxed', expirationTime },
    claimingAllowed: false,
  });
  for (const secretKey of ['window', 'boxed', 'wrong']) {
    const answer = await home.alice.post(claimPath(NAME), { secretKey });
    says(answer, 'FAILURE');
    assert.is(answer.headers.get('claim-refusal'), 'claiming-not-allowed');
    assert.is(answer.headers.get('claim-attempts-left'), null, 'no guess, so nothing is counted');
  }
  await home.admin.post(path, { claimingAllowed: true });
  isClaimed(await home.alice.post(claimPath(NAME), { secretKey: 'boxed' }), home.alice.customerId);
});

law(
  'R5: every change of owner begins an epoch, and If-Match holds in its epoch only',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    const epoch = async (who = home.admin) =>
      ((await who.get(`/api/device/${id}`)).json as { ownerEpoch: number }).ownerEpoch;
    const giveBack = (who: typeof home.admin, tag: string) =>
      who.send('DELETE', claimPath(NAME), { headers: { 'if-match': tag } });
    const assign = (tag: string) =>
      home.admin.send('POST', `/api/customer/${home.bob.customerId}/device/${id}`, {
        headers: { 'if-match': tag },
      });
    const unassign = (tag: string) =>
      home.admin.send('DELETE', `/api/customer/device/${id}`, { headers: { 'if-match': tag } });
    const isLate = (answer: Answer) => isProblem(answer, 412, 35);
    assert.is(await epoch(), 0);

    await openWindow(world, id, 's');
    isLate(await giveBack(home.admin, '"epoch-1"'));
    const { json } = await home.alice.post(claimPath(NAME), { secretKey: 's' });
    assert.is((json as { device: { ownerEpoch: number } }).device.ownerEpoch, 1);
    assert.is(await epoch(home.alice), 1);
    for (const tag of ['"epoch-0"', '"epoch-2"', 'W/"epoch-1"', 'epoch-1', '"epoch-01"', '"x"', '']) {
      isLate(await giveBack(home.alice, tag));
      isLate(await unassign(tag));
      isLate(await assign(tag));
    }
    assert.is((await giveBack(home.bob, '"epoch-1"')).status, 403, "another's device stays another's");
    assert.is((await giveBack(home.alice, '"epoch-0", "epoch-1"')).status, 200);
    assert.is(await epoch(), 2);

    for (const tag of ['"epoch-1"', '"epoch-2"']) isLate(await giveBack(home.alice, tag));
    assert.is((await giveBack(home.alice, '*')).status, 200, 'nobody owns it: as without the header');
    assert.is(await epoch(), 2);

    assert.is((await assign('"epoch-2"')).status, 200);
    assert.is(await epoch(home.bob), 3);
    assert.is((await unassign('"epoch-3"')).status, 200);
    assert.is(await epoch(), 4);
    await home.admin.post('/api/device', { id: { id, entityType: 'DEVICE' }, name: NAME, ownerEpoch: 77 });
    assert.is(await epoch(), 4, 'nobody sets it');
  },
);

law('assign and unassign: follow the rules of claiming', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  await openWindow(world, id, 's');
  const assigned = await home.admin.post(`/api/customer/${home.bob.customerId}/device/${id}`);
  assert.is((assigned.json as { customerId: { id: string } }).customerId.id, home.bob.customerId);
  says(await home.alice.post(claimPath(NAME), { secretKey: 's' }), 'CLAIMED');
  const freed = await home.admin.delete(`/api/customer/device/${id}`);
  assert.is((freed.json as { customerId: { id: string } }).customerId.id, NULL_UUID);
  says(await home.alice.post(claimPath(NAME), { secretKey: 's' }), 'FAILURE');
  isProblem(await home.admin.delete(`/api/customer/device/${id}`), 400, 31);
});

law(
  'claim: no answer from the device is 503 with Retry-After',
  async ({ world, home }) => {
    await provision(world, home.tenantId, NAME);
    const answer = await home.alice.post(claimPath(NAME), {});
    isProblem(answer, 503, 2);
    assert.is(answer.headers.get('retry-after'), '1');
  },
  {
    disturb: (needs) => ({
      ...needs,
      devices: { ...needs.devices, ask: async () => ({ type: 'unavailable', reason: 'store' }) },
    }),
  },
);

law(
  'a server key of our form may be typed in any case and with any dashes; a window’s secret is exact',
  async ({ world, home }) => {
    const KEY = 'ABCD-EFGH-JKMN-PQRS';
    const claimingData = { secretKey: KEY, expirationTime: world.clock.now() + HOUR_MS };
    for (const [name, typed] of [
      ['A', 'abcd-efgh-jkmn-pqrs'],
      ['B', ' ABCD EFGH–JKMN PQRS '],
      ['C', KEY],
    ] as const) {
      const id = await provision(world, home.tenantId, name);
      await steer(home.admin, id, { claimingData });
      const answer = await home.alice.post(claimPath(name), { secretKey: typed });
      assert.is(answer.status, 200, `${typed}: ${answer.text}`);
    }
    const opened = await provision(world, home.tenantId, 'D');
    await openWindow(world, opened, KEY, HOUR_MS);
    assert.is((await home.alice.post(claimPath('D'), { secretKey: KEY.toLowerCase() })).json, 'FAILURE');
    assert.is((await home.alice.post(claimPath('D'), { secretKey: KEY })).status, 200);
  },
);

run();
