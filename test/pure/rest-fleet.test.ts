/** What the web application needs beyond ThingsBoard's endpoints: claim windows, figures, labels, imports, the live feed. */
import * as assert from 'uvu/assert';
import { randomAccessToken } from '../../actors/base/access-token.ts';
import type { ApiKeyId, UserId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import { nextTurn } from '../../actors/base/slices.ts';
import { createImports, type ImportNeeds } from '../../actors/imports/imports.ts';
import { openImports } from '../../actors/imports/jobs.ts';
import { BLOCK } from '../../actors/records/jobs.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { createMayGoOn } from '../../http/routes/may-go-on.ts';
import { DEVICE_CERTIFICATE } from '../kit/device-certificate.ts';
import { createGate } from '../kit/faulty-store.ts';
import { within } from '../kit/patience.ts';
import {
  type Answer,
  type Caller,
  claimPath,
  entity,
  HOUR_MS,
  type Household,
  isProblem,
  newAdministrator,
  openWindow,
  pageOf,
  provision,
  type RestWorld,
  restLaws,
  settle,
  systemAdministrator,
} from '../kit/rest-client.ts';
import { pause, until } from '../kit/until.ts';

const { law, run } = restLaws('rest fleet');

const infoOf = async (caller: Caller, id: string) => entity(await caller.get(`/api/device/info/${id}`));

law(
  'device infos: the tenant sees windows, keys and permissions, a customer does not',
  async ({ world, home }) => {
    const now = world.clock.now();
    const id = await provision(world, home.tenantId, 'D');
    const nothing = { claimWindow: null, claimingDataExpiresAt: null, claimingAllowed: null };
    const claimability = async (caller: Caller) => {
      const { claimWindow, claimingDataExpiresAt, claimingAllowed } = await infoOf(caller, id);
      return { claimWindow, claimingDataExpiresAt, claimingAllowed };
    };
    assert.equal(await claimability(home.admin), nothing);
    await openWindow(world, id, 's', HOUR_MS);
    const claimingData = { secretKey: 'k', expirationTime: now + 5 };
    await home.admin.post(`/api/plugins/telemetry/${id}/SERVER_SCOPE`, {
      claimingAllowed: true,
      claimingData,
    });
    const window = { openedAt: now, closesAt: now + HOUR_MS, openedBy: 'device' };
    const there = { claimWindow: window, claimingDataExpiresAt: now + 5, claimingAllowed: true };
    assert.equal(await claimability(home.admin), there);
    world.clock.advance(HOUR_MS);
    assert.equal(await claimability(home.admin), { ...there, claimWindow: null });
    await home.admin.post(`/api/customer/${home.alice.customerId}/device/${id}`);
    await home.admin.post(`/api/plugins/telemetry/${id}/SERVER_SCOPE`, { claimingData });
    assert.equal(await claimability(home.alice), nothing);
  },
);

law('device infos: by claim state, together with every other filter', async ({ world, home }) => {
  for (const name of ['Free', 'Open', 'Elapsed', 'Mine']) {
    const id = await provision(
      world,
      home.tenantId,
      name,
      name === 'Mine' ? home.alice.customerId : undefined,
    );
    if (name === 'Open') await openWindow(world, id, 's', HOUR_MS);
    if (name === 'Elapsed') await openWindow(world, id, 's', 1000);
  }
  world.clock.advance(1000);
  const named = async (query: string) =>
    pageOf(await home.admin.get(`/api/tenant/deviceInfos?${query}`)).data.map(({ name }) => name);
  for (const more of [
    '',
    '&sortProperty=name',
    '&type=default',
    '&type=default&sortProperty=name',
    '&active=false',
  ]) {
    assert.equal((await named(`claimState=UNCLAIMED${more}`)).sort(), ['Elapsed', 'Free'], more);
    assert.equal(await named(`claimState=WINDOW_OPEN${more}`), ['Open'], more);
    assert.equal(await named(`claimState=OWNED${more}`), ['Mine'], more);
  }
  assert.equal(await named('claimState=UNCLAIMED&textSearch=fr'), ['Free']);
  assert.equal(await named('claimState=OWNED&textSearch=fr'), []);
  const page = pageOf(await home.admin.get('/api/tenant/deviceInfos?claimState=UNCLAIMED&pageSize=1&page=1'));
  assert.equal([page.data.length, page.totalElements, page.hasNext], [1, 2, false]);
});

// --------------------------------------------------------------------------------------------------------- imports

interface Job {
  readonly id: string;
  readonly state: string;
  readonly rows: number;
  readonly through: number;
  readonly good: number;
  readonly refused: number;
}

const jobOf = (answer: Answer) => entity(answer) as unknown as Job;

async function begin(caller: Caller, rows: readonly object[], more: object = {}): Promise<string> {
  const { id } = jobOf(await caller.post('/api/deviceImport', more));
  for (let from = 0; from < rows.length; from += 1000) {
    entity(await caller.post(`/api/deviceImport/${id}/rows`, { from, rows: rows.slice(from, from + 1000) }));
  }
  return id;
}

async function runThrough(caller: Caller, id: string, dryRun: boolean): Promise<Job> {
  jobOf(await caller.post(`/api/deviceImport/${id}/start?dryRun=${dryRun}`));
  for (;;) {
    const job = jobOf(await caller.get(`/api/deviceImport/${id}`));
    if (job.state === 'TRIED' || job.state === 'DONE') return job;
    await pause(5);
  }
}

const rowsOf = async (caller: Caller, id: string, query = '') =>
  pageOf(await caller.get(`/api/deviceImport/${id}/rows?pageSize=10000${query}`)).data as unknown as {
    row: number;
    name: string;
    outcome: string;
    message: string | null;
  }[];

law(
  'import: devices with MQTT user names and with certificates, which nobody reads in the store',
  async (scene) => {
    const { world, home } = scene;
    const password = 'a secret pass word ';
    const rows = [
      { name: 'by user', mqttClientId: 'c1', mqttUserName: 'u1', mqttPassword: password },
      { name: 'by client', mqttClientId: 'c2' },
      { name: 'by certificate', certificate: DEVICE_CERTIFICATE },
      { name: 'twice', mqttClientId: 'c2' },
      { name: 'two kinds', mqttUserName: 'u', accessToken: 'T' },
      { name: 'no name', mqttPassword: password },
      { name: 'no certificate', certificate: '-----BEGIN CERTIFICATE-----x' },
      { name: 'too long', mqttUserName: 'u'.repeat(256) },
      { name: 'the same certificate', certificate: DEVICE_CERTIFICATE.replaceAll('\n', '\r\n') },
    ];
    const id = await begin(home.admin, rows);
    const refusals = [
      null,
      null,
      null,
      'The MQTT client id or user name is in the list twice',
      'It has credentials of two kinds: an access token, MQTT client id and user name, or a certificate',
      'A password needs an MQTT user name, and without one there must be a client id',
      'The certificate is not one in PEM',
      'The MQTT user name is longer than 255 characters',
      'The certificate is in the list twice',
    ];
    await runThrough(home.admin, id, true);
    assert.equal(
      (await rowsOf(home.admin, id)).map(({ message }) => message),
      refusals,
    );
    const stored = JSON.stringify(await openImports(world.store).readBlock(id, 0));
    assert.match(stored, 'by user');
    for (const secret of [password.trim(), DEVICE_CERTIFICATE.slice(100, 140)])
      assert.not.match(stored, secret);

    const done = await runThrough(home.admin, id, false);
    assert.equal([done.good, done.refused], [3, 6], 'what a dry run told comes true');
    const credentialsOf = async (name: string) => {
      const device = await world.directory.byName(home.tenantId, name);
      return entity(await home.admin.get(`/api/device/${device?.id}/credentials`));
    };
    const user = await credentialsOf('by user');
    assert.is(user.credentialsType, 'MQTT_BASIC');
    assert.equal(JSON.parse(String(user.credentialsValue)), { clientId: 'c1', userName: 'u1', password });
    assert.is((await credentialsOf('by certificate')).credentialsType, 'X509_CERTIFICATE');
    const again = await begin(home.admin, [{ name: 'later', mqttClientId: 'c2' }]);
    await runThrough(home.admin, again, true);
    const [row] = await rowsOf(home.admin, again);
    assert.is(row?.message, 'Another device has this MQTT client id or user name');
  },
);

law('import: a dry run says what would happen to each row and changes nothing', async ({ world, home }) => {
  await provision(world, home.tenantId, 'Taken');
  const rows = [
    { name: 'A', accessToken: 'T' },
    { name: 'Taken' },
    { name: ' ' },
    { name: 'A' },
    { name: 'B', accessToken: 'T' },
    { name: 'x'.repeat(256) },
    { name: 'C\u0007' },
    { name: 'D', type: 'valve', label: 'in the cellar' },
  ];
  const id = await begin(home.admin, rows);
  const job = await runThrough(home.admin, id, true);
  assert.equal([job.state, job.rows, job.through, job.good, job.refused], ['TRIED', 8, 8, 2, 6]);
  const told = (await rowsOf(home.admin, id)).map(({ outcome, message }) => [outcome, message]);
  assert.equal(told, [
    ['GOOD', null],
    ['REFUSED', 'There is a device of this name already'],
    ['REFUSED', 'The name is missing'],
    ['REFUSED', 'The name is in the list twice'],
    ['REFUSED', 'The access token is in the list twice'],
    ['REFUSED', 'The name is longer than 255 characters'],
    ['REFUSED', 'The name has characters that cannot be shown'],
    ['GOOD', null],
  ]);
  const [, plain] = await rowsOf(home.admin, id);
  assert.equal(Object.keys(plain ?? {}), ['row', 'name', 'outcome', 'message'], 'as it always was');
  const [none, coded] = await rowsOf(home.admin, id, '&reasons=true');
  assert.equal(coded, { ...plain, reason: { code: 'name-taken', viaGateway: false } });
  assert.is(Object.hasOwn(none ?? {}, 'reason'), true);
  assert.equal(
    (await rowsOf(home.admin, id, '&refusedOnly=true')).map(({ row }) => row),
    [2, 3, 4, 5, 6, 7],
  );
  assert.is(pageOf(await home.admin.get('/api/tenant/devices')).totalElements, 1);

  const done = await runThrough(home.admin, id, false);
  assert.equal([done.state, done.good, done.refused], ['DONE', 2, 6]);
  assert.is(pageOf(await home.admin.get('/api/tenant/devices')).totalElements, 3);
  const made = entity(await home.admin.get('/api/tenant/devices?deviceName=D'));
  assert.equal([made.type, made.label], ['valve', 'in the cellar']);
});

law(
  'attack: dry runs do not find tokens of other tenants by long lists of guesses; an import refuses each',
  async ({ world, home }) => {
    const others = await settle(world, 'others');
    const found = 20;
    const tokens: string[] = [];
    for (let n = 0; n < found + 5; n += 1)
      tokens.push(`token of ${await provision(world, others.tenantId, `D${n}`)}`);
    const own = `token of ${await provision(world, home.tenantId, 'Own')}`;
    const rows = [...tokens, own, 'a token of nobody'].map((accessToken, n) => ({
      name: `${n}`,
      accessToken,
    }));
    const outcomes = async (caller: Caller, id: string) =>
      (await rowsOf(caller, id)).map(({ outcome }) => outcome);
    const taken = (count: number) => Array.from({ length: count }, () => 'REFUSED');
    const good = (count: number) => Array.from({ length: count }, () => 'GOOD');
    const id = await begin(home.admin, rows);
    await runThrough(home.admin, id, true);
    assert.equal(await outcomes(home.admin, id), [...taken(found), ...good(5), 'REFUSED', 'GOOD']);
    await runThrough(home.admin, id, true);
    assert.equal(
      await outcomes(home.admin, id),
      [...good(found + 5), 'REFUSED', 'GOOD'],
      'nor by another one',
    );

    const third = await settle(world, 'third');
    const theirs = await begin(third.admin, rows.slice(0, 2));
    await runThrough(third.admin, theirs, true);
    assert.equal(await outcomes(third.admin, theirs), taken(2), 'nobody else is held to account');

    await runThrough(home.admin, id, false);
    assert.equal(await outcomes(home.admin, id), [...taken(found + 6), 'CREATED']);
  },
);

law(
  'import: a key that was sent or drawn opens the device; the result has it, the store does not',
  async ({ world, home }) => {
    const rows = [{ name: 'A', secretKey: 'given-Key' }, { name: '=B' }];
    const id = await begin(home.admin, rows, { generateKeys: true });
    await runThrough(home.admin, id, false);
    const result = await home.admin.get(`/api/deviceImport/${id}/result`);
    assert.match(result.headers.get('content-type') ?? '', 'text/csv');
    const [head, first = '', second = ''] = result.text.split('\r\n');
    assert.is(head, 'row,name,outcome,message,deviceId,accessToken,secretKey,claimUrl,kitCode');
    assert.match(
      first,
      /^1,A,CREATED,,[0-9a-f-]{36},[A-Za-z0-9]{20},given-Key,http:\/\/localhost\/claim#device=A&key=given-Key,$/,
    );
    const [, made = ''] = /,([A-Z0-9]{4}(?:-[A-Z0-9]{4}){3}),/.exec(second) ?? [];
    assert.match(second, /^2,'=B,/); // no formula for a spreadsheet
    const kept = String(await world.store.records.get(`import-block:${id}/0`));
    assert.match(kept, '"name":"A"');
    assert.not.match(kept, 'given-Key');
    assert.is((await home.alice.post(claimPath('A'), { secretKey: 'given-Key' })).status, 200);
    assert.is((await home.alice.post(claimPath('=B'), { secretKey: made })).status, 200);
  },
);

law('import: rows come in parts that can be repeated, but not with gaps', async ({ home }) => {
  const id = await begin(home.admin, []);
  const send = (from: number, names: readonly string[]) =>
    home.admin.post(`/api/deviceImport/${id}/rows`, { from, rows: names.map((name) => ({ name })) });
  assert.is(jobOf(await send(0, ['A', 'B'])).rows, 2);
  assert.is(jobOf(await send(0, ['A', 'B'])).rows, 2);
  assert.is(jobOf(await send(1, ['B', 'C'])).rows, 3);
  isProblem(await send(5, ['X']), 400, 31, 'Rows before these are missing!');
  // Another client sends others in their place: it must not hear that they are there.
  isProblem(await send(0, ['A', 'X']), 409, 35);
  isProblem(await send(2, ['X', 'D']), 409, 35);
  await runThrough(home.admin, id, false);
  isProblem(await send(3, ['D']), 400, 31, 'The import is not in a state for this!');
  const names = pageOf(await home.admin.get('/api/tenant/devices')).data.map(({ name }) => name);
  assert.equal(names, ['A', 'B', 'C']);
});

const NOTHING_ASKED = {
  accessToken: '',
  mqttClientId: '',
  mqttUserName: '',
  mqttPassword: '',
  certificate: '',
};

const newRows = (...names: string[]) =>
  names.map((name) => ({ name, type: 'default', label: '', secretKey: '', kit: '', ...NOTHING_ASKED }));

/** Imports as another process has them. */
function importsOf(world: RestWorld, changed: Partial<ImportNeeds> = {}) {
  const mayGoOn = createMayGoOn(world.accounts);
  return createImports({ ...world, log: silentLog, accessToken: randomAccessToken, mayGoOn, ...changed });
}

law(
  'import: rows that were sent twice, and arrive late in another process, take none away',
  async ({ world, home }) => {
    const { tenantId } = home;
    const id = await begin(home.admin, []);
    const gate = createGate();
    let hasRead = false;
    const { records } = world.store;
    const slowly = new Proxy(records, {
      get(_, method) {
        const itself: unknown = Reflect.get(records, method);
        if (typeof itself !== 'function') return itself;
        if (method !== 'get') return itself.bind(records);
        return async (key: string) => {
          const found = await records.get(key);
          hasRead ||= key.startsWith('import-block');
          if (hasRead) await gate.opened;
          return found;
        };
      },
    });
    const late = importsOf(world, { store: { ...world.store, records: slowly } }).add(
      tenantId,
      id,
      0,
      newRows('A', 'B'),
    );
    await until('it has looked at what is there', () => hasRead);
    // Its sender waits no longer, and sends the part again, and the next.
    for (const [from, part] of [
      [0, newRows('A', 'B')],
      [2, newRows('C')],
    ] as const)
      assert.is((await world.imports.add(tenantId, id, from, part)).type, 'done');
    gate.open();
    assert.is((await late).type, 'done', 'they are there');
    const names = (await rowsOf(home.admin, id)).map(({ name }) => name);
    assert.equal(names, ['A', 'B', 'C']);
  },
);

for (const [first, which] of ['the first', 'the second'].entries())
  law(
    `import: of two clients that send other rows for one place, in two processes, one is refused; ${which} goes on first`,
    async ({ world, home }) => {
      const { tenantId } = home;
      const id = await begin(home.admin, []);
      const { entities } = world.store;
      /** A process that comes to its next commit and is held there. */
      const held = (part: readonly string[]) => {
        const gate = createGate();
        let commits = 0;
        const slowly = {
          load: (...asked: Parameters<typeof entities.load>) => entities.load(...asked),
          commit(...asked: Parameters<typeof entities.commit>) {
            commits += 1;
            return gate.opened.then(() => entities.commit(...asked));
          },
        };
        const imports = importsOf(world, { store: { ...world.store, entities: slowly } });
        return { imports, gate, part, hasCome: () => commits > 0 };
      };
      const clients = [held(['A', 'B', 'C']), held(['X', 'Y'])];
      const answers = [];
      for (const { imports, part, hasCome } of clients) {
        answers.push(imports.add(tenantId, id, 0, newRows(...part)));
        await until('its rows are written, and do not count yet', hasCome);
      }
      clients[first]?.gate.open();
      await answers[first];
      clients[1 - first]?.gate.open();
      const told = await Promise.all(answers);
      const reasons = told.map((answer) => (answer.type === 'done' ? 'done' : answer.reason));
      const winner = clients.find((_, nth) => reasons[nth] === 'done');
      assert.equal(reasons.sort(), ['done', 'other-rows']);
      const names = (await rowsOf(home.admin, id)).map(({ name }) => name);
      assert.equal(names, winner?.part, 'all rows of one, and none of the other');
    },
  );

/** The same, with something that happens when it has asked a number of devices. */
function importsWith(
  world: RestWorld,
  afterAsks: number,
  happens: () => Promise<unknown>,
  before?: (asked: number) => Promise<unknown> | undefined,
) {
  const { devices } = world;
  let asked = 0;
  return importsOf(world, {
    devices: {
      ...devices,
      async ask(device, command) {
        asked += 1;
        if (asked === afterAsks) await happens();
        else await before?.(asked);
        return devices.ask(device, command);
      },
    },
  });
}

const manyRows = (how: number) => Array.from({ length: how }, (_, at) => ({ name: `Device ${at}` }));

const devicesOf = async ({ directory }: RestWorld, { tenantId }: Household) =>
  (await directory.ofTenant(tenantId, { page: 0, pageSize: 1 })).total;

law('import: who may not do it any more: it stops before the next rows, and says so', async (scene) => {
  const { world, home } = scene;
  const { admin, tenantId, adminId } = home;
  const id = await begin(admin, manyRows(BLOCK + 10));
  const { users } = world.accounts;
  const imports = importsWith(world, 10, () => users.setEnabled(adminId, false));
  await imports.start(tenantId, id, false, { userId: adminId });
  await until('it has stopped', async () => (await imports.find(tenantId, id))?.state === 'stopped');
  const { caller: colleague } = await newAdministrator(world, tenantId, 'colleague@home.test');
  const job = jobOf(await colleague.get(`/api/deviceImport/${id}`));
  assert.equal([job.state, job.through, job.good, job.refused], ['STOPPED', BLOCK, 16, BLOCK - 16]);
  assert.is(await devicesOf(world, home), 16);
  const outcomes = (await rowsOf(colleague, id)).map(({ outcome }) => outcome);
  assert.is(outcomes.filter((outcome) => outcome === 'WAITING').length, 10);
  const [refused] = (await rowsOf(colleague, id)).filter(({ outcome }) => outcome === 'REFUSED');
  assert.is(refused?.message, 'Who started the import may not do it any more');
  for (const path of ['start?dryRun=false', 'start?dryRun=true', 'cancel'])
    isProblem(
      await colleague.post(`/api/deviceImport/${id}/${path}`),
      400,
      31,
      'The import is not in a state for this!',
    );
  await imports.stop();
});

law('import: started by an API key, it stops when the key is revoked or has expired', async (scene) => {
  const { world, home } = scene;
  const { admin, tenantId, adminId } = home;
  const newKey = async (more: object = {}) => {
    const key = entity(await admin.post('/api/apiKey', { description: 'script', ...more }));
    return { id: key.id.id as ApiKeyId, value: String(key.value) };
  };
  const byKey = await newKey();
  const known = await begin(admin, [{ name: 'first' }]);
  const asked = await world.app.request(`/api/deviceImport/${known}/start?dryRun=false`, {
    method: 'POST',
    headers: { 'X-Authorization': `ApiKey ${byKey.value}` },
  });
  assert.is(asked.status, 200);
  const startedBy = async () => (await world.imports.find(tenantId, known))?.startedBy;
  assert.equal(await startedBy(), { userId: adminId, apiKeyId: byKey.id }, 'the import knows its key');
  await until('it is done', async () => (await world.imports.find(tenantId, known))?.state === 'done');

  const short = await newKey({ expirationTime: world.clock.now() + HOUR_MS });
  const ends = [
    [byKey.id, () => admin.delete(`/api/apiKey/${byKey.id}`)],
    [short.id, async () => world.clock.advance(HOUR_MS)],
  ] as const;
  for (const [apiKeyId, end] of ends) {
    const before = await devicesOf(world, home);
    const rows = manyRows(BLOCK + 10).map(({ name }) => ({ name: `${apiKeyId} ${name}` }));
    const id = await begin(admin, rows);
    const imports = importsWith(world, 10, end);
    await imports.start(tenantId, id, false, { userId: adminId, apiKeyId });
    await until('it has stopped', async () => (await imports.find(tenantId, id))?.state === 'stopped');
    assert.is((await devicesOf(world, home)) - before, 16);
    await imports.stop();
  }
});

law('import: asked about is who started it; of older records, who created them', async (scene) => {
  const { world, home } = scene;
  const { admin, tenantId, adminId } = home;
  const { users } = world.accounts;
  const colleague = await newAdministrator(world, tenantId, 'colleague@home.test');
  const [old, fresh] = [await begin(admin, [{ name: 'old' }]), await begin(admin, [{ name: 'fresh' }])];
  await world.imports.stop();
  await world.imports.start(tenantId, old, false, { userId: adminId });
  await openImports(world.store).change(old, ({ startedBy: _, ...job }) => job);
  const trial = await begin(
    admin,
    manyRows(3).map(({ name }) => ({ name: `trial ${name}` })),
  );
  await world.imports.start(tenantId, trial, true, { userId: adminId });
  await users.setEnabled(adminId, false);

  const next = importsOf(world);
  await next.resume();
  const stateOf = async (id: string) => (await next.find(tenantId, id))?.state;
  await until('it has stopped', async () => (await stateOf(old)) === 'stopped');
  await until('the dry run waits to be tried again', async () => (await stateOf(trial)) === 'receiving');
  assert.is(await devicesOf(world, home), 0);
  const by = { userId: colleague.userId };
  for (const id of [fresh, trial]) assert.is((await next.start(tenantId, id, false, by)).type, 'done');
  for (const id of [fresh, trial]) await until('it is done', async () => (await stateOf(id)) === 'done');
  assert.is(await devicesOf(world, home), 4);
  await world.audit.catchUp();
  const { data } = (await colleague.caller.get('/api/audit/logs?page=0&pageSize=100')).json as {
    data: { actionType: string; entityId: { entityType: string }; userId: { id: string } }[];
  };
  const makers = data
    .filter(({ actionType, entityId }) => actionType === 'ADDED' && entityId.entityType === 'DEVICE')
    .map(({ userId }) => userId.id);
  assert.equal(
    makers,
    Array.from({ length: 4 }, () => colleague.userId),
    'the trail names who started it',
  );
  await next.stop();
});

law(
  'import: broken off within a block and not allowed any more, it tells what it had created',
  async (scene) => {
    const { world, home } = scene;
    const { admin, tenantId, adminId } = home;
    const id = await begin(admin, manyRows(100));
    let isKilled = false;
    const others = createGate();
    const killed = importsWith(
      world,
      20,
      () => {
        isKilled = true;
        return Promise.reject(new Error('the process is killed'));
      },
      (asked) => (asked > 20 ? others.opened : undefined),
    );
    await killed.start(tenantId, id, false, { userId: adminId });
    await until('it is killed', async () => isKilled);
    let hasStopped = false;
    const stopped = killed.stop().then(() => {
      hasStopped = true;
    });
    for (let turn = 0; turn < 100; turn += 1) await nextTurn();
    assert.not.ok(hasStopped, 'others of the same part are still asked for');
    others.open();
    await stopped;
    const made = await devicesOf(world, home);
    assert.ok(made > 0 && made < 100, String(made));
    await world.accounts.users.setEnabled(adminId, false);
    const next = importsOf(world);
    await next.resume();
    await until('it has ended', async () => (await next.find(tenantId, id))?.state === 'done');
    await next.stop();
    const job = await next.find(tenantId, id);
    assert.equal([job?.good, job?.refused], [made, 100 - made]);
    assert.is(await devicesOf(world, home), made);
  },
);

law('import: broken off anywhere, it goes on and creates every device once', async ({ world, home }) => {
  const rows = Array.from({ length: 1200 }, (_, at) => ({ name: `Device ${at}` }));
  const id = await begin(home.admin, rows, { generateKeys: true });
  jobOf(await home.admin.post(`/api/deviceImport/${id}/start?dryRun=false`));
  while (pageOf(await home.admin.get('/api/tenant/devices')).totalElements < 300) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  await world.imports.stop();
  const next = importsOf(world);
  const stopped = jobOf(await home.admin.get(`/api/deviceImport/${id}`));
  assert.is(stopped.state, 'RUNNING');
  await next.resume();
  for (;;) {
    const job = jobOf(await home.admin.get(`/api/deviceImport/${id}`));
    if (job.state === 'DONE') {
      assert.equal([job.through, job.good, job.refused], [1200, 1200, 0]);
      break;
    }
    await pause(5);
  }
  assert.is(pageOf(await home.admin.get('/api/tenant/devices')).totalElements, 1200);
  await next.stop();
});

/** What a cancelled import says, and which devices there are. */
async function afterCancel(caller: Caller, id: string): Promise<Job> {
  for (;;) {
    const job = jobOf(await caller.get(`/api/deviceImport/${id}`));
    if (job.state === 'CANCELLED') {
      const rows = await rowsOf(caller, id);
      const created = rows.filter(({ outcome }) => outcome === 'CREATED').length;
      assert.is(created, job.good, 'what was created is counted');
      assert.is(rows.filter(({ outcome }) => outcome === 'WAITING').length, job.rows - job.through);
      assert.is(pageOf(await caller.get('/api/tenant/devices')).totalElements, created, 'and told');
      return job;
    }
    assert.is(job.state, 'CANCELLING');
    await pause(5);
  }
}

law('import: cancelled, it ends with what it has created, and says which rows', async ({ world, home }) => {
  const rows = Array.from({ length: 1200 }, (_, at) => ({ name: `Device ${at}`, secretKey: 'a key' }));
  const id = await begin(home.admin, rows);
  const cancel = `/api/deviceImport/${id}/cancel`;
  jobOf(await home.admin.post(`/api/deviceImport/${id}/start?dryRun=false`));
  while (pageOf(await home.admin.get('/api/tenant/devices')).totalElements < 20) await pause(1);
  assert.is(jobOf(await home.admin.post(cancel)).state, 'CANCELLING');
  const { good } = await afterCancel(home.admin, id);
  assert.ok(good >= 20 && good < 1200, `${good}`);
  assert.is(jobOf(await home.admin.post(cancel)).state, 'CANCELLED', 'it can be repeated');
  const again = await home.admin.post(`/api/deviceImport/${id}/start?dryRun=false`);
  isProblem(again, 400, 31, 'The import is not in a state for this!');
  const labels = entity(await home.admin.get(`/api/deviceLabels/preview?importId=${id}`));
  assert.is(labels.labels, good, 'what was created has labels');
  isProblem(await (await settle(world, 'other')).admin.post(cancel), 404, 32);

  const waiting = await begin(home.admin, [{ name: 'Never' }]);
  const ended = await home.admin.post(`/api/deviceImport/${waiting}/cancel`);
  assert.is(jobOf(ended).state, 'CANCELLED', 'nothing was under way');
  const done = await begin(home.admin, [{ name: 'Done' }]);
  await runThrough(home.admin, done, false);
  isProblem(await home.admin.post(`/api/deviceImport/${done}/cancel`), 400, 31);
});

law('import: cancelled and broken off, it says all the same what it has created', async ({ world, home }) => {
  const rows = Array.from({ length: 1200 }, (_, at) => ({ name: `Device ${at}` }));
  const id = await begin(home.admin, rows);
  jobOf(await home.admin.post(`/api/deviceImport/${id}/start?dryRun=false`));
  while (pageOf(await home.admin.get('/api/tenant/devices')).totalElements < 20) await pause(1);
  const stopped = world.imports.stop();
  await home.admin.post(`/api/deviceImport/${id}/cancel`);
  await stopped;
  const next = importsOf(world);
  await next.resume();
  const { good } = await afterCancel(home.admin, id);
  assert.ok(good >= 20 && good < 1200, `${good}`);
  await next.stop();
});

law(
  'import: going on after a crash, it creates no device again that was deleted meanwhile',
  async (scene) => {
    const { world, home } = scene;
    const rows = Array.from({ length: 20 }, (_, at) => ({ name: `Device ${at}`, secretKey: `key ${at}` }));
    const id = await begin(home.admin, rows);
    await world.imports.stop();
    const { store, devices } = world;
    // The process ends in the middle of a block: it is not written yet which of its rows were carried out.
    let asked = 0;
    const dying = importsOf(world, {
      devices: {
        ...devices,
        ask(device, command) {
          asked += 1;
          return asked > 18 ? Promise.reject(new Error('killed')) : devices.ask(device, command);
        },
      },
    });
    await dying.start(home.tenantId, id, false, { userId: home.adminId });
    while (asked <= 18) await new Promise((resolve) => setImmediate(resolve));
    await dying.stop();
    const made = pageOf(await home.admin.get('/api/tenant/devices?pageSize=100')).data as unknown as {
      readonly id: { readonly id: string };
    }[];
    assert.ok(made.length > 2 && made.length < 20, String(made.length));
    const [deleted] = made;
    assert.is((await home.admin.delete(`/api/device/${deleted?.id.id}`)).status, 200);

    const next = importsOf(world);
    await next.resume();
    while ((await next.find(home.tenantId, id))?.state !== 'done') await pause(5);
    await next.stop();
    assert.is(pageOf(await home.admin.get('/api/tenant/devices')).totalElements, 20);
    const provisioned: string[] = [];
    const { events } = await store.journal.log(0, 0, 1000);
    for (const { stream, event } of events) if (event.includes('DeviceProvisioned')) provisioned.push(stream);
    assert.is(new Set(provisioned).size, provisioned.length, 'an id was provisioned twice');
    // The report has each device's real id, and the keys that were sent open them.
    const result = (await home.admin.get(`/api/deviceImport/${id}/result`)).text
      .trim()
      .split('\r\n')
      .slice(1);
    assert.is(result.length, 20);
    for (const [at, line] of result.entries())
      assert.match(line, new RegExp(`CREATED,,[0-9a-f-]{36},\\w+,key ${at},`));
    for (const { name, secretKey } of rows.slice(0, 20))
      assert.is((await home.alice.post(claimPath(name), { secretKey })).status, 200);
  },
);

law('import: it goes on after what stopped it for a while', async ({ world, home }) => {
  const id = await begin(home.admin, [{ name: 'A' }, { name: 'B' }]);
  await world.imports.stop();
  const { accounts, clock } = world;
  let failures = 2;
  const next = importsOf(world, {
    accounts: {
      ...accounts,
      tenants: {
        ...accounts.tenants,
        find(tenant) {
          failures -= 1;
          if (failures >= 0) return Promise.reject(new StoreUnavailable('test', 'away'));
          return accounts.tenants.find(tenant);
        },
      },
    },
  });
  await next.start(home.tenantId, id, false, { userId: home.adminId });
  while ((await next.find(home.tenantId, id))?.state !== 'done') {
    clock.advance(1_000);
    await pause(5);
  }
  await next.stop();
  assert.is(pageOf(await home.admin.get('/api/tenant/devices')).totalElements, 2);
});

law('import: a tenant has a few under way at a time, and another tenant as many', async ({ world, home }) => {
  await world.imports.stop(); // nothing that is started comes to its end
  const other = await settle(world, 'other');
  const start = (caller: Caller, id: string) => caller.post(`/api/deviceImport/${id}/start?dryRun=false`);
  const ids = [];
  for (let n = 0; n < 6; n += 1) ids.push(await begin(home.admin, [{ name: `Device ${n}` }]));
  for (const id of ids.slice(0, 5)) assert.is(jobOf(await start(home.admin, id)).state, 'RUNNING');
  const [first = '', sixth = ''] = [ids[0], ids[5]];
  isProblem(
    await start(home.admin, sixth),
    400,
    31,
    '5 imports are under way! Wait until one has ended, or cancel one.',
  );
  assert.is(jobOf(await start(home.admin, first)).state, 'RUNNING', 'asked again, it is the same answer');
  assert.is(jobOf(await start(other.admin, await begin(other.admin, [{ name: 'D' }]))).state, 'RUNNING');
});

law('import: two of one tenant take turns, and create each device once', async ({ world, home }) => {
  const rows = Array.from({ length: 100 }, (_, at) => ({ name: `Device ${at}` }));
  const [one, two] = [await begin(home.admin, rows), await begin(home.admin, rows)];
  await world.imports.stop();
  const { devices } = world;
  let [inFlight, highest] = [0, 0];
  const next = importsOf(world, {
    devices: {
      ...devices,
      async ask(device, command) {
        inFlight += 1;
        highest = Math.max(highest, inFlight);
        const answer = await devices.ask(device, command);
        inFlight -= 1;
        return answer;
      },
    },
  });
  for (const id of [one, two]) await next.start(home.tenantId, id, false, { userId: home.adminId });
  const job = (id: string) => next.find(home.tenantId, id);
  while ((await job(one))?.state !== 'done' || (await job(two))?.state !== 'done') await pause(5);
  await next.stop();
  assert.equal([(await job(one))?.good, (await job(two))?.good, (await job(two))?.refused], [100, 0, 100]);
  assert.ok(highest <= 16, String(highest));
  assert.is(pageOf(await home.admin.get('/api/tenant/devices')).totalElements, 100);
});

law('import: nothing of it is left when its tenant is deleted', async ({ world, home }) => {
  const id = await begin(home.admin, [{ name: 'A', secretKey: 'given' }]);
  await runThrough(home.admin, id, false);
  const system = await systemAdministrator(world);
  assert.is((await system.delete(`/api/tenant/${home.tenantId}`)).status, 200);
  assert.is(await world.imports.find(home.tenantId, id), undefined);
  assert.is(await world.store.records.get(`import-block:${id}/0`), undefined);
});

law(
  'labels: an import’s are printed by their rows, and those without a key are named',
  async ({ world, home }) => {
    const rows = [
      ...Array.from({ length: 30 }, (_, at) => ({ name: `U${at}`, secretKey: `key ${at}` })),
      { name: 'U0' },
    ];
    const until = { keyExpirationTime: world.clock.now() + HOUR_MS };
    const id = await begin(home.admin, [...rows, { name: 'Keyless' }], until);
    isProblem(
      await home.admin.get(`/api/deviceLabels?importId=${id}`),
      400,
      31,
      'The import is not done yet!',
    );
    await runThrough(home.admin, id, false);
    const preview = entity(
      await home.admin.get(`/api/deviceLabels/preview?importId=${id}&first=20`),
    ) as unknown as {
      labels: number;
      pages: number;
      total: number;
      addressTroubles: string[];
      troubles: { type: string; count: number; devices: { name: string }[] }[];
    };
    assert.equal([preview.labels, preview.pages, preview.total], [30, 3, 32]);
    assert.equal(preview.addressTroubles, ['loopback', 'http', 'not-configured']);
    assert.equal(
      preview.troubles.map(({ type, count, devices }) => [type, count, devices.map(({ name }) => name)]),
      [['no-key', 1, ['Keyless']]],
    );
    const printed = async (query: string) => {
      const { text, headers } = await home.admin.get(`/api/deviceLabels?${query}`);
      assert.is(headers.get('content-type'), 'application/pdf');
      assert.is(headers.get('cache-control'), 'no-store', 'keys are in it');
      return Number(/\/Count (\d+)/.exec(text)?.[1]);
    };
    const one = `stock=roll-62x29&importId=${id}`;
    assert.is(await printed(one), 30);
    assert.is(await printed(`${one}&from=28`), 2);
    world.clock.advance(HOUR_MS);
    assert.is(await printed(one), 1, 'keys that have expired are on no label: an empty page');
  },
);

law('labels: only of one’s own devices, and what makes no sense is refused', async ({ world, home }) => {
  const other = await settle(world, 'other');
  const claimingData = { secretKey: 'k', expirationTime: world.clock.now() + HOUR_MS };
  const [mine, foreign] = await Promise.all(
    [home, other].map(async ({ tenantId, admin }, nth) => {
      const id = await provision(world, tenantId, `D${nth}`);
      await admin.post(`/api/plugins/telemetry/${id}/SERVER_SCOPE`, { claimingData });
      return id;
    }),
  );
  const preview = await home.admin.get(`/api/deviceLabels/preview?deviceIds=${mine},${foreign},${mine}`);
  assert.is(entity(preview).labels, 1);
  assert.not.match(preview.text, 'D1');
  const whole = await begin(home.admin, [{ name: 'X' }]);
  await runThrough(home.admin, whole, false);
  isProblem(await other.admin.get(`/api/deviceLabels?importId=${whole}`), 404, 32);
  for (const query of [
    '',
    `importId=${whole}&deviceIds=${mine}`,
    'deviceIds=x',
    `deviceIds=${mine}&stock=papyrus`,
    `deviceIds=${mine}&first=0`,
    `deviceIds=${mine}&first=22`,
    `deviceIds=${mine}&from=-1`,
    `deviceIds=${mine}&stock=avery-l7160&stock=avery-l7160`,
  ]) {
    assert.is((await home.admin.get(`/api/deviceLabels?${query}`)).status, 400, query);
    assert.is((await home.admin.get(`/api/deviceLabels/preview?${query}`)).status, 400, query);
  }
});

law(
  'import: the result has no cell that a spreadsheet takes for a formula, whatever its separator',
  async ({ home }) => {
    const id = await begin(home.admin, [
      { name: 'a;=1+1', accessToken: '=1+2', secretKey: '@x' },
      { name: 'b\u00a0c' },
    ]);
    await runThrough(home.admin, id, false);
    const { text } = await home.admin.get(`/api/deviceImport/${id}/result`);
    const cells = text.split(/[,;\t\r\n]/);
    assert.equal(
      cells.filter((cell) => /^[=+@-]/.test(cell)),
      ['=1+1"'],
    ); // inside of quotes
    assert.match(text, '"a;=1+1"');
    const { text: raw } = await home.admin.get(`/api/deviceImport/${id}/result?raw=true`);
    assert.match(raw, /,=1\+2,@x,/, 'for a program, a secret is what it is');
    const bytes = (await home.admin.get(`/api/deviceImport/${id}/result?bom=true`)).text;
    assert.is(bytes.replace(/^\ufeff/, ''), text, 'a byte order mark changes nothing else');
  },
);

law('import: a row with a field that nobody reads is refused, before anything is made', async ({ home }) => {
  const { id } = jobOf(await home.admin.post('/api/deviceImport', {}));
  const rows = [{ name: 'D1', type: 'valve', PIN: '1234' }];
  const refused = await home.admin.post(`/api/deviceImport/${id}/rows`, { from: 0, rows });
  isProblem(refused, 400, 31);
  assert.match(refused.text, /PIN/);
});

law('import: a name with characters that nobody sees is refused, and says which', async ({ home }) => {
  const rows = [{ name: 'Pump\u200b1' }, { name: 'ok', label: 'x\u202ey' }, { name: 'fine' }];
  const id = await begin(home.admin, rows);
  await runThrough(home.admin, id, false);
  const told = (await rowsOf(home.admin, id)).map(({ outcome, message }) => `${outcome}: ${message}`);
  assert.match(told[0] ?? '', /^REFUSED: .*U\+200B/);
  assert.match(told[1] ?? '', /^REFUSED: .*U\+202E/);
  assert.match(told[2] ?? '', /^CREATED/);
});

law('import: another tenant’s does not exist, and old ones are forgotten', async ({ world, home }) => {
  const other = await settle(world, 'other');
  const id = await begin(home.admin, [{ name: 'A' }]);
  for (const path of [
    `/api/deviceImport/${id}`,
    `/api/deviceImport/${id}/rows`,
    `/api/deviceImport/${id}/result`,
  ]) {
    isProblem(await other.admin.get(path), 404, 32);
  }
  assert.equal((await other.admin.get('/api/deviceImports')).json, []);
  for (let count = 0; count < 20; count += 1) await begin(home.admin, []);
  isProblem(await home.admin.get(`/api/deviceImport/${id}`), 404, 32);
  assert.is(((await home.admin.get('/api/deviceImports')).json as unknown[]).length, 20);
});

/** An answer whose reader takes nothing of it before it is told to. */
async function readLate(world: RestWorld, token: string, path: string): Promise<() => Promise<string>> {
  const incoming = { socket: { remoteAddress: '192.0.2.1' } };
  const headers = { 'x-authorization': `Bearer ${token}` };
  const response = await world.app.request(path, { headers }, { incoming } as never);
  assert.is(response.status, 200);
  return () => response.text();
}

law(
  'long answers: of a list, labels, a result or the trail hears to the end who stands, and no more who does not',
  async ({ world, home }) => {
    const id = await begin(home.admin, [{ name: 'A', secretKey: 'key-of-a' }, { name: 'B' }]);
    await runThrough(home.admin, id, false);
    await world.audit.catchUp();
    for (const path of [
      '/api/deviceExport?where={}',
      '/api/deviceLabels?where={}',
      `/api/deviceImport/${id}/result`,
      '/api/audit/logs/export',
    ]) {
      const email = `carol${world.clock.now()}@home.test`;
      const { userId } = await newAdministrator(world, home.tenantId, email);
      const stands = await readLate(world, (await world.login(email)).token, path);
      // Longer than her token is good for.
      world.clock.advance(3 * HOUR_MS);
      assert.is((await stands()).slice(-1), '\n', path);
      const falls = await readLate(world, (await world.login(email)).token, path);
      world.clock.advance(1_000);
      await world.accounts.users.remove(userId);
      const isWhole = await falls().then(
        () => true,
        () => false,
      );
      assert.not(isWhole, path);
    }
  },
);

// ------------------------------------------------------------------------------------------------------------ live

const watcher = ({ tenantId }: Household, userId = 'admin') => ({
  tenantId,
  userId: userId as UserId,
  stillMay: async () => true,
});

law('feed: the tenant hears of its own devices, nobody else’s, until it ends', async ({ world, home }) => {
  const other = await settle(world, 'other');
  const stream = world.feed.watch({ ...watcher(home), lastsMs: HOUR_MS });
  assert.ok(stream);
  const id = await provision(world, home.tenantId, 'D');
  await openWindow(world, await provision(world, other.tenantId, 'Foreign'), 's');
  await openWindow(world, id, 's', HOUR_MS);
  await home.bob.post(claimPath('D'), { secretKey: 'wrong' });
  await home.alice.post(claimPath('D'), { secretKey: 's' });
  world.clock.advance(15_000); // a heartbeat
  await home.alice.delete(claimPath('D'));
  world.feed.close();
  const text = await new Response(stream).text();
  assert.not.match(text, 'Foreign');
  assert.match(text, ': still here');
  const events = [...text.matchAll(/^event: device\ndata: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
  assert.equal(
    events.map(({ type }) => type),
    ['opened', 'refused', 'claimed', 'given-back'],
  );
  const now = world.clock.now();
  const common = { deviceId: id, deviceName: 'D' };
  assert.equal(events[0], {
    type: 'opened',
    at: now - 15_000,
    ...common,
    customerId: null,
    closesAt: now - 15_000 + HOUR_MS,
    reason: null,
  });
  assert.equal(events[1], {
    type: 'refused',
    at: now - 15_000,
    ...common,
    customerId: home.bob.customerId,
    closesAt: null,
    reason: 'wrong-secret',
  });
});

law('feed: watchers are bounded, slow ones are let go, and every stream ends', async ({ world, home }) => {
  const streams = Array.from({ length: 60 }, (_, at) =>
    world.feed.watch({ ...watcher(home, `user ${at % 7}`), lastsMs: 1000 }),
  );
  assert.is(streams.filter((stream) => stream !== undefined).length, 50);
  assert.is((await home.admin.get('/api/events?seconds=0')).status, 429);
  const id = await provision(world, home.tenantId, 'D');
  for (let count = 0; count < 600; count += 1) await openWindow(world, id, 's');
  const slow = await new Response(streams[0] ?? null).text();
  assert.ok((slow.match(/^event/gm)?.length ?? 0) < 600);
  assert.is((await home.admin.get('/api/events?seconds=0')).status, 200);
  const last = world.feed.watch({ ...watcher(home), lastsMs: 1000 });
  world.clock.advance(1000);
  assert.match(await new Response(last ?? null).text(), 'retry: 3000');
});

/** A stream as it begins; its text comes when it ends. */
async function events(world: RestWorld, token: string): Promise<Response> {
  const incoming = { socket: { remoteAddress: '192.0.2.1' } };
  const headers = { 'x-authorization': `Bearer ${token}` };
  return world.app.request('/api/events?seconds=60', { headers }, { incoming } as never);
}

law('feed: one user has ten streams at most, and leaves room for others', async ({ world, home }) => {
  const { token } = await world.login(home.adminEmail);
  const streams: Response[] = [];
  for (let count = 0; count < 11; count += 1) streams.push(await events(world, token));
  assert.equal(
    streams.map(({ status }) => status),
    [...Array.from({ length: 10 }, () => 200), 429],
  );
  assert.ok(world.feed.watch({ ...watcher(home, 'another'), lastsMs: 1000 }));
  await streams[0]?.body?.cancel();
  assert.is((await events(world, token)).status, 200);
});

law('feed: a stream ends within two seconds of its logout', async ({ world, home }) => {
  const [leaving, staying] = [await world.login(home.adminEmail), await world.login(home.adminEmail)];
  const left = (await events(world, leaving.token)).text();
  const stayed = (await events(world, staying.token)).text();
  assert.is((await world.as(leaving.token).post('/api/auth/logout')).status, 200);
  world.clock.advance(2_000);
  await within('it ends', left);
  await openWindow(world, await provision(world, home.tenantId, 'Secret'), 's');
  world.feed.close();
  assert.not.match(await left, 'Secret');
  assert.match(await stayed, 'Secret');
});

law('windows: those that are open now, the next to close first', async ({ world, home }) => {
  const ids = new Map<string, string>();
  for (const [name, minutes] of [
    ['Long', 60],
    ['Short', 10],
    ['Claimed', 60],
    ['Elapsed', 1],
    ['Deleted', 60],
  ] as const) {
    const id = await provision(world, home.tenantId, name);
    ids.set(name, id);
    await openWindow(world, id, name, minutes * 60_000);
  }
  await home.alice.post(claimPath('Claimed'), { secretKey: 'Claimed' });
  await home.admin.delete(`/api/device/${ids.get('Deleted')}`);
  await world.audit.catchUp();
  world.clock.advance(60_000);
  const { data, complete } = (await home.admin.get('/api/tenant/claimWindows')).json as {
    data: { deviceName: string; closesAt: number }[];
    complete: boolean;
  };
  assert.ok(complete);
  const now = world.clock.now();
  assert.equal(
    data.map(({ deviceName, closesAt }) => [deviceName, (closesAt - now) / 60_000]),
    [
      ['Short', 9],
      ['Long', 59],
    ],
  );
});

law('statistics: what happened, hour by hour', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, 'D');
  await openWindow(world, id, 's', 24 * HOUR_MS);
  await home.bob.post(claimPath('D'), { secretKey: 'wrong' });
  world.clock.advance(2 * HOUR_MS);
  await home.alice.post(claimPath('D'), { secretKey: 's' });
  await home.alice.delete(claimPath('D'));
  await world.audit.catchUp();
  const { hours, complete } = (await home.admin.get('/api/tenant/claimStatistics?hours=3')).json as {
    hours: {
      windowsOpen: number;
      windowsOpened: number;
      claimed: number;
      givenBack: number;
      refused: number;
    }[];
    complete: boolean;
  };
  assert.ok(complete);
  assert.equal(
    hours.map((hour) => [hour.windowsOpen, hour.windowsOpened, hour.claimed, hour.givenBack, hour.refused]),
    [
      [1, 1, 0, 0, 1],
      [1, 0, 0, 0, 0],
      [0, 0, 1, 1, 0],
    ],
  );
});

run();
