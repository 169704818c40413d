/**
 * Texts in ICU form (https://unicode-org.github.io/icu/userguide/format_parse/messages/), by key. The keys of the English
 * catalogue are the type of all others, and the names in an English text are the type of its values. Values are text and
 * numbers, never markup: a `<` in a text or a value is one.
 */
import { IntlMessageFormat } from 'intl-messageformat';
import { directionOf, type Language } from './languages.ts';

export type Catalogue<Key extends string = string> = Readonly<Record<Key, string>>;

/** `{name}` or `{name, …}`, after its brace. What has a space in it is a branch of a plural, and no name. */
type NameAt<After extends string> = After extends `${infer Inside}}${string}`
  ? Inside extends `${infer Name},${string}`
    ? Word<Name>
    : Word<Inside>
  : never;
type Word<Name extends string> = Name extends `${string} ${string}` | '#' | '' ? never : Name;

/** The names that a text has places for. */
export type NamesIn<Text extends string> = Text extends `${string}{${infer After}`
  ? NameAt<After> | NamesIn<After>
  : never;

/** The values that a text takes; none where it has no places. */
type Given<Text extends string, Value> = [NamesIn<Text>] extends [never]
  ? []
  : [values: Readonly<Record<NamesIn<Text>, Value>>];

/** Says the texts of one catalogue in one language. */
export interface Say<English extends Catalogue> {
  <Key extends keyof English & string>(key: Key, ...given: Given<English[Key], string | number>): string;
  /** A text with things in it that are more than text, such as a time or a link: its pieces in their order. */
  pieces<Key extends keyof English & string, Thing>(
    key: Key,
    ...given: Given<English[Key], string | number | Thing>
  ): readonly (string | Thing)[];
  readonly language: Language;
}

interface Speaking {
  readonly language: Language;
  /** For numbers, in `Intl`: the language, perhaps with a region. */
  readonly tag: string;
  /** The whole of the texts: what is missing is a bug. */
  readonly catalogue: Catalogue;
  /** Made of every text before it is said, for a made-up language of tests. */
  readonly change?: (text: string) => string;
}

export function createSay<English extends Catalogue>({
  language,
  tag,
  catalogue,
  change = UNCHANGED,
}: Speaking): Say<English> {
  const piecesOf = (key: string, values: Readonly<Record<string, unknown>>): readonly unknown[] => {
    const text = catalogue[key];
    if (text === undefined) throw new Error(`there is no text “${key}” in ${language}`);
    if (!MARKS.test(text)) return [change(text)];
    const { message, selects } = compiled(tag, text, change);
    const isolated = Object.entries(values).map(([name, value]) => [
      name,
      selects.has(name) ? value : isolate(value, language),
    ]);
    return message.formatToParts(Object.fromEntries(isolated)).map(({ value }) => value);
  };
  const say = (key: string, values: Readonly<Record<string, unknown>> = {}): string =>
    piecesOf(key, values).join('');
  return Object.assign(say, {
    language,
    pieces: <Thing>(key: string, values: Readonly<Record<string, string | number | Thing>> = {}) =>
      // The library gives back what it was given, and its types do not say so.
      piecesOf(key, values) as readonly (string | Thing)[],
  });
}

const UNCHANGED = (text: string): string => text;

/** What ICU reads: a text without these is said as it stands. */
const MARKS = /[{}']/;

/** Making a message costs far more than using it. Keyed by text and tag, so that a text that an operator replaced has its own. */
const COMPILED_MAX = 5_000;
const cache = new Map<string, Compiled>();

interface Compiled {
  readonly message: IntlMessageFormat;
  /** The values that choose a branch by their name, and are not said. */
  readonly selects: ReadonlySet<string>;
}

/** Throws a SyntaxError where the text is not in ICU form. */
function compiled(tag: string, text: string, change: (text: string) => string): Compiled {
  const key = `${change.name} ${tag} ${text}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  // Without its tags: no text holds markup.
  const written = new IntlMessageFormat(text, tag, undefined, { ignoreTag: true });
  const message =
    change === UNCHANGED ? written : new IntlMessageFormat(changed(written.getAst(), change), tag);
  const chosen = message.getAst().filter((element) => 'options' in element && !('pluralType' in element));
  const selects = new Set(chosen.flatMap((element) => ('value' in element ? [element.value] : [])));
  if (cache.size >= COMPILED_MAX) cache.clear();
  const made = { message, selects };
  cache.set(key, made);
  return made;
}

type Elements = ReturnType<IntlMessageFormat['getAst']>;

/** The message with its own words changed, and not what is filled in. */
function changed(elements: Elements, change: (text: string) => string): Elements {
  return elements.map((element) => {
    if ('options' in element) {
      const branches = Object.entries(element.options);
      const options = branches.map(([name, { value }]) => [name, { value: changed(value, change) }]);
      return { ...element, options: Object.fromEntries(options) };
    }
    return element.type === LITERAL ? { ...element, value: change(element.value) } : element;
  });
}

/** In what the parser makes of a message: the kind of element that is plain words. */
const LITERAL = 0;

const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
/** Characters that change the direction of what follows: in a name they would turn the text around it. */
const CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A name as it stands in a text of this language: where either of them runs from right to left it is isolated (U+2068,
 * U+2069), so that neither its letters nor a bracket at its end turn the words around it.
 */
function isolate(value: unknown, language: Language): unknown {
  if (typeof value !== 'string') return value;
  const mixed = directionOf(language) === 'rtl' || RIGHT_TO_LEFT.test(value) || value.search(CONTROLS) !== -1;
  return mixed ? `\u2068${value.replace(CONTROLS, '')}\u2069` : value;
}
