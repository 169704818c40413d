/** Kits over REST (rules K1 to K6): a code on a box that claims all devices of an order. Most of these are attacks. */
import * as assert from 'uvu/assert';
import { type DeviceId, type KitId, newId, type UserId } from '../../actors/base/ids.ts';
import { createSecrets } from '../../actors/base/secret.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import { KIT_DEVICES_MAX } from '../../actors/kits/model.ts';
import { type Store, StoreUnavailable } from '../../actors/store/store.ts';
import {
  type Answer,
  claimPath,
  HOUR_MS,
  isDone,
  isProblem,
  openWindow,
  provision,
  type Resident,
  restLaws,
  ruledBy,
  type Scene,
  settle,
  steer,
} from '../kit/rest-client.ts';
import { until } from '../kit/until.ts';

const { law, run } = restLaws('rest kits');

const CLAIM = '/api/customer/claim/kit';

interface Kit {
  readonly id: string;
  readonly label: string;
  readonly state: string;
  readonly code: string;
  readonly total: number;
  readonly claimed: number;
  readonly refused: number;
  readonly devices: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly reason: string | null;
  }[];
}

function kitOf(answer: Answer): Kit {
  assert.is(answer.status, 200, answer.text);
  return answer.json as Kit; // the shape is checked by the definition
}

const NAMES = ['Lamp', 'Plug', 'Sensor'];

async function packed(
  { world, home }: Scene,
  names: readonly string[] = NAMES,
  more: object = {},
): Promise<Kit> {
  for (const name of names) await provision(world, home.tenantId, name);
  return kitOf(await home.admin.post('/api/kit', { label: 'Order 7', devices: names, ...more }));
}

const show = (customer: Resident, code: string) => customer.post(CLAIM, { code });

/** Waits until every device has an outcome. */
async function through(customer: Resident, id: string): Promise<Kit> {
  await until(
    'the kit is through',
    async () => kitOf(await customer.get(`${CLAIM}/${id}`)).state === 'CLAIMED',
  );
  return kitOf(await customer.get(`${CLAIM}/${id}`));
}

async function claimed(customer: Resident, { id, code }: Pick<Kit, 'id' | 'code'>): Promise<Kit> {
  kitOf(await show(customer, code));
  return through(customer, id);
}

function isRefused(answer: Answer, reason: string): void {
  assert.is(answer.status, reason === 'kit-unknown' ? 404 : 400, answer.text);
  assert.is((answer.json as { reason?: string }).reason, reason);
}

async function ownersOf({ world, home }: Scene, names: readonly string[] = NAMES) {
  const devices = await Promise.all(names.map((name) => world.directory.byName(home.tenantId, name)));
  return devices.map((device) => device?.owner?.customerId ?? null);
}

law('K3: the code on a box claims all its devices, and tells what became of each', async (scene) => {
  const { home } = scene;
  const kit = await packed(scene);
  assert.equal([kit.state, kit.total, kit.label], ['OPEN', 3, 'Order 7']);
  assert.match(kit.code, /^[A-Z2-9]{4}(-[A-Z2-9]{4}){3}$/);
  const mine = await claimed(home.alice, kit);
  assert.equal([mine.total, mine.claimed, mine.refused], [3, 3, 0]);
  assert.equal(await ownersOf(scene), [home.alice.customerId, home.alice.customerId, home.alice.customerId]);
  const tenants = kitOf(await home.admin.get(`/api/kit/${kit.id}`));
  assert.equal([tenants.state, tenants.claimed], ['CLAIMED', 3]);
});

law(
  'K3: people type the code as they read it: in any case, with spaces, or without dashes',
  async (scene) => {
    const kit = await packed(scene);
    await claimed(scene.home.alice, { ...kit, code: ` ${kit.code.toLowerCase().replaceAll('-', ' ')}` });
  },
);

