/** Which worker gets a connection: the rules of config/process/spread.ts without processes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Candidate, choose, isHopeless, Patience } from '../../config/process/spread.ts';
import { createDice } from '../kit/dice.ts';

const free = (held: number, turn = 0): Candidate => ({ held, turn, busyMs: undefined });
const busy = (held: number, busyMs: number): Candidate => ({ held, turn: 0, busyMs });

test('spread: of free workers the one with the fewest gets it; of equals the one that got its last earlier', () => {
  const [many, few] = [free(10), free(9, 7)];
  assert.is(choose([many, few], true), few);
  const [late, early] = [free(9, 8), free(9, 7)];
  assert.is(choose([late, early, many], true), early);
});

test('spread: nobody is free, or nobody there: it waits', () => {
  for (const isPatient of [true, false]) {
    assert.is(choose([], isPatient), undefined);
    assert.is(choose([busy(0, 1), busy(9, 2_000)], isPatient), undefined);
  }
});

test('spread: others get a little ahead of a busy one, and then wait for it', () => {
  for (const held of [0, 80, 8_000]) {
    const lead = 32 + held / 8;
    const within = free(held + lead - 1);
    assert.is(choose([busy(held, 100), within], true), within);
    assert.is(choose([busy(held, 100), free(held + lead)], true), undefined);
  }
});

test('spread: one that is busy for too long is not waited for, nor is any but a moment without patience', () => {
  const ahead = free(1_000);
  assert.is(choose([busy(0, 1_000), ahead], true), ahead);
  assert.is(choose([busy(0, 999), ahead], true), undefined);
  assert.is(choose([busy(0, 5), ahead], false), ahead);
  assert.is(choose([busy(0, 4), ahead], false), undefined);
});

test('spread: there is no hope where nobody is there, or where one refused and the others are busy for too long', () => {
  for (const isRefused of [true, false]) {
    assert.is(isHopeless([], isRefused), true);
    assert.is(isHopeless([busy(0, 1_000), busy(0, 999)], isRefused), false);
    assert.is(isHopeless([busy(0, 1_000), free(0)], isRefused), false);
    assert.is(isHopeless([busy(0, 1_000), busy(0, 2_000)], isRefused), isRefused);
  }
});

test('spread: patience is a second, and comes back by a tenth of the time', () => {
  const patience = new Patience(0);
  patience.spend(400, 400);
  assert.is(patience.leftMs(400), 600);
  assert.is(patience.leftMs(1_400), 700);
  patience.spend(5_000, 1_400);
  assert.is(patience.leftMs(1_400), 0);
  assert.is(patience.leftMs(100_000), 1_000);
});

test('spread: whoever is busy meanwhile, without leads beyond the bound', () => {
  const dice = createDice('spread');
  const held = [0, 0, 0, 0];
  for (let n = 0; n < 20_000; n += 1) {
    const candidates = held.map((count, at) => ({
      at,
      ...(dice.chance(0.5) ? busy(count, dice.between(0, 999)) : free(count)),
    }));
    const chosen = choose(candidates, true);
    if (chosen !== undefined) held[chosen.at] = (held[chosen.at] ?? 0) + 1;
    const least = Math.min(...held);
    assert.ok(Math.max(...held) - least <= 32 + least / 8 + 1, JSON.stringify(held));
  }
});

test.run();
