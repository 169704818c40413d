/**
 * What a new password must be: long enough, and not among the first that somebody would try. No rules of composition and
 * no expiry (NIST SP 800-63B-4, 3.1.1.2): they make people choose worse ones.
 *
 * Somebody who guesses tries the commonest passwords, with a year or a mark behind them, one word or key again and again,
 * rows of the alphabet, and names that stand around: of the product, the tenant, the person.
 */
import { COMMON_PASSWORDS } from './common-passwords.ts';
import { isDemoPassword } from './demo-passwords.ts';
import type { AccountRefusal, AccountSettings } from './model.ts';

type PasswordRules = Pick<
  AccountSettings,
  'passwordMinLength' | 'passwordMaxLength' | 'passwordNames' | 'demoPasswordsWork'
>;

/** Shorter words are in too many good passwords. */
const NAME_LENGTH_MIN = 3;
/** So many letters and digits must be left when all names are taken out. */
const REST_MIN = 6;

/** Why a password may not be set, or undefined. @param names of the user's surroundings, as they are written */
export function passwordProblem(
  password: string,
  rules: PasswordRules,
  names: readonly string[],
): AccountRefusal | undefined {
  if (isDemoPassword(password)) {
    return rules.demoPasswordsWork ? undefined : { reason: 'password-well-known' };
  }
  const { passwordMinLength: minLength, passwordMaxLength: maxLength } = rules;
  const { length } = [...password]; // characters, not UTF-16 units
  if (length < minLength) return { reason: 'password-too-short', minLength };
  if (length > maxLength) return { reason: 'password-too-long', maxLength };
  const plain = plainly(password);
  if (isCommon(plain)) return { reason: 'password-well-known' };
  return isMadeOfNames(plain, [...rules.passwordNames, ...names])
    ? { reason: 'password-made-of-names' }
    : undefined;
}

function plainly(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** @param plain in lower case */
function isCommon(plain: string): boolean {
  const core = plain.replace(/^\P{L}+|\P{L}+$/gu, '');
  return COMMON_PASSWORDS.has(plain) || COMMON_PASSWORDS.has(core) || isRepetition(plain) || isRow(plain);
}

/** `passwordpassword`, `aaaaaaaaaaaa` */
function isRepetition(plain: string): boolean {
  return /^(.{1,8}?)\1+$/su.test(plain);
}

/** `abcdefghijkl`, `210987654321`: each character follows its neighbour, 0 follows 9. */
function isRow(plain: string): boolean {
  const step = ([a = 0, b = 0]: readonly number[]) =>
    a === 57 && b === 48 ? 1 : a === 48 && b === 57 ? -1 : b - a;
  const codes = Array.from(plain, (character) => character.codePointAt(0) ?? 0);
  const steps = codes.slice(1).map((code, at) => step([codes[at] ?? 0, code]));
  return steps.length > 0 && Math.abs(steps[0] ?? 0) === 1 && steps.every((one) => one === steps[0]);
}

function isMadeOfNames(plain: string, names: readonly string[]): boolean {
  const words = new Set(names.flatMap(wordsOf));
  let rest = plain;
  for (const word of [...words].sort((a, b) => b.length - a.length)) rest = rest.replaceAll(word, ' ');
  if (rest === plain) return false;
  const left = rest.replace(/[^\p{L}\p{N}]/gu, '');
  return left.length < REST_MIN || isCommon(left);
}

/** The words of a name, and all of it as one. */
function wordsOf(name: string): string[] {
  const words = plainly(name).split(/[^\p{L}\p{N}]+/u);
  return [...words, words.join('')].filter((word) => word.length >= NAME_LENGTH_MIN);
}

/** The names in an e-mail address: not its last label, which says as little as `@` does. */
export function namesInEmail(email: string): string[] {
  const [local = '', domain = ''] = email.split('@');
  return [local, ...domain.split('.').slice(0, -1)];
}
