/**
 * Refused claims that a webhook hears of, from a real server: within a minute, over `kill -9`, each once, and nothing of what was shown.
 */
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { cast, claimPath } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { send } from '../kit/http.ts';
import { freePorts } from '../kit/ports.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { startReceiver, withStatus } from '../kit/receiver.ts';
import { until } from '../kit/until.ts';
import { WEBHOOK_ENVIRONMENT } from '../kit/webhook-story.ts';

const SYSADMIN_PASSWORD = 'webhooks-refused-sysadmin';
/** Refusals are told a minute after the first, and tried again seconds later. */
const PATIENCE_MS = 5 * 60_000;

test.after(cleanUp);

test('refused claims: told within a minute and over a kill, each once; an orderly stop tells what is counted', async () => {
  const [httpPort = 0] = await freePorts(1);
  const dataDir = temporaryFolder();
  const env = { ...WEBHOOK_ENVIRONMENT, HTTP_BIND_PORT: String(httpPort), SYSADMIN_PASSWORD };
  const start = () => startServer({ dataDir, env });
  let server = await start();
  const [receiver, others] = [await startReceiver(), await startReceiver()];
  const { api, tenant } = await cast(server.url, SYSADMIN_PASSWORD);
  const { token } = await api.createCustomer(tenant, 'Acme');
  await api.post('/api/webhook', tenant, { url: receiver.url, events: ['claim.refused'] });
  await api.post('/api/webhook', tenant, { url: others.url });
  const { id } = (await api.createDevice(tenant, 'lamp', 'token-of-lamp')).id;
  const refuse = async (times: number) => {
    for (let nth = 0; nth < times; nth += 1) {
      const body = { secretKey: `guess-${nth}` };
      is((await send(`${server.url}${claimPath('lamp')}`, { method: 'POST', token, body })).status, 400);
    }
  };
  const told = () => {
    const byId = new Map(receiver.heard.map(({ id, body }) => [id, JSON.parse(body).data]));
    return [...byId.values()].reduce((sum, { count }) => sum + count, 0);
  };

  receiver.answer(withStatus(500));
  const begun = performance.now();
  await refuse(3);
  await until('they are told', () => receiver.heard.length > 0, PATIENCE_MS);
  ok(performance.now() - begun >= 60_000, 'a minute of them together');
  await refuse(2); // which a kill forgets
  await server.kill();
  receiver.answer(withStatus(204));
  server = await start();
  await until('they are told again', () => receiver.heard.some(({ status }) => status === 204), PATIENCE_MS);
  is(told(), 3, 'once, by one id');
  await refuse(2);
  is((await server.stop()).code, 0);
  server = await start();
  await until('the rest is told after the stop', () => told() === 5, PATIENCE_MS);
  const [first] = receiver.heard;
  const { type, data } = JSON.parse(first?.body ?? '');
  equal([type, data.deviceId, data.count, data.reasons], ['claim.refused', id, 3, { 'no-window': 3 }]);
  equal(
    receiver.heard.filter(({ body }) => body.includes('guess')),
    [],
    'nothing of what was shown',
  );
  await api.initiate('token-of-lamp', { secretKey: 'right', durationMs: 600_000 });
  await api.must('POST', claimPath('lamp'), token, { secretKey: 'right' });
  await until('the claim is told', () => others.heard.some(({ body }) => body.includes('device.claimed')));
  equal(
    others.heard.filter(({ body }) => body.includes('claim.refused')),
    [],
    'nobody hears of refusals who has not asked',
  );
  is((await server.stop()).code, 0);
  await receiver.stop();
  await others.stop();
});

test.run();
