/** Keys that pages set: for how long, and as the attribute that holds them. */
import { randomClaimKey } from '../../../actors/base/claim-key.ts';

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
