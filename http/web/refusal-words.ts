/** What the API refused, in the reader's language. The API itself speaks English; its reason codes are the same for all. */
import type { Refused } from './api.ts';
import { ENGLISH, type TextKey } from './texts/catalogues.ts';
import type { Say } from './texts/say.ts';

/** Sentences for reason codes, which say what to do; none of them has places. */
type ReasonKey = Extract<TextKey, `reason.${string}`>;
/** Why something was refused, in a few words, as the trail says it; none of them has places. */
type WhyKey = Extract<TextKey, `why.${string}`>;

const WHY = 'why.';
const isReasonKey = (key: string): key is ReasonKey => Object.hasOwn(ENGLISH, key);
const isWhyKey = (key: string): key is WhyKey => key.startsWith(WHY) && Object.hasOwn(ENGLISH, key);

/** Why something was refused, in a few words; undefined: no text knows the code. */
export function whyInWords(code: string, say: Say): string | undefined {
  const key = `${WHY}${code}`;
  return isWhyKey(key) ? say(key) : undefined;
}

/** All that `whyInWords` knows, by code. */
export const everyWhy = (say: Say): readonly (readonly [code: string, words: string])[] =>
  Object.keys(ENGLISH)
    .filter(isWhyKey)
    .map((key) => [key.slice(WHY.length), say(key)]);

/**
 * In English the API's own words, which know more, such as how long a password has to be.
 * @param otherwise what a refusal is about, on this page, whose reason code no text knows
 */
export function refusalWords({ status, message, reason }: Refused, say: Say, otherwise?: string): string {
  if (say.language === 'en') return message;
  const key = `reason.${reason ?? ''}`;
  if (isReasonKey(key)) return say(key);
  if (status === 429) return say('problem.429Text'); // whatever was too many: it says what to do
  const why = reason === undefined ? undefined : whyInWords(reason, say);
  if (why !== undefined) return say('problem.notDoneWhy', { why });
  // 502: whom the server asked, such as an identity provider, did not answer as it should.
  if ([400, 409, 502].includes(status) && otherwise !== undefined) return otherwise;
  if (status >= 500) return say('problem.503Text');
  return say(status === 403 ? 'problem.403Text' : status === 404 ? 'problem.404Text' : 'problem.notDone');
}
