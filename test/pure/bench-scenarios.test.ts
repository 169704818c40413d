/** What scenarios conclude from their observations. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Tick } from '../../bench/contract.ts';
import { SCENARIOS } from '../../bench/scenarios/all.ts';
import { oneWinnerEach } from '../../bench/scenarios/contend.ts';
import { levels } from '../../bench/scenarios/own-server.ts';
import { backAt } from '../../bench/scenarios/recovery.ts';
import { sample } from '../../bench/scenarios/verify.ts';

test('bench: exactly one rival may win each device', () => {
  assert.equal(oneWinnerEach(3, [0, 1, 2], 0), []);
  assert.match(oneWinnerEach(3, [0, 1, 2, 2], 0).join(), 'second customer');
  assert.match(oneWinnerEach(3, [0, 1], 0).join(), 'claimed by nobody');
});

test('bench: a lost answer may have been the one SUCCESS, a second SUCCESS is never excused', () => {
  assert.equal(oneWinnerEach(3, [0, 1], 1), []);
  assert.match(oneWinnerEach(3, [0, 0, 1], 5).join(), 'second customer');
});

const tick = (at: number, perSecond: number): Tick => ({
  at,
  perSecond,
  refusedPerSecond: 0,
  p50: 0,
  p99: 0,
  max: 0,
});
const rates = (...all: number[]) => all.map((perSecond, at) => tick((at + 1) / 10, perSecond));

test('bench: it has recovered when the rate is back and stays, not at its first burst', () => {
  const up = [100, 100, 100];
  const timeline = rates(...up, 0, 0, 0, 20, 20, 100, 100, 100, 100, 100, 100);
  assert.is(backAt(timeline, 0.35), 0.9);
});

test('bench: a server that never comes back has not recovered, nor one that was never down', () => {
  assert.is(backAt(rates(100, 100, 0, 0, 0, 0, 0, 0, 0, 0), 0.25), undefined);
  assert.is(backAt(rates(100, 100, 100, 100, 100, 100, 100, 100), 0.25), undefined);
});

test('bench: levels grow tenfold and end where they should', () => {
  assert.equal(levels(1_000, 1_000_000), [1_000, 10_000, 100_000, 1_000_000]);
  assert.equal(levels(1_000, 20_000), [1_000, 10_000, 20_000]);
  assert.equal(levels(400, 400), [400]);
});

test('bench: a sample is spread over all, without duplicates', () => {
  assert.equal(sample(3, 50), [0, 1, 2]);
  const some = sample(1_000, 50);
  assert.is(new Set(some).size, 50);
  assert.ok(some.every((n) => n >= 0 && n < 1_000) && some.some((n) => n > 900));
});

test('bench: names of scenarios are distinct', () => {
  assert.is(new Set(SCENARIOS.map(({ name }) => name)).size, SCENARIOS.length);
});

test.run();
