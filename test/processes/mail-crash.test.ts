/** `kill -9` between the answer and the mail, or before both: the mail arrives all the same. */
import { join } from 'node:path';
import { test } from 'uvu';
import { is } from 'uvu/assert';
import { userKind } from '../../actors/accounts/kinds.ts';
import type { OwedNews } from '../../actors/accounts/model.ts';
import { type MailId, newId } from '../../actors/base/ids.ts';
import { createCollection } from '../../actors/records/collection.ts';
import { openLmdbStore } from '../../actors/store/lmdb/lmdb.ts';
import { cast, restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { linkIn, mailEnvironment, startMailServer } from '../kit/mail-server.ts';
import { freePorts } from '../kit/ports.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { until } from '../kit/until.ts';

const SYSADMIN_PASSWORD = 'mail-crash-sysadmin';
const SYSADMIN = 'sysadmin@thingsboard.org';

test.after(cleanUp);

test('mail: what was asked for before a kill is sent after it, and its link works', async () => {
  const [smtpPort = 0] = await freePorts(1);
  const dataDir = temporaryFolder();
  const env = { SYSADMIN_PASSWORD, ...mailEnvironment(smtpPort) };
  // Nobody listens there yet.
  const first = await startServer({ dataDir, env });
  const asked = await restApi(first.url).send('POST', '/api/noauth/resetPasswordByEmail', undefined, {
    email: SYSADMIN,
  });
  is(asked.status, 200);
  await first.kill();

  const mails = await startMailServer({ port: smtpPort });
  // It was put off once, perhaps, and then the next try is a minute away.
  const second = await startServer({ dataDir, env });
  const resetToken = linkIn(await mails.mailTo(SYSADMIN)).searchParams.get('resetToken');
  const body = { resetToken, password: 'a password after the kill' };
  is((await restApi(second.url).send('POST', '/api/noauth/resetPassword', undefined, body)).status, 200);
  is((await second.stop()).code, 0);
  await mails.stop();
});

test('mail: what a change of a user owed before a kill is told after it: in the audit trail, and by a mail', async () => {
  const mails = await startMailServer();
  const dataDir = temporaryFolder();
  const env = { SYSADMIN_PASSWORD, ...mailEnvironment(mails.port) };
  const first = await startServer({ dataDir, env });
  const { api, tenant } = await cast(first.url, SYSADMIN_PASSWORD);
  const { id } = await api.get('/api/auth/user', tenant);
  await first.kill();

  // As the commit of the change has left it, which no test can hit from outside.
  const at = Date.now();
  const owed: OwedNews = {
    ...{ id: newId<MailId>(at), at, action: 'CREDENTIALS_UPDATED', data: { password: 'changed' } },
    mail: { type: 'password-changed' },
  };
  const store = openLmdbStore({ path: join(dataDir, 'store') });
  await createCollection(store, userKind(true)).change(id.id, (user) => ({ ...user, news: [owed] }));
  await store.close();

  const second = await startServer({ dataDir, env });
  await until('the mail is sent', () =>
    mails.heard.some(({ mail }) => mail.messageId?.includes(owed.id) === true),
  );
  const entries = async () => {
    const path = `/api/audit/logs/user/${id.id}?page=0&pageSize=100&actionTypes=CREDENTIALS_UPDATED`;
    return (await restApi(second.url).get<{ data: { id: { id: string } }[] }>(path, tenant)).data;
  };
  await until('it is in the trail', async () => (await entries()).some((entry) => entry.id.id === owed.id));
  is((await second.stop()).code, 0);
  const after = openLmdbStore({ path: join(dataDir, 'store') });
  is(await after.index.count('account/users-with-news'), 0);
  await after.close();
  await mails.stop();
});

test.run();
