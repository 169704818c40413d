/** Texts with values: plurals, numbers, names that run the other way, and what is wrong with a catalogue. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { faultsIn, missingIn } from '../../actors/texts/faults.ts';
import { createSay, type NamesIn } from '../../actors/texts/messages.ts';
import { pseudo } from '../../actors/texts/pseudo.ts';

const ENGLISH = {
  hello: 'Hello',
  yours: '“{name}” is yours.',
  until: 'Yours until {when}, {name}.',
  devices: '{count, plural, one {# device} other {# devices}} of {total, number}',
} as const;
const english = createSay<typeof ENGLISH>({ language: 'en', tag: 'en-GB', catalogue: ENGLISH });
const inLanguage = (language: 'de' | 'pl' | 'ar', catalogue: Record<keyof typeof ENGLISH, string>) =>
  createSay<typeof ENGLISH>({ language, tag: language, catalogue });

test('texts: the places of a text are the type of its values', () => {
  const names: readonly NamesIn<(typeof ENGLISH)['devices']>[] = ['count', 'total'];
  assert.is(names.length, 2);
  // @ts-expect-error a value that the text has no place for
  assert.ok(english('yours', { name: 'T1', other: 1 }));
  // @ts-expect-error no value where one has to be
  assert.throws(() => english('yours'), /was not provided/);
});

test('texts: a text is said with its values, and numbers as the language writes them', () => {
  assert.is(english('hello'), 'Hello');
  assert.is(english('yours', { name: 'T1' }), '“T1” is yours.');
  assert.is(english('devices', { count: 1, total: 20_000 }), '1 device of 20,000');
  const german = inLanguage('de', {
    ...ENGLISH,
    devices: '{count, plural, one {# Gerät} other {# Geräte}} von {total, number}',
  });
  assert.is(german('devices', { count: 1_234, total: 20_000 }), '1.234 Geräte von 20.000');
  const polish = inLanguage('pl', {
    ...ENGLISH,
    devices: '{count, plural, one {# raz} few {# razy} many {# razów} other {# razu}} {total, number}',
  });
  assert.equal(
    [1, 3, 5, 22].map((count) => polish('devices', { count, total: 0 })),
    ['1 raz 0', '3 razy 0', '5 razów 0', '22 razy 0'],
  );
});

test('texts: values are text, whatever is in them', () => {
  for (const name of ['{count}', '<b>x</b>', "'{'", '#', '\\']) {
    assert.is(english('yours', { name }), `“${name}” is yours.`);
  }
});

test('texts: things stand in their place of a text', () => {
  const when = { time: 1 };
  assert.equal(english.pieces('until', { when, name: 'T1' }), ['Yours until ', when, ', T1.']);
  assert.equal(english.pieces('hello'), ['Hello']);
});

test('texts: a name that runs the other way turns nothing around it', () => {
  const arabic = inLanguage('ar', { ...ENGLISH, yours: 'الجهاز {name} لك.' });
  assert.is(arabic('yours', { name: 'T1 (2)' }), 'الجهاز \u2068T1 (2)\u2069 لك.');
  assert.is(english('yours', { name: 'مطبخ' }), '“\u2068مطبخ\u2069” is yours.');
  assert.is(
    english('yours', { name: '\u202eevil' }),
    '“\u2068evil\u2069” is yours.',
    'no control of its own',
  );
  assert.is(english('yours', { name: 'T1' }), '“T1” is yours.');
});

test('texts: what is wrong with a catalogue is told by key', () => {
  assert.equal(faultsIn('en', ENGLISH, ENGLISH), []);
  assert.equal(missingIn({ hello: 'Hallo' }, ENGLISH), ['yours', 'until', 'devices']);
  const wrong = {
    hello: ' ',
    yours: 'Es gehört {wem}.',
    until: 'Bis {when',
    devices: '{count, plural, one {#} few {#} other {#}} {total, number}',
    other: 'x',
  };
  assert.equal(faultsIn('de', wrong, ENGLISH), [
    'hello: it is empty',
    'yours: {name} is missing',
    'yours: {wem} is not known',
    'until: not in ICU form: EXPECT_ARGUMENT_CLOSING_BRACE',
    'devices: {count} has “few”, which the language does not',
    'other: there is no such text',
  ]);
  const polish = { devices: '{count, plural, one {#} other {#}} {total, number}' };
  assert.equal(faultsIn('pl', polish, ENGLISH), [
    'devices: {count} has no “few”',
    'devices: {count} has no “many”',
  ]);
});

test('texts: the made-up language is longer, accented, and keeps the places', () => {
  const say = createSay<typeof ENGLISH>({ language: 'en', tag: 'en', catalogue: ENGLISH, change: pseudo });
  const text = say('yours', { name: 'Name' });
  assert.ok(text.includes('Name'));
  assert.ok(say('hello').length >= 'Hello'.length * 1.4);
  assert.ok(!say('hello').includes('e'));
});

test.run();
