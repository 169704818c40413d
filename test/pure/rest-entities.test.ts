/** Devices, customers, users and tenants over REST: what is created, changed, listed, deleted, and what is refused. */
import * as assert from 'uvu/assert';
import { createLeftBehind, noteDeletion } from '../../actors/accounts/left-behind.ts';
import { type CustomerId, NULL_UUID } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import {
  type Answer,
  claimPath,
  entity,
  isDone,
  isProblem,
  openWindow,
  pageOf,
  provision,
  restLaws,
  settle,
  systemAdministrator,
} from '../kit/rest-client.ts';

const { law, run } = restLaws('rest entities');

// --------------------------------------------------------------------------------------------------------- devices

law('device: created with an access token, without one, and with an owner', async ({ home }) => {
  const body = {
    name: 'D',
    label: 'L',
    type: 't',
    additionalInfo: { gateway: true },
    deviceProfileId: null,
    foo: 1,
  };
  const created = entity(await home.admin.post('/api/device?accessToken=MY_TOKEN', body));
  const { id, createdTime, tenantId, deviceProfileId, ...rest } = created;
  assert.type(createdTime, 'number');
  assert.equal(rest, {
    customerId: { entityType: 'CUSTOMER', id: NULL_UUID },
    name: 'D',
    type: 't',
    label: 'L',
    deviceData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
    firmwareId: null,
    softwareId: null,
    additionalInfo: { gateway: true },
    externalId: null,
    version: null,
    ownerEpoch: 0,
  });
  const credentials = entity(await home.admin.get(`/api/device/${id.id}/credentials`));
  assert.is(credentials.credentialsId, 'MY_TOKEN');

  const plain = entity(await home.admin.post('/api/device', { name: 'E' }));
  assert.is(plain.type, 'default');
  assert.equal(plain.deviceProfileId, deviceProfileId, 'one profile per tenant');
  const drawn = entity(await home.admin.get(`/api/device/${plain.id.id}/credentials`));
  assert.match(String(drawn.credentialsId), /^[A-Za-z0-9]{20}$/);

  const customerId = { entityType: 'CUSTOMER', id: home.bob.customerId };
  const assigned = entity(await home.admin.post('/api/device', { name: 'F', customerId }));
  assert.equal(assigned.customerId, customerId);
});

law('device: names and access tokens are unique, and free again after deletion', async ({ world, home }) => {
  const other = await settle(world, 'other');
  const create = (name: string, token: string, who = home.admin) =>
    who.post(`/api/device?accessToken=${token}`, { name });
  const { id } = entity(await create('D', 'T1'));
  isProblem(await create('D', 'T2'), 400, 31, 'Device with such name already exists!');
  isProblem(await create('E', 'T1'), 400, 31, 'Device credentials are already assigned to another device!');
  isProblem(await create('E', 'T1', other.admin), 400, 31);
  entity(await create('D', 'T2', other.admin));
  isDone(await home.admin.delete(`/api/device/${id.id}`));
  isProblem(await home.admin.delete(`/api/device/${id.id}`), 404, 32);
  entity(await create('D', 'T1'));
});

law('device: changed by the tenant and by its owner; ownership and window stay', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, 'D', home.alice.customerId);
  const device = { id: { entityType: 'DEVICE', id }, customerId: null };
  const body = (name: string) => ({ ...device, name, type: 'x' });
  const relabelled = entity(await home.alice.post('/api/device', { ...device, name: 'D', label: 'Mine' }));
  assert.is(relabelled.label, 'Mine');
  assert.is(relabelled.customerId.id, home.alice.customerId);
  // R4: only the tenant renames a device.
  isProblem(await home.alice.post('/api/device', body('Mine')), 403, 20);
  assert.is(entity(await home.admin.post('/api/device', body('Ours'))).name, 'Ours');
  isProblem(await home.alice.post('/api/device', { name: 'New' }), 403, 20);
  const free = await provision(world, home.tenantId, 'free');
  isProblem(await home.alice.post('/api/device', { ...body('x'), id: { id: free } }), 403, 20);
});

