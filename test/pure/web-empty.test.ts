/** Lists with nothing in them: each says so, and what to do next. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { settle, systemAdministrator } from '../kit/rest-client.ts';
import { createWebWorld, visitor } from '../kit/web-client.ts';

const test = suite('empty lists');

const EMPTY = {
  tenant: [
    '/devices',
    '/devices?search=nothing',
    '/customers?search=nothing',
    '/kits',
    '/webhooks',
    '/devices/batches',
    '/account/keys',
    '/audit?to=2001-01-01',
    '/providers',
  ],
  customer: ['/my/devices', '/my/lost', '/offers'],
  system: ['/tenants?search=nothing', '/providers'],
} as const;

/** A link in the card that says so: where nothing fits what was looked for, the way back. */
const LINK = /class="card empty">(?:(?!<\/div>)[\s\S])*<a href=/;
/** What makes the first one, beside the card: the next step of a list that shows all there is. */
const MAKES_ONE = /<a class="button primary"|<form method="post"/;

test('every list with nothing in it has a next step', async () => {
  const world = createWebWorld({});
  try {
    const { adminEmail, alice } = await settle(world, 'home');
    await systemAdministrator(world);
    const emails = { tenant: adminEmail, customer: alice.email, system: 'sysadmin@claimd.test' };
    for (const who of ['tenant', 'customer', 'system'] as const) {
      const reader = visitor(world);
      await reader.signIn(emails[who]);
      for (const path of EMPTY[who]) {
        const { html } = await reader.get(path);
        const main = /<main[\s\S]*<\/main>/.exec(html)?.[0] ?? '';
        assert.match(main, 'class="card empty"', `${path} is empty`);
        const isAll = !path.includes('?');
        assert.ok(LINK.test(main) || (isAll && MAKES_ONE.test(main)), `${path} has a next step`);
      }
    }
  } finally {
    await world.stop();
  }
});

test.run();
