/** Copies the embedded store into another folder, while servers read and write it. */
import { lookAtFile } from './first-look.ts';
import { openToRead } from './tables.ts';

/**
 * Copies what is committed when it begins, as one snapshot: it reads as a transaction, and keeps no writer waiting. Free
 * pages are left out. The copy is not flushed.
 *
 * @param from the folder of a store
 * @param to an empty folder
 */
export async function copyLmdbStore(from: string, to: string): Promise<void> {
  lookAtFile(from);
  const env = openToRead(from);
  try {
    await env.backup(to, true);
  } finally {
    await env.close();
  }
}
