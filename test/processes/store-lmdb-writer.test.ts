/** The thread that writes for the embedded store: what is committed together, what fails together, and who waits for whom. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_ENTRIES } from '../../actors/journal/index-changes.ts';
import { openLmdbStore } from '../../actors/store/lmdb/lmdb.ts';
import { openEnvironment } from '../../actors/store/lmdb/tables.ts';
import { Writer } from '../../actors/store/lmdb/writer.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { entry, range } from '../contract/store.ts';
import { RELEASE } from '../contract/store-child.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { pause } from '../kit/until.ts';

const CHILD = fileURLToPath(new URL('../contract/store-child.js', import.meta.url));
const children: ChildProcess[] = [];

test.after(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** The most by which the file grows where a smaller transaction would do, and what rounding adds. */
const GROWTH_MAX = 1024 * 1024 + 64 * 1024;

const setRecord = (key: string) => ({ type: 'set-record', key, text: key }) as const;
/** Longer than any key that LMDB takes, so it throws in the middle of its transaction. */
const IMPOSSIBLE = 'x'.repeat(4_000);

test('LMDB writer: what is written in one moment is one commit, and each hears its own result', async () => {
  const store = openLmdbStore({ path: temporaryFolder() });
  const results = await Promise.all([
    ...range(20).map((n) => store.journal.append(entry(`s${n}`, 0))),
    store.journal.append(entry('s0', 7)),
  ]);
  assert.equal(
    results.map(({ type }) => type),
    [...range(20).map(() => 'appended'), 'conflict'],
  );
  const { events, next } = await store.journal.log(0, 0, 1_000);
  assert.is(events.length, 20);
  assert.is(next, 1, 'all in the first commit');
  await store.close();
});

test('LMDB writer: however many write at once, no transaction waits for a long growth of the file', async () => {
  const path = temporaryFolder();
  const file = join(path, 'data.mdb');
  const transactions: number[] = [];
  const store = openLmdbStore({ path, onCommit: (operations) => transactions.push(operations) });
  const streams = range(6_000).map((n) => `stream-${(n * 7_919) % 6_000}`);
  const state = 's'.repeat(700);
  const members = [
    { list: 'first', member: '' },
    { list: 'second', member: '' },
  ];
  const write = (stream: string, expected: number) => {
    const take = {
      unique: [],
      members: members.map(({ list }) => ({ list: `${list}-${expected}`, member: stream })),
    };
    return store.journal.append(entry(stream, expected, { state, index: { take, release: NO_ENTRIES } }));
  };
  for (let from = 0; from < streams.length; from += 32) {
    await Promise.all(streams.slice(from, from + 32).map((stream) => write(stream, 0)));
  }
  for (const some of [streams.slice(0, 300), streams.slice(300, 2_300)]) {
    const before = statSync(file).size;
    transactions.length = 0;
    const results = await Promise.all(some.map((stream) => write(stream, 1)));
    const grown = statSync(file).size - before;
    assert.ok(results.every(({ type }) => type === 'appended'));
    assert.ok(grown > GROWTH_MAX, 'more than once, or the law says nothing');
    assert.ok(
      grown <= transactions.length * GROWTH_MAX,
      `by ${grown} bytes in ${transactions.length} transactions`,
    );
  }
  await store.close();
});

test('LMDB writer: an operation that throws fails all of its transaction, and none of the next', async () => {
  const path = temporaryFolder();
  const env = openEnvironment(path);
  const writer = new Writer('test', path);
  const outcomes = await Promise.allSettled(
    ['before', IMPOSSIBLE, 'behind'].map((key) => writer.run(setRecord(key))),
  );
  for (const outcome of outcomes) {
    assert.instance(outcome.status === 'rejected' && outcome.reason, StoreUnavailable);
    assert.match(outcome.status === 'rejected' ? String(outcome.reason) : '', /key size/i);
  }
  await writer.run(setRecord('next'));
  await writer.close();
  const records = env.openDB<string, string>('records', { encoding: 'string' });
  assert.equal([...records.getKeys()], ['next']);
  await env.close();
});

test('LMDB writer: closing waits for what came before, and refuses what comes after', async () => {
  const path = temporaryFolder();
  const env = openEnvironment(path);
  const writer = new Writer('test', path);
  const before = range(200).map((n) => writer.run(setRecord(`key-${n}`)));
  const closing = writer.close();
  const [late] = await Promise.allSettled([writer.run(setRecord('late'))]);
  assert.instance(late?.status === 'rejected' && late.reason, StoreUnavailable);
  assert.throws(() => writer.read(() => 7), /closed/);
  await Promise.all(before);
  await closing;
  await writer.close();
  const records = env.openDB<string, string>('records', { encoding: 'string' });
  assert.is(records.getKeysCount(), 200);
  await env.close();
});

test('LMDB writer: a fault of a read looks like one of a write', async () => {
  const path = temporaryFolder();
  const env = openEnvironment(path);
  const writer = new Writer('test', path);
  const broken = () => {
    throw new Error('a bad read');
  };
  assert.throws(
    () => writer.read(broken),
    (error: unknown) => error instanceof StoreUnavailable,
  );
  assert.is(
    writer.read(() => 7),
    7,
  );
  await writer.close();
  await env.close();
});

test('LMDB writer: while another process holds the lock for writing, only who writes waits', async () => {
  const path = temporaryFolder();
  const store = openLmdbStore({ path, shared: true });
  await store.journal.append(entry('s', 0));
  const holder = fork(CHILD, ['holder', path], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.push(holder);
  await once(holder, 'message');
  let written = false;
  const appending = store.journal.append(entry('s', 1)).then(() => {
    written = true;
  });

  // Were the event loop to wait for the lock, it would wait for ever: nobody would release it.
  for (let turns = 0; turns < 20; turns += 1) {
    assert.is((await store.journal.load('s')).sequence, 1);
    await pause(5);
  }
  assert.is(written, false, 'the write waits');
  writeFileSync(join(path, RELEASE), '');
  await appending;
  assert.is((await store.journal.load('s')).sequence, 2);
  await store.close();
});

test('LMDB writer: a store that was left open keeps no process alive, and what was being written is there', async () => {
  const path = temporaryFolder();
  const forgetful = fork(CHILD, ['forgetful', path], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.push(forgetful);
  const [code] = await once(forgetful, 'exit');
  assert.is(code, 0);
  const store = openLmdbStore({ path });
  for (const n of range(100)) assert.is((await store.journal.load(`s${n}`)).sequence, 1);
  await store.close();
});

test.run();
