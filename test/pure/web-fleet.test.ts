/** The web application for administrators, without a browser: devices, keys, labels, customers, users, tenants. */
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Column, devicesIn, guessed, parseCsv, type Table, tableIn } from '../../http/web/csv.ts';
import { allPages } from '../../http/web/pages/all.ts';
import { packed, unpacked } from '../../http/web/pages/import-preview.tsx';
import {
  HOUR_MS,
  type Household,
  openWindow,
  provision,
  type RestOptions,
  type RestWorld,
  settle,
  steer,
  systemAdministrator,
} from '../kit/rest-client.ts';
import { pause } from '../kit/until.ts';
import { createWebWorld, sendFile, type Visitor, visitor } from '../kit/web-client.ts';

interface Scene {
  readonly world: RestWorld;
  readonly home: Household;
  readonly admin: Visitor;
}

const test = suite('web fleet');

function law(name: string, play: (scene: Scene) => Promise<void>, options: RestOptions = {}): void {
  test(name, async () => {
    const world = createWebWorld(options);
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

const pages = allPages();

test('pages: no path is hidden by an earlier one', () => {
  for (const [at, later] of pages.entries()) {
    for (const earlier of pages.slice(0, at)) {
      const [one, other] = [earlier.path.split('/'), later.path.split('/')];
      const hides = one.length === other.length && one.every((p, n) => p.startsWith(':') || p === other[n]);
      assert.not.ok(hides, `${earlier.path} hides ${later.path}`);
    }
  }
});

law(
  'pages: each is shown to its roles, refused to others, and leads guests to the sign-in page',
  async (scene) => {
    const { world, home, admin } = scene;
    const device = await provision(world, home.tenantId, 'D', home.alice.customerId);
    await provision(world, home.tenantId, 'E', home.bob.customerId);
    const offered = await home.bob.post('/api/customer/device/E/transfer', { to: home.alice.customerId });
    const { transferId } = offered.json as { readonly transferId: string };
    const hook = await home.admin.post('/api/webhook', { url: 'http://127.0.0.1:9/' });
    const { id: hookId } = hook.json as { readonly id: string };
    await systemAdministrator(world);
    const profile = await home.admin.post('/api/deviceProfile', { name: 'P' });
    const { id: profileId } = (profile.json as { readonly id: { readonly id: string } }).id;
    const made = await home.admin.post('/api/apiKey', { description: 'k' });
    const { id: keyId } = (made.json as { readonly id: { readonly id: string } }).id;
    const [alice, system] = [visitor(world), visitor(world)];
    await alice.signIn(home.alice.email);
    await system.signIn('sysadmin@claimd.test');
    const ids: Readonly<Record<string, string>> = {
      '/my/devices': device,
      '/devices': device,
      '/customers': home.alice.customerId,
      '/tenants': home.tenantId,
      '/account/sessions': device,
      '/account/sign-ins': device,
      '/offers': transferId,
      '/profiles': profileId,
    };
    for (const { path, roles, get, post } of pages) {
      const base = Object.keys(ids).find((start) => path.startsWith(`${start}/:`)) ?? '';
      const target = path
        .replace(/^\/users\/:id/, `/users/${roles.includes('SYS_ADMIN') ? home.adminId : home.alice.userId}`)
        .replace(':webhook', hookId)
        .replace(':key', keyId)
        .replace(':id', ids[base] ?? '');
      const visits = [
        ['CUSTOMER_USER', alice],
        ['TENANT_ADMIN', admin],
        ['SYS_ADMIN', system],
      ] as const;
      if (roles.includes('PUBLIC')) continue;
      const guest = visitor(world);
      const asked = get === undefined ? await guest.post(target, {}) : await guest.get(target);
      assert.match(asked.to ?? '', /^\/login/, path);
      for (const [role, browser] of visits) {
        if (roles.includes(role)) {
          // Keys are their owners' alone.
          if (path.includes(':key') && role === 'SYS_ADMIN') continue;
          // This test has no import, no kit, no provider and no page of its own for a file, and the feed never ends.
          const hasNothing =
            path.includes(':job') ||
            path.includes(':kit') ||
            path.includes(':provider') ||
            /\.(pdf|csv)$/.test(path);
          if (get === undefined || hasNothing || path === '/live/events') continue;
          const query = path === '/claim/done' ? `?device=${device}` : '';
          const shown = await browser.get(`${target}${query}`);
          assert.is(shown.status, 200, `${path} by ${role}: ${shown.text}`);
          if (path !== '/audit/export') assert.match(shown.html, '<h1>', path);
        } else {
          const refused = get === undefined ? await browser.post(target, {}) : await browser.get(target);
          assert.is(refused.status, 403, `${path} by ${role}`);
          if (post !== undefined)
            assert.is((await browser.post(target, {})).status, 403, `${path} by ${role}`);
        }
      }
    }
  },
);

law(
  'attack: a device whose window ends behind all dates takes no page and no export from its tenant',
  async ({ world, home, admin }) => {
    const id = await provision(world, home.tenantId, 'Far');
    await openWindow(world, id, 's', 8.9e15);
    const expirationTime = Number.MAX_SAFE_INTEGER;
    await steer(home.admin, id, { claimingData: { secretKey: 'k', expirationTime } });
    await home.admin.post('/api/apiKey', { description: 'for ever', expirationTime });
    await home.admin.post('/api/kit', { devices: ['Far'], expirationTime });
    await world.audit.catchUp();
    for (const path of ['/devices', `/devices/${id}`, '/live', '/account/keys', '/kits']) {
      const shown = await admin.get(path);
      assert.is(shown.status, 200, `${path}: ${shown.text}`);
      assert.match(shown.text, '275760', path);
    }
    const exported = await home.admin.get('/api/deviceExport?where=%7B%7D');
    assert.match(exported.text, 'WINDOW_OPEN,,,,+275760-09-13T00:00:00.000Z,+275760-09-13T00:00:00.000Z');
  },
);

law(
  'devices: the list shows their state, their owner, and until when windows are open',
  async ({ world, home, admin }) => {
    await provision(world, home.tenantId, 'Free');
    await provision(world, home.tenantId, 'Taken', home.alice.customerId);
    await openWindow(world, await provision(world, home.tenantId, 'Open'), 's', HOUR_MS);
    const shown = await admin.get('/devices');
    assert.match(shown.text, '3 devices');
    assert.match(shown.text, /Free default Unclaimed/);
    assert.match(shown.text, /Open default Window open closes at/);
    assert.match(shown.text, /Taken default Assigned alice since/);
    assert.match(shown.html, `data-closes="${world.clock.now() + HOUR_MS}"`);
    assert.match((await admin.get('/devices?search=tak')).text, '1 device found');
    assert.match((await admin.get('/devices?search=%C3%BCx')).text, 'No device fits');
    assert.match((await admin.get('/devices?search=customer:alice')).text, /1 device found.*Taken/);
    assert.match((await admin.get('/devices?search=customer:nobody')).text, 'no customer “nobody”');
  },
);

law('devices: found by their state', async ({ world, home, admin }) => {
  await provision(world, home.tenantId, 'Free');
  await openWindow(world, await provision(world, home.tenantId, 'Waiting'), 's', HOUR_MS);
  await provision(world, home.tenantId, 'Taken', home.alice.customerId);
  for (const [state, name] of [
    ['UNCLAIMED', 'Free'],
    ['WINDOW_OPEN', 'Waiting'],
    ['OWNED', 'Taken'],
  ] as const) {
    const { html, text } = await admin.get(`/devices?state=${state}`);
    assert.match(text, '1 device found');
    assert.match(html, `Select ${name}`);
    assert.match(html, new RegExp(`class="chip" href="/devices[?]state=${state}" aria-current="true"`));
  }
});

law(
  'devices: one is created with a key, and claimed with what its label says',
  async ({ world, home, admin }) => {
    const name = 'Pump & Söhne #1';
    const created = await admin.post('/devices/new', {
      name,
      type: 'pump',
      label: '',
      accessToken: '',
      key: 'yes',
    });
    const page = await admin.follow(created);
    assert.match(page.text, `“${name.replace('&', '&amp;')}” was created.`);
    const id = created.to?.split('/').at(-1) ?? '';
    const label = (await home.admin.get(`/api/device/${id}/claimLabel`)).json as {
      url: string;
      svg: string;
      secretKey: string;
    };
    const sheet = await admin.get(`/devices/labels?ids=${id}&stock=page-100x50`);
    assert.match(sheet.html, /<use href="#glyph-\d/);
    assert.match(sheet.text, `They lead to ${new URL(label.url).origin}/claim.`);
    assert.match(sheet.text, /1 label on 1 page/);
    assert.match(sheet.text, /this computer for whoever scans.*not encrypted.*HTTP_BASE_URL/);
    assert.match(sheet.html, '<svg aria-hidden="true"');
    const [, file = ''] = /href="(\/devices\/labels\.pdf[^"]*)"/.exec(sheet.html) ?? [];
    const pdf = await admin.get(file.replaceAll('&amp;', '&'));
    assert.is(pdf.headers.get('content-type'), 'application/pdf');
    assert.match(pdf.headers.get('content-disposition') ?? '', 'labels.pdf');
    assert.match(pdf.html, /^%PDF-/);
    const url = new URL(label.url);
    assert.is(url.pathname + url.search, '/claim');
    const fragment = new URLSearchParams(url.hash.slice(1));
    assert.is(fragment.get('device'), name);
    const alice = visitor(world);
    await alice.signIn(home.alice.email);
    const claimed = await alice.post('/claim', { device: name, key: fragment.get('key') ?? '' });
    assert.is(claimed.status, 303, claimed.text);
    assert.match((await admin.get(`/devices/${id}`)).text, /Claimed alice since/);
    assert.match((await admin.post('/devices/new', { name })).text, 'already exists');
  },
);

/** Sends the form of the list, answers yes, and waits until it is done. Resolves to the page that says what became of it. */
async function carriedOut(admin: Visitor, fields: Record<string, string>) {
  const asked = await admin.post('/devices/selected', fields);
  assert.is(asked.status, 200, 'it asks first');
  const begun = await admin.post('/devices/selected', { ...fields, sure: 'yes' });
  assert.is(begun.status, 303, begun.text);
  return { asked, ended: await ended(admin, begun.to ?? '') };
}

async function ended(admin: Visitor, address: string) {
  const [path = ''] = address.split('?');
  for (;;) {
    const { state } = JSON.parse((await admin.get(`${path}/progress`)).html) as { readonly state: string };
    if (state !== 'RUNNING') return { address, shown: await admin.get(address) };
    await pause(5);
  }
}

law(
  'devices: several at once get keys, and claiming is allowed and forbidden',
  async ({ world, home, admin }) => {
    const id = await provision(world, home.tenantId, 'D');
    const from = '/devices?search=D';
    const send = (what: string) => carriedOut(admin, { id, from, do: what });
    for (const nothing of [
      {},
      { all: 'yes' },
      { all: 'yes', where: 'x', total: '1' },
      { all: 'yes', where: '{}' },
    ])
      assert.match(
        (await admin.follow(await admin.post('/devices/selected', { ...nothing, do: 'allow' }))).text,
        'Select devices first',
      );
    const labels = await admin.post('/devices/selected', { id, do: 'labels' });
    assert.match((await admin.follow(labels)).text, 'One device has no key');
    const asked = await admin.post('/devices/selected', { id, do: 'keys' });
    assert.match(asked.text, /Set a new key\? 1 device A label that was printed/);
    assert.match((await admin.get('/devices')).text, 'Unclaimed', 'nothing was done yet');
    const keyed = await carriedOut(admin, { id, do: 'keys', days: '7' });
    assert.match(keyed.ended.shown.text, /Done New keys set 1 /);
    assert.match(keyed.ended.shown.html, 'href="/devices/labels?batch=');
    assert.match((await admin.get('/devices')).text, 'Waits for its key');
    assert.is((await world.devices.read(id))?.serverKey?.expiresAt, world.clock.now() + 7 * 24 * HOUR_MS);
    await send('forbid');
    assert.match((await admin.get('/devices')).text, 'Not claimable', 'its key does not count');
    await home.admin.delete(`/api/plugins/telemetry/${id}/SERVER_SCOPE?keys=claimingData`);
    assert.match((await admin.get('/devices')).text, 'Not claimable');
    await send('allow');
    assert.match((await admin.get('/devices')).text, 'Unclaimed');
    assert.match((await send('take-back')).ended.shown.text, 'As wanted before 1');
    assert.match((await send('delete')).ended.shown.text, 'Deleted 1');
    assert.is(await world.devices.read(id), undefined);
  },
);

law(
  'devices: all that fit are assigned by one question, and that is undone',
  async ({ world, home, admin }) => {
    for (let nth = 0; nth < 60; nth += 1) await provision(world, home.tenantId, `lamp ${nth}`);
    await provision(world, home.tenantId, 'pump');
    const list = await admin.get('/devices?search=lamp&state=UNCLAIMED');
    assert.match(list.text, 'Select all 60 that fit');
    const value = (name: string) =>
      new RegExp(`name="${name}" value="([^"]*)"`).exec(list.html)?.[1]?.replaceAll('&quot;', '"') ?? '';
    const from = value('from').replaceAll('&amp;', '&');
    const fields = { all: 'yes', where: value('where'), total: value('total'), from, do: 'assign' };
    const wrong = await admin.post('/devices/selected', { ...fields, sure: 'yes', customer: 'nobody' });
    assert.is(wrong.status, 400);
    assert.match(wrong.text, /no customer “nobody”.*/);
    assert.match(wrong.html, 'value="nobody"', 'what was typed is kept');
    const { asked, ended: done } = await carriedOut(admin, { ...fields, customer: 'alice' });
    assert.match(asked.text, /60 devices/);
    assert.match(done.shown.text, /Done Assigned 60 /);
    const owned = async () => (await admin.get('/devices?search=customer:alice')).text;
    assert.match(await owned(), '60 devices found');
    const undone = await admin.post(`${done.address.split('?')[0]}/undo`, { back: from });
    assert.match((await ended(admin, undone.to ?? '')).shown.text, /Undone: Assigned 60 /);
    assert.match(await owned(), '0 devices found');

    await home.admin.post('/api/device', { name: 'lamp 60' });
    const late = await admin.post('/devices/selected', { ...fields, do: 'delete', sure: 'yes' });
    assert.match((await admin.follow(late)).text, 'There are 61 devices now and not 60, so nothing was done');
    assert.match((await admin.get('/devices?search=lamp')).text, '61 devices found');
  },
);

law('devices: all that fit are printed and exported, not only a page of them', async (scene) => {
  const { world, home, admin } = scene;
  for (let nth = 0; nth < 60; nth += 1) await provision(world, home.tenantId, `lamp ${nth}`);
  await provision(world, home.tenantId, 'pump');
  const where = JSON.stringify({ textSearch: 'lamp' });
  const fields = { all: 'yes', where, total: '60', from: '/devices?search=lamp' };
  const labels = await admin.follow(await admin.post('/devices/selected', { ...fields, do: 'labels' }));
  assert.match(labels.text, '60 devices have no key');
  const keyed = await carriedOut(admin, { ...fields, do: 'keys', days: '7' });
  const [, ofBatch = ''] = /href="(\/devices\/labels\?batch=[^"]*)"/.exec(keyed.ended.shown.html) ?? [];
  assert.match((await admin.get(ofBatch)).text, /60 labels on 3 pages/);

  const asked = await admin.follow(await admin.post('/devices/selected', { ...fields, do: 'export' }));
  assert.match(asked.text, /Export 60 devices/);
  const files = [...asked.html.matchAll(/href="(\/devices\/export\.csv[^"]*)"/g)].map(([, file = '']) =>
    file.replaceAll('&amp;', '&'),
  );
  assert.is(files.length, 2);
  for (const file of files) {
    const csv = await admin.get(file);
    assert.match(csv.headers.get('content-disposition') ?? '', 'devices.csv');
    assert.is(csv.html.trim().split('\r\n').length, 61);
    assert.not.match(csv.html, 'pump');
  }
});