law('device: a changed access token takes the old one out of use', async ({ world, home }) => {
  const { id } = entity(await home.admin.post('/api/device?accessToken=OLD', { name: 'D' }));
  const change = (more: object) =>
    home.admin.post('/api/device/credentials', {
      id: { id: id.id },
      deviceId: { entityType: 'DEVICE', id: id.id },
      credentialsType: 'ACCESS_TOKEN',
      credentialsId: 'NEW',
      credentialsValue: null,
      ...more,
    });
  assert.is(entity(await change({})).credentialsId, 'NEW');
  assert.is(await world.directory.byCredentials(world.secrets.credentialsId('OLD')), undefined);
  assert.is((await world.directory.byCredentials(world.secrets.credentialsId('NEW')))?.id, id.id);
  for (const credentialsType of ['LWM2M_CREDENTIALS', 'x']) {
    isProblem(
      await change({ credentialsType }),
      400,
      31,
      'Only ACCESS_TOKEN, MQTT_BASIC and X509_CERTIFICATE credentials are supported!',
    );
  }
  isProblem(await change({ credentialsId: '' }), 400, 31);
});

law('devices: by name, by both paths, and in pages', async ({ world, home }) => {
  for (const name of ['a1', 'B2', 'a3', 'b4', 'c5']) await provision(world, home.tenantId, name);
  for (const path of ['/api/tenant/devices', '/api/tenant/device']) {
    assert.is(entity(await home.admin.get(`${path}?deviceName=B2`)).name, 'B2');
    isProblem(await home.admin.get(`${path}?deviceName=b2`), 404, 32);
  }
  const names = async (query: string) =>
    pageOf(await home.admin.get(`/api/tenant/devices?${query}`)).data.map(({ name }) => name);
  assert.equal(await names('pageSize=2&page=1'), ['a3', 'b4']);
  assert.equal(await names('pageSize=10&page=0&textSearch=A'), ['a1', 'a3']);
  for (const descending of ['DESC', 'desc'])
    assert.equal(await names(`pageSize=3&page=0&sortProperty=name&sortOrder=${descending}`), [
      'c5',
      'b4',
      'B2',
    ]);
  for (const ascending of ['', 'asc'])
    assert.equal((await names(`pageSize=9&page=0&sortProperty=name&sortOrder=${ascending}`)).at(-1), 'c5');
  const { data, ...totals } = pageOf(await home.admin.get('/api/tenant/devices?pageSize=2&page=2'));
  assert.is(data.length, 1);
  assert.equal(totals, { totalPages: 3, totalElements: 5, hasNext: false });
});

law('additional info is bounded: lists contain it, and every change of a device writes it', async (given) => {
  const { world, home } = given;
  const id = await provision(world, home.tenantId, 'D', home.alice.customerId);
  const device = (bytes: number) => ({ id: { id }, name: 'D', additionalInfo: { x: 'x'.repeat(bytes) } });
  assert.is((await home.alice.post('/api/device', device(16_000))).status, 200);
  isProblem(await home.alice.post('/api/device', device(17_000)), 400, 31);
  isProblem(await home.alice.post('/api/device', device(500_000)), 400, 31);
  const customer = { title: 'C', additionalInfo: { x: 'é'.repeat(9_000) } };
  isProblem(await home.admin.post('/api/customer', customer), 400, 31);
});

law('devices: malformed paging and sorting are refused', async ({ home }) => {
  for (const query of [
    'pageSize=0&page=0',
    'pageSize=-1&page=0',
    'pageSize=10&page=-1',
    'pageSize=x&page=0',
    'pageSize=1e3&page=0',
    'pageSize=99999999999999999999&page=0',
    'pageSize=20000&page=0',
    'pageSize=10&page=0&sortProperty=secret',
    'pageSize=10&page=0&sortProperty=__proto__',
    'pageSize=10&page=0&sortOrder=UP',
    'pageSize=1&pageSize=2&page=0',
  ]) {
    isProblem(await home.admin.get(`/api/tenant/devices?${query}`), 400, 31);
  }
});

law('devices: a customer lists its own', async ({ world, home }) => {
  await provision(world, home.tenantId, 'mine', home.alice.customerId);
  await provision(world, home.tenantId, 'other', home.bob.customerId);
  const path = `/api/customer/${home.alice.customerId}/devices?pageSize=10&page=0`;
  assert.equal(
    pageOf(await home.alice.get(path)).data.map(({ name }) => name),
    ['mine'],
  );
  assert.equal(
    pageOf(await home.admin.get(path)).data.map(({ name }) => name),
    ['mine'],
  );
});