law('K3: devices that are owned already are left out and named, and the others go on', async (scene) => {
  const { world, home } = scene;
  const kit = await packed(scene);
  const plug = await world.directory.idOf(home.tenantId, 'Plug');
  isAnswered(await home.admin.post(`/api/customer/${home.bob.customerId}/device/${plug}`));
  const mine = await claimed(home.alice, kit);
  assert.equal([mine.claimed, mine.refused], [2, 1]);
  const left = mine.devices.filter(({ outcome }) => outcome === 'REFUSED');
  assert.equal(
    left.map(({ name, reason }) => [name, reason]),
    [['Plug', 'already-claimed']],
  );
  assert.equal(await ownersOf(scene), [home.alice.customerId, home.bob.customerId, home.alice.customerId]);
});

function isAnswered(answer: Answer): void {
  assert.is(answer.status, 200, answer.text);
}

law('K3: a device with a window and a server key is claimed all the same, and both end', async (scene) => {
  const { world, home } = scene;
  const kit = await packed(scene);
  const id = await world.directory.idOf(home.tenantId, 'Lamp');
  assert.ok(id);
  await openWindow(world, id, 'window');
  const expirationTime = world.clock.now() + HOUR_MS;
  await steer(home.admin, id, { claimingData: { secretKey: 'printed', expirationTime } });
  await claimed(home.alice, kit);
  const device = await world.devices.read(id);
  assert.equal([device?.window, device?.serverKey], [null, null]);
  isDone(await home.alice.delete(claimPath('Lamp')));
  for (const secretKey of ['window', 'printed']) {
    assert.is((await home.bob.post(claimPath('Lamp'), { secretKey })).text, '"FAILURE"');
  }
});

law('K3: forbid means forbid, for kits too', async (scene) => {
  const { world, home } = scene;
  const kit = await packed(scene);
  const id = await world.directory.idOf(home.tenantId, 'Lamp');
  assert.ok(id);
  await steer(home.admin, id, { claimingAllowed: false });
  const mine = await claimed(home.alice, kit);
  assert.equal(mine.devices[0]?.reason, 'claiming-not-allowed');
  assert.is((await ownersOf(scene))[0], null);
});

law(
  'K3: where a device is claimed by proof only, no code stands for it',
  async (scene) => {
    const mine = await claimed(scene.home.alice, await packed(scene));
    assert.equal([mine.claimed, mine.refused, mine.devices[0]?.reason], [0, 3, 'proof-required']);
  },
  ruledBy({ claimProof: 'required' }),
);

law('O9: a kit claims no device that has had another owner since it was made', async (scene) => {
  const { world, home } = scene;
  const kit = await packed(scene);
  const id = await world.directory.idOf(home.tenantId, 'Lamp');
  assert.ok(id);
  // The lamp is sold singly, and given back: whoever kept the box must not get what the next owner bought.
  await openWindow(world, id, 'on the lamp');
  isAnswered(await home.bob.post(claimPath('Lamp'), { secretKey: 'on the lamp' }));
  isDone(await home.bob.delete(claimPath('Lamp')));
  const mine = await claimed(home.alice, kit);
  assert.equal(mine.devices[0]?.reason, 'epoch-changed');
  assert.is((await ownersOf(scene))[0], null);
});

law('K2: a kit is claimed once: of customers who show its code at once exactly one has it', async (scene) => {
  const { home } = scene;
  const kit = await packed(scene);
  const answers = await Promise.all([home.alice, home.bob].map((customer) => show(customer, kit.code)));
  const won = answers.findIndex(({ status }) => status === 200);
  isRefused(answers[1 - won] as Answer, 'kit-claimed');
  const [winner, loser] = won === 0 ? [home.alice, home.bob] : [home.bob, home.alice];
  await through(winner, kit.id);
  assert.equal(new Set(await ownersOf(scene)), new Set([winner.customerId]));
  assert.is((await loser.get(`${CLAIM}/${kit.id}`)).status, 404, 'nor does the other one see what is in it');
  isDone(await winner.delete(claimPath('Lamp')));
  isRefused(await show(loser, kit.code), 'kit-claimed');
});

