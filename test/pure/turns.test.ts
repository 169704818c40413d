/** Turns of the event loop: whoever wants more than a share is called later, and everybody else comes in between. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Turns } from '../../actors/runtime/turns.ts';
import { Budget } from '../../transports/mqtt/endpoint/budget.ts';

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
  for (const name of ['a', 'b', 'c']) turns.wait(takes(name, 0), 'again');
  await loopsRound();
  await loopsRound();
  assert.equal(log, ['a', 'b', 'c']);
});

test('turns: who has had nothing yet is called before those who come for more', async () => {
  const { turns, log, takes } = world();
  turns.wait(takes('more', 0), 'again');
  turns.wait(takes('new', 0), 'newcomer');
  await loopsRound();
  await loopsRound();
  assert.equal(log, ['new', 'more']);
});

test('turns: in one turn the lines get a few milliseconds, and the loop goes round before the rest', async () => {
  const { turns, log, takes } = world();
  for (let at = 0; at < 9; at += 1) turns.wait(takes(`${at}`, 2), 'again');
  await loopsRound();
  const inFirst = log.length;
  assert.ok(inFirst >= 2 && inFirst <= 4, `${inFirst} of nine`);
  while (log.length < 9) await loopsRound();
  assert.equal(log, ['0', '1', '2', '3', '4', '5', '6', '7', '8']);
});

test('turns: newcomers without end do not starve those who come for more', async () => {
  const { turns, log, takes } = world();
  turns.wait(takes('more', 1), 'again');
  const comeAgain = () => {
    takes('new', 1)();
    if (log.length < 1_000) turns.wait(comeAgain, 'newcomer');
  };
  turns.wait(comeAgain, 'newcomer');
  for (let rounds = 0; rounds < 5; rounds += 1) await loopsRound();
  assert.ok(log.includes('more'));
});

test('turns: strangers are called by turns with those who come for more, and in each turn one at least', async () => {
  const { turns, log, takes } = world();
  for (let at = 0; at < 4; at += 1) turns.wait(takes('more', 0), 'again');
  for (let at = 0; at < 4; at += 1) turns.wait(takes('stranger', 0), 'stranger');
  turns.wait(takes('new', 0), 'newcomer');
  await loopsRound();
  await loopsRound();
  assert.equal(log, ['new', ...Array.from({ length: 4 }, () => ['more', 'stranger']).flat()]);
});

for (const [who, endless] of [
  ['stranger', 'again'],
  ['again', 'stranger'],
] as const) {
  test(`turns: '${who}' is called in the first turn, though newcomers have no end and thousands are before it as '${endless}'`, async () => {
    const { turns, log, takes } = world();
    const newcomer = () => {
      takes('new', 1)();
      if (log.length < 1_000) turns.wait(newcomer, 'newcomer');
    };
    turns.wait(newcomer, 'newcomer');
    for (let at = 0; at < 5_000; at += 1) turns.wait(takes('endless', 1), endless);
    turns.wait(takes('one', 1), who);
    await loopsRound();
    await loopsRound();
    assert.ok(log.includes('one'), log.join());
  });
}

test('budget: CONNECT in a late turn does not wait behind all connections that were let in and have no end', async () => {
  const { turns, log, takes, pass } = world();
  const flooder = () => {
    takes('flood', 1)();
    if (log.length < 20_000) turns.wait(flooder, 'again');
  };
  for (let at = 0; at < 5_000; at += 1) turns.wait(flooder, 'again');
  turns.enter();
  pass(50);
  const budget: Budget = new Budget(turns, {
    isLetIn: false,
    goOn: () => log.push(budget.mayGoOn() ? 'CONNECT' : 'waits again'),
  });
  assert.not(budget.mayGoOn());
  for (let rounds = 0; rounds < 3; rounds += 1) await loopsRound();
  assert.ok(log.includes('CONNECT'), `${log.length} were called before it`);
});

test('turns: who waits again in its turn is called in the next, and has a turn of another number', async () => {
  const { turns } = world();
  const numbers: number[] = [];
  const again = () => {
    numbers.push(turns.enter());
    if (numbers.length < 3) turns.wait(again, 'again');
  };
  turns.wait(again, 'again');
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
  turns.wait(() => void steps(), 'again');
  turns.wait(() => void log.push('b'), 'again');
  await loopsRound();
  await loopsRound();
  assert.equal(log, ['a is done', 'b']);
});

test.run();
