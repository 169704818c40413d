/** Refused claims over two nodes on one Redis: each node tells what it refused, in the order of the device's life. */
import { suite } from 'uvu';
import { equal } from 'uvu/assert';
import { cast, claimPath } from '../kit/api.ts';
import { send } from '../kit/http.ts';
import { SYSADMIN_PASSWORD, startNodes } from '../kit/nodes.ts';
import { cleanUp } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { startReceiver } from '../kit/receiver.ts';
import { cleanUpRedis, startRedis } from '../kit/redis.ts';
import { until } from '../kit/until.ts';
import { WEBHOOK_ENVIRONMENT } from '../kit/webhook-story.ts';

const nodes = suite('refused claims over two nodes');
const law = needing(['redis-server'], nodes);
/** Refusals are told a minute after the first. */
const PATIENCE_MS = 5 * 60_000;

nodes.after(async () => {
  await cleanUp();
  await cleanUpRedis();
});

law('refused claims are told by the node that refused them, each once, whichever node sends', async () => {
  const redis = await startRedis();
  const both = await startNodes(2, { STORE_URL: redis.url, ...WEBHOOK_ENVIRONMENT });
  const receiver = await startReceiver();
  const [here = ''] = both.urls;
  const { api, tenant } = await cast(here, SYSADMIN_PASSWORD);
  const { token } = await api.createCustomer(tenant, 'Acme');
  await api.post('/api/webhook', tenant, { url: receiver.url, events: ['claim.*', 'device.claimed'] });
  await api.createDevice(tenant, 'lamp', 'token-of-lamp');
  await api.initiate('token-of-lamp', { secretKey: 'right', durationMs: 600_000 });
  for (const url of [...both.urls, ...both.urls]) {
    const reply = await send(`${url}${claimPath('lamp')}`, {
      method: 'POST',
      token,
      body: { secretKey: 'guess' },
    });
    equal(reply.status, 400);
  }
  const told = () =>
    [...new Map(receiver.heard.map(({ id, body }) => [id, JSON.parse(body)])).entries()].map(
      ([id, { type, data }]) => ({ number: Number(id.split('_')[2]), type, count: data.count }),
    );
  await until('both nodes have told', () => told().length === 2, PATIENCE_MS);
  equal(
    told().map(({ type, count }) => [type, count]),
    [
      ['claim.refused', 2],
      ['claim.refused', 2],
    ],
  );
  await api.must('POST', claimPath('lamp'), token, { secretKey: 'right' });
  await until('the claim is told behind them', () => told().length === 3);
  equal(
    told().map(({ number }) => number),
    [3, 4, 5],
    'in the order of the device',
  );
  equal(await both.stop(), [0, 0]);
  await receiver.stop();
});

nodes.run();
