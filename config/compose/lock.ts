/**
 * A lock that lets one process at a time use a store folder.
 *
 * The lock must end with its process, also after `kill -9`, and two processes that start together must not both get
 * it. flock(2) on a file in the folder does both, also between containers that share the folder, where process ids mean
 * nothing. Node has no call for it. But the lock belongs to the open file: the program `flock` (util-linux, busybox)
 * takes it on a descriptor that we pass, and it stays ours while we keep the file open.
 *
 * Without that program only the owner's record inside the store is left (`StoreOwner`). It is written in a transaction
 * and names the process by id and start time, which does not work between containers. Whoever has the lock knows that
 * the owner in that record is dead.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../actors/base/error-code.ts';
import type { StoreOwner } from '../../actors/store/lmdb/lmdb.ts';

export type FolderLock =
  | { readonly type: 'locked'; readonly owner: StoreOwner; release(): void }
  /** Another process has the folder. */
  | { readonly type: 'held'; readonly pid: number | undefined };

/** @param flockProgram the program to call; a test names one that does not exist */
export function lockFolder(folder: string, flockProgram = 'flock'): FolderLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'claimd.lock');
  const file = openSync(path, 'a+', 0o600); // programs that we start do not inherit it
  const release = () => closeSync(file);
  const flock = spawnSync(flockProgram, ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', file] });

  if (flock.status === 1) {
    const pid = readPid(path);
    release();
    return { type: 'held', pid };
  }
  ftruncateSync(file);
  writeSync(file, `${process.pid}\n`); // for the error message of the next process; the lock does not depend on it
  const self = identityOf(process.pid);
  // Any other status: there is no such program, or the file system has no locks.
  const isAlive = flock.status === 0 ? () => false : isProcessAlive;
  return { type: 'locked', owner: { self, isAlive }, release };
}

function readPid(path: string): number | undefined {
  const pid = Number(readFileSync(path, 'utf8').trim());
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

/** The process id in an owner's record, for messages. */
export function pidOf(identity: string): number | undefined {
  const pid = Number(identity.split(' ')[0]);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

/** Identifies a process uniquely: its id, its start time and the boot of the machine. */
function identityOf(pid: number): string {
  return `${pid} ${startOf(pid) ?? '-'} ${bootId() ?? '-'}`;
}

function isProcessAlive(identity: string): boolean {
  const pid = pidOf(identity);
  if (pid === undefined) return false;
  if (bootId() !== undefined) return identityOf(pid) === identity;
  try {
    process.kill(pid, 0); // without /proc all we can ask is whether the id is in use
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
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