law(
  'K2: shown again by the same customer, the answer is the same, and nothing is claimed again',
  async (scene) => {
    const { home } = scene;
    const kit = await packed(scene);
    await claimed(home.alice, kit);
    isDone(await home.alice.delete(claimPath('Lamp')));
    const again = kitOf(await show(home.alice, kit.code));
    assert.equal([again.id, again.state], [kit.id, 'CLAIMED']);
    assert.is((await ownersOf(scene))[0], null);
  },
);

law(
  'K4: guessing codes is in vain: after ten wrong ones the customer waits, and others do not',
  async (scene) => {
    const { world, home } = scene;
    const kit = await packed(scene);
    for (let n = 0; n < 10; n += 1) {
      isRefused(await show(home.alice, `AAAA-BBBB-CCCC-${String(n).padStart(4, 'D')}`), 'kit-unknown');
    }
    const blocked = await show(home.alice, kit.code);
    assert.is(blocked.status, 429, 'also with the right one: else a guess would be told from it');
    assert.is((blocked.json as { reason?: string }).reason, 'too-many-wrong-codes');
    // Its counters are its own: neither do wrong secrets stop a kit, nor wrong codes a claim.
    const single = await provision(world, home.tenantId, 'Single');
    await openWindow(world, single, 'single');
    isAnswered(await home.alice.post(claimPath('Single'), { secretKey: 'single' }));
    await claimed(home.bob, kit);
  },
);

law('K4: a code is looked up in the tenant of who shows it, and read by that tenant alone', async (scene) => {
  const { world, home } = scene;
  const kit = await packed(scene);
  const elsewhere = await settle(world, 'elsewhere');
  isRefused(await show(elsewhere.alice, kit.code), 'kit-unknown');
  for (const path of [`/api/kit/${kit.id}`]) {
    isProblem(await elsewhere.admin.get(path), 404, 32);
    assert.is((await home.alice.get(path)).status, 403);
  }
  isRefused(await elsewhere.admin.delete(`/api/kit/${kit.id}`), 'kit-unknown');
  // At rest the code is a digest, and sealed.
  const stored = await world.store.entities.load(`kit/${kit.id}`);
  assert.not.match(String(stored.text), kit.code);
  assert.not.match(String(stored.text), kit.code.replaceAll('-', ''));
});

law('K5: a revoked code opens nothing more, nor one that has expired', async (scene) => {
  const { world, home } = scene;
  const kit = await packed(scene);
  assert.is(kitOf(await home.admin.delete(`/api/kit/${kit.id}`)).state, 'REVOKED');
  isRefused(await show(home.alice, kit.code), 'kit-revoked');
  isRefused(await home.admin.delete(`/api/kit/${kit.id}`), 'kit-revoked');

  const expirationTime = world.clock.now() + HOUR_MS;
  const short = kitOf(await home.admin.post('/api/kit', { devices: NAMES, expirationTime }));
  world.clock.advance(HOUR_MS);
  const later = world.as((await world.login(home.alice.email)).token);
  isRefused(await later.post(CLAIM, { code: short.code }), 'kit-expired');
  assert.equal(await ownersOf(scene), [null, null, null]);
});

law('K6: a kit is split in two, each with a code of its own', async (scene) => {
  const { home } = scene;
  const kit = await packed(scene);
  const part = kitOf(
    await home.admin.post(`/api/kit/${kit.id}/split`, { label: 'Garden', devices: ['Lamp'] }),
  );
  assert.not.equal(part.code, kit.code);
  assert.equal([part.label, part.total], ['Garden', 1]);
  await claimed(home.alice, part);
  await claimed(home.bob, kit);
  assert.equal(await ownersOf(scene), [home.alice.customerId, home.bob.customerId, home.bob.customerId]);
  isRefused(await home.admin.post(`/api/kit/${kit.id}/split`, { devices: ['Plug'] }), 'kit-claimed');
});

