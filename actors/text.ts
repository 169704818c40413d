/**
 * Which texts may be names and credentials, whichever door they come in by: keys of the store are UTF-8, in which halves of
 * characters are all the same one, so that two such names would be taken for each other; and what people are shown
 * has no control characters.
 */

const LONE_SURROGATE = /\p{Surrogate}/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Fit to be a key in an index and to be shown: no control characters, no halves of characters. */
export function isCleanText(text: string): boolean {
  return !CONTROL.test(text) && !LONE_SURROGATE.test(text);
}
