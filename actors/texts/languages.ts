/**
 * The languages that people are spoken to in, and the choice of one: from a tag, as a person's settings or a cookie have
 * it, and from the header Accept-Language (RFC 9110 §12.5.4).
 */

interface About {
  /** What it calls itself. */
  readonly name: string;
  readonly direction: 'ltr' | 'rtl';
  /** For `Intl`, where nothing more is known of the reader: with a region where the dates of the bare language surprise. */
  readonly formats: string;
}

/** By BCP 47 tag, in the order in which they are offered. */
export const LANGUAGES = {
  en: { name: 'English', direction: 'ltr', formats: 'en-GB' },
  de: { name: 'Deutsch', direction: 'ltr', formats: 'de' },
  fr: { name: 'Français', direction: 'ltr', formats: 'fr' },
  es: { name: 'Español', direction: 'ltr', formats: 'es' },
  it: { name: 'Italiano', direction: 'ltr', formats: 'it' },
  'pt-BR': { name: 'Português (Brasil)', direction: 'ltr', formats: 'pt-BR' },
  pl: { name: 'Polski', direction: 'ltr', formats: 'pl' },
  uk: { name: 'Українська', direction: 'ltr', formats: 'uk' },
  tr: { name: 'Türkçe', direction: 'ltr', formats: 'tr' },
  ar: { name: 'العربية', direction: 'rtl', formats: 'ar' },
  'zh-Hans': { name: '简体中文', direction: 'ltr', formats: 'zh-Hans' },
  ja: { name: '日本語', direction: 'ltr', formats: 'ja' },
  ko: { name: '한국어', direction: 'ltr', formats: 'ko' },
} as const satisfies Readonly<Record<string, About>>;

export type Language = keyof typeof LANGUAGES;

export const ALL_LANGUAGES: readonly Language[] = Object.keys(LANGUAGES).filter(isLanguage);

export function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(LANGUAGES, tag);
}

export function directionOf(language: Language): 'ltr' | 'rtl' {
  return LANGUAGES[language].direction;
}

interface Match {
  readonly language: Language;
  /** Written in another script than was asked for, e.g. Simplified Chinese for who reads Traditional. */
  readonly near: boolean;
}

/**
 * The language of a tag, also as ThingsBoard writes it (`de_DE`): of any region, and of another script where there is
 * nothing better. Undefined: not a tag, or not a language of ours.
 */
export function languageOf(tag: string): Language | undefined {
  return match(tag)?.language;
}

/** Longer ones no language has; `Intl` reads them all the same, and a stranger sends them. */
const TAG_MAX = 40;

function localeFrom(tag: string): Intl.Locale | undefined {
  if (tag.length > TAG_MAX) return undefined;
  try {
    return new Intl.Locale(tag.trim().replaceAll('_', '-')).maximize();
  } catch {
    return undefined;
  }
}

/** Of each language that we have: its script, as `Intl` knows it. */
const KNOWN: ReadonlyMap<string, { readonly language: Language; readonly script: string | undefined }> =
  new Map(
    ALL_LANGUAGES.map((language) => {
      const { language: bare, script } = new Intl.Locale(language).maximize();
      return [bare, { language, script }];
    }),
  );

function match(tag: string): Match | undefined {
  const locale = localeFrom(tag);
  const known = locale && KNOWN.get(locale.language);
  return known && { language: known.language, near: known.script !== locale.script };
}

/** What is read of the header: a person's browser sends a few languages. */
const HEADER_MAX = 400;
const RANGES_MAX = 30;

/** The language ranges of an Accept-Language header that are wanted, the most wanted first; of equal weight in their order. */
function rangesOf(header: string): readonly string[] {
  return header
    .slice(0, HEADER_MAX)
    .split(',', RANGES_MAX)
    .map((part) => {
      const [range = '', ...parameters] = part.split(';').map((text) => text.trim());
      return { range, weight: weightOf(parameters) };
    })
    .filter(({ range, weight }) => range !== '' && weight > 0)
    .sort((one, other) => other.weight - one.weight)
    .map(({ range }) => range);
}

/** RFC 9110 §12.4.2. A weight that is none counts as not wanted. */
function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => /^q=/i.test(parameter))?.slice(2);
  if (weight === undefined) return 1;
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0;
}

/**
 * The language for an Accept-Language header; undefined where it names none of ours. Another script counts only where no
 * language fits: who reads Traditional Chinese and English gets English, who reads nothing else gets Simplified Chinese.
 */
export function languageAccepted(header: string): Language | undefined {
  const matches = rangesOf(header).flatMap((range) => match(range) ?? []);
  return (matches.find(({ near }) => !near) ?? matches[0])?.language;
}

/**
 * The tag for dates and numbers in texts of a language: the reader's own region where the header has it (`de-CH` and
 * `de` write numbers differently), else the language's. Never another language, script or kind of digits.
 */
export function formatsOf(language: Language, header: string): string {
  for (const range of rangesOf(header)) {
    const found = match(range);
    if (found === undefined || found.near || found.language !== language) continue;
    const { baseName, region } = new Intl.Locale(range.replaceAll('_', '-'));
    // One that Intl knows: whatever else is sent would fill caches.
    const { locale } = new Intl.DateTimeFormat(baseName).resolvedOptions();
    if (region !== undefined && new Intl.Locale(locale).region !== undefined) return locale;
  }
  return LANGUAGES[language].formats;
}
