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

/**
 * What a name that people give may not hold: characters that nobody sees, or that turn the direction of what follows, so that it
 * looks like another name. Joiners stay where a script or an emoji needs them, and so do the selectors that choose a shape.
 *
 * @returns the first such character, e.g. `U+200B`; undefined: there is none
 */
export function hiddenIn(name: string): string | undefined {
  if (!HIDDEN.test(name)) return undefined;
  const all = [...name];
  const at = all.findIndex(
    (one, nth) => HIDDEN.test(one) && !isNeeded(one, all[nth - 1] ?? '', all[nth + 1] ?? ''),
  );
  const code = all[at]?.codePointAt(0);
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Controls, ends of lines and paragraphs, marks of annotations, and all that Unicode says is not to be drawn. */
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/u;
const JOINER = /[\u200c\u200d]/;
/** Letters and marks of the scripts whose words are written with joiners (Unicode 16, 9.2 and chapters 12 to 14). */
const JOINED = new RegExp(
  `^[${['Arabic', 'Syriac', 'Mongolian', 'Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada', 'Malayalam', 'Sinhala', 'Khmer', 'Myanmar', 'Tibetan'].map((script) => `\\p{Script=${script}}`).join('')}]$`,
  'u',
);
const PICTURE = /^\p{Extended_Pictographic}$/u;
const PART_OF_PICTURE = /^(\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)$/u;

function isNeeded(one: string, before: string, after: string): boolean {
  if (JOINER.test(one) && JOINED.test(before) && JOINED.test(after)) return true;
  if (one === '\u200d') return PART_OF_PICTURE.test(before) && PICTURE.test(after);
  if (/[\ufe0e\ufe0f]/.test(one))
    return PICTURE.test(before) || (/[0-9#*]/.test(before) && after === '\u20e3');
  if (/[\ufe00-\ufe0d\u{e0100}-\u{e01ef}]/u.test(one)) return /\p{Ideographic}/u.test(before);
  return /[\u180b-\u180d\u180f]/.test(one) && /\p{Script=Mongolian}/u.test(before);
}

// One @, no spaces, a dot in the domain: as much as can be said without sending a mail.
const EMAIL = /^[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;[\]\\]+\.[^\s@<>"(),:;[\]\\.]+$/;
const EMAIL_MAX = 254; // RFC 5321 §4.5.3.1.3, without the angle brackets

/** Whether a text is an e-mail address, as far as one can tell without sending to it. */
export function isEmail(text: string): boolean {
  return text.length <= EMAIL_MAX && EMAIL.test(text);
}
