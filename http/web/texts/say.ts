/** What the pages say, in each language. */
import type { Language } from '../../../actors/texts/languages.ts';
import { type Catalogue, createSay, type Say as SayOf } from '../../../actors/texts/messages.ts';
import { pseudo } from '../../../actors/texts/pseudo.ts';
import { ARABIC } from './ar.ts';
import { GERMAN } from './de.ts';
import { ENGLISH } from './en.ts';
import { SPANISH } from './es.ts';
import { FRENCH } from './fr.ts';
import { ITALIAN } from './it.ts';
import { JAPANESE } from './ja.ts';
import { KOREAN } from './ko.ts';
import { NO_OVERLAYS, type Overlays } from './overlay.ts';
import { POLISH } from './pl.ts';
import { PORTUGUESE } from './pt-BR.ts';
import { TURKISH } from './tr.ts';
import { UKRAINIAN } from './uk.ts';
import { CHINESE } from './zh-Hans.ts';

export type Say = SayOf<typeof ENGLISH>;
export type TextKey = keyof typeof ENGLISH;

/** The made-up language of tests: English, longer and with accents. A private tag, as other tools have it. */
export const PSEUDO = 'en-XA';

export const CATALOGUES: Readonly<Record<Language, Catalogue<TextKey>>> = {
  en: ENGLISH,
  de: GERMAN,
  fr: FRENCH,
  es: SPANISH,
  it: ITALIAN,
  'pt-BR': PORTUGUESE,
  pl: POLISH,
  uk: UKRAINIAN,
  tr: TURKISH,
  ar: ARABIC,
  'zh-Hans': CHINESE,
  ja: JAPANESE,
  ko: KOREAN,
};

/**
 * @param tag for numbers: the language, perhaps with a region
 * @param overlays the operator's own words, where they are others
 */
export function sayIn(
  language: Language | typeof PSEUDO,
  tag: string,
  overlays: Overlays = NO_OVERLAYS,
): Say {
  if (language === PSEUDO) return createSay({ language: 'en', tag, catalogue: ENGLISH, change: pseudo });
  return createSay({ language, tag, catalogue: { ...CATALOGUES[language], ...overlays[language] } });
}