law('devices: described by one question; what was changed is listed, and led to', async (scene) => {
  const { world, home, admin } = scene;
  const id = await provision(world, home.tenantId, 'D');
  assert.match((await admin.get('/devices/batches')).text, 'Nothing was changed yet');
  const bad = { id, do: 'label', label: 'a\u202eb', sure: 'yes' };
  const refused = await admin.post('/devices/selected', bad);
  assert.is(refused.status, 400);
  assert.match(refused.text, 'that nobody can see');
  const { ended: done } = await carriedOut(admin, { id, do: 'label', label: 'Hall 7' });
  assert.match(done.shown.text, /Done Described 1 /);
  assert.match((await admin.get('/devices')).text, 'D Hall 7');
  const list = await admin.get('/devices/batches');
  assert.match(list.text, /Described .*Done 1 1 0/);
  const [, first = ''] = /href="(\/devices\/batches\/[^"]+)"/.exec(list.html) ?? [];
  assert.is(first, done.address.split('?')[0]);
});

law(
  'devices: a list is saved under a name, led to by it, and forgotten; another user has none of it',
  async (scene) => {
    const { world, home, admin } = scene;
    await provision(world, home.tenantId, 'lamp');
    assert.not.match((await admin.get('/devices')).text, 'Save this list');
    const filters = { search: 'type:default <i>', state: 'UNCLAIMED', active: '', sort: '-created' };
    const address = `/devices?${new URLSearchParams({ search: filters.search, state: 'UNCLAIMED', sort: '-created' })}`;
    assert.match((await admin.get(address)).text, 'Save this list');
    const name = 'Lamps & <b>';
    const saved = await admin.follow(await admin.post('/devices/views', { ...filters, name, do: 'save' }));
    assert.match(saved.text, 'The list is saved as');
    assert.not.match(saved.html, /<b>|<i>/);
    assert.match(saved.text, 'Forget this list');
    const list = await admin.get('/devices');
    const [, to = ''] = /class="chip" href="([^"]*)"><bdi>Lamps/.exec(list.html) ?? [];
    assert.is(to.replaceAll('&amp;', '&'), address);
    assert.match((await admin.get('/devices')).text, 'Lamps &amp; &lt;b&gt;');

    const other = await settle(world, 'other');
    const theirs = visitor(world);
    await theirs.signIn(other.adminEmail);
    assert.not.match((await theirs.get('/devices')).text, 'Lamps');
    const forgotten = await admin.post('/devices/views', { ...filters, name, do: 'forget' });
    assert.match((await admin.follow(forgotten)).text, 'is forgotten');
    assert.not.match((await admin.get('/devices')).html, 'aria-label="Saved lists"');
  },
);

