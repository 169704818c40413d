/** Laws of the group commit, over a transaction of the test's own. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GroupCommit } from '../../actors/store/group-commit.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { createGate } from '../kit/faulty-store.ts';

class Transaction {
  readonly writes: string[] = [];
  finished = false;

  finish(): void {
    this.finished = true;
  }
}

/** Commits that take until `flush` allows, each noted with what was in it. */
function setUp(flush: (commit: number) => Promise<void> = async () => {}) {
  const committed: Transaction[] = [];
  let begun: Transaction;
  const commits = new GroupCommit<Transaction>(
    'test',
    async (work) => {
      work();
      committed.push(begun);
      await flush(committed.length);
    },
    () => {
      begun = new Transaction();
      return begun;
    },
  );
  const write = (text: string) =>
    commits.run((transaction) => {
      transaction.writes.push(text);
      return text.toUpperCase();
    });
  return { commits, write, committed };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('group commit: what comes in one turn goes into one transaction, and each hears its own result', async () => {
  const { write, committed } = setUp();
  assert.equal(await Promise.all(['a', 'b', 'c'].map(write)), ['A', 'B', 'C']);
  assert.equal(
    committed.map(({ writes, finished }) => ({ writes, finished })),
    [{ writes: ['a', 'b', 'c'], finished: true }],
  );
});

test('group commit: nobody hears of success before the flush', async () => {
  const gate = createGate();
  const { write } = setUp(() => gate.opened);
  let heard = false;
  const written = write('a').then(() => {
    heard = true;
  });
  for (let n = 0; n < 5; n++) await turn();
  assert.not.ok(heard);
  gate.open();
  await written;
});

test('group commit: what comes during a flush is the next transaction, all of it', async () => {
  const gate = createGate();
  const { write, committed } = setUp((commit) => (commit === 1 ? gate.opened : Promise.resolve()));
  const first = write('a');
  await turn();
  await turn();
  const second = [write('b')];
  await turn();
  second.push(write('c'));
  await turn();
  assert.is(committed.length, 1);
  gate.open();
  await Promise.all([first, ...second]);
  assert.equal(
    committed.map(({ writes }) => writes),
    [['a'], ['b', 'c']],
  );
});

test('group commit: a write that throws fails all of its transaction, and none of the next', async () => {
  const { commits, write } = setUp();
  const bad = commits.run(() => {
    throw new Error('a bad write');
  });
  const outcomes = await Promise.allSettled([write('a'), bad, write('b')]);
  for (const outcome of outcomes) {
    assert.instance(outcome.status === 'rejected' && outcome.reason, StoreUnavailable);
    assert.match(outcome.status === 'rejected' ? String(outcome.reason) : '', /a bad write/);
  }
  assert.is(await write('c'), 'C');
});

test('group commit: a failed flush fails its writes with the reason, and the next ones work', async () => {
  const { write } = setUp(async (commit) => {
    if (commit === 1) throw new Error('no space left');
  });
  const [outcome] = await Promise.allSettled([write('a')]);
  assert.match(
    outcome?.status === 'rejected' ? String(outcome.reason) : '',
    /StoreUnavailable.*no space left/,
  );
  assert.is(await write('b'), 'B');
});

test('group commit: a transaction that can not even begin is a failed one', async () => {
  let broken = true;
  const commits = new GroupCommit<Transaction>(
    'test',
    (work) => {
      if (broken) throw new Error('closed behind our back');
      work();
      return Promise.resolve();
    },
    () => new Transaction(),
  );
  const [outcome] = await Promise.allSettled([commits.run(() => 1)]);
  assert.is(outcome?.status, 'rejected');
  broken = false;
  assert.is(await commits.run(() => 2), 2);
});

test('group commit: reads fail like writes, and pass on what they read', () => {
  const { commits } = setUp();
  assert.is(
    commits.read(() => 7),
    7,
  );
  assert.throws(
    () =>
      commits.read(() => {
        throw new Error('a bad read');
      }),
    (error: unknown) => error instanceof StoreUnavailable,
  );
});

test('group commit: closing waits for what came before, and refuses what comes after', async () => {
  const gate = createGate();
  const { commits, write } = setUp(() => gate.opened);
  const flushing = write('a');
  await turn();
  await turn();
  const waiting = write('b');
  let closed = false;
  const closing = commits.close().then(() => {
    closed = true;
  });
  const [late] = await Promise.allSettled([write('c')]);
  assert.instance(late?.status === 'rejected' && late.reason, StoreUnavailable);
  assert.throws(() => commits.read(() => 7), /closed/);
  assert.not.ok(closed);
  gate.open();
  assert.equal(await Promise.all([flushing, waiting]), ['A', 'B']);
  await closing;
  await commits.close();
});

test.run();
