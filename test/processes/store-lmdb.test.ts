/**
 * The embedded store keeps the contract, and what only a store on disk can promise: everything is there after closing,
 * after `kill -9` and after a full disk, several processes on one folder never lose each other's updates, and a folder
 * that is in use, or written in another format, is refused.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openLmdbStore, StoreInUse } from '../../actors/store/lmdb/lmdb.ts';
import { allDue, entry, range, storeContract, wholeLog } from '../contract/store.ts';
import {
  type Appended,
  COUNT,
  COUNTER,
  type Cramped,
  holding,
  ROUNDS,
  SHARED,
} from '../contract/store-child.ts';

const CHILD = fileURLToPath(new URL('../contract/store-child.js', import.meta.url));
const T = 1_700_000_000_000;

const folders: string[] = [];
const children: ChildProcess[] = [];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'claimd-store-'));
  folders.push(path);
  return path;
}

storeContract(
  'LMDB',
  async () => {
    const path = folder();
    const store = openLmdbStore({ path });
    return {
      store,
      async dispose() {
        await store.close();
        rmSync(path, { recursive: true });
      },
    };
  },
  { keyBytesMax: 1_950, alarmLateMs: 200 },
);

test.after(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

function child(role: string, path: string): ChildProcess {
  const process = fork(CHILD, [role, path], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.push(process);
  return process;
}

/** The next message of a child; an error when it ends without one. */
async function told<Message>(process: ChildProcess): Promise<Message> {
  const over = new AbortController();
  const { signal } = over;
  const message = once(process, 'message', { signal }).then(([value]) => value as Message);
  const end = once(process, 'exit', { signal }).then(([code, name]) => {
    throw new Error(`the child ended (${code ?? name})`);
  });
  try {
    return await Promise.race([message, end]);
  } finally {
    over.abort();
    await Promise.allSettled([message, end]);
  }
}

const ended = async (process: ChildProcess): Promise<void> => {
  if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
};

test('LMDB: reopened, everything is as it was', async () => {
  const path = folder();
  const first = openLmdbStore({ path });
  for (const n of range(10)) {
    const index = {
      take: { unique: [`key-${n}`], members: [{ list: 'list', member: `m${n}` }] },
      release: { unique: [], members: [] },
    };
    await first.journal.append(entry(`s${n}`, 0, { alarmAt: T + n, index }));
  }
  const index = { take: { unique: ['key'], members: [] }, release: { unique: [], members: [] } };
  await first.entities.commit({ name: 'kind/a', expected: 0, text: 'text of a', index });
  await first.records.set('people:a', 'text');
  const log = await wholeLog(first.journal);
  await first.close();

  const again = openLmdbStore({ path });
  assert.equal(await wholeLog(again.journal), log);
  assert.is((await allDue(again.journal, T + 1_000)).length, 10);
  for (const n of range(10)) {
    assert.equal(await again.journal.load(`s${n}`), { sequence: 1, state: `s${n} at 1` });
    assert.is(await again.index.lookup(`key-${n}`), `s${n}`);
  }
  assert.equal(
    await again.index.page('list', { offset: 0, limit: 100 }),
    range(10).map((n) => `m${n}`),
  );
  assert.is(await again.index.count('list'), 10);
  assert.is(await again.index.lookup('key'), 'kind/a');
  assert.equal(await again.entities.load('kind/a'), { version: 1, text: 'text of a' });
  assert.is(await again.records.get('people:a'), 'text');
  assert.equal(await again.journal.append(entry('s0', 1)), { type: 'appended' });
  assert.is((await wholeLog(again.journal)).length, 11);
  await again.close();
});

test('LMDB: a folder may have a dot in its name', async () => {
  const path = join(folder(), 'store.d');
  const store = openLmdbStore({ path });
  await store.journal.append(entry('s', 0));
  await store.close();
  assert.equal(readdirSync(path).sort(), ['data.mdb', 'lock.mdb']);
});

