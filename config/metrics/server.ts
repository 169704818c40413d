/**
 * `GET /metrics` on a port of its own: what is measured is for operators, and must neither be open to customers nor wait
 * behind their requests.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Log } from '../../actors/base/log.ts';
import type { Family } from '../../actors/base/metrics.ts';
import { type Listening, listen } from '../../actors/sockets/listen.ts';
import { CONTENT_TYPES, expose, formatOf } from './exposition.ts';

export interface MetricsSettings {
  readonly bindAddress: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Whoever asks must show it as bearer token. Undefined: whoever reaches the port may ask. */
  readonly token: string | undefined;
}

export interface MetricsServer {
  readonly listening: Listening;
  stop(): Promise<void>;
}

/** A scrape takes milliseconds; whoever holds a connection for longer wants something else. */
const REQUEST_MS = 10_000;
const CONNECTIONS_MAX = 50;

/**
 * Listens, and reads the figures each time somebody asks.
 *
 * @throws ListenError
 */
export async function startMetrics(
  settings: MetricsSettings,
  read: () => Promise<readonly Family[]>,
  log: Log,
): Promise<MetricsServer> {
  const mayAsk = checkToken(settings.token);
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: 2 * REQUEST_MS },
    (request, response) => {
      const refusal = refusalOf(request, mayAsk);
      if (refusal !== undefined) {
        request.resume();
        response.writeHead(refusal.status, refusal.headers).end(`${refusal.why}\n`);
        return;
      }
      answer(request, response, read).catch((error: unknown) => {
        log.error({ err: error }, 'the figures could not be read');
        response.writeHead(500).end();
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  const listening = await listen(server, {
    what: 'Metrics',
    address: settings.bindAddress,
    port: settings.port,
    onError: (error) => log.error({ err: error }, 'metrics: cannot accept connections'),
  });
  return {
    listening,
    stop() {
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  read: () => Promise<readonly Family[]>,
): Promise<void> {
  const format = formatOf(request.headers.accept);
  const text = expose(await read(), format);
  response.writeHead(200, { 'Content-Type': CONTENT_TYPES[format], 'Cache-Control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : text);
}

interface Refusal {
  readonly status: number;
  readonly why: string;
  readonly headers: Readonly<Record<string, string>>;
}

function refusalOf(
  { method, url = '', headers }: IncomingMessage,
  mayAsk: (header: string | undefined) => boolean,
): Refusal | undefined {
  if (!mayAsk(headers.authorization)) {
    return { status: 401, why: 'a bearer token is needed', headers: { 'WWW-Authenticate': 'Bearer' } };
  }
  if (url.split('?', 1)[0] !== '/metrics') return { status: 404, why: 'there is /metrics here', headers: {} };
  if (method === 'GET' || method === 'HEAD') return undefined;
  return { status: 405, why: 'it can only be read', headers: { Allow: 'GET, HEAD' } };
}

/** Compared by digests, which take the same time whatever was shown. */
function checkToken(token: string | undefined): (header: string | undefined) => boolean {
  if (token === undefined) return () => true;
  const expected = digest(token);
  return (header) => {
    const shown = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
    return shown !== undefined && timingSafeEqual(digest(shown), expected);
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
