/** Routes beside claiming that ThingsBoard's own user interface and its client libraries ask for. */
import * as assert from 'uvu/assert';
import { NULL_UUID } from '../../actors/base/ids.ts';
import type { Directory } from '../../actors/fleet/devices.ts';
import { switched } from '../../http/wire/query.ts';
import {
  type Answer,
  claimPath,
  entity,
  HOUR_MS,
  isDone,
  isProblem,
  openWindow,
  pageOf,
  provision,
  restLaws,
  START,
  systemAdministrator,
  type Tokens,
} from '../kit/rest-client.ts';

const { law, run } = restLaws('rest parity');

const namesOf = (answer: Answer) => pageOf(answer).data.map(({ name }) => name);

law('system info: a version of three numbers from 3.9 on, of the Community Edition', async ({ home }) => {
  const { json } = await home.alice.get('/api/system/info');
  const { version, type } = json as { version: string; type: string };
  const [major = 0, minor = 0, patch] = version.split('.').map(Number);
  assert.ok(major * 100 + minor >= 309 && Number.isInteger(patch), version);
  assert.is(type, 'CE');
});

law('mobile app: it hears that nothing is set up for it, and stays logged in', async ({ home, world }) => {
  for (const path of ['/api/dashboard/home', '/api/dashboard/home/info']) {
    const { status, text } = await home.alice.get(path);
    assert.equal([status, text], [200, ''], path);
  }
  const app = 'platform=ANDROID&pkgName=org.thingsboard.demo.app';
  const none = { storeInfo: null, versionInfo: null };
  const user = (await home.alice.get('/api/auth/user')).json;
  const started = await home.alice.get(`/api/mobile?${app}`);
  assert.equal(started.json, { user, ...none, homeDashboardInfo: null, pages: [] });
  const before = await world.nobody.get(`/api/noauth/mobile?${app}`);
  assert.equal(before.json, { oAuth2Clients: [], ...none });
});

law(
  'queries: a list comes with commas, repeated, or both, and a word for yes or no in any case',
  async ({ world, home }) => {
    const ids: string[] = [];
    for (const name of ['q1', 'q2', 'q3']) ids.push(await provision(world, home.tenantId, name));
    const [a = '', b = '', c = ''] = ids;
    for (const query of [
      `deviceIds=${a},${b},${c}`,
      `deviceIds=${a}&deviceIds=${b}&deviceIds=${c}`,
      `deviceIds=${a},${b}&deviceIds=%20${c},`,
    ]) {
      const { json } = await home.admin.get(`/api/devices?${query}`);
      assert.equal((json as { id: { id: string } }[]).map(({ id }) => id.id).sort(), [...ids].sort(), query);
    }
    isProblem(await home.admin.get('/api/devices?deviceIds=,'), 400, 31);

    const word = switched('active');
    for (const yes of ['true', 'TRUE', 'On', 'yes', '1']) assert.is(word.parse(yes), true, yes);
    for (const no of ['false', 'False', 'OFF', 'no', '0']) assert.is(word.parse(no), false, no);
    for (const missing of [undefined, '']) assert.is(word.parse(missing), undefined);
    for (const neither of ['2', 'y', 'truely']) assert.is(word.safeParse(neither).success, false, neither);
  },
);

law('device info: who owns it, since when, and how it was acquired', async ({ world, home }) => {
  const claimed = await provision(world, home.tenantId, 'claimed');
  const assigned = await provision(world, home.tenantId, 'assigned', home.bob.customerId);
  const free = await provision(world, home.tenantId, 'free');
  await openWindow(world, claimed, 's');
  world.clock.advance(1000);
  assert.is((await home.alice.post(claimPath('claimed'), { secretKey: 's' })).status, 200);

  const info = async (id: string) => {
    const found = entity(await home.admin.get(`/api/device/info/${id}`));
    const { customerTitle, claimedAt, ownedSince, ownedBy, customerIsPublic, active } = found;
    assert.is(found.deviceProfileName, 'default');
    assert.equal([customerIsPublic, active], [false, false]);
    return { customerTitle, claimedAt, ownedSince, ownedBy };
  };
  const at = START + 1000;
  assert.equal(await info(claimed), {
    customerTitle: 'alice',
    claimedAt: at,
    ownedSince: at,
    ownedBy: 'claim',
  });
  assert.equal(await info(assigned), {
    customerTitle: 'bob',
    claimedAt: null,
    ownedSince: START,
    ownedBy: 'assignment',
  });
  const nobody = { customerTitle: null, claimedAt: null, ownedSince: null, ownedBy: null };
  assert.equal(await info(free), nobody);

  isDone(await home.alice.delete(claimPath('claimed')));
  assert.equal(await info(claimed), nobody);
});

