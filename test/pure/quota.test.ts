/** Quotas: a rate limit per key. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clock } from '../../actors/base/clock.ts';
import { createQuota } from '../../actors/limits/quota.ts';
import { processorMs } from '../kit/cost.ts';

function clockAt(): Clock & { at: number } {
  return {
    at: 1_000_000,
    now() {
      return this.at;
    },
    after: () => () => {},
  };
}

test('quota: so many are allowed, the next ones wait for the rest of the window, and other keys do not', () => {
  const clock = clockAt();
  const quota = createQuota({ max: 3, windowMs: 60_000 }, clock);
  const take = (key: string) => quota.take(key);
  assert.equal(['a', 'a', 'a'].map(take), [0, 0, 0]);
  clock.at += 10_000;
  assert.equal(['a', 'b', 'a'].map(take), [50_000, 0, 50_000]);
  clock.at += 49_999;
  assert.is(take('a'), 1);
  clock.at += 1;
  assert.equal(['a', 'a', 'a', 'a'].map(take), [0, 0, 0, 60_000]);
});

test('quota: 0 limits nothing', () => {
  const quota = createQuota({ max: 0, windowMs: 60_000 }, clockAt());
  for (let n = 0; n < 10_000; n += 1) assert.is(quota.take('a'), 0);
});

test('quota: keys are bounded: with one too many all start again', () => {
  const quota = createQuota({ max: 1, windowMs: 60_000 }, clockAt(), 3);
  for (const key of ['a', 'b', 'c']) assert.is(quota.take(key), 0);
  assert.is(quota.take('b'), 60_000);
  assert.is(quota.take('d'), 0);
  assert.is(quota.take('d'), 60_000);
  assert.is(quota.take('b'), 0, 'forgotten, for d needed room');
});

test('quota: more keys than are remembered cost no more than others', async () => {
  const quota = createQuota({ max: 600, windowMs: 60_000 }, clockAt());
  const tookMs = await processorMs(() => {
    for (let n = 0; n < 500_000; n += 1) quota.take(`device ${n}`);
  });
  assert.ok(tookMs < 10_000, 'each costs microseconds, not a walk over all');
});

test('quota: when the clock is set back nobody waits longer than a window', () => {
  const clock = clockAt();
  const quota = createQuota({ max: 1, windowMs: 60_000 }, clock);
  assert.is(quota.take('a'), 0);
  clock.at -= 3_600_000;
  assert.is(quota.take('a'), 0);
  assert.is(quota.take('a'), 60_000);
});

test.run();
