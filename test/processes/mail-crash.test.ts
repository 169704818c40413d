/** `kill -9` between the answer and the mail: the mail arrives all the same. */
import { test } from 'uvu';
import { is } from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { linkIn, mailEnvironment, startMailServer } from '../kit/mail-server.ts';
import { freePorts } from '../kit/ports.ts';
import { cleanUp, startServer } from '../kit/process.ts';

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

test.run();