const connected = new Set<string>();
law(
  'device infos: lists with owners, by text and by whether they are connected',
  async ({ world, home }) => {
    const ids = [];
    for (const name of ['Pump 1', 'Pump 2', 'Fan'])
      ids.push(await provision(world, home.tenantId, name, home.alice.customerId));
    connected.clear();
    connected.add(ids[1] ?? '');
    const path = '/api/tenant/deviceInfos?pageSize=10&page=0';
    assert.equal(namesOf(await home.admin.get(path)), ['Pump 1', 'Pump 2', 'Fan']);
    assert.equal(namesOf(await home.admin.get(`${path}&textSearch=pump`)), ['Pump 1', 'Pump 2']);
    const active = pageOf(await home.admin.get(`${path}&active=true`));
    assert.equal(
      active.data.map((info) => [info.name, info.active, info.customerTitle]),
      [['Pump 2', true, 'alice']],
    );
    assert.is(active.totalElements, 1);
    assert.equal(namesOf(await home.admin.get(`${path}&active=false`)), ['Pump 1', 'Fan']);
    isProblem(await home.admin.get(`${path}&active=perhaps`), 400, 31);
    const own = `/api/customer/${home.alice.customerId}/deviceInfos?pageSize=1&page=0&sortProperty=name`;
    const page = pageOf(await home.alice.get(own));
    assert.equal([page.data[0]?.name, page.totalElements, page.hasNext], ['Fan', 3, true]);
  },
  {
    disturb: (needs) => ({
      ...needs,
      presence: { isConnected: (id: string) => connected.has(id) },
    }),
  },
);

law(
  'attack: device types: where each device has its own, some are told, and that there are more',
  async ({ home }) => {
    const answer = await home.alice.get('/api/device/types');
    assert.is(Array.isArray(answer.json) && answer.json.length, 5_000);
    assert.is(answer.headers.get('x-total-is'), 'at-least');
  },
  {
    disturb: (needs) => {
      const typesOf: Directory['typesOf'] = async (_tenant, atMost) =>
        Array.from({ length: Math.min(atMost, 10_000) }, (_, n) => `type ${n}`);
      return { ...needs, directory: { ...needs.directory, typesOf } };
    },
  },
);

law('device types: each once, in order', async ({ home }) => {
  const create = (name: string, type: string) => home.admin.post('/api/device', { name, type });
  for (const [name, type] of [
    ['a', 'valve'],
    ['b', 'pump'],
    ['c', 'valve'],
  ] as const)
    entity(await create(name, type));
  assert.equal(
    (await home.alice.get('/api/device/types')).json,
    ['pump', 'valve'].map((type) => ({
      tenantId: { entityType: 'TENANT', id: home.tenantId },
      entityType: 'DEVICE',
      type,
    })),
  );
});

law(
  'device with credentials: they work at once; no device is created when another has them',
  async ({ home }) => {
    const create = (name: string, credentialsId?: string) =>
      home.admin.post('/api/device-with-credentials', {
        device: { name, type: 'pump' },
        credentials: { credentialsType: 'ACCESS_TOKEN', credentialsId },
      });
    const device = entity(await create('one', 'my-token'));
    const read = await home.admin.get(`/api/device/${device.id.id}/credentials`);
    assert.is(entity(read).credentialsId, 'my-token');
    isProblem(await create('two', 'my-token'), 400, 31);
    isProblem(await home.admin.get('/api/tenant/device?deviceName=two'), 404, 32);
    const drawn = entity(await create('three'));
    const { credentialsId } = entity(await home.admin.get(`/api/device/${drawn.id.id}/credentials`));
    assert.match(String(credentialsId), /^[A-Za-z0-9]{20}$/);
    const both = { device: { id: device.id, name: 'x' }, credentials: { credentialsType: 'ACCESS_TOKEN' } };
    isProblem(await home.admin.post('/api/device-with-credentials', both), 400, 31);
  },
);

law('users: the administrator sees the whole tenant, a customer its own', async ({ home }) => {
  const all = '/api/users?pageSize=10&page=0';
  const { adminEmail, alice, bob } = home;
  assert.equal(namesOf(await home.admin.get(all)), [adminEmail, alice.email, bob.email]);
  assert.equal(namesOf(await home.admin.get(`${all}&textSearch=BOB`)), [bob.email]);
  assert.equal(namesOf(await home.alice.get(all)), [alice.email]);
  const second = pageOf(
    await home.admin.get('/api/users?pageSize=2&page=1&sortProperty=email&sortOrder=DESC'),
  );
  assert.equal([second.data.map(({ name }) => name), second.totalElements], [[adminEmail], 3]);
});

