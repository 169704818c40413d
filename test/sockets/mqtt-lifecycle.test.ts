/** The life of a session from outside: taken over, ended with its device, drained with the server; and its crash. */

import { createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { accessToken } from '../../actors/fleet/credentials.ts';
import { ListenError } from '../../actors/sockets/listen.ts';
import { createMqttEndpoint } from '../../transports/mqtt/endpoint/endpoint.ts';
import { MQTT_ENDPOINT_DEFAULTS } from '../../transports/mqtt/endpoint/settings.ts';
import { VERSION_NAME, VERSIONS, withMqtt } from '../contract/transport-mqtt.ts';
import { createTransportWorld, TENANT } from '../contract/transport-world.ts';
import { createGate } from '../kit/faulty-store.ts';
import { claimPacket, connectPacket, RawMqttClient } from '../kit/mqtt-client.ts';
import { PATIENCE_MS, within } from '../kit/patience.ts';
import { pause, until } from '../kit/until.ts';

const codes = (packets: readonly { cmd: string; reasonCode?: number }[]) =>
  packets.map(({ cmd, reasonCode }) => `${cmd} ${reasonCode}`);

for (const version of VERSIONS) {
  const name = VERSION_NAME[version];
  const only5 = (reasonCode: number) => (version === 5 ? [`disconnect ${reasonCode}`] : []);

  test(`mqtt ${name}: lifecycle: a newer connection of the device takes over`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const older = await connect(version, 'T', { clientId: 'one' });
      const newer = await connect(version, 'T', { clientId: 'two' });
      assert.equal(codes(await older.untilClosed()), only5(0x8e));
      newer.send(claimPacket(1, 1));
      await newer.next('puback');
      const newest = await connect(version, 'T');
      assert.equal(codes(await newer.untilClosed()), only5(0x8e));
      assert.equal(await newest.untilPong(), []);
    }));

  test(`mqtt ${name}: lifecycle: two devices with the same client identifier live side by side`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('A');
      await world.provision('B');
      const a = await connect(version, 'A', { clientId: 'same' });
      const b = await connect(version, 'B', { clientId: 'same' });
      assert.equal(await a.untilPong(), []);
      assert.equal(await b.untilPong(), []);
    }));

  test(`mqtt ${name}: lifecycle: a deleted device is disconnected`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const id = await world.provision('T');
      const client = await connect(version, 'T');
      await world.devices.ask(id, { type: 'DeleteDevice', tenantId: TENANT });
      assert.equal(codes(await client.untilClosed()), only5(0x98));
    }));

  test(`mqtt ${name}: lifecycle: new credentials end the session that the old ones opened`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const id = await world.provision('T');
      const client = await connect(version, 'T');
      await world.devices.ask(id, {
        type: 'ChangeCredentials',
        tenantId: TENANT,
        credentials: accessToken(world.secrets, id, 'NEW'),
      });
      assert.equal(codes(await client.untilClosed()), only5(0x98));
      assert.equal(await (await connect(version, 'NEW')).untilPong(), []);
    }));

  test(`mqtt ${name}: lifecycle: revoked by another process: the next claim ends the session`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const id = await world.provision('T');
      const client = await connect(version, 'T');
      world.onEvent = () => {};
      await world.devices.ask(id, { type: 'DeleteDevice', tenantId: TENANT });
      client.send(claimPacket(1, 1));
      assert.equal(codes(await client.untilClosed()), only5(0x98));
    }));

  test(`mqtt ${name}: lifecycle: stop: what is under way is acknowledged, nothing new is taken`, () =>
    withMqtt({}, async ({ world, connect, endpoint, port }) => {
      await world.provision('A');
      await world.provision('B');
      const gate = createGate();
      world.intercept = (_command, pass) => gate.opened.then(pass);
      const busy = await connect(version, 'A');
      const idle = await connect(version, 'B');
      busy.send(claimPacket(1, 1));
      await busy.untilPong();

      const stopped = endpoint.stop(PATIENCE_MS);
      assert.equal(codes(await idle.untilClosed()), only5(0x8b));
      busy.send(claimPacket(1, 2));
      await pause(20);
      await RawMqttClient.open(port, version).then(
        () => assert.unreachable('nobody gets in any more'),
        () => {},
      );
      gate.open();
      const seen = codes(await busy.untilClosed());
      assert.equal(seen, [`puback ${version === 5 ? 0 : undefined}`, ...only5(0x8b)]);
      assert.is(world.commands.length, 1);
      await stopped;
      assert.is(endpoint.connections, 0);
    }));

  test(`mqtt ${name}: lifecycle: stop: ends in time although a claim is never answered and a client never leaves`, () =>
    withMqtt({}, async ({ world, connect, open, endpoint }) => {
      await world.provision('T');
      world.intercept = () => new Promise(() => {});
      const busy = await connect(version, 'T');
      busy.send(claimPacket(1, 1));
      await busy.untilPong();
      await open(version);
      const started = performance.now();
      await within('it stops', endpoint.stop(150));
      const took = performance.now() - started;
      assert.ok(took >= 140, `${took} ms`);
      assert.equal(await busy.untilClosed(), []);
    }));

  test(`mqtt ${name}: lifecycle: a client that vanishes leaves nothing behind`, () =>
    withMqtt({}, async ({ world, connect, endpoint }) => {
      await world.provision('T');
      world.intercept = () => new Promise(() => {});
      const client = await connect(version, 'T');
      client.send(claimPacket(1, 1));
      await client.untilPong();
      client.socket.resetAndDestroy();
      await until('it is forgotten', () => endpoint.connections === 0);
    }));
}

