/** When a message of the broker counts as having arrived. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clock } from '../../actors/base/clock.ts';
import { Arrivals } from '../../transports/mqtt/bridge/arrivals.ts';
import { createSimClock } from '../kit/clock.ts';

const arrivals = suite('bridge: arrivals');
const START = 1_700_000_000_000;

arrivals('a message arrives when it is read', () => {
  const clock = createSimClock(START);
  const all = new Arrivals(clock);
  clock.advance(60_000);
  assert.is(all.instant(), START + 60_000);
  clock.step(-45_000);
  assert.is(all.instant(), START + 15_000);
  all.stop();
  assert.is(clock.timers, 0);
});

arrivals('what a stopped process reads arrived at the beginning of the stop, whatever runs first', () => {
  for (const timerFirst of [true, false]) {
    const sim = createSimClock(START);
    /** Time that passes while no timer runs. */
    let stopped = 0;
    const clock: Clock = {
      now: () => sim.now() + stopped,
      elapsed: () => sim.elapsed() + stopped,
      after: sim.after,
    };
    const all = new Arrivals(clock);
    sim.advance(1_000);
    stopped = 10_000;
    if (timerFirst) sim.advance(250);
    assert.is(all.instant(), START + 1_000);
    sim.advance(900);
    if (!timerFirst) assert.is(all.instant(), START + 1_000, 'the backlog takes a moment to read');
    sim.advance(2_000);
    assert.is(all.instant(), clock.now());
    all.stop();
  }
});

arrivals.run();
