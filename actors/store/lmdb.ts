/**
 * The embedded store: LMDB in a folder, one process or several on one machine.
 *
 * Every write goes through one group commit (`group-commit.ts`): what comes in while a transaction is being flushed
 * is the next transaction, and nobody hears of success before the flush. Conditions are checked inside the write
 * transaction, which LMDB gives to one process at a time, so they hold between processes too.
 *
 * What an append costs is keys, so one device costs one key, its head, and the rest is packed per commit:
 *
 *   heads    stream                 -> "<sequence> <alarmAt|-> <state>"
 *   log      number of the commit   -> one line per event: "<stream> <sequence> <event>"
 *   alarms   [bucket, commit]       -> one line per alarm: "<stream> <dueAt>"; stale ones are dropped on arrival
 *   holders  unique key             -> who holds it
 *   lists    "<list>\0<member>"     -> ""
 *   counts   list                   -> how many members
 *   records  key                    -> text (Keyv's)
 *   meta     "format", "owner"      -> format of all this; who has the folder open
 */
import { type Database, open, type RootDatabase } from 'lmdb';
import { GroupCommit } from './group-commit.ts';
import { LmdbIndex } from './lmdb/index.ts';
import { LmdbJournal } from './lmdb/journal.ts';
import { checkKey } from './lmdb/keys.ts';
import { recordsTable } from './lmdb/records.ts';
import { openTables, type Read } from './lmdb/tables.ts';
import { Transaction } from './lmdb/transaction.ts';
import { RecordsAdapter } from './records.ts';
import type { Store } from './store.ts';

const FORMAT = '1';

export interface LmdbSettings {
  /** The folder; made if it is not there. */
  readonly path: string;
  /** Who we are and how to tell whether another owner still lives; without it nobody is kept out. */
  readonly owner?: StoreOwner;
  /** Whether other processes work on the same folder, with our consent. */
  readonly shared?: boolean;
}

/** Keeps a second server out of a folder that is in use. */
export interface StoreOwner {
  /** Names this process in a way that no other process, before or after a restart of the machine, shares. */
  readonly self: string;
  isAlive(other: string): boolean;
}

/** Another live process has the folder open. */
export class StoreInUse extends Error {
  readonly owner: string;
  constructor(path: string, owner: string) {
    super(`the data folder ${path} is in use by another process (${owner})`);
    this.name = 'StoreInUse';
    this.owner = owner;
  }
}

/** Opens the store. Throws `StoreInUse`, or an error when the folder can not be used or holds an unknown format. */
export function openLmdbStore({ path, owner, shared = false }: LmdbSettings): Store {
  const name = `lmdb:${path}`;
  // Not among lmdb's types. In the files are password hashes and access tokens: for their owner alone.
  const permissions = { permissionsMode: 0o600 };
  // Without `overlappingSync: false` a write would resolve before it is flushed.
  const env = open<string, string>({
    ...permissions,
    path,
    noSubdir: false, // it would take a folder with a dot in its name for a file
    overlappingSync: false,
    maxDbs: 16,
    encoding: 'string',
    cache: false,
    // The group commit below batches already; and lmdb's own batches hold promises that nobody hears, so that a full
    // disk would end the process by an unhandled rejection.
    eventTurnBatching: false,
  });
  const tables = openTables(env);
  try {
    claimFolder(tables.meta, path, owner);
  } catch (error) {
    void env.close();
    throw error;
  }

  const commits = new GroupCommit<Transaction>(
    name,
    (work) => transact(env, work),
    () => new Transaction(tables),
  );
  const read: Read = (work) =>
    commits.read(() => {
      // lmdb keeps a snapshot for a while; what another process committed meanwhile would not be seen.
      env.resetReadTxn();
      return work();
    });
  const table = recordsTable(tables, commits, read);
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    await commits.close();
    if (owner !== undefined) letGoOfFolder(tables.meta, owner);
    await env.close();
  }

  return {
    name,
    journal: new LmdbJournal(tables, commits, read),
    index: new LmdbIndex(tables, commits, read),
    get records() {
      return new RecordsAdapter(table);
    },
    shared,
    async swap(key, expected, next) {
      checkKey(key);
      return commits.run((transaction) => transaction.swapRecord(key, expected, next));
    },
    check: () => commits.run((transaction) => transaction.touch()),
    close: () => (closing ??= close()),
  };
}

/** Runs `work` in a write transaction of its own, and flushes it. */
async function transact(env: RootDatabase<string, string>, work: () => void): Promise<void> {
  try {
    await env.childTransaction(work); // a child, because only those are undone as a whole when `work` throws
  } catch (error) {
    throw await reasonOf(error);
  }
}

/**
 * Why a commit failed. lmdb tells it in a promise on the error, which rejects by itself: unheard, it would end the
 * process.
 */
async function reasonOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error)) return error;
  const told = Promise.resolve(error.commitError).then(
    () => error,
    (reason: unknown) => reason,
  );
  return Promise.race([told, new Promise((resolve) => setImmediate(resolve, error))]);
}

/** Checks the format and takes the folder, in one write transaction: of two starters exactly one gets it. */
function claimFolder(meta: Database<string, string>, path: string, owner: StoreOwner | undefined): void {
  meta.transactionSync(() => {
    const format = meta.get('format');
    if (format !== undefined && format !== FORMAT) {
      throw new Error(`the data folder ${path} has format ${format}; this version of claimd knows ${FORMAT}`);
    }
    if (format === undefined) meta.put('format', FORMAT);
    if (owner === undefined) return;
    const other = meta.get('owner');
    if (other !== undefined && other !== owner.self && owner.isAlive(other))
      throw new StoreInUse(path, other);
    meta.put('owner', owner.self);
  });
}

/** Gives the folder free, unless somebody has taken it over meanwhile. */
function letGoOfFolder(meta: Database<string, string>, { self }: StoreOwner): void {
  meta.transactionSync(() => {
    if (meta.get('owner') === self) meta.remove('owner');
  });
}
