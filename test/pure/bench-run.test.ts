/** The bench's command line, search, and sums. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findMax, parseBound } from '../../bench/find-max.ts';
import { median, quantile } from '../../bench/numbers.ts';
import { parseRun } from '../../bench/options.ts';
import { cpuByModule, heapByModule, moduleOf } from '../../bench/profile.ts';
import { Misuse } from '../../bench/results.ts';
import fc from '../kit/property.ts';

test('bench: the search ends within 5 % of the highest good rate, wherever it begins', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 50, max: 100_000 }),
      fc.double({ min: 0.3, max: 3, noNaN: true }),
      async (limit, from) => {
        const tried: number[] = [];
        const { best } = await findMax(limit * from, async (rate) => {
          tried.push(rate);
          return rate <= limit;
        });
        assert.ok(
          best !== undefined && best <= limit && best >= limit / 1.07 - 1,
          `${best} of ${limit}: ${tried}`,
        );
        assert.ok(tried.length <= 14);
      },
    ),
    { numRuns: 100 },
  );
});

test('bench: the search ends if no rate is good', async () => {
  const { best, trials } = await findMax(1_000, async () => false);
  assert.is(best, undefined);
  assert.ok(trials.length <= 14 && trials.every(({ good }) => !good));
});

test('bench: a bound is a percentile and a time', () => {
  assert.equal(parseBound('p99=50ms'), { percentile: 99, ms: 50 });
  assert.equal(parseBound('p99.9=2s'), { percentile: 99.9, ms: 2_000 });
  for (const text of ['p99', 'p100=5ms', '99=50ms', 'p99=50h', ''])
    assert.is(parseBound(text), undefined, text);
});

test('bench: the profile sets what the command line does not', () => {
  const { settings } = parseRun(['--profile', 'smoke', '--connections', '7'], {});
  assert.is(settings.connections, 7);
  assert.is(settings.profile, 'smoke');
  assert.ok(settings.durationMs < 5_000);
  assert.is(parseRun(['--duration', '90s'], {}).settings.durationMs, 90_000);
  assert.is(parseRun(['--devices', '1_000_000'], {}).settings.devices, 1_000_000);
});

test("bench: somebody else's server is set up gently, and watched and ended only where one says how", () => {
  const theirs = parseRun(
    [
      '--target',
      'tb:8080',
      '--password',
      'p',
      '--watch',
      '12,34',
      '--kill-command',
      'k',
      '--start-command',
      's',
    ],
    {},
  ).settings;
  assert.equal([theirs.setUpConnections, theirs.deletesAtOnce], [16, 8]);
  assert.equal(theirs.target?.watch, [12, 34]);
  assert.equal(theirs.target?.commands, { kill: 'k', start: 's' });
  const ours = parseRun([], {}).settings;
  assert.ok(ours.setUpConnections > theirs.setUpConnections);
  assert.is(parseRun(['--target', 'tb', '--password', 'p'], {}).settings.target?.commands, undefined);
  assert.equal(
    parseRun(['--find-max', 'p99=50ms', '--at', '10%,50%,90%'], {}).settings.shares,
    [0.1, 0.5, 0.9],
  );
});

test('bench: a wrong option is an error, not a guess', () => {
  const wrong = [
    ['--rate', 'fast'],
    ['--at', '50%'],
    ['--find-max', 'p99=50ms', '--at', '100%'],
    ['--find-max', 'p99=50ms', '--at', 'half'],
    ['--watch', '12'],
    ['--target', 'tb', '--password', 'p', '--kill-command', 'k'],
    ['--target', 'tb', '--password', 'p', '--watch', 'java'],
    ['--rivals', '0'],
    ['--rate', '0'],
    ['--rate', '5', '--find-max', 'p99=50ms'],
    ['--find-max', 'soon'],
    ['--profile', 'tiny'],
    ['--store', 'disk'],
    ['--nodes', '2'],
    ['--peer', 'emqx'],
    ['--duration', 'long'],
    ['--server', 'WORKERS'],
    ['--target', 'http://a/b/c'],
    ['--target', 'tb.example.org'],
    ['--cpu-prof', '--heap-prof'],
    ['--colour'],
    ['confirm', 'again'],
  ];
  for (const args of wrong)
    assert.throws(
      () => parseRun(args, {}),
      (error: unknown) => error instanceof Misuse,
      args.join(' '),
    );
});

test('bench: a password is taken from the environment and never recorded', () => {
  const { settings, commandLine } = parseRun(['--target', 'tb.example.org:9090'], {
    CLAIMD_BENCH_PASSWORD: 'hush',
  });
  assert.is(settings.target?.password, 'hush');
  assert.is(settings.target?.httpPort, 9_090);
  assert.not.match(JSON.stringify(commandLine), 'hush');
});

test('bench: the median is the one in the middle, or the mean of two', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 2, 3]), 2.5);
});

test('bench: a quantile is a value that was measured, but for the median; of nothing there is none', () => {
  const values = [9, 1, 8, 2, 7, 3, 6, 4, 5];
  assert.equal([quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75)], [3, 5, 7]);
  assert.equal([quantile([5], 0.25), quantile([5], 0.75)], [5, 5]);
  assert.ok(Number.isNaN(quantile([], 0.25)) && Number.isNaN(quantile([], 0.5)));
});

test('bench: a profile is summed up by package and folder', () => {
  const frame = (url: string, functionName = 'f') => ({ url, functionName });
  assert.is(moduleOf(frame('file:///x/claimd/dist/actors/store/lmdb.js')), 'actors/store');
  assert.is(moduleOf(frame('file:///x/claimd/dist-y/http/app.js')), 'http');
  assert.is(moduleOf(frame('file:///x/node_modules/@hono/node-server/dist/index.mjs')), '@hono/node-server');
  assert.is(moduleOf(frame('file:///x/node_modules/lmdb/write.js')), 'lmdb');
  assert.is(moduleOf(frame('node:internal/streams/writable')), 'node:internal/streams');
  assert.is(moduleOf(frame('', '(garbage collector)')), '(garbage collector)');
  assert.is(moduleOf(frame('', 'writev')), 'native writev');
});

test('bench: shares are of the busy time, the largest first', () => {
  const node = (id: number, url: string, functionName = 'f') => ({ id, callFrame: { url, functionName } });
  const nodes = [
    node(1, '', '(idle)'),
    node(2, 'file:///x/dist/http/a.js'),
    node(3, 'file:///x/dist/actors/b.js'),
  ];
  assert.equal(cpuByModule({ nodes, samples: [1, 2, 3, 3], timeDeltas: [1_000, 10, 20, 10] }), [
    { module: 'actors', share: 0.75 },
    { module: 'http', share: 0.25 },
  ]);
  const leaf = {
    callFrame: { url: 'file:///x/dist/http/a.js', functionName: 'g' },
    selfSize: 30,
    children: [],
  };
  const head = { callFrame: { url: '', functionName: '(root)' }, selfSize: 10, children: [leaf] };
  assert.equal(heapByModule({ head }), [
    { module: 'http', share: 0.75 },
    { module: '(root)', share: 0.25 },
  ]);
});

test.run();
