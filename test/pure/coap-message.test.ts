/** CoAP's bytes: the table of RFC 7252 §3 by hand-written datagrams, and what random ones must not do. */
import { isDeepStrictEqual } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Code, isRequest, showCode } from '../../transports/coap/codes.ts';
import { decode, encode, type Message } from '../../transports/coap/message.ts';
import {
  badOption,
  blockOf,
  blockOption,
  OptionNumber,
  pathOf,
  uintOf,
  uintOption,
} from '../../transports/coap/options.ts';
import fc from '../kit/property.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const MAX = 70_000;

test('coap message: a request as RFC 7252 draws it', () => {
  // CON POST, id 0x7d34, token 73, Uri-Path "api", "v1", payload "{}"
  const bytes = hex('41 02 7d34 73 b3 617069 02 7631 ff 7b7d');
  const decoded = decode(bytes, MAX);
  assert.equal(decoded, {
    type: 'message',
    message: {
      type: 'CON',
      code: Code.post,
      messageId: 0x7d34,
      token: hex('73'),
      options: [
        { number: OptionNumber.uriPath, value: Buffer.from('api') },
        { number: OptionNumber.uriPath, value: Buffer.from('v1') },
      ],
      payload: Buffer.from('{}'),
    },
  });
  if (decoded.type === 'message') assert.equal(encode(decoded.message), bytes);
});

for (const [what, bytes, number, length] of [
  ['delta 12 in the head', '40 01 0001 c1 aa', 12, 1],
  ['delta 13 in one more byte', '40 01 0001 d1 00 aa', 13, 1],
  ['delta 268 in one more byte', '40 01 0001 d1 ff aa', 268, 1],
  ['delta 269 in two more bytes', '40 01 0001 e1 0000 aa', 269, 1],
  ['delta 65535 in two more bytes', '40 01 0001 e0 fef2', 65_535, 0],
  ['length 13 in one more byte', `40 01 0001 1d 00 ${'aa'.repeat(13)}`, 1, 13],
  ['length 269 in two more bytes', `40 01 0001 1e 0000 ${'aa'.repeat(269)}`, 1, 269],
] as const) {
  test(`coap message: option: ${what}`, () => {
    const decoded = decode(hex(bytes), MAX);
    assert.is(decoded.type, 'message');
    if (decoded.type !== 'message') return;
    assert.equal(
      decoded.message.options.map((option) => [option.number, option.value.length]),
      [[number, length]],
    );
    assert.equal(encode(decoded.message), hex(bytes));
  });
}

for (const [what, bytes] of [
  ['a reserved token length', `49 01 0001 ${'00'.repeat(9)}`],
  ['a token that is cut off', '42 01 0001 00'],
  ['a marker without payload', '40 01 0001 ff'],
  ['a reserved option delta', '40 01 0001 f0'],
  ['a reserved option length', '40 01 0001 0f'],
  ['an option value that is cut off', '40 01 0001 b3 6170'],
  ['an extended delta that is cut off', '40 01 0001 e0 00'],
  ['an extended length that is cut off', '40 01 0001 0d'],
  ['option numbers that add up to too much', '40 01 0001 e0 ffff e0 ffff'],
  ['an empty message with a token', '41 00 0001 00'],
  ['an empty message with something behind', '40 00 0001 ff 00'],
] as const) {
  test(`coap message: malformed: ${what}`, () => {
    assert.equal(decode(hex(bytes), MAX), { type: 'malformed', messageType: 'CON', messageId: 1 });
  });
}

for (const [what, bytes] of [
  ['nothing', ''],
  ['three bytes', '40 01 00'],
  ['version 0', '00 01 0001'],
  ['version 2', '80 01 0001'],
] as const) {
  test(`coap message: not ours: ${what}`, () => assert.equal(decode(hex(bytes), MAX), { type: 'foreign' }));
}

test('coap message: one that is too large is known by its header', () => {
  const decoded = decode(Buffer.concat([hex('51 02 0005 aa ff'), Buffer.alloc(100)]), 50);
  assert.equal(decoded, {
    type: 'too-large',
    header: { type: 'NON', code: Code.post, messageId: 5, token: hex('aa') },
  });
});

