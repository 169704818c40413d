/** Opens the store that the settings name, and locks its folder if it has one. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../../actors/base/log.ts';
import type { Bus } from '../../actors/cluster/bus.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import { openLmdbStore, StoreInUse } from '../../actors/store/lmdb/lmdb.ts';
import type { ObserveCommit } from '../../actors/store/lmdb/writer.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import type { Config } from '../options/schema.ts';
import { flushFolder } from './key-file.ts';
import { credentialsLift, loadKeys } from './keys.ts';
import { lockFolder, pidOf } from './lock.ts';
import { isRedisUrl, openRedis } from './redis.ts';
import { StartRefused } from './refusal.ts';

export interface OpenedStore {
  readonly store: Store;
  /** Nothing survives the process. */
  readonly volatile: boolean;
  /** Reads are cheap, because they cross no network. */
  readonly readsLocally: boolean;
  /** The store's own bus to the other processes on it, if it has one. */
  readonly bus?: Bus;
  /** Counters that all processes on the store share, if it has them. */
  readonly counters?: Counters;
  /** Closes the store and releases the folder. */
  close(): Promise<void>;
}

/**
 * Rejects with `StartRefused` if another process has the folder, or the store cannot be used.
 *
 * @param role a `worker` shares the folder with others, under the lock of its supervisor; so does a `command`, which makes no
 *   store where a server has made none: there it was told the wrong place
 */
export async function openStore(
  config: Pick<Config, 'store' | 'redis' | 'claim' | 'accounts'>,
  role: 'alone' | 'worker' | 'command',
  log: Log,
  onCommit?: ObserveCommit,
): Promise<OpenedStore> {
  const watched = onCommit === undefined ? {} : { onCommit };
  const {
    store: { dataDir, url },
    redis,
  } = config;
  const credentials = credentialsLift(() => loadKeys(config, false), config.claim.acceptNewServerKey);
  if (url !== undefined && isRedisUrl(url)) {
    const opened = await openRedis(url, { ...redis, isThere: role === 'command' }, credentials, log);
    return { ...opened, volatile: false, readsLocally: false };
  }
  if (url === 'memory:') {
    if (role === 'command')
      throw new StartRefused('a store in memory belongs to its server alone: nothing can be done from here');
    const store = createMemoryStore();
    return { store, volatile: true, readsLocally: true, close: () => store.close() };
  }
  const path = lmdbFolder(dataDir, url);
  if (role === 'command') refuseMissing(path);
  if (role !== 'alone') {
    const store = inFolder(path, () => openLmdbStore({ path, shared: true, credentials, ...watched }));
    return { store, volatile: false, readsLocally: true, close: () => store.close() };
  }
  const lock = inFolder(path, () => lockFolder(path));
  if (lock.type === 'held') throw inUse(path, lock.pid);
  try {
    const store = inFolder(path, () => {
      const opened = openLmdbStore({ path, owner: lock.owner, credentials, ...watched });
      // Or a power cut soon after the first start could lose the names of flushed files.
      flushFolder(path);
      flushFolder(dirname(path));
      return opened;
    });
    return {
      store,
      volatile: false,
      readsLocally: true,
      async close() {
        await store.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** `lmdb`, `redis` or `memory`: for figures and logs, without secrets. */
export function storeKind(url: string | undefined): string {
  return url === undefined ? 'lmdb' : (url.split(':', 1)[0] ?? '').replace(/^rediss?(-cluster)?$/, 'redis');
}

/** @param url not that of another kind of store */
export function lmdbFolder(dataDir: string, url: string | undefined): string {
  return url === undefined ? join(dataDir, 'store') : url.slice('lmdb:'.length);
}

/** Throws `StartRefused` where no server has made a database. */
export function refuseMissing(path: string): void {
  if (!existsSync(join(path, 'data.mdb'))) throw new StartRefused(`there is no database in ${path}`);
}

function inFolder<Result>(path: string, task: () => Result): Result {
  try {
    return task();
  } catch (error) {
    if (error instanceof StartRefused) throw error;
    if (error instanceof StoreInUse) throw inUse(path, pidOf(error.owner));
    const why = error instanceof Error ? error.message : String(error);
    throw new StartRefused(`the folder ${path} cannot be used as a store: ${why}`, error);
  }
}

function inUse(path: string, pid: number | undefined): StartRefused {
  const who = pid === undefined ? 'another claimd' : `another claimd (process ${pid})`;
  return new StartRefused(`${who} is using ${path}: stop it, or set DATA_DIR to another folder`);
}
