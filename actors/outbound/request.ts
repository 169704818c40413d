/**
 * One request to somebody else's server: to a public address only (`addresses.ts`), within one time limit over everything,
 * with an answer of bounded size. Redirects are not followed, connections are not shared, and proxies of the environment
 * are not used.
 *
 * What went wrong is told in three words, so that nobody can find out by them what is open inside: `blocked` is the same
 * whatever is behind a forbidden address, because no connection is made.
 */
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { createGrowingBuffer } from '../base/growing-buffer.ts';
import type { TenantId } from '../base/ids.ts';
import type { AddressFilter } from './addresses.ts';
import { createLookUps, type Resolve, systemResolve } from './look-ups.ts';

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'OPTIONS';
  readonly url: URL;
  /** Whose the URL is; null: the operator's. */
  readonly tenantId: TenantId | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For all of it: name, connection, TLS, answer. */
  readonly timeoutMs: number;
  /** What is read of the answer; where there is more, the connection is closed. */
  readonly answerBytesMax: number;
}

export type OutboundAnswer =
  | {
      readonly type: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
      readonly body: Buffer;
      /** Whether there was more than `answerBytesMax`. */
      readonly isCut: boolean;
    }
  | { readonly type: 'failed'; readonly why: 'blocked' | 'unreachable' | 'timeout' };

/** Never rejects. */
export type SendOutbound = (request: OutboundRequest) => Promise<OutboundAnswer>;

class Blocked extends Error {}

export function createOutbound(
  filter: AddressFilter,
  clock: Clock,
  resolveName: Resolve = systemResolve,
): SendOutbound {
  const lookUp = createLookUps(resolveName, clock);

  /** At the moment of the connection: what a name led to before does not count. */
  const lookupFor =
    (tenantId: TenantId | null, isOver: () => boolean): LookupFunction =>
    (name, { all }, answer) => {
      lookUp({ name, tenantId, isOver }, (error, addresses) => {
        const [first] = addresses;
        if (error !== null || first === undefined) return answer(error ?? new Error('no address'), '', 0);
        if (!addresses.every(({ address }) => filter.isAllowed(address))) return answer(new Blocked(), '', 0);
        if (all) return answer(null, [...addresses]);
        answer(null, first.address, first.family);
      });
    };

  return (request) => {
    const { url, tenantId, method, headers, body, timeoutMs, answerBytesMax } = request;
    // Here for addresses, for which `lookup` is not asked.
    if (typeof filter.checkUrl(url.href) === 'string')
      return Promise.resolve({ type: 'failed', why: 'blocked' });
    return new Promise((finish) => {
      let ended = false;
      const options: RequestOptions = {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
        lookup: lookupFor(tenantId, () => ended),
        agent: false, // a connection of its own, closed afterwards
      };
      const outgoing = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options);
      const cancelTimer = clock.after(timeoutMs, () => end({ type: 'failed', why: 'timeout' }));

      function end(answer: OutboundAnswer): void {
        if (ended) return;
        ended = true;
        cancelTimer();
        outgoing.destroy();
        finish(answer);
      }

      outgoing.on('error', (error) => {
        end({ type: 'failed', why: error instanceof Blocked ? 'blocked' : 'unreachable' });
      });
      outgoing.on('response', (incoming) => read(incoming, answerBytesMax, end));
      send(outgoing, body);
    });
  };
}

function send(outgoing: ClientRequest, body: string | undefined): void {
  if (body === undefined) outgoing.end();
  else outgoing.end(body);
}

/** Reads the answer to its end, or up to the limit. */
function read(incoming: IncomingMessage, bytesMax: number, end: (answer: OutboundAnswer) => void): void {
  const gathered = createGrowingBuffer();
  const answered = (isCut: boolean): OutboundAnswer => ({
    type: 'answered',
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: gathered.bytes().subarray(0, bytesMax),
    isCut,
  });
  incoming.on('data', (chunk: Buffer) => {
    gathered.add(chunk);
    if (gathered.length > bytesMax) end(answered(true));
  });
  incoming.on('end', () => end(answered(false)));
  incoming.on('error', () => end({ type: 'failed', why: 'unreachable' }));
}