law('devices: found by their profile', async ({ world, home, admin }) => {
  const made = await home.admin.post('/api/deviceProfile', { name: 'Heat pumps' });
  const { id } = made.json as { readonly id: object };
  await home.admin.post('/api/device', { name: 'warm', deviceProfileId: id });
  await provision(world, home.tenantId, 'plain');
  const found = await admin.get(`/devices?${new URLSearchParams({ search: 'profile:"heat pumps"' })}`);
  assert.match(found.text, /1 device found.*warm/);
  assert.match((await admin.get('/devices?search=profile:default')).text, /1 device found.*plain/);
  assert.match((await admin.get('/devices?search=profile:none')).text, 'no device profile “none”');
  const offered = await admin.get('/devices?search=heat+pumps');
  assert.match(offered.text, 'Of the profile Heat pumps');
});

law('devices: the search, the page and the selection are there again afterwards', async (scene) => {
  const { world, home, admin } = scene;
  const ids: string[] = [];
  for (let nth = 0; nth < 52; nth += 1) ids.push(await provision(world, home.tenantId, `lamp ${100 + nth}`));
  const id = ids[51] ?? '';
  const from = '/devices?search=lamp&page=1';
  const asked = await admin.post('/devices/selected', { id, from, do: 'forbid' });
  const again = `/devices?search=lamp&amp;page=1&amp;id=${id}`;
  assert.ok(asked.html.includes(`href="${again}"`), 'who does not want it goes back');
  const { ended: done } = await carriedOut(admin, { id, from, do: 'forbid' });
  assert.ok(done.shown.html.includes(`href="${again}"`));
  const list = await admin.get(again.replaceAll('&amp;', '&'));
  assert.match(list.html, new RegExp(`value="${id}" checked`));
  assert.is(list.html.match(/ checked/g)?.length, 1);
  assert.is((await admin.get('/devices?search=lamp&pick=page')).html.match(/ checked/g)?.length, 50);
  assert.match((await admin.get('/devices?search=lamp&all=yes')).html, 'name="all" value="yes" checked');
});

