/** Publishing to the claim topic, on every version: what the device sees, by outcome, and in which order. */
import type mqtt from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceAnswer } from '../../actors/fleet/devices.ts';
import { VERSION_NAME, VERSIONS, withMqtt } from '../contract/transport-mqtt.ts';
import { createGate } from '../kit/faulty-store.ts';
import { CLAIM_RESPONSE_TOPIC, claimPacket, type RawMqttClient, type Version } from '../kit/mqtt-client.ts';
import { until } from '../kit/until.ts';

const reasonCodes = (packets: readonly mqtt.Packet[]) =>
  packets.map((packet) => `${packet.cmd} ${'reasonCode' in packet ? packet.reasonCode : ''}`.trim());

async function response(client: RawMqttClient): Promise<unknown> {
  const message = await client.next('publish');
  assert.is(message.topic, CLAIM_RESPONSE_TOPIC);
  return JSON.parse(message.payload.toString());
}

for (const version of VERSIONS) {
  const name = VERSION_NAME[version];

  test(`mqtt ${name}: claim: QoS 1 is acknowledged with four bytes, and the window is open`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const id = await world.provision('T');
      const client = await connect(version, 'T');
      client.chunks.length = 0;
      client.send(claimPacket(1, 0x1234, { secretKey: 'value', durationMs: 60_000 }));
      await client.next('puback');
      assert.equal(Buffer.concat(client.chunks), Buffer.from([0x40, 2, 0x12, 0x34]));
      const device = await world.devices.read(id);
      assert.is(device?.window?.secretDigest, world.secrets.digest(id, 'value'));
      assert.is(device?.window?.openedBy, 'device');
      assert.is((device?.window?.closesAt ?? 0) - (device?.window?.openedAt ?? 0), 60_000);
    }));

  test(`mqtt ${name}: claim: nothing is acknowledged before the device has answered`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const gate = createGate();
      world.intercept = (_command, pass) => gate.opened.then(pass);
      const client = await connect(version, 'T');
      client.send(claimPacket(1, 1));
      assert.equal(await client.untilPong(), []);
      assert.is(world.commands.length, 1);
      gate.open();
      await client.next('puback');
    }));

  test(`mqtt ${name}: claim: QoS 0 opens the window and is not acknowledged`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const id = await world.provision('T');
      const client = await connect(version, 'T');
      client.send(claimPacket(0, 0, ''));
      assert.equal(await client.untilPong(), []);
      await client.untilPong();
      assert.ok((await world.devices.read(id))?.window);
    }));

  test(`mqtt ${name}: claim: a subscribed device hears that the window is open, and until when`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const id = await world.provision('T');
      const client = await connect(version, 'T');
      await client.subscribe(CLAIM_RESPONSE_TOPIC, 0);
      client.send(claimPacket(1, 1));
      await client.next('puback');
      const closesAt = (await world.devices.read(id))?.window?.closesAt;
      assert.equal(await response(client), { status: 'opened', closesAt, ownerEpoch: 0 });
      client.send(claimPacket(0, 0));
      assert.is(((await response(client)) as { status: string }).status, 'opened');
    }));

  test(`mqtt ${name}: claim: a refusal is acknowledged, told where the version can, and on the response topic`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const id = await world.provision('T');
      await world.assign(id);
      const client = await connect(version, 'T');
      await client.subscribe(CLAIM_RESPONSE_TOPIC, 1);
      client.send(claimPacket(1, 1));
      const puback = await client.next('puback');
      if (version === 5) {
        assert.is(puback.reasonCode, 0x87);
        assert.is(puback.properties?.reasonString, 'already-claimed: the device already has an owner');
      } else {
        assert.is(puback.length, 2);
      }
      assert.equal(await response(client), { status: 'refused', reason: 'already-claimed' });
      client.send(claimPacket(0, 0));
      assert.equal(await response(client), { status: 'refused', reason: 'already-claimed' });
      assert.equal(await client.untilPong(), [], 'the session stays');
    }));

  test(`mqtt ${name}: claim: a device hears that too many wrong secrets were shown for it`, () =>
    withMqtt({}, async ({ world, endpoint, connect }) => {
      const id = await world.provision('T');
      const client = await connect(version, 'T');
      await client.subscribe(CLAIM_RESPONSE_TOPIC);
      endpoint.tellOfGuessing(id, 60_000);
      assert.equal(await response(client), {
        status: 'waiting',
        reason: 'too-many-wrong-secrets',
        retryAfterMs: 60_000,
      });
    }));

  test(`mqtt ${name}: claim: a duration above the limit is refused with the limit`, () =>
    withMqtt(
      {},
      async ({ world, connect }) => {
        await world.provision('T');
        const client = await connect(version, 'T');
        await client.subscribe(CLAIM_RESPONSE_TOPIC);
        client.send(claimPacket(1, 1, { durationMs: 1_001 }));
        await client.next('puback');
        assert.equal(await response(client), {
          status: 'refused',
          reason: 'duration-too-long',
          maxDurationMs: 1_000,
        });
      },
      { maxDurationMs: 1_000 },
    ));

  test(`mqtt ${name}: claim: not allowed is refused`, () =>
    withMqtt(
      {},
      async ({ world, connect }) => {
        await world.provision('T');
        const client = await connect(version, 'T');
        await client.subscribe(CLAIM_RESPONSE_TOPIC);
        client.send(claimPacket(1, 1));
        await client.next('puback');
        assert.equal(await response(client), { status: 'refused', reason: 'claiming-not-allowed' });
      },
      { allowClaimingByDefault: false },
    ));

  /** What the device sees for a message that cannot be carried out, by QoS. */
  const malformedSeen: Readonly<Record<Version, readonly string[]>> = {
    3: ['', '', ''],
    4: ['', '', ''],
    5: ['disconnect 153', 'puback 153', 'pubrec 153'],
  };
  const malformed: readonly [what: string, payload: string | Buffer][] = [
    ['not JSON', 'secret'],
    ['not UTF-8', Buffer.from([0xff])],
    ['a duration that is no number', '{"durationMs":"abc"}'],
    ['a duration beyond the end of time', `{"durationMs":${Number.MAX_SAFE_INTEGER}}`],
    ['nested 10,000 deep', '['.repeat(10_000)],
  ];
  for (const [what, payload] of malformed) {
    for (const qos of [0, 1, 2] as const) {
      test(`mqtt ${name}: claim: QoS ${qos}: malformed: ${what}`, () =>
        withMqtt({}, async ({ world, connect }) => {
          const id = await world.provision('T');
          const client = await connect(version, 'T');
          client.send(claimPacket(qos, 1, payload));
          const stays = version === 5 && qos > 0;
          const seen = stays ? [await client.take()] : await client.untilClosed();
          const expected = malformedSeen[version][qos];
          assert.equal(
            reasonCodes(seen.filter((packet) => packet !== undefined)),
            expected ? [expected] : [],
          );
          if (stays) assert.equal(await client.untilPong(), [], 'the session stays');
          assert.is((await world.devices.read(id))?.window, null);
        }));
    }
  }

  test(`mqtt ${name}: claim: without an answer there is no acknowledgement, and the connection is closed`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      world.intercept = async () => ({ type: 'unavailable', reason: 'store' });
      const client = await connect(version, 'T');
      await client.subscribe(CLAIM_RESPONSE_TOPIC);
      client.send(claimPacket(0, 0));
      assert.equal(await client.untilPong(), [], 'QoS 0 is dropped and the session stays');
      client.send(claimPacket(1, 1));
      assert.equal(reasonCodes(await client.untilClosed()), version === 5 ? ['disconnect 131'] : []);
    }));

  for (const reason of ['credentials-revoked', 'unknown-device'] as const) {
    test(`mqtt ${name}: claim: ${reason} ends the session without an acknowledgement`, () =>
      withMqtt({}, async ({ world, connect }) => {
        await world.provision('T');
        world.intercept = async () => ({ type: 'refused', refusal: { reason } });
        const client = await connect(version, 'T');
        client.send(claimPacket(1, 1));
        assert.equal(reasonCodes(await client.untilClosed()), version === 5 ? ['disconnect 152'] : []);
      }));
  }

  test(`mqtt ${name}: claim: answers out of order are acknowledged in the order of the publications`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const waiting: (() => void)[] = [];
      world.intercept = async (_command, pass) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return pass();
      };
      const client = await connect(version, 'T');
      client.send(claimPacket(1, 11), claimPacket(2, 12), claimPacket(1, 13), {
        cmd: 'publish',
        topic: 'v1/devices/me/telemetry',
        payload: '{}',
        qos: 1,
        messageId: 14,
        dup: false,
        retain: false,
      });
      await client.untilPong();
      for (const answer of waiting.reverse()) {
        assert.equal(client.packets, []);
        answer();
        await client.untilPong().then((seen) => client.packets.push(...seen));
      }
      assert.equal(
        client.packets.map((packet) => `${packet.cmd} ${packet.messageId}`),
        ['puback 11', 'pubrec 12', 'puback 13', 'puback 14'],
      );
    }));

  test(`mqtt ${name}: claim: what was accepted before a malformed message is acknowledged before the connection closes`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      client.send(claimPacket(1, 1), claimPacket(0, 0, 'malformed'), claimPacket(1, 3));
      const seen = reasonCodes(
        (await client.untilClosed()).map(({ cmd, ...rest }) => ({ ...rest, cmd }) as mqtt.Packet),
      );
      assert.equal(seen, version === 5 ? ['puback 0', 'disconnect 153'] : ['puback']);
      assert.is(world.commands.length, 1, 'nothing behind it is carried out');
    }));

  test(`mqtt ${name}: claim: a thousand in one write are all acknowledged, in order`, () =>
    withMqtt({ inFlightMax: version === 5 ? 1_000 : 50 }, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      const ids = Array.from({ length: 1_000 }, (_, index) => index + 1);
      client.send(...ids.map((id) => claimPacket(1, id, { secretKey: String(id) })));
      for (const id of ids) assert.is((await client.next('puback')).messageId, id);
      assert.is(world.commands.length, 1_000);
    }));

  test(`mqtt ${name}: claim: acknowledgements of one turn go out in one write`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      let answerAll = () => {};
      const go = new Promise<void>((resolve) => {
        answerAll = resolve;
      });
      const opened: DeviceAnswer = { type: 'refused', refusal: { reason: 'already-claimed' } };
      world.intercept = () => go.then(() => opened);
      const client = await connect(version, 'T');
      client.send(...Array.from({ length: 50 }, (_, index) => claimPacket(1, index + 1)));
      await client.untilPong();
      client.chunks.length = 0;
      answerAll();
      for (let count = 0; count < 50; count += 1) await client.next('puback');
      assert.is(client.chunks.length, 1);
    }));

  test(`mqtt ${name}: claim: a device that leaves right after QoS 0 has opened the window`, () =>
    withMqtt({ inFlightMax: 2 }, async ({ world, connect }) => {
      const id = await world.provision('T');
      let answered = 0;
      world.intercept = (_command, pass) =>
        pass().finally(() => {
          answered += 1;
        });
      const client = await connect(version, 'T');
      const burst = Array.from({ length: 20 }, (_, index) => claimPacket(0, 0, { secretKey: String(index) }));
      client.socket.end(client.encode(...burst, { cmd: 'disconnect' }));
      await client.closed;
      await until('all are answered', () => answered === 20);
      const digest = world.secrets.digest(id, '19');
      assert.is((await world.devices.read(id))?.window?.secretDigest, digest);
    }));
}

test('mqtt 5: claim: no reason string for a client that does not want any', () =>
  withMqtt({}, async ({ world, connect }) => {
    await world.assign(await world.provision('T'));
    const client = await connect(5, 'T', { properties: { requestProblemInformation: false } });
    client.send(claimPacket(1, 1));
    const puback = await client.next('puback');
    assert.is(puback.reasonCode, 0x87);
    assert.is(puback.properties, undefined);
  }));

test('mqtt 5: claim: a client that takes only small packets gets what fits', () =>
  withMqtt({}, async ({ world, connect }) => {
    await world.assign(await world.provision('T'));
    const client = await connect(5, 'T', { properties: { maximumPacketSize: 60 } });
    await client.subscribe(CLAIM_RESPONSE_TOPIC);
    client.send(claimPacket(1, 1));
    const puback = await client.next('puback');
    assert.is(puback.properties?.reasonString, 'already-claimed: the device already has an owner');
    assert.equal(await client.untilPong(), [], 'the message on the response topic would be too large');

    const tiny = await connect(5, 'T', { properties: { maximumPacketSize: 39 }, keepalive: 60 });
    tiny.send(claimPacket(1, 2));
    assert.is((await tiny.next('puback')).properties, undefined);
  }));

test.run();
