/** CoAP in the real process: the port that the log names, what survives a crash, and being switched off. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { RawCoapClient, show } from '../kit/coap-client.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, startServer } from '../kit/process.ts';

const server = suite('coap: the server');
server.after(cleanUp);

server('coap: a window that was acknowledged with 2.01 survives kill -9', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir, args: ['--demo'] });
  const client = await RawCoapClient.open(first.coapPort);
  const answer = await client.claim('T1_TEST_TOKEN', '{"secretKey":"value","durationMs":600000}');
  await first.kill();
  await client.close();
  assert.is(show(answer), 'ACK 2.01');

  const second = await startServer({ dataDir, args: ['--demo'] });
  const api = restApi(second.url);
  const customer = await api.login('customerA@thingsboard.org', 'customer');
  const response = await fetch(`${second.url}/api/customer/device/Thermostat%20T1/claim`, {
    method: 'POST',
    headers: { 'X-Authorization': `Bearer ${customer}`, 'Content-Type': 'application/json' },
    body: '{"secretKey":"value"}',
  });
  assert.is(response.status, 200);
  assert.not.match(second.output(), 'T1_TEST_TOKEN');
  assert.is((await second.stop()).code, 0);
});

server('coap: switched off, there is no port', async () => {
  const off = await startServer({
    env: { SYSADMIN_PASSWORD: 'a-long-password', COAP_ENABLED: 'false' },
  });
  assert.is(off.log().find((line) => line.msg === 'ready')?.coap, null);
  assert.is((await off.stop()).code, 0);
});

server.run();
