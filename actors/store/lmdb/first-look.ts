/**
 * A first look at the database's file, before LMDB maps it: in a file that is cut off or is no database, LMDB meets pages that
 * are not there, and the process ends by SIGSEGV or SIGBUS without a word.
 *
 * It reads both meta pages and the root of every table of the newest transaction. Only if the file is shorter than the
 * last page that this transaction allocated, it walks all pages in use: LMDB does not write free pages at the end, so such
 * a file may be whole. Damage in the middle of a table is not looked for.
 *
 * Offsets are those of lmdb-js' LMDB on a 64-bit little-endian machine (`mdb.c`: MDB_page_header, MDB_meta, MDB_db, MDB_node).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../base/error-code.ts';

const HEADER = 24;
const META_END = 168;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const [BRANCH, LEAF, OVERFLOW, META] = [1, 2, 4, 8];
const [BIG_DATA, SUB_TABLE] = [1, 2];
/** The root's offset in an MDB_db; `NO_ROOT`: the table is empty. */
const ROOT = 40;
const NO_ROOT = 0xffffffffffffffffn;
/** How often a look is repeated because somebody committed meanwhile. */
const LOOKS = 100;

export interface Meta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: bigint;
  /** Of the free list and of the table of tables. */
  readonly roots: readonly bigint[];
}

/** Throws an error for the operator if the file in this folder cannot be a whole database. A missing or empty file is new. */
export function lookAtFile(folder: string): void {
  const path = join(folder, 'data.mdb');
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    if (fstatSync(file).size === 0) return;
    for (let look = 1; ; look += 1) {
      const meta = newestMeta(file);
      const damage =
        meta === undefined ? 'it is no LMDB database of this version' : new Look(file, meta).damage();
      if (damage === undefined) return;
      // Pages of a transaction are used again two transactions later.
      const committed = meta !== undefined && newestMeta(file)?.transaction !== meta.transaction;
      if (committed && look < LOOKS) continue;
      throw new Error(`${path} is damaged or was copied while it was written (${damage}): restore a backup`);
    }
  } finally {
    closeSync(file);
  }
}

/** The meta page of the newest transaction; undefined: this is no database. */
export function newestMeta(file: number): Meta | undefined {
  const first = readMeta(file, 0);
  const second = first && readMeta(file, first.pageSize);
  if (first === undefined || second === undefined || second.pageSize !== first.pageSize) return undefined;
  return second.transaction > first.transaction ? second : first;
}

function readMeta(file: number, at: number): Meta | undefined {
  const page = Buffer.alloc(META_END);
  if (readSync(file, page, 0, META_END, at) < META_END) return undefined;
  if ((page.readUInt16LE(18) & META) === 0 || page.readUInt32LE(24) !== MAGIC) return undefined;
  if ((page.readUInt32LE(28) & 0xffff) !== VERSION) return undefined;
  const pageSize = page.readUInt32LE(48);
  if (pageSize < 256 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return undefined;
  return {
    pageSize,
    lastPage: Number(page.readBigUInt64LE(144)),
    transaction: page.readBigUInt64LE(152),
    roots: [page.readBigUInt64LE(48 + ROOT), page.readBigUInt64LE(96 + ROOT)],
  };
}

/** One look at the tables of one transaction. */
class Look {
  readonly #file: number;
  readonly #meta: Meta;
  readonly #pages: number;
  readonly #short: boolean;

  constructor(file: number, meta: Meta) {
    this.#file = file;
    this.#meta = meta;
    this.#pages = Math.floor(fstatSync(file).size / meta.pageSize);
    this.#short = this.#pages <= meta.lastPage;
  }

  /** What is wrong, if anything is. */
  damage(): string | undefined {
    const [free = NO_ROOT, main = NO_ROOT] = this.#meta.roots;
    return this.#table(free, this.#short) ?? this.#table(main, true);
  }

  /** @param whole look at all pages of the table, and at the tables in it; else at its root */
  #table(root: bigint, whole: boolean): string | undefined {
    return root === NO_ROOT ? undefined : this.#page(Number(root), whole, 0);
  }

  #page(number: number, whole: boolean, depth: number): string | undefined {
    const { pageSize, lastPage } = this.#meta;
    const page = Buffer.alloc(pageSize);
    if (number > lastPage || readSync(this.#file, page, 0, pageSize, number * pageSize) < pageSize) {
      return `page ${number} of ${lastPage} is missing`;
    }
    const flags = page.readUInt16LE(18);
    const wrong = `page ${number} is not what it should be`;
    const isBranch = (flags & BRANCH) !== 0;
    if (Number(page.readBigUInt64LE(0)) !== number || isBranch === ((flags & LEAF) !== 0)) return wrong;
    if (depth > 32) return wrong;
    if (!whole) return undefined;
    const keys = page.readUInt16LE(20) >> 1;
    if (HEADER + 2 * keys > pageSize) return wrong;
    for (let key = 0; key < keys; key += 1) {
      const node = HEADER + page.readUInt16LE(HEADER + 2 * key);
      if (node + 8 > pageSize) return wrong;
      const damage = isBranch
        ? this.#page(page.readUInt32LE(node) + page.readUInt16LE(node + 4) * 2 ** 32, whole, depth + 1)
        : this.#leafNode(page, node, wrong);
      if (damage !== undefined) return damage;
    }
    return undefined;
  }

  /** @param node its offset in the page */
  #leafNode(page: Buffer, node: number, wrong: string): string | undefined {
    const flags = page.readUInt16LE(node + 4);
    const data = node + 8 + page.readUInt16LE(node + 6);
    if ((flags & SUB_TABLE) !== 0) {
      if (data + ROOT + 8 > page.length) return wrong;
      return this.#table(page.readBigUInt64LE(data + ROOT), this.#short);
    }
    if ((flags & BIG_DATA) === 0) return undefined;
    return data + 8 > page.length ? wrong : this.#overflow(Number(page.readBigUInt64LE(data)));
  }

  /** A value that is larger than a page, on pages of its own. */
  #overflow(number: number): string | undefined {
    const header = Buffer.alloc(HEADER);
    readSync(this.#file, header, 0, HEADER, Math.min(number, this.#pages) * this.#meta.pageSize);
    const isOverflow = (header.readUInt16LE(18) & OVERFLOW) !== 0;
    const fits = number + header.readUInt32LE(20) <= this.#pages;
    return isOverflow && fits ? undefined : `page ${number} and those behind it are missing`;
  }
}
