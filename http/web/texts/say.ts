/** What the pages say, in one language. */
import type { Language } from '../../../actors/texts/languages.ts';
import { createSay, type Say as SayOf } from '../../../actors/texts/messages.ts';
import { pseudo } from '../../../actors/texts/pseudo.ts';
import { catalogueIn, ENGLISH } from './catalogues.ts';
import { NO_OVERLAYS, type Overlays } from './overlay.ts';

export type Say = SayOf<typeof ENGLISH>;

/** The made-up language of tests: English, longer and with accents. A private tag, as other tools have it. */
export const PSEUDO = 'en-XA';

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
  return createSay({ language, tag, catalogue: { ...catalogueIn(language), ...overlays[language] } });
}