law('K6: neither part of a split is empty, and a kit holds no more than it can', async (scene) => {
  const { home } = scene;
  const kit = await packed(scene);
  isRefused(await home.admin.post(`/api/kit/${kit.id}/split`, { devices: NAMES }), 'kit-empty');
  assert.is((await home.admin.post('/api/kit', { devices: [] })).status, 400);
  assert.is((await home.admin.post('/api/kit', { devices: ['nowhere'] })).status, 400);
  const many = Array.from({ length: KIT_DEVICES_MAX + 1 }, () => ({
    id: '' as DeviceId,
    name: 'Lamp',
    epoch: 0,
  }));
  const user = newId<UserId>(1);
  const fields = { label: '', expiresAt: Number.MAX_SAFE_INTEGER };
  const answer = await scene.world.kits.create(home.tenantId, user, fields, many);
  assert.equal(answer, { type: 'refused', reason: 'kit-too-large' });
});

law(
  'K6: a split that names a device that is not in the kit says which, and takes nothing out',
  async (scene) => {
    const { home } = scene;
    const kit = await packed(scene);
    const answer = await home.admin.post(`/api/kit/${kit.id}/split`, { devices: ['Lamp', 'Lmap'] });
    assert.is(answer.status, 400);
    assert.match(answer.text, "The kit has no device called 'Lmap'!");
    assert.is(kitOf(await home.admin.get(`/api/kit/${kit.id}`)).total, NAMES.length);
  },
);

law('K1: a tenant has so many kits', async (scene) => {
  const { world, home } = scene;
  await packed(scene);
  const kits = world.kitsElsewhere({ kitsMax: 1 });
  const lamp = { id: newId<DeviceId>(1), name: 'Lamp', epoch: 0 };
  const fields = { label: '', expiresAt: Number.MAX_SAFE_INTEGER };
  const answer = await kits.create(home.tenantId, newId<UserId>(1), fields, [lamp]);
  assert.equal(answer, { type: 'refused', reason: 'too-many-kits' });
});

law('K1: neither does an import make more, nor a split', async (scene) => {
  const { world, home } = scene;
  const kit = await packed(scene);
  const kits = world.kitsElsewhere({ kitsMax: 1 });
  const user = newId<UserId>(1);
  const lamp = { id: newId<DeviceId>(1), name: 'Lamp', epoch: 0 };
  const fields = { id: newId<KitId>(1), label: '', expiresAt: Number.MAX_SAFE_INTEGER };
  const full = { type: 'refused', reason: 'too-many-kits' };
  assert.equal(await kits.fill(home.tenantId, user, fields, [lamp]), full);
  const one = new Set((await kits.find(home.tenantId, kit.id))?.devices.slice(0, 1).map(({ id }) => id));
  assert.equal(await kits.split(home.tenantId, user, kit.id, one, ''), full);
  const again = await kits.fill(home.tenantId, user, { ...fields, id: kit.id as KitId }, [lamp]);
  assert.is(again.type, 'done', 'a kit that is there is filled');
});

law('K1: a page of kits is small: at most fifty, without their devices', async (scene) => {
  const { home } = scene;
  const kit = await packed(scene);
  const answer = await home.admin.get('/api/kits?pageSize=50&page=0&sortOrder=DESC');
  assert.is(answer.status, 200, answer.text);
  const { devices: _, ...listed } = kit;
  assert.equal((answer.json as { data: unknown[] }).data, [listed]);
  isProblem(await home.admin.get('/api/kits?pageSize=51&page=0'), 400, 31);
  // Nothing reads the whole list, whatever is asked.
  const lists: number[] = [];
  const { index } = scene.world.store;
  const page = index.page;
  Object.assign(index, {
    page: (...[list, query]: Parameters<typeof page>) => {
      if (list.startsWith('kits/')) lists.push(query.limit);
      return page(list, query);
    },
  });
  try {
    await home.admin.get('/api/kits?pageSize=1&page=0&textSearch=&sortProperty=createdTime');
  } finally {
    Object.assign(index, { page });
  }
  assert.equal(lists, [1]);
});

