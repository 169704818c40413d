/** With what the process ends, and how it speaks to a person. */

export const FAULT = 1;
export const MISUSE = 2;
export const REFUSED = 3;

/** What stopping may take beyond the drain: closing the store, flushing the log. */
export const CLOSING_MS = 1500;
/** `npm start` passes on the signal that the terminal has sent to us as well: so close, two are one. */
export const SAME_SIGNAL_MS = 500;

export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