law('attack: the way back leads to the list of devices, and nowhere else', async ({ world, home, admin }) => {
  const id = await provision(world, home.tenantId, 'D');
  for (const from of ['https://evil.test/?x=1', '//evil.test?x=1', 'javascript:alert(1)?x=1']) {
    const { asked, ended: done } = await carriedOut(admin, { id, from, do: 'forbid' });
    for (const { html } of [asked, done.shown]) assert.not.match(html, /href="[^"]*(evil|javascript)/);
    const path = done.address.split('?')[0];
    const shown = await admin.get(`${path}?back=${encodeURIComponent(from)}`);
    assert.not.match(shown.html, /href="[^"]*(evil|javascript)/);
  }
  const other = await settle(world, 'other');
  const theirs = visitor(world);
  await theirs.signIn(other.adminEmail);
  const { ended: done } = await carriedOut(admin, { id, do: 'forbid' });
  const path = done.address.split('?')[0];
  assert.is((await theirs.get(`${path}`)).status, 404);
  assert.match((await theirs.follow(await theirs.post(`${path}/undo`, {}))).text, /found|exist/);
});

law(
  'devices: one search field for words, types and customers, and an order that an index has',
  async (scene) => {
    const { world, home, admin } = scene;
    const save = (body: object) => home.admin.post('/api/device', body);
    for (const [name, type] of [
      ['A', 'Wall Box'],
      ['B', 'lamp'],
      ['C', 'lamp'],
    ])
      await save({ name, type, label: name === 'C' ? 'kitchen' : '' });
    await provision(world, home.tenantId, 'D', home.alice.customerId);
    const named = async (query: string) =>
      [...(await admin.get(`/devices?${query}`)).html.matchAll(/aria-label="Select ([^"]*)"/g)]
        .map(([, name]) => name)
        .join('');
    const search = (text: string) => named(`search=${encodeURIComponent(text)}`);
    assert.is(await search('type:lamp'), 'BC');
    assert.is(await search('TYPE:"wall box"'), 'A', 'in any case');
    assert.is(await search('type:lamp kitchen'), 'C');
    assert.is(await search('customer:alice'), 'D');
    assert.is(await search('customer:alice type:lamp'), '');
    assert.match((await admin.get('/devices?search=lamp')).text, 'Of the type lamp');
    assert.match((await admin.get('/devices?search=ALICE')).text, 'Of the customer alice');
    const { html } = await admin.get('/devices');
    for (const known of ['type:lamp', 'type:&quot;Wall Box&quot;', 'customer:alice'])
      assert.ok(html.includes(`<option value="${known}"`), known);
    assert.is(await named('sort=-name'), 'DCBA');
    assert.is(await named('sort=created'), 'ABCD');
    assert.is(await named('sort=nonsense'), 'ABCD');
    assert.match((await admin.get('/devices?sort=-name')).html, 'aria-sort="descending"');
  },
);

