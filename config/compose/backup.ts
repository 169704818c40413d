/**
 * Copies the data of a server, running or not, into a new folder: the database and the generated keys.
 *
 * The copy is made under another name beside the folder and renamed when all of it is on disk, so that the folder is a
 * whole backup or is not there.
 */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf } from '../../actors/base/error-code.ts';
import { copyLmdbStore } from '../../actors/store/lmdb/copy.ts';
import type { Config } from '../options/schema.ts';
import { flushFolder } from './key-file.ts';
import { OTHER_KEY_FILES } from './keys.ts';
import { isRedisUrl } from './redis.ts';
import { StartRefused } from './refusal.ts';
import { lmdbFolder, refuseMissing } from './store.ts';

export interface Backup {
  readonly folder: string;
  /** Of the copied database. */
  readonly bytes: number;
  /** Keys that the settings give, which are therefore not in the backup. */
  readonly keysElsewhere: readonly string[];
}

/**
 * Holds what was acknowledged before the call, and leaves the source alone.
 *
 * @param folder is made; may exist if it is empty
 * @throws StartRefused if there is nothing to copy, or no place for it
 */
export async function backUp(config: Config, folder: string): Promise<Backup> {
  const target = resolve(folder);
  const source = sourceOf(config);
  const keys = keysOf(config);
  refuseUsed(target);
  let draft: string | undefined;
  try {
    mkdirSync(dirname(target), { recursive: true });
    draft = mkdtempSync(join(dirname(target), `${basename(target)}.partial-`)); // made with mode 0700
    const store = join(draft, 'store');
    mkdirSync(store, { mode: 0o700 });
    await copyLmdbStore(source, store);
    const copied = [join(store, 'data.mdb')];
    for (const { file } of keys.inFiles) {
      const copy = join(draft, file);
      copyFileSync(join(config.store.dataDir, file), copy);
      copied.push(copy);
    }
    for (const path of copied) {
      chmodSync(path, 0o600);
      flushFile(path);
    }
    flushFolder(store);
    flushFolder(draft);
    renameSync(draft, target); // fails unless the target is missing or an empty folder
    draft = undefined;
    flushFolder(dirname(target));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartRefused(`the copy to ${target} failed: ${why}`, error);
  } finally {
    if (draft !== undefined) rmSync(draft, { recursive: true, force: true });
  }
  const { size } = statSync(join(target, 'store', 'data.mdb'));
  return { folder: target, bytes: size, keysElsewhere: keys.elsewhere };
}

/** The folder of the database. */
function sourceOf({ store: { dataDir, url } }: Config): string {
  if (url !== undefined && isRedisUrl(url)) {
    throw new StartRefused(
      "the data is in Redis, so the backup is Redis' own: after BGSAVE copy its RDB file, or copy its AOF folder as " +
        'its manual says, of every master; and keep server.key and jwt.key of the data folder with it',
    );
  }
  if (url === 'memory:') throw new StartRefused('a store in memory is gone with its server: nothing to copy');
  const path = lmdbFolder(dataDir, url);
  refuseMissing(path);
  return path;
}

function keysOf(config: Config): {
  readonly inFiles: readonly { readonly file: string }[];
  readonly elsewhere: readonly string[];
} {
  const { claim, accounts } = config;
  const keys = [
    { file: 'server.key', given: claim.serverKey, isNeeded: true },
    { file: 'jwt.key', given: accounts.jwtSigningKey, isNeeded: true },
    { file: OTHER_KEY_FILES.serverKey, given: claim.otherServerKey, isNeeded: false },
    { file: OTHER_KEY_FILES.jwtKey, given: accounts.otherJwtSigningKey, isNeeded: false },
  ];
  const inFiles = keys.filter(({ file, given, isNeeded }) => {
    if (given !== undefined) return false;
    const path = join(config.store.dataDir, file);
    if (existsSync(path)) return true;
    if (!isNeeded) return false;
    throw new StartRefused(
      `there is no key in ${path}, and none in the settings: without it the data is of no use`,
    );
  });
  return { inFiles, elsewhere: keys.flatMap(({ file, given }) => (given === undefined ? [] : file)) };
}

function refuseUsed(target: string): void {
  let names: string[];
  try {
    names = readdirSync(target);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    const why = error instanceof Error ? error.message : String(error);
    throw new StartRefused(`${target} cannot be used: ${why}`, error);
  }
  if (names.length > 0) throw new StartRefused(`${target} is not empty: name a folder that is not there yet`);
}

function flushFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
