/** Waiting for a condition, not for a time: tests must hold on a slow and busy machine. */
import { PATIENCE_MS, patience } from './patience.ts';

const LOOK_MS = 5;

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
  let last: unknown;
  for (;;) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    if (over()) throw new Error(`not within ${withinMs} ms: ${what}`, { cause: last });
    await pause(LOOK_MS);
  }
}
