/**
 * Another process on the same LMDB folder, for `store-lmdb.test.ts`: forked with a role and a path, told the rest.
 *
 *   appender  waits for `go`; appends to the shared streams and counts up a shared record and a shared entity, tells
 *             what it appended, closes
 *   endless   appends to streams and commits entities of its own for ever, writes a line to stdout for each that it was
 *             told of
 *   reader    reads all the time; for each stream it is sent, tells the number of the head it finds, read with its state and alone by turns
 *   opener    opens the folder as an owner, tells whether it may, and keeps it until it is killed
 *   holder    holds the lock for writing until a file RELEASE is in the folder; tells when it has it
 *   forgetful appends, and ends without closing
 *   cramped   runs with a limited file size: appends until that fails, has the limit lifted, appends again
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { IndexEntries } from '../../actors/journal/journal.ts';
import { openLmdbStore, StoreInUse } from '../../actors/store/lmdb/lmdb.ts';
import { openEnvironment } from '../../actors/store/lmdb/tables.ts';
import type { EntityName, Store } from '../../actors/store/store.ts';
import { until } from '../kit/until.ts';
import { entry, range } from './store.ts';

/** Streams that all appenders append to. */
export const SHARED = range(20).map((n) => `shared-${n}`);
export const ROUNDS = 40;
/** The file that lets the holder end. */
export const RELEASE = 'release';
/** A record and an entity that all appenders count up. */
export const COUNT = 'shared:count';
export const COUNTER = 'shared/counter';

export interface Appended {
  readonly stream: string;
  readonly sequence: number;
  readonly event: string;
}

export interface Cramped {
  readonly before: number;
  readonly failed: string;
  readonly whileFull: { readonly reads: boolean; readonly writes: boolean };
  readonly after: number;
}

const ROLES: { readonly [role: string]: (path: string) => Promise<void> } = {
  async appender(path) {
    const store = openLmdbStore({ path, shared: true });
    await tell('ready');
    await once(process, 'message');
    const appended: Appended[] = [];
    const appending = SHARED.map((stream) => appendTo(store, stream, appended));
    await Promise.all([...appending, countUp(store), countUpEntity(store)]);
    await store.close();
    await tell(appended);
    process.disconnect();
  },

  async endless(path) {
    const store = openLmdbStore({ path, shared: true });
    const entities = range(10).map(async (n) => {
      const name: EntityName = `endless/${process.pid}-${n}`;
      for (let expected = 0; ; expected++) {
        const text = `${name} at ${expected + 1}`;
        const index = { take: holding(name, expected + 1), release: holding(name, expected) };
        const { type } = await store.entities.commit({ name, expected, text, index });
        if (type === 'committed') say(`${name} ${expected + 1}\n`);
      }
    });
    await Promise.all([
      ...entities,
      ...range(30).map(async (n) => {
        const stream = `endless-${process.pid}-${n}`;
        for (let expected = 0; ; expected++) {
          const { type } = await store.journal.append(entry(stream, expected, { alarmAt: expected + 1 }));
          if (type === 'appended') say(`${stream} ${expected + 1}\n`);
        }
      }),
    ]);
  },

  async reader(path) {
    const store = openLmdbStore({ path, shared: true });
    let isAlone = false;
    process.on('message', (stream: string) => {
      isAlone = !isAlone;
      const alone = isAlone ? store.journal.sequenceOf?.(stream) : undefined;
      if (alone !== undefined) void tell(alone);
      else void store.journal.load(stream).then(({ sequence }) => tell(sequence));
    });
    await tell('ready');
    while (process.connected) {
      for (const stream of SHARED) await store.journal.load(stream);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await store.close();
  },

  async holder(path) {
    openEnvironment(path).transactionSync(() => {
      process.send?.('holds');
      const never = new Int32Array(new SharedArrayBuffer(4));
      while (!existsSync(join(path, RELEASE))) Atomics.wait(never, 0, 0, 10);
    });
    process.disconnect();
  },

  async forgetful(path) {
    const store = openLmdbStore({ path });
    for (const n of range(100)) void store.journal.append(entry(`s${n}`, 0));
    process.disconnect();
  },

  async opener(path) {
    try {
      openLmdbStore({ path, owner: { self: `process ${process.pid}`, isAlive: () => true } });
      await tell('opened');
    } catch (error) {
      await tell(error instanceof StoreInUse ? error.message : `something else: ${error}`);
      process.disconnect();
    }
  },

  async cramped(path) {
    const store = openLmdbStore({ path, shared: true });
    const big = 'x'.repeat(50_000);
    let before = 0;
    let failed = '';
    while (failed === '') {
      try {
        await store.journal.append(entry(`s${before}`, 0, { state: big }));
        before += 1;
      } catch (error) {
        failed = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      }
    }
    const reads = (await store.journal.load('s0')).state === big;
    const writes = await store.journal.append(entry('no-room', 0, { state: big })).then(
      () => true,
      () => false,
    );
    execFileSync('prlimit', [`--pid=${process.pid}`, '--fsize=unlimited']);
    let after = 0;
    await until('it sees that there is room', () =>
      store.journal.append(entry('after-0', 0, { state: big })).then(
        () => true,
        () => false,
      ),
    );
    for (after = 1; after < 20; after++)
      await store.journal.append(entry(`after-${after}`, 0, { state: big }));
    await store.close();
    await tell({ before, failed, whileFull: { reads, writes }, after } satisfies Cramped);
    process.disconnect();
  },
};

/** Appends `ROUNDS` events of its own to a stream on which others append too. */
async function appendTo(store: Store, stream: string, appended: Appended[]): Promise<void> {
  for (let round = 0; round < ROUNDS; ) {
    const { sequence: expected } = await store.journal.load(stream);
    const event = `${process.pid} ${round}`;
    const { type } = await store.journal.append(entry(stream, expected, { event }));
    if (type !== 'appended') continue;
    appended.push({ stream, sequence: expected + 1, event });
    round += 1;
  }
}

/** Counts a shared record up by `ROUNDS`, each time entering what it made of it into a list. */
async function countUp(store: Store): Promise<void> {
  for (let round = 0; round < ROUNDS; ) {
    const text = await store.records.get<string>(COUNT);
    const before = typeof text === 'string' ? text : undefined;
    const next = String(Number(before ?? 0) + 1);
    if (!(await store.swap(COUNT, before, next))) continue;
    await store.index.add('counted', next);
    round += 1;
  }
}

/** Counts a shared entity up by `ROUNDS`; the count is one of its keys. */
async function countUpEntity({ entities }: Store): Promise<void> {
  for (let round = 0; round < ROUNDS; ) {
    const { version: expected } = await entities.load(COUNTER);
    const index = { take: holding(COUNTER, expected + 1), release: holding(COUNTER, expected) };
    const { type } = await entities.commit({ name: COUNTER, expected, text: `${expected + 1}`, index });
    if (type === 'committed') round += 1;
  }
}

/** What an entity holds at a version: a key and a place in a list. */
export function holding(name: EntityName, version: number): IndexEntries {
  const entry = `${name} at ${version}`;
  return { unique: [entry], members: [{ list: 'holding', member: entry }] };
}

function tell(message: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });
}

const [role = '', path = ''] = process.argv.slice(2);
/** Written when it returns. A pipe whose reader is slow takes nothing for a while (EAGAIN). */
function say(line: string): void {
  const bytes = Buffer.from(line);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

if (process.send !== undefined || role === 'endless') await ROLES[role]?.(path);