// ------------------------------------------------------------------------------------------------------- customers

law('customer: created, changed, found by title, listed, deleted', async ({ home }) => {
  const created = entity(
    await home.admin.post('/api/customer', { title: 'Carol', city: 'Kyiv', email: 'c@x.test' }),
  );
  assert.is(created.name, 'Carol');
  assert.is(created.city, 'Kyiv');
  assert.is(created.version, 1);
  isProblem(
    await home.admin.post('/api/customer', { title: 'Carol' }),
    400,
    31,
    'Customer with such title already exists!',
  );
  isProblem(
    await home.admin.post('/api/customer', { title: ' ' }),
    400,
    31,
    'Customer title should be specified!',
  );

  const changed = entity(await home.admin.post('/api/customer', { ...created, title: 'Caroline' }));
  assert.is(changed.version, 2);
  assert.is(changed.city, 'Kyiv');
  isProblem(await home.admin.post('/api/customer', { ...created, title: 'Later' }), 409, 35);
  isProblem(await home.admin.post('/api/customer', { ...changed, title: 'alice' }), 400, 31);
  isProblem(await home.admin.get('/api/tenant/customers?customerTitle=Carol'), 404, 32);
  assert.is(
    entity(await home.admin.get('/api/tenant/customers?customerTitle=Caroline')).id.id,
    created.id.id,
  );
  const titles = async (query: string) =>
    pageOf(await home.admin.get(`/api/customers?${query}`)).data.map(({ title }) => title);
  assert.equal(await titles('pageSize=10&page=0'), ['alice', 'bob', 'Caroline']);
  assert.equal(await titles('pageSize=10&page=0&sortProperty=title&sortOrder=DESC'), [
    'Caroline',
    'bob',
    'alice',
  ]);
  assert.equal(await titles('pageSize=10&page=0&textSearch=CAR'), ['Caroline']);

  isDone(await home.admin.delete(`/api/customer/${created.id.id}`));
  isProblem(await home.admin.get(`/api/customer/${created.id.id}`), 404, 32);
  assert.equal(await titles('pageSize=10&page=0'), ['alice', 'bob']);
  entity(await home.admin.post('/api/customer', { title: 'Caroline' }));
});

law('customer: deleting it unassigns its devices and deletes its users', async ({ world, home }) => {
  const ids = await Promise.all(
    Array.from({ length: 250 }, (_, at) => provision(world, home.tenantId, `d${at}`, home.alice.customerId)),
  );
  isDone(await home.admin.delete(`/api/customer/${home.alice.customerId}`));
  for (const id of ids) assert.is((await world.devices.read(id))?.owner, null);
  isProblem(await home.admin.get(`/api/user/${home.alice.userId}`), 404, 32);
  const body = { email: home.alice.email, authority: 'TENANT_ADMIN' };
  entity(await home.admin.post('/api/user', body)); // the address is free again
});

// ----------------------------------------------------------------------------------------------------------- users

