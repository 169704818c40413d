/** Limits of the running server, as an operator sets them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RawCoapClient, show } from '../kit/coap-client.ts';
import { RawMqttClient } from '../kit/mqtt-client.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { until } from '../kit/until.ts';

const server = suite('limits: the server');
server.after(cleanUp);

server('wrong tokens are counted by address where the operator wants it, for each transport', async () => {
  const running = await startServer({
    args: ['--demo'],
    env: {
      TB_TRANSPORT_IP_RATE_LIMITS_ENABLED: 'true',
      TB_TRANSPORT_MAX_WRONG_CREDENTIALS_PER_IP: '2',
      HTTP_TRUSTED_PROXIES: '1',
    },
  });
  const post = (token: string, from: string) =>
    fetch(`${running.url}/api/v1/${token}/claim`, {
      method: 'POST',
      headers: { 'X-Forwarded-For': from },
    });
  for (const token of ['guess1', 'guess2']) assert.is((await post(token, '192.0.2.1')).status, 401);
  const blocked = await post('T1_TEST_TOKEN', '192.0.2.1');
  assert.is(blocked.status, 429);
  const seconds = Number(blocked.headers.get('retry-after'));
  assert.ok(seconds >= 1 && seconds <= 60, `${seconds} s`);
  assert.is(((await blocked.json()) as { errorCode: number }).errorCode, 33);
  assert.is((await post('T1_TEST_TOKEN', '192.0.2.2')).status, 200, 'another address');

  const coap = await RawCoapClient.open(running.coapPort);
  const codes: string[] = [];
  for (const token of ['guess1', 'guess2', 'guess3']) codes.push(show(await coap.claim(token, '{}')));
  await coap.close();
  assert.equal(codes.slice(0, 2), ['ACK 4.01', 'ACK 4.01']);
  assert.match(codes[2] ?? '', 'ACK 4.29');

  const mqtt = await RawMqttClient.connect(running.mqttPort, 5, 'T1_TEST_TOKEN');
  await mqtt.close();
  assert.is((await running.stop()).code, 0);
});

server('windows of a device are counted over all transports', async () => {
  const running = await startServer({
    args: ['--demo'],
    env: { SECURITY_CLAIM_WINDOWS_PER_DEVICE: '2' },
  });
  const url = `${running.url}/api/v1/T1_TEST_TOKEN/claim`;
  assert.is((await fetch(url, { method: 'POST' })).status, 200);
  const coap = await RawCoapClient.open(running.coapPort);
  assert.is(show(await coap.claim('T1_TEST_TOKEN', '{}')), 'ACK 2.01');
  assert.match(show(await coap.claim('T1_TEST_TOKEN', '{}')), 'ACK 4.29');
  await coap.close();
  const refused = await fetch(url, { method: 'POST' });
  assert.is(refused.status, 429);
  assert.is(((await refused.json()) as { reason: string }).reason, 'rate-limited');
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  const lines = () =>
    running.log().filter(({ msg }) => String(msg).includes('opens claim windows too often'));
  await until('the operator hears of it', () => lines().length > 0);
  const [line] = lines();
  assert.is(line?.openedBy, 'device', 'and of which device');
  assert.type(line?.deviceId, 'string');
  assert.is((await running.stop()).code, 0);
});

server.run();
