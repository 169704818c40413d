/**
 * The embedded store: LMDB in a folder, one process or several on one machine.
 *
 * Every write goes to one thread (`lmdb/writer.ts`), which commits in groups: what comes while a transaction is flushed is
 * the next transaction, and success is reported only after the flush. Conditions are checked inside the write
 * transaction, which LMDB gives to one process at a time, so they hold between processes too. Reads are done in the thread
 * that asks.
 *
 * The cost of an append is the number of keys it writes, and their bytes. So a device costs one key, its head, the part of it
 * that most events leave alone lies apart, and the rest is packed per commit:
 *
 *   heads    stream                 -> "<sequence> <alarmAt|-> <state>"; of devices `../../device/head.ts` says what a state is
 *   details  stream                 -> "<sequence> <details>": what the append of that number wrote, if any did
 *   entities kind/id                -> "<version> - <text>"; a table of its own, so that no walk over devices meets them
 *   log      number of the commit   -> one line per event: "<stream> <sequence> <event>"
 *   alarms   [bucket, commit]       -> one line per alarm: "<stream> <dueAt>"; stale ones are dropped on arrival
 *   holders  unique key             -> who holds it
 *   lists    "<list>\0<member>"     -> ""
 *   counts   list                   -> how many members
 *   records  key                    -> text (Keyv's)
 *   meta     "format", "owner"      -> format of all this, 4; who has the folder open
 *
 * That is format 4, which is not released yet; `lmdb/lift.ts` makes older ones into it.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CredentialsLift } from '../format-2.ts';
import { RecordsAdapter } from '../records.ts';
import type { Store } from '../store.ts';
import { LmdbEntities } from './entities.ts';
import { lookAtFile } from './first-look.ts';
import { LmdbIndex } from './index.ts';
import { LmdbJournal } from './journal.ts';
import { checkKey } from './keys.ts';
import { FORMAT, isKnownFormat, lift, needsNoLift } from './lift.ts';
import { recordsTable } from './records.ts';
import { makeLockFile, type Need, NoRoom, Room } from './room.ts';
import { depthOf, openEnvironment, openTables, type Read, type Tables } from './tables.ts';
import { type ObserveCommit, Writer } from './writer.ts';

export interface LmdbSettings {
  /** The folder; made if it is not there. */
  readonly path: string;
  /** Who we are, and whether another owner still lives; without it nobody is kept out. */
  readonly owner?: StoreOwner;
  /** Whether other processes work on the same folder too. */
  readonly shared?: boolean;
  /** Under which key tokens are lifted that an older format has in plain; without it such a folder is refused. */
  readonly credentials?: CredentialsLift;
  readonly onCommit?: ObserveCommit;
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

/** What making the tables writes, and what taking the folder does. */
const FOR_TABLES: Need = { keys: 32, bytes: 32 * 1024 };
const FOR_META: Need = { keys: 2, bytes: 4096 };

/**
 * Lifting may change every key. Sealed tokens are longer, by less than half of what a device takes; and format 1 writes
 * records anew as entities.
 */
function forLift(path: string, format: string): Need {
  const { size } = statSync(join(path, 'data.mdb'));
  const longer = Math.ceil(size / 2);
  return { keys: Math.ceil(size / 256), bytes: format === '1' ? size + longer : longer };
}

/** Opens the store. Throws `StoreInUse`, or an error when the folder cannot be used or holds an unknown format. */
export function openLmdbStore(settings: LmdbSettings): Store {
  const { path, owner, shared = false } = settings;
  const name = `lmdb:${path}`;
  lookAtFile(path);
  mkdirSync(path, { recursive: true });
  makeLockFile(path);
  const env = openEnvironment(path);
  const room = new Room(path);
  let tables: Tables;
  try {
    env.transactionSync(() => room.reserve(FOR_TABLES, 1));
    tables = openTables(env);
    takeFolder(tables, settings, room);
  } catch (error) {
    room.close();
    void env.close();
    throw error;
  }

  const writer = new Writer(name, path, settings.onCommit);
  let readAfter = 0;
  const read: Read = (work) =>
    writer.read(() => {
      // lmdb keeps a snapshot for a moment, in which later commits are not seen. Of our own commits the writer tells us;
      // of those of other processes nobody does.
      if (shared || readAfter !== writer.transactions) env.resetReadTxn();
      readAfter = writer.transactions;
      return work();
    });
  const table = recordsTable(tables, writer, read);
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    await writer.close();
    if (owner !== undefined) leaveFolder(tables, owner, room);
    room.close();
    await env.close();
  }

  return {
    name,
    journal: new LmdbJournal(tables, writer, read),
    entities: new LmdbEntities(tables, writer, read),
    index: new LmdbIndex(tables, writer, read),
    get records() {
      return new RecordsAdapter(table);
    },
    shared,
    async swap(key, expected, next) {
      checkKey(key);
      return writer.run({ type: 'swap-record', key, expected, next });
    },
    check: () => writer.run({ type: 'touch' }),
    close: () => (closing ??= close()),
  };
}

/**
 * Takes the folder and lifts its data to the newest format, in one write transaction: of two starters one gets it. Who shares a folder
 * lifts nothing: those with whom it does may be of an older version, and could not read what it makes.
 */
function takeFolder(
  tables: Tables,
  { path, owner, shared = false, credentials }: LmdbSettings,
  room: Room,
): void {
  const { meta } = tables;
  meta.transactionSync(() => {
    const format = meta.get('format');
    if (format !== undefined && !isKnownFormat(format)) {
      throw new Error(
        `the data folder ${path} has format ${format}; this version of claimd knows ${FORMAT} and older ones`,
      );
    }
    if (shared && format !== undefined && format !== FORMAT) {
      throw new Error(
        `it has format ${format}, and an older server may be at work on it: stop that one and start a server of this version, which makes the data into format ${FORMAT}`,
      );
    }
    const other = meta.get('owner');
    if (owner !== undefined && other !== undefined && other !== owner.self && owner.isAlive(other)) {
      throw new StoreInUse(path, other);
    }
    if (owner !== undefined) room.fillHoles();
    room.reserve(
      format === undefined || needsNoLift(format) ? FOR_META : forLift(path, format),
      depthOf(tables),
    );
    if (format !== undefined) lift(tables, format, credentials);
    if (format !== FORMAT) meta.putSync('format', FORMAT);
    if (owner !== undefined) meta.putSync('owner', owner.self);
  });
}

/** Releases the folder, unless somebody has taken it over meanwhile. */
function leaveFolder(tables: Tables, { self }: StoreOwner, room: Room): void {
  const { meta } = tables;
  try {
    meta.transactionSync(() => {
      room.reserve(FOR_META, depthOf(tables));
      if (meta.get('owner') === self) meta.removeSync('owner');
    });
  } catch (error) {
    // On a full disk the mark stays; whoever opens the folder next sees that its owner is dead.
    if (!(error instanceof NoRoom)) throw error;
  }
}
