/**
 * The log: JSON lines on standard output, one per fact, by pino. Nothing secret is ever put into a log line; should
 * it happen by mistake, fields with telling names are blotted out.
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
  'username',
  'authorization',
  'x-authorization',
  'claimingData',
];

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface ProcessLog extends Log {
  /** Writes what has not been written yet, before the process ends. */
  flush(): void;
  /** Says an error that is the process's last: it is written when this returns, whatever else is still on its way. */
  lastError(fields: object, message: string): void;
}

/**
 * @param base what stands in every line, beside the process id
 * @param to a file path or descriptor; default: standard output. Writing does not block: a slow reader of the log
 *   does not slow down the server.
 */
export function createLog(level: LogLevel, base: object = {}, to: string | number = 1): ProcessLog {
  const destination = pino.destination({ dest: to, sync: false });
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
  };
  const log = pino(options, destination);

  /** Runs what may fail because nobody reads the log any more. */
  function heardOrNot(write: () => void): void {
    try {
      write();
    } catch {
      // there is nobody to be told
    }
  }

  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    flush: () => heardOrNot(() => destination.flushSync()),
    lastError(fields, message) {
      heardOrNot(() => destination.flushSync());
      heardOrNot(() => pino(options, pino.destination({ dest: to, sync: true })).error(fields, message));
    },
  };
}
