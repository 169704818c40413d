/**
 * What people see on a phone: customers in every language, administrators in three of them, and both in a made-up language that is
 * 40 % longer than English. Set CLAIMD_SCREENSHOTS to a folder to look at the pictures.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_LANGUAGES } from '../../actors/texts/languages.ts';
import { PAGE_BROWSER } from '../kit/browser.ts';
import { inLanguage, looksOf, withScene } from '../kit/looks.ts';
import { needing } from '../kit/programs.ts';

const here = withScene(test);
const journey = needing([PAGE_BROWSER], test);

/** Of administrators' pages the one that is in English: it shows the parts that pages are made of. Every other is in every language. */
const IN_ENGLISH = ['components'];

const forCustomers = () => looksOf(here.scene, 'nobody', 'customer');
const forAdministrators = () => looksOf(here.scene, 'tenant', 'system');
const forPeople = () => [
  ...forCustomers(),
  ...forAdministrators().filter(({ name }) => !IN_ENGLISH.includes(name)),
];

journey('each page that is left out as English is there', () => {
  const names = forAdministrators().map(({ name }) => name);
  assert.equal(
    IN_ENGLISH.filter((name) => !names.includes(name)),
    [],
  );
});

/** One from right to left, one of long words, one of other letters: where a page fits these, it fits the others. */
const TELLING = ['ar', 'de', 'ja'];

for (const language of ALL_LANGUAGES) {
  const looks = () => (TELLING.includes(language) ? forPeople() : forCustomers());
  journey(`${language}: what people see has no flaw that axe finds, and fits a phone`, () =>
    here.lookAtAll(inLanguage(here.scene, language, looks()), async (person, { name }) => {
      await person.screenshot(`${name}-${language}`);
      const shown = String(await person.page.evaluate('document.documentElement.lang'));
      return [...(shown === language ? [] : [`it is in “${shown}”`]), ...(await person.flaws('words'))];
    }),
  );
}

/** Names that are the same in every language: of ThingsBoard's first profile, of the interface, of customers. */
const NAMES = ['default', 'REST API', 'alice', 'bob'];
/** Words that are in no catalogue: names and what people wrote have a digit or an @ in them, texts are in brackets. */
const UNTRANSLATED = `(() => {
  const NAMES = ${JSON.stringify(NAMES)};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (!parentElement.closest('[lang]:not(html), .brand, script, code') && !NAMES.includes(data.trim()) && /\\p{L}{2}/u.test(data) && !/[\\[\\]\\d@]/.test(data)) texts.push(data);
  }
  for (const one of document.querySelectorAll('[aria-label], [placeholder], [title]'))
    for (const name of ['aria-label', 'placeholder', 'title']) {
      const text = one.getAttribute(name) ?? '';
      if (/\\p{L}{2}/u.test(text) && !/[\\[\\]\\d@]/.test(text)) texts.push(text);
    }
  return texts.map((text) => 'in no catalogue: ' + text.trim());
})()`;

journey('a language 40 % longer than English fits a phone, and every text is from the catalogues', () =>
  here.lookAtAll(inLanguage(here.scene, 'en-XA', forPeople()), async (person, { name }) => {
    await person.screenshot(`${name}-en-XA`);
    const untranslated = (await person.page.evaluate(UNTRANSLATED)) as string[]; // as it says above
    return [...untranslated, ...(await person.overflows()), ...person.complaints()];
  }),
);

test.run();
