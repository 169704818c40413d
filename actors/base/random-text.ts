/** Texts that nobody can guess, for tokens and keys. */
import { randomInt } from 'node:crypto';

/** So many letters of the alphabet, each drawn by the system's secure generator. */
export function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}
