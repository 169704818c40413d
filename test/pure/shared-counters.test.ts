/** Counting failed attempts in several processes at once. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sharedCounters } from '../../actors/cluster/shared-counters.ts';
import { attempt, createLimiter } from '../../http/auth/attempts.ts';
import { createParties } from '../kit/bus.ts';

const heard = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('shared counters: what one process counts, all know, by name and key', async () => {
  const counters = createParties(3).map(({ bus }) => sharedCounters(bus));
  const logins = counters.map((make) => make('login', { windowMs: 60_000 }));
  const others = counters.map((make) => make('other', { windowMs: 60_000 }));
  for (const counter of logins) assert.is((await counter.add('k')).count <= 3, true);
  await heard();
  for (const counter of logins) assert.is((await counter.get('k')).count, 3);
  for (const counter of logins) assert.is((await counter.get('l')).count, 0);
  for (const counter of others) assert.is((await counter.get('k')).count, 0);
});

test('shared counters: who failed too often at one process is refused by all', async () => {
  const limiters = createParties(2).map(({ bus }) =>
    createLimiter('login', { max: 3, windowMs: 60_000 }, sharedCounters(bus)),
  );
  const guess = (at: number) => {
    const limiter = limiters[at % 2];
    if (limiter === undefined) throw new Error('no limiter');
    return attempt(
      [{ limiter, key: 'k' }],
      async () => ({ type: 'wrong' }) as const,
      () => 1,
    );
  };
  const outcomes: unknown[] = [];
  for (let n = 0; n < 6; n += 1) {
    const outcome = await guess(n);
    outcomes.push(outcome.type);
    await heard();
  }
  assert.equal(outcomes, ['wrong', 'wrong', 'wrong', 'blocked', 'blocked', 'blocked']);
});

test.run();
