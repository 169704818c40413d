/** Claims under an Idempotency-Key, and uniform refusals, by which one cannot tell why a claim failed. */
import * as assert from 'uvu/assert';
import type { Store } from '../../actors/store/store.ts';
import {
  type Answer,
  type Caller,
  claimPath,
  HOUR_MS,
  isDone,
  isProblem,
  openWindow,
  provision,
  restLaws,
} from '../kit/rest-client.ts';

const { law, run } = restLaws('rest idempotency');

const claim = (caller: Caller, key: string | undefined, name: string, secretKey: string) =>
  caller.send('POST', claimPath(name), {
    body: JSON.stringify({ secretKey }),
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
const inShort = ({ status, text }: Answer) => [status, text];

law('key: the same claim again gets SUCCESS again, for a day', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, 'D');
  await openWindow(world, id, 's');
  const first = await claim(home.alice, 'k', 'D', 's');
  assert.is(first.status, 200);
  assert.equal(inShort(await claim(home.alice, 'k', 'D', 's')), inShort(first));
  assert.equal(inShort(await claim(home.alice, undefined, 'D', 's')), [400, '"CLAIMED"']);
  assert.equal(inShort(await claim(home.alice, 'another', 'D', 's')), [400, '"CLAIMED"']);
  // When the device was given back meanwhile, asking again changes nothing.
  isDone(await home.alice.delete(claimPath('D')));
  assert.equal(inShort(await claim(home.alice, 'k', 'D', 's')), inShort(first));
  assert.is((await world.devices.read(id))?.owner, null);
  world.clock.advance(24 * HOUR_MS);
  const { token } = await world.login(home.alice.email);
  assert.equal(inShort(await claim(world.as(token), 'k', 'D', 's')), [400, '"FAILURE"']);
});

law(
  'key: refusals are kept as well; another request under the key is 422, and no secret is in the answer',
  async ({ world, home }) => {
    await openWindow(world, await provision(world, home.tenantId, 'D'), 's');
    assert.equal(inShort(await claim(home.alice, 'k', 'D', 'guess')), [400, '"FAILURE"']);
    assert.equal(inShort(await claim(home.alice, 'k', 'D', 'guess')), [400, '"FAILURE"']);
    for (const [name, secret] of [
      ['D', 's'],
      ['E', 'guess'],
    ] as const) {
      const other = await claim(home.alice, 'k', name, secret);
      isProblem(other, 422, 31);
      assert.not.match(other.text, /guess/);
    }
    for (const key of ['', 'x'.repeat(256)]) isProblem(await claim(home.alice, key, 'D', 's'), 400, 31);
  },
);

law("key: it is the user's own", async ({ world, home }) => {
  await openWindow(world, await provision(world, home.tenantId, 'D'), 's');
  assert.is((await claim(home.alice, 'k', 'D', 's')).status, 200);
  assert.equal(inShort(await claim(home.bob, 'k', 'D', 's')), [400, '"CLAIMED"']);
});

law('key: of many at once one is carried out, and all get the same answer', async ({ world, home }) => {
  await openWindow(world, await provision(world, home.tenantId, 'D'), 's');
  const all = await Promise.all(Array.from({ length: 20 }, () => claim(home.alice, 'k', 'D', 's')));
  assert.equal(new Set(all.map(({ status, text }) => `${status} ${text}`)).size, 1);
  assert.is(all[0]?.status, 200);
});

law(
  'key: a claim whose answer was never kept, because the process ended, is SUCCESS when asked again',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, 'D');
    await openWindow(world, id, 's');
    const cut = claim(home.alice, 'k', 'D', 's');
    // What a crash leaves behind: the note that it began, and the claim, but no answer.
    const answer = await cut;
    assert.is(answer.status, 200);
    assert.is(await forgetAnswers(world.store, home.alice.userId), 1);
    assert.is((await claim(home.alice, 'k', 'D', 's')).status, 200);
    assert.equal(inShort(await claim(home.alice, 'k2', 'D', 's')), [400, '"CLAIMED"']);
  },
);

/** Removes a user's kept answers, as if the process had ended just before it wrote them. */
async function forgetAnswers({ index, records }: Store, userId: string): Promise<number> {
  const members = await index.page(`replays/${userId}`, { offset: 0, limit: 1_000 });
  for (const member of members) {
    const key = `replay:${member.split(' ')[1]}`;
    const kept = JSON.parse(String(await records.get(key)));
    await records.set(key, JSON.stringify({ ...kept, value: { ...kept.value, answer: null } }));
  }
  return members.length;
}

