/** QoS 2 as the specification has it: one window per publication, however often its packets are repeated. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION_NAME, VERSIONS, withMqtt } from '../contract/transport-mqtt.ts';
import { createGate } from '../kit/faulty-store.ts';
import { claimPacket } from '../kit/mqtt-client.ts';

for (const version of VERSIONS) {
  const name = VERSION_NAME[version];
  const noReason = version === 5 ? 0 : undefined;

  test(`mqtt ${name}: QoS 2: PUBREC when durable, PUBCOMP after PUBREL`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const id = await world.provision('T');
      const client = await connect(version, 'T');
      client.chunks.length = 0;
      client.send(claimPacket(2, 7, { secretKey: 's' }));
      await client.next('pubrec');
      assert.ok((await world.devices.read(id))?.window);
      client.send({ cmd: 'pubrel', messageId: 7, reasonCode: 0 });
      await client.next('pubcomp');
      assert.equal(Buffer.concat(client.chunks), Buffer.from([0x50, 2, 0, 7, 0x70, 2, 0, 7]));
    }));

  test(`mqtt ${name}: QoS 2: a repeated PUBLISH is answered again and opens nothing again`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      client.send(claimPacket(2, 7));
      await client.next('pubrec');
      client.send({ ...claimPacket(2, 7), dup: true });
      assert.is((await client.next('pubrec')).messageId, 7);
      assert.is(world.commands.length, 1);
      client.send({ cmd: 'pubrel', messageId: 7, reasonCode: 0 });
      await client.next('pubcomp');
      client.send(claimPacket(2, 7));
      await client.next('pubrec');
      assert.is(world.commands.length, 2, 'after PUBREL the identifier means a new publication');
    }));

  test(`mqtt ${name}: QoS 2: repeated while the device is still deciding: one PUBREC`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const gate = createGate();
      world.intercept = (_command, pass) => gate.opened.then(pass);
      const client = await connect(version, 'T');
      client.send(claimPacket(2, 7), { ...claimPacket(2, 7), dup: true });
      assert.equal(await client.untilPong(), []);
      gate.open();
      await client.next('pubrec');
      assert.equal(await client.untilPong(), []);
      assert.is(world.commands.length, 1);
    }));

  test(`mqtt ${name}: QoS 2: a repeated PUBREL is answered with PUBCOMP`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      client.send(claimPacket(2, 7));
      await client.next('pubrec');
      client.send(
        { cmd: 'pubrel', messageId: 7, reasonCode: 0 },
        { cmd: 'pubrel', messageId: 7, reasonCode: 0 },
      );
      assert.is((await client.next('pubcomp')).reasonCode, noReason);
      assert.is((await client.next('pubcomp')).reasonCode, version === 5 ? 0x92 : undefined);
    }));

  test(`mqtt ${name}: QoS 2: PUBREL before PUBREC is a protocol error`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      world.intercept = () => new Promise(() => {});
      const client = await connect(version, 'T');
      client.send(claimPacket(2, 7), { cmd: 'pubrel', messageId: 7, reasonCode: 0 });
      const seen = await client.untilClosed();
      assert.equal(
        seen.map((packet) => packet.cmd === 'disconnect' && packet.reasonCode),
        version === 5 ? [0x82] : [],
      );
    }));

  test(`mqtt ${name}: QoS 2: an ignored topic goes through the same exchange`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      client.send({ ...claimPacket(2, 7), topic: 'v1/devices/me/telemetry' });
      await client.next('pubrec');
      client.send({ cmd: 'pubrel', messageId: 7, reasonCode: 0 });
      await client.next('pubcomp');
    }));

  test(`mqtt ${name}: QoS 2: hundreds may wait for their PUBREL`, () =>
    withMqtt({ inFlightMax: version === 5 ? 400 : 10 }, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      const ids = Array.from({ length: 400 }, (_, index) => index + 1);
      client.send(...ids.map((id) => claimPacket(2, id)));
      for (const id of ids) assert.is((await client.next('pubrec')).messageId, id);
      client.send(...ids.map((id) => ({ cmd: 'pubrel' as const, messageId: id, reasonCode: 0 })));
      for (const id of ids) assert.is((await client.next('pubcomp')).messageId, id);
    }));
}

test('mqtt 5: QoS 2: a PUBREC that refuses frees the identifier: the next PUBLISH with it is new', () =>
  withMqtt({ inFlightMax: 1 }, async ({ world, connect }) => {
    const id = await world.provision('T');
    await world.assign(id);
    const client = await connect(5, 'T');
    for (let count = 1; count <= 3; count += 1) {
      client.send(claimPacket(2, 7));
      assert.is((await client.next('pubrec')).reasonCode, 0x87);
      assert.is(world.commands.length, count);
    }
    client.send({ cmd: 'pubrel', messageId: 7, reasonCode: 0 });
    assert.is((await client.next('pubcomp')).reasonCode, 0x92);
  }));

for (const version of [3, 4] as const) {
  test(`mqtt ${VERSION_NAME[version]}: QoS 2: a refusal is PUBREC and PUBCOMP like a success`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.assign(await world.provision('T'));
      const client = await connect(version, 'T');
      client.send(claimPacket(2, 7));
      await client.next('pubrec');
      client.send({ cmd: 'pubrel', messageId: 7 });
      await client.next('pubcomp');
    }));
}

test.run();
