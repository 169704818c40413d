/** Mails over two nodes on one Redis: each goes out once, whichever node was asked, and the other takes over from one that is killed. */
import { suite } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { mailEnvironment, startMailServer } from '../kit/mail-server.ts';
import { SYSADMIN_PASSWORD, startNodes } from '../kit/nodes.ts';
import { cleanUp } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, startRedis } from '../kit/redis.ts';

const nodes = suite('mail over two nodes');
const law = needing(['redis-server'], nodes);
const USERS = 20;
const ROUNDS_MAX = 5;

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
  /** How many mails went to some who were invited. */
  const sentTo = async (from: number): Promise<number> => {
    const some = Array.from({ length: USERS }, (_, n) => from + n);
    await Promise.all(some.map((n) => invite(n)));
    for (const n of some) await mails.mailTo(`admin-${n}@example.org`);
    const sent = mails.heard.slice(heard);
    heard = mails.heard.length;
    is(new Set(sent.map(({ mail }) => mail.messageId)).size, USERS);
    return sent.length;
  };
  let heard = 0;
  // None twice, but where the one that sends stands still for so long on a busy machine that the other takes over.
  let rounds = 1;
  while ((await sentTo(rounds * USERS)) > USERS) {
    ok(rounds < ROUNDS_MAX, 'in no round each was sent once');
    rounds += 1;
  }

  await both.kill(0);
  await invite(0, restApi(there));
  await mails.mailTo('admin-0@example.org');
  await both.start(0);
  await both.kill(1);
  await invite(1, restApi(here));
  await mails.mailTo('admin-1@example.org');
  await both.start(1);
  equal(await both.stop(), [0, 0]);
  await mails.stop();
});

nodes.run();