law(
  "user token: one's customers' users, not one's like, not when it is switched off",
  async ({ world, home }) => {
    const { token } = (await home.admin.get(`/api/user/${home.alice.userId}/token`)).json as Tokens;
    assert.is(entity(await world.as(token).get('/api/auth/user')).email, home.alice.email);
    isProblem(await home.admin.get(`/api/user/${home.adminId}/token`), 403, 20);
    const system = await systemAdministrator(world);
    assert.is((await system.get(`/api/user/${home.adminId}/token`)).status, 200);
    isProblem(await system.get(`/api/user/${home.alice.userId}/token`), 403, 20);
    await world.accounts.users.setEnabled(home.alice.userId, false);
    isProblem(await home.admin.get(`/api/user/${home.alice.userId}/token`), 404, 32);
  },
);

law(
  'user token: where it is switched off, nobody gets one',
  async ({ home }) => {
    assert.is((await home.admin.get('/api/user/tokenAccessEnabled')).json, false);
    isProblem(await home.admin.get(`/api/user/${home.alice.userId}/token`), 403, 20);
  },
  { settings: { userTokenAccess: false } },
);

// --------------------------------------------------------------------------------------------------------- public

law(
  'public: whoever knows the id reads what the public customer owns, and that is all',
  async ({ world, home }) => {
    const shown = await provision(world, home.tenantId, 'shown');
    await provision(world, home.tenantId, 'hidden');
    const device = entity(await home.admin.post(`/api/customer/public/device/${shown}`));
    const publicId = device.customerId.id;
    const customer = entity(await home.admin.get(`/api/customer/${publicId}`));
    assert.equal([customer.title, customer.additionalInfo], ['Public', { isPublic: true }]);
    const info = entity(await home.admin.get(`/api/device/info/${shown}`));
    assert.equal([info.customerTitle, info.customerIsPublic], ['Public', true]);

    const login = await world.nobody.post('/api/auth/login/public', { publicId });
    const { token, refreshToken } = login.json as Tokens;
    const anybody = world.as(token);
    assert.equal(namesOf(await anybody.get(`/api/customer/${publicId}/devices?pageSize=9&page=0`)), [
      'shown',
    ]);
    const me = entity(await anybody.get('/api/auth/user'));
    assert.equal([me.id.id, me.customerId.id, me.authority], [NULL_UUID, publicId, 'CUSTOMER_USER']);

    const free = await provision(world, home.tenantId, 'free');
    await openWindow(world, free, '');
    for (const answer of [
      await anybody.post(claimPath('free'), {}),
      await anybody.delete(claimPath('shown')),
      await anybody.post('/api/device', { id: device.id, name: 'renamed' }),
      await anybody.post(`/api/plugins/telemetry/${shown}/SHARED_SCOPE`, { a: 1 }),
      await anybody.get(`/api/device/${shown}/credentials`),
      await anybody.post('/api/auth/logout'),
    ])
      assert.is(answer.status, 403, answer.text);

    const renewed = await world.nobody.post('/api/auth/token', { refreshToken });
    assert.is((await world.as((renewed.json as Tokens).token).get('/api/auth/user')).status, 200);
    // Devices of other customers stay theirs. Once the customer is no longer public, its tokens are refused.
    await provision(world, home.tenantId, 'of alice', home.alice.customerId);
    assert.is((await anybody.get(`/api/customer/${home.alice.customerId}/devices`)).status, 403);
    entity(await home.admin.post('/api/customer', { id: { id: publicId }, title: 'Public' }));
    isProblem(await anybody.get(`/api/device/${shown}`), 401, 11);
    isProblem(await world.nobody.post('/api/auth/login/public', { publicId }), 401, 10);
  },
);

law(
  'public: no other customer can be logged in as; a private one called Public stays private',
  async ({ world, home }) => {
    for (const publicId of [home.alice.customerId, NULL_UUID, 'x', 7, undefined])
      isProblem(await world.nobody.post('/api/auth/login/public', { publicId }), 401, 10);
    entity(await home.admin.post('/api/customer', { title: 'Public' }));
    const id = await provision(world, home.tenantId, 'D');
    isProblem(await home.admin.post(`/api/customer/public/device/${id}`), 400, 31);
  },
);

law(
  'public: all public devices of a tenant have one customer, however many are made so at once',
  async ({ world, home }) => {
    const ids = await Promise.all(['a', 'b', 'c', 'd'].map((name) => provision(world, home.tenantId, name)));
    const answers = await Promise.all(ids.map((id) => home.admin.post(`/api/customer/public/device/${id}`)));
    assert.is(new Set(answers.map((answer) => entity(answer).customerId.id)).size, 1);
  },
);

// --------------------------------------------------------------------------------------------------- claimingData

