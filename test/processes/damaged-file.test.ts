/** A database file that is cut off, overwritten or no database: the start says so and ends, and LMDB never maps it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lookAtFile } from '../../actors/store/lmdb/first-look.ts';
import { openLmdbStore } from '../../actors/store/lmdb/lmdb.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { within } from '../kit/patience.ts';
import { cleanUp, launch, startServer } from '../kit/process.ts';

const damaged = suite('store: a damaged file');
damaged.after(cleanUp);

/** A file with tables of several levels, free pages and values of many pages. */
async function madeFile(): Promise<Buffer> {
  const path = temporaryFolder();
  const store = openLmdbStore({ path });
  const long = 'x'.repeat(10_000);
  await Promise.all(Array.from({ length: 3000 }, (_, n) => store.swap(`key:${n}`, undefined, `value ${n}`)));
  for (let n = 0; n < 10; n += 1) await store.swap(`key:${n}`, `value ${n}`, long);
  for (let n = 0; n < 10; n += 1) await store.swap(`key:${n}`, long, undefined);
  for (let n = 0; n < 10; n += 1) await store.swap(`key:${n}`, undefined, long);
  await store.close();
  const file = readFileSync(join(path, 'data.mdb'));
  // Without the room at its end that was kept for more.
  const lastPages = [0, PAGE].map((meta) => Number(file.readBigUInt64LE(meta + 144)));
  return file.subarray(0, (Math.max(...lastPages) + 1) * PAGE);
}

const PAGE = 4096;
/** From a seed, so that a failure comes again. */
function noise(bytes: number): Buffer {
  let state = 1;
  return Buffer.from(
    Array.from({ length: bytes }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
}

function folderWith(file: Buffer): string {
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, 'store'));
  writeFileSync(join(dataDir, 'store', 'data.mdb'), file);
  return dataDir;
}

const replaced = (file: Buffer, from: number, by: Buffer): Buffer => {
  const copy = Buffer.from(file);
  by.copy(copy, from);
  return copy;
};

/** Page of the root of the newest transaction. Where it lies depends on which writes shared a transaction. */
function rootOf(file: Buffer): number {
  const at = (meta: number, offset: number) => Number(file.readBigUInt64LE(meta + offset));
  const newest = at(0, 152) > at(PAGE, 152) ? 0 : PAGE;
  return at(newest, 96 + 40);
}

const halves: { readonly [name: string]: (file: Buffer) => Buffer } = {
  'one byte': (file) => file.subarray(0, 1),
  'the first page': (file) => file.subarray(0, PAGE),
  'both meta pages and no more': (file) => file.subarray(0, 2 * PAGE),
  half: (file) => file.subarray(0, file.length / 2),
  'zeros from the root of its tables on': (file) =>
    replaced(file, rootOf(file) * PAGE, Buffer.alloc(file.length)),
  'zeros alone': (file) => Buffer.alloc(file.length),
  'meta pages, then zeros': (file) => replaced(file, 2 * PAGE, Buffer.alloc(file.length)),
  'meta pages, then noise': (file) => replaced(file, 2 * PAGE, noise(file.length)),
  'noise alone': (file) => noise(file.length),
  'meta page one of noise': (file) => replaced(file, PAGE, noise(PAGE)),
  'another version': (file) => replaced(file, 28, Buffer.from([1])),
  text: () => Buffer.from('this is no database\n'.repeat(1000)),
};

damaged('every such file is refused in words with exit code 3', async () => {
  const file = await madeFile();
  for (const [name, damage] of Object.entries(halves)) {
    const { code, signal, output } = await within(name, launch({ dataDir: folderWith(damage(file)) }).ended);
    assert.is(signal, null, name);
    assert.is(code, 3, `${name}: ${output}`);
    assert.match(
      output,
      /data\.mdb is damaged or was copied while it was written .*: restore a backup/,
      name,
    );
  }
  const backup = launch({
    dataDir: folderWith(file.subarray(0, file.length / 2)),
    args: ['backup', join(temporaryFolder(), 'backup')],
    env: {
      SECURITY_CLAIM_SERVER_KEY: Buffer.alloc(32, 1).toString('base64'),
      JWT_TOKEN_SIGNING_KEY: Buffer.alloc(64, 1).toString('base64'),
    },
  });
  const { code, output } = await within('the backup ends', backup.ended);
  assert.is(code, 3);
  assert.match(output, /data\.mdb is damaged/);
});

damaged('whole files are taken: as made, empty, longer than needed, cut to what is in use', async () => {
  const file = await madeFile();
  for (const whole of [file, Buffer.alloc(0), Buffer.concat([file, Buffer.alloc(10 * PAGE)])]) {
    lookAtFile(join(folderWith(whole), 'store'));
  }
  // As if the last transaction had allocated pages at the end and freed them: metas name pages that were never written.
  const shorter = Buffer.from(file);
  for (const meta of [0, PAGE]) {
    const at = meta + 144;
    shorter.writeBigUInt64LE(shorter.readBigUInt64LE(at) + 5n, at);
  }
  const dataDir = folderWith(shorter);
  lookAtFile(join(dataDir, 'store'));
  const server = await startServer({ dataDir });
  assert.is((await server.stop()).code, 0);
});

damaged('cut at any page, the look either refuses or all that is there can be read', async () => {
  const file = await madeFile();
  let refused = 0;
  for (let pages = 2; pages < file.length / PAGE; pages += 1) {
    const folder = join(folderWith(file.subarray(0, pages * PAGE)), 'store');
    try {
      lookAtFile(folder);
    } catch {
      refused += 1;
      continue;
    }
    const store = openLmdbStore({ path: folder });
    for (let n = 0; n < 3000; n += 1)
      assert.ok(await store.records.get(`key:${n}`), `${pages} pages: key ${n}`);
    await store.close();
  }
  assert.ok(refused > 0);
});

damaged('beside a writer it never takes a whole file for a damaged one', async () => {
  const path = temporaryFolder();
  const store = openLmdbStore({ path });
  let looks = 0;
  for (let n = 0; n < 300; n += 1) {
    const written = store.swap(`key:${n % 7}`, n < 7 ? undefined : `value ${n - 7}`, `value ${n}`);
    for (let look = 0; look < 3; look += 1, looks += 1) lookAtFile(path);
    assert.ok(await written);
  }
  await store.close();
  assert.is(looks, 900);
});

damaged.run();