law(
  'K1: a list of kits that is to be searched or sorted otherwise is refused, not told unsearched',
  async (scene) => {
    const { home } = scene;
    await packed(scene);
    isProblem(await home.admin.get('/api/kits?textSearch=order'), 400, 31, 'Kits cannot be searched!');
    isProblem(await home.admin.get('/api/kits?sortProperty=label'), 400, 31, 'Unsupported sort property!');
  },
);

law(
  'K1: a kit that is over can be deleted, and no other; its code is then one that never was',
  async (scene) => {
    const { world, home } = scene;
    const kit = await packed(scene);
    const record = `/api/kit/${kit.id}/record`;
    const notOver = await home.admin.delete(record);
    isProblem(notOver, 400, 31);
    assert.is((notOver.json as { reason: string }).reason, 'kit-not-over');
    assert.is((await home.admin.delete(`/api/kit/${kit.id}`)).status, 200);
    isDone(await home.admin.delete(record));
    isProblem(await home.admin.get(`/api/kit/${kit.id}`), 404, 32);
    isProblem(await home.admin.delete(record), 404, 32);
    isProblem(await home.alice.post(CLAIM, { code: kit.code }), 404, 32);
    assert.is(await world.store.index.count(`kits/${home.tenantId}`), 0);
  },
);

law(
  'K1: a kit that is claimed can be deleted once all its devices have their outcome, and they stay claimed',
  async (scene) => {
    const { world, home } = scene;
    const kit = await packed(scene);
    assert.is((await home.alice.post(CLAIM, { code: kit.code })).status, 200);
    await until('it is carried out', async () => {
      const { state } = (await home.admin.get(`/api/kit/${kit.id}`)).json as { state: string };
      return state === 'CLAIMED';
    });
    isDone(await home.admin.delete(`/api/kit/${kit.id}/record`));
    const { items } = await world.directory.ofCustomer(home.tenantId, home.alice.customerId, {
      page: 0,
      pageSize: 10,
    });
    assert.is(items.length, kit.devices.length);
  },
);

law(
  'K1: where there are as many as there may be, the oldest that are over make room, and open ones do not',
  async (scene) => {
    const { world, home } = scene;
    const { clock } = world;
    const kits = world.kitsElsewhere({ kitsMax: 2 });
    const lamp = { id: newId<DeviceId>(1), name: 'Lamp', epoch: 0 };
    const make = (expiresAt: number) => {
      clock.advance(1);
      return kits.create(home.tenantId, newId<UserId>(1), { label: '', expiresAt }, [lamp]);
    };
    const FOR_EVER = Number.MAX_SAFE_INTEGER;
    const [open, expired] = [await make(FOR_EVER), await make(clock.now() + 1_000)];
    const full = { type: 'refused', reason: 'too-many-kits' };
    assert.equal(await make(FOR_EVER), full);
    clock.advance(30 * 86_400_000);
    assert.equal(await make(FOR_EVER), full, 'over for 30 days only in a second');
    clock.advance(1_000);
    assert.is((await make(FOR_EVER)).type, 'done');
    assert.ok(open.type === 'done' && expired.type === 'done');
    assert.is((await kits.find(home.tenantId, open.kit.id))?.state, 'open');
    assert.is(await kits.find(home.tenantId, expired.kit.id), undefined);
    assert.equal(await make(FOR_EVER), full);
  },
);

