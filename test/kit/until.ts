/** Waiting for a condition, not for a time: tests must hold on a slow and busy machine. */
import { PATIENCE_MS, patience } from './patience.ts';

/** Between two looks, at first. */
const LOOK_MS = 5;
/** And at most. */
const LOOK_MAX_MS = 25;
/** Who has waited for long is not in a hurry, and looking takes time from what is waited for: this share of the wait so far. */
const LOOK_SHARE = 1 / 20;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Rounds of the event loop after which whatever needs nothing but this process's own work, its sockets included, is done. */
const ROUNDS = 50;

/**
 * Lets the event loop go round so often that what is under way in this process comes as far as it can by itself. A time would be
 * too short for that where the machine is slow, and over at once where the process stood still.
 */
export async function settled(rounds = ROUNDS): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

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
