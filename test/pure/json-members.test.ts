/** The members of a JSON object as they are written: whatever JSON.parse reads, the scanner cuts in the same places. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { jsonMembers } from '../../actors/claiming/json-members.ts';
import fc from '../kit/property.ts';

const members = (text: string) => [...jsonMembers(text)];

test('json members: as they are written, without the space around them', () => {
  assert.equal(members('{}'), []);
  assert.equal(members(' \n{ }\t'), []);
  assert.equal(members('{"a":1.0,"b" : 12345678901234567890 , "c":[ 2.50 ] }'), [
    ['a', '1.0'],
    ['b', '12345678901234567890'],
    ['c', '[ 2.50 ]'],
  ]);
});

test('json members: brackets, commas and quotes inside of text are text', () => {
  assert.equal(members('{"a":"}],{\\"","\\u0062\\\\":{"x":["]"]},"c":true}'), [
    ['a', '"}],{\\""'],
    ['b\\', '{"x":["]"]}'],
    ['c', 'true'],
  ]);
});

test('json members: of two members of one name the last counts', () => {
  assert.equal(members('{"a":1,"a":"2"}'), [['a', '"2"']]);
});

test('json members: a value is one however deep it is', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  assert.equal(members(`{"a":${deep},"b":0}`), [
    ['a', deep],
    ['b', '0'],
  ]);
});

test('json members: what breaks off throws and does not go on for ever', () => {
  for (const text of ['', '{', '{"a', '{"a":', '{"a":1', '{"a":[1,', '{"a":"']) {
    assert.throws(() => jsonMembers(text), undefined, text);
  }
});

/** Any JSON object, written with space wherever JSON allows it. */
const written = fc.tuple(
  fc.dictionary(fc.string(), fc.jsonValue()),
  fc.constantFrom(undefined, 1, '\t', ' '),
);

test('json members: each is what JSON.parse makes of it, for every object', () => {
  fc.assert(
    fc.property(written, ([object, space]) => {
      const text = JSON.stringify(object, null, space);
      const parsed: Record<string, unknown> = JSON.parse(text);
      const texts = jsonMembers(text);
      assert.equal(new Set(texts.keys()), new Set(Object.keys(parsed)));
      for (const [name, value] of Object.entries(parsed)) {
        assert.equal(JSON.parse(texts.get(name) ?? ''), value);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('json members: numbers keep every digit, whatever stands around them', () => {
  const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,30})(\.\d{1,30})?([eE][+-]?\d{1,3})?$/);
  fc.assert(
    fc.property(digits, fc.json(), (number, other) => {
      const text = `{"before":${other},"secretKey": ${number} ,"after":${other}}`;
      assert.is(jsonMembers(text).get('secretKey'), number);
    }),
    { numRuns: 1_000 },
  );
});

test.run();
