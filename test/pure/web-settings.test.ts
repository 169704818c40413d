/** The administrators' own pages without a browser: settings, the audit trail, API keys, activation links. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import { parseCsv } from '../../http/web/csv.ts';
import { dayStart } from '../../http/web/parts/days.ts';
import type { WebSettings } from '../../http/web/settings.ts';
import {
  HOUR_MS,
  type Household,
  openWindow,
  provision,
  type RestWorld,
  settle,
} from '../kit/rest-client.ts';
import { until } from '../kit/until.ts';
import { createWebWorld, type Visitor, visitor } from '../kit/web-client.ts';

interface Scene {
  readonly world: RestWorld;
  readonly home: Household;
  readonly admin: Visitor;
}

const test = suite('web settings');

function law(name: string, play: (scene: Scene) => Promise<void>, web: Partial<WebSettings> = {}): void {
  test(name, async () => {
    const world = createWebWorld({}, web);
    try {
      const home = await settle(world, 'home');
      const admin = visitor(world);
      await admin.signIn(home.adminEmail);
      await play({ world, home, admin });
    } finally {
      await world.stop();
    }
  });
}

law('settings: what there is of what there may be, and the way to everything else', async (scene) => {
  const { world, home, admin } = scene;
  await provision(world, home.tenantId, 'One');
  const { text, html } = await admin.get('/settings');
  assert.match(text, /Devices 1/);
  assert.match(text, /Customers 2/);
  const ways = [...html.matchAll(/<li><a href="([^"]+)"/g)].map(([, to = '']) => to);
  assert.ok(ways.length >= 10, `${ways}`);
  for (const to of ways) assert.is((await admin.get(to)).status, 200, to);
});

law('audit: filtered by kind, text, person, customer and day; what it cannot find it says', async (scene) => {
  const { world, home, admin } = scene;
  await provision(world, home.tenantId, 'Pump 1');
  await provision(world, home.tenantId, 'Pump 2');
  await home.alice.post('/api/customer/device/Pump%201/claim', { secretKey: 'wrong' });
  await world.audit.catchUp();
  const all = await admin.get('/audit');
  assert.match(all.text, /Claim refused Pump 1 .*no claim window was open/);
  assert.match(all.text, /Created Pump 2/);
  const refusals = await admin.get('/audit?action=CLAIM_REFUSED');
  assert.not.match(refusals.text, 'Created Pump');
  assert.match(refusals.text, 'Claim refused Pump 1');
  assert.not.match((await admin.get('/audit?search=Pump%202')).text, 'Claim refused Pump 1');
  const hers = await admin.get(`/audit?who=${encodeURIComponent(home.alice.email)}`);
  assert.match(hers.text, 'Claim refused Pump 1');
  assert.not.match(hers.text, 'Created Pump 2');
  assert.match((await admin.get('/audit?customer=alice')).text, 'Claim refused Pump 1');
  assert.match((await admin.get('/audit?customer=bob&action=CLAIM_REFUSED')).text, 'Nothing fits');
  const today = new Date(world.clock.now()).toISOString().slice(0, 10);
  assert.match((await admin.get(`/audit?from=${today}&to=${today}`)).text, 'Claim refused Pump 1');
  assert.match((await admin.get('/audit?to=2001-01-01')).text, 'Nothing fits');
  for (const [wrong, says] of [
    ['who=nobody@x.test', 'There is nobody with the address “nobody@x.test”'],
    ['customer=nobody', 'There is no customer “nobody”'],
    ['from=yesterday', 'A day is written as'],
    ['from=2026-02-30', 'A day is written as'],
    ['action=NONSENSE', 'Unknown action type'],
    [`who=${encodeURIComponent(home.alice.email)}&customer=alice`, 'not for both'],
  ] as const) {
    const shown = await admin.get(`/audit?${wrong}`);
    assert.is(shown.status, 400, wrong);
    assert.match(shown.text, says);
  }
});

law('audit: the file has all that fits, and no formula in it', async ({ world, home, admin }) => {
  await provision(world, home.tenantId, '=1+1');
  const devices = 450; // more than two blocks
  for (let n = 0; n < devices; n += 1) await provision(world, home.tenantId, `D${n}`);
  await world.audit.catchUp();
  const file = await admin.get('/audit/export?action=ADDED');
  assert.is(file.status, 200);
  assert.match(file.headers.get('content-disposition') ?? '', /attachment; filename="audit-[\d-]+\.csv"/);
  const lines = parseCsv(file.html);
  if (!Array.isArray(lines)) throw new Error('the file is not CSV');
  const [head = [], ...entries] = lines;
  const names = entries.map((cells) => cells[head.indexOf('deviceName')]);
  for (let n = 0; n < devices; n += 1) assert.ok(names.includes(`D${n}`), `D${n}`);
  assert.ok(names.includes("'=1+1"));
  assert.is(new Set(entries.map((cells) => cells[head.indexOf('entryId')])).size, entries.length);
  assert.ok(entries.every((cells) => cells[head.indexOf('action')] === 'ADDED'));
  const raw = await home.admin.get('/api/audit/logs/export?raw=true&textSearch=%3D1');
  assert.match(raw.text, /,=1\+1,/);
});

law('audit: a file of another tenant has nothing of this one', async ({ world, home }) => {
  const other = await settle(world, 'other');
  await provision(world, home.tenantId, 'Ours');
  await world.audit.catchUp();
  assert.match((await home.admin.get('/api/audit/logs/export')).text, 'Ours');
  assert.not.match((await other.admin.get('/api/audit/logs/export')).text, 'Ours');
});

test('days: begin at midnight where the reader is, also when the clocks change', () => {
  const start = (day: string, timeZone: string | undefined) => {
    const at = dayStart(day, { timeZone });
    return at === undefined ? undefined : new Date(at).toISOString();
  };
  assert.is(start('2026-01-31', undefined), '2026-01-31T00:00:00.000Z');
  assert.is(start('2026-01-31', 'Europe/Berlin'), '2026-01-30T23:00:00.000Z');
  assert.is(start('2026-03-29', 'Europe/Berlin'), '2026-03-28T23:00:00.000Z');
  assert.is(start('2026-03-30', 'Europe/Berlin'), '2026-03-29T22:00:00.000Z');
  assert.is(start('2026-07-01', 'Pacific/Auckland'), '2026-06-30T12:00:00.000Z');
  assert.is(start('2026-07-01', 'America/Los_Angeles'), '2026-07-01T07:00:00.000Z');
  assert.is(start('2026-02-30', 'UTC'), undefined);
  assert.is(start('', 'UTC'), undefined);
});

law('API keys: made, shown once, used, and refused from the revocation on', async ({ world, admin }) => {
  const made = await admin.post('/account/keys', { description: 'Line 3', days: '30', claimingOnly: '' });
  assert.is(made.status, 200);
  const [, value = ''] = /id="key"[^>]*value="([^"]+)"/.exec(made.html) ?? [];
  const asProgram = () =>
    world.app.request('/api/auth/user', { headers: { 'X-Authorization': `ApiKey ${value}` } });
  assert.is((await asProgram()).status, 200);
  const listed = await admin.get('/account/keys');
  assert.match(listed.text, /Line 3 All that you may/);
  assert.not.ok(listed.html.includes(value), 'the value is shown once');
  const [, revoke = ''] = /href="(\/account\/keys\/[^"]+\/revoke)"/.exec(listed.html) ?? [];
  assert.match((await admin.get(revoke)).text, 'Line 3');
  assert.match((await admin.follow(await admin.post(revoke, {}))).text, 'The key is revoked.');
  assert.is((await asProgram()).status, 401);
  for (const days of ['0', '-1', '1.5', 'soon', '99999'])
    assert.is((await admin.post('/account/keys', { description: 'x', days })).status, 400, days);
});

law(
  'activation: another link ends the one before, and it can be mailed, copied and scanned',
  async (scene) => {
    const { world, home, admin } = scene;
    const answer = await home.admin.post('/api/user?sendActivationMail=false', {
      email: 'new@home.test',
      authority: 'CUSTOMER_USER',
      customerId: { entityType: 'CUSTOMER', id: home.alice.customerId },
    });
    const { id } = (answer.json as { readonly id: { readonly id: string } }).id;
    const linkIn = (html: string) => /id="activation"[^>]*value="([^"]*)"/.exec(html)?.[1] ?? '';
    const page = await admin.get(`/users/${id}`);
    const first = linkIn(page.html);
    assert.match(page.html, /href="mailto:new%40home\.test\?subject=[^"]+activateToken/);
    assert.match(page.html, 'QR code of the activation link');
    const follow = async (link: string) =>
      (await home.admin.get(new URL(link).pathname + new URL(link).search)).status;
    assert.is(await follow(first), 303);
    const shown = await admin.follow(await admin.post(`/users/${id}/link`, {}));
    const second = linkIn(shown.html);
    assert.is.not(second, first);
    assert.is(await follow(first), 409);
    assert.is(await follow(second), 303);
    await world.audit.catchUp();
    assert.match((await admin.get('/audit?action=CREDENTIALS_UPDATED')).text, 'Another activation link');
  },
);

law(
  'a new user whose activation mail could not be asked for: the page tells to hand the link over, and of no mail',
  async ({ admin, home }) => {
    const email = 'unmailed@home.test';
    const made = await admin.post(`/customers/${home.alice.customerId}`, { email });
    const page = await admin.follow(made);
    assert.match(page.text, 'Hand over the activation link');
    assert.not.match(page.text, /on its way|has it by mail/);
    assert.match(page.text, 'It can be sent by mail, or you give it yourself.');
    // And a mail that is asked for and refused is said to be.
    assert.match((await admin.follow(await admin.post(`${made.to}/mail`, {}))).text, 'No mail server is set');
  },
  { mails: true }, // The API of this world has no SMTP server.
);

const RULES = {
  claimProof: '',
  transfer: 'never',
  takeOver: 'after-notice',
  takeOverRequires: '',
  onOwnerChange: '',
  deviceReset: '',
  gatewayScope: '',
  minSecretLength: '8',
  takeOverNoticeMs: '1.5',
  rotationGraceMs: '',
};

law('profiles: made with claiming rules, changed, made the default, deleted', async ({ home, admin }) => {
  const made = await admin.post('/profiles/new', { name: 'Rented', transport: 'MQTT', ...RULES });
  assert.match((await admin.follow(made)).text, 'The profile is created');
  const path = made.to ?? '';
  const read = async () =>
    (await home.admin.get(path.replace('/profiles', '/api/deviceProfile'))).json as {
      readonly name: string;
      readonly claiming?: object;
      readonly transportType: string;
      readonly version: number;
    };
  const rules = {
    transfer: 'never',
    takeOver: 'after-notice',
    minSecretLength: 8,
    takeOverNoticeMs: 5_400_000,
  };
  assert.equal((await read()).claiming, rules);
  assert.is((await read()).transportType, 'MQTT');
  const list = await admin.get('/profiles');
  assert.match(list.text, /Rented 4 rules of its own MQTT 0/);
  assert.match((await admin.get(path)).html, 'value="1.5"');

  const version = String((await read()).version);
  const changed = { name: 'Leased', version, ...RULES, transfer: '', takeOverNoticeMs: '' };
  assert.match((await admin.follow(await admin.post(path, changed))).text, 'Saved.');
  assert.equal((await read()).claiming, { takeOver: 'after-notice', minSecretLength: 8 });
  const late = await admin.post(path, { ...changed, name: 'Late' });
  assert.is(late.status, 400, 'what was changed since is not overwritten');
  assert.match(late.text, 'Somebody else has changed it meanwhile');
  assert.match(late.html, 'value="Late"');
  for (const [rule, wrong] of [
    ['minSecretLength', 'many'],
    ['minSecretLength', '65'],
    ['takeOverNoticeMs', '73'],
    ['transfer', 'perhaps'],
  ] as const) {
    const now = String((await read()).version);
    const refused = await admin.post(path, { ...changed, version: now, [rule]: wrong });
    assert.is(refused.status, 400, `${rule} ${wrong}`);
    assert.equal((await read()).claiming, { takeOver: 'after-notice', minSecretLength: 8 });
  }
  assert.match((await admin.follow(await admin.post(`${path}/default`, {}))).text, 'It is the default now.');
  assert.match((await admin.follow(await admin.post(`${path}/delete`, {}))).text, /default/);
});

law('customers: counted in the list, renamed, and with a way to all of their devices', async (scene) => {
  const { world, home, admin } = scene;
  for (const name of ['A', 'B', 'C']) await provision(world, home.tenantId, name, home.alice.customerId);
  assert.match((await admin.get('/customers')).text, /alice 1 3 .*bob 1 0 /);
  const path = `/customers/${home.alice.customerId}`;
  const renamed = await admin.post(`${path}/rename`, { title: 'Alice & Söhne' });
  assert.match((await admin.follow(renamed)).text, /Alice &amp; Söhne.*Devices: 3/);
  const taken = await admin.post(`${path}/rename`, { title: 'bob' });
  assert.is(taken.status, 400);
  assert.match(taken.html, 'value="bob"', 'what was typed is still there');
  const [, all = ''] = /href="(\/devices\?owner=[^"]+)"/.exec((await admin.get(path)).html) ?? [];
  assert.match((await admin.get(all.replaceAll('&amp;', '&'))).text, '3 devices found');
});

law(
  'device: its page tells who made it, what happened to the second, and one thing to do next',
  async (scene) => {
    const { world, home, admin } = scene;
    const made = await home.admin.post('/api/device', { name: 'Lamp', type: 'lamp' });
    const { id } = (made.json as { readonly id: { readonly id: DeviceId } }).id;
    const page = async (which = id) => {
      await world.audit.catchUp();
      return admin.get(`/devices/${which}`);
    };
    const fresh = await page();
    assert.match(fresh.text, /Lamp Unclaimed Not connected Set a key History .*\d\d:\d\d:\d\d.*Created by/);
    assert.match(fresh.text, `Created by ${home.adminEmail}`);
    await admin.post(`/devices/${id}/key`, { days: '7' });
    const keyed = await page();
    assert.match(keyed.text, /Waits for its key until .* Print its label History/);
    const torch = await provision(world, home.tenantId, 'Torch');
    await openWindow(world, torch, 's', HOUR_MS);
    for (let n = 0; n < 3; n += 1)
      await home.alice.post('/api/customer/device/Torch/claim', { secretKey: 'no' });
    assert.is((await home.alice.post('/api/customer/device/Torch/claim', { secretKey: 's' })).status, 200);
    const owned = await page(torch);
    assert.match(owned.text, /See its owner History/);
    assert.match(owned.text, `Claimed with its key by ${home.alice.email}`);
    assert.is(owned.text.match(/Claim refused by \S+ wrong key/g)?.length, 3);
    assert.match(owned.html, `<a href="/customers/${home.alice.customerId}">The customer</a>`);
    assert.match(owned.text, /Careful Take it from alice Delete/);

    const profile = await home.admin.post('/api/deviceProfile', { name: 'Rented' });
    const { id: chosen } = (profile.json as { readonly id: { readonly id: string } }).id;
    await admin.post(`/devices/${id}/edit`, { name: 'Lamp', type: 'lamp', label: 'Hall', profile: chosen });
    assert.match((await page()).text, /Profile Rented/);
    const wrong = await admin.post(`/devices/${id}/edit`, {
      name: ' ',
      type: 'lamp',
      label: 'Hall',
      profile: chosen,
    });
    assert.is(wrong.status, 400);
    assert.match(wrong.html, '<details class="card" open', 'what was refused is still open');
  },
);

law('device: one that a gateway or an import has made says so, and leads there', async (scene) => {
  const { world, home, admin } = scene;
  const gateway = await provision(world, home.tenantId, 'Gateway');
  const behind = await provision(world, home.tenantId, 'Behind', null, { viaGateway: gateway });
  await world.audit.catchUp();
  const shown = await admin.get(`/devices/${behind}`);
  assert.match(shown.text, 'Created by its gateway');
  assert.match(shown.html, `<a href="/devices/${gateway}">The gateway</a>`);

  const begun = await home.admin.post('/api/deviceImport', {});
  const { id: job } = begun.json as { readonly id: string };
  await home.admin.post(`/api/deviceImport/${job}/rows`, { from: 0, rows: [{ name: 'Row 1' }] });
  await home.admin.post(`/api/deviceImport/${job}/start?dryRun=false`, {});
  const list = '/api/tenant/devices?pageSize=10&page=0&textSearch=Row';
  const found = async () =>
    (
      (await home.admin.get(list)).json as {
        readonly data: readonly { readonly id: { readonly id: string } }[];
      }
    ).data[0];
  await until('the row is a device', async () => (await found()) !== undefined);
  await world.audit.catchUp();
  const row = await admin.get(`/devices/${(await found())?.id.id}`);
  assert.match(row.text, `Created by an import by ${home.adminEmail}`);
  assert.match(row.html, `<a href="/devices/import/${job}">The import</a>`);
});

law('overview: three steps before there are devices; then what was refused, and why', async (scene) => {
  const { world, home, admin } = scene;
  const empty = await admin.get('/live');
  assert.match(empty.text, /Make devices .*Add a customer .*Print labels/);
  const id = await provision(world, home.tenantId, 'Lamp');
  await home.alice.post('/api/customer/device/Lamp/claim', { secretKey: 'no' });
  await openWindow(world, id, 's', HOUR_MS);
  world.clock.advance(7_000);
  for (let n = 0; n < 2; n += 1) await home.bob.post('/api/customer/device/Lamp/claim', { secretKey: 'no' });
  await home.alice.post('/api/customer/device/Lamp/claim', { secretKey: 's' });
  await world.audit.catchUp();
  const { text } = await admin.get('/live');
  assert.match(text, /7 s from a window to its claim/);
  assert.match(text, /3 claims refused/);
  assert.match(text, /How often wrong key 2 no claim window was open 1/);
  assert.match(text, /Happening now .*Lamp Claimed with its key/);
});

law('overview: a month back, day by day, in words and numbers too', async ({ world, home, admin }) => {
  const id = await provision(world, home.tenantId, 'Lamp');
  await openWindow(world, id, 's', HOUR_MS);
  await home.alice.post('/api/customer/device/Lamp/claim', { secretKey: 'no' });
  await home.alice.post('/api/customer/device/Lamp/claim', { secretKey: 's' });
  await home.alice.delete('/api/customer/device/Lamp/claim');
  for (let day = 0; day < 2; day += 1) {
    world.clock.advance(24 * HOUR_MS);
    await openWindow(world, id, 's', HOUR_MS);
  }
  await world.audit.catchUp();
  await admin.signIn(home.adminEmail); // The session is older than it may be.
  const { text } = await admin.get('/live');
  assert.match(text, /The last 31 days 3 windows opened, 1 claimed, 1 given back, 1 claim refused\./);
  assert.match(
    text,
    /Day Windows opened Claimed Given back Claims refused Window to claim, in the middle Nine of ten within \w+ \w+ 1 0 0 0 – – \w+ \w+ 1 0 0 0 – – \w+ \w+ 1 1 1 1 [\d.]+ s [\d.]+ s/,
  );
});

law('overview: an entry that stands for many refusals counts as many', async ({ world, home, admin }) => {
  await provision(world, home.tenantId, 'Lamp');
  const refused = {
    tenantId: home.tenantId,
    action: 'CLAIM_REFUSED',
    deviceId: undefined,
    deviceName: undefined,
    customerId: undefined,
    userId: undefined,
    failure: 'wrong-secret',
  } as const;
  world.audit.note({ ...refused, data: {} });
  world.audit.note({ ...refused, data: { repeated: 41 } });
  await world.audit.catchUp();
  assert.match((await admin.get('/live')).text, /42 claims refused/);
});

test.run();
