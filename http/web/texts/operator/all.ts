/** What administrators read on the overview, about webhooks, identity providers, tenants and the server, in each language. */
import type { Language } from '../../../../actors/texts/languages.ts';
import type { Catalogue } from '../../../../actors/texts/messages.ts';
import { ARABIC } from './ar.ts';
import { GERMAN } from './de.ts';
import { ENGLISH } from './en.ts';
import { SPANISH } from './es.ts';
import { FRENCH } from './fr.ts';
import { ITALIAN } from './it.ts';
import { JAPANESE } from './ja.ts';
import { KOREAN } from './ko.ts';
import { POLISH } from './pl.ts';
import { PORTUGUESE } from './pt-BR.ts';
import { TURKISH } from './tr.ts';
import { UKRAINIAN } from './uk.ts';
import { CHINESE } from './zh-Hans.ts';

export const OPERATOR_ENGLISH = ENGLISH;

export const OPERATOR: Readonly<Record<Language, Catalogue<keyof typeof ENGLISH>>> = {
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
