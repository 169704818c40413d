/** Room on the disk for LMDB: what a write says that makes it sure. A broken disk is not taken for a full one. */
import fs, { statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProfileId } from '../../actors/base/ids.ts';
import { indexEntries } from '../../actors/device/indexes.ts';
import { NO_ENTRIES } from '../../actors/journal/index-changes.ts';
import { openLmdbStore } from '../../actors/store/lmdb/lmdb.ts';
import { needOf } from '../../actors/store/lmdb/needs.ts';
import { NoRoom, Room } from '../../actors/store/lmdb/room.ts';
import { entry, range } from '../contract/store.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { claimed, DEVICE, given, idOf, OPEN_POLICY } from '../kit/given.ts';

const PROFILE = idOf<ProfileId>(41);
const NEED = { keys: 10, bytes: 4 * 1024 * 1024 };

type Writes = (file: number, bytes: Uint8Array, offset: number, length: number, at: number) => number;

/** While it runs, each write fails with an error of the system. */
function whileWritesFail(code: string, work: () => void): void {
  const { writeSync } = fs;
  const fail = (): never => {
    throw Object.assign(new Error(`${code}: write`), { code });
  };
  Object.assign(fs, { writeSync: fail });
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    Object.assign(fs, { writeSync });
    syncBuiltinESMExports();
  }
}

test('room: a full disk, a quota and a limit on files are no room; EIO and EROFS are not', async () => {
  const folder = temporaryFolder();
  await openLmdbStore({ path: folder }).close();
  for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS']) {
    const room = new Room(folder);
    let met: unknown;
    whileWritesFail(code, () => {
      try {
        room.reserve(NEED, 2);
      } catch (error) {
        met = error;
      }
    });
    assert.is(met instanceof NoRoom, !['EIO', 'EROFS'].includes(code), code);
    assert.match(met instanceof Error ? met.message : '', code);
    room.close();
  }
  const room = new Room(folder);
  const before = statSync(join(folder, 'data.mdb')).size;
  room.reserve(NEED, 2);
  assert.ok(statSync(join(folder, 'data.mdb')).size > before, 'afterwards there is room');
  room.close();
});

test('room: zeros are written a page at a time, since what is written at once makes later writes of one page dearer', async () => {
  const folder = temporaryFolder();
  await openLmdbStore({ path: folder }).close();
  const room = new Room(folder);
  const { writeSync } = fs;
  const lengths: number[] = [];
  const noting: Writes = (file, bytes, offset, length, at) => {
    lengths.push(length);
    return writeSync(file, bytes, offset, length, at);
  };
  Object.assign(fs, { writeSync: noting });
  syncBuiltinESMExports();
  try {
    room.reserve(NEED, 2);
  } finally {
    Object.assign(fs, { writeSync });
    syncBuiltinESMExports();
  }
  room.close();
  assert.is(Math.max(...lengths), 4096);
  assert.ok(lengths.length > NEED.bytes / 4096, 'it has written what is needed');
});

/** The most by which the file grows where a smaller transaction would do, and what rounding adds. */
const GROWTH_MAX = 1024 * 1024 + 64 * 1024;

test('room: what is near lets the file grow by little, however much it is; what is far gets its room at once', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'data.mdb');
  const store = openLmdbStore({ path: folder });
  await Promise.all(range(2_000).map((n) => store.journal.append(entry(`s${n}`, 0))));
  await store.close();
  const room = new Room(folder);
  const met = new Set<boolean>();
  for (const bytes of [...range(200).map((n) => 5_000 * n), 8 * GROWTH_MAX, 9 * GROWTH_MAX]) {
    const need = { keys: bytes / 1_000, bytes };
    const { isNear } = room.look(3);
    const before = statSync(file).size;
    room.reserve(need, 3);
    const grown = statSync(file).size - before;
    assert.is(isNear(need), grown <= GROWTH_MAX, `${bytes} bytes: by ${grown}`);
    assert.ok(room.look(3).isNear(need));
    met.add(isNear(need));
  }
  assert.is(met.size, 2);
  room.close();
});

test('room: who is told that the store works has room for a device, also one that is owned and in every list', () => {
  const touch = needOf({ type: 'touch' });
  for (const { state } of [given(OPEN_POLICY), given(OPEN_POLICY, claimed())]) {
    const device = state.status === 'absent' ? state : { ...state, label: 'in the hall', profileId: PROFILE };
    const { keys, bytes } = needOf({
      type: 'append',
      entry: {
        stream: DEVICE,
        expected: 0,
        event: 'e'.repeat(16_000),
        state: 's',
        alarmAt: null,
        details: 'd'.repeat(16_000),
        index: { take: indexEntries(DEVICE, device), release: NO_ENTRIES },
      },
    });
    assert.ok(keys <= touch.keys, `${keys} keys`);
    assert.ok(bytes <= touch.bytes, `${bytes} bytes`);
  }
});

test.run();
