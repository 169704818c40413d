/**
 * LMDB's panic: the page that says which transaction is the newest could not be written. The environment then refuses
 * everything for as long as the process lives, so the process ends and is started again (`runtime/supervision.ts`).
 */
const MDB_PANIC = -30_795;

export class StorePanic extends Error {
  constructor(cause: unknown) {
    super('the store cannot be used by this process any more: a write of its meta page failed', { cause });
    this.name = 'StorePanic';
  }
}

export function isPanic(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === MDB_PANIC) || error.message.includes('MDB_PANIC');
}
