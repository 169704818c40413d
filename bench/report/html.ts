/**
 * Results as one self-contained HTML page: a summary, then of each scenario its table, and plots of rate and latency over
 * time, of percentiles and memory.
 */
import type { Measurement, ModuleShare, Result } from '../contract.ts';
import { decode, type Histogram } from '../measure/histogram.ts';
import { groupBy } from '../numbers.ts';
import { escapeHtml } from './escape.ts';
import { ms, percent } from './format.ts';
import { summary } from './summary.ts';
import { type Line, plot, short } from './svg.ts';
import { keyOf, table } from './table.ts';

/** Points of a percentile curve each time the distance to 100 % halves. */
const POINTS_PER_HALF = 5;

const STYLE = `
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem } h2 { border-top: 1px solid var(--line); padding-top: 1rem; margin-top: 2.5rem }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: 6px; font-size: 13px }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem }
figure { margin: 0 } svg { width: 100%; height: auto } svg text { font-size: 11px; fill: currentColor }
svg .title { font-size: 13px; font-weight: 600 } .grid { stroke: var(--line) } figcaption { font-size: 13px }
.unit { opacity: .7 } .wrong { color: #be123c; font-weight: 600 } dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem }
dt { opacity: .7 } dd { margin: 0 } table { border-collapse: collapse } td, th { padding: .1rem .8rem .1rem 0; text-align: left; vertical-align: top }
.wide { overflow-x: auto; margin: 1rem 0 } .wide td, .wide th { border-bottom: 1px solid var(--line) }
`;

export function page(title: string, results: readonly Result[]): string {
  const sections = [...groupBy(results, ({ scenario, label }) => `${scenario} · ${label}`)].map(
    ([name, some]) => section(name, some),
  );
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>` +
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>` +
    `<h1>${escapeHtml(title)}</h1>${summary(results)}${sections.join('')}</body></html>\n`
  );
}

function section(name: string, results: readonly Result[]): string {
  const [first] = results;
  if (first === undefined) return '';
  const wrong = results.some(({ failures }) => failures.length > 0);
  return (
    `<h2>${escapeHtml(name)}${wrong ? ' <span class="wrong">wrong answers</span>' : ''}</h2>` +
    facts(first) +
    `<pre>${escapeHtml(table(results))}</pre>` +
    `<div class="plots">${plots(first.measurements).join('')}</div>` +
    modules('CPU by module', first.cpuProfile) +
    modules('Memory by module', first.heapProfile)
  );
}

function facts({ target, commit, machine, startedAt, profile, options }: Result): string {
  const commandLine = Object.entries(options).map(([option, value]) => `${option} ${value}`);
  const all = [
    ['target', target],
    ['commit', commit],
    ['begun', startedAt],
    ['machine', `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}`],
    ['Node', machine.node],
    ['load before', String(machine.loadBefore)],
    ['profile', profile],
    ['options', commandLine.join(', ')],
  ];
  return `<dl>${all.map(([name = '', value = '']) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`;
}

function plots(measurements: readonly Measurement[]): string[] {
  const over = (of: (tick: Measurement['timeline'][number]) => number | undefined): Line[] =>
    measurements
      .map((measurement) => ({
        name: keyOf(measurement),
        points: measurement.timeline.flatMap((tick): [number, number][] => {
          const value = of(tick);
          return value === undefined || tick.at < 0 ? [] : [[tick.at, value]];
        }),
      }))
      .filter(({ points }) => points.length > 1);
  const seconds = { label: 'seconds' };
  const latency = { label: 'ms', scale: 'log', show: (value: number) => ms(value) } as const;
  return [
    plot({
      title: 'Operations per second',
      x: seconds,
      y: { label: 'per second' },
      lines: over(({ perSecond }) => perSecond),
    }),
    plot({
      title: 'p99 latency over time',
      x: seconds,
      y: latency,
      lines: over(({ p99, perSecond }) => (perSecond > 0 ? p99 : undefined)),
    }),
    plot({
      title: 'Latency by percentile',
      x: { label: 'percentile', scale: 'percentiles', show: (value) => String(value) },
      y: latency,
      lines: measurements.map((measurement) => ({
        name: keyOf(measurement),
        points: percentileCurve(decode(measurement.latency.histogram)),
      })),
    }),
    plot({
      title: 'Private memory',
      x: seconds,
      y: { label: 'MB' },
      lines: over(({ privateMb }) => privateMb),
    }),
    plot({
      title: 'CPU of the server',
      x: seconds,
      y: { label: 'cores', show: short },
      lines: over(({ cores }) => cores),
    }),
  ].filter(Boolean);
}

/** Points closer and closer to 100 %, as far as the number of values supports. */
export function percentileCurve(histogram: Histogram): [number, number][] {
  const { totalCount } = histogram;
  if (totalCount === 0) return [];
  const points: [number, number][] = [];
  for (let left = 100; left * totalCount >= 100; left *= 0.5 ** (1 / POINTS_PER_HALF)) {
    points.push([100 - left, histogram.getValueAtPercentile(100 - left) / 1000]);
  }
  return points;
}

function modules(title: string, shares: readonly ModuleShare[] | undefined): string {
  if (shares === undefined) return '';
  const rows = shares.map(
    ({ module, share }) => `<tr><td>${escapeHtml(module)}</td><td>${escapeHtml(percent(share))}</td></tr>`,
  );
  return `<h3>${escapeHtml(title)}</h3><table>${rows.join('')}</table>`;
}
