/** CONNECT and CONNACK in every version: who is accepted, how others are refused, the limits of both sides. */
import type mqtt from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { VERSION_NAME, VERSIONS, withMqtt } from '../contract/transport-mqtt.ts';
import { createSimClock } from '../kit/clock.ts';
import { createGate } from '../kit/faulty-store.ts';
import { NOW } from '../kit/given.ts';
import { claimPacket, connectPacket, type RawMqttClient, type Version } from '../kit/mqtt-client.ts';
import { pause, until } from '../kit/until.ts';

type Connect = Partial<mqtt.IConnectPacket>;

interface Refusal {
  readonly what: string;
  readonly connect: Connect;
  /** Return code of 3.1 and 3.1.1, reason code of 5 (facts 2.2); undefined: not a case of that version. */
  readonly codes: Readonly<Partial<Record<Version, number>>>;
}

const refusals: readonly Refusal[] = [
  { what: 'an unknown token', connect: { username: 'nobody' }, codes: { 3: 5, 4: 5, 5: 0x86 } },
  {
    what: 'an unknown token with a password',
    connect: { username: 'nobody', password: Buffer.from('pw') },
    codes: { 3: 5, 4: 5, 5: 0x86 },
  },
  {
    what: 'a known token as the client identifier only',
    connect: { clientId: 'T' },
    codes: { 3: 2, 4: 2, 5: 0x85 },
  },
  { what: 'nothing at all', connect: { clientId: '' }, codes: { 4: 5, 5: 0x87 } },
  { what: 'an empty user name', connect: { username: '' }, codes: { 3: 2, 4: 2, 5: 0x85 } },
  {
    what: 'no client identifier and a session to keep',
    connect: { username: 'T', clientId: '', clean: false },
    codes: { 4: 2 },
  },
  { what: 'no client identifier', connect: { username: 'T', clientId: '' }, codes: { 3: 2 } },
  {
    what: 'a client identifier of 24 characters',
    connect: { username: 'T', clientId: 'x'.repeat(24) },
    codes: { 3: 2 },
  },
  {
    what: 'an authentication method',
    connect: { username: 'T', properties: { authenticationMethod: 'SCRAM' } },
    codes: { 5: 0x8c },
  },
  {
    what: 'a Receive Maximum of 0',
    connect: { username: 'T', properties: { receiveMaximum: 0 } },
    codes: { 5: 0x82 },
  },
  {
    what: 'a Maximum Packet Size of 0',
    connect: { username: 'T', properties: { maximumPacketSize: 0 } },
    codes: { 5: 0x82 },
  },
];

/** Empty client identifiers are more than the codec lets 3.1 clients write: it is done by hand for them. */
function sendConnect(client: RawMqttClient, version: Version, connect: Connect): void {
  if (version === 3 && connect.clientId === '') {
    const body = [0, 6, ...Buffer.from('MQIsdp'), 3, 0x82, 0, 0, 0, 0, 0, 1, 0x54];
    client.sendBytes([0x10, body.length, ...body]);
  } else if (version === 4 && connect.clientId === '' && connect.clean === false) {
    const body = [0, 4, ...Buffer.from('MQTT'), 4, 0x80, 0, 0, 0, 0, 0, 1, 0x54];
    client.sendBytes([0x10, body.length, ...body]);
  } else {
    client.send(connectPacket(version, undefined, connect));
  }
}

for (const { what, connect, codes } of refusals) {
  for (const version of VERSIONS) {
    const code = codes[version];
    if (code === undefined) continue;
    test(`mqtt ${VERSION_NAME[version]}: connect: refused: ${what}`, () =>
      withMqtt({}, async ({ world, open }) => {
        await world.provision('T');
        const client = await open(version);
        sendConnect(client, version, connect);
        const connack = await client.next('connack');
        assert.is(version === 5 ? connack.reasonCode : connack.returnCode, code);
        assert.is(connack.sessionPresent, false);
        assert.equal(await client.untilClosed(), [], 'nothing follows a refusal');
      }));
  }
}

const welcomes: readonly { what: string; connect: Connect; versions: readonly Version[] }[] = [
  { what: 'the token as user name', connect: {}, versions: VERSIONS },
  { what: 'a password beside the token', connect: { password: Buffer.from('pswd') }, versions: VERSIONS },
  { what: 'no client identifier', connect: { clientId: '' }, versions: [4, 5] },
  { what: 'a client identifier of 23 characters', connect: { clientId: 'x'.repeat(23) }, versions: VERSIONS },
  { what: 'a long client identifier', connect: { clientId: 'x'.repeat(1_000) }, versions: [4, 5] },
  {
    what: 'a will',
    connect: { will: { topic: 'v1/devices/me/claim', payload: Buffer.from('{}'), qos: 1, retain: true } },
    versions: VERSIONS,
  },
];

