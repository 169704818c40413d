/** What is asked of many devices at once besides changing them: their list as CSV, and their labels. */
import * as assert from 'uvu/assert';
import { SAVED_VIEWS_MAX } from '../../actors/accounts/saved-views.ts';
import type { DeviceId } from '../../actors/base/ids.ts';
import { parseCsv } from '../../http/web/csv.ts';
import { decoded, readPdf } from '../kit/pdf-reader.ts';
import {
  type Caller,
  entity,
  HOUR_MS,
  isDone,
  isProblem,
  openWindow,
  provision,
  restLaws,
  settle,
  steer,
} from '../kit/rest-client.ts';
import { until } from '../kit/until.ts';

const { law, run } = restLaws('rest selection');

const about = (where: object) => `where=${encodeURIComponent(JSON.stringify(where))}`;

/** Each line by the names of its columns. */
function linesOf(text: string): readonly Readonly<Record<string, string>>[] {
  const read = parseCsv(text);
  assert.ok(Array.isArray(read), 'it is CSV');
  const [names = [], ...rows] = read;
  return rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? ''])));
}

async function exported(caller: Caller, query: string) {
  const answer = await caller.get(`/api/deviceExport?${query}`);
  assert.is(answer.status, 200, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', 'text/csv');
  return linesOf(answer.text);
}

law('export: each device with its state and owner, of those that fit or are named', async (scene) => {
  const { world, home } = scene;
  const { admin, tenantId, alice } = home;
  const free = await provision(world, tenantId, 'lamp, "large"');
  const open = await provision(world, tenantId, 'lamp 2');
  await provision(world, tenantId, 'pump', alice.customerId);
  await openWindow(world, open, 's', HOUR_MS);
  const all = await exported(admin, about({}));
  assert.equal(
    all.map(({ name, state, customer, ownedBy }) => [name, state, customer, ownedBy]),
    [
      ['lamp, "large"', 'UNCLAIMED', '', ''],
      ['lamp 2', 'WINDOW_OPEN', '', ''],
      ['pump', 'OWNED', 'alice', 'assignment'],
    ],
  );
  const closes = new Date(world.clock.now() + HOUR_MS).toISOString();
  assert.equal([all[1]?.claimWindowUntil, all[0]?.claimWindowUntil], [closes, '']);
  assert.equal([all[0]?.id, all[0]?.type, all[0]?.connected], [free, 'default', 'false']);
  const names = async (query: string) => (await exported(admin, query)).map(({ name }) => name);
  assert.equal(await names(about({ textSearch: 'lamp' })), ['lamp, "large"', 'lamp 2']);
  assert.equal(await names(about({ claimState: 'OWNED' })), ['pump']);
  assert.equal(await names(about({ customerId: alice.customerId })), ['pump']);
  assert.equal(await names(`deviceIds=${open},${open}`), ['lamp 2'], 'each once');
  assert.equal(await names(about({ textSearch: 'nothing' })), []);
});

law(
  'export: a spreadsheet runs no name as a formula; a program gets it as it is',
  async ({ world, home }) => {
    const name = '=HYPERLINK("http://evil.test")';
    await home.admin.post('/api/device', { name, label: '@SUM(1)' });
    const [safe] = await exported(home.admin, about({}));
    assert.equal([safe?.name, safe?.label], [`'${name}`, "'@SUM(1)"]);
    const [raw] = await exported(home.admin, `${about({})}&raw=true`);
    assert.equal([raw?.name, raw?.label], [name, '@SUM(1)']);
    const { token } = await world.login(home.adminEmail);
    const headers = { 'X-Authorization': `Bearer ${token}` };
    const marked = await world.app.request(`/api/deviceExport?${about({})}&bom=true`, { headers });
    const bytes = Buffer.from(await marked.arrayBuffer());
    assert.is(bytes.toString('hex', 0, 3), 'efbbbf', 'a byte order mark');
  },
);

law('attack: an export has nothing of another tenant, and no token or key', async ({ world, home }) => {
  const other = await settle(world, 'other');
  const mine = await provision(world, home.tenantId, 'mine');
  const theirs = await provision(world, other.tenantId, 'theirs', other.alice.customerId);
  const secretKey = 'printed-on-the-box';
  await steer(home.admin, mine, { claimingData: { secretKey, expirationTime: world.clock.now() + HOUR_MS } });
  for (const query of [about({}), `deviceIds=${mine},${theirs}`]) {
    const answer = await home.admin.get(`/api/deviceExport?${query}`);
    assert.equal(
      linesOf(answer.text).map(({ id }) => id),
      [mine],
    );
    for (const secret of [secretKey, `token of ${mine}`, 'theirs']) assert.not.match(answer.text, secret);
  }
  const foreign = about({ customerId: other.alice.customerId });
  isProblem(await home.admin.get(`/api/deviceExport?${foreign}`), 404, 32);
  isProblem(await home.admin.get(`/api/deviceLabels?${foreign}`), 404, 32);
  for (const query of [
    '',
    'where=x',
    'where=[]',
    about({ textsearch: 'x' }),
    `${about({})}&deviceIds=${mine}`,
  ]) {
    isProblem(await home.admin.get(`/api/deviceExport?${query}`), 400, 31);
    isProblem(await home.admin.get(`/api/deviceLabels/preview?${query}`), 400, 31);
  }
});

law('labels: of all that fit, and of what a batch gave keys', async ({ world, home }) => {
  const { admin, tenantId } = home;
  const ids: DeviceId[] = [];
  for (const name of ['lamp 1', 'lamp 2', 'pump']) ids.push(await provision(world, tenantId, name));
  const preview = async (query: string) => {
    const { labels, total } = entity(await admin.get(`/api/deviceLabels/preview?${query}`));
    return [labels, total];
  };
  assert.equal(await preview(about({})), [0, 3], 'none has a key');
  const begun = entity(
    await admin.post('/api/deviceBatch', { change: 'SET_KEYS', where: { textSearch: 'lamp' } }),
  );
  const batchId = String(begun.id);
  await until('the keys are set', async () => {
    const batch = await world.batches.find(tenantId, batchId);
    return batch?.state === 'done';
  });
  assert.equal(await preview(about({})), [2, 3]);
  assert.equal(await preview(about({ textSearch: 'pump' })), [0, 1]);
  assert.equal(await preview(`batchId=${batchId}`), [2, 2]);
  const pdf = await admin.get(`/api/deviceLabels?batchId=${batchId}&stock=roll-62x29`);
  assert.is(Number(/\/Count (\d+)/.exec(pdf.text)?.[1]), 2);
  const other = await settle(world, 'other');
  isProblem(await other.admin.get(`/api/deviceLabels?batchId=${batchId}`), 404, 32);
});

law(
  'labels: in parts, while devices are claimed and made: each that fits the whole time is on one sheet',
  async (scene) => {
    const { world, home } = scene;
    const { admin, tenantId, alice } = home;
    const claimingData = { secretKey: 'on the box', expirationTime: world.clock.now() + 24 * HOUR_MS };
    const make = async (name: string) => {
      const id = await provision(world, tenantId, name);
      await steer(admin, id, { claimingData });
      return id;
    };
    // Not in the order of their names: lists of few devices are in that of their creation, others are not.
    for (let nth = 0; nth < 20; nth += 1) await make(`lamp ${(nth * 7) % 20}`);
    const claim = (name: string) =>
      alice.post(`/api/customer/device/${encodeURIComponent(name)}/claim`, { secretKey: 'on the box' });
    const query = `${about({ claimState: 'HAS_KEY' })}&limit=6&stock=roll-24x60`;
    const printed: string[] = [];
    const headers = { 'X-Authorization': `Bearer ${(await world.login(home.adminEmail)).token}` };
    const print = async (part: string) => {
      const response = await world.app.request(`/api/deviceLabels?${query}&${part}`, { headers });
      const pages = readPdf(Buffer.from(await response.arrayBuffer()));
      for (const code of pages.flatMap(({ codes }) => codes)) {
        const said = new URLSearchParams(new URL(decoded(code)).hash.slice(1));
        printed.push(String(said.get('device')));
      }
      return response.headers.get('x-next-part');
    };
    let next: string | null = '';
    for (let part = 0; next !== 'none'; part += 1) {
      assert.ok(part < 10, 'it ends');
      // What is looked at, and claimed in part before it is printed.
      const shown = entity(await admin.get(`/api/deviceLabels/preview?${query}&${next}`));
      assert.is(shown.through === null, false);
      if (part === 1) await claim(`lamp ${(7 * 7) % 20}`); // in this part
      next = await print(`${next}&through=${shown.through}`);
      assert.is(next, shown.next ?? 'none', 'the part is the one that was shown');
      // One that was printed, one that is to come; and one is made.
      await claim(`lamp ${(part * 6 * 7) % 20}`);
      if (part === 0) await claim(`lamp ${(15 * 7) % 20}`);
      if (part < 2) await make(`late ${part}`);
    }
    assert.equal(new Set(printed).size, printed.length, 'none twice');
    const stayed = (await admin.get(`/api/tenant/deviceInfos?pageSize=100&page=0&claimState=HAS_KEY`))
      .json as {
      data: readonly { name: string }[];
    };
    const left = stayed.data.map(({ name }) => name).filter((name) => name.startsWith('lamp'));
    assert.is(left.length, 14, left.join());
    for (const name of left) assert.ok(printed.includes(name), `${name} is on a sheet`);
    isProblem(await admin.get(`/api/deviceLabels?${query}&from=6`), 400, 31);
    isProblem(await admin.get(`/api/deviceLabels?${query}&after=x`), 400, 31);
    isProblem(await admin.get(`/api/deviceLabels?${query}0001`), 400, 31);
  },
);

law('saved lists: twenty of a user, replaced by name, gone with the user', async ({ world, home }) => {
  const { admin, adminId } = home;
  const save = (name: string, search = '') => admin.post('/api/user/deviceViews', { name, search });
  for (let nth = 0; nth < SAVED_VIEWS_MAX; nth += 1) assert.is((await save(`list ${nth}`)).status, 200);
  isProblem(await save('one more'), 400, 31);
  assert.is((await save('list 3', 'pump')).status, 200, 'one of the same name is replaced');
  const list = async () => (await admin.get('/api/user/deviceViews')).json as readonly { search: string }[];
  assert.equal([(await list()).length, (await list())[3]?.search], [SAVED_VIEWS_MAX, 'pump']);
  for (const body of [
    { name: '' },
    { name: 'x'.repeat(61) },
    { name: 'a\u202eb' },
    { name: 'n', search: 'x'.repeat(512) },
  ])
    isProblem(await admin.post('/api/user/deviceViews', body), 400, 31);
  isDone(await admin.delete('/api/user/deviceViews?name=list%200'));
  isProblem(await admin.delete('/api/user/deviceViews?name=list%200'), 404, 32);
  assert.is((await save('one more')).status, 200);
  const together = await Promise.all(
    Array.from({ length: 8 }, (_, nth) => save(`list ${nth + 1}`, 'at once')),
  );
  assert.ok(together.every(({ status }) => status === 200));
  assert.is((await list()).filter(({ search }) => search === 'at once').length, 8, 'none is lost');
  await world.accounts.tenants.remove(home.tenantId, adminId);
  assert.equal(await world.accounts.savedViews.of(adminId), []);
});

law('attack: two large reads of a tenant at a time; another tenant is not kept waiting', async (scene) => {
  const { world, home } = scene;
  const { admin, adminEmail } = home;
  const other = await settle(world, 'other');
  const id = await provision(world, home.tenantId, 'lamp');
  await provision(world, other.tenantId, 'theirs');
  const headers = { 'X-Authorization': `Bearer ${(await world.login(adminEmail)).token}` };
  const path = `/api/deviceExport?${about({})}`;
  const ask = async (method = 'GET') => world.app.request(path, { method, headers });

  const job = (await admin.post('/api/deviceImport', {})).json as { id: string };
  const [one, two] = [await ask(), await ask()];
  const set = { change: 'FORBID_CLAIMING', where: {} };
  for (const refused of [
    await admin.get(path),
    await admin.get(`/api/deviceLabels?${about({})}`),
    await admin.get(`/api/deviceLabels/preview?${about({})}`),
    await admin.post('/api/deviceBatch', set),
    await admin.get(`/api/deviceImport/${job.id}/result`),
  ]) {
    isProblem(refused, 429, 33);
    assert.is(refused.headers.get('retry-after'), '5');
  }
  assert.is((await exported(other.admin, about({}))).length, 1, 'of another tenant');
  assert.is((await exported(admin, `deviceIds=${id}`)).length, 1, 'named one by one');
  entity(await admin.post('/api/deviceBatch', { ...set, where: undefined, deviceIds: [id] }));

  assert.is(linesOf(await one.text()).length, 1);
  assert.is((await exported(admin, about({}))).length, 1, 'one was read to its end');
  await two.body?.cancel();
  for (let nth = 0; nth < 5; nth += 1) assert.is((await exported(admin, about({}))).length, 1);
  for (let nth = 0; nth < 3; nth += 1)
    assert.is((await admin.get(`/api/deviceImport/${job.id}/result`)).status, 200);
  const foreign = about({ customerId: other.alice.customerId });
  for (let nth = 0; nth < 3; nth += 1) isProblem(await admin.get(`/api/deviceExport?${foreign}`), 404, 32);
  for (let nth = 0; nth < 3; nth += 1) entity(await admin.get(`/api/deviceLabels/preview?${about({})}`));
});

law(
  'attack: what nobody reads gives way after a minute, and does not look whole',
  async ({ world, home }) => {
    const { adminEmail, tenantId } = home;
    await provision(world, tenantId, 'lamp');
    const headers = { 'X-Authorization': `Bearer ${(await world.login(adminEmail)).token}` };
    const ask = async (method = 'GET') =>
      world.app.request(`/api/deviceExport?${about({})}`, { method, headers });
    const slow = await ask();
    assert.is((await ask('HEAD')).status, 200);
    assert.is((await ask()).status, 429);
    world.clock.advance(30_000);
    const reader = slow.body?.getReader();
    assert.not((await reader?.read())?.done, 'it has moved');
    world.clock.advance(30_000);
    const next = await ask();
    assert.is(next.status, 200, 'instead of the HEAD');
    assert.is((await ask()).status, 429);
    world.clock.advance(30_000);
    const last = await ask();
    assert.is(last.status, 200, 'instead of the slow one');
    const end = await reader?.read().then(
      () => 'more',
      (error: Error) => error.message,
    );
    assert.is(end, 'nothing of it was taken for too long');
    for (const answer of [next, last]) assert.is(linesOf(await answer.text()).length, 1);
  },
);

run();
