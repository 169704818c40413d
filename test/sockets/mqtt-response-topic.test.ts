/** Laws of request and response (MQTT 5, section 4.10) on our own port, with a real client: who asks is answered where it says. */
import { connectAsync, type IPublishPacket, type MqttClient } from 'mqtt';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type MqttScene, withMqtt } from '../contract/transport-mqtt.ts';
import { CLAIM_RESPONSE_TOPIC, CLAIM_TOPIC, claimPacket } from '../kit/mqtt-client.ts';
import { until } from '../kit/until.ts';

const ELSEWHERE = 'v1/devices/me/rpc/response/7';
const CORRELATION = Buffer.from([0, 1, 2, 0xff]);

interface Asking {
  readonly client: MqttClient;
  readonly heard: IPublishPacket[];
}

async function asking({ port }: MqttScene, username: string, ...filters: string[]): Promise<Asking> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    username,
    reconnectPeriod: 0,
  });
  client.on('error', () => {});
  const heard: IPublishPacket[] = [];
  client.on('message', (_topic, _payload, packet) => heard.push(packet));
  if (filters.length > 0) await client.subscribeAsync(filters, { qos: 1 });
  return { client, heard };
}

/** Plays one scene with a device that has subscribed to these. */
const withAsking = (filters: readonly string[], play: (asked: Asking, scene: MqttScene) => Promise<void>) =>
  withMqtt({}, async (scene) => {
    await scene.world.provision('T');
    const asked = await asking(scene, 'T', ...filters);
    try {
      await play(asked, scene);
    } finally {
      await asked.client.endAsync(true);
    }
  });

const told = ({ heard }: Asking) =>
  heard.map(({ topic, payload, properties }) => ({
    topic,
    status: JSON.parse(payload.toString()).status,
    correlation: properties?.correlationData,
  }));

for (const qos of [0, 1, 2] as const) {
  test(`mqtt 5: response topic: a claim with QoS ${qos} is answered there, with its data, and nowhere else`, () =>
    withAsking([ELSEWHERE.replace('7', '+'), CLAIM_RESPONSE_TOPIC], async (asked) => {
      const properties = { responseTopic: ELSEWHERE, correlationData: CORRELATION };
      await asked.client.publishAsync(CLAIM_TOPIC, '{}', { qos, properties });
      await until('it has heard', () => asked.heard.length > 0);
      assert.equal(told(asked), [{ topic: ELSEWHERE, status: 'opened', correlation: CORRELATION }]);
    }));
}

test('mqtt 5: response topic: several under way are told apart by their data', () =>
  withAsking([CLAIM_RESPONSE_TOPIC], async (asked) => {
    const asks = Array.from({ length: 20 }, (_, at) => Buffer.from(`number ${at}`));
    await Promise.all(
      asks.map((correlationData) =>
        asked.client.publishAsync(CLAIM_TOPIC, '{}', {
          qos: 1,
          properties: { responseTopic: CLAIM_RESPONSE_TOPIC, correlationData },
        }),
      ),
    );
    await until('all are answered', () => asked.heard.length === asks.length);
    assert.equal(
      told(asked).map(({ correlation }) => correlation?.toString()),
      asks.map(String),
    );
  }));

test('mqtt 5: response topic: data alone comes back on the usual topic', () =>
  withAsking([CLAIM_RESPONSE_TOPIC], async (asked) => {
    await asked.client.publishAsync(CLAIM_TOPIC, '{}', {
      qos: 1,
      properties: { correlationData: CORRELATION },
    });
    await until('it has heard', () => asked.heard.length > 0);
    assert.equal(told(asked), [{ topic: CLAIM_RESPONSE_TOPIC, status: 'opened', correlation: CORRELATION }]);
  }));

test('mqtt 5: response topic: a refusal is told there as well', () =>
  withMqtt({}, async (scene) => {
    await scene.world.assign(await scene.world.provision('T'));
    const asked = await asking(scene, 'T', CLAIM_RESPONSE_TOPIC);
    const properties = { responseTopic: CLAIM_RESPONSE_TOPIC, correlationData: CORRELATION };
    await asked.client.publishAsync(CLAIM_TOPIC, '{}', { qos: 1, properties }).catch(() => {});
    await until('it has heard', () => asked.heard.length > 0);
    assert.equal(told(asked), [{ topic: CLAIM_RESPONSE_TOPIC, status: 'refused', correlation: CORRELATION }]);
    await asked.client.endAsync(true);
  }));

