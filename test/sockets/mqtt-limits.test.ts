/** What is bounded, and what happens at the bound: sizes, time, numbers of packets and of connections. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION_NAME, VERSIONS, withMqtt } from '../contract/transport-mqtt.ts';
import { createSimClock } from '../kit/clock.ts';
import { createGate } from '../kit/faulty-store.ts';
import { NOW } from '../kit/given.ts';
import { CLAIM_RESPONSE_TOPIC, claimPacket, connectPacket } from '../kit/mqtt-client.ts';
import { settled, until } from '../kit/until.ts';

const disconnectCodes = (packets: readonly { cmd: string; reasonCode?: number }[]) =>
  packets.map(({ cmd, reasonCode }) => `${cmd} ${reasonCode}`);

for (const version of VERSIONS) {
  const name = VERSION_NAME[version];
  const only5 = (reasonCode: number) => (version === 5 ? [`disconnect ${reasonCode}`] : []);

  test(`mqtt ${name}: limits: a payload of exactly the limit is taken`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      const frame = JSON.stringify({ secretKey: '' }).length;
      client.send(claimPacket(1, 1, { secretKey: 'x'.repeat(65_536 - frame) }));
      await client.next('puback');
    }));

  test(`mqtt ${name}: limits: a packet of a megabyte is refused before it has arrived`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      const packet = client.encode(claimPacket(1, 1, 'x'.repeat(1_000_000)));
      client.sendBytes(packet.subarray(0, 100));
      assert.equal(disconnectCodes(await client.untilClosed()), only5(0x95));
      assert.equal(world.commands, []);
    }));

  test(`mqtt ${name}: limits: a client that goes on sending after that is cut off`, () =>
    withMqtt({ closeTimeoutMs: 30, sweepIntervalMs: 10 }, async ({ world, connect, endpoint }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      client.socket.allowHalfOpen = true;
      client.send(claimPacket(1, 1, 'x'.repeat(100_000)));
      await until('the connection is gone', () => {
        if (!client.isClosed) client.sendBytes(Buffer.alloc(10_000));
        return endpoint.connections === 0;
      });
    }));

  test(`mqtt ${name}: limits: a remaining length of five bytes is malformed`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      client.sendBytes([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]);
      assert.equal(disconnectCodes(await client.untilClosed()), only5(0x81));
    }));

  test(`mqtt ${name}: limits: a keep-alive that is not kept ends the session after half as long again`, () => {
    const clock = createSimClock(NOW);
    return withMqtt(
      {},
      async ({ world, connect }) => {
        await world.provision('T');
        const client = await connect(version, 'T', { keepalive: 60 });
        clock.advance(90_000);
        assert.equal(await client.untilPong(), [], 'not yet');
        clock.advance(90_000);
        assert.equal(await client.untilPong(), [], 'a PINGREQ counts as a sign of life');
        clock.advance(92_000);
        assert.equal(disconnectCodes(await client.untilClosed()), only5(0x8d));
      },
      { clock },
    );
  });

  test(`mqtt ${name}: limits: bytes that make no packet do not keep the session alive`, () => {
    const clock = createSimClock(NOW);
    return withMqtt(
      {},
      async ({ world, connect }) => {
        await world.provision('T');
        const client = await connect(version, 'T', { keepalive: 60 });
        clock.advance(80_000);
        client.sendBytes(client.encode(claimPacket(1, 1, 'x'.repeat(1_000))).subarray(0, 500));
        await settled();
        clock.advance(12_000);
        assert.equal(disconnectCodes(await client.untilClosed()), only5(0x8d));
      },
      { clock },
    );
  });

  test(`mqtt ${name}: limits: without a keep-alive, silence is still bounded`, () => {
    const clock = createSimClock(NOW);
    return withMqtt(
      {},
      async ({ world, connect }) => {
        await world.provision('T');
        const client = await connect(version, 'T');
        // Version 5 is told a keep-alive of 600 s, and has half as long again.
        const bearableMs = version === 5 ? 900_000 : 600_000;
        clock.advance(bearableMs);
        assert.equal(await client.untilPong(), [], 'not yet');
        clock.advance(bearableMs + 2_000);
        assert.equal(disconnectCodes(await client.untilClosed()), only5(0x8d));
      },
      { clock },
    );
  });

  test(`mqtt ${name}: limits: a client that we do not read from is not silent`, () => {
    const clock = createSimClock(NOW);
    return withMqtt(
      { inactivityTimeoutMs: 60_000, inFlightMax: 1 },
      async ({ world, connect }) => {
        await world.provision('T');
        let answer = () => {};
        world.intercept = async (_command, pass) => {
          await new Promise<void>((resolve) => {
            answer = resolve;
          });
          return pass();
        };
        const client = await connect(version, 'T');
        client.send(claimPacket(0, 0));
        await until('the claim is under way', () => world.commands.length === 1);
        clock.advance(200_000);
        client.send(claimPacket(1, 1));
        answer();
        await until('the session goes on', () => world.commands.length === 2);
        answer();
        await client.next('puback');
      },
      { clock },
    );
  });

  test(`mqtt ${name}: limits: when we read again, the silence of the client begins anew`, () => {
    const clock = createSimClock(NOW);
    return withMqtt(
      { inFlightMax: 1 },
      async ({ world, connect }) => {
        await world.provision('T');
        const gate = createGate();
        world.intercept = (_command, pass) => gate.opened.then(pass);
        const client = await connect(version, 'T', { keepalive: 60 });
        await client.subscribe(CLAIM_RESPONSE_TOPIC, 0);
        client.send(claimPacket(0, 0));
        await until('the claim is under way', () => world.commands.length === 1);
        clock.advance(1_000_000);
        gate.open();
        await client.next('publish');
        clock.advance(2_000);
        assert.equal(await client.untilPong(), []);
      },
      { clock },
    );
  });

  test(`mqtt ${name}: limits: a connection that never sends CONNECT is closed`, () =>
    withMqtt({ connectTimeoutMs: 60, sweepIntervalMs: 10 }, async ({ open, endpoint }) => {
      const silent = await open(version);
      const dripping = await open(version);
      dripping.sendBytes([0x10, 0x20]);
      assert.equal(await silent.untilClosed(), []);
      assert.equal(await dripping.untilClosed(), []);
      await until('both are forgotten', () => endpoint.connections === 0);
    }));
}

for (const version of [3, 4] as const) {
  test(`mqtt ${VERSION_NAME[version]}: limits: no more claims are under way than allowed, the rest waits in its socket`, () =>
    withMqtt({ inFlightMax: 5 }, async ({ world, connect }) => {
      await world.provision('T');
      const answers: (() => void)[] = [];
      world.intercept = async (_command, pass) => {
        await new Promise<void>((resolve) => answers.push(resolve));
        return pass();
      };
      const client = await connect(version, 'T');
      client.send(...Array.from({ length: 5_000 }, (_, index) => claimPacket(1, index + 1)));
      await until('five are under way', () => world.commands.length === 5);
      await settled();
      assert.is(world.commands.length, 5);
      for (let id = 1; id <= 20; id += 1) {
        answers.shift()?.();
        assert.is((await client.next('puback')).messageId, id);
      }
      await until('five are under way again', () => world.commands.length === 25);
      await settled();
      assert.is(world.commands.length, 25);
    }));
}

test('mqtt: limits: behind a CONNECT that is not answered yet, reading is bounded', () =>
  withMqtt({ readAheadBytesMax: 10_000, connectTimeoutMs: 600_000 }, async ({ world, open }) => {
    await world.provision('T');
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    world.interceptLookup = async (pass) => {
      await gate;
      return pass();
    };
    const client = await open(4);
    const telemetry = { ...claimPacket(1, 1, 'x'.repeat(60_000)), topic: 'v1/devices/me/telemetry' };
    const count = 500;
    client.send(connectPacket(4, 'T'), ...Array.from({ length: count }, () => telemetry));
    let left = Number.POSITIVE_INFINITY;
    while (client.socket.writableLength < left) {
      left = client.socket.writableLength;
      await settled();
    }
    assert.ok(left > 1_000_000, `${left} bytes wait on the client's side`);
    goOn();
    await client.next('connack');
    for (let acked = 0; acked < count; acked += 1) await client.next('puback');
  }));

test('mqtt: limits: output for a client that does not read is bounded', () =>
  withMqtt({ outputBytesMax: 20_000 }, async ({ world, connect, endpoint }) => {
    await world.provision('T');
    const client = await connect(4, 'T');
    client.socket.pause();
    const burst = client.encode(...Array.from({ length: 30_000 }, () => ({ cmd: 'pingreq' as const })));
    const flood = setInterval(() => client.sendBytes(burst), 5);
    try {
      await until('flow stops', () => endpoint.connections === 0 || client.socket.writableLength > 5_000_000);
    } finally {
      clearInterval(flood);
    }
  }));

test('mqtt 5: limits: more than the Receive Maximum ends the session', () =>
  withMqtt({ inFlightMax: 3 }, async ({ world, connect }) => {
    await world.provision('T');
    world.intercept = () => new Promise(() => {});
    const client = await connect(5, 'T');
    client.send(claimPacket(1, 1), claimPacket(2, 2), claimPacket(1, 3));
    assert.equal(await client.untilPong(), []);
    client.send(claimPacket(1, 4));
    assert.equal(disconnectCodes(await client.untilClosed()), [`disconnect ${0x93}`]);
    assert.is(world.commands.length, 3);
  }));

test('mqtt 5: limits: exactly the Receive Maximum, again and again, with QoS 1 and 2', () =>
  withMqtt({ inFlightMax: 3 }, async ({ world, connect }) => {
    await world.provision('T');
    const client = await connect(5, 'T');
    for (let round = 0; round < 20; round += 1) {
      client.send(claimPacket(1, 1), claimPacket(2, 2), claimPacket(1, 3));
      await client.next('puback');
      await client.next('pubrec');
      await client.next('puback');
      client.send({ cmd: 'pubrel', messageId: 2, reasonCode: 0 });
      await client.next('pubcomp');
    }
  }));

test('mqtt 5: limits: QoS 2 counts until PUBCOMP', () =>
  withMqtt({ inFlightMax: 2 }, async ({ world, connect }) => {
    await world.provision('T');
    const client = await connect(5, 'T');
    client.send(claimPacket(2, 1), claimPacket(2, 2));
    await client.next('pubrec');
    await client.next('pubrec');
    client.send(claimPacket(1, 3));
    assert.equal(disconnectCodes(await client.untilClosed()), [`disconnect ${0x93}`]);
  }));

for (const version of [3, 4] as const) {
  test(`mqtt ${VERSION_NAME[version]}: limits: a client that never sends PUBREL is closed, one that does goes on`, () =>
    withMqtt({ inFlightMax: 2 }, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      const ids = Array.from({ length: 1_002 }, (_, index) => index + 1);
      const publish = (id: number) => ({ ...claimPacket(2, id), topic: 'v1/devices/me/telemetry' });
      for (let round = 0; round < 2; round += 1) {
        client.send(...ids.map(publish));
        for (const id of ids) assert.is((await client.next('pubrec')).messageId, id);
        client.send({ ...publish(1_002), dup: true });
        assert.is((await client.next('pubrec')).messageId, 1_002, 'a repetition is none more');
        if (round > 0) continue;
        client.send(...ids.map((messageId) => ({ cmd: 'pubrel' as const, messageId })));
        for (const id of ids) assert.is((await client.next('pubcomp')).messageId, id);
      }
      client.send(publish(1_003));
      assert.equal(await client.untilClosed(), []);
    }));
}

test('mqtt 5: limits: no more messages under way to a client than its Receive Maximum', () =>
  withMqtt({}, async ({ world, connect }) => {
    await world.provision('T');
    const client = await connect(5, 'T', { properties: { receiveMaximum: 1 } });
    await client.subscribe(CLAIM_RESPONSE_TOPIC, 1);
    const levels = [];
    for (let count = 0; count < 3; count += 1) {
      client.send(claimPacket(0, 0));
      levels.push((await client.next('publish')).qos);
    }
    assert.equal(levels, [1, 0, 0]);
  }));

test('mqtt: limits: connections beyond the maximum are closed unread, and there is room again when one leaves', () =>
  withMqtt({ connectionsMax: 2 }, async ({ world, connect, open, endpoint }) => {
    await world.provision('A');
    await world.provision('B');
    const a = await connect(4, 'A');
    await connect(4, 'B');
    const third = await open();
    assert.equal(await third.untilClosed(), []);
    await a.close();
    await until('one has left', () => endpoint.connections === 1);
    await connect(4, 'A');
  }));

test('mqtt: limits: in a flood of silent connections a device still gets through: the oldest is closed', () =>
  withMqtt({ connectingMax: 3 }, async ({ world, connect, open, endpoint }) => {
    await world.provision('T');
    const silent = [await open(), await open(), await open()];
    const client = await connect(4, 'T');
    assert.equal(await client.untilPong(), []);
    assert.equal(await silent[0]?.untilClosed(), []);
    assert.is(silent[1]?.isClosed, false);
    await until('the rest stays', () => endpoint.connections === 3);
  }));

test('mqtt: limits: sessions do not count as silent connections', () =>
  withMqtt({ connectingMax: 1 }, async ({ world, connect, open }) => {
    await world.provision('A');
    await world.provision('B');
    const a = await connect(4, 'A');
    const b = await connect(4, 'B');
    const silent = await open();
    silent.send(connectPacket(4, 'nobody'));
    await silent.next('connack');
    assert.equal(await a.untilPong(), []);
    assert.equal(await b.untilPong(), []);
  }));

test('mqtt: limits: a connection that is about to send CONNECT is not closed while there is room', () =>
  withMqtt({ connectingMax: 2 }, async ({ world, connect, open, endpoint }) => {
    await world.provision('A');
    const session = await connect(4, 'A');
    const silent = await open();
    await open();
    await until('all three are there', () => endpoint.connections === 3);
    assert.equal(await session.untilPong(), []);
    assert.is(silent.isClosed, false);
  }));

test.run();
