/**
 * The log: JSON lines on standard output, by pino. No secret is put into a log line; should it happen by mistake, fields
 * with these names are redacted.
 */
import pino from 'pino';
import type { Log } from '../../actors/base/log.ts';
import { LogOutput, WHOLE_BYTES } from './log-output.ts';

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
  'sealedOther',
  'sealedPassword',
  'username',
  'authorization',
  'x-authorization',
  'claimingData',
];

/** How a line looks: `json` is pino's own, `ecs` follows the Elastic Common Schema 8. `LOG.md` has both. */
export type LogFormat = 'json' | 'ecs';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

const FORMATS: { readonly [format in LogFormat]: (base: object) => pino.LoggerOptions } = {
  json: (base) => ({
    base: { pid: process.pid, ...base },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  }),
  // Fields that ECS does not know stand in an object of their own, so that they meet no other's in an index.
  ecs: (base) => ({
    base: {
      ecs: { version: ECS_VERSION },
      service: { name: 'claimd' },
      process: { pid: process.pid },
      ...(Object.keys(base).length === 0 ? {} : { labels: base }),
    },
    messageKey: 'message',
    timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
    formatters: {
      level: (label) => ({ log: { level: label } }),
      log: ecsFields,
    },
  }),
};
const ECS_VERSION = '8.17.0';

function ecsFields({
  err,
  requestId,
  traceId,
  spanId,
  ...fields
}: Record<string, unknown>): Record<string, unknown> {
  const own = err === undefined || err instanceof Error ? fields : { ...fields, err };
  return {
    ...(err instanceof Error ? { error: ecsError(err) } : {}),
    ...(requestId === undefined ? {} : { http: { request: { id: requestId } } }),
    ...(traceId === undefined ? {} : { trace: { id: traceId } }),
    ...(spanId === undefined ? {} : { span: { id: spanId } }),
    ...(Object.keys(own).length === 0 ? {} : { claimd: own }),
  };
}

/** With what caused it in its stack, as pino's own form has it. */
function ecsError(error: Error): object {
  const { type, message, stack } = pino.stdSerializers.err(error);
  return { type, message, stack_trace: stack };
}

export interface ProcessLog extends Log {
  /** Writes what is buffered, before the process ends; what nobody takes is lost. */
  flush(): void;
  /** Logs the last error of the process. It is written when this returns, if it can be. */
  lastError(fields: object, message: string): void;
}

/** Of a line that would be longer, each text keeps so many characters. */
const CUT_TEXT = 300;

/** In both formats. */
const WHERE_AND_WHEN = ['level', 'time', 'pid', 'msg', 'log', '@timestamp', 'process', 'message'];

/** The line as it can be written whole: if need be with its texts cut, or else with what says where and when alone. */
export function wholeLine(line: string): string {
  if (Buffer.byteLength(line) <= WHOLE_BYTES) return line;
  const cut = (_: string, value: unknown) =>
    typeof value === 'string' && value.length > CUT_TEXT ? `${value.slice(0, CUT_TEXT)} (cut)` : value;
  const fields = JSON.parse(line, cut) as Record<string, unknown>;
  const shorter = `${JSON.stringify({ ...fields, isCut: true })}\n`;
  if (Buffer.byteLength(shorter) <= WHOLE_BYTES) return shorter;
  const kept = Object.entries(fields).filter(([name]) => WHERE_AND_WHEN.includes(name));
  return `${JSON.stringify({ ...Object.fromEntries(kept), isCut: true })}\n`;
}

/**
 * @param base fields of every line, beside the process id
 * @param to a file path or descriptor; default: standard output. Writing does not block, so a slow reader does not slow
 *   down the server.
 */
export function createLog(
  { level, format }: { readonly level: LogLevel; readonly format: LogFormat },
  base: object = {},
  to: string | number = 1,
): ProcessLog {
  const output = new LogOutput(to, (lines) =>
    log.warn({ lines }, 'lines of the log were lost: nobody took them for too long'),
  );
  const options: pino.LoggerOptions = {
    level,
    ...FORMATS[format](base),
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => ['', '*.', '*.*.'].map((path) => `${path}["${field}"]`)).map(
        (path) => path.replace('.[', '['),
      ),
      censor: '[secret]',
    },
    hooks: { streamWrite: wholeLine },
  };
  const log = pino(options, output);

  return {
    debugs: log.isLevelEnabled('debug'),
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    flush: () => output.flush(),
    lastError(fields, message) {
      output.hold();
      log.error(fields, message);
      output.flush();
    },
  };
}