law('claimingData as a text that holds the object works like the object', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, 'D');
  const save = (claimingData: unknown) =>
    home.admin.post(`/api/plugins/telemetry/DEVICE/${id}/attributes/SERVER_SCOPE`, { claimingData });
  for (const wrong of ['', 'my-secret', '"text"', '[]', '{"secretKey":"my-secret"}']) {
    const refused = await save(wrong);
    assert.is(refused.status, 400, wrong);
    assert.not.match(refused.text, /my-secret/);
  }
  isDone(await save(JSON.stringify({ secretKey: 'printed', expirationTime: START + HOUR_MS })));
  saysNo(await home.alice.post(claimPath('D'), { secretKey: 'wrong' }), '"FAILURE"');
  assert.is((await home.alice.post(claimPath('D'), { secretKey: 'printed' })).status, 200);
});

function saysNo(answer: Answer, text: string): void {
  assert.equal([answer.status, answer.text], [400, text]);
}

law('parity: a name that is a number is text, and control characters are refused', async ({ home }) => {
  const saved = async (name: unknown) => home.admin.post('/api/device', { name, type: 'default' });
  assert.is(entity(await saved(12_345)).name, '12345');
  assert.is(entity(await saved('<b>bold</b>')).name, '<b>bold</b>');
  for (const wrong of [{}, [], null, 1e300, 'a\u0000b', 'a\u001bb']) isProblem(await saved(wrong), 400, 31);
  assert.is(entity(await home.admin.post('/api/customer', { title: 7, zip: 12345 })).zip, '12345');
});

law('parity: an e-mail address that is none is refused wherever one is written', async ({ home, world }) => {
  const root = await systemAdministrator(world);
  for (const email of ['nonsense', 'a@b', 'a b@c.de', '@c.de']) {
    isProblem(await home.admin.post('/api/customer', { title: `C ${email}`, email }), 400, 31);
    isProblem(await root.post('/api/tenant', { title: `T ${email}`, email }), 400, 31);
    isProblem(await home.admin.post('/api/user', { email, authority: 'TENANT_ADMIN' }), 400, 31);
  }
  assert.is(entity(await home.admin.post('/api/customer', { title: 'C', email: '' })).email, null);
});

law(
  'parity: without a token an unknown path of the API is 401, and so is a login that is no JSON',
  async ({ home, world }) => {
    isProblem(await world.nobody.get('/api/nothing/here'), 401, 10);
    isProblem(await home.admin.get('/api/nothing/here'), 404, 32);
    for (const path of ['/api/auth/login', '/api/auth/token']) {
      const broken = await world.nobody.send('POST', path, {
        body: '{',
        headers: { 'content-type': 'application/json' },
      });
      isProblem(broken, 401, 10);
    }
  },
);

law('parity: what is wrong with a page is said', async ({ home }) => {
  const wrong = async (query: string, message: RegExp) => {
    const answer = await home.admin.get(`/api/tenant/devices?${query}`);
    isProblem(answer, 400, 31);
    assert.match(answer.text, message);
  };
  await wrong('pageSize=0&page=0', /page size '0'\. Page size must be greater than zero/);
  await wrong('pageSize=-1&page=0', /page size '-1'\. Page size must be greater than zero/);
  await wrong('pageSize=1&page=-1', /Page must be positive integer/);
  await wrong('pageSize=x&page=0', /pageSize should be a whole number/);
  await wrong('pageSize=20000&page=0', /at most 10000/);
  await wrong('pageSize=1&page=0&sortProperty=label', /Unsupported sort property/);
});

law('users: who sends back what it has read keeps nothing of what reading adds', async ({ home }) => {
  const url = `/api/user/${home.alice.userId}`;
  const read = async () => (await home.alice.get(url)).json as { additionalInfo: object };
  const own = async () => ((await home.alice.get('/api/auth/user')).json as typeof user).additionalInfo;
  const user = await read();
  const save = async (body: object) => assert.is((await home.alice.post('/api/user', body)).status, 200);
  await save(user);
  assert.is(await own(), null);
  const { additionalInfo, ...rest } = await read();
  await save({ ...rest, additionalInfo: { ...additionalInfo, lang: 'de' } });
  assert.equal(await own(), { lang: 'de' });
  assert.ok('userActivated' in (await read()).additionalInfo);
});

law('parity: a parameter that is there and empty is one that is not there', async ({ home, world }) => {
  await world.audit.catchUp();
  const same = async (path: string, query: string) => {
    const bare = await home.admin.get(`${path}?pageSize=10&page=0`);
    const filled = await home.admin.get(`${path}?pageSize=10&page=0&${query}`);
    assert.equal([filled.status, filled.json], [bare.status, bare.json], `${path}?${query}`);
  };
  const order = 'sortProperty=&sortOrder=&textSearch=';
  await same('/api/tenant/devices', `type=&${order}`);
  await same('/api/tenant/deviceInfos', `type=&deviceProfileId=&active=&${order}`);
  await same('/api/audit/logs', `startTime=&endTime=&actionTypes=&${order}`);
  await same('/api/customers', order);
  await same('/api/users', order);
  await same('/api/deviceProfileInfos', order);
});

run();
