/** Searches the highest rate at which a percentile of the latency stays under a bound. */

export interface Bound {
  /** E.g. 99. */
  readonly percentile: number;
  readonly ms: number;
}

export interface Trial {
  readonly rate: number;
  readonly good: boolean;
}

/** The search ends when the lowest bad rate is at most this factor above the highest good one. */
const PRECISION = 1.05;
const GROWTH = 1.5;
/** The search ends after this many trials. */
const TRIALS_MAX = 14;

/**
 * Grows the rate until it is too high (or shrinks it until it is not), then halves the gap.
 *
 * @param start where to look first
 * @param isGood runs a trial
 * @returns the highest good rate; undefined when none was good
 */
export async function findMax(
  start: number,
  isGood: (rate: number) => Promise<boolean>,
): Promise<{ readonly best: number | undefined; readonly trials: readonly Trial[] }> {
  const trials: Trial[] = [];
  let good: number | undefined;
  let bad: number | undefined;
  while (trials.length < TRIALS_MAX) {
    if (good !== undefined && bad !== undefined && bad / good <= PRECISION) break;
    const rate = Math.round(nextRate(start, good, bad));
    if (rate < 1 || rate === good || rate === bad) break;
    const verdict = await isGood(rate);
    trials.push({ rate, good: verdict });
    if (verdict) good = rate;
    else bad = rate;
  }
  return { best: good, trials };
}

function nextRate(start: number, good: number | undefined, bad: number | undefined): number {
  if (good !== undefined && bad !== undefined) return (good + bad) / 2;
  if (good !== undefined) return good * GROWTH;
  if (bad !== undefined) return bad / GROWTH;
  return start;
}

/** Reads `p99=50ms`; undefined when it is something else. */
export function parseBound(text: string): Bound | undefined {
  const match = /^p(\d{1,2}(?:\.\d+)?)=(\d+(?:\.\d+)?)(ms|s)?$/.exec(text);
  if (match === null) return undefined;
  const [, percentile, amount, unit] = match;
  return { percentile: Number(percentile), ms: Number(amount) * (unit === 's' ? 1000 : 1) };
}
