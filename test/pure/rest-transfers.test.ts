/** Handing a device over, through the API (rules H1 to H5): offered by its owner, accepted from the list or by a code. */
import * as assert from 'uvu/assert';
import type { CustomerId, TransferId } from '../../actors/base/ids.ts';
import { createSecrets } from '../../actors/base/secret.ts';
import { lists } from '../../actors/device/indexes.ts';
import { changingSecrets } from '../kit/changing-secrets.ts';
import {
  type Answer,
  type Caller,
  claimPath,
  entity,
  given,
  HOUR_MS,
  type Household,
  isDone,
  isProblem,
  openWindow,
  PASSWORD,
  pageOf,
  provision,
  type RestWorld,
  restLaws,
  settle,
} from '../kit/rest-client.ts';

const NAME = 'Pump 1';
const UNKNOWN = '00000000-0000-7000-8000-000000000000';
const transferPath = (name = NAME) => `/api/customer/device/${encodeURIComponent(name)}/transfer`;

const { law, run } = restLaws('rest transfers');

interface Offered {
  readonly transferId: string;
  readonly to: { readonly type: string; readonly email?: string | null };
  readonly offeredAt: number;
  readonly expiresAt: number;
  readonly code: string | null;
}

function offered(answer: Answer): Offered {
  assert.is(answer.status, 200, answer.text);
  return answer.json as Offered;
}

const provisionAlices = (world: RestWorld, { tenantId, alice }: Household, name = NAME) =>
  provision(world, tenantId, name, alice.customerId);

const incoming = async (who: Caller) => (await who.get('/api/transfers')).json as Record<string, unknown>[];
const ownerOf = async (world: RestWorld, { tenantId }: Household) =>
  (await world.directory.byName(tenantId, NAME))?.owner ?? null;

law('H2: offered to an address, seen in the list, accepted: one event, and the next epoch', async (scene) => {
  const { world, home } = scene;
  const id = await provisionAlices(world, home);
  const offer = offered(await home.alice.post(transferPath(), { to: home.bob.email }));
  assert.equal([offer.to, offer.code], [{ type: 'email', email: home.bob.email }, null]);
  assert.is(offer.expiresAt - offer.offeredAt, 7 * 24 * HOUR_MS);

  const [seen, ...more] = await incoming(home.bob);
  const { transferId, offeredAt, expiresAt } = offer;
  const about = { deviceName: NAME, deviceType: 'default', offeredBy: 'alice' };
  assert.equal([seen, more], [{ transferId, ...about, offeredAt, expiresAt }, []]);
  assert.equal(await incoming(home.alice), []);

  const accepted = entity(await home.bob.post(`/api/transfer/${transferId}/accept`));
  assert.equal([accepted.customerId.id, accepted.ownerEpoch], [home.bob.customerId, 1]);
  assert.equal(await incoming(home.bob), []);
  isProblem(await home.alice.get(`/api/device/${id}`), 403, 20);
  await world.audit.catchUp();
  const trail = await home.admin.get(`/api/audit/logs/entity/DEVICE/${id}?pageSize=10&page=0`);
  const [last, before] = pageOf(trail).data;
  assert.equal([last?.actionType, before?.actionType], ['ASSIGNED_TO_CUSTOMER', 'TRANSFER_OFFERED']);
  assert.equal(last?.actionData, {
    by: 'transfer',
    assignedCustomerId: home.bob.customerId,
    previousCustomerId: home.alice.customerId,
    ownerEpoch: 1,
    evidence: 'transfer',
  });
  assert.not.match(JSON.stringify(before), home.bob.email);
});

law('H2: who accepted and asks again hears success; nobody else accepts it', async ({ world, home }) => {
  await provisionAlices(world, home);
  const { code } = offered(await home.alice.post(transferPath()));
  assert.ok(code);
  const shown = `  ${code.toLowerCase().replaceAll('-', ' ')} `;
  const answers = [
    await home.bob.post('/api/transfer/accept', { code: shown }),
    await home.bob.post('/api/transfer/accept', { code }),
  ];
  for (const answer of answers) assert.is(entity(answer).customerId.id, home.bob.customerId);
  assert.is(entity(answers[1] as Answer).ownerEpoch, 1);
  isProblem(await home.alice.post('/api/transfer/accept', { code }), 404, 32);
});

law('H2: of many who accept at once exactly one becomes the owner', async ({ world, home }) => {
  await provisionAlices(world, home);
  const { code } = offered(await home.alice.post(transferPath(), {}));
  const rivals = await Promise.all(['r1', 'r2', 'r3'].map((who) => newcomer(world, home, who)));
  const answers = await Promise.all(
    [home.bob, ...rivals].map((who) => who.post('/api/transfer/accept', { code })),
  );
  assert.equal(answers.map(({ status }) => status).sort(), [200, 404, 404, 404]);
  assert.is((await ownerOf(world, home))?.by, 'transfer');
});

