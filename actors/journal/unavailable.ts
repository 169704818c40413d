/** The one fault that whoever reads or writes has to expect. Everything else that is thrown is a bug. */
import { type Log, logBounded } from '../base/log.ts';

/** The store cannot serve just now (disk full, connection lost, closed). Nothing is known about the last write. */
export class StoreUnavailable extends Error {
  /** Set where an operator can do something that the message alone would not tell a program. */
  readonly reason: 'no-room' | undefined;

  constructor(store: string, cause: unknown, reason?: 'no-room') {
    super(
      `the store (${store}) is not available: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
    this.name = 'StoreUnavailable';
    this.reason = reason;
  }
}

/**
 * For `promise.catch(…)`: `answer` where the store is not available. Whatever else went wrong is a bug, and is thrown on.
 */
export function ifUnavailable<Answer>(
  answer: (error: StoreUnavailable) => Answer,
): (error: unknown) => Answer {
  return (error) => {
    if (!(error instanceof StoreUnavailable)) throw error;
    return answer(error);
  };
}

/**
 * Logs that the store is not available: one line a second for each message, as every request of a busy server meets it.
 *
 * @param nowMs of one clock for each message; only differences count
 */
export function logUnavailable(
  log: Log,
  severity: 'warn' | 'error',
  nowMs: number,
  fields: { readonly err: StoreUnavailable; readonly [field: string]: unknown },
  message: string,
): void {
  logBounded(log, severity, nowMs, fields, message);
}
