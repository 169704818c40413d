/** The payload of a claim message, as a table: what real devices send, what must be refused, what must not hurt. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseClaimPayload } from '../../actors/claiming/payload.ts';
import { processorMs } from '../kit/cost.ts';
import fc from '../kit/property.ts';

const parse = (payload: string | Uint8Array) =>
  parseClaimPayload(typeof payload === 'string' ? Buffer.from(payload) : payload);

const accepted: readonly [payload: string, secretKey: string, durationMs: number][] = [
  ['', '', 0],
  ['{}', '', 0],
  ['{"secretKey":"value","durationMs":60000}', 'value', 60_000],
  [' \n{ "durationMs" : 60000 }\t', '', 60_000],
  ['{"secretKey":""}', '', 0],
  ['{"secretKey":"ключ 🔑"}', 'ключ 🔑', 0],
  ['{"secretKey":"\\u0061\\""}', 'a"', 0],
  // Numbers and booleans are secrets by their text, digit by digit.
  ['{"secretKey":123}', '123', 0],
  ['{"secretKey":true}', 'true', 0],
  ['{"secretKey":false}', 'false', 0],
  ['{"secretKey":12345678901234567890}', '12345678901234567890', 0],
  ['{"secretKey":1.0}', '1.0', 0],
  ['{"secretKey":-1e3,"durationMs":7}', '-1e3', 7],
  ['{"durationMs":7,"secretKey":42}', '42', 7],
  ['{"a":{"secretKey":1},"secretKey":[[ 2.50 ]],"b":[3]}', '2.50', 0],
  ['{"x":"\\",\\"secretKey\\":9","secretKey":5}', '5', 0],
  // A list of one is its element.
  ['{"secretKey":["one"]}', 'one', 0],
  ['{"secretKey":[["one"]]}', 'one', 0],
  ['{"durationMs":[60000]}', '', 60_000],
  // Durations as text, and numbers that are not whole.
  ['{"durationMs":"60000"}', '', 60_000],
  ['{"durationMs":"+5"}', '', 5],
  ['{"durationMs":"-5"}', '', -5],
  ['{"durationMs":1.5}', '', 1],
  ['{"durationMs":-1.5}', '', -1],
  ['{"durationMs":1e3}', '', 1_000],
  ['{"durationMs":0}', '', 0],
  ['{"durationMs":-0}', '', 0],
  ['{"durationMs":"-0"}', '', 0],
  ['{"durationMs":4294967296}', '', 4_294_967_296],
  [`{"durationMs":${Number.MAX_SAFE_INTEGER}}`, '', Number.MAX_SAFE_INTEGER],
  // The last of two members wins, others are ignored.
  ['{"secretKey":"a","secretKey":"b"}', 'b', 0],
  ['{"secretKey":"a","secretKey":7}', '7', 0],
  ['{"secretKey":7,"secretKey":"a"}', 'a', 0],
  ['{"other":{"deep":[1,2,3]},"secretKey":"a"}', 'a', 0],
  // Names that mean something to JavaScript mean nothing here.
  ['{"__proto__":{"secretKey":"evil","durationMs":5}}', '', 0],
  ['{"constructor":{"prototype":{"secretKey":"evil"}}}', '', 0],
];

for (const [payload, secretKey, durationMs] of accepted) {
  test(`payload: accepted: ${payload || 'no bytes'}`, () => {
    assert.equal(parse(payload), { type: 'request', secretKey, durationMs });
  });
}

const malformed: readonly (string | Uint8Array)[] = [
  ' ',
  'null',
  '[]',
  '[{"secretKey":"a"}]',
  '"text"',
  '1',
  'true',
  '{',
  '{}}',
  '{} {}',
  '{"secretKey":"a"} trailing',
  '{secretKey:"a"}',
  "{'secretKey':'a'}",
  '{"secretKey":"a",}',
  '\uFEFF{}',
  'secret',
  '{"secretKey":null}',
  '{"secretKey":{}}',
  '{"secretKey":[]}',
  '{"secretKey":["a","b"]}',
  '{"secretKey":[null]}',
  '{"durationMs":null}',
  '{"durationMs":true}',
  '{"durationMs":{}}',
  '{"durationMs":[]}',
  '{"durationMs":[1,2]}',
  '{"durationMs":""}',
  '{"durationMs":"abc"}',
  '{"durationMs":"1.5"}',
  '{"durationMs":"1e3"}',
  '{"durationMs":" 60000"}',
  '{"durationMs":"0x10"}',
  '{"durationMs":"NaN"}',
  '{"durationMs":NaN}',
  '{"durationMs":Infinity}',
  '{"durationMs":-Infinity}',
  '{"durationMs":1e400}',
  '{"durationMs":9223372036854775808}',
  '{"durationMs":"9223372036854775808"}',
  '{"durationMs":9007199254740992}',
  '{"durationMs":-9007199254740992}',
  Uint8Array.of(0xff, 0xfe),
  Uint8Array.from([...Buffer.from('{"secretKey":"'), 0xc3, 0x28, ...Buffer.from('"}')]),
  Uint8Array.from([...Buffer.from('{"secretKey":"'), 0xed, 0xa0, 0x80, ...Buffer.from('"}')]),
];

for (const payload of malformed) {
  const name = typeof payload === 'string' ? JSON.stringify(payload) : Buffer.from(payload).toString('hex');
  test(`payload: malformed: ${name}`, () => {
    assert.is(parse(payload).type, 'malformed');
  });
}

test('payload: malformed: the reason never quotes what was sent', () => {
  for (const payload of [
    '{"secretKey":"hunter2"',
    '{"secretKey":{"hunter2":1}}',
    '{"durationMs":"hunter2"}',
  ]) {
    const result = parse(payload);
    assert.is(result.type, 'malformed');
    assert.not.match(JSON.stringify(result), 'hunter2');
  }
});

test('payload: nesting 10,000 deep is an answer, not a stack overflow', () => {
  const deep = (open: string, close: string, inner = '') =>
    open.repeat(10_000) + inner + close.repeat(10_000);
  assert.is(parse(deep('[', ']')).type, 'malformed');
  assert.is(parse(deep('{"a":', '}', '1')).type, 'request');
  assert.is(parse(`{"secretKey":${deep('[', ']')}}`).type, 'malformed');
  assert.equal(parse(`{"secretKey":${deep('[', ']', '1.0')}}`), {
    type: 'request',
    secretKey: '1.0',
    durationMs: 0,
  });
  assert.is(parse('['.repeat(65_536)).type, 'malformed');
});

test('payload: a megabyte is read in well under a second', async () => {
  const tookMs = await processorMs(() => {
    assert.is(parse(`{"secretKey":"${'x'.repeat(1_000_000)}"}`).type, 'request');
    assert.is(parse(`{"secretKey":1,"list":[${'1,'.repeat(300_000)}1]}`).type, 'request');
  });
  assert.ok(tookMs < 1_000, `${tookMs} ms`);
});

test('payload: whatever the bytes are, the answer is a value in range', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record({ secretKey: fc.jsonValue(), durationMs: fc.jsonValue() })
      .map((value) => Buffer.from(JSON.stringify(value))),
  );
  fc.assert(
    fc.property(bytes, (payload) => {
      const result = parse(payload);
      return (
        result.type === 'malformed' ||
        (typeof result.secretKey === 'string' && Number.isSafeInteger(result.durationMs))
      );
    }),
    { numRuns: 2_000 },
  );
});

test('payload: N4: nothing but the true of JSON is a reset', () => {
  const read = (text: string) => parseClaimPayload(Buffer.from(text));
  const claim = { type: 'request', secretKey: 's', durationMs: 0 };
  assert.equal(read('{"secretKey":"s","reset":true}'), { ...claim, reset: true });
  for (const other of ['false', 'null', '1', '"true"', '[true]', '{}', '"power-on"', '"brown-out"']) {
    assert.equal(read(`{"secretKey":"s","reset":${other}}`), claim, other);
  }
  assert.equal(read('{"secretKey":"s","Reset":true}'), claim);
});

test.run();
