/**
 * Compares two sets of results as ratios of medians. A rate or CPU per operation that is worse by more than the threshold
 * is a regression. Latencies are shown, but judged only on request, because they vary far more.
 */
import type { Figure, Measurement, Result } from './contract.ts';
import { groupBy, median } from './numbers.ts';
import { columns, percent } from './report/format.ts';
import { figureKey, keyOf } from './report/table.ts';

export const JUDGED = ['rate', 'cpu', 'latency', 'figures'] as const;
export type Judged = (typeof JUDGED)[number];

export interface Compared {
  readonly what: string;
  readonly kind: Judged;
  readonly before: number;
  readonly after: number;
  readonly ratio: number;
  readonly better: Figure['better'];
  /** The range of one set's repetitions as a share of their median; the larger of the two sets. */
  readonly spread: number;
  readonly verdict: 'better' | 'same' | 'worse';
  /** Worse, and of a kind that is judged. */
  readonly fails: boolean;
}

interface Metric {
  readonly what: string;
  readonly kind: Judged;
  readonly better: Figure['better'];
  readonly value: number;
}

/** @param threshold e.g. 0.1: a tenth worse is a regression */
export function compare(
  before: readonly Result[],
  after: readonly Result[],
  threshold: number,
  judged: readonly Judged[] = ['rate', 'cpu'],
): Compared[] {
  const first = groupBy(before.flatMap(metrics), ({ what }) => what);
  const second = groupBy(after.flatMap(metrics), ({ what }) => what);
  return [...first].flatMap(([what, olds]) => {
    const news = second.get(what);
    const [old] = olds;
    if (news === undefined || old === undefined) return [];
    const values = (all: readonly Metric[]) => all.map(({ value }) => value);
    const from = median(values(olds));
    const to = median(values(news));
    if (!(from > 0) || !Number.isFinite(to)) return [];
    const ratio = to / from;
    const verdict = judge(ratio, old.better, threshold);
    return {
      what,
      kind: old.kind,
      before: from,
      after: to,
      ratio,
      better: old.better,
      spread: Math.max(spread(values(olds)), spread(values(news))),
      verdict,
      fails: verdict === 'worse' && judged.includes(old.kind),
    };
  });
}

/** The threshold holds both ways: 10 % are the ratios 1.1 and 1/1.1. */
function judge(ratio: number, better: Figure['better'], threshold: number): Compared['verdict'] {
  const gain = better === 'higher' ? ratio : 1 / ratio;
  if (gain > 1 + threshold) return 'better';
  return gain < 1 / (1 + threshold) ? 'worse' : 'same';
}

function spread(values: readonly number[]): number {
  return values.length < 2 ? 0 : (Math.max(...values) - Math.min(...values)) / median(values);
}

/** Without those of peers. */
function metrics({ scenario, measurements, figures }: Result): Metric[] {
  const ours = measurements.filter(({ role }) => role === 'ours');
  return [
    ...ours.flatMap((measurement) => ofMeasurement(scenario, measurement)),
    ...figures
      .filter(({ peer }) => peer === undefined)
      .map((figure) => ({
        what: `${scenario}: ${figureKey(figure)} (${figure.unit})`,
        kind: 'figures' as const,
        better: figure.better,
        value: figure.value,
      })),
  ];
}

function ofMeasurement(scenario: string, measurement: Measurement): Metric[] {
  const { perSecond, latency, server, variant, pace } = measurement;
  const name = variant === '' ? scenario : `${scenario}, ${keyOf({ subject: variant, variant: '' })}`;
  const metric = (what: string, kind: Judged, better: Figure['better'], value: number): Metric => ({
    what: `${name}: ${what}`,
    kind,
    better,
    value,
  });
  return [
    // In an open loop the rate is the one asked for, unless the server cannot keep up.
    metric(pace.type === 'open' ? 'carried out (/s)' : 'rate (/s)', 'rate', 'higher', perSecond),
    metric('p50 (ms)', 'latency', 'lower', latency.p50),
    metric('p99 (ms)', 'latency', 'lower', latency.p99),
    ...(server === undefined ? [] : [metric('CPU each (µs)', 'cpu', 'lower', server.cpuUsPerOperation)]),
  ];
}

export function comparisonText(all: readonly Compared[]): string {
  const number = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 4 });
  const rows = all.map(({ what, before, after, ratio, spread: far, verdict, fails }) => [
    what,
    number(before),
    number(after),
    `${ratio.toFixed(2)} ×`,
    far === 0 ? '–' : `±${percent(far / 2)}`,
    fails ? 'WORSE' : verdict,
  ]);
  return `${columns([['', 'before', 'after', 'ratio', 'spread', ''], ...rows]).join('\n')}\n`;
}
