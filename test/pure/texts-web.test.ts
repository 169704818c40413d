/** The catalogues of the pages: every text in every language, and none that says less or more than the English one. */
import { IntlMessageFormat } from 'intl-messageformat';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RefusalReason } from '../../actors/device/messages.ts';
import type { KitReason } from '../../actors/kits/model.ts';
import { faultsIn, missingIn } from '../../actors/texts/faults.ts';
import { ALL_LANGUAGES, LANGUAGES } from '../../actors/texts/languages.ts';
import { rowWords } from '../../http/web/pages/import-row-words.ts';
import { refusalWords } from '../../http/web/refusal-words.ts';
import { catalogueIn, ENGLISH } from '../../http/web/texts/catalogues.ts';
import { sayIn } from '../../http/web/texts/say.ts';

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

  test(`texts of the pages: ${language} calls a device’s description and its key one thing in an import`, () => {
    const say = sayIn(language, language);
    assert.is(texts['import.isLabel'], texts['new.label']);
    if (language === 'en') return; // The rows are said as the API says them.
    const words = say('row.unshown', { column: 'label' }).toLowerCase();
    assert.ok(words.includes(texts['new.label'].toLowerCase()), words);
    const key = texts['claim.key'].toLowerCase();
    for (const about of ['row.keyShort', 'row.unreadable'] as const)
      assert.ok(texts[about].toLowerCase().includes(key), `${about}: ${texts[about]}`);
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

/** Languages whose “one” is also 21, 31 and 101. */
const ONE_IS_MANY = ALL_LANGUAGES.filter(
  (language) => new Intl.PluralRules(LANGUAGES[language].formats).select(21) === 'one',
);
/** Their number stands outside the text, before it. */
const NUMBER_BEFORE: readonly string[] = [
  'live.devices',
  'live.windowsNow',
  'live.claimed',
  'live.givenBack',
  'live.refused',
];
type Elements = ReturnType<IntlMessageFormat['getAst']>;

/** The plurals of a message with a “one” that does not show its number, and without a “=1” beside it. */
function onesForMany(elements: Elements): string[] {
  return elements.flatMap((element) => {
    if (!('options' in element)) return [];
    const { options, value } = element;
    const one = 'pluralType' in element ? options.one : undefined;
    const showsNumber = one?.value.some(({ type }) => type === POUND);
    const wrong = one !== undefined && showsNumber === false && options['=1'] === undefined ? [value] : [];
    return [...wrong, ...Object.values(options).flatMap((branch) => onesForMany(branch.value))];
  });
}
const POUND = 7;

test('texts of the pages: where “one” is also 21, what is said of one thing alone is said of 1 alone', () => {
  assert.ok(ONE_IS_MANY.includes('uk'));
  for (const language of ONE_IS_MANY) {
    const wrong = Object.entries(catalogueIn(language)).filter(
      ([, text]) =>
        onesForMany(new IntlMessageFormat(text, language, undefined, { ignoreTag: true }).getAst()).length >
        0,
    );
    assert.equal(
      wrong.map(([key]) => key).filter((key) => !NUMBER_BEFORE.includes(key)),
      [],
    );
  }
});

test('texts of the pages: one device, two, five and twenty-one are asked about each in its number', () => {
  const asked = (language: 'ar' | 'uk') => {
    const say = sayIn(language, language);
    return [1, 2, 5, 21].map((count) => say('batch.delete.ask', { count }));
  };
  const [one, several] = ['Видалити цей пристрій?', 'Видалити ці пристрої?'];
  assert.equal(asked('uk'), [one, several, several, several]);
  assert.equal(asked('ar'), ['هل تريد حذفه؟', 'هل تريد حذفهما؟', 'هل تريد حذفها؟', 'هل تريد حذفها؟']);
});

/**
 * Every reason of devices and kits: whether people read it as a part of a sentence, in an entry of the audit trail, an event, a
 * row of an import, or when their action was refused. The others are told to programs and devices, or have a sentence of their own.
 */
const READ: Readonly<Record<RefusalReason | KitReason, boolean>> = {
  'unknown-device': true,
  'already-claimed': true,
  'claiming-not-allowed': true,
  'no-window': true,
  'window-elapsed': true,
  'window-pending': true,
  'wrong-secret': true,
  'proof-required': true,
  'wrong-proof': true,
  'proof-outdated': true,
  'proof-not-possible': true,
  'policy-refused': true,
  'take-over-pending': true,
  'too-many-devices': true,
  'not-behind-gateway': true,
  'secret-too-short': true,
  'rate-limited': true,
  'reset-not-allowed': true,
  'window-replaced': true,
  'no-offer': true,
  'kit-unknown': true,
  'kit-expired': true,
  'kit-revoked': true,
  'kit-claimed': true,
  'kit-too-large': true,
  'too-many-kits': true,
  'kit-empty': true,
  'kit-not-over': true,
  'already-provisioned': false,
  'attributes-too-large': false,
  'consent-needed': false,
  'credentials-revoked': false,
  'credentials-superseded': false,
  'credentials-taken': false,
  'description-changed': false,
  'duration-out-of-range': false,
  'duration-too-long': false,
  'epoch-changed': false,
  'gateway-unchecked': false,
  'name-taken': false,
  'not-assigned': false,
  'not-owner': false,
  'offer-elapsed': false,
  'reset-repeated': false,
  'steering-attribute-malformed': false,
  superseded: false,
  'token-too-short': false,
  'transfer-taken': false,
};
/** Of people, mails and floods. */
const OTHERS_READ = [
  'too-many-wrong-secrets',
  'of many devices',
  'bad-credentials',
  'disabled',
  'wrong second factor',
  'a refresh token was used twice',
  'too-late',
];

test('texts of the pages: each reason that an entry of the audit trail can have is in words', () => {
  const read = [...Object.entries(READ).flatMap(([code, is]) => (is ? [code] : [])), ...OTHERS_READ];
  assert.equal(
    read.filter((code) => !Object.hasOwn(ENGLISH, `why.${code}`)),
    [],
  );
});

test('texts of the pages: what was refused is said by its reason, and never blamed on the request', () => {
  for (const language of ALL_LANGUAGES.filter((one) => one !== 'en')) {
    const say = sayIn(language, language);
    const refused = (status: number, reason?: string) => ({
      type: 'refused' as const,
      status,
      message: 'English',
      retryAfterSeconds: undefined,
      reason,
    });
    const because = refusalWords(refused(400, 'take-over-pending'), say);
    assert.ok(because.includes(say('why.take-over-pending')), because);
    for (const status of [400, 409]) {
      assert.is(refusalWords(refused(status, 'no-text-knows-it'), say), say('problem.notDone'));
      assert.is(refusalWords(refused(status), say), say('problem.notDone'));
      assert.is(refusalWords(refused(status), say, 'of this page'), 'of this page');
    }
  }
});

test('texts of the pages: a row of an import that is in no kit says why in words', () => {
  for (const language of ALL_LANGUAGES) {
    const say = sayIn(language, language);
    const said = rowWords({ code: 'no-kit', why: 'kit-too-large' }, say);
    assert.ok(said.includes(say('why.kit-too-large')), said);
  }
});

test.run();
