/** Turns of the event loop: whoever wants more than a share is called later, and everybody else comes in between. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Turns } from '../../actors/runtime/turns.ts';

const loopsRound = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A clock that goes on by as much as each task says it takes. */
function world() {
  let now = 0;
  const turns = new Turns(() => now);
  const log: string[] = [];
  return {
    turns,
    log,
    takes: (name: string, ms: number) => () => {
      now += ms;
      log.push(name);
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('turns: those who wait are called in the order in which they came', async () => {
  const { turns, log, takes } = world();
  for (const name of ['a', 'b', 'c']) turns.wait(takes(name, 0), true);
  await loopsRound();
  await loopsRound();
  assert.equal(log, ['a', 'b', 'c']);
});

test('turns: who has had nothing yet is called before those who come for more', async () => {
  const { turns, log, takes } = world();
  turns.wait(takes('more', 0), true);
  turns.wait(takes('new', 0), false);
  await loopsRound();
  await loopsRound();
  assert.equal(log, ['new', 'more']);
});

test('turns: in one turn the lines get a few milliseconds, and the loop goes round before the rest', async () => {
  const { turns, log, takes } = world();
  for (let at = 0; at < 9; at += 1) turns.wait(takes(`${at}`, 2), true);
  await loopsRound();
  const inFirst = log.length;
  assert.ok(inFirst >= 2 && inFirst <= 4, `${inFirst} of nine`);
  while (log.length < 9) await loopsRound();
  assert.equal(log, ['0', '1', '2', '3', '4', '5', '6', '7', '8']);
});

test('turns: newcomers without end do not starve those who come for more', async () => {
  const { turns, log, takes } = world();
  turns.wait(takes('more', 1), true);
  const comeAgain = () => {
    takes('new', 1)();
    if (log.length < 1_000) turns.wait(comeAgain, false);
  };
  turns.wait(comeAgain, false);
  for (let rounds = 0; rounds < 5; rounds += 1) await loopsRound();
  assert.ok(log.includes('more'));
});

test('turns: who waits again in its turn is called in the next, and has a turn of another number', async () => {
  const { turns } = world();
  const numbers: number[] = [];
  const again = () => {
    numbers.push(turns.enter());
    if (numbers.length < 3) turns.wait(again, true);
  };
  turns.wait(again, true);
  while (numbers.length < 3) await loopsRound();
  assert.is(new Set(numbers).size, 3);
});

test('turns: a turn is late when it has taken long, and the next one is not', async () => {
  const { turns, pass } = world();
  const first = turns.enter();
  assert.is(turns.late, false);
  pass(50);
  assert.is(turns.late, true);
  await loopsRound();
  await loopsRound();
  assert.is.not(turns.enter(), first);
  assert.is(turns.late, false);
});

test('turns: what follows from a call at once is done before the next is called', async () => {
  const { turns, log } = world();
  const steps = async (): Promise<void> => {
    for (let step = 0; step < 5; step += 1) await undefined;
    log.push('a is done');
  };
  turns.wait(() => void steps(), true);
  turns.wait(() => void log.push('b'), true);
  await loopsRound();
  await loopsRound();
  assert.equal(log, ['a is done', 'b']);
});

test.run();
