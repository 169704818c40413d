/** The catalogues of the pages: every text in every language, and none that says less or more than the English one. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { faultsIn, missingIn } from '../../actors/texts/faults.ts';
import { ALL_LANGUAGES, LANGUAGES } from '../../actors/texts/languages.ts';
import { catalogueIn, ENGLISH } from '../../http/web/texts/catalogues.ts';

/** Scripts, and the languages that are written in them. Han is in Japanese too. */
const SCRIPTS: readonly (readonly [script: RegExp, of: readonly string[]])[] = [
  [/\p{Script=Arabic}/u, ['ar']],
  [/\p{Script=Cyrillic}/u, ['uk']],
  [/\p{Script=Hangul}/u, ['ko']],
  [/\p{Script=Hiragana}|\p{Script=Katakana}/u, ['ja']],
  [/\p{Script=Han}/u, ['ja', 'zh-Hans']],
];

for (const language of ALL_LANGUAGES) {
  const texts = catalogueIn(language);

  test(`texts of the pages: ${language} has every text, with the places of the English one and its own plurals`, () => {
    assert.equal(missingIn(texts, ENGLISH), []);
    assert.equal(faultsIn(language, texts, ENGLISH), []);
  });

  test(`texts of the pages: ${language} is in its own script`, () => {
    const foreign = SCRIPTS.filter(([, of]) => !of.includes(language));
    const mixed = Object.entries(texts).filter(([, text]) => foreign.some(([script]) => script.test(text)));
    assert.equal(mixed, []);
    const own = SCRIPTS.filter(([, of]) => of.includes(language)).map(([script]) => script);
    const untranslated = Object.entries(texts).filter(
      ([, text]) =>
        own.length > 0 && /\p{L}/u.test(text.replace(/\{[^}]*\}/g, '')) && !own.some((s) => s.test(text)),
    );
    assert.equal(
      untranslated.filter(([key]) => !['kit.code', 'factor.field'].includes(key)),
      [],
    );
  });

  test(`texts of the pages: ${language} has no ASCII apostrophe, which ICU reads as a quote`, () => {
    assert.equal(
      Object.entries(texts).filter(([, text]) => text.includes("'")),
      [],
    );
  });

  test(`texts of the pages: ${language} reads a link aloud as it is shown`, () => {
    const pairs = [
      ['mine.history', 'mine.historyOf'],
      ['mine.handOver', 'mine.handOverOf'],
      ['mine.giveBack', 'mine.giveBackOf'],
      ['mine.object', 'mine.objectTo'],
      ['offer.accept', 'offer.acceptOf'],
      ['offer.decline', 'offer.declineOf'],
      ['keys.revoke', 'keys.revokeOf'],
    ] as const;
    // WCAG 2.5.3: who says what is written on it means it.
    for (const [shown, read] of pairs)
      assert.ok(texts[read].includes(texts[shown]), `${read}: ${texts[read]}`);
  });
}

test('texts of the pages: no other language leaves much in English', () => {
  for (const language of ALL_LANGUAGES.filter((one) => one !== 'en')) {
    const same = Object.entries(ENGLISH).filter(([key, text]) => {
      const said: Readonly<Record<string, string>> = catalogueIn(language);
      return said[key] === text && /\p{L}.* .*\p{L}/u.test(text.replace(/\{[^}]*\}/g, ''));
    });
    assert.ok(same.length < 4, `${LANGUAGES[language].name}: ${same.map(([key]) => key)}`);
  }
});

test.run();
