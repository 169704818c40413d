/** With what the process ends, and how it speaks to a person. */

export const FAULT = 1;
export const MISUSE = 2;
export const REFUSED = 3;

/** What stopping may take beyond the drain: closing the store, flushing the log. */
export const CLOSING_MS = 1500;
/** `npm start` passes on the signal that the terminal has sent to us as well: so close, two are one. */
export const SAME_SIGNAL_MS = 500;

/**
 * Ends the process this instant, by SIGKILL, as a crash would; the journal is made for that. `process.exit` is no way to
 * do it: that waits for the thread that writes, and that one for the disk, or for another process that has the lock.
 */
export function endAtOnce(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('a process outlived its SIGKILL');
}

export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