test('mqtt: lifecycle: stop: ends in time although a token is being looked up for ever', () =>
  withMqtt({}, async ({ world, open, endpoint }) => {
    let asked = false;
    world.interceptLookup = () => {
      asked = true;
      return new Promise(() => {});
    };
    const client = await open(4);
    client.send(connectPacket(4, 'T'));
    await until('the token is looked up', () => asked);
    await within('it stops', endpoint.stop(50));
    assert.equal(await client.untilClosed(), []);
  }));

test('mqtt: lifecycle: a bug in a session ends that session, is logged without its message, and no other notices', async () => {
  const world = await createTransportWorld();
  const errors: string[] = [];
  const broken = {
    ...world,
    secrets: {
      ...world.secrets,
      digest: (...[device, secret]: Parameters<typeof world.secrets.digest>) => {
        if (secret === 'bug') throw new Error('a bug');
        return world.secrets.digest(device, secret);
      },
    },
  };
  const endpoint = createMqttEndpoint({
    ...broken,
    log: {
      ...silentLog,
      error: (fields, message) => {
        errors.push(`${message} ${'err' in fields ? fields.err : ''} ${JSON.stringify(fields)}`);
      },
    },
    settings: { ...MQTT_ENDPOINT_DEFAULTS, bindAddress: '127.0.0.1', port: 0 },
  });
  try {
    const { port } = await endpoint.start();
    await world.provision('A');
    await world.provision('B');
    const a = await RawMqttClient.connect(port, 4, 'A');
    const b = await RawMqttClient.connect(port, 5, 'B');
    a.send(claimPacket(1, 1, { secretKey: 'bug' }));
    assert.equal(await a.untilClosed(), []);
    assert.is(errors.length, 1);
    assert.match(errors[0] ?? '', 'a bug');
    assert.not.match(errors[0] ?? '', 'secretKey');
    b.send(claimPacket(1, 1));
    await b.next('puback');
    await (await RawMqttClient.connect(port, 4, 'A')).close();
    await b.close();
  } finally {
    await endpoint.stop(100);
    await world.stop();
  }
});

test('mqtt: lifecycle: a taken port is one clear line', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const world = await createTransportWorld();
  const endpoint = createMqttEndpoint({
    ...world,
    log: silentLog,
    settings: { ...MQTT_ENDPOINT_DEFAULTS, bindAddress: '127.0.0.1', port },
  });
  try {
    await endpoint.start();
    assert.unreachable('the port is taken');
  } catch (error) {
    assert.instance(error, ListenError);
    assert.is(
      error instanceof Error && error.message,
      `MQTT cannot listen on 127.0.0.1:${port}: the port is taken by another program`,
    );
  } finally {
    await endpoint.stop(100);
    await world.stop();
    other.close();
  }
});

test.run();
