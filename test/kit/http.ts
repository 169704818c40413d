/**
 * One HTTP request, as tests send many of. It uses node:http, since `fetch` takes five times the processor time, more
 * than the server that is tested.
 */
import { Agent, request } from 'node:http';

/** The connection broke before the answer was there: the request may have been carried out, or not. */
export class ConnectionBroken extends Error {
  override readonly name = 'ConnectionBroken';
  /** Nobody listens there: the request was never sent. */
  readonly refused: boolean;

  constructor(what: string, cause: Error) {
    super(`${what}: ${cause.message}`, { cause });
    this.refused = 'code' in cause && cause.code === 'ECONNREFUSED';
  }
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

export interface Sent {
  readonly method: string;
  /** As `x-authorization: Bearer`. */
  readonly token?: string | undefined;
  /** Sent as JSON. */
  readonly body?: object | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** After so long without an answer the connection is cut. */
  readonly limitMs?: number;
}

/** An idle connection is closed here, long before a server closes it: that might be when the next request is on its way. */
const IDLE_MS = 20_000;
const agent = new Agent({ keepAlive: true, timeout: IDLE_MS });

/** Resolves to whatever is answered. Rejects with `ConnectionBroken` when no answer comes. */
export function send(url: string, { method, token, body, headers: more, limitMs }: Sent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const broken = (cause: Error) => reject(new ConnectionBroken(`${method} ${url}`, cause));
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      ...more,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { 'x-authorization': `Bearer ${token}` }),
      ...(method === 'GET' ? {} : { 'content-length': Buffer.byteLength(text) }),
    };
    const signal = limitMs === undefined ? {} : { signal: AbortSignal.timeout(limitMs) };
    const sent = request(url, { method, agent, headers, ...signal }, (response) => {
      let received = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        received += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: received }));
      response.on('error', broken);
    });
    sent.on('error', broken);
    sent.end(text);
  });
}
