/** Keys for labels: read aloud and typed by people, so without letters and digits that look alike. */
import { randomInt } from 'node:crypto';

const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const GROUPS = 4;
const GROUP_LENGTH = 4;

/** 79 bits. */
export function randomClaimKey(): string {
  const letter = () => ALPHABET[randomInt(ALPHABET.length)];
  return Array.from({ length: GROUPS }, () => Array.from({ length: GROUP_LENGTH }, letter).join('')).join(
    '-',
  );
}

const DAY_MS = 86_400_000;
export const KEY_DAYS = 365;
export const KEY_DAYS_MAX = 36_500;

/** The attribute that sets a key, good for so many days. */
export function claimingData(nowMs: number, days: number): { secretKey: string; expirationTime: number } {
  return { secretKey: randomClaimKey(), expirationTime: nowMs + days * DAY_MS };
}

/** How many days a form asks for. */
export function daysOf(text: string): number {
  const days = Number(text);
  return Number.isInteger(days) && days >= 1 && days <= KEY_DAYS_MAX ? days : KEY_DAYS;
}
