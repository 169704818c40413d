/**
 * One process per data folder.
 *
 * The lock must never outlive its process (a `kill -9` leaves nothing behind) and two that start at once must not
 * both get it. Only the kernel can promise both, so it holds the lock: flock(2) on a file in the folder. Node has no
 * call for it, but the lock belongs to the open file, not to who asked for it: the program `flock` (util-linux,
 * busybox) takes it on a descriptor that we hand it and ends, and we keep the file open. This also works between
 * containers that share the folder, where process ids mean nothing.
 *
 * Where that program is missing (images without a shell), Linux' abstract sockets do nearly as well: a name that is
 * bound by one process at a time and vanishes with it, though only within one network namespace. Elsewhere there is no
 * lock, and the caller is told so.
 *
 * Left out on purpose: a file with a process id in it. It is stale after every crash, and ids are reused.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

export type LockResult =
  | { readonly type: 'locked'; readonly by: 'flock' | 'socket'; release(): void }
  /** Another process has the folder; its id where it is known. */
  | { readonly type: 'held'; readonly pid: number | undefined }
  /** This system offers no way to lock; nothing guards the folder. */
  | { readonly type: 'impossible' };

/** @param flockProgram the program to call; tests name one that does not exist */
export async function lockFolder(folder: string, flockProgram = 'flock'): Promise<LockResult> {
  const path = join(folder, 'claimd.lock');
  const file = openSync(path, 'a+', 0o600);
  const holder = (): number | undefined => {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  };
  const locked = (by: 'flock' | 'socket', release: () => void): LockResult => {
    ftruncateSync(file);
    writeSync(file, `${process.pid}\n`); // for the message of whoever comes second; the lock does not depend on it
    return { type: 'locked', by, release };
  };
  const held = (): LockResult => {
    const pid = holder();
    closeSync(file);
    return { type: 'held', pid };
  };

  const asked = spawnSync(flockProgram, ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', file] });
  if (asked.status === 0) return locked('flock', () => closeSync(file));
  if (asked.status === 1) return held();

  if (process.platform === 'linux') {
    const { dev, ino } = fstatSync(file);
    const server = await bindName(`claimd:${dev}:${ino}`);
    if (server === undefined) return held();
    return locked('socket', () => {
      server.close();
      closeSync(file);
    });
  }
  closeSync(file);
  return { type: 'impossible' };
}

/** Binds an abstract socket; undefined when another process has the name. Nobody ever talks over it. */
function bindName(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ path: `\0${name}`, exclusive: true }, () => {
      server.unref();
      resolve(server);
    });
  });
}
