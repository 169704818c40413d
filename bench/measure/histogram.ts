/** Latencies: recorded in microseconds, shown in milliseconds, merged without loss. */
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';
import type { Latency } from '../contract.ts';

export type { Histogram };

/** Longer than any operation may take. */
const HIGHEST_US = 3_600_000_000;

/** @param digits significant decimal digits: 3 for results, 2 for the live view */
export function newHistogram(digits: 2 | 3 = 3): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: digits,
    autoResize: true,
  });
}

export function record(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.min(HIGHEST_US, Math.max(1, Math.round(ms * 1000))));
}

export const encode = (histogram: Histogram): string => encodeIntoCompressedBase64(histogram);

export const decode = (text: string): Histogram => decodeFromCompressedBase64(text);

/** One histogram with the values of all. */
export function merge(encoded: readonly string[], digits: 2 | 3 = 3): Histogram {
  const all = newHistogram(digits);
  for (const text of encoded) all.add(decode(text));
  return all;
}

export function percentileMs(histogram: Histogram, percentile: number): number {
  return histogram.totalCount === 0 ? 0 : histogram.getValueAtPercentile(percentile) / 1000;
}

export function describe(histogram: Histogram): Latency {
  return {
    count: histogram.totalCount,
    meanMs: histogram.totalCount === 0 ? 0 : histogram.mean / 1000,
    p50: percentileMs(histogram, 50),
    p90: percentileMs(histogram, 90),
    p99: percentileMs(histogram, 99),
    p999: percentileMs(histogram, 99.9),
    p9999: percentileMs(histogram, 99.99),
    max: percentileMs(histogram, 100),
    histogram: encode(histogram),
  };
}