for (const { what, connect, versions } of welcomes) {
  for (const version of versions) {
    test(`mqtt ${VERSION_NAME[version]}: connect: welcome with ${what}`, () =>
      withMqtt({}, async ({ world, connect: connectTo }) => {
        await world.provision('T');
        const client = await connectTo(version, 'T', connect);
        assert.equal(await client.untilPong(), []);
        await client.close();
        assert.equal(world.commands, [], 'a will is not carried out');
      }));
  }
}

for (const version of [3, 4] as const) {
  test(`mqtt ${VERSION_NAME[version]}: connect: CONNACK is exactly four bytes, session present is never claimed`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T', { clean: false });
      assert.equal(Buffer.concat(client.chunks), Buffer.from([0x20, 2, 0, 0]));
    }));
}

test('mqtt 5: connect: CONNACK has the limits of the server', () =>
  withMqtt({ payloadBytesMax: 1_000, headerBytesMax: 200, inFlightMax: 7 }, async ({ world, open }) => {
    await world.provision('T');
    const client = await open(5);
    client.send(connectPacket(5, 'T', { clientId: '', properties: { sessionExpiryInterval: 3_600 } }));
    const { sessionPresent, properties } = await client.next('connack');
    assert.is(sessionPresent, false);
    const { assignedClientIdentifier, ...terms } = properties ?? {};
    assert.match(assignedClientIdentifier ?? '', /.{20,}/);
    assert.equal(terms, {
      sessionExpiryInterval: 0,
      receiveMaximum: 7,
      maximumPacketSize: 1_200,
      topicAliasMaximum: 10,
      wildcardSubscriptionAvailable: true,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false,
      serverKeepAlive: 600,
    });
  }));

test('mqtt 5: connect: CONNACK has no property that was not asked for', () =>
  withMqtt({}, async ({ world, open }) => {
    await world.provision('T');
    const client = await open(5);
    client.send(connectPacket(5, 'T', { keepalive: 120 }));
    const { properties } = await client.next('connack');
    assert.is(properties?.assignedClientIdentifier, undefined);
    assert.is(properties?.serverKeepAlive, undefined);
    assert.is(properties?.sessionExpiryInterval, undefined);
  }));

test('mqtt 5: connect: a client that cannot take the CONNACK is closed', () =>
  withMqtt({}, async ({ world, open }) => {
    await world.provision('T');
    const client = await open(5);
    client.send(connectPacket(5, 'T', { properties: { maximumPacketSize: 5 } }));
    assert.equal(await client.untilClosed(), []);
  }));

for (const level of [2, 6, 0x84]) {
  test(`mqtt: connect: protocol level ${level} is refused as unsupported`, () =>
    withMqtt({}, async ({ open }) => {
      const client = await open(4);
      const body = [0, 4, ...Buffer.from('MQTT'), level, 2, 0, 0, 0, 1, 0x61];
      client.sendBytes([0x10, body.length, ...body]);
      assert.is((await client.next('connack')).returnCode, 1);
      assert.equal(await client.untilClosed(), []);
    }));
}

for (const version of VERSIONS) {
  const name = VERSION_NAME[version];

  test(`mqtt ${name}: connect: a store that cannot answer is "server unavailable", not "wrong token"`, () =>
    withMqtt({}, async ({ world, open }) => {
      world.interceptLookup = () => Promise.reject(new StoreUnavailable('test', new Error('down')));
      const client = await open(version);
      client.send(connectPacket(version, 'T'));
      const connack = await client.next('connack');
      assert.is(version === 5 ? connack.reasonCode : connack.returnCode, version === 5 ? 0x88 : 3);
      assert.equal(await client.untilClosed(), []);
    }));

  test(`mqtt ${name}: connect: packets behind CONNECT wait for it, and are handled after it`, () =>
    withMqtt({}, async ({ world, open }) => {
      await world.provision('T');
      const client = await open(version);
      world.interceptLookup = async (pass) => {
        await pause(30);
        return pass();
      };
      client.send(connectPacket(version, 'T'), claimPacket(1, 5), { cmd: 'pingreq' });
      await client.next('connack');
      const seen = [await client.take(), await client.take()].map((packet) => packet?.cmd).sort();
      assert.equal(seen, ['pingresp', 'puback']);
    }));

  test(`mqtt ${name}: connect: packets behind a refused CONNECT are never handled`, () =>
    withMqtt({}, async ({ world, open }) => {
      await world.provision('T');
      const client = await open(version);
      client.send(connectPacket(version, 'nobody'), claimPacket(1, 5));
      await client.next('connack');
      assert.equal(await client.untilClosed(), []);
      assert.equal(world.commands, []);
    }));

  test(`mqtt ${name}: connect: a second CONNECT ends the session`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      const client = await connect(version, 'T');
      client.send(connectPacket(version, 'T'));
      const seen = await client.untilClosed();
      assert.equal(
        seen.map((packet) => packet.cmd === 'disconnect' && packet.reasonCode),
        version === 5 ? [0x82] : [],
      );
    }));

  test(`mqtt ${name}: connect: anything before CONNECT closes the connection without a word`, () =>
    withMqtt({}, async ({ open }) => {
      const client = await open(version);
      client.send({ cmd: 'pingreq' });
      assert.equal(await client.untilClosed(), []);
    }));

  test(`mqtt ${name}: connect: byte by byte`, () =>
    withMqtt({}, async ({ world, open }) => {
      await world.provision('T');
      const client = await open(version);
      for (const byte of client.encode(connectPacket(version, 'T'), claimPacket(1, 5, { secretKey: 's' }))) {
        client.sendBytes([byte]);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await client.next('connack');
      assert.is((await client.next('puback')).messageId, 5);
    }));
}