law('device: renamed, assigned, unassigned, its window closed, deleted', async ({ world, home, admin }) => {
  const id = await provision(world, home.tenantId, 'D');
  const act = async (what: string, fields: Record<string, string> = {}) =>
    (await admin.follow(await admin.post(`/devices/${id}/${what}`, fields))).text;
  assert.match(await act('edit', { name: 'E', type: 'valve', label: 'in the cellar' }), /Saved.*E/);
  assert.is((await world.devices.read(id))?.label, 'in the cellar');
  await provision(world, home.tenantId, 'Taken');
  const taken = await admin.post(`/devices/${id}/edit`, {
    name: 'Taken',
    type: 'pump',
    label: 'long <text>',
  });
  assert.is(taken.status, 400);
  assert.match(taken.text, 'already exists');
  for (const kept of ['value="Taken"', 'value="pump"', 'value="long &lt;text&gt;"'])
    assert.ok(taken.html.includes(kept), `what was typed is kept: ${kept}`);
  assert.is((await world.devices.read(id))?.name, 'E');
  const nobody = await admin.post(`/devices/${id}/assign`, { customer: 'nobody' });
  assert.match(nobody.text, 'no customer “nobody”');
  assert.match(nobody.html, 'value="nobody"');
  assert.match(await act('assign', { customer: 'bob' }), /Assigned bob since/);
  const ownerOf = async () => (await world.devices.read(id))?.owner?.customerId;
  const asked = await admin.post(`/devices/${id}/assign`, { customer: 'alice' });
  assert.match(asked.text, /Take it from bob\? E alice owns it then/);
  assert.is(await ownerOf(), home.bob.customerId, 'it was only asked');
  assert.match(await act('assign', { customer: 'alice', sure: 'yes' }), /Assigned alice since/);
  assert.match(await act('assign', { customer: 'bob', sure: 'yes' }), /Assigned bob since/);
  assert.match((await admin.get(`/devices/${id}/unassign`)).text, /Take it from bob\?.*label.*not work/);
  assert.match((await admin.get(`/devices/${id}`)).text, /Assigned bob since/, 'it was only asked');
  assert.match(await act('unassign'), 'Nobody owns it now');
  await openWindow(world, id, 's');
  assert.match((await admin.get(`/devices/${id}`)).text, 'Window open');
  assert.match(await act('close-window'), /window is closed.*Unclaimed/);
  assert.match(await act('permission', { permission: 'forbid' }), 'Not claimable');
  await act('permission', { permission: 'allow' });
  assert.match(await act('permission', { permission: 'default' }), 'Unclaimed');
  assert.match(await act('key', { days: '7' }), 'Waits for its key');
  assert.is((await world.devices.read(id))?.serverKey?.expiresAt, world.clock.now() + 7 * 24 * HOUR_MS);
  assert.match((await admin.get(`/devices/${id}`)).html, `href="/devices/${id}/key"`);
  for (const [what, words] of [
    ['key', /Set a new key\? E A label/],
    ['remove-key', /Remove its key\? E A label/],
  ] as const) {
    const keyBefore = (await world.devices.read(id))?.serverKey;
    assert.match((await admin.get(`/devices/${id}/${what}`)).text, words);
    assert.equal((await world.devices.read(id))?.serverKey, keyBefore, 'it was only asked');
  }
  assert.match(await act('remove-key'), 'Unclaimed');
  const publicKey = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
  await steer(home.admin, id, { claimPublicKey: publicKey, colour: 'red' });
  await world.audit.catchUp();
  const history = (await admin.get(`/devices/${id}/history`)).text;
  for (const words of [
    'Created',
    'Assigned',
    'Taken from its owner',
    'Claim window opened',
    'Key set',
    'Key removed',
    'Claiming forbidden',
    'Claiming allowed',
    'Claiming allowed or forbidden as the server says',
    /Public key set .*colour/,
    home.adminEmail,
  ]) {
    assert.match(history, words);
  }
  assert.not.match(history, /claimingData|claimingAllowed|claimPublicKey/);
  await steer(home.admin, id, { colour: 'blue', claimingAllowed: false });
  await world.audit.catchUp();
  const feed = /<ol class="feed"[\s\S]*?<\/ol>/.exec((await admin.get('/live')).html);
  assert.match(
    feed?.[0] ?? '',
    /<li>(?:(?!<\/li>)[\s\S])*Claiming forbidden<\/li>/,
    'it was not saved alone',
  );
  const german = (await admin.get(`/devices/${id}/history`, { 'accept-language': 'de' })).text;
  for (const words of ['Schlüssel gesetzt', 'Schlüssel entfernt', 'Registrieren verboten'])
    assert.match(german, words);
  assert.match((await admin.get('/audit', { 'accept-language': 'ar' })).text, 'عُيّن المفتاح');
  assert.match(await act('delete'), '“E” is deleted');
  assert.is((await admin.get(`/devices/${id}`)).status, 404);
});

law('labels: of all that fit, a part at a time; the last one says so', async ({ world, home, admin }) => {
  const expirationTime = world.clock.now() + 24 * HOUR_MS;
  const claimingData = { secretKey: 'on the box', expirationTime };
  for (const name of ['E 1', 'E 2', 'E 3']) {
    const id = await provision(world, home.tenantId, name);
    await steer(home.admin, id, { claimingData });
  }
  const first = await admin.get('/devices/labels?where=%7B%7D&limit=2&stock=page-a6');
  assert.match(first.text, 'number 1 to 2 of the 3 devices');
  assert.match(first.html, /href="[^"]*labels\.pdf[^"]*through=[0-9a-f-]{36}/);
  const [, next = ''] = /rel="next" href="([^"]*)"/.exec(first.html) ?? [];
  const last = await admin.get(next.replaceAll('&amp;', '&'));
  assert.match(
    last.text,
    'number 3 to 3 of the 3 devices that fit now, the oldest first. This is the last part.',
  );
  assert.match(last.text, 'Download 1 label as PDF');
  assert.match(last.html, /name="after" value="[0-9a-f-]{36}"/);
  assert.not.match((await admin.get('/devices/labels?where=%7B%7D')).text, 'last part');
});

law('devices: another tenant’s do not exist', async ({ world, admin }) => {
  const other = await settle(world, 'other');
  const id = await provision(world, other.tenantId, 'D');
  assert.is((await admin.get(`/devices/${id}`)).status, 404);
  assert.is((await admin.post(`/devices/${id}/delete`, {})).status, 404);
  assert.match((await admin.get(`/devices/labels?ids=${id}`)).text, 'nothing to print');
});

