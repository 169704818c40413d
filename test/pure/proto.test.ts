/** Laws of the protobuf messages: the reader against the schema file, through the library's own writer. */
import { readFileSync } from 'node:fs';
import { create, createFileRegistry, type DescMessage, fromJson, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readClaimPayload, readGatewayClaims, readGatewayConnect } from '../../actors/claiming/payload.ts';
import { readClaimDevice, readGatewayClaim } from '../../actors/claiming/proto/messages.ts';
import fc from '../kit/property.ts';

/** The schema lies beside the sources; the compiled tests run from a folder beside them. */
const schema = readFileSync(
  new URL('../../../actors/claiming/proto/claiming.proto', import.meta.url),
  'utf8',
);
const types = registryOf(schema);

/** Messages of flat fields are all that the schema has, so a line each is all that has to be understood of it. */
function registryOf(text: string) {
  const messageType = [...text.matchAll(/message (\w+) \{([^}]*)\}/g)].map(([, name = '', body = '']) => ({
    name,
    field: [...body.matchAll(/(repeated )?(\w+) (\w+) = (\d+);/g)].map(
      ([, many, type = '', field, number]) => ({
        name: field ?? '',
        jsonName: field ?? '',
        number: Number(number),
        label: many === undefined ? 1 : 3, // LABEL_OPTIONAL, LABEL_REPEATED
        ...(type === 'string'
          ? { type: 9 }
          : type === 'int64'
            ? { type: 3 }
            : type === 'bool'
              ? { type: 8 }
              : { type: 11, typeName: `.transportapi.${type}` }),
      }),
    ),
  }));
  const file = { name: 'claiming.proto', package: 'transportapi', syntax: 'proto3', messageType };
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [file] as never }));
}

function encode(type: string, json: object): Buffer {
  const message: DescMessage | undefined = types.getMessage(`transportapi.${type}`);
  if (message === undefined) throw new Error(`the schema has no ${type}`);
  return Buffer.from(toBinary(message, fromJson(message, json as never)));
}

test('proto: every message of the schema is read, with any text, any duration and a reset or none', () => {
  const text = fc.string({ unit: 'grapheme' });
  const duration = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(text, duration, text, fc.boolean(), (secretKey, durationMs, deviceName, reset) => {
      const claim = { secretKey, durationMs: String(durationMs), reset };
      assert.equal(readClaimDevice(encode('ClaimDevice', claim)), { secretKey, durationMs, reset });
      const batch = encode('GatewayClaimMsg', { msg: [{ deviceName, claimRequest: claim }, { deviceName }] });
      assert.equal(readGatewayClaim(batch), [
        { deviceName, claimRequest: { secretKey, durationMs, reset } },
        { deviceName, claimRequest: { secretKey: '', durationMs: 0n, reset: false } },
      ]);
    }),
  );
});

test('proto: no bytes at all are the empty secret for the default duration', () => {
  assert.equal(readClaimPayload(Buffer.alloc(0), 'PROTOBUF'), {
    type: 'request',
    secretKey: '',
    durationMs: 0,
  });
});

test('proto: a duration beyond the safe integers is malformed', () => {
  for (const durationMs of ['9007199254740992', '-9007199254740992', '9223372036854775807']) {
    assert.is(
      readClaimPayload(encode('ClaimDevice', { durationMs }), 'PROTOBUF').type,
      'malformed',
      durationMs,
    );
  }
  const most = readClaimPayload(encode('ClaimDevice', { durationMs: '9007199254740991' }), 'PROTOBUF');
  assert.is(most.type === 'request' && most.durationMs, Number.MAX_SAFE_INTEGER);
});

test('proto: any bytes are read as something or refused, and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readClaimPayload(bytes, 'PROTOBUF');
      readGatewayClaims(bytes, 'PROTOBUF');
      readGatewayConnect(bytes, 'PROTOBUF');
    }),
  );
});

