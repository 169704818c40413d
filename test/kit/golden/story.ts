/**
 * What a golden copy of stored data has in it: a story told to a server over its REST API, and the walk through what it
 * left, which any later server must pass.
 */
import * as assert from 'uvu/assert';
import { type Api, claimPath } from '../api.ts';

/** Long enough for what should still be open whenever this is read again. */
export const YEARS_MS = 20 * 365 * 24 * 3_600_000;

/** The settings of the server that told the story, so that another one can go on with its data. */
export const GOLDEN_ENVIRONMENT = {
  SECURITY_CLAIM_SERVER_KEY: Buffer.alloc(32, 'golden').toString('base64'),
  JWT_TOKEN_SIGNING_KEY: Buffer.alloc(64, 'golden').toString('base64'),
  SYSADMIN_PASSWORD: 'golden-sysadmin',
  SECURITY_PASSWORD_HASH_COST: '1024',
  // Passwords of the story are as short as they were when it was told.
  SECURITY_PASSWORD_MIN_LENGTH: '6',
} as const;

const PASSWORD = 'a-password';

/** What cannot be known beforehand. */
export interface GoldenNotes {
  readonly tenantId: string;
  readonly bobsCustomerId: string;
  readonly profileId: string;
  readonly publicCustomerId: string;
  /** Of a user without a password. */
  readonly openActivation: string;
  readonly openUserId: string;
  readonly apiKey: string;
  readonly importDone: string;
  readonly importReceiving: string;
}

interface Job {
  readonly id: string;
  readonly state: string;
  readonly rows: number;
  readonly good: number;
  readonly refused: number;
}

interface Page<Item> {
  readonly data: readonly Item[];
  readonly totalElements: number;
}

interface Titled {
  readonly title: string;
  readonly version: number;
}

export async function tellStory(api: Api): Promise<GoldenNotes> {
  const sysadmin = await api.login('sysadmin@thingsboard.org', GOLDEN_ENVIRONMENT.SYSADMIN_PASSWORD);
  await api.createTenant(sysadmin, 'Empty');
  await api.post('/api/tenant', sysadmin, { title: 'Nobody' });
  const admin = await api.createTenant(sysadmin, 'Acme');
  const tenantId = await idOfTenant(api, sysadmin, 'Acme');
  const gone = await api.post('/api/tenant', sysadmin, { title: 'Gone' });
  await api.must('DELETE', `/api/tenant/${gone.id.id}`, sysadmin);

  // Customers: one with a user, one renamed whose user has an open link, one that is deleted.
  const alice = await api.createCustomer(admin, 'Alice');
  const customer = await api.post<object>('/api/customer', admin, { title: 'Robert', country: 'Ä€' });
  const bob = await api.post('/api/customer', admin, { ...customer, title: 'Bob' });
  const deleted = await api.createCustomer(admin, 'Deleted');
  await api.must('DELETE', `/api/customer/${deleted.id}`, admin);
  const people = { authority: 'CUSTOMER_USER', customerId: bob.id };
  const open = await api.post('/api/user?sendActivationMail=false', admin, {
    ...people,
    email: 'open@bob.example',
  });
  const link = await api.must('GET', `/api/user/${open.id.id}/activationLink`, admin);
  await api.createUser(admin, { ...people, email: 'disabled@bob.example' });
  await api.must(
    'POST',
    `/api/user/${await idOfUser(api, admin, 'disabled@bob.example')}/userCredentialsEnabled?userCredentialsEnabled=false`,
    admin,
  );

  const transportConfiguration = {
    type: 'MQTT',
    transportPayloadTypeConfiguration: { transportPayloadType: 'PROTOBUF' },
  };
  const profile = await api.post('/api/deviceProfile', admin, {
    name: 'pumps',
    profileData: { transportConfiguration },
  });
  await api.must('POST', `/api/deviceProfile/${profile.id.id}/default`, admin);
  await api.post('/api/deviceProfile', admin, { name: 'valves' });
  const key = await api.post<{ value: string }>('/api/apiKey', admin, { description: 'nightly' });
  const revoked = await api.post('/api/apiKey', admin, { description: 'revoked' });
  await api.must('DELETE', `/api/apiKey/${revoked.id.id}`, admin);

  // Devices, one in each state.
  for (const name of ['unclaimed', 'open', 'claimed', 'returned', 'keyed', 'public', 'deleted'])
    await api.createDevice(admin, name, `token-${name}`);
  for (const name of ['open', 'claimed', 'returned'])
    await api.initiate(`token-${name}`, { secretKey: 'secret', durationMs: YEARS_MS });
  for (const name of ['claimed', 'returned'])
    assert.is((await api.confirm(alice.token, name, 'secret')).status, 200);
  assert.is((await api.reclaim(alice.token, 'returned')).status, 200);
  const keyed = (await api.device(admin, 'keyed')).id.id;
  const claimingData = { secretKey: 'boxed', expirationTime: Date.now() + YEARS_MS };
  await api.must('POST', `/api/plugins/telemetry/DEVICE/${keyed}/SERVER_SCOPE`, admin, { claimingData });
  const shown = (await api.device(admin, 'public')).id.id;
  const shownTo = await api.post('/api/customer/public/device/'.concat(shown), admin, {});
  await api.must('DELETE', `/api/device/${(await api.device(admin, 'deleted')).id.id}`, admin);

  // Imports: one through, one that receives.
  const rows = [
    { name: 'imported 1', secretKey: 'given' },
    { name: 'claimed', secretKey: '' },
  ];
  const done = await api.post<Job>('/api/deviceImport', admin, {});
  await api.must('POST', `/api/deviceImport/${done.id}/rows`, admin, { from: 0, rows });
  await api.must('POST', `/api/deviceImport/${done.id}/start?dryRun=false`, admin);
  while ((await api.get<Job>(`/api/deviceImport/${done.id}`, admin)).state !== 'DONE')
    await new Promise((resolve) => setTimeout(resolve, 50));
  const receiving = await api.post<Job>('/api/deviceImport', admin, {});
  await api.must('POST', `/api/deviceImport/${receiving.id}/rows`, admin, {
    from: 0,
    rows: [{ name: 'imported 2' }],
  });

  return {
    tenantId,
    bobsCustomerId: bob.id.id,
    profileId: profile.id.id,
    publicCustomerId: shownTo.customerId.id,
    openActivation: new URL(link).searchParams.get('activateToken') ?? '',
    openUserId: open.id.id,
    apiKey: key.value,
    importDone: done.id,
    importReceiving: receiving.id,
  };
}

