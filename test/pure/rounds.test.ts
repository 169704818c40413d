/** Rounds of work in the background. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { createRounds } from '../../actors/records/rounds.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { createSimClock } from '../kit/clock.ts';
import { turnsDuring } from '../kit/turns.ts';

const STEPS = 10_000;
/** So many steps may be done in one turn of the event loop. */
const STEPS_PER_TURN = 25;

test('rounds: of many steps with nothing to do some are done in each turn, so that others have theirs', async () => {
  let steps = 0;
  const of = {
    name: 'work',
    what: 'lists',
    firstMs: 1,
    everyMs: 1,
    away: 'away',
    async round(mayGoOn: () => Promise<boolean>) {
      while (steps < STEPS && (await mayGoOn())) steps += 1;
    },
  } as const;
  const rounds = createRounds(createMemoryStore(), of, createSimClock(0), silentLog);
  const { turns } = await turnsDuring(() => rounds.round());
  assert.is(steps, STEPS);
  assert.ok(turns >= STEPS / STEPS_PER_TURN - 1, `${turns} turns`);
});

test.run();