test('mqtt: connect: a connection that was cut while its token was looked up takes nothing over', () => {
  const clock = createSimClock(NOW);
  return withMqtt(
    { connectTimeoutMs: 5_000 },
    async ({ world, connect, open, endpoint }) => {
      await world.provision('T');
      const first = await connect(4, 'T');
      const gate = createGate();
      let asked = 0;
      world.interceptLookup = async (pass) => {
        asked += 1;
        await gate.opened;
        return pass();
      };
      const second = await open(4);
      second.send(connectPacket(4, 'T'));
      await until('its token is looked up', () => asked > 0);
      clock.advance(7_000);
      assert.equal(await second.untilClosed(), [], 'the connect timeout cut it');
      gate.open();
      await until('it has heard who it was, and is forgotten', () => endpoint.connections === 1);
      assert.equal(await first.untilPong(), []);
    },
    { clock },
  );
});

/** A version 5 CONNECT with the token T and these properties, byte by byte: no codec would write them. */
function connectWith(properties: readonly number[]): Buffer {
  const variable = [0, 4, ...Buffer.from('MQTT'), 5, 0x82, 0, 60, properties.length, ...properties];
  const payload = [0, 1, 0x63, 0, 1, 0x54];
  return Buffer.from([0x10, variable.length + payload.length, ...variable, ...payload]);
}

const REPEATED: Readonly<Record<string, readonly number[]>> = {
  'Session Expiry Interval': [0x11, 0, 0, 0, 0, 0x11, 0, 0, 0, 0],
  'Receive Maximum': [0x21, 0, 9, 0x21, 0, 9],
  'Maximum Packet Size': [0x27, 0, 0, 9, 0, 0x21, 0, 9, 0x27, 0, 0, 9, 0],
  'Topic Alias Maximum': [0x22, 0, 1, 0x22, 0, 1],
  'Request Problem Information': [0x17, 0, 0x17, 0],
  'Request Response Information': [0x19, 1, 0x19, 1],
};

for (const [what, properties] of Object.entries(REPEATED)) {
  test(`mqtt 5: connect: ${what} twice is a protocol error`, () =>
    withMqtt({}, async ({ world, open }) => {
      await world.provision('T');
      const client = await open(5);
      client.sendBytes(connectWith(properties));
      assert.equal(await client.untilClosed(), []);
      assert.equal(Buffer.concat(client.chunks).length, 0, 'no CONNACK that says success');
    }));
}

test('mqtt 5: connect: user properties may be repeated, properties of other packets may not be there', () =>
  withMqtt({}, async ({ world, open }) => {
    await world.provision('T');
    const pair = [0x26, 0, 1, 0x61, 0, 1, 0x62];
    const client = await open(5);
    client.sendBytes(connectWith([...pair, ...pair, 0x11, 0, 0, 0, 0]));
    assert.is((await client.next('connack')).reasonCode, 0);
    const other = await open(5);
    other.sendBytes(connectWith([0x23, 0, 1])); // a topic alias
    await other.untilClosed();
  }));

for (const [what, bytes] of Object.entries({
  HTTP: Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  TLS: Buffer.from([0x16, 3, 1, 2, 0, 1, 0]),
  'another first packet': Buffer.from([0xc0, 0]),
  'CONNECT with flags': Buffer.from([0x11, 0xff]),
})) {
  test(`mqtt: connect: ${what} is no MQTT, and is closed at once`, () =>
    withMqtt({ connectTimeoutMs: 600_000 }, async ({ open }) => {
      const client = await open(4);
      client.sendBytes(bytes);
      await client.untilClosed();
      assert.equal(Buffer.concat(client.chunks).length, 0);
    }));
}

test.run();
