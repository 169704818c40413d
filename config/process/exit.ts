/** How the process ends, and how it talks to a person. Exit code 0: it ended as asked. */

/** The start failed by a fault, or a worker did while stopping. */
export const FAULT = 1;
/** An unknown flag or a bad option. */
export const MISUSE = 2;
/** The start was refused: a port or the data folder is in use, a file cannot be read. */
export const REFUSED = 3;

/** What stopping may take beyond the drain: closing the store, flushing the log. */
export const CLOSING_MS = 1500;
/** `npm start` passes on the signal that the terminal also sends to us: two within this time are one. */
export const SAME_SIGNAL_MS = 500;

/**
 * Ends the process at once by SIGKILL, as a crash would; the journal is built for that. `process.exit` would wait for
 * the thread that writes, which may wait for the disk or for another process's lock.
 */
export function endAtOnce(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('a process outlived its SIGKILL');
}

/** Writes a line for a person to standard error. */
export function printLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
