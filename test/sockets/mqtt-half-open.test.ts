/**
 * Clients that vanish: power cut, cable pulled, out of range. No FIN comes, nothing is read, and what the server does to close is
 * not answered. The raw socket here stops reading and never closes its side, which looks the same to the server.
 */
import { connect, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type MqttScene, VERSION_NAME, VERSIONS, withMqtt } from '../contract/transport-mqtt.ts';
import { TENANT } from '../contract/transport-world.ts';
import { createSimClock } from '../kit/clock.ts';
import { NOW } from '../kit/given.ts';
import { timerAtServer } from '../kit/kernel-timers.ts';
import { CLAIM_RESPONSE_TOPIC, claimPacket, RawMqttClient, type Version } from '../kit/mqtt-client.ts';
import { settled, until } from '../kit/until.ts';

/** Closing is not answered for this long before the connection is destroyed; sweeps are made as often. */
const SOON = { closeTimeoutMs: 20, sweepIntervalMs: 20 };

/** Connects a client that can vanish: it does not close its side when the server closes its own. */
async function connectVanishing(
  { port }: MqttScene,
  version: Version,
  token: string,
  keepalive = 0,
): Promise<RawMqttClient> {
  const socket = await new Promise<Socket>((resolve) => {
    const opened: Socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }, () => resolve(opened));
  });
  const client = RawMqttClient.over(socket, version);
  client.send({
    cmd: 'connect',
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: version,
    clientId: 'vanishing',
    clean: true,
    keepalive,
    username: token,
  });
  await client.next('connack');
  return client;
}

const vanish = (client: RawMqttClient): void => void client.socket.pause();

for (const version of VERSIONS) {
  const name = VERSION_NAME[version];

  for (const keepalive of [0, 60]) {
    test(`mqtt ${name}: half-open: who vanishes is gone after its keep-alive of ${keepalive} s, and does not count as connected`, () => {
      const clock = createSimClock(NOW);
      return withMqtt(
        {},
        async (scene) => {
          const id = await scene.world.provision('T');
          const client = await connectVanishing(scene, version, 'T', keepalive);
          assert.is(scene.endpoint.isConnected(id), true);
          vanish(client);
          clock.advance(keepalive === 0 ? 902_000 : 92_000);
          await until('it is no longer connected', () => !scene.endpoint.isConnected(id));
          clock.advance(5_000); // nobody answers when we close
          await until('the connection is gone', () => scene.endpoint.connections === 0);
          await client.close();
        },
        { clock },
      );
    });
  }

  test(`mqtt ${name}: half-open: who vanishes in the middle of a packet is gone as well`, () => {
    const clock = createSimClock(NOW);
    return withMqtt(
      {},
      async (scene) => {
        await scene.world.provision('T');
        const client = await connectVanishing(scene, version, 'T', 60);
        client.sendBytes(client.encode(claimPacket(1, 1, 'x'.repeat(1_000))).subarray(0, 300));
        await settled();
        vanish(client);
        clock.advance(92_000);
        clock.advance(5_000);
        await until('the connection is gone', () => scene.endpoint.connections === 0);
        await client.close();
      },
      { clock },
    );
  });

  test(`mqtt ${name}: half-open: the device comes back before it is missed, and takes over at once`, () =>
    withMqtt(SOON, async (scene) => {
      const id = await scene.world.provision('T');
      const vanished = await connectVanishing(scene, version, 'T');
      await vanished.subscribe(CLAIM_RESPONSE_TOPIC);
      vanish(vanished);
      // Its last claims are under way or answered to nobody.
      vanished.send(...Array.from({ length: 50 }, (_, at) => claimPacket(1, at + 1)));
      const back = await scene.connect(version, 'T', { clientId: 'vanishing' });
      back.send(claimPacket(1, 1));
      await back.next('puback');
      await until('only the newer one is left', () => scene.endpoint.connections === 1);
      assert.is(scene.endpoint.isConnected(id), true);
      assert.equal(await back.untilPong(), []);
      await vanished.close();
    }));
}

const WHOSE = { tenantId: TENANT, customerId: null, scope: 'SHARED_SCOPE' } as const;
const QUESTION = {
  cmd: 'publish',
  topic: 'v1/devices/me/attributes/request/1',
  payload: '{"sharedKeys":"long"}',
  qos: 0,
  dup: false,
  retain: false,
} as const;
/** Some answers fill the kernel's buffers, which take megabytes; the pings between them would take minutes for that. */
const ANSWER_BYTES = 2_000;
const QUESTIONS = 100;
const PINGS = 5_000;
/** In so many rounds of the event loop a server that goes on would have handled all that the buffers hold, some hundred pings in each. */
const ROUNDS = 20_000;

test('mqtt: half-open: who stops reading in the middle of a flood is not served any further, and is gone after its keep-alive', () => {
  const clock = createSimClock(NOW);
  return withMqtt(
    {},
    async (scene) => {
      const id = await scene.world.provision('T');
      const values = { long: 'x'.repeat(ANSWER_BYTES) };
      await scene.world.devices.ask(id, { type: 'SaveAttributes', ...WHOSE, values });
      const client = await connectVanishing(scene, 4, 'T', 60);
      await client.subscribe('v1/devices/me/attributes/response/+', 0);
      vanish(client);
      const flood = client.encode(
        ...Array.from({ length: QUESTIONS }, () => QUESTION),
        ...Array.from({ length: PINGS }, () => ({ cmd: 'pingreq' as const })),
      );
      const { socket } = client;
      const isTaken = async () => {
        socket.write(flood);
        for (let rounds = 0; socket.writableLength > 0 && rounds < ROUNDS; rounds += 50) await settled(50);
        return socket.writableLength === 0;
      };
      await until('the server takes no more', async () => !(await isTaken()));
      clock.advance(92_000);
      clock.advance(5_000);
      await until('the connection is gone', () => scene.endpoint.connections === 0);
      await client.close();
    },
    { clock },
  );
});

test('mqtt: half-open: who vanishes before CONNECT is gone after the time for it, also in the middle of the packet', () =>
  withMqtt({ ...SOON, connectTimeoutMs: 50 }, async ({ open, endpoint }) => {
    const clients = [await open(), await open()];
    clients[1]?.sendBytes([0x10, 0x20, 0x00]);
    for (const client of clients) client.socket.pause();
    await until('both are gone', () => endpoint.connections === 0);
  }));

const KEEP_ALIVE_TIMER = '02';

test('mqtt: half-open: TCP itself asks after a client that is silent for longer than one without a keep-alive may be', () =>
  withMqtt({ inactivityTimeoutMs: 300_000 }, async ({ world, connect }) => {
    if (process.platform !== 'linux') return;
    await world.provision('T');
    const client = await connect(4, 'T', { keepalive: 65_535 });
    assert.equal(await client.untilPong(), []);
    let timer = '';
    await until('the keep-alive timer of the connection runs', () => {
      timer = timerAtServer(client.socket) ?? '';
      return timer.startsWith(`${KEEP_ALIVE_TIMER}:`);
    });
    const seconds = Number.parseInt(timer.slice(3), 16) / 100;
    assert.ok(seconds > 200 && seconds <= 300, `in ${seconds} s`);
  }));

test.run();
