/** A server that is asked for its debug log tells each refusal of a device with its reason, by whichever door it came, and no secret. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Log, silentLog } from '../../actors/base/log.ts';
import { claimPath } from '../kit/api.ts';
import { claimPacket, RawMqttClient } from '../kit/mqtt-client.ts';
import { createStage } from '../wire/stage.ts';

const test = suite('refusals in the log');

test('each refusal is told with device, command and reason where debug is asked for', async () => {
  const told: object[] = [];
  const log: Log = {
    ...silentLog,
    debugs: true,
    debug: (fields, message) => void (message.startsWith('a device has refused') && told.push(fields)),
  };
  const stage = await createStage({ log });
  const device = await stage.device();
  const claim = (secretKey: string) =>
    stage.api.send('POST', claimPath(device.name), stage.customer.token, { secretKey });
  const refusals = () => told.splice(0);

  assert.is((await claim('a guess')).status, 400);
  assert.equal(refusals(), [{ deviceId: device.id, command: 'ConfirmClaim', reason: 'no-window' }]);
  assert.is((await stage.api.initiate(device.accessToken, { secretKey: 'right' })).status, 200);
  assert.is((await claim('a guess')).status, 400);
  assert.equal(refusals(), [{ deviceId: device.id, command: 'ConfirmClaim', reason: 'wrong-secret' }]);
  assert.is((await claim('right')).status, 200);
  assert.equal(refusals(), []);
  const client = await RawMqttClient.connect(stage.world.mqttPort, 5, device.accessToken);
  client.send(claimPacket(1, 1, { secretKey: 'right' }));
  await client.next('puback');
  assert.equal(refusals(), [{ deviceId: device.id, command: 'InitiateClaim', reason: 'already-claimed' }]);
  await client.close();
  await stage.stop();
});

test.run();
