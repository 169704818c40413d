/** What the system administrator sees of the options that the server really runs with. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { SYSADMIN_PASSWORD, startLocalServer } from '../kit/local-server.ts';

interface Shown {
  readonly key: string;
  readonly value: string | null;
  readonly source: string;
  readonly hidden: boolean;
}

test('options: the system administrator sees them by REST and in a page, without secrets; nobody else does', async () => {
  const server = await startLocalServer({ options: { 'web.name': 'Pumps & <b>Lamps</b>' } });
  try {
    const api = restApi(server.url);
    const system = await api.login('sysadmin@thingsboard.org', SYSADMIN_PASSWORD);
    const { options } = await api.get<{ options: Shown[] }>('/api/admin/options', system);
    const by = (key: string) => options.find((option) => option.key === key);
    assert.is(by('web.name')?.value, 'Pumps & <b>Lamps</b>');
    assert.is(by('server.port')?.value, '0');
    assert.is(by('server.port')?.source, 'COMMAND_LINE');
    assert.is(by('security.jwt.tokenExpirationTime')?.source, 'DEFAULT');
    assert.is(by('install.sysadmin_password')?.value, null);
    assert.is(by('install.sysadmin_password')?.hidden, true);
    assert.is((await api.send('GET', '/api/admin/options', 'no-token')).status, 401);

    const login = new FormData();
    login.set('email', 'sysadmin@thingsboard.org');
    login.set('password', SYSADMIN_PASSWORD);
    const headers = { origin: server.url };
    const entered = await fetch(`${server.url}/login`, {
      method: 'POST',
      body: login,
      headers,
      redirect: 'manual',
    });
    const cookie = entered.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const page = await (await fetch(`${server.url}/server`, { headers: { cookie } })).text();
    assert.match(page, 'Pumps &amp; &lt;b&gt;Lamps');
    assert.match(page, 'set, not shown');
    assert.not.match(page, SYSADMIN_PASSWORD);
  } finally {
    await server.stop();
  }
});

test.run();