const message: fc.Arbitrary<Message> = fc.record({
  type: fc.constantFrom('CON', 'NON', 'ACK', 'RST'),
  code: fc.integer({ min: 1, max: 255 }),
  messageId: fc.integer({ min: 0, max: 0xffff }),
  token: fc.uint8Array({ maxLength: 8 }).map(Buffer.from),
  options: fc
    .array(
      fc.record({
        number: fc.integer({ min: 0, max: 0xffff }),
        value: fc.uint8Array({ maxLength: 300 }).map(Buffer.from),
      }),
      { maxLength: 8 },
    )
    .map((options) => options.sort((a, b) => a.number - b.number)),
  payload: fc.uint8Array({ maxLength: 100 }).map(Buffer.from),
});

/** Without prototypes, which generated records do not have. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('coap message: a written message reads the same', () => {
  fc.assert(
    fc.property(message, (written) => {
      const read = decode(encode(written), MAX);
      assert.ok(isDeepStrictEqual(plain(read), plain({ type: 'message', message: written })));
    }),
  );
});

test('coap message: any bytes have an answer, and what is read is within them', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ minLength: 3, maxLength: 200 }).map((rest) => Buffer.concat([hex('44'), rest])),
    // a good message of which a part was cut off or changed
    fc.tuple(message, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 255 })).map(([whole, cut, at, value]) => {
      const bytes = encode(whole);
      bytes[at % bytes.length] = value;
      return bytes.subarray(0, cut % (bytes.length + 1));
    }),
  );
  fc.assert(
    fc.property(anything, (bytes) => {
      const decoded = decode(Buffer.from(bytes), MAX);
      if (decoded.type !== 'message') return;
      const { options, payload, token } = decoded.message;
      const read = options.reduce((sum, { value }) => sum + value.length, token.length + payload.length);
      assert.ok(read + 4 <= bytes.length);
      badOption(options);
      pathOf(options);
      blockOf(options, OptionNumber.block1);
      uintOf(options, OptionNumber.size1);
    }),
    { numRuns: 2_000 },
  );
});

for (const [value, bytes] of [
  [0, ''],
  [1, '01'],
  [255, 'ff'],
  [256, '0100'],
  [65_536, '010000'],
] as const) {
  test(`coap option: the number ${value} takes ${bytes.length / 2} bytes`, () => {
    const option = uintOption(OptionNumber.size1, value);
    assert.is(option.value.toString('hex'), bytes);
    assert.is(uintOf([option], OptionNumber.size1), value);
  });
}

test('coap option: a block is number, more and size exponent', () => {
  const block = { number: 70_000, more: true, sizeExponent: 6 };
  const option = blockOption(OptionNumber.block1, block);
  assert.is(option.value.readUIntBE(0, 3), (70_000 << 4) | 8 | 6);
  assert.equal(blockOf([option], OptionNumber.block1), block);
  assert.is(blockOf([], OptionNumber.block1), undefined);
});

for (const [what, options, bad] of [
  ['none', [], undefined],
  ['an unknown elective one', [[2, '']], undefined],
  ['an unknown critical one', [[9, '']], 9],
  ['If-None-Match', [[5, '']], 5],
  [
    'Uri-Path twice',
    [
      [11, '61'],
      [11, '62'],
    ],
    undefined,
  ],
  [
    'Block1 twice',
    [
      [27, '06'],
      [27, '06'],
    ],
    27,
  ],
  ['Block1 of four bytes', [[27, '00000006']], 27],
  ['Uri-Host of no bytes', [[3, '']], 3],
  ['Size1 of five bytes, which is elective', [[60, '0000000000']], undefined],
] as const) {
  test(`coap option: not understood: ${what}`, () => {
    const given = options.map(([number, value]) => ({ number, value: hex(value) }));
    assert.is(badOption(given), bad);
  });
}

test('coap code: shown as c.dd', () => {
  assert.is(showCode(Code.requestEntityTooLarge), '4.13');
  assert.is(showCode(Code.created), '2.01');
  assert.equal([0, 1, 31, 32, 65].map(isRequest), [false, true, true, false, false]);
});

test.run();
