/** Claim keys for labels: people read them aloud and type them, so no letters and digits that look alike. */
import { randomText } from './random-text.ts';

const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const GROUPS = 4;
const GROUP_LENGTH = 4;

/** Four groups of four, joined by dashes: 79 bits. */
export function randomClaimKey(): string {
  return Array.from({ length: GROUPS }, () => randomText(ALPHABET, GROUP_LENGTH)).join('-');
}
