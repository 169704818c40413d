/**
 * Unique keys of plain records, without transactions.
 *
 * The order of writes is: take the key, write the record, look at the key again. A crash in between leaves a key
 * whose holder has no such record; such a key is worth nothing and may be taken over. Taking over while the holder
 * is merely slow (in another process) is settled as Dekker did it: the writer writes its record and then looks at
 * the key, the one who takes over takes the key and then looks for the record. At least one of them sees the other,
 * and whoever sees the other gives way; so never do two records stand on one key. Rarely both give way: then the key is
 * free, and asking again helps.
 */
import type { Index } from '../store/store.ts';

/**
 * Takes `key` for `holder`. Resolves to whether it is the holder's now.
 * @param stands whether the record of that id exists and says that it holds the key
 */
export async function takeKey(
  index: Index,
  key: string,
  holder: string,
  stands: (id: string) => Promise<boolean>,
): Promise<boolean> {
  const found = await index.claim(key, holder);
  if (found === holder) return true;
  if (await stands(found)) return false;

  await index.release(key, found);
  if ((await index.claim(key, holder)) !== holder) return false;
  if (await stands(found)) {
    await index.release(key, holder);
    await index.claim(key, found);
    return false;
  }
  return true;
}