test('LMDB: of processes on one folder none loses another’s update', async () => {
  const path = folder();
  const store = openLmdbStore({ path });
  const processes = range(2).map(() => child('appender', path));
  await Promise.all(processes.map(told));
  const results = processes.map((process) => told<Appended[]>(process));
  for (const process of processes) process.send('go');
  const appended = (await Promise.all(results)).flat();
  await Promise.all(processes.map(ended));

  const counted = processes.length * ROUNDS;
  assert.is(await store.records.get(COUNT), String(counted), 'every swap counts');
  assert.equal(await store.entities.load(COUNTER), { version: counted, text: String(counted) });
  const { members } = holding(COUNTER, counted);
  for (const version of range(counted + 1)) {
    const [key = ''] = holding(COUNTER, version).unique;
    assert.is(await store.index.lookup(key), version === counted ? COUNTER : undefined, key);
  }
  assert.equal(
    await store.index.page('holding', { offset: 0, limit: 10 }),
    members.map(({ member }) => member),
  );
  assert.is(await store.index.count('counted'), counted);
  assert.is((await store.index.page('counted', { offset: 0, limit: 1_000 })).length, counted);

  assert.is(appended.length, processes.length * SHARED.length * ROUNDS);
  const log = await wholeLog(store.journal);
  const sorted = (events: readonly Appended[]) =>
    events.map(({ stream, sequence, event }) => `${stream} ${sequence} ${event}`).sort();
  assert.equal(sorted(log), sorted(appended));
  for (const stream of SHARED) {
    const sequences = log.filter((event) => event.stream === stream).map(({ sequence }) => sequence);
    assert.equal(
      sequences,
      range(processes.length * ROUNDS).map((n) => n + 1),
      'in order, without gaps',
    );
    assert.is((await store.journal.load(stream)).sequence, sequences.length);
  }
  await store.close();
});

test('LMDB: what one process was told is durable, another one reads at once', async () => {
  const path = folder();
  const store = openLmdbStore({ path });
  const reader = child('reader', path);
  await told(reader);
  for (const sequence of range(200)) {
    await store.journal.append(entry('watched', sequence));
    const seen = told<number>(reader);
    reader.send('watched');
    assert.is(await seen, sequence + 1);
  }
  reader.disconnect();
  await ended(reader);
  await store.close();
});

test('LMDB: killed in the middle of appends and commits, everything it was told of is there', async () => {
  for (const round of range(3)) {
    const path = folder();
    const process = spawn(globalThis.process.execPath, [CHILD, 'endless', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(process);
    let output = '';
    process.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (output.length > 20_000 * (round + 1)) process.kill('SIGKILL');
    });
    await once(process, 'close');

    const acknowledged = new Map<string, number>();
    for (const line of output.split('\n').slice(0, -1)) {
      const [stream = '', sequence] = line.split(' ');
      acknowledged.set(stream, Number(sequence));
    }
    assert.is(acknowledged.size, 40);
    const store = openLmdbStore({ path });
    const log = await wholeLog(store.journal);
    const there: string[] = [];
    for (const [name, sequence] of acknowledged) {
      const [kind, id] = name.split('/');
      const isEntity = kind !== undefined && id !== undefined;
      const entity = isEntity ? await store.entities.load(`${kind}/${id}`) : undefined;
      const stream = await store.journal.load(name);
      const head = entity === undefined ? stream : { sequence: entity.version, state: entity.text };
      assert.ok(
        head.sequence >= sequence,
        `${name}: ${sequence} was acknowledged, ${head.sequence} is there`,
      );
      assert.is(head.state, `${name} at ${head.sequence}`);
      if (isEntity) {
        const { unique, members } = holding(`${kind}/${id}`, head.sequence);
        for (const key of unique) assert.is(await store.index.lookup(key), name);
        there.push(...members.map(({ member }) => member));
      } else assert.is(log.filter((event) => event.stream === name).length, head.sequence);
    }
    assert.equal(await store.index.page('holding', { offset: 0, limit: 100 }), there.sort());
    assert.is((await allDue(store.journal, T)).length, 30, 'each has its alarm');
    await store.close();
  }
});