law('K2: shown again, a kit that was broken off goes on', async (scene) => {
  const { world, home } = scene;
  const names = Array.from({ length: 200 }, (_, at) => `Device ${at}`);
  const kit = await packed(scene, names);
  await world.kits.stop(); // the process that answers first ends before it has claimed any
  kitOf(await show(home.alice, kit.code));
  const next = world.kitsElsewhere();
  try {
    const { tenantId, alice } = home;
    await next.claim({ tenantId, customerId: alice.customerId, userId: newId<UserId>(1) }, kit.code);
    assert.is((await through(alice, kit.id)).claimed, 200);
  } finally {
    await next.stop();
  }
});

law('K3: a kit whose process is gone for good goes on in another one, without a start', async (scene) => {
  const { world, home } = scene;
  const kit = await packed(scene);
  const next = world.kitsElsewhere();
  try {
    await world.kits.stop(); // the process that answers ends before it has claimed any
    kitOf(await show(home.alice, kit.code));
    await next.takeOver();
    assert.is((await through(home.alice, kit.id)).claimed, kit.devices.length);
  } finally {
    await next.stop();
  }
});

law('K3: a device that gives no answer holds up neither the others nor another kit', async (scene) => {
  const { world, home } = scene;
  const kit = await packed(scene);
  const other = await packed(scene, ['Valve']);
  const plug = await world.directory.idOf(home.tenantId, 'Plug');
  const { clock } = world;
  let answers = false;
  const devices: Devices = {
    ...world.devices,
    ask: async (id, command) =>
      id === plug && !answers ? { type: 'unavailable', reason: 'timeout' } : world.devices.ask(id, command),
  };
  const kits = world.kitsElsewhere({ devices });
  const { tenantId, alice } = home;
  const who = { tenantId, customerId: alice.customerId, userId: newId<UserId>(1) };
  const passing = (what: string, isSo: () => Promise<boolean>) =>
    until(what, async () => {
      clock.advance(500);
      return isSo();
    });
  const stateOf = async (id: string) => (await kits.find(tenantId, id))?.state;
  try {
    for (const { code } of [kit, other]) await kits.claim(who, code);
    await passing('the other kit is through', async () => (await stateOf(other.id)) === 'claimed');
    assert.equal(await ownersOf(scene), [alice.customerId, null, alice.customerId]);
    assert.is(await stateOf(kit.id), 'claiming');
    answers = true;
    await passing('the kit is through', async () => (await stateOf(kit.id)) === 'claimed');
    assert.equal(new Set(await ownersOf(scene)), new Set([alice.customerId]));
  } finally {
    const stopped = kits.stop();
    clock.advance(500);
    await stopped;
  }
});

law('K6: split twice at once, and one broken off: no device is lost', async (scene) => {
  const { world, home } = scene;
  const kit = await packed(scene);
  const ids = (await world.kits.find(home.tenantId, kit.id))?.devices.map(({ id }) => id) ?? [];
  let broken = false;
  // The process of the first split ends after it has taken its devices out.
  const entities: Store['entities'] = {
    load: (name) => world.store.entities.load(name),
    commit: async (commit) => {
      if (commit.name.startsWith('kit/') && commit.expected === 0 && !broken) {
        broken = true;
        throw new StoreUnavailable('test', 'the process ends');
      }
      return world.store.entities.commit(commit);
    },
  };
  const store: Store = { ...world.store, entities };
  const kits = world.kitsElsewhere({ store });
  const user = newId<UserId>(1);
  await Promise.allSettled(
    ids.slice(0, 2).map((id) => kits.split(home.tenantId, user, kit.id, new Set([id]), 'part')),
  );
  assert.ok(broken);
  await kits.resume();
  const { items } = await kits.list(home.tenantId, { page: 0, pageSize: 10 });
  const kept = items.flatMap((one) => one.devices.map(({ id }) => id));
  assert.equal(kept.sort(), [...ids].sort());
});

