/** Keys on labels: drawn without letters that look alike, and read as people type them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { looksMisread, randomClaimKey, typedClaimKey } from '../../actors/base/claim-key.ts';

const KEY = 'ABCD-EFGH-JKMN-PQRS';

test('claim key: what is drawn is read as it is', () => {
  for (let n = 0; n < 100; n += 1) {
    const key = randomClaimKey();
    assert.is(typedClaimKey(key), key);
    assert.is(typedClaimKey(key.toLowerCase().replaceAll('-', ' ')), key);
  }
});

for (const typed of [
  'abcd-efgh-jkmn-pqrs',
  'ABCDEFGHJKMNPQRS',
  ' Abcd Efgh  Jkmn Pqrs\n',
  'ABCD–EFGH—JKMN‑PQRS',
  'AB CD-EF GH-JK MN-PQ RS',
  'ABCD\u200b-EFGH\u2060-JKMN\ufeff-PQRS',
  'ＡＢＣＤ－ＥＦＧＨ－ＪＫＭＮ－ＰＱＲＳ',
]) {
  test(`claim key: ${JSON.stringify(typed)} is meant as ${KEY}`, () => assert.is(typedClaimKey(typed), KEY));
}

test('claim key: a text of another form is no key of ours', () => {
  for (const text of [
    '',
    'ABCD',
    `${KEY}X`,
    'ABCD-EFGH-JKMN-PQR0',
    'ABCD-EFGH-IKMN-PQRS',
    'ABCD.EFGH.JKMN.PQRS',
    KEY.repeat(9),
  ])
    assert.is(typedClaimKey(text), undefined, text);
});

test('claim key: O, 0, I, L and 1 are in no key of ours, so one with them was misread', () => {
  for (const text of ['ABCD-EFGH-JKMN-PQR0', 'abcd efgh ikmn pqrs', 'ABCDEFGHJKMNPQL1'])
    assert.ok(looksMisread(text), text);
  for (const text of [KEY, 'secret', '0000', 'hello-world', '']) assert.not.ok(looksMisread(text), text);
});

test.run();
