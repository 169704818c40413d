/** What mails say, in the language of whom they go to. */
import { LANGUAGES, type Language, languageOf } from '../texts/languages.ts';
import { type Catalogue, createSay, type Say } from '../texts/messages.ts';
import { ar } from './texts/ar.ts';
import { de } from './texts/de.ts';
import { en } from './texts/en.ts';
import { es } from './texts/es.ts';
import { fr } from './texts/fr.ts';
import { it } from './texts/it.ts';
import { ja } from './texts/ja.ts';
import { ko } from './texts/ko.ts';
import { pl } from './texts/pl.ts';
import { ptBR } from './texts/pt-BR.ts';
import { tr } from './texts/tr.ts';
import { uk } from './texts/uk.ts';
import { zhHans } from './texts/zh-Hans.ts';

export type MailTexts = typeof en;

export const CATALOGUES: Readonly<Record<Language, Catalogue<keyof MailTexts>>> = {
  en,
  de,
  fr,
  es,
  it,
  'pt-BR': ptBR,
  pl,
  uk,
  tr,
  ar,
  'zh-Hans': zhHans,
  ja,
  ko,
};

/** @param tag the person's own, as ThingsBoard keeps it (`de_DE`) @param others where that says nothing */
export function sayIn(tag: unknown, others: Language): Say<MailTexts> {
  const language = typeof tag === 'string' ? (languageOf(tag) ?? others) : others;
  return createSay<MailTexts>({
    language,
    tag: LANGUAGES[language].formats,
    catalogue: CATALOGUES[language],
  });
}