law('user: who may create whom, and in which tenant and customer', async ({ world, home }) => {
  const system = await systemAdministrator(world);
  const tenantId = { entityType: 'TENANT', id: home.tenantId };
  const customerId = { entityType: 'CUSTOMER', id: home.bob.customerId };
  let count = 0;
  const make = (who: typeof system, body: object) => {
    count += 1;
    return who.post('/api/user', { email: `u${count}@x.test`, ...body });
  };
  const admin = entity(await make(system, { authority: 'TENANT_ADMIN', tenantId }));
  assert.equal(admin.tenantId, tenantId);
  assert.is(admin.customerId.id, NULL_UUID);
  isProblem(await make(system, { authority: 'TENANT_ADMIN' }), 400, 31);
  isProblem(await make(system, { authority: 'CUSTOMER_USER', tenantId, customerId }), 403, 20);
  assert.is(entity(await make(system, { authority: 'SYS_ADMIN' })).authority, 'SYS_ADMIN');

  const user = entity(await make(home.admin, { authority: 'CUSTOMER_USER', customerId }));
  assert.equal([user.tenantId, user.customerId], [tenantId, customerId]);
  const other = await settle(world, 'other');
  const foreign = { entityType: 'CUSTOMER', id: other.bob.customerId };
  isProblem(await make(home.admin, { authority: 'CUSTOMER_USER', customerId: foreign }), 404, 32);
  isProblem(await make(home.admin, { authority: 'SYS_ADMIN' }), 403, 20);
  isProblem(await make(home.alice, { authority: 'CUSTOMER_USER', customerId }), 403, 20);
  // The tenant that a tenant's administrator names is ignored.
  const own = entity(await make(home.admin, { authority: 'TENANT_ADMIN', tenantId: { id: other.tenantId } }));
  assert.equal(own.tenantId, tenantId);

  isProblem(await make(home.admin, { authority: 'ROOT' }), 400, 31, 'User authority should be specified!');
  isProblem(
    await make(home.admin, { authority: 'TENANT_ADMIN', email: 'no address' }),
    400,
    31,
    "Invalid email address format 'no address'!",
  );
  isProblem(
    await make(home.admin, { authority: 'TENANT_ADMIN', email: home.alice.email }),
    400,
    31,
    `User with email '${home.alice.email}' already present in database!`,
  );
});

law('user: whether somebody of another tenant has an address is not told', async ({ world, home }) => {
  const other = await settle(world, 'other');
  const sysadmin = await systemAdministrator(world);
  const make = (email: string, more: object = {}) =>
    home.admin.post('/api/user?sendActivationMail=false', { email, authority: 'TENANT_ADMIN', ...more });
  const shapeOf = (answer: Answer) => [answer.status, Object.keys(entity(answer)).sort()];
  const free = await make('free@home.test');
  const taken = await make(other.alice.email);
  assert.equal(shapeOf(taken), shapeOf(free));

  // Made, listed, changed and given a link, as any other; and the address still leads to who has it.
  const { id } = entity(taken).id;
  const link = await home.admin.get(`/api/user/${id}/activationLink`);
  assert.is(link.status, 200);
  const again = await make(other.bob.email, { id: { id, entityType: 'USER' } });
  assert.equal([again.status, entity(again).email], [200, other.bob.email]);
  const activateToken = new URL(link.text).searchParams.get('activateToken');
  const password = 'of whoever follows the link';
  isProblem(await world.nobody.post('/api/noauth/activate', { activateToken, password }), 400, 31);
  await world.login(other.bob.email);
  isProblem(await world.nobody.post('/api/auth/login', { username: other.bob.email, password }), 401, 10);

  // Who may know all users hears of it; and when the address is free, the user has it.
  const body = { authority: 'TENANT_ADMIN', tenantId: { id: home.tenantId }, email: other.bob.email };
  isProblem(await sysadmin.post('/api/user?sendActivationMail=false', body), 400, 31);
  isDone(await other.admin.delete(`/api/user/${other.bob.userId}`));
  assert.is((await world.nobody.post('/api/noauth/activate', { activateToken, password })).status, 200);
  assert.is((await world.login(other.bob.email, password)).token.length > 0, true);
});

law('user: addresses of other tenants cannot be tried out with an active user', async ({ world, home }) => {
  const other = await settle(world, 'other');
  const body = { id: { id: home.alice.userId }, authority: 'CUSTOMER_USER', email: other.alice.email };
  for (let n = 0; n < 10; n += 1) isProblem(await home.admin.post('/api/user', body), 400, 31);
  isProblem(await home.admin.post('/api/user', body), 429, 33);
  assert.is((await other.admin.post('/api/user', { ...body, id: { id: other.alice.userId } })).status, 200);
});

law('user: changes its own names, but not its role or where it belongs', async ({ home }) => {
  const body = {
    id: { id: home.alice.userId },
    email: home.alice.email,
    authority: 'TENANT_ADMIN',
    lastName: 'A',
  };
  const changed = entity(await home.alice.post('/api/user', body));
  assert.is(changed.lastName, 'A');
  assert.is(changed.authority, 'CUSTOMER_USER');
  assert.is(entity(await home.alice.get('/api/auth/user')).lastName, 'A');
});