/** Looks at all that the story left, without changing it. */
export async function walkThrough(api: Api, notes: GoldenNotes): Promise<void> {
  const sysadmin = await api.login('sysadmin@thingsboard.org', GOLDEN_ENVIRONMENT.SYSADMIN_PASSWORD);
  const tenants = await api.get<Page<Titled>>('/api/tenants?page=0&pageSize=10', sysadmin);
  assert.equal(titles(tenants), ['Acme', 'Empty', 'Nobody']);
  assert.is(tenants.totalElements, 3);
  const admin = await api.login('admin@acme.example', PASSWORD);
  await api.login('admin@empty.example', PASSWORD);

  const customers = await api.get<Page<Titled>>('/api/customers?page=0&pageSize=10', admin);
  assert.equal(titles(customers), ['Alice', 'Bob', 'Public']);
  assert.is(customers.totalElements, 3);
  const bob = await api.get<Titled & { country: string }>(`/api/customer/${notes.bobsCustomerId}`, admin);
  assert.equal([bob.title, bob.version, bob.country], ['Bob', 2, 'Ä€']);
  assert.is((await api.get(`/api/tenant/customers?customerTitle=Bob`, admin)).id.id, notes.bobsCustomerId);
  assert.is((await api.send('GET', `/api/tenant/customers?customerTitle=Robert`, admin)).status, 404);

  const alice = await api.login('user@alice.example', PASSWORD);
  for (const nobody of ['disabled@bob.example', 'open@bob.example', 'user@deleted.example']) {
    const body = { username: nobody, password: PASSWORD };
    assert.is((await api.send('POST', '/api/auth/login', undefined, body)).status, 401, nobody);
  }
  const users = await api.get<Page<object>>(
    `/api/customer/${notes.bobsCustomerId}/users?page=0&pageSize=10`,
    admin,
  );
  assert.is(users.totalElements, 2);
  const link = await api.must('GET', `/api/user/${notes.openUserId}/activationLink`, admin);
  assert.match(link, notes.openActivation);

  const profiles = await api.get<Page<{ name: string; default: boolean }>>(
    '/api/deviceProfiles?page=0&pageSize=10',
    admin,
  );
  assert.equal(
    profiles.data.map(({ name, default: isDefault }) => [name, isDefault]).sort(),
    [
      ['default', false],
      ['pumps', true],
      ['valves', false],
    ].sort(),
  );
  const byKey = await fetch(`${api.url}/api/auth/user`, {
    headers: { 'x-authorization': `ApiKey ${notes.apiKey}` },
  });
  assert.is(((await byKey.json()) as { email: string }).email, 'admin@acme.example');

  const devices = await api.get<Page<{ name: string }>>('/api/tenant/devices?page=0&pageSize=100', admin);
  assert.equal(devices.data.map(({ name }) => name).sort(), [
    'claimed',
    'imported 1',
    'keyed',
    'open',
    'public',
    'returned',
    'unclaimed',
  ]);
  const confirm = async (name: string) => (await api.confirm(alice, name, 'wrong')).body;
  assert.match(await confirm('claimed'), 'CLAIMED');
  for (const name of ['open', 'returned', 'keyed', 'unclaimed']) assert.match(await confirm(name), 'FAILURE');
  assert.is((await api.device(admin, 'public')).customerId.id, notes.publicCustomerId);

  const jobs = await api.get<readonly Job[]>('/api/deviceImports', admin);
  assert.equal(
    jobs.map(({ id, state, rows, good, refused }) => [id, state, rows, good, refused]),
    [
      [notes.importReceiving, 'RECEIVING', 1, 0, 0],
      [notes.importDone, 'DONE', 2, 1, 1],
    ],
  );
  const result = await api.must('GET', `/api/deviceImport/${notes.importDone}/result`, admin);
  assert.match(result, /^1,imported 1,CREATED,,/m);
  assert.match(result, /,given,/);
  const log = await api.get<Page<object>>('/api/audit/logs?page=0&pageSize=100', admin);
  assert.ok(log.totalElements > 10, 'what happened is in the audit log');
}

