/** What the API refused, in the reader's language. The API itself speaks English; its reason codes are the same for all. */
import type { Refused } from './api.ts';
import { ENGLISH, type TextKey } from './texts/catalogues.ts';
import type { Say } from './texts/say.ts';

/** The texts for reason codes; none of them has places. */
type ReasonKey = Extract<TextKey, `reason.${string}`>;

const isReasonKey = (key: string): key is ReasonKey => Object.hasOwn(ENGLISH, key);

/**
 * In English the API's own words, which know more, such as how long a password has to be.
 * @param otherwise what a refusal without a reason code is about, on this page
 */
export function refusalWords({ status, message, reason }: Refused, say: Say, otherwise?: string): string {
  if (say.language === 'en') return message;
  const key = `reason.${reason ?? ''}`;
  if (isReasonKey(key)) return say(key);
  // 502: whom the server asked, such as an identity provider, did not answer as it should.
  if ([400, 409, 502].includes(status) && otherwise !== undefined) return otherwise;
  if (status === 429) return say('problem.429Text');
  if (status >= 500) return say('problem.503Text');
  return say(status === 403 ? 'problem.403Text' : status === 404 ? 'problem.404Text' : 'problem.400Text');
}
