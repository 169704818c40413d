/** Claim keys for labels: people read them aloud and type them, so no letters and digits that look alike. */
import { randomText } from './random-text.ts';

const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const GROUPS = 4;
const GROUP_LENGTH = 4;

/** Four groups of four, joined by dashes: 79 bits. */
export function randomClaimKey(): string {
  return Array.from({ length: GROUPS }, () => randomText(ALPHABET, GROUP_LENGTH)).join('-');
}

/** What people and their phones put between letters: spaces, dashes of every length, what has no width. */
const BETWEEN = /[\s\u002d_\u00ad\u200b-\u200d\u2010-\u2015\u2060\u2212\ufeff]/gu;
const LETTERS = new RegExp(`^[${ALPHABET}]{${GROUPS * GROUP_LENGTH}}$`, 'u');

/**
 * The key that somebody typed who has one of ours before him: in any case, with other dashes or none. Undefined: a text of
 * another form, which is no key of ours and stays as it is.
 */
export function typedClaimKey(text: string): string | undefined {
  if (text.length > TYPED_MAX || cannotBeTyped(text)) return undefined;
  const letters = text.normalize('NFKC').replace(BETWEEN, '').toUpperCase();
  if (!LETTERS.test(letters)) return undefined;
  return Array.from({ length: GROUPS }, (_, at) =>
    letters.slice(at * GROUP_LENGTH, (at + 1) * GROUP_LENGTH),
  ).join('-');
}

/** Whether it has the form of a key of ours but for O, 0, I, L or 1, which no key of ours has. */
export function looksMisread(text: string): boolean {
  return typedClaimKey(text) === undefined && typedClaimKey(text.replace(/[OIL01]/giu, 'X')) !== undefined;
}

/** Most secrets are no key of ours, and every claim asks: these are told apart without another text being made. */
function cannotBeTyped(text: string): boolean {
  let letters = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return false; // it may stand for others
    const isLetter = (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a);
    if (isLetter) letters += 1;
  }
  return letters !== GROUPS * GROUP_LENGTH;
}

/** Longer ones are not typed. */
const TYPED_MAX = 100;
