/** What a tenant may keep in all: counted where it is sent, told, and refused beyond; claims never are. */
import * as assert from 'uvu/assert';
import { createStoredBytes } from '../../actors/accounts/stored-bytes.ts';
import type { TenantId } from '../../actors/base/ids.ts';
import { type Log, silentLog } from '../../actors/base/log.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { ApiNeeds } from '../../http/app.ts';
import { idOf } from '../kit/given.ts';
import {
  claimPath,
  entity,
  isDone,
  isProblem,
  openWindow,
  provision,
  restLaws,
  settle,
} from '../kit/rest-client.ts';
import { until } from '../kit/until.ts';
import { createWebWorld, visitor } from '../kit/web-client.ts';

const { law, run } = restLaws('stored bytes');

const MAX = 20_000;
const bounded = (log: Log = silentLog, max = MAX) => ({
  disturb: (needs: ApiNeeds) => ({
    ...needs,
    stored: createStoredBytes(createMemoryStore(), max, log, 1_000),
  }),
});

interface Usage {
  readonly devices: number;
  readonly users: number;
  readonly customers: number;
  readonly storedBytes: number;
  readonly maxStoredBytes: number;
}

const lines: string[] = [];
const telling: Log = { ...silentLog, warn: (_fields, message) => lines.push(message) };

law(
  'attack: attributes and entities without end are refused at the bound, and nobody else is',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, 'lamp', null);
    const url = `/api/plugins/telemetry/DEVICE/${id}/attributes/SERVER_SCOPE`;
    let saved = 0;
    while (saved < 100 && (await home.admin.post(url, { note: 'x'.repeat(900) })).status === 200) saved += 1;
    assert.ok(saved > 15 && saved < 23, String(saved));
    assert.match((await home.admin.post(url, { note: 'x' })).text, 'stored as much as it may');
    isProblem(await home.admin.post('/api/customer', { title: 'one more' }), 400, 31);
    isProblem(await home.admin.post('/api/device', { name: 'one more' }), 400, 31);
    assert.ok(lines.some((line) => line.includes('stored as much as it may')));

    isDone(await home.admin.post(url, { claimingAllowed: false }));
    const { json: credentials } = await home.admin.get(`/api/device/${id}/credentials`);
    for (const credentialsId of ['a-token-that-nobody-knows', `token of ${id}`]) {
      const renewed = { ...(credentials as object), credentialsId };
      assert.is((await home.admin.post('/api/device/credentials', renewed)).status, 200);
    }
    isDone(await home.admin.post(url, { claimingAllowed: true }));

    await openWindow(world, id, 's');
    assert.is((await home.alice.post(claimPath('lamp'), { secretKey: 's' })).status, 200, 'claims go on');
    isDone(await home.alice.delete(claimPath('lamp')));
    isDone(await home.admin.delete(`/api/device/${id}`));
    const other = await settle(world, 'other');
    assert.is((await other.admin.post('/api/customer', { title: 'theirs' })).status, 200);
  },
  bounded(telling),
);

law(
  'attack: a customer that sends without end is refused alone; neither its tenant nor another customer is',
  async ({ world, home }) => {
    const { alice, bob, admin, tenantId } = home;
    const lamp = await provision(world, tenantId, 'lamp', alice.customerId);
    const pump = await provision(world, tenantId, 'pump', bob.customerId);
    const save = (who: typeof alice, id: string) =>
      who.post(`/api/plugins/telemetry/DEVICE/${id}/attributes/SERVER_SCOPE`, { note: 'x'.repeat(900) });
    const before = (await admin.get('/api/usage')).json as Usage;
    for (let n = 0; n < 3; n += 1) assert.is((await save(alice, lamp)).status, 200);
    assert.is((await save(alice, lamp)).status, 400);
    assert.is((await save(bob, pump)).status, 200);
    assert.equal((await admin.get('/api/usage')).json, before);
    await openWindow(world, await provision(world, tenantId, 'other'), 's');
    assert.is((await alice.post(claimPath('other'), { secretKey: 's' })).status, 200, 'claims go on');
  },
  bounded(silentLog, 270_000),
);