/** Changes what the story left, in every kind of thing. */
export async function goOn(api: Api, notes: GoldenNotes): Promise<void> {
  const admin = await api.login('admin@acme.example', PASSWORD);
  const taken = await api.send('POST', '/api/customer', admin, { title: 'Bob' });
  assert.is(taken.status, 400, 'a title that was taken is taken');
  const bob = await api.get<object>(`/api/customer/${notes.bobsCustomerId}`, admin);
  await api.post('/api/customer', admin, { ...bob, title: 'Bobby' });
  for (const title of ['Bob', 'Robert', 'Deleted']) await api.post('/api/customer', admin, { title });

  const activate = { activateToken: notes.openActivation, password: PASSWORD };
  const { token: opened } = await api.post<{ token: string }>('/api/noauth/activate', undefined, activate);
  assert.is((await api.send('POST', '/api/noauth/activate', undefined, activate)).status, 400, 'good once');
  for (const name of ['open', 'keyed', 'imported 1']) {
    const secret = { open: 'secret', keyed: 'boxed', 'imported 1': 'given' }[name] ?? '';
    assert.is((await api.send('POST', claimPath(name), opened, { secretKey: secret })).status, 200, name);
  }
  await api.must('DELETE', `/api/customer/${notes.bobsCustomerId}`, admin);
  assert.is((await api.send('GET', '/api/auth/user', opened)).status, 401);
  const again = { email: 'open@bob.example', authority: 'TENANT_ADMIN' };
  await api.post('/api/user?sendActivationMail=false', admin, again);

  await api.must('POST', `/api/deviceImport/${notes.importReceiving}/start?dryRun=false`, admin);
  while ((await api.get<Job>(`/api/deviceImport/${notes.importReceiving}`, admin)).state !== 'DONE')
    await new Promise((resolve) => setTimeout(resolve, 50));
  const sysadmin = await api.login('sysadmin@thingsboard.org', GOLDEN_ENVIRONMENT.SYSADMIN_PASSWORD);
  await api.must('DELETE', `/api/tenant/${notes.tenantId}`, sysadmin);
  assert.is((await api.send('GET', '/api/auth/user', admin)).status, 401);
  const tenants = await api.get<Page<Titled>>('/api/tenants?page=0&pageSize=10', sysadmin);
  assert.equal(titles(tenants), ['Empty', 'Nobody']);
  const byKey = await fetch(`${api.url}/api/auth/user`, {
    headers: { 'x-authorization': `ApiKey ${notes.apiKey}` },
  });
  assert.is(byKey.status, 401);
}

const titles = ({ data }: Page<Titled>) => data.map(({ title }) => title).sort();

async function idOfTenant(api: Api, sysadmin: string, title: string): Promise<string> {
  const { data } = await api.get<Page<Titled & { id: { id: string } }>>(
    '/api/tenants?page=0&pageSize=10',
    sysadmin,
  );
  return data.find((tenant) => tenant.title === title)?.id.id ?? '';
}

async function idOfUser(api: Api, admin: string, email: string): Promise<string> {
  const query = `page=0&pageSize=10&textSearch=${email}`;
  const { data } = await api.get<Page<{ id: { id: string } }>>(`/api/users?${query}`, admin);
  return data[0]?.id.id ?? '';
}
