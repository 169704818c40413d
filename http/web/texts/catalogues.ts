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

const made = new Map<Language, Catalogue<TextKey>>();

/** All texts in a language. Put together when it is wanted first: a start would do so for thirteen. */
export function catalogueIn(language: Language): Catalogue<TextKey> {
  const known = made.get(language);
  if (known !== undefined) return known;
  const catalogue = {
    ...EVERYONE[language],
    ...TENANT[language],
    ...FLEET[language],
    ...PEOPLE[language],
    ...OPERATOR[language],
  };
  made.set(language, catalogue);
  return catalogue;
}
