/** A quarantined device on the tenant's page: its window waits, and the tenant lets it be claimed (rule O9). */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_OWNERSHIP_RULES } from '../../actors/device/ownership-rules.ts';
import { claimPath, openWindow, provision, settle } from '../kit/rest-client.ts';
import { createWebWorld, visitor } from '../kit/web-client.ts';

const KEY = 'printed on the box';

test('approval: the tenant sees the window that waits, and lets it be claimed', async () => {
  const world = createWebWorld({
    policy: { ownership: { ...DEFAULT_OWNERSHIP_RULES, onOwnerChange: 'quarantine' } },
  });
  try {
    const home = await settle(world, 'home');
    const id = await provision(world, home.tenantId, 'Pump');
    const admin = visitor(world);
    await admin.signIn(home.adminEmail);
    const page = `/devices/${id}`;
    assert.not.match((await admin.get(page)).text, 'a former owner may know its token');

    // It is claimed and given back: from then on what its credentials open waits.
    await openWindow(world, id, KEY);
    assert.is((await home.alice.post(claimPath('Pump'), { secretKey: KEY })).status, 200);
    assert.is((await home.alice.delete(claimPath('Pump'))).status, 200);
    assert.match((await admin.get(page)).text, 'a former owner may know its token');
    assert.not.match((await admin.get(page)).text, 'One waits');

    await openWindow(world, id, KEY);
    assert.is((await home.bob.post(claimPath('Pump'), { secretKey: KEY })).json, 'FAILURE');
    const { html } = await admin.get(page);
    const [, openedAt = ''] = /name="openedAt" value="(\d+)"/.exec(html) ?? [];
    const wrong = await admin.follow(
      await admin.post(`${page}/approve`, { openedAt: String(Number(openedAt) - 1) }),
    );
    assert.match(wrong.text, 'One waits', 'an approval is for the window that was seen');
    await admin.post('/language', { lang: 'de', next: '/devices' });
    const inGerman = await admin.follow(
      await admin.post(`${page}/approve`, { openedAt: String(Number(openedAt) - 1) }),
    );
    assert.match(inGerman.text, 'nicht ausgeführt: inzwischen wartet ein anderes Registrierungsfenster');
    await admin.post('/language', { lang: 'en', next: '/devices' });
    const done = await admin.follow(await admin.post(`${page}/approve`, { openedAt }));
    assert.match(done.text, 'It can be claimed now.');
    assert.is((await home.bob.post(claimPath('Pump'), { secretKey: KEY })).status, 200);
  } finally {
    await world.stop();
  }
});

test.run();
