/** The bench's tables, comparisons, plots and page. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shareOf } from '../../bench/commands.ts';
import { compare, comparisonText } from '../../bench/compare.ts';
import type { Measurement, Result } from '../../bench/contract.ts';
import { describe, newHistogram, record } from '../../bench/measure/histogram.ts';
import { escapeHtml } from '../../bench/report/escape.ts';
import { columns } from '../../bench/report/format.ts';
import { page, percentileCurve } from '../../bench/report/html.ts';
import { tickLine } from '../../bench/report/live.ts';
import { EMPTY, withFigures } from '../../bench/report/markdown.ts';
import { niceStep, plot } from '../../bench/report/svg.ts';
import { table } from '../../bench/report/table.ts';
import fc from '../kit/property.ts';

function histogram(ms = 5) {
  const all = newHistogram();
  for (let at = 1; at <= 100; at += 1) record(all, ms * at);
  return all;
}

function measurement(changes: Partial<Measurement> = {}): Measurement {
  const look = { refusedPerSecond: 0, p50: 1, p99: 2, max: 3, cores: 1, rssMb: 100, privateMb: 90 };
  return {
    subject: 'claimd',
    role: 'ours',
    variant: '',
    pace: { type: 'closed' },
    seconds: 2,
    operations: 2_000,
    perSecond: 1_000,
    latency: describe(histogram()),
    steps: [],
    refused: {},
    wrong: {},
    timeline: [
      { at: 0.5, perSecond: 900, ...look },
      { at: 1, perSecond: 1_100, ...look },
    ],
    server: { cpuUsPerOperation: 100, cores: 1, rssMb: 100, privateMb: 90, beside: {} },
    generator: { workers: 1, busiestCpu: 0.5, cores: 0.5, lateP99Ms: 1 },
    ...changes,
  };
}

function result(changes: Partial<Result> = {}): Result {
  return {
    format: 1,
    scenario: 'confirm',
    label: 'last',
    repetition: 1,
    startedAt: '2026-11-23T00:00:00Z',
    profile: 'smoke',
    options: { connections: 5 },
    target: 'claimd on lmdb',
    store: 'lmdb',
    commit: 'abc1234',
    machine: { cpu: 'x', cores: 2, memoryGb: 4, os: 'linux', node: 'v20', loadBefore: 0 },
    measurements: [measurement()],
    figures: [],
    warnings: [],
    failures: [],
    ...changes,
  };
}

const at = (...rates: number[]) =>
  rates.map((perSecond) => result({ measurements: [measurement({ perSecond })] }));
const rateOf = (before: Result[], after: Result[], threshold = 0.1) => {
  const rate = compare(before, after, threshold).find(({ kind }) => kind === 'rate');
  assert.ok(rate);
  return rate;
};

test('bench: medians are compared, and a regression is worse by more than the threshold', () => {
  assert.is(rateOf(at(900, 1_000, 5_000), at(1_000)).ratio, 1);
  assert.is(rateOf(at(1_000), at(920)).verdict, 'same');
  assert.is(rateOf(at(1_000), at(900)).fails, true);
  assert.is(rateOf(at(1_000), at(1_120)).verdict, 'better');
  assert.is(rateOf(at(1_000), at(900), 0.2).fails, false);
});

test('bench: for costs lower is better', () => {
  const costs = (cpuUsPerOperation: number) => {
    const { server } = measurement();
    assert.ok(server);
    return [result({ measurements: [measurement({ server: { ...server, cpuUsPerOperation } })] })];
  };
  const cpu = (before: number, after: number) =>
    compare(costs(before), costs(after), 0.1).find(({ kind }) => kind === 'cpu')?.verdict;
  assert.is(cpu(100, 120), 'worse');
  assert.is(cpu(100, 80), 'better');
});

test('bench: latencies and figures are judged only on request', () => {
  const slow = [result({ measurements: [measurement({ latency: describe(histogram(50)) })] })];
  const fails = (judged?: readonly ('rate' | 'latency')[]) =>
    compare([result()], slow, 0.1, judged).filter((one) => one.fails).length;
  assert.is(fails(), 0);
  assert.is(fails(['latency']), 2);
});

test('bench: a comparison the other way round gives the opposite', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (a, b) => {
      const opposite = { better: 'worse', worse: 'better', same: 'same' } as const;
      const one = rateOf(at(a), at(b)).verdict;
      const other = rateOf(at(b), at(a)).verdict;
      // Exactly at the threshold, rounding may decide either way.
      if (Math.abs(Math.max(a / b, b / a) - 1.1) > 1e-9) assert.is(other, opposite[one]);
    }),
  );
});

test('bench: peers are not compared, nor what only one side has', () => {
  const peer = measurement({ subject: 'hono', role: 'peer' });
  assert.equal(compare([result({ measurements: [peer] })], [result({ measurements: [peer] })], 0.1), []);
  assert.equal(compare([result()], [result({ scenario: 'contend' })], 0.1), []);
  assert.match(comparisonText(compare(at(1_000), at(500), 0.1)), 'WORSE');
});

test('bench: a threshold is a share', () => {
  assert.is(shareOf('10%'), 0.1);
  assert.is(shareOf('0.25'), 0.25);
  for (const text of ['', '0', '-5%', 'x']) assert.throws(() => shareOf(text), text);
});

test('bench: names cannot add markup to the page, and it loads nothing', () => {
  const evil = `<script>alert('1')</script>"&`;
  const html = page(evil, [
    result({
      label: evil,
      target: evil,
      measurements: [measurement({ variant: evil })],
      figures: [{ name: evil, value: 1, unit: evil, better: 'lower' }],
      warnings: [evil],
      failures: [evil],
      cpuProfile: [{ module: evil, share: 1 }],
    }),
  ]);
  assert.not.match(html, '<script');
  assert.not.match(html, /src=|href=|url\(|@import|https?:/);
  assert.is(escapeHtml(evil), '&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;');
});

test('bench: the page begins with ours beside the peers of the same repetition, and the disk of that run', () => {
  const run = (ours: number, theirs: number, diskFlushMs: number) =>
    result({
      machine: { ...result().machine, diskFlushMs },
      measurements: [
        measurement({ perSecond: ours, durability: 'on disk' }),
        measurement({ subject: 'hono', role: 'peer', perSecond: theirs }),
      ],
      failures: ['an owner is lost'],
    });
  const { p50 } = measurement().latency;
  // The second machine is ten times slower in all: ratios stay.
  const html = page('a', [run(400, 1_000, p50 / 2), run(40, 100, p50 / 2), run(40, 100, p50 / 2)]);
  const [before = ''] = html.split('What this machine can do');
  for (const text of ['0.40 × the rate of hono, 1.00 × the CPU', '<td>2.0</td>', '<td>on disk</td>']) {
    assert.match(before, text);
  }
  assert.match(before, 'confirm: an owner is lost');
  assert.match(html, '<td>hono, in confirm</td><td>100/s</td>');
});

test('bench: the page has a plot of each kind', () => {
  const html = page('a', [result()]);
  for (const title of [
    'Operations per second',
    'p99 latency over time',
    'Latency by percentile',
    'Private memory',
  ]) {
    assert.match(html, `<text class="title" x="64" y="16">${title}</text>`);
  }
});

test('bench: plots stay in their area, and without points there is none', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.double({ min: 0, max: 1e9, noNaN: true })),
        {
          minLength: 1,
        },
      ),
      fc.constantFrom({}, { scale: 'log' as const }),
      (points, scale) => {
        const svg = plot({
          title: 't',
          x: { label: 'x' },
          y: { label: 'y', ...scale },
          lines: [{ name: 'n', points }],
        });
        const drawn = /points="([^"]*)"/.exec(svg)?.[1]?.split(' ') ?? [];
        assert.is(drawn.length, points.length);
        for (const point of drawn) {
          const [x = Number.NaN, y = Number.NaN] = point.split(',').map(Number);
          assert.ok(x >= 0 && x <= 640 && y >= 0 && y <= 260, point);
        }
      },
    ),
  );
  assert.is(plot({ title: 't', x: { label: 'x' }, y: { label: 'y' }, lines: [] }), '');
});

test('bench: axes have round steps', () => {
  assert.equal([0.7, 1, 3, 12, 70_000].map(niceStep), [1, 1, 5, 20, 100_000]);
});

test('bench: a percentile curve rises from the smallest to nearly the largest', () => {
  const curve = percentileCurve(histogram());
  assert.is(curve[0]?.[0], 0);
  for (const [place, [percentile, value]] of curve.entries()) {
    assert.ok(percentile >= (curve[place - 1]?.[0] ?? 0) && value >= (curve[place - 1]?.[1] ?? 0));
  }
  assert.ok((curve.at(-1)?.[0] ?? 0) >= 98);
});

test('bench: the table has medians, spread, ratios to peers, and wrong answers', () => {
  const hono = measurement({ subject: 'hono', role: 'peer', perSecond: 4_000 });
  const text = table([
    result({ measurements: [measurement({ perSecond: 1_000 }), hono] }),
    result({ measurements: [measurement({ perSecond: 3_000 }), hono], failures: ['2 × 400 FAILURE'] }),
  ]);
  assert.match(text, '2,000/s ±50 %');
  assert.match(text, 'ours / hono: 0.50 (0.25, 0.75)');
  assert.match(text, 'WRONG: 2 × 400 FAILURE');
});

test('bench: the live line shows progress, rate and latency', () => {
  const tick = { at: 500, ms: 500, right: 600, refused: 2, latency: histogram(), progress: 0.5 };
  const line = tickLine('claiming', tick, { cores: 1.5, rssMb: 100, privateMb: 90 });
  assert.match(line, 'claiming ████████░░░░░░░░ 50 %');
  assert.match(line, '1,200/s');
  assert.match(line, '2 refused');
  assert.match(tickLine('claiming', { ...tick, at: -500, progress: 2 }), '100 %');
});

test('bench: columns line up', () => {
  assert.equal(
    columns([
      ['a', '1'],
      ['bbb', '22'],
    ]),
    ['a     1', 'bbb  22'],
  );
});

test('bench: figures go between the marks of a Markdown file, and nothing else changes', () => {
  const text = `before\n${EMPTY}after\n`;
  const once = withFigures(text, [
    result({ figures: [{ name: 'a|b', value: 2, unit: 'ms', better: 'lower' }] }),
  ]);
  assert.ok(once.startsWith('before\n') && once.endsWith('\nafter\n'));
  assert.ok(once.includes('1,000/s') && once.includes('a\\|b'));
  assert.is(withFigures(once, [result()]), withFigures(text, [result()]));
  assert.throws(() => withFigures('no place', [result()]), 'no place for figures');
});

test.run();
