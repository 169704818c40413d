/** The test runner must not call a run good that was not. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LONGEST, longestFirst } from '../kit/longest.ts';
import { asInSources } from '../kit/positions.ts';
import { judge, readSummary } from '../kit/summary.ts';

const summary = (total: number, passed: number, skipped = 0) =>
  ` SUITE • •   (${passed} / ${total})\n\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1.00ms\n\n`;

test('runner: a clean summary with exit code 0 is a pass', () => {
  assert.equal(judge(summary(3, 3, 1), 0), { passed: 3, failed: 0, skipped: 1 });
});

test('runner: colours do not hide the summary', () => {
  const coloured = summary(2, 2).replace('  Passed:    2', '\u001b[32m  Passed:    2\u001b[39m');
  assert.equal(readSummary(coloured), { passed: 2, failed: 0, skipped: 0 });
});

test('runner: a failed test is a failure whatever the exit code says', () => {
  assert.is(judge(summary(3, 1), 1).failed, 2);
  assert.is(judge(summary(3, 1), 0).failed, 2);
});

test('runner: a bad exit code is a failure whatever the summary says', () => {
  assert.is(judge(summary(3, 3), 1).failed, 1);
  assert.is(judge(summary(3, 3), null).failed, 1);
});

test('runner: no summary is a failure, also with exit code 0', () => {
  assert.is(judge('nothing to see', 0).failed, 1);
  assert.is(judge('', null).failed, 1);
});

test('runner: two summaries are a failure: one of them may be a lie', () => {
  assert.is(judge(summary(1, 1) + summary(1, 1), 0).failed, 1);
});

test('runner: a file without tests is a failure, one that only skips is not', () => {
  assert.is(judge(summary(0, 0), 0).failed, 1);
  assert.equal(judge(summary(0, 0, 2), 0), { passed: 0, failed: 0, skipped: 2 });
});

test('runner: the longest files start first, the others keep their order', () => {
  const long = LONGEST.map((file) => join(`${file}.test.js`));
  const [first = '', second = ''] = long;
  assert.equal(longestFirst(['pure/a.test.js', second, 'pure/b.test.js', first]), [
    first,
    second,
    'pure/a.test.js',
    'pure/b.test.js',
  ]);
});

test('runner: every file listed as long exists', () => {
  const sources = fileURLToPath(new URL('../../../test', import.meta.url));
  for (const file of LONGEST) assert.ok(existsSync(join(sources, `${file}.test.ts`)), file);
});

test('runner: what a failed file prints names lines of sources', () => {
  const { stack = '' } = new Error('of this very line');
  const [, file = '', line = ''] = /(\/[^\s()]+):(\d+):\d+/.exec(asInSources(stack)) ?? [];
  assert.match(file, /\/test\/pure\/runner\.test\.ts$/);
  assert.match(readFileSync(file, 'utf8').split('\n')[Number(line) - 1] ?? '', 'of this very line');
  const others = 'at /nowhere/other.js:1:2, at node:fs:573:18 and 12:30:01';
  assert.is(asInSources(others), others);
});

test.run();
