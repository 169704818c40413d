/** The pages of kits, without a browser: made and printed by the tenant, claimed by who has the box (rules K1 to K6). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { provision, settle } from '../kit/rest-client.ts';
import { until } from '../kit/until.ts';
import { createWebWorld, visitor } from '../kit/web-client.ts';

const test = suite('web kits');

const CODE = /[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}/;

test('a kit is made of names, split, claimed by its code, and tells what became of each device', async () => {
  const world = createWebWorld();
  try {
    const home = await settle(world, 'home');
    for (const name of ['Lamp', 'Plug', 'Sensor']) await provision(world, home.tenantId, name);
    const [admin, alice, bob] = [visitor(world), visitor(world), visitor(world)];
    await admin.signIn(home.adminEmail);
    await alice.signIn(home.alice.email);
    await bob.signIn(home.bob.email);

    const unknown = await admin.post('/kits/new', { devices: 'Lamp\nnowhere', days: '30' });
    assert.is(unknown.status, 400);
    assert.match(unknown.text, "There is no device called 'nowhere'");
    const made = await admin.post('/kits/new', {
      label: 'Order 7',
      devices: 'Lamp\r\n\r\n Plug \nSensor\nLamp',
      days: '30',
    });
    const shown = await admin.follow(made);
    assert.match(shown.text, 'Order 7');
    const [code = ''] = CODE.exec(shown.text) ?? [];
    assert.match((await admin.get('/kits')).text, 'Nobody has claimed it yet');

    const none = await admin.follow(await admin.post(`${made.to}/split`, {}));
    assert.match(none.text, 'Choose some devices first');
    const parted = await admin.post(`${made.to}/split`, { device: 'Sensor' });
    const part = await admin.follow(parted);
    const [partCode = ''] = CODE.exec(part.text) ?? [];
    assert.ok(code !== '' && partCode !== '' && code !== partCode);

    assert.match((await alice.post('/claim/kit', { code: '' })).text, 'Type the code');
    const wrong = await alice.post('/claim/kit', { code: 'AAAA-BBBB-CCCC-DDDD' });
    assert.is(wrong.status, 400);
    assert.match(wrong.text, 'There is no such code');
    const mine = await alice.post('/claim/kit', { code: code.toLowerCase() });
    assert.is(mine.status, 303, mine.text);
    await until('it is claimed', async () => /It is yours/.test((await alice.get(String(mine.to))).text));
    assert.match((await alice.get(String(mine.to))).text, '2 of 2 devices are yours');
    assert.match((await bob.post('/claim/kit', { code })).text, 'Somebody has claimed the kit already');
    assert.is((await bob.get(String(mine.to))).status, 404);

    const asked = await admin.get(`${parted.to}/revoke`);
    assert.match(asked.text, /Revoke this kit\?.*code that was printed/);
    assert.match((await admin.get(String(parted.to))).text, 'Nobody has claimed it yet', 'it was only asked');
    const revoked = await admin.follow(await admin.post(`${parted.to}/revoke`, {}));
    assert.match(revoked.text, 'The code opens nothing more');
    assert.match((await alice.post('/claim/kit', { code: partCode })).text, 'The kit is revoked');

    assert.match(revoked.text, 'This kit is over');
    const deleted = await admin.follow(await admin.post(`${parted.to}/delete`, {}));
    assert.match(deleted.text, 'The kit is deleted.');
    assert.is((await admin.get(String(parted.to))).status, 404);
    assert.match((await alice.post('/claim/kit', { code: partCode })).text, 'There is no such code');
  } finally {
    await world.stop();
  }
});

test('guessing codes on the page runs into the same wall', async () => {
  const world = createWebWorld();
  try {
    const home = await settle(world, 'home');
    const alice = visitor(world);
    await alice.signIn(home.alice.email);
    for (let n = 0; n < 10; n += 1) await alice.post('/claim/kit', { code: `AAAA-BBBB-CCCC-AA${n}A` });
    const blocked = await alice.post('/claim/kit', { code: 'AAAA-BBBB-CCCC-DDDD' });
    assert.is(blocked.status, 429);
    assert.match(blocked.text, 'Too many wrong codes');
  } finally {
    await world.stop();
  }
});

test.run();
