/**
 * How long it took from the opening of windows to the claims in them: a small histogram, which can be added to for ever. What is
 * told of it lies between the bounds of a class, so it is off by a third at most, and mostly by less.
 */
import type { Json } from '../base/json.ts';

const SECOND_MS = 1_000;
/** Up to which time each class goes, in seconds; behind the last there is one more. */
const UP_TO = [
  1, 2, 3, 4, 6, 8, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 450, 600, 900, 1_800, 3_600, 7_200, 21_600,
  86_400,
];

/** How many claims are in each class; what is missing at the end is 0. */
export type ClaimTimes = readonly number[];

export interface TimeToClaim {
  /** Claims made in windows of which is known when they were opened. */
  readonly count: number;
  readonly medianMs: number | null;
  /** Nine of ten took no longer. */
  readonly p90Ms: number | null;
}

/**
 * Adds a claim to its class.
 *
 * @param opened when the window was opened, as an entry of the trail says it
 */
export function addClaim(times: number[], opened: Json | undefined, at: number): void {
  if (typeof opened !== 'number') return;
  const seconds = Math.max(0, at - opened) / SECOND_MS;
  const found = UP_TO.findIndex((bound) => seconds <= bound);
  const which = found === -1 ? UP_TO.length : found;
  while (times.length <= which) times.push(0);
  times[which] = (times[which] ?? 0) + 1;
}

export function together(all: readonly ClaimTimes[]): ClaimTimes {
  return Array.from({ length: UP_TO.length + 1 }, (_, each) =>
    all.reduce((sum, times) => sum + (times[each] ?? 0), 0),
  );
}

export function timeToClaim(times: ClaimTimes): TimeToClaim {
  const count = times.reduce((sum, each) => sum + each, 0);
  return { count, medianMs: quantile(times, count, 0.5), p90Ms: quantile(times, count, 0.9) };
}

/** Within a class times are taken to be spread evenly. Behind the last bound it is that bound. */
function quantile(times: ClaimTimes, count: number, part: number): number | null {
  if (count === 0) return null;
  let left = count * part;
  for (const [which, many] of times.entries()) {
    const from = UP_TO[which - 1] ?? 0;
    const to = UP_TO[which] ?? from;
    if (many > 0 && left <= many) return Math.round((from + ((to - from) * left) / many) * SECOND_MS);
    left -= many;
  }
  return null;
}
