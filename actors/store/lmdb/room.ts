/**
 * Room on the disk, made sure of before LMDB writes.
 *
 * LMDB must never meet a full disk: when a write of its pages fails, lmdb 3.5.6 writes 107 bytes into a buffer of 100
 * (`mdb.c`, "Attempting to write page at position"), and the process dies of a broken heap. So the file is made longer
 * here, by zeros that are really written, before the pages come; LMDB then overwrites what the disk has given already. A full
 * disk, a quota and a limit on file size all show in that write, as an error that harms nothing.
 *
 * It is done inside the write transaction: LMDB gives that to one process at a time, so nobody else writes to the file
 * meanwhile, and every page of the file was written at least once. Where a file system puts overwritten blocks in new
 * places (btrfs, ZFS), written zeros reserve nothing; there its free room is asked for too.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../base/error-code.ts';
import { newestMeta } from './first-look.ts';

/** There is no room for a write. Nothing was written. */
export class NoRoom extends Error {
  /** Bytes that a smaller transaction may still use. */
  readonly left: number;
  constructor(why: string, left: number) {
    super(`there is no room on its disk: ${why}`);
    this.name = 'NoRoom';
    this.left = left;
  }
}

/** The room that a transaction may need, from what it writes. */
export interface Need {
  /** Keys that are written or removed. */
  readonly keys: number;
  /** Of keys and values together. */
  readonly bytes: number;
}

const KIB = 1024;
/** The file grows by a sixteenth beyond what is needed, and at least by this: each byte of growth is written twice. */
const AHEAD_MIN = 64 * KIB;
/**
 * The most by which the file grows at once, if a transaction of fewer operations is content with that. Everybody waits while
 * zeros are written and flushed: 1 MiB takes about 4 ms of processor time, and 32 MiB took 120, and 30 more to flush.
 */
const GROWTH_MAX = KIB * KIB;
/** For LMDB's list of free pages, which it rewrites with each transaction: at most 75,000 numbers, some of them twice. */
const FREE_LIST_PAGES_MAX = 1024;
const FREE_LIST_PAGES_MIN = 32;
/** How long a full disk is believed to be full, and how long the free room that a file system told is believed. */
const BELIEVED_MS = 250;
/** Left to others where overwriting takes room. */
const MARGIN = 16 * KIB * KIB;
/** File systems that overwrite in place, by their number (statfs(2)): ext2 to ext4, tmpfs. */
const IN_PLACE: readonly number[] = [0xef53, 0x01021994];
/** lock.mdb of 126 readers has 8,192 bytes. LMDB takes a larger one as it is. */
const LOCK_FILE_BYTES = 8192;

const ZEROS = Buffer.alloc(LOCK_FILE_BYTES);
/**
 * Zeros are written a page of LMDB at a time. What is written at once, a file system may keep together in memory (ext4 since
 * Linux 6.16), and each later write of one page then looks at all pages that came with it.
 */
const WRITTEN_AT_ONCE = 4 * KIB;

export class Room {
  readonly #folder: string;
  readonly #file: number;
  readonly #inPlace: boolean;
  /** Until when nothing is tried, by the monotonic clock. */
  #fullUntil = 0;
  #full = '';
  /** Free bytes of the file system, less what was needed since it was asked. */
  #free = 0;
  #freeUntil = 0;

  /** @param folder of a database that is there */
  constructor(folder: string) {
    this.#folder = folder;
    this.#file = openSync(join(folder, 'data.mdb'), 'r+');
    this.#inPlace = IN_PLACE.includes(statfsSync(folder).type);
  }

