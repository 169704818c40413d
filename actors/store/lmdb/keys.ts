/** What LMDB takes as a key. It refuses others in the middle of a transaction, so they are checked before. */
import type { IndexChanges } from '../../journal/journal.ts';

/** LMDB takes 1,978 bytes with its page size of 4,096; encoding a text as a key may add some. */
export const KEY_BYTES_MAX = 1_950;

/**
 * Throws for a head or index entry that cannot be written, before others' writes are in one transaction with it.
 *
 * @param name of the stream or entity
 */
export function checkKeys(name: string, index: IndexChanges | undefined): void {
  checkKey(name);
  for (const { unique, members } of index === undefined ? [] : [index.take, index.release]) {
    unique.forEach(checkKey);
    for (const { list, member } of members) checkKey(`${list}\0${member}`);
  }
}

/** Throws for a key that cannot be written. */
export function checkKey(key: string): void {
  if (!fits(key)) throw new RangeError(`a key of the store may have ${KEY_BYTES_MAX} bytes`);
}

/** Whether LMDB can hold a key. Under one that does not fit there is nothing to be found. */
export function fits(key: string): boolean {
  return key.length * 3 <= KEY_BYTES_MAX || Buffer.byteLength(key) <= KEY_BYTES_MAX;
}

/** The key of a list's member; no list has a NUL in its name. */
export function listKey(list: string, member: string): Buffer {
  return Buffer.from(`${list}\0${member}`);
}
