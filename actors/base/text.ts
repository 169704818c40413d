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

// One @, no spaces, a dot in the domain: as much as can be said without sending a mail.
const EMAIL = /^[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;[\]\\]+\.[^\s@<>"(),:;[\]\\.]+$/;
const EMAIL_MAX = 254; // RFC 5321 §4.5.3.1.3, without the angle brackets

/** Whether a text is an e-mail address, as far as one can tell without sending to it. */
export function isEmail(text: string): boolean {
  return text.length <= EMAIL_MAX && EMAIL.test(text);
}
