/** Waiting for a condition, not for a time: tests must hold on a slow and busy machine. */
import { PATIENCE_MS, patience } from './patience.ts';

/** Between two looks, at first. */
const LOOK_MS = 5;
/** And at most. */
const LOOK_MAX_MS = 25;
/** Who has waited for long is not in a hurry, and looking takes time from what is waited for: this share of the wait so far. */
const LOOK_SHARE = 1 / 20;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Looks again and again until the condition holds; a look that throws counts as no. Rejects when it takes longer than
 * `withinMs` of a quiet machine's time.
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = PATIENCE_MS,
): Promise<void> {
  const over = patience(withinMs);
  const since = performance.now();
  let last: unknown;
  for (;;) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    if (over()) throw new Error(`not within ${withinMs} ms: ${what}`, { cause: last });
    const waited = performance.now() - since;
    await pause(Math.min(LOOK_MAX_MS, Math.max(LOOK_MS, waited * LOOK_SHARE)));
  }
}