law(
  'key: a hundred of a user are kept, the oldest are forgotten',
  async ({ world, home }) => {
    await provision(world, home.tenantId, 'D');
    for (let n = 0; n < 104; n += 1) {
      world.clock.advance(1000);
      const { status } = await claim(home.alice, `k${n}`, 'D', '');
      assert.is(status, 400);
    }
    assert.ok((await world.store.index.count(`replays/${home.alice.userId}`)) <= 101);
    // The first is forgotten, so another request may have its key. The last is still kept.
    assert.is((await claim(home.alice, 'k0', 'D', 'x')).status, 400);
    isProblem(await claim(home.alice, 'k103', 'D', 'x'), 422, 31);
  },
  { limits: { wrongSecretsPerCustomerAndDevice: { max: 0, windowMs: 60_000 } } },
);

law('key: the kept answers of a user are deleted with the user', async ({ world, home }) => {
  await claim(home.alice, 'k', 'D', '');
  await claim(home.alice, 'l', 'D', '');
  await provision(world, home.tenantId, 'D');
  assert.equal(inShort(await claim(home.alice, 'm', 'D', '')), [400, '"FAILURE"']);
  isDone(await home.admin.delete(`/api/user/${home.alice.userId}`));
  assert.is(await world.store.index.count(`replays/${home.alice.userId}`), 0);
});

// ------------------------------------------------------------------------------------------------ uniform refusals

const uniform = { settings: { uniformRefusals: true } };

law(
  "uniform: unknown, another's, without a window, wrong secret: the very same answer",
  async ({ world, home }) => {
    await provision(world, home.tenantId, "bob's", home.bob.customerId);
    await provision(world, home.tenantId, 'closed');
    await openWindow(world, await provision(world, home.tenantId, 'open'), 's');
    for (const name of ['unknown', "bob's", 'closed', 'open']) {
      const answer = await claim(home.alice, undefined, name, 'guess');
      assert.equal(inShort(answer), [400, '"FAILURE"'], name);
      if (name !== 'open') isProblem(await home.alice.delete(claimPath(name)), 404, 32);
    }
    assert.is((await claim(home.alice, undefined, 'open', 's')).status, 200);
    assert.equal(inShort(await claim(home.alice, undefined, 'open', 's')), [400, '"CLAIMED"']); // one's own
    isDone(await home.alice.delete(claimPath('open')));
  },
  uniform,
);

law(
  'uniform: all refusals count alike, so 429 does not give away why either',
  async ({ world, home }) => {
    await provision(world, home.tenantId, "bob's", home.bob.customerId);
    await openWindow(world, await provision(world, home.tenantId, 'open'), 's');
    for (const name of ['unknown', "bob's", 'open']) {
      const statuses = [];
      for (let n = 0; n < 3; n += 1)
        statuses.push((await claim(home.alice, undefined, name, 'guess')).status);
      assert.equal(statuses, [400, 400, 429], name);
    }
  },
  { ...uniform, limits: { wrongSecretsPerCustomerAndDevice: { max: 2, windowMs: 60_000 } } },
);

const counted = new Set<string>();
law(
  'uniform: a name that is too long for a device is counted under a short key',
  async ({ home }) => {
    assert.equal(inShort(await claim(home.alice, undefined, 'x'.repeat(8_000), 'guess')), [400, '"FAILURE"']);
    assert.is(counted.size, 3);
    for (const key of counted) assert.ok(key.length < 400, String(key.length));
  },
  {
    ...uniform,
    disturb: (needs) => ({
      ...needs,
      counters: () => ({
        get: async () => ({ count: 0, resetsInMs: 1 }),
        async add(key) {
          counted.add(key);
          return { count: 1, resetsInMs: 1 };
        },
      }),
    }),
  },
);

law('not uniform, which is the default: as ThingsBoard tells them apart', async ({ world, home }) => {
  await provision(world, home.tenantId, "bob's", home.bob.customerId);
  isProblem(await claim(home.alice, undefined, 'unknown', ''), 404, 32);
  assert.equal(inShort(await claim(home.alice, undefined, "bob's", '')), [400, '"CLAIMED"']);
});

run();
