/** Everything but claims that a device may publish or subscribe to, on every version. */
import type mqtt from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION_NAME, VERSIONS, withMqtt } from '../contract/transport-mqtt.ts';
import { CLAIM_RESPONSE_TOPIC, claimPacket, type Sendable } from '../kit/mqtt-client.ts';

function publication(topic: string, qos: mqtt.QoS = 1, payload = '{}'): Sendable {
  return {
    cmd: 'publish',
    topic,
    payload,
    qos,
    dup: false,
    retain: false,
    ...(qos > 0 ? { messageId: 9 } : {}),
  };
}

for (const version of VERSIONS) {
  const name = VERSION_NAME[version];

  test(`mqtt ${name}: topics: topics of no use to claiming are acknowledged`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      for (const topic of ['v1/devices/me/telemetry', 'v1/devices/me/attributes', 'v2/t']) {
        client.send(publication(topic), publication(topic, 0));
        assert.is((await client.next('puback')).reasonCode, version === 5 ? 0 : undefined);
      }
      assert.equal(await client.untilPong(), []);
      assert.equal(world.commands, []);
    }));

  test(`mqtt ${name}: topics: an unknown topic is acknowledged, in version 5 with the reason`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      for (const topic of ['nonsense', 'v1/devices/other/claim', '$SYS/x', '/']) {
        client.send(publication(topic, 0), publication(topic), publication(topic, 2));
        assert.is((await client.next('puback')).reasonCode, version === 5 ? 0x90 : undefined);
        assert.is((await client.next('pubrec')).reasonCode, version === 5 ? 0x90 : undefined);
        if (version < 5) {
          client.send({ cmd: 'pubrel', messageId: 9 });
          await client.next('pubcomp');
        }
      }
      assert.equal(await client.untilPong(), []);
    }));

  test(`mqtt ${name}: topics: a device that is no gateway gets no answer at all on gateway topics`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      client.send(
        publication('v1/gateway/claim', 1, '{"Device A":{}}'),
        publication('v1/gateway/connect', 2),
      );
      assert.equal(await client.untilPong(), []);
      client.send(claimPacket(1, 9));
      await client.next('puback');
      assert.is(world.commands.length, 1);
    }));

  for (const topic of ['v2/c', 'v2/c/j']) {
    test(`mqtt ${name}: topics: ${topic} claims as well`, () =>
      withMqtt({}, async ({ world, connect }) => {
        const id = await world.provision('T');
        const client = await connect(version, 'T');
        client.send(publication(topic));
        await client.next('puback');
        assert.ok((await world.devices.read(id))?.window);
      }));
  }

  test(`mqtt ${name}: topics: the filters of ThingsBoard's SDKs are granted with QoS 1 at most`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      const filters = [
        'v1/devices/me/attributes',
        'v1/devices/me/attributes/response/+',
        'v1/devices/me/rpc/request/+',
        'v1/devices/me/rpc/response/+',
        'v1/gateway/attributes',
        'v1/gateway/attributes/response',
        'v1/gateway/rpc',
        'v1/gateway/claim/response',
        CLAIM_RESPONSE_TOPIC,
      ];
      for (const [qos, granted] of [
        [0, 0],
        [1, 1],
        [2, 1],
      ] as const) {
        client.send({
          cmd: 'subscribe',
          messageId: 40 + qos,
          subscriptions: filters.map((topic) => ({ topic, qos })),
        });
        const suback = await client.next('suback');
        assert.is(suback.messageId, 40 + qos);
        assert.equal(
          suback.granted,
          filters.map(() => granted),
        );
      }
    }));

  test(`mqtt ${name}: topics: no other filter is granted`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      const filters = [
        '#',
        '+',
        'v1/devices/#',
        'v1/devices/+/claim',
        'v1/devices/me/claim',
        'v1/devices/me/rpc/response/x',
        'v1/devices/me/rpc/response/',
        'v1/devices/me/attributes/1',
        '$SYS/#',
        '$share/group/v1/devices/me/claim/response',
      ];
      client.send({
        cmd: 'subscribe',
        messageId: 1,
        subscriptions: [CLAIM_RESPONSE_TOPIC, ...filters].map((topic) => ({ topic, qos: 1 })),
      });
      const refused = filters.map((filter) =>
        version < 5 ? 0x80 : filter.startsWith('$share/') ? 0x9e : 0x8f,
      );
      assert.equal((await client.next('suback')).granted, [1, ...refused]);
    }));

  test(`mqtt ${name}: topics: one device hears nothing of another`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('A');
      await world.provision('B');
      const a = await connect(version, 'A');
      const b = await connect(version, 'B');
      await a.subscribe(CLAIM_RESPONSE_TOPIC);
      await b.subscribe(CLAIM_RESPONSE_TOPIC);
      b.send(claimPacket(1, 1));
      await b.next('puback');
      await b.next('publish');
      b.send(publication(CLAIM_RESPONSE_TOPIC, 1, '{"status":"forged"}'));
      await b.next('puback');
      assert.equal(await a.untilPong(), []);
      assert.equal(await b.untilPong(), []);
    }));

  test(`mqtt ${name}: topics: the response comes with the QoS granted, and stops with the subscription`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      for (const qos of [0, 1, 2] as const) {
        await client.subscribe(CLAIM_RESPONSE_TOPIC, qos);
        client.send(claimPacket(0, 0));
        const { qos: got, messageId, dup, retain } = await client.next('publish');
        assert.is(got, Math.min(qos, 1));
        assert.equal([dup, retain], [false, false]);
        if (messageId !== undefined) client.send({ cmd: 'puback', messageId, reasonCode: 0 });
      }
      client.send({ cmd: 'unsubscribe', messageId: 5, unsubscriptions: [CLAIM_RESPONSE_TOPIC, 'never'] });
      const unsuback = await client.next('unsuback');
      assert.is(unsuback.messageId, 5);
      if (version === 5) assert.equal(unsuback.granted, [0, 0x11]);
      client.send(claimPacket(1, 1));
      await client.next('puback');
      assert.equal(await client.untilPong(), []);
    }));

  test(`mqtt ${name}: topics: a client that acknowledges nothing still gets messages, with QoS 0`, () =>
    withMqtt({ unacknowledgedMax: 2 }, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      await client.subscribe(CLAIM_RESPONSE_TOPIC, 1);
      const seen: string[] = [];
      for (let count = 0; count < 4; count += 1) {
        client.send(claimPacket(0, 0));
        const { qos, messageId } = await client.next('publish');
        seen.push(`${qos} ${messageId}`);
        if (count === 2) client.send({ cmd: 'puback', messageId: 1, reasonCode: 0 });
      }
      assert.equal(seen, ['1 1', '1 2', '0 undefined', '1 3']);
    }));

  test(`mqtt ${name}: topics: getSessionLimits is answered, if the device has subscribed`, () =>
    withMqtt({ payloadBytesMax: 1_234, inFlightMax: 56 }, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      const call = publication(
        'v1/devices/me/rpc/request/17',
        1,
        '{"method":"getSessionLimits","params":{"timeout":5000}}',
      );
      client.send(call);
      await client.next('puback');
      assert.equal(await client.untilPong(), [], 'nobody has subscribed');

      await client.subscribe('v1/devices/me/rpc/response/+');
      client.send(call);
      await client.next('puback');
      const answer = await client.next('publish');
      assert.is(answer.topic, 'v1/devices/me/rpc/response/17');
      const { rateLimits, ...limits } = JSON.parse(answer.payload.toString());
      assert.equal(limits, { maxPayloadSize: 1_234, maxInflightMessages: 56 });
      assert.equal(Object.keys(rateLimits), ['messages', 'telemetryMessages', 'telemetryDataPoints']);

      client.send(publication('v1/devices/me/rpc/request/18', 1, '{"method":"other","params":{}}'));
      await client.next('puback');
      const nobody = await client.next('publish');
      assert.is(nobody.topic, 'v1/devices/me/rpc/response/18');
      assert.is(nobody.payload.toString(), '{"error":"timeout"}', 'as where nobody answers in time');

      for (const payload of ['{"method":1}', 'not json', '']) {
        client.send(publication('v1/devices/me/rpc/request/18', 1, payload));
        await client.next('puback');
      }
      assert.equal(await client.untilPong(), [], 'this is no call');
    }));

  test(`mqtt ${name}: topics: who subscribes to the topic of one answer hears that one, and no other`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      await client.subscribe('v1/devices/me/attributes/response/7');
      await client.subscribe('v1/devices/me/rpc/response/7');
      for (const id of [6, 7]) {
        client.send(publication(`v1/devices/me/attributes/request/${id}`, 1, '{"sharedKeys":"a"}'));
        client.send(publication(`v1/devices/me/rpc/request/${id}`, 1, '{"method":"x"}'));
      }
      const heard: string[] = [];
      for (let acknowledged = 0; acknowledged < 4; ) {
        const packet = await client.take();
        if (packet?.cmd === 'puback') acknowledged += 1;
        else if (packet?.cmd === 'publish') heard.push(packet.topic);
        else throw new Error(`${packet?.cmd} came`);
      }
      for (const packet of await client.untilPong()) if (packet.cmd === 'publish') heard.push(packet.topic);
      assert.equal(heard, ['v1/devices/me/attributes/response/7', 'v1/devices/me/rpc/response/7']);

      client.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['v1/devices/me/rpc/response/7'] });
      await client.next('unsuback');
      client.send(publication('v1/devices/me/rpc/request/7', 1, '{"method":"x"}'));
      await client.next('puback');
      assert.equal(await client.untilPong(), []);
    }));

  test(`mqtt ${name}: topics: there is an end to topics of single answers that one client may subscribe to`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      const topics = Array.from({ length: 1_000 }, (_, id) => `v1/devices/me/rpc/response/${id}`);
      const subscribe = async (filters: readonly string[]) => {
        const subscriptions = filters.map((topic) => ({ topic, qos: 0 }));
        client.send({ cmd: 'subscribe', messageId: 5, subscriptions });
        return (await client.next('suback')).granted;
      };
      const granted = await subscribe(topics);
      const [first, last] = [granted.indexOf(0), granted.lastIndexOf(0)];
      assert.is(first, 0);
      assert.ok(last >= 99 && last < 200, `${last}`);
      assert.is(granted.at(-1), version === 5 ? 0x97 : 0x80);
      const filters = ['v1/devices/me/rpc/response/+', 'v1/devices/me/rpc/response/0'];
      assert.equal(
        await subscribe(filters),
        [0, 0],
        'the filter still is granted, and what is there already',
      );
    }));

  test(`mqtt ${name}: topics: PINGREQ is answered, a PUBREC or PUBCOMP for nothing does no harm`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      client.send(
        { cmd: 'pubcomp', messageId: 3, reasonCode: 0 },
        { cmd: 'puback', messageId: 3, reasonCode: 0 },
      );
      client.send({ cmd: 'pubrec', messageId: 3, reasonCode: 0 });
      const seen = await client.untilPong();
      assert.equal(
        seen.map((packet) => packet.cmd === 'pubrel' && packet.reasonCode),
        version === 5 ? [0x92] : [],
      );
    }));

  test(`mqtt ${name}: topics: after DISCONNECT the connection is closed`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      client.send({ cmd: 'disconnect', reasonCode: 0 }, claimPacket(1, 1));
      assert.equal(await client.untilClosed(), []);
      assert.equal(world.commands, [], 'what comes after it is not carried out');
    }));
}

