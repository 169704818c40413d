/** Opens the store that the settings name, with the folder locked where there is one. */
import { dirname, join } from 'node:path';
import type { Log } from '../../actors/base/log.ts';
import type { Bus } from '../../actors/cluster/bus.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import { openLmdbStore, StoreInUse } from '../../actors/store/lmdb/lmdb.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import { StartRefused } from '../options/refusal.ts';
import type { Config } from '../options/schema.ts';
import { lockFolder, pidOf } from '../process/lock.ts';
import { flushFolder } from './key-file.ts';
import { isRedisUrl, openRedis } from './redis.ts';

export interface OpenedStore {
  readonly store: Store;
  /** True where nothing survives the process. */
  readonly volatile: boolean;
  /** Whether reading costs next to nothing, because there is no network between. */
  readonly readsLocally: boolean;
  /** The store's own way to reach the other processes on it, where it has one. */
  readonly bus?: Bus;
  /** Where failed attempts are counted by all processes on it together, if they can be. */
  readonly counters?: Counters;
  /** Closes the store and gives the folder free. */
  close(): Promise<void>;
}

/**
 * Rejects with `StartRefused` when another process has the folder, or the store can not be used.
 * @param role a `worker` shares the folder with others, under the lock of the process that started them
 */
export async function openStore(
  { store: { dataDir, url }, redis }: Pick<Config, 'store' | 'redis'>,
  role: 'alone' | 'worker',
  log: Log,
): Promise<OpenedStore> {
  if (url !== undefined && isRedisUrl(url)) {
    return { ...(await openRedis(url, redis, log)), volatile: false, readsLocally: false };
  }
  if (url === 'memory:') {
    const store = createMemoryStore();
    return { store, volatile: true, readsLocally: true, close: () => store.close() };
  }
  const path = url === undefined ? join(dataDir, 'store') : url.slice('lmdb:'.length);
  if (role === 'worker') {
    const store = inFolder(path, () => openLmdbStore({ path, shared: true }));
    return { store, volatile: false, readsLocally: true, close: () => store.close() };
  }
  const lock = inFolder(path, () => lockFolder(path));
  if (lock.type === 'held') throw inUse(path, lock.pid);
  try {
    const store = inFolder(path, () => {
      const opened = openLmdbStore({ path, owner: lock.owner });
      // A power cut soon after the first start must not take the names away from files that were flushed.
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

function inFolder<Result>(path: string, task: () => Result): Result {
  try {
    return task();
  } catch (error) {
    if (error instanceof StoreInUse) throw inUse(path, pidOf(error.owner));
    const why = error instanceof Error ? error.message : String(error);
    throw new StartRefused(`the folder ${path} can not be used as a store: ${why}`, error);
  }
}

function inUse(path: string, pid: number | undefined): StartRefused {
  const who = pid === undefined ? 'another claimd' : `another claimd (process ${pid})`;
  return new StartRefused(`${who} is using ${path}: stop it, or set DATA_DIR to another folder`);
}
