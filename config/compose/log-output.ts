/**
 * Where log lines go: standard output. A disk may be full, a terminal gone, a reader stuck: then lines wait, as many as fit, and
 * nothing else of the server does. pino's own destination takes a full disk for a bug, and tries to flush it for ever (sonic-boom 4.2.1).
 */
import { openSync, write, writeSync } from 'node:fs';
import { codeOf } from '../../actors/base/error-code.ts';

/**
 * Processes share one standard output. A pipe takes so many bytes of one write as a whole (PIPE_BUF of Linux); what is longer
 * may have lines of others in its middle when the pipe is slow.
 */
export const WHOLE_BYTES = 4_096;
/** Lines beyond so many bytes are lost. */
const WAITING_MAX = 16_000_000;
/** How long after a failure it is tried again. */
const REST_MS = 100;
/** How long the end of the process waits for a reader that takes nothing. */
const FLUSH_MS = 1_000;
const FLUSH_TRY_MS = 10;

export class LogOutput {
  readonly #to: number;
  readonly #onLost: (lines: number) => void;
  /** Whole lines, together where they are short; of the first one it may be the rest. */
  readonly #waiting: (string | Buffer)[] = [];
  #bytes = 0;
  #lost = 0;
  /** The first one is being written, by a thread. */
  #isWriting = false;
  /** Writing failed a moment ago, or only `flush` writes any more. */
  #isResting = false;
  #isGone = false;

  /**
   * @param to a file path or descriptor
   * @param onLost hears how many lines were lost, once there is room for more
   */
  constructor(to: string | number, onLost: (lines: number) => void) {
    this.#to = typeof to === 'string' ? openSync(to, 'a') : to;
    this.#onLost = onLost;
  }

  write(line: string): void {
    if (this.#isGone) return;
    const bytes = Buffer.byteLength(line);
    if (this.#lost > 0 ? this.#bytes > WAITING_MAX / 2 : this.#bytes + bytes > WAITING_MAX) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) {
      const lost = this.#lost;
      this.#lost = 0;
      this.#onLost(lost);
    }
    this.#bytes += bytes;
    const last = this.#waiting.length > 1 ? this.#waiting.at(-1) : undefined; // the first may be on its way
    if (typeof last === 'string' && Buffer.byteLength(last) + bytes <= WHOLE_BYTES)
      this.#waiting[this.#waiting.length - 1] = last + line;
    else this.#waiting.push(line);
    this.#next();
  }

  /** Writes what waits before this returns, unless it is not taken. */
  flush(): void {
    const until = performance.now() + FLUSH_MS;
    const [inFlight] = this.#isWriting ? this.#waiting.splice(0, 1) : [];
    for (;;) {
      const [chunk] = this.#waiting;
      if (chunk === undefined) break;
      try {
        const bytes = Buffer.from(chunk);
        this.#took(bytes, writeSync(this.#to, bytes));
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN' || performance.now() >= until) break;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FLUSH_TRY_MS);
      }
    }
    if (inFlight !== undefined) this.#waiting.unshift(inFlight);
  }

  /** From now on lines wait for `flush`: whoever ends the process at once waits for no thread. */
  hold(): void {
    this.#isResting = true;
  }

  #next(): void {
    const [chunk] = this.#waiting;
    if (chunk === undefined || this.#isWriting || this.#isResting) return;
    this.#isWriting = true;
    const bytes = Buffer.from(chunk);
    write(this.#to, bytes, (error, written) => {
      this.#isWriting = false;
      if (error === null) this.#took(bytes, written);
      else this.#failed(codeOf(error));
      this.#next();
    });
  }

  #took(bytes: Buffer, written: number): void {
    this.#bytes -= written;
    if (written < bytes.length) this.#waiting[0] = bytes.subarray(written);
    else this.#waiting.shift();
  }

  #failed(code: unknown): void {
    if (code === 'EPIPE') {
      this.#isGone = true; // nobody will ever read it
      this.#waiting.length = 0;
      return;
    }
    this.#isResting = true;
    const again = setTimeout(() => {
      this.#isResting = false;
      this.#next();
    }, REST_MS);
    // A reader that is slow gets all of it; for a disk with no room no process stays.
    if (code !== 'EAGAIN') again.unref();
  }
}
