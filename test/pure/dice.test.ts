/** Laws of the seeded dice: the same seed the same draws, everything in its range, streams that do not disturb each other. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseId } from '../../actors/base/ids.ts';
import { createDice } from '../kit/dice.ts';

const draw = (seed: number | string) => {
  const dice = createDice(seed);
  return Array.from({ length: 20 }, () => dice.fraction());
};

test('dice: the same seed gives the same draws, another seed others', () => {
  assert.equal(draw(7), draw(7));
  assert.not.equal(draw(7), draw(8));
  assert.equal(createDice(1).fraction(), createDice('1').fraction());
});

test('dice: draws are the same on every machine and in every version', () => {
  const dice = createDice(42);
  assert.equal(
    Array.from({ length: 5 }, () => dice.between(0, 999)),
    [569, 19, 337, 738, 528],
  );
});

test('dice: a fork depends on seed and label only, not on what was drawn before', () => {
  const fresh = createDice(7).fork('faults').fraction();
  const used = createDice(7);
  used.uuid();
  assert.is(used.fork('faults').fraction(), fresh);
  assert.is.not(createDice(7).fork('workload').fraction(), fresh);
});

test('dice: between reaches both ends and nothing beyond, evenly', () => {
  const dice = createDice(1);
  const counts = new Map<number, number>();
  for (let i = 0; i < 6000; i++) {
    const value = dice.between(-1, 4);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  assert.equal([...counts.keys()].sort(), [-1, 0, 1, 2, 3, 4]);
  for (const count of counts.values()) assert.ok(count > 850 && count < 1150, `${count} of 1000`);
});

test('dice: chance, pick and weigh keep to their odds', () => {
  const dice = createDice(2);
  const times = (happens: () => boolean) => Array.from({ length: 10_000 }, happens).filter(Boolean).length;
  assert.is(
    times(() => dice.chance(0)),
    0,
  );
  assert.is(
    times(() => dice.chance(1)),
    10_000,
  );
  const near = (count: number, expected: number) =>
    assert.ok(Math.abs(count - expected) < 200, `${count}, expected about ${expected}`);
  near(
    times(() => dice.chance(0.25)),
    2500,
  );
  near(
    times(() => dice.pick(['a', 'b', 'c', 'd']) === 'c'),
    2500,
  );
  near(
    times(
      () =>
        dice.weigh([
          [3, 'often'],
          [1, 'seldom'],
          [0, 'never'],
        ]) === 'seldom',
    ),
    2500,
  );
});

test('dice: nothing to choose from is an error, not undefined', () => {
  assert.throws(() => createDice(1).pick([]), /nothing to pick/);
  assert.throws(() => createDice(1).weigh([[0, 'never']]), /sum to nothing/);
});

test('dice: ids are UUIDs, and distinct', () => {
  const dice = createDice(3);
  const ids = Array.from({ length: 1000 }, () => dice.uuid());
  assert.is(new Set(ids).size, 1000);
  for (const id of ids) {
    assert.is(parseId(id), id);
    assert.match(id, /^.{14}4.{4}[89ab]/);
  }
});

test.run();