test('mqtt 5: response topic: questions for attributes and calls are answered there', () =>
  withAsking([ELSEWHERE.replace('7', '+')], async (asked) => {
    const properties = { responseTopic: ELSEWHERE, correlationData: CORRELATION };
    for (const [topic, question] of [
      ['v1/devices/me/attributes/request/1', '{"sharedKeys":"a"}'],
      ['v1/devices/me/rpc/request/1', '{"method":"getSessionLimits","params":{}}'],
    ] as const) {
      asked.heard.length = 0;
      await asked.client.publishAsync(topic, question, { qos: 1, properties });
      await until(`${topic} is answered`, () => asked.heard.length > 0);
      assert.is(asked.heard[0]?.topic, ELSEWHERE);
      assert.equal(asked.heard[0]?.properties?.correlationData, CORRELATION);
    }
  }));

test("mqtt 5: response topic: a gateway's batch is answered there", () =>
  withMqtt({}, async (scene) => {
    await scene.world.provision('G', { additionalInfo: { gateway: true } });
    const responseTopic = 'v1/gateway/claim/response';
    const asked = await asking(scene, 'G', responseTopic);
    const properties = { responseTopic, correlationData: CORRELATION };
    await asked.client.publishAsync('v1/gateway/claim', '{"behind":{}}', { qos: 1, properties });
    await until('it has heard', () => asked.heard.length > 0);
    assert.equal(asked.heard[0]?.properties?.correlationData, CORRELATION);
    assert.ok(JSON.parse(asked.heard[0]?.payload.toString() ?? '').behind);
    await asked.client.endAsync(true);
  }));

test('mqtt 5: response topic: who has not subscribed to it hears nothing, and its window is open', () =>
  withAsking([], async (asked, { world }) => {
    await asked.client.publishAsync(CLAIM_TOPIC, '{}', { qos: 1, properties: { responseTopic: ELSEWHERE } });
    assert.equal(told(asked), []);
    assert.is(world.commands.length, 1);
  }));

const REFUSED = [
  ['a topic where claims are taken', { responseTopic: CLAIM_TOPIC }, 0x87],
  ['a topic of nobody', { responseTopic: 'answers/1' }, 0x87],
  ["another device's, at a broker", { responseTopic: 'v1/devices/VICTIM/claim' }, 0x87],
  ['$SYS', { responseTopic: '$SYS/broker' }, 0x87],
  ['one with a plus', { responseTopic: 'v1/devices/me/rpc/response/+' }, 0x90],
  ['one with a hash', { responseTopic: '#' }, 0x90],
  ['the empty one', { responseTopic: '' }, 0x90],
  ['more data than is kept', { correlationData: Buffer.alloc(1_025) }, 0x97],
] as const;

for (const [name, properties, reasonCode] of REFUSED) {
  test(`mqtt 5: response topic: ${name} is refused before anything is done`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      for (const qos of [1, 2] as const) {
        const client = await connect(5, 'T');
        client.send({ ...claimPacket(qos, 1), properties });
        const answer = await client.next(qos === 1 ? 'puback' : 'pubrec');
        assert.is(answer.reasonCode, reasonCode);
        assert.ok(answer.properties?.reasonString);
        assert.equal(await client.untilPong(), [], 'the session goes on');
      }
      const client = await connect(5, 'T');
      client.send({ ...claimPacket(0, 0), properties });
      assert.equal(
        (await client.untilClosed()).map((packet) => [
          packet.cmd,
          'reasonCode' in packet && packet.reasonCode,
        ]),
        [['disconnect', reasonCode]],
      );
      assert.equal(world.commands, []);
    }));
}

test('mqtt 5: response topic: given twice it is a protocol error', () =>
  withMqtt({}, async ({ world, connect }) => {
    await world.provision('T');
    const client = await connect(5, 'T');
    const topic = Buffer.from(CLAIM_TOPIC);
    const one = Buffer.from([0x08, 0, 1, 0x61]);
    const body = Buffer.concat([Buffer.from([0, topic.length]), topic, Buffer.from([0, 1, 8]), one, one]);
    client.sendBytes(Buffer.concat([Buffer.from([0x32, body.length]), body]));
    assert.equal(
      (await client.untilClosed()).map((packet) => [packet.cmd, 'reasonCode' in packet && packet.reasonCode]),
      [['disconnect', 0x82]],
    );
    assert.equal(world.commands, []);
  }));

test('mqtt 5: response topic: telemetry, which nobody answers, may name any', () =>
  withAsking([], async ({ client }) => {
    const properties = { responseTopic: 'anything', correlationData: Buffer.alloc(2_000) };
    await client.publishAsync('v1/devices/me/telemetry', '{}', { qos: 1, properties });
  }));

test.run();
