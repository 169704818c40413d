/** Mails over two nodes on one Redis: each goes out once, whichever node was asked, and the other takes over from one that is killed. */
import { suite } from 'uvu';
import { equal, is } from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { mailEnvironment, startMailServer } from '../kit/mail-server.ts';
import { SYSADMIN_PASSWORD, startNodes } from '../kit/nodes.ts';
import { cleanUp } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, startRedis } from '../kit/redis.ts';

const nodes = suite('mail over two nodes');
const law = needing(['redis-server'], nodes);
const USERS = 20;

nodes.after(async () => {
  await cleanUp();
  await cleanUpRedis();
});

law('each mail is sent by one of them, and after a kill by the other', async () => {
  const mails = await startMailServer();
  const redis = await startRedis();
  const both = await startNodes(2, { STORE_URL: redis.url, ...mailEnvironment(mails.port) });
  const [here = '', there = ''] = both.urls;
  const apis = [restApi(here), restApi(there)];
  const sysadmin = await restApi(here).login('sysadmin@thingsboard.org', SYSADMIN_PASSWORD);
  const tenant = await restApi(here).post('/api/tenant', sysadmin, { title: 'Tenant' });
  const invite = (n: number, api = apis[n % 2]) =>
    api?.post('/api/user', sysadmin, {
      email: `admin-${n}@example.org`,
      authority: 'TENANT_ADMIN',
      tenantId: tenant.id,
    });
  await Promise.all(Array.from({ length: USERS }, (_, n) => invite(n)));
  for (let n = 0; n < USERS; n += 1) await mails.mailTo(`admin-${n}@example.org`);
  is(new Set(mails.heard.map(({ mail }) => mail.messageId)).size, USERS);
  is(mails.heard.length, USERS, 'none twice');

  await both.kill(0);
  await invite(USERS, restApi(there));
  await mails.mailTo(`admin-${USERS}@example.org`);
  await both.start(0);
  await both.kill(1);
  await invite(USERS + 1, restApi(here));
  await mails.mailTo(`admin-${USERS + 1}@example.org`);
  await both.start(1);
  equal(await both.stop(), [0, 0]);
  await mails.stop();
});

nodes.run();
