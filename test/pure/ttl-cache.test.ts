/** Values that are believed for a short time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createTtlCache } from '../../actors/base/ttl-cache.ts';
import { createSimClock } from '../kit/clock.ts';

const TTL_MS = 1_000;

/** A cache whose look-ups are counted and give the value of that moment. */
function world(max = 10) {
  const clock = createSimClock(0);
  const cache = createTtlCache<string, number>(clock, TTL_MS, max);
  const state = { value: 1, lookUps: 0 };
  const lookUp = async () => {
    state.lookUps += 1;
    return state.value;
  };
  return { clock, cache, state, get: (key: string) => cache.get(key, lookUp) };
}

test('ttl cache: a value is looked up once in its time, and given at once', async () => {
  const { clock, state, get } = world();
  assert.is(await get('a'), 1);
  state.value = 2;
  clock.advance(TTL_MS - 1);
  assert.is(get('a'), 1);
  assert.is(await get('b'), 2);
  clock.advance(1);
  assert.is(await get('a'), 2);
  assert.is(state.lookUps, 3);
});

test('ttl cache: calls at the same time share one look-up', async () => {
  const { state, get } = world();
  assert.equal(await Promise.all([get('a'), get('a'), get('a')]), [1, 1, 1]);
  assert.is(state.lookUps, 1);
});

test('ttl cache: after a clear nothing older is given, also not what was being looked up', async () => {
  const { cache, state, get } = world();
  await get('a');
  const early = get('b');
  state.value = 2;
  cache.clear();
  assert.is(await early, 1);
  assert.is(await get('a'), 2);
  assert.is(await get('b'), 2);
});

test('ttl cache: a look-up that fails is not remembered', async () => {
  const { cache } = world();
  let fails = true;
  const lookUp = async () => {
    if (fails) throw new Error('away');
    return 3;
  };
  try {
    await cache.get('a', lookUp);
    assert.unreachable();
  } catch (error) {
    assert.is(error instanceof Error && error.message, 'away');
  }
  fails = false;
  assert.is(await cache.get('a', lookUp), 3);
});

test('ttl cache: it holds a bounded number of values', async () => {
  const { state, get } = world(2);
  for (const key of ['a', 'b', 'c']) await get(key);
  assert.is(get('c'), 1);
  await get('a'); // was forgotten with the others when there were too many
  assert.is(state.lookUps, 4);
});

test.run();