  close(): void {
    closeSync(this.#file);
  }

  /**
   * A look at the file, for who makes up a transaction: what it may need without a long growth. Somebody else may
   * write before it begins, so `reserve` looks again.
   *
   * @param depth of the deepest table
   */
  look(depth: number): { isNear(need: Need): boolean } {
    const { inUse, pageSize } = this.#inUse();
    const near = fstatSync(this.#file).size + GROWTH_MAX - inUse * pageSize;
    return { isNear: (need) => pagesNeeded(need, depth, inUse) * pageSize <= near };
  }

  /**
   * Makes sure of the room that a transaction may need. Inside it, before its first write.
   *
   * @param depth of the deepest table
   * @throws NoRoom
   */
  reserve(need: Need, depth: number): void {
    const { inUse, pageSize } = this.#inUse();
    const bytes = pagesNeeded(need, depth, inUse) * pageSize;
    this.#reserveTail(inUse * pageSize, bytes);
    if (!this.#inPlace) this.#checkFree(bytes);
  }

  /** How many pages of the file LMDB uses. */
  #inUse(): { readonly inUse: number; readonly pageSize: number } {
    const meta = newestMeta(this.#file);
    if (meta === undefined) throw new Error('the meta pages of the store cannot be read');
    return { inUse: meta.lastPage + 1, pageSize: meta.pageSize };
  }

  /** @param end of what LMDB uses of the file */
  #reserveTail(end: number, bytes: number): void {
    const { size } = fstatSync(this.#file);
    const wanted = end + bytes;
    if (size >= wanted) return;
    if (performance.now() < this.#fullUntil) throw new NoRoom(this.#full, size - end);
    const ahead = Math.max(size / 16, AHEAD_MIN);
    const goal = Math.max(wanted, Math.min(wanted + ahead, size + GROWTH_MAX));
    const why = this.#fill(size, Math.ceil(goal / AHEAD_MIN) * AHEAD_MIN);
    const now = fstatSync(this.#file).size;
    if (now >= wanted) return;
    this.#full = why ?? 'the file does not grow';
    this.#fullUntil = performance.now() + BELIEVED_MS;
    throw new NoRoom(this.#full, now - end);
  }

  /** Writes zeros over a part of the file. Returns why it ended early, if it did. */
  #fill(from: number, to: number): string | undefined {
    try {
      for (let at = from; at < to; ) {
        at += writeSync(this.#file, ZEROS, 0, Math.min(WRITTEN_AT_ONCE, to - at), at);
      }
      return undefined;
    } catch (error) {
      if (!meansNoRoom(error)) throw error; // a disk that is broken (EIO) or read-only (EROFS) is no full one
      return error.message;
    }
  }

  #checkFree(bytes: number): void {
    if (performance.now() > this.#freeUntil || this.#free < bytes + MARGIN) {
      const { bavail, bsize } = statfsSync(this.#folder);
      this.#free = bavail * bsize;
      this.#freeUntil = performance.now() + BELIEVED_MS;
    }
    if (this.#free < bytes + MARGIN) {
      throw new NoRoom(`${this.#free} bytes are free`, Math.max(0, this.#free - MARGIN));
    }
    this.#free -= bytes;
  }

  /**
   * Gives blocks of the disk to all of the file. Older versions left holes in it, and a write into a hole can fail. Inside a
   * write transaction, by who has the folder alone.
   *
   * @throws NoRoom
   */
  fillHoles(): void {
    const { size, blocks } = fstatSync(this.#file);
    if (!this.#inPlace || blocks * 512 >= size) return;
    const page = Buffer.alloc(4096);
    for (let at = 0; at < size; at += page.length) {
      const bytes = readSync(this.#file, page, 0, page.length, at);
      if (!page.equals(ZEROS.subarray(0, page.length))) continue;
      const why = this.#fill(at, at + bytes);
      if (why !== undefined) throw new NoRoom(why, 0);
    }
  }
}

/** ENOSPC: the disk; EDQUOT: a quota; EFBIG: a limit on file size. */
const NO_ROOM: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Whether a write failed for want of room. Of any other reason an operator must not hear that it is a full disk. */
function meansNoRoom(error: unknown): error is Error {
  return NO_ROOM.includes(codeOf(error));
}

/**
 * Makes the lock file before LMDB does, who would make it as one hole: touching that in memory ends the process by SIGBUS
 * when the disk is full.
 */
export function makeLockFile(folder: string): void {
  const path = join(folder, 'lock.mdb');
  if (existsSync(path)) return;
  try {
    writeFileSync(path, ZEROS.subarray(0, LOCK_FILE_BYTES), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    // Somebody else was first: then it is there.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * How many pages a transaction allocates at most: each page that it changes goes to a new place, and pages split.
 *
 * @param depth of the deepest table
 * @param inUse pages of the file
 */
function pagesNeeded({ keys, bytes }: Need, depth: number, inUse: number): number {
  const changed = Math.min((keys + 1) * depth, inUse);
  const splitOnce = Math.min(keys, inUse) + Math.min(keys, Math.ceil(inUse / 16)) + 4 * depth;
  // A page that has split needs half a page of new entries before it splits again; large values have pages of their own.
  const filled = Math.ceil((4 * bytes) / 4096);
  const freeList = Math.min(FREE_LIST_PAGES_MIN + Math.ceil((inUse * 24) / 4096), FREE_LIST_PAGES_MAX);
  return changed + splitOnce + filled + freeList;
}