test('proto: truncated bytes, groups, and text that is no UTF-8 are malformed', () => {
  const whole = encode('ClaimDevice', { secretKey: 'value', durationMs: '60000' });
  for (let length = 1; length < whole.length; length += 1) {
    const part = readClaimPayload(whole.subarray(0, length), 'PROTOBUF');
    const between = length === 7; // just after the first field
    assert.is(part.type, between ? 'request' : 'malformed', String(length));
  }
  for (const bytes of [
    [0x0a, 2, 0xc3, 0x28],
    [0x0b, 0x0c],
    [0x00],
    [0x10],
    [0x0d, 1],
    [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
  ]) {
    assert.is(readClaimPayload(Uint8Array.from(bytes), 'PROTOBUF').type, 'malformed', bytes.join());
  }
});

test('proto: unknown fields, and fields of another wire type, are ignored', () => {
  const bytes = [0x08, 5, 0x18, 7, 0x12, 1, 65, 0x25, 1, 2, 3, 4, 0x29, 1, 2, 3, 4, 5, 6, 7, 8];
  // 0x18, 7 is field 3 with a number that is no bool.
  assert.equal(readClaimDevice(Uint8Array.from(bytes)), { secretKey: '', durationMs: 0n, reset: false });
});

test('proto: of a field that comes twice the last counts, and a message that comes twice is merged', () => {
  const twice = Buffer.concat([
    encode('ClaimDevice', { secretKey: 'a' }),
    encode('ClaimDevice', { secretKey: 'b' }),
  ]);
  assert.is(readClaimDevice(twice)?.secretKey, 'b');
  const parts = [{ claimRequest: { secretKey: 'a' } }, { claimRequest: { durationMs: '5' } }];
  const entry = Buffer.concat(parts.map((part) => encode('ClaimDeviceMsg', part)));
  const batch = Buffer.concat([Buffer.from([0x0a, entry.length]), entry]);
  assert.equal(readGatewayClaim(batch)?.[0]?.claimRequest, { secretKey: 'a', durationMs: 5n, reset: false });
});

test('proto: JSON is read where the profile allows both, and never taken for protobuf', () => {
  for (const json of [
    '{}',
    '{"secretKey":"value","durationMs":60000}',
    `{"secretKey":"${'x'.repeat(300)}"}`,
  ]) {
    const bytes = Buffer.from(json);
    assert.is(readClaimPayload(bytes, 'PROTOBUF').type, 'malformed', json);
    assert.equal(readClaimPayload(bytes, 'PROTOBUF_OR_JSON'), readClaimPayload(bytes, 'JSON'), json);
  }
  const proto = encode('ClaimDevice', { secretKey: 'value' });
  assert.equal(readClaimPayload(proto, 'PROTOBUF_OR_JSON'), {
    type: 'request',
    secretKey: 'value',
    durationMs: 0,
  });
  assert.is(readClaimPayload(proto, 'JSON').type, 'malformed');
});

test('proto: a gateway’s message needs entries, and each a name; of a name the last entry counts', () => {
  const read = (json: object) => readGatewayClaims(encode('GatewayClaimMsg', json), 'PROTOBUF');
  assert.is(read({}).type, 'malformed');
  assert.is(read({ msg: [{ deviceName: 'A' }, { claimRequest: {} }] }).type, 'malformed');
  const twice = read({
    msg: ['1', '2'].map((durationMs) => ({ deviceName: 'A', claimRequest: { durationMs } })),
  });
  assert.ok(twice.type === 'entries');
  assert.equal([...twice.entries], [['A', { type: 'request', secretKey: '', durationMs: 2 }]]);
});

test('proto: a gateway connects a device by name and type, and disconnects it by name', () => {
  const connect = encode('ConnectMsg', { deviceName: 'A', deviceType: 'pump' });
  assert.equal(readGatewayConnect(connect, 'PROTOBUF'), { type: 'device', name: 'A', deviceType: 'pump' });
  const leave = encode('DisconnectMsg', { deviceName: 'A' });
  assert.equal(readGatewayConnect(leave, 'PROTOBUF'), { type: 'device', name: 'A', deviceType: '' });
});

test('proto: a gateway’s JSON is a map; what is no object in it is dropped, nothing left is nothing usable', () => {
  const read = (text: string) => readGatewayClaims(Buffer.from(text), 'JSON');
  const usable = read(
    '{"A":{"secretKey":"s","durationMs":"5"},"B":{},"C":3,"__proto__":{"secretKey":1},"D":{"durationMs":"x"}}',
  );
  assert.ok(usable.type === 'entries');
  assert.equal([...usable.entries.keys()], ['A', 'B', '__proto__', 'D']);
  assert.equal(usable.entries.get('A'), { type: 'request', secretKey: 's', durationMs: 5 });
  assert.equal(usable.entries.get('__proto__'), { type: 'request', secretKey: '1', durationMs: 0 });
  assert.is(usable.entries.get('D')?.type, 'malformed');
  for (const text of ['', '{}', '{"A":1}', '[]', 'null', '"x"'])
    assert.is(read(text).type, 'nothing-usable', text);
  assert.is(read('{"A"').type, 'malformed');
});

test('proto: a gateway’s JSON: a secret that is a number keeps its digits, each in its own entry', () => {
  const text =
    '{"A":{"secretKey":1.50},"B":{"x":[7,{"secretKey":8}],"secretKey":12345678901234567890},"C":{"secretKey":"t","d":9},' +
    '"D":{"secretKey":[[1e3]]},"E":3,"A":{"secretKey":2.0}}';
  const read = readGatewayClaims(Buffer.from(text), 'JSON');
  if (read.type !== 'entries') throw new Error(read.type);
  const secrets = [...read.entries].map(([name, claim]) => [
    name,
    claim.type === 'request' && claim.secretKey,
  ]);
  assert.equal(secrets, [
    ['A', '2.0'],
    ['B', '12345678901234567890'],
    ['C', 't'],
    ['D', '1e3'],
  ]);
});

test.run();
