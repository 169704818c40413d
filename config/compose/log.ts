/**
 * The log: JSON lines on standard output, by pino. No secret is put into a log line; should it happen by mistake, fields
 * with these names are redacted.
 */
import pino from 'pino';
import type { Log } from '../../actors/base/log.ts';

const SECRET_FIELDS = [
  'secret',
  'secretKey',
  'password',
  'token',
  'accessToken',
  'refreshToken',
  'activateToken',
  'credentialsId',
  'sealedToken',
  'sealedPassword',
  'username',
  'authorization',
  'x-authorization',
  'claimingData',
];

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface ProcessLog extends Log {
  /** Writes what is buffered, before the process ends. */
  flush(): void;
  /** Logs the last error of the process. It is written when this returns. */
  lastError(fields: object, message: string): void;
}

/**
 * Processes share one standard output. A pipe takes so many bytes of one write as a whole (PIPE_BUF of Linux); what is longer
 * may have lines of others in its middle when the pipe is slow.
 */
const WHOLE_BYTES = 4_096;
/** Of a line that would be longer, each text keeps so many characters. */
const CUT_TEXT = 300;

/** The line as it can be written whole: if need be with its texts cut, or else with what says where and when alone. */
export function wholeLine(line: string): string {
  if (Buffer.byteLength(line) <= WHOLE_BYTES) return line;
  const cut = (_: string, value: unknown) =>
    typeof value === 'string' && value.length > CUT_TEXT ? `${value.slice(0, CUT_TEXT)} (cut)` : value;
  const fields = JSON.parse(line, cut) as Record<string, unknown>;
  const shorter = `${JSON.stringify({ ...fields, isCut: true })}\n`;
  if (Buffer.byteLength(shorter) <= WHOLE_BYTES) return shorter;
  const { level, time, pid, msg } = fields;
  return `${JSON.stringify({ level, time, pid, msg, isCut: true })}\n`;
}

/**
 * @param base fields of every line, beside the process id
 * @param to a file path or descriptor; default: standard output. Writing does not block, so a slow reader does not slow
 *   down the server.
 */
export function createLog(level: LogLevel, base: object = {}, to: string | number = 1): ProcessLog {
  const destination = pino.destination({ dest: to, sync: false, maxWrite: WHOLE_BYTES });
  const options: pino.LoggerOptions = {
    level,
    base: { pid: process.pid, ...base },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => ['', '*.', '*.*.'].map((path) => `${path}["${field}"]`)).map(
        (path) => path.replace('.[', '['),
      ),
      censor: '[secret]',
    },
    hooks: { streamWrite: wholeLine },
  };
  const log = pino(options, destination);

  /** Ignores errors: the reader of the log may be gone. */
  function ignoringErrors(write: () => void): void {
    try {
      write();
    } catch {
      // there is nowhere to report it
    }
  }

  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    flush: () => ignoringErrors(() => destination.flushSync()),
    lastError(fields, message) {
      ignoringErrors(() => destination.flushSync());
      ignoringErrors(() => pino(options, pino.destination({ dest: to, sync: true })).error(fields, message));
    },
  };
}