law(
  'H1: only the owner offers, one offer at a time, and If-Match names the epoch',
  async ({ world, home }) => {
    await provisionAlices(world, home);
    isProblem(await home.bob.post(transferPath(), {}), 403, 20);
    isProblem(await home.admin.post(transferPath(), {}), 403, 20);
    isProblem(await home.alice.post(transferPath('nobody'), {}), 404, 32);
    const stale = await home.alice.send('POST', transferPath(), { headers: { 'if-match': '"epoch-7"' } });
    isProblem(stale, 412, 35);
    offered(await home.alice.send('POST', transferPath(), { headers: { 'if-match': '"epoch-0"' } }));
    const first = offered(await home.alice.post(transferPath(), { to: home.bob.email }));
    const second = offered(await home.alice.post(transferPath(), {}));
    isProblem(await home.bob.post(`/api/transfer/${first.transferId}/accept`), 404, 32);
    assert.equal(await incoming(home.bob), []);
    entity(await home.bob.post('/api/transfer/accept', { code: second.code }));
  },
);

law('H1: what makes no sense is refused in words', async ({ world, home }) => {
  await provisionAlices(world, home);
  for (const body of [
    { to: 'bob' },
    { to: '@' },
    { expiresInMs: 0 },
    { expiresInMs: 91 * 24 * HOUR_MS },
    { to: 7 },
  ]) {
    isProblem(await home.alice.post(transferPath(), body), 400, 31);
  }
  isProblem(await home.bob.post('/api/transfer/accept', {}), 400, 31);
  isProblem(await home.bob.post('/api/transfer/x/accept'), 400, 31);
});

law('H3: who offers hears the same whether there is such an address or customer', async ({ world, home }) => {
  await provisionAlices(world, home);
  const other = await settle(world, 'other');
  const shapes: unknown[] = [];
  for (const to of [home.bob.email, 'nobody@x.test', other.bob.email, home.bob.customerId, UNKNOWN]) {
    const { transferId, to: party, ...rest } = offered(await home.alice.post(transferPath(), { to }));
    assert.match(transferId, /^[0-9a-f-]{36}$/);
    shapes.push([Object.keys(party), { ...rest }]);
  }
  assert.equal(shapes[1], shapes[0]);
  assert.equal(shapes[2], shapes[0]);
  assert.equal(shapes[4], shapes[3]);
});

law('H3: to everybody whom it is not for, an offer is the same as none', async ({ world, home }) => {
  await provisionAlices(world, home);
  const other = await settle(world, 'other');
  const { transferId } = offered(await home.alice.post(transferPath(), { to: home.bob.customerId }));
  const carol = await newcomer(world, home, 'carol');
  for (const who of [carol, other.bob]) {
    const strange = await who.post(`/api/transfer/${transferId}/accept`);
    const unknown = await who.post(`/api/transfer/${UNKNOWN}/accept`);
    isProblem(strange, 404, 32);
    assert.is(strange.text, unknown.text);
    isProblem(await who.post(`/api/transfer/${transferId}/decline`), 404, 32);
    assert.equal(await incoming(who), []);
  }
  entity(await home.bob.post(`/api/transfer/${transferId}/accept`));
});

law(
  'H3: an address is for who gets it later; one that a user gave itself is worth nothing',
  async (scene) => {
    const { world, home } = scene;
    await provisionAlices(world, home);
    const email = 'later@home.test';
    const { transferId } = offered(await home.alice.post(transferPath(), { to: 'Later@Home.test' }));
    const user = { id: { entityType: 'USER', id: home.bob.userId }, authority: 'CUSTOMER_USER' };
    const change = (to: string) => ({ ...user, email: to, currentPassword: PASSWORD });

    assert.is((await home.bob.post('/api/user', change(email))).status, 200);
    assert.equal(await incoming(home.bob), []);
    isProblem(await home.bob.post(`/api/transfer/${transferId}/accept`), 404, 32);
    assert.is((await home.bob.post('/api/user', { ...change(email), firstName: 'Bob' })).status, 200);
    isProblem(await home.bob.post(`/api/transfer/${transferId}/accept`), 404, 32);

    assert.is((await home.admin.post('/api/user', { ...user, email: home.bob.email })).status, 200);
    const carol = await newcomer(world, home, 'later');
    assert.is((await incoming(carol)).length, 1);
    entity(await carol.post(`/api/transfer/${transferId}/accept`));
  },
);

