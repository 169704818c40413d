/** Quotas: a rate limit per key. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createQuota } from '../../actors/limits/quota.ts';
import { processorMs } from '../kit/cost.ts';

const LIMIT = { max: 3, windowMs: 60_000 };

/** A quota under a clock that stands until the test moves it. */
function quotaAt(max: number, keysMax?: number) {
  const clock = { at: 1_000 };
  return { clock, quota: createQuota({ ...LIMIT, max }, keysMax, () => clock.at) };
}

test('quota: so many are allowed, the next ones wait for the rest of the window, and other keys do not', () => {
  const { clock, quota } = quotaAt(3);
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
  const quota = createQuota({ ...LIMIT, max: 0 });
  for (let n = 0; n < 10_000; n += 1) assert.is(quota.take('a'), 0);
});

test('quota: keys are bounded: with one too many all start again', () => {
  const { quota } = quotaAt(1, 3);
  for (const key of ['a', 'b', 'c']) assert.is(quota.take(key), 0);
  assert.is(quota.take('b'), 60_000);
  assert.is(quota.take('d'), 0);
  assert.is(quota.take('d'), 60_000);
  assert.is(quota.take('b'), 0, 'forgotten, for d needed room');
});

test('quota: more keys than are remembered cost no more than others', async () => {
  const { quota } = quotaAt(600);
  const tookMs = await processorMs(() => {
    for (let n = 0; n < 500_000; n += 1) quota.take(`device ${n}`);
  });
  assert.ok(tookMs < 10_000, 'each costs microseconds, not a walk over all');
});

test('quota: a step of the wall clock, in either direction, lets nobody through and keeps nobody waiting longer', () => {
  const wallClock = Date.now;
  const quota = createQuota({ ...LIMIT, max: 1 });
  try {
    assert.is(quota.take('a'), 0);
    for (const days of [-400, -1, 1, 400]) {
      Date.now = () => wallClock() + days * 86_400_000;
      const waitMs = quota.take('a');
      assert.ok(waitMs > 0 && waitMs <= 60_000, `${days} days: ${waitMs} ms`);
    }
  } finally {
    Date.now = wallClock;
  }
});

test.run();
