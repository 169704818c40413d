/** What mails say: every language has every text, with the same places and its own plurals. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CATALOGUES, sayIn } from '../../actors/mail/catalogues.ts';
import { en } from '../../actors/mail/texts/en.ts';
import { faultsIn, missingIn } from '../../actors/texts/faults.ts';
import { ALL_LANGUAGES } from '../../actors/texts/languages.ts';

for (const language of ALL_LANGUAGES) {
  const texts = CATALOGUES[language];
  test(`mail texts: ${language} has them all, and no other places or plurals`, () => {
    assert.equal(missingIn(texts, en), []);
    assert.equal(faultsIn(language, texts, en), []);
  });
}

test('mail texts: the language is the person’s, of any region, else the operator’s', () => {
  assert.is(sayIn('de_DE', 'en')('reset.subject'), 'Neues Passwort wählen');
  assert.is(sayIn(undefined, 'fr').language, 'fr');
  assert.is(sayIn(7, 'fr').language, 'fr');
  assert.is(sayIn('xx', 'es').language, 'es');
});

test.run();