test('mqtt: topics: a gateway gets its limits too', () =>
  withMqtt({}, async ({ world, connect }) => {
    await world.provision('G', { additionalInfo: { gateway: true } });
    const client = await connect(5, 'G');
    await client.subscribe('v1/devices/me/rpc/response/+');
    client.send(publication('v1/devices/me/rpc/request/1', 0, '{"method":"getSessionLimits"}'));
    assert.ok(JSON.parse((await client.next('publish')).payload.toString()).gatewayRateLimits);
  }));

test('mqtt 5: topics: a topic alias stands for its topic', () =>
  withMqtt({ topicAliasMax: 2 }, async ({ world, connect }) => {
    await world.provision('T');
    const client = await connect(5, 'T');
    const aliased = (topic: string, topicAlias: number): Sendable => ({
      ...claimPacket(1, 1),
      topic,
      properties: { topicAlias },
    });
    client.send(aliased('v1/devices/me/claim', 2), aliased('', 2), aliased('nonsense', 2), aliased('', 2));
    const codes = [];
    for (let count = 0; count < 4; count += 1) codes.push((await client.next('puback')).reasonCode);
    assert.equal(codes, [0, 0, 0x90, 0x90]);
    assert.is(world.commands.length, 2);
  }));

const topicFaults: readonly [what: string, packet: Sendable, reasonCode: number][] = [
  ['alias 0', { ...claimPacket(1, 1), properties: { topicAlias: 0 } }, 0x94],
  ['an alias above the maximum', { ...claimPacket(1, 1), properties: { topicAlias: 11 } }, 0x94],
  ['an alias that was never set', { ...claimPacket(1, 1), topic: '', properties: { topicAlias: 1 } }, 0x82],
  ['no topic', { ...claimPacket(1, 1), topic: '' }, 0x82],
  [
    'a subscription identifier in PUBLISH',
    { ...claimPacket(1, 1), properties: { subscriptionIdentifier: 1 } },
    0x82,
  ],
  [
    'a subscription identifier in SUBSCRIBE',
    {
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: CLAIM_RESPONSE_TOPIC, qos: 1 }],
      properties: { subscriptionIdentifier: 1 },
    },
    0xa1,
  ],
  ['AUTH', { cmd: 'auth', reasonCode: 0 }, 0x82],
];

for (const [what, packet, reasonCode] of topicFaults) {
  test(`mqtt 5: topics: ${what} ends the session with its reason`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(5, 'T');
      client.send(packet);
      assert.is((await client.next('disconnect')).reasonCode, reasonCode);
      assert.equal(await client.untilClosed(), []);
      assert.equal(world.commands, []);
    }));
}

for (const version of [3, 4] as const) {
  test(`mqtt ${VERSION_NAME[version]}: topics: an empty topic closes the connection`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      client.sendBytes([0x32, 4, 0, 0, 0, 1]);
      assert.equal(await client.untilClosed(), []);
    }));
}

test.run();
