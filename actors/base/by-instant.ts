/** Members of lists that are in the order of time: each begins with an instant and ends with the name of what it stands for. */
import type { Instant } from './clock.ts';

/** Of the largest whole number that is one exactly. */
const DIGITS = 16;

export function memberByInstant(at: Instant, name: string): string {
  const whole = Math.min(Math.max(0, Math.floor(at)), Number.MAX_SAFE_INTEGER);
  return `${String(whole).padStart(DIGITS, '0')}\0${name}`;
}

/** The instant in such a member. */
export function instantOf(member: string): Instant {
  return Number(member.slice(0, DIGITS));
}