law('customers: created with a user, who gets a link and chooses a password', async ({ world, admin }) => {
  const created = await admin.post('/customers', { title: 'Zoë & Co' });
  assert.match((await admin.follow(created)).text, 'The customer is created');
  assert.match((await admin.post('/customers', { title: 'Zoë & Co' })).text, 'already exists');
  const user = await admin.post(created.to ?? '', { email: 'zoe@x.test', firstName: 'Zoë', lastName: '' });
  const page = await admin.follow(user);
  assert.match(page.text, 'Has not chosen a password yet');
  const [, link = ''] = /id="activation"[^>]*value="([^"]*)"/.exec(page.html) ?? [];
  const zoe = visitor(world);
  const form = await zoe.follow(await zoe.get(new URL(link).pathname + new URL(link).search));
  const [, activateToken = ''] = /name="activateToken" value="([^"]*)"/.exec(form.html) ?? [];
  await zoe.post('/login/createPassword', { activateToken, password: 'her-password', again: 'her-password' });
  assert.is((await zoe.get('/claim')).status, 200);
  assert.match((await admin.get(user.to ?? '')).text, 'Active');
  await admin.post(`${user.to}/enabled`, { enabled: 'false' });
  assert.match((await zoe.get('/claim')).to ?? '', /^\/login/);
  assert.match((await admin.follow(await admin.post(`${user.to}/delete`, {}))).text, 'zoe@x.test is deleted');
});

law('tenants: each is listed with what it has, and whether all is well', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, 'Lamp');
  await provision(world, home.tenantId, 'Lamp 2');
  await home.admin.post(`/api/customer/${home.alice.customerId}/device/${id}`);
  await systemAdministrator(world);
  const system = visitor(world);
  await system.signIn('sysadmin@claimd.test');
  const { text } = await system.get('/tenants');
  assert.match(text, /Name Devices Owned Customers Users Health Since .* 2 1 2 3 Well/);
});

law('tenants: the system administrator creates one with its first administrator', async ({ world }) => {
  await systemAdministrator(world);
  const system = visitor(world);
  await system.signIn('sysadmin@claimd.test');
  assert.is((await system.get('/')).to, '/tenants');
  const created = await system.post('/tenants', { title: 'New' });
  const user = await system.post(created.to ?? '', { email: 'boss@new.test', firstName: '', lastName: '' });
  assert.match((await system.follow(user)).text, 'boss@new.test');
  assert.match((await system.get(created.to ?? '')).text, 'boss@new.test');
  // Nobody has followed the activation link yet.
  assert.match((await system.get('/tenants')).text, /New 0 0 0 1 no administrator can sign in/);
  assert.match(
    (await system.follow(await system.post(`${created.to}/delete`, {}))).text,
    'The tenant is deleted',
  );
});

// --------------------------------------------------------------------------------------------------------- imports

async function settled(browser: Visitor, path: string): Promise<string> {
  for (;;) {
    const progress = JSON.parse((await browser.get(`${path}/progress`)).html) as { state: string };
    if (progress.state === 'TRIED' || progress.state === 'DONE') return (await browser.get(path)).text;
    await pause(5);
  }
}

const csv = (text: string) => new File([text], 'devices.csv', { type: 'text/csv' });

law(
  'import: a dry run explains each row, then it is carried out and the result downloaded',
  async ({ world, home, admin }) => {
    await provision(world, home.tenantId, 'Taken');
    const file = csv(
      '\ufeffName;Description;Key\r\n"Pump ""A""";"in the; cellar";k1\r\nTaken;;\r\n\r\nValve;;\r\n',
    );
    const sent = await sendFile(admin, file);
    assert.is(sent.status, 303, sent.text);
    const path = sent.to ?? '';
    const tried = await settled(admin, path);
    assert.match(tried, /Checked: nothing was changed yet.*Rows 3 Good 2 Refused 1/);
    assert.match(tried, /2 Taken There is a device of this name already/);
    assert.match(tried, 'Create 2 devices');
    assert.is((await admin.post(`${path}/start`, {})).to, path);
    assert.match(await settled(admin, path), /Done Rows 3 Created 2 Refused 1/);
    const result = await admin.get(`${path}/result.csv`);
    assert.match(result.headers.get('content-disposition') ?? '', 'attachment');
    assert.match(result.html, /1,"Pump ""A""",CREATED.*,k1,http:/);
    assert.match((await admin.get('/devices?search=cellar')).text, 'Pump "A"');
    assert.match((await admin.get('/devices/import')).text, '3 rows. Done');
  },
);

law(
  'import: why a row is refused is said in English as the API says it, and in no other language so',
  async ({ world, home, admin }) => {
    await provision(world, home.tenantId, 'Taken');
    const long = 'x'.repeat(256);
    const rows = [
      ',x,,,,,',
      'Taken,,,,,,',
      'A,,,,,,',
      'A,,,,,,',
      'B,,ACCESS-TOKEN-OF-B,,,,',
      'C,,ACCESS-TOKEN-OF-B,,,,',
      'D,,,client-d,user-d,,',
      'E,,,client-d,user-d,,',
      'F,,ACCESS-TOKEN-OF-F,client-f,,,',
      'G,,,,,secret,',
      'H,,,,,,none',
      `${long},,,,,,`,
      `I,${long},,,,,`,
      `J,,${long},,,,`,
      'K\u0007,,,,,,',
      'L\u200b,,,,,,',
      `M,,,,${long},,`,
    ];
    const head = 'name,label,accessToken,mqttClientId,mqttUserName,mqttPassword,certificate';
    const sent = await sendFile(admin, csv([head, ...rows].join('\n')));
    const path = sent.to ?? '';
    const english = await settled(admin, path);
    const [, id] = /import\/(.+)/.exec(path) ?? [];
    const asked = await home.admin.get(`/api/deviceImport/${id}/rows?pageSize=100&page=0&refusedOnly=true`);
    const { data } = asked.json as { readonly data: readonly { readonly message: string }[] };
    const reasons = data.map(({ message }) => message);
    assert.is(new Set(reasons).size, 14, reasons.join('\n'));
    const german = (await admin.get(`${path}?lang=de`)).text;
    assert.match(german, 'Abgewiesen 14');
    for (const reason of reasons) {
      assert.match(english, reason);
      assert.not.match(german, reason);
    }
  },
);

