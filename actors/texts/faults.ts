/** What is wrong with a catalogue: for the tests of ours, and for what an operator lays over them. */
import { IntlMessageFormat } from 'intl-messageformat';
import { LANGUAGES, type Language } from './languages.ts';
import type { Catalogue } from './messages.ts';

type Elements = ReturnType<IntlMessageFormat['getAst']>;
type Element = Elements[number];

/** Each fault in words, with the key in front; empty where all is well. */
export function faultsIn(language: Language, texts: Catalogue, english: Catalogue): string[] {
  return Object.entries(texts).flatMap(([key, text]) => {
    const model = english[key];
    if (model === undefined) return [`${key}: there is no such text`];
    return faultsOf(language, text, model).map((fault) => `${key}: ${fault}`);
  });
}

/** The keys of English that a catalogue does not have. */
export function missingIn(texts: Catalogue, english: Catalogue): string[] {
  return Object.keys(english).filter((key) => !Object.hasOwn(texts, key));
}

function faultsOf(language: Language, text: string, model: string): string[] {
  if (text.trim() === '') return ['it is empty'];
  let elements: Elements;
  try {
    elements = elementsOf(text, language);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [`not in ICU form: ${error.message}`];
  }
  const [has, wanted] = [placesIn(elements), placesIn(elementsOf(model, 'en'))];
  return [
    ...[...wanted].filter((place) => !has.has(place)).map((place) => `{${place}} is missing`),
    ...[...has].filter((place) => !wanted.has(place)).map((place) => `{${place}} is not known`),
    ...pluralsIn(elements).flatMap((plural) => faultsOfPlural(language, plural)),
  ];
}

const elementsOf = (text: string, language: Language): Elements =>
  new IntlMessageFormat(text, language, undefined, { ignoreTag: true }).getAst();

type Plural = Extract<Element, { pluralType?: unknown }>;

/** Of a message and of the branches in it. */
function everyElement(elements: Elements): Element[] {
  return elements.flatMap((element) => [
    element,
    ...('options' in element
      ? Object.values(element.options).flatMap(({ value }) => everyElement(value))
      : []),
  ]);
}

/** The names that are filled in. */
function placesIn(elements: Elements): Set<string> {
  const named = everyElement(elements).filter(({ type }) => type !== LITERAL && type !== POUND);
  return new Set(named.flatMap((element) => ('value' in element ? [element.value] : [])));
}

const LITERAL = 0;
const POUND = 7;

const pluralsIn = (elements: Elements): Plural[] =>
  everyElement(elements).filter((element): element is Plural => 'pluralType' in element);

/** A language has its own categories, e.g. Polish “one”, “few” and “many”: each has a branch, and no other has. */
function faultsOfPlural(language: Language, { value, options, pluralType = 'cardinal' }: Plural): string[] {
  const { pluralCategories } = new Intl.PluralRules(LANGUAGES[language].formats, {
    type: pluralType,
  }).resolvedOptions();
  const branches = Object.keys(options).filter((branch) => !branch.startsWith('='));
  // Some languages have one for compact millions alone (“de millones”), which no text of ours is about.
  const wanted: readonly string[] = pluralCategories.filter((category) => isUsed(language, category));
  return [
    ...wanted.filter((category) => !branches.includes(category)).map((one) => `{${value}} has no “${one}”`),
    ...branches
      .filter((branch) => !pluralCategories.some((category) => category === branch))
      .map((one) => `{${value}} has “${one}”, which the language does not`),
  ];
}

const MILLIONS: readonly Language[] = ['fr', 'es', 'it', 'pt-BR'];
const isUsed = (language: Language, category: string): boolean =>
  !(category === 'many' && MILLIONS.includes(language));