law(
  'C9: a kit whose code was sealed under a key that is gone is listed, read and revoked, without its code',
  async (scene) => {
    const { world, home } = scene;
    const kit = await packed(scene);
    const { clock } = world;
    const secrets = createSecrets(Buffer.alloc(32, 77));
    const other = world.kitsElsewhere({ secrets });
    const fields = { label: 'Gone', expiresAt: clock.now() + HOUR_MS };
    const lamp = { id: newId<DeviceId>(1), name: 'Lamp', epoch: 0 };
    const made = await other.create(home.tenantId, newId<UserId>(1), fields, [lamp]);
    assert.is(made.type, 'done');
    const page = (await home.admin.get('/api/kits?pageSize=10&page=0')).json as { data: Kit[] };
    assert.equal(page.data.map(({ label, code }) => [label, code]).sort(), [
      ['Gone', null],
      ['Order 7', kit.code],
    ]);
    const path = `/api/kit/${page.data.find(({ label }) => label === 'Gone')?.id}`;
    assert.is(kitOf(await home.admin.get(path)).code, null);
    assert.equal(
      await home.admin
        .delete(path)
        .then(kitOf)
        .then(({ state, code }) => [state, code]),
      ['REVOKED', null],
    );
  },
);

law('K3: broken off by the end of a process, a kit is finished after the next start', async (scene) => {
  const { world, home } = scene;
  const names = Array.from({ length: 200 }, (_, at) => `Device ${at}`);
  const kit = await packed(scene, names);
  kitOf(await show(home.alice, kit.code));
  await world.kits.stop();
  const next = world.kitsElsewhere();
  try {
    await next.resume();
    const mine = await through(home.alice, kit.id);
    assert.equal([mine.claimed, mine.refused], [200, 0]);
  } finally {
    await next.stop();
  }
});

law('K1: an import makes kits by a column, and its result has their codes', async ({ world, home }) => {
  const rows = ['A', 'B', 'C', 'D'].map((name, at) => ({ name, kit: at < 3 ? `Order ${at % 2}` : '' }));
  const { id } = (await home.admin.post('/api/deviceImport', {})).json as { id: string };
  isAnswered(await home.admin.post(`/api/deviceImport/${id}/rows`, { from: 0, rows }));
  isAnswered(await home.admin.post(`/api/deviceImport/${id}/start?dryRun=false`));
  const state = async () =>
    ((await home.admin.get(`/api/deviceImport/${id}`)).json as { state: string }).state;
  await until('the import is through', async () => (await state()) === 'DONE');
  const lines = (await home.admin.get(`/api/deviceImport/${id}/result`)).text.trim().split('\r\n');
  const codes = lines.slice(1).map((line) => line.split(',').at(-1));
  assert.is(codes[0], codes[2]);
  assert.not.equal(codes[0], codes[1]);
  assert.is(codes[3], '');
  kitOf(await show(home.alice, String(codes[0])));
  await until('both are hers', async () => {
    const devices = await Promise.all(['A', 'C'].map((name) => world.directory.byName(home.tenantId, name)));
    return devices.every((device) => device?.owner?.customerId === home.alice.customerId);
  });
  const page = (await home.admin.get('/api/kits?pageSize=10&page=0')).json as { data: Kit[] };
  assert.equal(page.data.map(({ label }) => label).sort(), ['Order 0', 'Order 1']);
});

law('K3: a customer that is deleted meanwhile owns nothing of it', async (scene) => {
  const { world, home } = scene;
  const names = Array.from({ length: 100 }, (_, at) => `Device ${at}`);
  const kit = await packed(scene, names);
  kitOf(await show(home.alice, kit.code));
  isDone(await home.admin.delete(`/api/customer/${home.alice.customerId}`));
  const state = async () => kitOf(await home.admin.get(`/api/kit/${kit.id}`)).state;
  await until('the kit is through', async () => (await state()) === 'CLAIMED');
  assert.equal(new Set(await ownersOf(scene, names)), new Set([null]));
  assert.ok(world);
});

run();
