/** The pauses between attempts: each up to twice the one before, up to a longest. */

/** Between half of it and all of it: those that failed together do not come back together. */
export function withJitter(ms: number): number {
  return Math.ceil(ms * (0.5 + Math.random() / 2));
}
