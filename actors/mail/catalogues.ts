/** What mails say, in the language of whom they go to. */
import { LANGUAGES, type Language, languageOf } from '../texts/languages.ts';
import { type Catalogue, createSay, type Say } from '../texts/messages.ts';
import { de } from './texts/de.ts';
import { en } from './texts/en.ts';
import { es } from './texts/es.ts';
import { fr } from './texts/fr.ts';
import { it } from './texts/it.ts';

export type MailTexts = typeof en;

export const CATALOGUES: Readonly<Partial<Record<Language, Catalogue<keyof MailTexts>>>> = {
  en,
  de,
  fr,
  es,
  it,
};

/** @param tag the person's own, as ThingsBoard keeps it (`de_DE`) @param others where that says nothing */
export function sayIn(tag: unknown, others: Language): Say<MailTexts> {
  const wanted = typeof tag === 'string' ? (languageOf(tag) ?? others) : others;
  const language = CATALOGUES[wanted] === undefined ? 'en' : wanted;
  return createSay<MailTexts>({
    language,
    tag: LANGUAGES[language].formats,
    catalogue: CATALOGUES[language] ?? en,
  });
}