law(
  'usage: told in numbers with the limits, to the tenant alone, and on its page',
  async ({ world, home }) => {
    const usage = async () => (await home.admin.get('/api/usage')).json as Usage;
    const before = await usage();
    assert.is(before.maxStoredBytes, MAX);
    const customer = entity(await home.admin.post('/api/customer', { title: 'x'.repeat(100) }));
    const after = await usage();
    assert.is(after.customers, before.customers + 1);
    assert.ok(after.storedBytes >= before.storedBytes + 100);
    isDone(await home.admin.delete(`/api/customer/${customer.id.id}`));
    assert.is((await usage()).storedBytes, after.storedBytes, 'the log keeps what was deleted');
    isProblem(await home.alice.get('/api/usage'), 403, 20);
    await provision(world, home.tenantId, 'one');
    assert.is((await usage()).devices, before.devices + 1);
  },
  bounded(),
);

law(
  'a refused request does not count',
  async ({ home }) => {
    const usage = async () => ((await home.admin.get('/api/usage')).json as Usage).storedBytes;
    const before = await usage();
    isProblem(await home.admin.post('/api/customer', { title: '' }), 400, 31);
    assert.is(await usage(), before);
  },
  bounded(),
);

law('the settings page of a tenant says how much there is', async () => {
  const world = createWebWorld(bounded());
  try {
    const home = await settle(world, 'home');
    const admin = visitor(world);
    await admin.signIn(home.adminEmail);
    assert.match((await admin.get('/settings')).text, /Stored, in MB 0 of 1|Stored, in MB 1 of 1/);
  } finally {
    await world.stop();
  }
});

/** What these are sent is not kept, or is a bounded part of something else. */
const KEEP_NOTHING = [
  '/api/device/credentials', // a leaked token must be changed; the quota of changes bounds it
  '/api/auth/changePassword',
  '/api/2fa/account/config',
  '/api/customer/claim/kit',
  '/api/customer/device/:deviceName/claim',
  '/api/customer/device/:deviceName/claim/wait',
  '/api/device/:deviceId/claim/approve',
  '/api/plugins/rpc/oneway/:deviceId', // no call reaches a device
  '/api/plugins/rpc/twoway/:deviceId',
  '/api/rpc/oneway/:deviceId',
  '/api/rpc/twoway/:deviceId',
  '/api/transfer/accept',
  '/api/user/mailNotices', // six switches
  '/api/user/deviceViews', // twenty short ones of a user
  '/api/webhook/:webhookId/recover', // what is sent again is bounded by what was given up
  '/api/webhook/:webhookId/replay', // one range for each webhook
];

law('routes: each that tenants send a body counts it, or is known to keep nothing', async ({ world }) => {
  const sending = world.routes.filter(
    ({ method, body, roles }) => method !== 'GET' && body !== undefined && !roles.includes('PUBLIC'),
  );
  const uncounted = sending.filter(
    ({ stores, roles }) => !stores && roles.some((role) => role !== 'SYS_ADMIN'),
  );
  assert.equal(uncounted.map(({ path }) => path).sort(), [...KEEP_NOTHING].sort());
  assert.ok(sending.length > uncounted.length + 10);
});

law('several processes count together, and a restart forgets less than a lot', async () => {
  const store = createMemoryStore();
  const tenant = idOf<TenantId>(7);
  const [one, two] = [
    createStoredBytes(store, MAX, silentLog),
    createStoredBytes(store, MAX, silentLog, 100),
  ];
  one.add(tenant, 70_000);
  two.add(tenant, 60);
  two.add(tenant, 60);
  two.add(tenant, 60);
  await until('what was written is read by another', async () => {
    return (await createStoredBytes(store, MAX, silentLog).of(tenant)) === 70_120;
  });
  assert.ok(await one.isFull(tenant));
  await one.forget(tenant);
  assert.is(await one.of(tenant), 0);
});

run();
