/**
 * Which texts may be names and credentials, on every transport. A lone surrogate cannot be written in a URL, so nobody could
 * address such a device; control characters are not fit to be shown.
 */

const LONE_SURROGATE = /\p{Surrogate}/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: this looks for them
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Whether a text has neither control characters nor lone surrogates. */
export function isCleanText(text: string): boolean {
  return !CONTROL.test(text) && !LONE_SURROGATE.test(text);
}