law(
  'H3: codes are guessed at in vain: counted per customer and per address, noted, and others are not kept out',
  async ({ world, home }) => {
    await provisionAlices(world, home);
    const { code } = offered(await home.alice.post(transferPath(), {}));
    const guesses = Array.from({ length: 20 }, (_, n) =>
      home.bob.post('/api/transfer/accept', { code: `GUESS-${n}` }),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    assert.is(statuses.filter((status) => status === 404).length, 3);
    assert.is(statuses.filter((status) => status === 429).length, 17);
    isProblem(await home.bob.post('/api/transfer/accept', { code }), 429, 33);
    const carol = await newcomer(world, home, 'carol');
    entity(await carol.post('/api/transfer/accept', { code }));
    await world.audit.catchUp();
    const found = pageOf(
      await home.admin.get('/api/audit/logs?pageSize=10&page=0&actionTypes=TRANSFER_REFUSED'),
    );
    assert.ok(found.data.length > 0);
  },
  { limits: { wrongSecretsPerCustomerAndDevice: { max: 3, windowMs: 60_000 } } },
);

law('H3: no code, address or digest is in the trail, and the store has no code or address', async (scene) => {
  const { world, home } = scene;
  const id = await provisionAlices(world, home);
  const { code } = offered(await home.alice.post(transferPath(), {}));
  const byCode = JSON.stringify(await world.store.journal.load(id));
  offered(await home.alice.post(transferPath(), { to: home.bob.email }));
  const toAddress = JSON.stringify(await world.store.journal.load(id));
  const log = JSON.stringify(await world.store.journal.log(0, 0, 1_000));
  for (const text of [byCode, toAddress, log]) {
    assert.not.match(text, code ?? '');
    assert.not.match(text, (code ?? '').replaceAll('-', ''));
    assert.not.match(text, home.bob.email);
  }
});

law('H4: an offer ends at its instant: 410 for whom it was, 404 for others', async ({ world, home }) => {
  await provisionAlices(world, home);
  const { transferId } = offered(
    await home.alice.post(transferPath(), { to: home.bob.email, expiresInMs: HOUR_MS }),
  );
  world.clock.advance(HOUR_MS);
  isProblem(await home.bob.post(`/api/transfer/${transferId}/accept`), 410, 32);
  assert.equal(await incoming(home.bob), []);
  isProblem(await home.alice.get(transferPath()), 404, 32);
  isProblem(await home.alice.post(`/api/transfer/${transferId}/accept`), 404, 32);
});

law(
  'H4: seen and withdrawn by the owner or the tenant, declined by whom it is for',
  async ({ world, home }) => {
    await provisionAlices(world, home);
    const offer = async () => offered(await home.alice.post(transferPath(), { to: home.bob.email }));
    const { code: _, ...shown } = await offer();
    for (const who of [home.alice, home.admin]) {
      assert.equal((await who.get(transferPath())).json, shown);
    }
    isProblem(await home.bob.get(transferPath()), 403, 20);
    isProblem(await home.bob.delete(transferPath()), 403, 20);

    for (const who of [home.alice, home.admin]) {
      const { transferId } = await offer();
      isDone(await who.delete(transferPath()));
      isDone(await who.delete(transferPath())); // asked again
      isProblem(await home.bob.post(`/api/transfer/${transferId}/accept`), 404, 32);
    }
    const { transferId } = await offer();
    isDone(await home.bob.post(`/api/transfer/${transferId}/decline`));
    isProblem(await home.bob.post(`/api/transfer/${transferId}/accept`), 404, 32);
    isProblem(await home.alice.get(transferPath()), 404, 32);
  },
);

law(
  'O9: an offer does not outlive the ownership: given back, bought by another, the invited one gets nothing',
  async (scene) => {
    const { world, home } = scene;
    const id = await provisionAlices(world, home);
    const { code } = offered(await home.alice.post(transferPath(), {}));
    isDone(await home.alice.delete(claimPath(NAME)));
    await openWindow(world, id, 'printed');
    const carol = await newcomer(world, home, 'carol');
    assert.is((await carol.post(claimPath(NAME), { secretKey: 'printed' })).status, 200);
    isProblem(await home.bob.post('/api/transfer/accept', { code }), 404, 32);
    assert.is((await ownerOf(world, home))?.customerId, carol.customerId);
  },
);

law('H5: a forbidden device is neither offered nor accepted', async ({ world, home }) => {
  const id = await provisionAlices(world, home);
  const { code } = offered(await home.alice.post(transferPath(), {}));
  const attributes = `/api/plugins/telemetry/${id}/SERVER_SCOPE`;
  isDone(await home.admin.post(attributes, { claimingAllowed: false }));
  isProblem(await home.alice.post(transferPath(), {}), 403, 20);
  isProblem(await home.bob.post('/api/transfer/accept', { code }), 403, 20);
  isDone(await home.admin.delete(`${attributes}?keys=claimingAllowed`));
  entity(await home.bob.post('/api/transfer/accept', { code }));
});

law('H5: a profile that says never', async ({ world, home }) => {
  await provisionAlices(world, home);
  const offer = offered(await home.alice.post(transferPath(), { to: home.bob.email }));
  const [profile] = pageOf(await home.admin.get('/api/deviceProfiles?page=0&pageSize=1')).data;
  const changed = await home.admin.post('/api/deviceProfile', {
    ...profile,
    claiming: { transfer: 'never' },
  });
  assert.is(changed.status, 200, changed.text);
  isProblem(await home.alice.post(transferPath(), {}), 403, 20);
  isProblem(await home.bob.post(`/api/transfer/${offer.transferId}/accept`), 403, 20);
});

law('H2: the own offer is not accepted by the owner itself', async ({ world, home }) => {
  await provisionAlices(world, home);
  const { code } = offered(await home.alice.post(transferPath(), {}));
  isProblem(await home.alice.post('/api/transfer/accept', { code }), 400, 31, 'The device is yours already!');
});

law(
  'H3: where refusals are uniform, the device of another is unknown here too',
  async ({ world, home }) => {
    await provisionAlices(world, home);
    for (const answer of [
      await home.bob.post(transferPath(), {}),
      await home.bob.get(transferPath()),
      await home.bob.delete(transferPath()),
    ]) {
      isProblem(answer, 404, 32);
    }
  },
  { settings: { uniformRefusals: true } },
);

law(
  'H4: a deleted device leaves no offer behind, a deleted customer accepts none',
  async ({ world, home }) => {
    const id = await provisionAlices(world, home);
    const { transferId } = offered(await home.alice.post(transferPath(), { to: home.bob.customerId }));
    assert.is(await world.store.index.count(lists.offeredTo(home.bob.customerId)), 1);
    isDone(await home.admin.delete(`/api/device/${id}`));
    assert.is(await world.store.index.count(lists.offeredTo(home.bob.customerId)), 0);
    assert.is(await world.directory.ofTransfer(transferId as TransferId), undefined);
  },
);

/** Of a server whose key is being changed. */
const changing = changingSecrets(createSecrets(Buffer.alloc(32, 1)));

law(
  'C9: offers outlast a change of the server’s key',
  async ({ world, home }) => {
    for (const name of ['by code', 'to address', 'declined']) await provisionAlices(world, home, name);
    const { code } = offered(await home.alice.post(transferPath('by code'), {}));
    await home.alice.post(transferPath('to address'), { to: home.bob.email });
    await home.alice.post(transferPath('declined'), { to: home.bob.email });
    changing.present = createSecrets(Buffer.alloc(32, 9), Buffer.alloc(32, 1));
    assert.is(offered(await home.alice.get(transferPath('declined'))).to.email, home.bob.email);
    entity(await home.bob.post('/api/transfer/accept', { code }));
    const [declined, accepted] = await incoming(home.bob);
    assert.equal([declined?.deviceName, accepted?.deviceName], ['declined', 'to address']);
    entity(await home.bob.post(`/api/transfer/${accepted?.transferId}/accept`));
    isDone(await home.bob.post(`/api/transfer/${declined?.transferId}/decline`));
  },
  { disturb: (needs) => ({ ...needs, secrets: changing.secrets }) },
);

law(
  'C9: an offer whose address was sealed under a key that is gone is shown without it, and withdrawn',
  async ({ world, home }) => {
    changing.present = createSecrets(Buffer.alloc(32, 1));
    await provisionAlices(world, home);
    offered(await home.alice.post(transferPath(), { to: home.bob.email }));
    changing.present = createSecrets(Buffer.alloc(32, 9));
    assert.equal(offered(await home.alice.get(transferPath())).to, { type: 'email', email: null });
    isDone(await home.alice.delete(transferPath()));
  },
  { disturb: (needs) => ({ ...needs, secrets: changing.secrets }) },
);

law('H2: offers from another tenant hide none', async ({ world, home }) => {
  const other = await settle(world, 'other');
  for (let n = 0; n < 101; n += 1) {
    const name = `A ${n}`; // before the real one
    await provisionAlices(world, other, name);
    offered(await other.alice.post(transferPath(name), { to: home.bob.customerId }));
  }
  await provisionAlices(world, home);
  offered(await home.alice.post(transferPath(), { to: home.bob.customerId }));
  assert.equal(
    (await incoming(home.bob)).map(({ deviceName }) => deviceName),
    [NAME],
  );
});

law('H2: who offers a lot hides nothing that somebody else offers', async ({ world, home }) => {
  for (let n = 0; n < 120; n += 1) {
    await provisionAlices(world, home, `A ${n}`); // before the real one
    offered(await home.alice.post(transferPath(`A ${n}`), { to: home.bob.customerId }));
  }
  const carol = await newcomer(world, home, 'carol');
  await provision(world, home.tenantId, 'Z real', carol.customerId);
  offered(await carol.post(transferPath('Z real'), { to: home.bob.customerId }));
  const names = (await incoming(home.bob)).map(({ deviceName }) => deviceName);
  assert.ok(names.includes('Z real'), names.join());
  assert.is(names.length, 100, 'and of who offers a lot as many are told as before');
});

law(
  'H3: an offer to nobody, or to a customer of another tenant, stands in no list',
  async ({ world, home }) => {
    const other = await settle(world, 'other');
    await provisionAlices(world, other, 'junk');
    const open = offered(await other.alice.post(transferPath('junk'), { to: home.bob.customerId }));
    assert.equal(open.to, {
      type: 'customer',
      customerId: { entityType: 'CUSTOMER', id: home.bob.customerId },
    });
    assert.is(await world.store.index.count(`offered-devices/${home.bob.customerId}`), 0);
    assert.is((await home.bob.post(`/api/transfer/${open.transferId}/accept`)).status, 404);
    await provisionAlices(world, home);
    offered(await home.alice.post(transferPath(), { to: home.bob.customerId }));
    assert.is(await world.store.index.count(`offered-devices/${home.bob.customerId}`), 1);
    isDone(await home.alice.delete(transferPath()));
    assert.is(await world.store.index.count(`offered-devices/${home.bob.customerId}`), 0);
  },
);

law(
  'H1: a customer makes so many offers a minute, and no other one waits for it',
  async ({ world, home }) => {
    await provisionAlices(world, home);
    await provision(world, home.tenantId, 'of bob', home.bob.customerId);
    for (let n = 0; n < 3; n += 1) offered(await home.alice.post(transferPath(), {}));
    const blocked = await home.alice.post(transferPath(), {});
    isProblem(blocked, 429, 33);
    assert.ok(Number(blocked.headers.get('retry-after')) > 0);
    isDone(await home.alice.delete(transferPath()));
    offered(await home.bob.post(transferPath('of bob'), {}));
  },
  { limits: { offersPerCustomer: { max: 3, windowMs: 60_000 } } },
);

law('H3: who comes in without a password reads no address from an offer', async ({ world, home }) => {
  const shown = await provision(world, home.tenantId, 'shown');
  const { customerId } = entity(await home.admin.post(`/api/customer/public/device/${shown}`));
  const command = { type: 'OfferDevice', tenantId: home.tenantId, userId: home.alice.userId } as const;
  const to = { type: 'address', addressDigest: 'digest', sealedAddress: 'sealed' } as const;
  const transferId = UNKNOWN as TransferId;
  const owner = customerId.id as CustomerId;
  const made = await world.devices.ask(shown, {
    ...command,
    customerId: owner,
    transferId,
    to,
    durationMs: HOUR_MS,
  });
  assert.is(made.type, 'accepted', JSON.stringify(made));
  const login = await world.nobody.post('/api/auth/login/public', { publicId: customerId.id });
  const anybody = world.as((login.json as { token: string }).token);
  isProblem(await anybody.get(transferPath('shown')), 403, 20);
  assert.is((await home.admin.get(transferPath('shown'))).status, 200);
});

/** One more customer of the household, with a user of this name. */
async function newcomer(world: RestWorld, home: Household, name: string) {
  const { accounts } = world;
  const { tenantId } = home;
  const contact = (await accounts.customers.find(tenantId, home.alice.customerId))?.contact;
  assert.ok(contact);
  const customer = given(
    await accounts.customers.create(tenantId, { title: name, contact, additionalInfo: null }),
  );
  const email = `${name}@home.test`;
  const fields = { email, firstName: null, lastName: null, phone: null, additionalInfo: null };
  const membership = { authority: 'CUSTOMER_USER', tenantId, customerId: customer.id } as const;
  given(await accounts.users.create(membership, fields, PASSWORD));
  return { ...world.as((await world.login(email)).token), customerId: customer.id };
}

run();
