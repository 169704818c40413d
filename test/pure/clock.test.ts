/** The clocks: the machine's, and those of the tests. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sleep, systemClock, TIMER_MAX_MS } from '../../actors/base/clock.ts';
import { awakeClock } from '../kit/awake-clock.ts';
import { createSimClock } from '../kit/clock.ts';
import { pause, until } from '../kit/until.ts';

test('sim clock: time stands still until it is moved', () => {
  const clock = createSimClock(1_000);
  assert.is(clock.now(), 1_000);
  clock.advance(5);
  assert.is(clock.now(), 1_005);
  clock.advanceTo(900);
  assert.is(clock.now(), 1_005, 'time never goes back');
});

test('sim clock: timers run in the order of their instants, then of setting, and see their own instant as now', () => {
  const clock = createSimClock(0);
  const seen: string[] = [];
  const note = (name: string) => () => seen.push(`${name}@${clock.now()}`);
  clock.after(20, note('c'));
  clock.after(10, note('a'));
  clock.after(10, note('b'));
  clock.after(31, note('late'));
  assert.is(clock.next(), 10);
  clock.advance(30);
  assert.equal(seen, ['a@10', 'b@10', 'c@20']);
  assert.is(clock.now(), 30);
  assert.is(clock.timers, 1);
});

test('sim clock: a timer set by a timer runs in the same advance if it is due in it', () => {
  const clock = createSimClock(0);
  const seen: number[] = [];
  const tick = () => {
    seen.push(clock.now());
    clock.after(10, tick);
  };
  clock.after(10, tick);
  clock.advance(35);
  assert.equal(seen, [10, 20, 30]);
  assert.is(clock.next(), 40);
});

test('sim clock: a cancelled timer never runs, and cancelling it twice is harmless', () => {
  const clock = createSimClock(0);
  const cancel = clock.after(10, () => assert.unreachable());
  cancel();
  cancel();
  clock.advance(100);
  assert.is(clock.next(), undefined);
});

test('sim clock: a delay that is too long for a real timer is refused', () => {
  assert.throws(() => createSimClock(0).after(TIMER_MAX_MS + 1, () => {}), /cannot wait/);
  assert.throws(() => createSimClock(0).after(Number.NaN, () => {}), /cannot wait/);
});

test('sleep: resolves when the time has passed, not before', async () => {
  const clock = createSimClock(0);
  let awake = false;
  const asleep = sleep(clock, 50).then(() => {
    awake = true;
  });
  clock.advance(49);
  await new Promise((resolve) => setImmediate(resolve));
  assert.not.ok(awake);
  clock.advance(1);
  await asleep;
  assert.ok(awake);
});

test('system clock: a delay that is too long for a timer does not fire at once', async () => {
  let fired = false;
  const cancel = systemClock.after(TIMER_MAX_MS + 1, () => {
    fired = true;
  });
  await pause(20);
  cancel();
  assert.not.ok(fired);
});

test('awake clock: a time limit is not over because the process stood still, and is over in the end', async () => {
  let fired = false;
  const before = awakeClock.elapsed();
  awakeClock.after(600, () => {
    fired = true;
  });
  for (const wokenAt = performance.now() + 900; performance.now() < wokenAt; );
  assert.ok(awakeClock.elapsed() - before <= 200);
  await pause(0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.not.ok(fired, 'what has come meanwhile is heard first');
  await until('it is over', () => fired);
  assert.ok(awakeClock.elapsed() - before >= 600);
});

test('awake clock: a cancelled timer never runs', async () => {
  const cancel = awakeClock.after(10, () => assert.unreachable());
  cancel();
  let later = false;
  awakeClock.after(20, () => {
    later = true;
  });
  await until('a later one has run', () => later);
});

test.run();