law(
  'user: an administrator sees whether it is active, and its last login; nobody deletes their own user',
  async ({ home }) => {
    const seen = entity(await home.admin.get(`/api/user/${home.alice.userId}`)).additionalInfo as Record<
      string,
      unknown
    >;
    assert.is(seen.userActivated, true);
    assert.is(seen.userCredentialsEnabled, true);
    assert.type(seen.lastLoginTs, 'number');
    isProblem(await home.admin.delete(`/api/user/${home.adminId}`), 403, 20);
    const users = pageOf(
      await home.admin.get(`/api/customer/${home.alice.customerId}/users?pageSize=10&page=0`),
    );
    assert.equal(
      users.data.map(({ email }) => email),
      [home.alice.email],
    );
  },
);

// --------------------------------------------------------------------------------------------------------- tenants

law(
  'tenant: created, listed, its administrators listed, deleted with all that is in it',
  async ({ world, home }) => {
    const system = await systemAdministrator(world);
    const tenant = entity(await system.post('/api/tenant', { title: 'Third', country: 'UA' }));
    assert.is(entity(await system.get(`/api/tenant/${tenant.id.id}`)).title, 'Third');
    assert.is(pageOf(await system.get('/api/tenants?pageSize=10&page=0')).totalElements, 2);
    const admins = pageOf(await system.get(`/api/tenant/${home.tenantId}/users?pageSize=10&page=0`));
    assert.equal(
      admins.data.map(({ email }) => email),
      [home.adminEmail],
    );

    const device = await provision(world, home.tenantId, 'D', home.alice.customerId);
    await openWindow(world, await provision(world, home.tenantId, 'E'), '');
    entity(await home.admin.post('/api/deviceProfile', { name: 'P' }));
    const profiles = `device-profiles/${home.tenantId}`;
    assert.ok((await world.store.index.count(profiles)) > 0);
    isDone(await system.delete(`/api/tenant/${home.tenantId}`));
    isProblem(await system.get(`/api/tenant/${home.tenantId}`), 404, 32);
    assert.is(await world.store.index.count(profiles), 0);
    assert.is(await world.devices.read(device), undefined);
    assert.is((await home.alice.post(claimPath('E'), {})).status, 401);
    for (const email of [home.adminEmail, home.alice.email, home.bob.email]) {
      const body = { email, authority: 'TENANT_ADMIN', tenantId: tenant.id };
      entity(await system.post('/api/user', body));
    }
  },
);

law(
  'what comes to a customer or a tenant whose deletion is through is cleared, and noted no longer',
  async (scene) => {
    const { world, home } = scene;
    const { tenantId, adminId, alice, bob } = home;
    const { devices, clock, store } = world;
    const id = await provision(world, tenantId, 'D');
    isDone(await home.admin.delete(`/api/customer/${alice.customerId}`));
    const rounds = createLeftBehind(store, world.accounts.clearAgain, clock, silentLog);
    const deletions = () => store.index.count('deletions');
    const owner = async () => (await devices.read(id))?.owner?.customerId;
    const assign = (customerId: CustomerId) =>
      devices.ask(id, { type: 'AssignDevice', tenantId, userId: adminId, customerId });
    // Taken back by whoever gave it, but for a crash or a full disk.
    await assign(alice.customerId);
    await rounds.round();
    assert.is(await owner(), undefined);
    await assign(alice.customerId);
    clock.advance(10 * 60_000);
    await rounds.round();
    assert.equal([await owner(), await deletions()], [undefined, 0]);

    // A deletion that got no further than its note has deleted nothing.
    await noteDeletion(store, clock.now(), { tenantId, customerId: bob.customerId, by: adminId });
    await noteDeletion(store, clock.now(), { tenantId, by: adminId });
    await assign(bob.customerId);
    await rounds.round();
    assert.is(await owner(), bob.customerId);
    assert.is((await bob.get('/api/auth/user')).status, 200);

    isDone(await (await systemAdministrator(world)).delete(`/api/tenant/${tenantId}`));
    const late = await provision(world, tenantId, 'E');
    clock.advance(10 * 60_000);
    await rounds.round();
    assert.equal([await devices.read(late), await deletions()], [undefined, 0]);
  },
);

run();
