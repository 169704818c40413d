/**
 * One process per store folder.
 *
 * The lock must never outlive its process (a `kill -9` leaves nothing behind) and two that start at once must not
 * both get it. The kernel promises both with flock(2) on a file in the folder. Node has no call for it, but the lock
 * belongs to the open file, not to who asked for it: the program `flock` (util-linux, busybox) takes it on
 * a descriptor that we hand it and ends, and we keep the file open. This also holds between containers that share the
 * folder, where process ids mean nothing.
 *
 * Where that program is missing there remains the owner's record inside the store, which is written in a transaction
 * and names its process by id and start (`StoreOwner`); it is blind between containers. With the lock in hand, an
 * owner found in that record can only be a dead one.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreOwner } from '../../actors/store/lmdb/lmdb.ts';

export type FolderLock =
  | { readonly type: 'locked'; readonly owner: StoreOwner; release(): void }
  /** Another process has the folder; its id where it is known. */
  | { readonly type: 'held'; readonly pid: number | undefined };

/** @param flockProgram the program to call; a test names one that does not exist */
export function lockFolder(folder: string, flockProgram = 'flock'): FolderLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'claimd.lock');
  const file = openSync(path, 'a+', 0o600); // not inherited by programs that we start, so nobody else keeps the lock
  const release = () => closeSync(file);
  const asked = spawnSync(flockProgram, ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', file] });

  if (asked.status === 1) {
    const pid = readPid(path);
    release();
    return { type: 'held', pid };
  }
  ftruncateSync(file);
  writeSync(file, `${process.pid}\n`); // for the message of whoever comes second; the lock does not depend on it
  const self = identityOf(process.pid);
  // Any other status: no such program, or a file system without locks.
  const isAlive = asked.status === 0 ? () => false : isProcessAlive;
  return { type: 'locked', owner: { self, isAlive }, release };
}

function readPid(path: string): number | undefined {
  const pid = Number(readFileSync(path, 'utf8').trim());
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

/** The process id an owner's record names, for messages. */
export function pidOf(identity: string): number | undefined {
  const pid = Number(identity.split(' ')[0]);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

/** Names a process as no other before or after it is named: its id, its start, and which run of the machine. */
function identityOf(pid: number): string {
  return `${pid} ${startOf(pid) ?? '-'} ${bootId() ?? '-'}`;
}

function isProcessAlive(identity: string): boolean {
  const pid = pidOf(identity);
  if (pid === undefined) return false;
  if (bootId() !== undefined) return identityOf(pid) === identity;
  try {
    process.kill(pid, 0); // no /proc here: all that can be asked is whether the id is in use
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** When a process started, in clock ticks since boot: field 22 of /proc/PID/stat (proc_pid_stat(5)). */
function startOf(pid: number): string | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  // Field 2 is the program's name in parentheses and may hold anything, so count from the last parenthesis.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function bootId(): string | undefined {
  return readProc('/proc/sys/kernel/random/boot_id')?.trim();
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
