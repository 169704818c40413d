/**
 * Time limits that hold on a slow and busy machine: a second counts for less while more processes want to run than
 * there are cores. A limit ends what hangs; it never judges how fast something is.
 */
import { availableParallelism, loadavg } from 'node:os';

/** How long a test waits for anything before it calls it hung, in ms of a quiet machine. */
export const PATIENCE_MS = 60_000;
const TICK_MS = 500;
/** What counts at most between two looks: in a longer time this process may have stood still, and nothing could come to it. */
const BETWEEN_MS = 2 * TICK_MS;

/** How many processes want each core; 1 while cores are to spare, or where the system does not say. */
export function crowding(): number {
  return Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
}

/** Returns a function that says whether `ms` of a quiet machine's time have passed since. It is to be asked now and then. */
export function patience(ms = PATIENCE_MS): () => boolean {
  let left = ms;
  let lookedAt = performance.now();
  return () => {
    const now = performance.now();
    left -= Math.min(now - lookedAt, BETWEEN_MS) / crowding();
    lookedAt = now;
    return left <= 0;
  };
}

/** Runs `task` once after `ms` of a quiet machine's time. Returns what calls it off. */
export function afterPatience(ms: number, task: () => void): () => void {
  const over = patience(ms);
  const timer = setInterval(
    () => {
      if (!over()) return;
      clearInterval(timer);
      task();
    },
    Math.min(ms, TICK_MS),
  );
  return () => clearInterval(timer);
}

/** What the promise comes to; rejects, naming `what`, when that takes longer than `ms` of a quiet machine's time. */
export function within<Value>(what: string, promise: Promise<Value>, ms = PATIENCE_MS): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = afterPatience(ms, () => reject(new Error(`not within ${ms} ms: ${what}`)));
    promise.then(resolve, reject).finally(cancel);
  });
}