test('LMDB: a folder in use is refused with who uses it; after the end of that one it is free', async () => {
  const path = folder();
  const owner = (self: string, alive: boolean) => ({ path, owner: { self, isAlive: () => alive } });
  const first = child('opener', path);
  assert.is(await told(first), 'opened');
  const name = `process ${first.pid}`;

  const second = child('opener', path);
  assert.match(await told<string>(second), `in use by another process (${name})`);
  await ended(second);
  try {
    openLmdbStore(owner('me', true));
    assert.unreachable('the folder was in use');
  } catch (error) {
    assert.instance(error, StoreInUse);
    assert.is(error instanceof StoreInUse && error.owner, name);
  }

  first.kill('SIGKILL');
  await ended(first);
  const asked: string[] = [];
  const store = openLmdbStore({ path, owner: { self: 'me', isAlive: (other) => asked.push(other) === 0 } });
  assert.equal(asked, [name], 'the dead one is asked after, and taken for dead');
  await store.close();

  const free = openLmdbStore(owner('next', true)); // nobody is asked after: the last one left politely
  await free.close();
});

test('LMDB: who comes back under its own name is let in', async () => {
  const path = folder();
  const mine = { path, owner: { self: 'me', isAlive: () => true } };
  const first = openLmdbStore(mine);
  const again = openLmdbStore(mine);
  await first.close();
  await again.close();
});

test('LMDB: an unknown format is refused, and nothing in the folder changes', async () => {
  const path = folder();
  const env = open<string, string>({ path, maxDbs: 16, encoding: 'string' });
  await env.openDB<string, string>('meta', { encoding: 'string' }).put('format', '99');
  await env.close();
  assert.throws(
    () => openLmdbStore({ path }),
    /has format 99; this version of claimd knows 4 and older ones/,
  );
  const after = open<string, string>({ path, maxDbs: 16, encoding: 'string' });
  assert.is(after.openDB<string, string>('meta', { encoding: 'string' }).get('format'), '99');
  await after.close();
});

test('LMDB: a full disk fails the writes, not the process; with room again all goes on', async () => {
  const path = folder();
  // A limited file size stands for the full disk; ignored, the signal becomes an error of the write.
  const shell = `trap "" XFSZ; ulimit -S -f 2000; exec "$0" "$@"`;
  const process = spawn('sh', ['-c', shell, globalThis.process.execPath, CHILD, 'cramped', path], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  children.push(process);
  const { before, failed, whileFull, after } = await told<Cramped>(process);
  await ended(process);
  assert.is(process.exitCode, 0);
  assert.match(failed, /^StoreUnavailable: /);
  assert.not.match(failed, /commitError/, 'the reason is told');
  assert.equal(whileFull, { reads: true, writes: false });

  const store = openLmdbStore({ path });
  for (const n of range(before)) assert.is((await store.journal.load(`s${n}`)).sequence, 1);
  for (const lost of [`s${before}`, 'no-room']) assert.is((await store.journal.load(lost)).sequence, 0);
  for (const n of range(after)) assert.is((await store.journal.load(`after-${n}`)).sequence, 1);
  assert.is((await wholeLog(store.journal)).length, before + after);
  await store.close();
});

test('LMDB: what is let go of is used again: the file does not grow with it', async () => {
  const path = folder();
  const store = openLmdbStore({ path });
  const sizes: number[] = [];
  let from = 0;
  // A reader that lasts keeps what was let go of from use, and on a busy machine one may last through some rounds. What is
  // never used again makes each round grow the file: then no ten rounds of 600 KB leave it as it is.
  const grows = () => sizes.length <= 10 || sizes.at(-1) !== sizes.at(-11);
  for (let round = 0; grows() && round < 200; round += 1) {
    await Promise.all(
      range(300).map((n) => store.journal.append(entry(`s${n}`, round, { event: 'e'.repeat(2_000) }))),
    );
    const { next: upTo } = await store.journal.log(0, from, 10_000);
    from = await store.journal.forget(0, { from, upTo }, 10_000, () => 'forget');
    assert.is(from, upTo);
    sizes.push(statSync(join(path, 'data.mdb')).size);
  }
  assert.not.ok(grows(), `${sizes}`);
  assert.equal(await wholeLog(store.journal), []);
  await store.close();
});

test('store: LMDB: its files are for their owner alone, in a folder that others may read too', async () => {
  const path = folder();
  chmodSync(path, 0o755);
  const store = openLmdbStore({ path });
  await store.close();
  const modes = readdirSync(path).map((name) => [
    name,
    (statSync(join(path, name)).mode & 0o777).toString(8),
  ]);
  assert.equal(Object.fromEntries(modes), { 'data.mdb': '600', 'lock.mdb': '600' });
});

test.run();
