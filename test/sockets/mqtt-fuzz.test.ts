/** Whatever bytes arrive, before or after CONNECT, the server answers or closes, and everybody else is served. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { createMqttEndpoint } from '../../transports/mqtt/endpoint/endpoint.ts';
import { MQTT_ENDPOINT_DEFAULTS } from '../../transports/mqtt/endpoint/settings.ts';
import { createTransportWorld } from '../contract/transport-world.ts';
import { claimPacket, connectPacket, RawMqttClient, type Version } from '../kit/mqtt-client.ts';
import fc from '../kit/property.ts';

const version = fc.constantFrom<Version>(3, 4, 5);

/** Bytes that look like packets as far as the length goes: they get past the framer. */
const framed = fc
  .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 100 }))
  .map(([first, body]) => Buffer.from([first, body.length, ...body]));

const noise = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.array(framed, { minLength: 1, maxLength: 10 }).map((packets) => Buffer.concat(packets)),
);

/** A good stream with some bytes overwritten. */
const damaged = (sound: Buffer) =>
  fc
    .array(fc.tuple(fc.nat(sound.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    })
    .map((wounds) => {
      const bytes = Buffer.from(sound);
      for (const [at, value] of wounds) bytes[at] = value;
      return bytes;
    });

test('mqtt: fuzz: the server survives, logs no crash, and serves a device afterwards', async () => {
  const world = await createTransportWorld();
  const crashes: string[] = [];
  const endpoint = createMqttEndpoint({
    ...world,
    log: { ...silentLog, error: (fields, message) => crashes.push(`${message} ${JSON.stringify(fields)}`) },
    settings: { ...MQTT_ENDPOINT_DEFAULTS, bindAddress: '127.0.0.1', port: 0 },
  });
  const { port } = await endpoint.start();
  await world.provision('FUZZ');
  await world.provision('WITNESS');
  const witness = await RawMqttClient.connect(port, 5, 'WITNESS');

  const attack = async (client: RawMqttClient, bytes: Buffer): Promise<void> => {
    client.socket.end(bytes);
    await client.closed;
  };
  try {
    await fc.assert(
      fc.asyncProperty(version, noise, async (level, bytes) => {
        await attack(await RawMqttClient.open(port, level), bytes);
      }),
      { numRuns: 150 },
    );
    await fc.assert(
      fc.asyncProperty(version, noise, async (level, bytes) => {
        await attack(await RawMqttClient.connect(port, level, 'FUZZ'), bytes);
      }),
      { numRuns: 250 },
    );
    const conversation = (level: Version) =>
      RawMqttClient.open(port, level).then(async (client) => {
        const bytes = client.encode(
          connectPacket(level, 'FUZZ', { will: { topic: 't', payload: 'w' } }),
          {
            cmd: 'subscribe',
            messageId: 1,
            subscriptions: [{ topic: 'v1/devices/me/claim/response', qos: 1 }],
          },
          claimPacket(1, 2, { secretKey: 's', durationMs: 1 }),
          claimPacket(2, 3),
          { cmd: 'pubrel', messageId: 3, reasonCode: 0 },
          { cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['v1/devices/me/claim/response'] },
          { cmd: 'pingreq' },
        );
        await client.close();
        return bytes;
      });
    for (const level of [3, 4, 5] as const) {
      const sound = await conversation(level);
      await fc.assert(
        fc.asyncProperty(damaged(sound), async (bytes) => {
          await attack(await RawMqttClient.open(port, level), bytes);
        }),
        { numRuns: 150 },
      );
    }
    assert.equal(crashes, []);
    witness.send(claimPacket(1, 1));
    await witness.next('puback');
    const fuzzed = await RawMqttClient.connect(port, 4, 'FUZZ');
    assert.equal(await fuzzed.untilPong(), []);
    await fuzzed.close();
  } finally {
    await witness.close();
    await endpoint.stop(1_000);
    await world.stop();
  }
});

test.run();
