/** Jitter for back-off pauses, which double with each attempt up to a maximum. */

/** Between half and all of `ms`, so that those that failed together do not come back together. */
export function withJitter(ms: number): number {
  return Math.ceil(ms * (0.5 + Math.random() / 2));
}
