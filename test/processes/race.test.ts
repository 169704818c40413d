/**
 * Rule C7: many customers confirm the same device at the same instant, over real HTTP, and exactly one gets it.
 * 200 customers, 500 devices; CLAIMD_RACE_DEVICES changes the number of devices.
 */
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { cast } from '../kit/api.ts';
import { cleanUp, startServer } from '../kit/process.ts';

const CUSTOMERS = 200;
const DEVICES = Number(process.env.CLAIMD_RACE_DEVICES ?? 500);
const SYSADMIN_PASSWORD = 'race-test-sysadmin';

test.after(cleanUp);

test(`race: of ${CUSTOMERS} customers who confirm a device at once, one gets it and the others hear CLAIMED`, async () => {
  const server = await startServer({ env: { SYSADMIN_PASSWORD } });
  const { api, tenant, customers } = await cast(server.url, SYSADMIN_PASSWORD, CUSTOMERS);

  const winners = new Set<string>();
  for (let n = 0; n < DEVICES; n += 1) {
    const name = `contended ${n}`;
    await api.createDevice(tenant, name, `race-token-${n}`);
    is((await api.initiate(`race-token-${n}`, { secretKey: 'the key' })).status, 200);

    const rivals = shuffled(customers);
    const replies = await Promise.all(rivals.map(({ token }) => api.confirm(token, name, 'the key')));
    const won = replies.flatMap(({ status }, at) => (status === 200 ? [rivals[at]?.id ?? ''] : []));
    const lost = replies.filter(({ status, body }) => status === 400 && body === '"CLAIMED"');
    is(won.length, 1, `${name}: ${won.length} customers were told SUCCESS`);
    is(lost.length, CUSTOMERS - 1, `${name}: somebody was told neither SUCCESS nor CLAIMED`);
    equal(
      [(await api.device(tenant, name)).customerId.id],
      won,
      `${name}: the owner is not who was told SUCCESS`,
    );
    for (const id of won) winners.add(id);
  }
  process.stdout.write(`\n# race: ${DEVICES} devices went to ${winners.size} different customers\n`);
  ok(
    winners.size > Math.min(CUSTOMERS, DEVICES) / 4,
    'hardly anybody ever wins: that was a queue and no race',
  );
  await server.stop();
});

/** The same in another order, or whoever is asked first would always win. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  const drawn = items.map((item) => ({ item, place: Math.random() }));
  return drawn.sort((a, b) => a.place - b.place).map(({ item }) => item);
}

test.run();
