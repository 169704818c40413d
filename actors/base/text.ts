/**
 * Which texts may be names and credentials, whichever door they come in by. Halves of characters can not be written in
 * a URL, so that nobody could name such a device; and what people are shown has no control characters.
 */

const LONE_SURROGATE = /\p{Surrogate}/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Fit to be a key in an index and to be shown: no control characters, no halves of characters. */
export function isCleanText(text: string): boolean {
  return !CONTROL.test(text) && !LONE_SURROGATE.test(text);
}
