/** The language that a person is spoken to in: from tags, and from what browsers send. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ALL_LANGUAGES,
  formatsOf,
  LANGUAGES,
  languageAccepted,
  languageOf,
} from '../../actors/texts/languages.ts';

test('texts: every language is one that Intl knows, in the script that its name is written in', () => {
  for (const language of ALL_LANGUAGES) {
    const { formats, name, direction } = LANGUAGES[language];
    assert.equal(Intl.DateTimeFormat.supportedLocalesOf(formats), [formats]);
    assert.is(languageOf(language), language);
    const { script } = new Intl.Locale(language).maximize();
    assert.is(direction, script === 'Arab' ? 'rtl' : 'ltr');
    assert.ok(name.length > 0);
  }
});

test('texts: a tag names a language in whatever region, and in the form that ThingsBoard keeps', () => {
  const expected: readonly (readonly [string, string | undefined])[] = [
    ['de_DE', 'de'],
    ['de-AT', 'de'],
    ['pt', 'pt-BR'],
    ['pt-PT', 'pt-BR'],
    ['pt_BR', 'pt-BR'],
    ['zh-CN', 'zh-Hans'],
    ['zh_CN', 'zh-Hans'],
    ['zh', 'zh-Hans'],
    ['zh-Hant', 'zh-Hans'],
    ['zh-TW', 'zh-Hans'],
    ['ko_KR', 'ko'],
    ['UK', 'uk'],
    ['en-US', 'en'],
    ['nl', undefined],
    ['', undefined],
    ['*', undefined],
    ['de_', undefined],
    ['<script>', undefined],
    [`de-${'x'.repeat(100)}`, undefined],
  ];
  for (const [tag, language] of expected) assert.is(languageOf(tag), language, tag);
});

test('texts: Accept-Language is read by weight, and what is not wanted is not chosen', () => {
  const expected: readonly (readonly [string, string | undefined])[] = [
    ['de', 'de'],
    ['de-CH, fr;q=0.9, en;q=0.8', 'de'],
    ['en;q=0.5, fr;q=0.9', 'fr'],
    ['nl, da;q=0.9, ja;q=0.1', 'ja'],
    ['fr;q=0, de;q=0.2', 'de'],
    ['fr ; q=0.4 , it;q=0.8', 'it'],
    ['fr;Q=0.4, it;q=0.8', 'it'],
    ['es, it', 'es'],
    ['fr;q=2, de;q=0.1', 'de'],
    ['fr;q=abc, de;q=0.1', 'de'],
    ['*', undefined],
    ['nl', undefined],
    ['', undefined],
    [',,;q=1,', undefined],
    // Another script only where nothing else fits.
    ['zh-TW, en;q=0.5', 'en'],
    ['zh-Hant', 'zh-Hans'],
    ['zh-HK, zh;q=0.8', 'zh-Hans'],
    [`${'x,'.repeat(1_000)}de`, undefined],
  ];
  for (const [header, language] of expected) assert.is(languageAccepted(header), language, header);
});

test('texts: dates and numbers are written as in the reader’s region, and never in another script', () => {
  assert.is(formatsOf('de', 'de-CH, en'), 'de-CH');
  assert.is(formatsOf('de', 'en-US, de;q=0.1'), 'de');
  assert.is(formatsOf('en', 'de-DE'), 'en-GB');
  assert.is(formatsOf('en', 'en-US'), 'en-US');
  assert.is(formatsOf('en', 'en-u-nu-arab'), 'en-GB', 'no foreign digits');
  assert.is(formatsOf('en', 'en-US-u-nu-arab'), 'en-US');
  assert.is(formatsOf('en', 'en-XQ'), 'en-GB', 'a region that does not exist');
  assert.is(formatsOf('zh-Hans', 'zh-TW'), 'zh-Hans');
});

test.run();
