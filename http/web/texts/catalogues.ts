/** The catalogues of all folders here as one, in each language. A key begins with the page it is on. */
import type { Language } from '../../../actors/texts/languages.ts';
import type { Catalogue } from '../../../actors/texts/messages.ts';
import { EVERYONE, EVERYONE_ENGLISH } from './everyone/all.ts';
import { FLEET, FLEET_ENGLISH } from './fleet/all.ts';
import { OPERATOR, OPERATOR_ENGLISH } from './operator/all.ts';
import { PEOPLE, PEOPLE_ENGLISH } from './people/all.ts';
import { TENANT, TENANT_ENGLISH } from './tenant/all.ts';

export const ENGLISH = {
  ...EVERYONE_ENGLISH,
  ...TENANT_ENGLISH,
  ...FLEET_ENGLISH,
  ...PEOPLE_ENGLISH,
  ...OPERATOR_ENGLISH,
};
export type TextKey = keyof typeof ENGLISH;

const inLanguage = (language: Language): Catalogue<TextKey> => ({
  ...EVERYONE[language],
  ...TENANT[language],
  ...FLEET[language],
  ...PEOPLE[language],
  ...OPERATOR[language],
});

export const CATALOGUES: Readonly<Record<Language, Catalogue<TextKey>>> = {
  en: inLanguage('en'),
  de: inLanguage('de'),
  fr: inLanguage('fr'),
  es: inLanguage('es'),
  it: inLanguage('it'),
  'pt-BR': inLanguage('pt-BR'),
  pl: inLanguage('pl'),
  uk: inLanguage('uk'),
  tr: inLanguage('tr'),
  ar: inLanguage('ar'),
  'zh-Hans': inLanguage('zh-Hans'),
  ja: inLanguage('ja'),
  ko: inLanguage('ko'),
};
