/**
 * Faults of LMDB after which a process must not go on: it ends, and is started again (`runtime/supervision.ts`).
 *
 * Its panic: the page that says which transaction is the newest could not be written. The environment then refuses everything
 * for as long as the process lives.
 *
 * A write of other pages that fails harms nothing by itself: the transaction is as if it had never been, and the next one may
 * succeed. But lmdb 3.5.6 writes what it says of it into 100 bytes, without looking (`room.ts`); where it was longer, it has
 * written over memory that is not its own.
 */
const MDB_PANIC = -30_795;

const WHAT_IS_SAID = /Attempting to write page at position.*/s;
/** What fits, without the zero behind it. */
const SAID_MAX = 99;

export class StorePanic extends Error {
  constructor(cause: unknown) {
    const what = hasOverrun(cause)
      ? 'a write of pages failed, and LMDB may have written over memory'
      : 'a write of its meta page failed';
    super(`the store cannot be used by this process any more: ${what}`, { cause });
    this.name = 'StorePanic';
  }
}

export function isPanic(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && error.code === MDB_PANIC) return true;
  return error.message.includes('MDB_PANIC') || hasOverrun(error);
}

function hasOverrun(error: unknown): boolean {
  const [said = ''] = (error instanceof Error && WHAT_IS_SAID.exec(error.message)) || [];
  return said.length > SAID_MAX;
}