law('import: long rows and many rows are sent in batches that the API takes', async ({ admin }) => {
  const long = Array.from({ length: 900 }, (_, at) => `Long ${at},${'x'.repeat(3000)}`);
  const short = Array.from({ length: 2500 }, (_, at) => `Short ${at},`);
  const sent = await sendFile(admin, csv(['name,label', ...long, ...short].join('\n')));
  assert.is(sent.status, 303, sent.text);
  assert.match(await settled(admin, sent.to ?? ''), 'Rows 3,400 Good 2,500 Refused 900');
});

law('import: a name as long as a cell is refused in a table that can be read', async ({ admin }) => {
  const sent = await sendFile(admin, csv(`name\n${'n'.repeat(4000)}`));
  const tried = await settled(admin, sent.to ?? '');
  assert.match(tried, `${'n'.repeat(100)}… `);
  assert.not.match(tried, 'n'.repeat(101));
});

law('import: a file that cannot be a device list is refused in words', async ({ admin }) => {
  const says = async (fields: Record<string, string | File>, words: string) => {
    const shown = await admin.post('/devices/import', fields);
    assert.is(shown.status, 400);
    assert.match(shown.text, words);
  };
  await says({}, 'Choose a file');
  await says({ file: csv('name,type\n\n,\n') }, 'The file lists no devices');
  await says({ file: csv(`name\n${'x'.repeat(5000)}`) }, 'Row 1 has a cell of more than 4,096 characters');
  await says({ file: csv('name,type\nA,"b\nC,d\nE,f') }, 'A quotation mark in line 2 is never closed');
  const lost = 'name,type,accessToken,secretKey\nD0,default,TOK0,ab\nD1,default,TOK1,ab,cd';
  await says({ file: csv(lost) }, 'Row 2 has more cells than the first line names columns');
  const windows1252 = new File([Buffer.from('name\nK\xfchler', 'latin1')], 'devices.csv');
  await says({ file: windows1252 }, 'UTF-8');
  await says({ file: new File([Buffer.from('name\nA', 'utf16le')], 'devices.csv') }, 'UTF-8');
  await says({ file: csv(`name\n${'x\n'.repeat(100_001)}`) }, 'at most 100,000 devices');
  await says({ do: 'check', content: 'no file of ours' }, 'Choose a file');
  await says({ file: csv(','.repeat(300)) }, 'more than 200 columns');
  await says({ file: csv(`name\nA\nB${','.repeat(300)}`) }, 'Line 3 of the file has more than 200 columns');
  const bomb = gzipSync(`name${','.repeat(30_000_000)}`).toString('base64');
  await says({ do: 'check', content: bomb }, 'Choose a file');
  const wide = `name${','.repeat(199)}\n`;
  await says({ file: csv(wide.repeat(13_000)) }, 'at most 2,500,000 cells');
  await says({ file: csv(`name\n${'\n'.repeat(2_500_001)}`) }, 'at most 2,500,000 cells');
  await says({ file: csv(`${'a,'.repeat(300)}\n1`) }, 'more than 200 columns');
  const latest = (await admin.get('/devices/import')).text;
  assert.match(latest, 'None yet', 'no import was begun');
});

law(
  'import: what was read is shown, what nobody reads is named, and columns are chosen by hand',
  async ({ admin, world, home }) => {
    const file = csv('Serial,Kind,PIN,,\nS1,valve,1234,,\nS2,<b>,"5;6",,');
    const shown = await admin.post('/devices/import', { file });
    assert.match(shown.text, /2 rows were read. Nothing is changed yet/);
    assert.match(shown.text, 'Nobody reads “Serial”, “Kind”, “PIN”');
    assert.match(shown.html, '<bdi>5;6</bdi>');
    assert.match(shown.html, '<bdi>&lt;b&gt;</bdi>');
    const nameless = await sendFile(admin, file);
    assert.is(nameless.status, 400);
    assert.match(nameless.text, 'Say which column has the names');
    const twice = await sendFile(admin, file, { column0: 'name', column2: 'name' });
    assert.is(twice.status, 400);
    assert.match(twice.text, 'look at “PIN”');
    assert.match(twice.html, 'name="content" value="H4s', 'the file is not asked for again');
    const sent = await sendFile(admin, file, { column0: 'name', column1: 'type', column2: 'secretKey' });
    assert.match(await settled(admin, sent.to ?? ''), 'Rows 2 Good 2 Refused 0');
    await admin.post(`${sent.to}/start`, {});
    await settled(admin, sent.to ?? '');
    const result = await admin.get(`${sent.to}/result.csv?for=programs`);
    assert.match(result.html, /^row,name/);
    assert.match(result.html, /1,S1,CREATED,[^\n]*,1234,/);
    const id = await world.directory.idOf(home.tenantId, 'S1');
    assert.is((await world.devices.read(id ?? ('' as never)))?.type, 'valve');
    const arabic = await admin.post('/devices/import?lang=ar', { file });
    assert.match(
      arabic.text,
      '«\u2068Serial\u2069»، و«\u2068Kind\u2069»، و«\u2068PIN\u2069».',
      'a list of Arabic',
    );
  },
);

law('import: one that is under way is cancelled on its page', async ({ admin, home }) => {
  const rows = Array.from({ length: 20_000 }, (_, at) => `Unit ${at}`);
  const sent = await sendFile(admin, csv(['name', ...rows].join('\n')));
  const path = sent.to ?? '';
  assert.match((await admin.get(path)).html, `action="${path}/cancel"`);
  assert.is((await admin.post(`${path}/cancel`, {})).to, path);
  for (;;) {
    const { text, html } = await admin.get(path);
    if (/Cancelled/.test(text)) break;
    assert.match(text, 'Being cancelled…');
    assert.not.match(html, `${path}/cancel`);
    await pause(5);
  }
  const { totalElements } = (await home.admin.get('/api/tenant/devices?pageSize=1&page=0')).json as {
    totalElements: number;
  };
  assert.is(totalElements, 0, 'a trial creates none');
});

