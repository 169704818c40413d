/** What is let through as a packet: what the specifications allow, and nothing that they forbid. */
import mqtt from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decode, decodeConnect, encodeSuccess } from '../../transports/mqtt/endpoint/codec.ts';
import { decodePlainPublish } from '../../transports/mqtt/endpoint/plain-publish.ts';
import { type ProtocolVersion, Reason } from '../../transports/mqtt/endpoint/reasons.ts';
import { connectPacket } from '../kit/mqtt-client.ts';
import fc from '../kit/property.ts';

const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5];

function encode(packet: object, version: ProtocolVersion): Buffer {
  return mqtt.generate(packet as mqtt.Packet, { protocolVersion: version });
}

/** Turns a body into a packet. */
function packet(firstByte: number, ...body: number[]): Buffer {
  return Buffer.from([firstByte, body.length, ...body]);
}

const text = (value: string): number[] => [0, Buffer.byteLength(value), ...Buffer.from(value)];

test('codec: a plain publication reads the same by hand and by the codec', () => {
  const topic = fc.oneof(
    fc.constant('v1/devices/me/claim'),
    fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((value) => !/[+#\0\uFFFD]/.test(value)),
  );
  const given = fc.record({
    topic,
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    qos: fc.constantFrom(0, 1, 2),
    messageId: fc.integer({ min: 1, max: 65_535 }),
    dup: fc.boolean(),
    retain: fc.boolean(),
    version: fc.constantFrom(...VERSIONS),
  });
  fc.assert(
    fc.property(given, ({ version, ...fields }) => {
      const bytes = encode({ cmd: 'publish', ...fields }, version);
      const plain = decodePlainPublish(bytes, version);
      assert.equal(
        {
          topic: plain?.topic,
          payload: plain?.payload.toString('hex'),
          qos: plain?.qos,
          id: plain?.messageId,
        },
        {
          topic: fields.topic,
          payload: fields.payload.toString('hex'),
          qos: fields.qos,
          id: fields.qos === 0 ? 0 : fields.messageId,
        },
      );
    }),
    { numRuns: 500 },
  );
});

test('codec: what the hand-written reader leaves to the codec: properties, wildcards, faults', () => {
  const withAlias = encode(
    {
      cmd: 'publish',
      topic: 't',
      payload: 'x',
      qos: 0,
      dup: false,
      retain: false,
      properties: { topicAlias: 1 },
    },
    5,
  );
  assert.is(decodePlainPublish(withAlias, 5), undefined);
  const read = decode(withAlias, 5);
  assert.is(read.cmd === 'publish' && read.properties?.topicAlias, 1);
  assert.is(decodePlainPublish(packet(0x30, ...text('a/+')), 4), undefined);
  assert.is(decodePlainPublish(packet(0x36, ...text('a'), 0, 1), 4), undefined);
  assert.is(decodePlainPublish(packet(0x30, 0, 9, 0x61), 4), undefined);
});

const faults: readonly [what: string, bytes: Buffer, versions: readonly ProtocolVersion[]][] = [
  ['PUBLISH with both QoS bits', packet(0x36, ...text('t'), 0, 1), VERSIONS],
  ['PUBLISH QoS 1 with identifier 0', packet(0x32, ...text('t'), 0, 0), [3, 4]],
  ['PUBLISH QoS 1 without identifier', packet(0x32, ...text('t')), VERSIONS],
  ['PUBLISH with a topic longer than the packet', packet(0x30, 0, 200, 0x61), VERSIONS],
  ['PUBLISH with a wildcard in its topic', packet(0x30, ...text('a/#')), [3, 4]],
  ['PUBLISH with U+0000 in its topic', packet(0x30, ...text('a\0b')), [3, 4]],
  ['PUBLISH with an ill-formed topic', packet(0x30, 0, 2, 0xc3, 0x28), [3, 4]],
  ['PUBLISH with a surrogate in its topic', packet(0x30, 0, 3, 0xed, 0xa0, 0x80), [3, 4]],
  ['PUBLISH without a body', packet(0x30), VERSIONS],
  ['PUBLISH with an unknown property', packet(0x30, ...text('t'), 2, 0x7f, 1), [5]],
  ['PUBLISH with properties longer than the packet', packet(0x30, ...text('t'), 100, 0x23), [5]],
  ['SUBSCRIBE with wrong flags', packet(0x80, 0, 1, ...text('t'), 0), VERSIONS],
  ['SUBSCRIBE with identifier 0', packet(0x82, 0, 0, ...text('t'), 0), [3, 4]],
  ['SUBSCRIBE of nothing', packet(0x82, 0, 1), [3, 4]],
  ['SUBSCRIBE of nothing, with properties', packet(0x82, 0, 1, 0), [5]],
  ['SUBSCRIBE with QoS 3', packet(0x82, 0, 1, ...text('t'), 3), [3, 4]],
  ['SUBSCRIBE with reserved option bits', packet(0x82, 0, 1, ...text('t'), 0x81), [3, 4]],
  ['SUBSCRIBE of an empty filter', packet(0x82, 0, 1, ...text(''), 0), [3, 4]],
  [
    'SUBSCRIBE of an ill-formed filter behind one that it reads like',
    packet(0x82, 0, 1, ...text('a\uFFFD'), 0, 0, 2, 0x61, 0xff, 0),
    [3, 4],
  ],
  ['SUBSCRIBE without options', packet(0x82, 0, 1, ...text('t')), [3, 4]],
  ['UNSUBSCRIBE of nothing', packet(0xa2, 0, 1), [3, 4]],
  ['UNSUBSCRIBE with wrong flags', packet(0xa0, 0, 1, ...text('t')), VERSIONS],
  ['PUBREL with wrong flags', packet(0x60, 0, 1), VERSIONS],
  ['PUBREL with identifier 0', packet(0x62, 0, 0), VERSIONS],
  ['PUBREL without identifier', packet(0x62), VERSIONS],
  ['PUBACK with one byte', packet(0x40, 1), VERSIONS],
  ['PINGREQ with a body', packet(0xc0, 1), VERSIONS],
  ['DISCONNECT with a body', packet(0xe0, 1), [3, 4]],
  ['AUTH before version 5', packet(0xf0, 0, 0), [3, 4]],
  ['a packet of the reserved type', packet(0x00), VERSIONS],
  ['a CONNACK from a client', packet(0x20, 0, 0), VERSIONS],
  ['a SUBACK from a client', packet(0x90, 0, 1, 0), VERSIONS],
  ['a PINGRESP from a client', packet(0xd0), VERSIONS],
  ['a second CONNECT', encode(connectPacket(4, 'T'), 4), VERSIONS],
];

for (const [what, bytes, versions] of faults) {
  test(`codec: refused: ${what}`, () => {
    for (const version of versions) assert.is(decode(bytes, version).cmd, 'fault', `version ${version}`);
  });
}

test('codec: a fault does not spoil the packets of others that come after it', () => {
  for (const [, bytes, versions] of faults) {
    for (const version of versions) {
      decode(bytes, version);
      const subscribe = encode(
        { cmd: 'subscribe', messageId: 7, subscriptions: [{ topic: 'a/b', qos: 1 }] },
        version,
      );
      const read = decode(subscribe, version);
      assert.is(read.cmd, 'subscribe');
      assert.is(read.cmd === 'subscribe' && read.messageId, 7);
    }
  }
});

test('codec: U+FFFD itself is a character like any other', () => {
  const some = ['a\uFFFDb', '\uFFFD', '\uFFFD\uFFFD', 'a\uFFFDb'];
  const read = decode(packet(0x82, 0, 1, ...some.flatMap((filter) => [...text(filter), 0])), 4);
  assert.is(read.cmd, 'subscribe');
});

const connectFaults: readonly [what: string, bytes: Buffer, reasonCode: number][] = [
  ['another packet first', packet(0xc0), Reason.protocolError],
  [
    'an unknown level',
    packet(0x10, ...text('MQTT'), 6, 2, 0, 0, ...text('')),
    Reason.unsupportedProtocolVersion,
  ],
  [
    'level 3 under the new name',
    packet(0x10, ...text('MQTT'), 3, 2, 0, 0, ...text('a')),
    Reason.unsupportedProtocolVersion,
  ],
  [
    'level 4 under the old name',
    packet(0x10, ...text('MQIsdp'), 4, 2, 0, 0, ...text('a')),
    Reason.unsupportedProtocolVersion,
  ],
  ['a bridge', packet(0x10, ...text('MQTT'), 0x84, 2, 0, 0, ...text('a')), Reason.unsupportedProtocolVersion],
  [
    'another protocol',
    packet(0x10, ...text('HTTP'), 4, 2, 0, 0, ...text('a')),
    Reason.unsupportedProtocolVersion,
  ],
  ['nothing in it', packet(0x10), Reason.malformedPacket],
  ['a name without a level', packet(0x10, ...text('MQTT')), Reason.malformedPacket],
  ['the reserved flag', packet(0x10, ...text('MQTT'), 4, 3, 0, 0, ...text('a')), Reason.malformedPacket],
  [
    'a will of QoS 3',
    packet(0x10, ...text('MQTT'), 4, 0x1e, 0, 0, ...text('a'), ...text('t'), ...text('w')),
    Reason.malformedPacket,
  ],
  [
    'a password without a user name',
    packet(0x10, ...text('MQTT'), 4, 0x42, 0, 0, ...text('a'), ...text('pw')),
    Reason.malformedPacket,
  ],
  [
    'a user name that is announced and missing',
    packet(0x10, ...text('MQTT'), 4, 0x82, 0, 0, ...text('a')),
    Reason.malformedPacket,
  ],
  [
    'an ill-formed user name',
    packet(0x10, ...text('MQTT'), 4, 0x82, 0, 0, ...text('a'), 0, 2, 0xc3, 0x28),
    Reason.malformedPacket,
  ],
  [
    'U+0000 in the client identifier',
    packet(0x10, ...text('MQTT'), 4, 2, 0, 0, ...text('a\0')),
    Reason.malformedPacket,
  ],
];

for (const [what, bytes, reasonCode] of connectFaults) {
  test(`codec: CONNECT refused: ${what}`, () => {
    assert.equal(decodeConnect(bytes), { cmd: 'fault', reasonCode });
  });
}

test('codec: CONNECT of every version is read', () => {
  for (const version of VERSIONS) {
    const read = decodeConnect(
      encode(connectPacket(version, 'token', { password: Buffer.from('pw') }), version),
    );
    assert.is(read.cmd === 'connect' && read.username, 'token');
    assert.is(read.cmd === 'connect' && read.protocolVersion, version);
  }
});

test('codec: a success acknowledgement is the four bytes that the codec would write', () => {
  for (const version of VERSIONS) {
    for (const cmd of ['puback', 'pubrec', 'pubcomp'] as const) {
      for (const messageId of [1, 255, 256, 65_535]) {
        assert.equal(encodeSuccess(cmd, messageId), encode({ cmd, messageId, reasonCode: 0 }, version));
      }
    }
  }
});

test('codec: whatever the bytes are, the answer is a packet or a fault', () => {
  const bytes = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 120 }));
  fc.assert(
    fc.property(bytes, fc.constantFrom(...VERSIONS), ([first, body], version) => {
      const frame = packet(first, ...body);
      return decode(frame, version).cmd.length > 0 && decodeConnect(frame).cmd.length > 0;
    }),
    { numRuns: 5_000 },
  );
});

test.run();
