/** `kill -9` in the middle of a thousand claims: a webhook hears of each event at least once, in its device's order. */
import { test } from 'uvu';
import { is } from 'uvu/assert';
import { temporaryFolder } from '../kit/folders.ts';
import { freePorts } from '../kit/ports.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { startReceiver } from '../kit/receiver.ts';
import { until } from '../kit/until.ts';
import { beginClaims, CLAIMS, WEBHOOK_ENVIRONMENT } from '../kit/webhook-story.ts';

const SYSADMIN_PASSWORD = 'webhooks-crash-sysadmin';
const KILLS = 3;
const PATIENCE_MS = 10 * 60_000;

test.after(cleanUp);

test('webhooks: after three kills in the middle of a thousand claims none is missing and none out of order', async () => {
  const [httpPort = 0] = await freePorts(1);
  const dataDir = temporaryFolder();
  const env = { ...WEBHOOK_ENVIRONMENT, HTTP_BIND_PORT: String(httpPort), SYSADMIN_PASSWORD };
  const start = () => startServer({ dataDir, env });
  let server = await start();
  const receiver = await startReceiver();
  const story = await beginClaims([server.url], SYSADMIN_PASSWORD, receiver);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const after = (kill * CLAIMS) / (KILLS + 1);
    await until('it is in the middle', () => story.claims() >= after, PATIENCE_MS);
    await server.kill();
    server = await start();
  }
  await story.done;
  await story.check();
  is((await server.stop()).code, 0);
  await receiver.stop();
});

test.run();