law('import: a template names the columns that the page knows', async ({ admin }) => {
  const template = await admin.get('/devices/import/template.csv');
  assert.match(template.headers.get('content-disposition') ?? '', 'attachment');
  const shown = await admin.post('/devices/import', { file: csv(`${template.html.trimEnd()}\nA,,,,,`) });
  const [columns = ''] = shown.html.split('</main>'); // the choice of a language is below
  assert.is(columns.match(/" selected/g)?.length, 10);
  assert.not.match(shown.html, /value="" selected/);
  assert.not.match(shown.text, 'Nobody reads');
});

test('csv: headers of ThingsBoard and The Things Stack are known, and nothing is meant twice', () => {
  assert.equal(guessed(['Device name', 'Type', 'Label', 'Access token', 'Is gateway']), [
    'name',
    'type',
    'label',
    'accessToken',
    undefined,
  ]);
  const stack = 'id;dev_eui;join_eui;name;frequency_plan_id;claim_authentication_code'.split(';');
  assert.equal(guessed(stack), ['name', undefined, undefined, 'label', undefined, 'secretKey']);
  const bulk = ['NAME', 'TYPE', 'MQTT_CLIENT_ID', 'MQTT_USER_NAME', 'MQTT_PASSWORD', 'X509', 'x'];
  assert.equal(guessed(bulk), [
    'name',
    'type',
    'mqttClientId',
    'mqttUserName',
    'mqttPassword',
    'certificate',
    undefined,
  ]);
  assert.equal(guessed(['name', 'key', 'Secret Key', 'constructor', '']), [
    'name',
    'secretKey',
    undefined,
    undefined,
    undefined,
  ]);
});

test('csv: what many regular rows are packed to is unpacked whole; millions of commas are not', async () => {
  const label = 'Pump in the cellar of the house '.repeat(7);
  const text = Array.from(
    { length: 25_000 },
    (_, nth) => `Pump ${nth},pump,${label},,${label.repeat(4)}`,
  ).join('\n');
  assert.ok((await unpacked(await packed(text))) === text);
  assert.is(await unpacked(await packed(','.repeat(30_000_000))), undefined);
});

const NOTHING = {
  name: '',
  type: '',
  label: '',
  accessToken: '',
  mqttClientId: '',
  mqttUserName: '',
  mqttPassword: '',
  certificate: '',
  secretKey: '',
  kit: '',
};

test('csv: quotes, separators and line ends as spreadsheets write them', async () => {
  const table = (...rows: string[][]) => rows;
  assert.equal(parseCsv('a,b\n1,2'), table(['a', 'b'], ['1', '2']));
  assert.equal(parseCsv('a\tb\r1\t"x\ty"\r\n'), table(['a', 'b'], ['1', 'x\ty']));
  assert.equal(parseCsv('a;b\n"1\n2";""""\n;\n'), table(['a', 'b'], ['1\n2', '"']));
  const devices = async (text: string, columns?: readonly (Column | undefined)[]) => {
    const read = (await tableIn(text)) as Table;
    return devicesIn(read, columns ?? guessed(read.head));
  };
  assert.equal(await devices('Access Token,DEVICE NAME\nT , A '), [
    { ...NOTHING, name: 'A', accessToken: 'T' },
  ]);
  const read = await devices('name,username,password\nA, u , p \n');
  const spaced = Array.isArray(read) ? read[0] : undefined;
  assert.equal([spaced?.mqttUserName, spaced?.mqttPassword], ['u', ' p '], 'a password is what it is');
  assert.is(await devices(''), 'no-name');
  assert.equal(await devices('a,b\n1,2', ['name', 'name']), { twice: [1] });
  assert.equal(await tableIn('name\n"A'), { openQuoteInLine: 2 });
  assert.equal(await tableIn('name,type\nA,b,\nA,b,c'), { longRow: 2 });
});

law('overview: figures and plots of the last day; events as they happen', async ({ world, home, admin }) => {
  const id = await provision(world, home.tenantId, 'D');
  await openWindow(world, id, 's', HOUR_MS);
  await world.audit.catchUp();
  const shown = await admin.get('/live');
  assert.match(shown.text, /1 device in all 1 window open now 0 devices claimed/);
  assert.match(shown.html, 'class="bar"');
  const stream = admin.get('/live/events');
  for (let ended = false; !ended; ) {
    await new Promise((resolve) => setImmediate(resolve));
    await home.admin.post(`/api/customer/${home.bob.customerId}/device/${id}`);
    await home.admin.delete(`/api/customer/device/${id}`);
    world.clock.advance(60_000); // The stream ends after a while.
    ended = (await Promise.race([stream, pause(5)])) !== undefined;
  }
  const { html, headers } = await stream;
  assert.match(headers.get('content-type') ?? '', 'text/event-stream');
  assert.match(html, '"type":"unassigned"');
});

law(
  'a customer reads how often and when its device changed hands, and not to whom',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, 'Bike');
    await openWindow(world, id, 'secret');
    const claimed = await world
      .as(home.bob.token)
      .post('/api/customer/device/Bike/claim', { secretKey: 'secret' });
    assert.is(claimed.status, 200);
    const bob = visitor(world);
    await bob.signIn(home.bob.email);
    const once = (await bob.get(`/my/devices/${id}/history`)).html;
    assert.match(once, 'It has changed hands once.');
    assert.match(once, '<h1><bdi>History</bdi></h1>');
    await home.admin.delete('/api/customer/device/Bike/claim');
    await home.admin.post(`/api/customer/${home.alice.customerId}/device/${id}`);
    const alice = visitor(world);
    await alice.signIn(home.alice.email);
    const { html, text } = await alice.get(`/my/devices/${id}/history`);
    for (const words of [
      'It has changed hands 3 times.',
      'Claimed with its key',
      'Given back',
      'Assigned by its supplier',
    ]) {
      assert.match(html, words);
    }
    assert.not.match(text, home.bob.customerId);
    assert.match((await alice.get('/my/devices')).html, `/my/devices/${id}/history`);
    assert.is.not((await bob.get(`/my/devices/${id}/history`)).status, 200);
  },
);

test.run();
