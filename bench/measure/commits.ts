/** Reads from outside how many transactions a store has committed. */
import { open } from 'lmdb';

/** From the head page of an LMDB environment, which another process may be writing to. */
export function lmdbCommits(path: string): { read(): number | undefined; close(): Promise<void> } {
  const env = open<string, string>({ path, readOnly: true, maxDbs: 16, encoding: 'string' });
  return {
    read() {
      const stats: unknown = env.getStats();
      if (typeof stats !== 'object' || stats === null || !('lastTxnId' in stats)) return undefined;
      return typeof stats.lastTxnId === 'number' ? stats.lastTxnId : undefined;
    },
    close: () => env.close(),
  };
}
