/** What this server needs of a logger; pino fits. Fields are data and the message is a constant; neither holds a secret. */
export interface Log {
  /** False where nobody reads `debug`: what only such a line needs need not be looked up. */
  readonly debugs?: boolean;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

const LINE_EVERY_MS = 1000;
const lines = new WeakMap<Log, Map<string, { loggedAt: number; leftOut: number }>>();

/**
 * Logs what every request of a busy server may meet: one line a second for each message, which says how many were left out.
 *
 * @param nowMs of one clock for each message; only differences count
 */
export function logBounded(
  log: Log,
  severity: 'warn' | 'error',
  nowMs: number,
  fields: object,
  message: string,
): void {
  const ofLog = lines.get(log) ?? new Map<string, { loggedAt: number; leftOut: number }>();
  lines.set(log, ofLog);
  const last = ofLog.get(message);
  // A clock that was set back must not silence the log.
  if (last !== undefined && Math.abs(nowMs - last.loggedAt) < LINE_EVERY_MS) {
    last.leftOut += 1;
    return;
  }
  ofLog.set(message, { loggedAt: nowMs, leftOut: 0 });
  const leftOut = last?.leftOut ?? 0;
  log[severity](leftOut === 0 ? fields : { ...fields, leftOut }, message);
}
