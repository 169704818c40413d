/** Room on the disk for LMDB: what a write says that makes it sure. A broken disk is not taken for a full one. */
import fs, { statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openLmdbStore } from '../../actors/store/lmdb/lmdb.ts';
import { NoRoom, Room } from '../../actors/store/lmdb/room.ts';
import { temporaryFolder } from '../kit/folders.ts';

const NEED = { keys: 10, bytes: 4 * 1024 * 1024 };

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

test.run();
