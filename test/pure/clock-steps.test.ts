/** Somebody sets the clock: durations stay what they are, and the step is logged. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cautiousTime, DOUBTED_MS, watchClock } from '../../actors/base/clock-steps.ts';
import { createTtlCache } from '../../actors/base/ttl-cache.ts';
import { createLease } from '../../actors/records/lease.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { readImports } from '../kit/arrows.ts';
import { createSimClock } from '../kit/clock.ts';

const steps = suite('clock steps');
const START = 1_700_000_000_000;
const DAY_MS = 86_400_000;

steps('a step is logged once, with its size; time that passes is none', () => {
  const clock = createSimClock(START);
  const told: unknown[] = [];
  const ignore = () => {};
  const log = { debug: ignore, info: ignore, error: ignore, warn: (fields: object) => told.push(fields) };
  const cancel = watchClock(clock, log);
  clock.advance(DAY_MS);
  assert.equal(told, []);
  clock.step(-DAY_MS);
  clock.advance(60_000);
  clock.step(45_000);
  clock.advance(60_000);
  assert.equal(told, [{ byMs: -DAY_MS }, { byMs: 45_000 }]);
  cancel();
  assert.is(clock.timers, 0);
});

steps('a value is believed for as long as said, whatever the clock does', async () => {
  for (const step of [-DAY_MS, DAY_MS]) {
    const clock = createSimClock(START);
    const cache = createTtlCache<string, number>(clock, 1_000, 10);
    let lookUps = 0;
    const get = async () => cache.get('key', async () => ++lookUps);
    await get();
    clock.step(step);
    clock.advance(999);
    assert.is(await get(), 1);
    clock.advance(2);
    assert.is(await get(), 2);
  }
});

steps('a lease is neither lost nor kept by a step', async () => {
  const store = { ...createMemoryStore(), shared: true };
  const clock = createSimClock(START);
  const [holder, other] = [
    createLease(store, clock, 'work', 6_000),
    createLease(store, clock, 'work', 6_000),
  ];
  assert.ok(await holder.hold());
  assert.not.ok(await other.hold());
  clock.step(DAY_MS);
  assert.not.ok(await other.hold());
  clock.step(-2 * DAY_MS);
  clock.advance(6_001);
  assert.ok(await other.hold(), 'the holder was silent');
});

steps('what cannot be undone goes by the time before a step forward, for an hour', () => {
  const clock = createSimClock(START);
  const time = cautiousTime(clock);
  clock.advance(5 * DAY_MS);
  assert.is(time(), clock.now(), 'time that passes is none');

  clock.step(365 * DAY_MS);
  assert.is(time(), START + 5 * DAY_MS);
  clock.advance(DOUBTED_MS - 1);
  assert.is(time(), START + 5 * DAY_MS + DOUBTED_MS - 1);
  clock.step(-365 * DAY_MS);
  assert.is(time(), clock.now(), 'it was set right in time');

  clock.step(DAY_MS);
  time();
  clock.advance(DOUBTED_MS / 2);
  clock.step(365 * DAY_MS);
  time();
  clock.advance(DOUBTED_MS / 2);
  assert.is(time(), clock.now() - 366 * DAY_MS, 'each step has an hour of its own');
  clock.advance(DOUBTED_MS / 2);
  assert.is(time(), clock.now(), 'it was not set right');

  clock.step(-366 * DAY_MS);
  assert.is(time(), clock.now(), 'back is believed at once');
});

steps('the wall clock is read for instants alone', () => {
  // `Date.now` itself: in the clock, in the pages (of the browser), and where a date is written into an answer.
  const allowed = [
    'actors/base/clock.ts',
    'http/web/islands/page.ts',
    'http/web/islands/kept-claim.ts',
    'http/server.ts',
  ];
  const project = fileURLToPath(new URL('../../../', import.meta.url));
  const found = [...readImports(project).keys()]
    .filter((file) => /^(actors|http|transports|config)\//.test(file))
    .filter((file) => /\bDate\.now\b/.test(readFileSync(join(project, file), 'utf8')));
  assert.ok(found.includes('actors/base/clock.ts'));
  assert.equal(
    found.filter((file) => !allowed.includes(file)),
    [],
  );
});

steps.run();
