/** What is read from a request before any route: path parameters, query, peer. */
import type { IncomingMessage } from 'node:http';
import { tryDecode } from 'hono/utils/url';
import { isCleanText } from '../../actors/base/text.ts';
import { countedAs } from '../../actors/limits/address.ts';
import type { Asked } from './asked.ts';

/**
 * The path as it came over the wire, for routing. It is not decoded: `%2F` in the name of a device must not become a
 * separator, nor `%2E%2E` a step up, as URL parsers do.
 */
export function rawPath(request: Request, incoming: IncomingMessage | undefined): string {
  const target = incoming?.url?.startsWith('/') ? incoming.url : afterOrigin(request.url);
  const end = target.search(/[?#]/);
  return end === -1 ? target : target.slice(0, end);
}

function afterOrigin(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  return start === -1 ? '/' : url.slice(start);
}

/**
 * The parameters of a path, each percent-decoded exactly once.
 * @param pattern the path of a route, with as many segments as `path`
 * @param undecodable whether a segment that is not percent-encoded UTF-8 refuses the path, or keeps what cannot be
 * decoded
 * @returns undefined if the path is refused
 */
export function paramsOf(
  pattern: string,
  path: string,
  undecodable: 'refuse' | 'keep' = 'refuse',
): Record<string, string> | undefined {
  const names = namesIn(pattern);
  if (names.length === 0) return {};
  const segments = path.split('/');
  const params: Record<string, string> = {};
  for (const { name, at } of names) {
    const segment = segments[at] ?? '';
    const value = undecodable === 'keep' ? tryDecode(segment, decodeURIComponent) : decodeSegment(segment);
    if (value === undefined) return undefined;
    params[name] = value;
  }
  return params;
}

interface PathParameter {
  readonly name: string;
  /** Which segment it is. */
  readonly at: number;
}

/** Of each pattern, of which there are as many as routes. */
const parameters = new Map<string, readonly PathParameter[]>();

function namesIn(pattern: string): readonly PathParameter[] {
  const known = parameters.get(pattern);
  if (known !== undefined) return known;
  const names = pattern
    .split('/')
    .map((segment, at) => ({ segment, at }))
    .filter(({ segment }) => segment.startsWith(':'))
    .map(({ segment, at }) => ({ name: segment.slice(1), at }));
  parameters.set(pattern, names);
  return names;
}

/** Only encoded characters matter: Node's parser refuses raw bytes beyond ASCII. */
function decodeSegment(segment: string): string | undefined {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** The values of a query; a repeated parameter is an array. */
export function queryOf(
  values: Readonly<Record<string, readonly string[]>>,
): Record<string, string | readonly string[]> {
  return Object.fromEntries(
    Object.entries(values).map(([name, all]) => [name, all.length === 1 ? (all[0] ?? '') : all]),
  );
}

/**
 * The address of the client. Behind proxies that append to X-Forwarded-For it is the entry that the outermost trusted
 * proxy wrote; anybody can make up the entries before it. For counting, an IPv6 network of 64 bits is one peer.
 */
export function peerOf(
  incoming: IncomingMessage | undefined,
  forwardedFor: string | undefined,
  trustedProxies: number,
): string {
  const direct = incoming?.socket?.remoteAddress ?? 'unknown';
  if (trustedProxies === 0 || forwardedFor === undefined) return countedAs(direct);
  const hops = forwardedFor.split(',').map((hop) => withoutPort(hop.trim()).slice(0, ADDRESS_MAX));
  return countedAs(hops.at(-trustedProxies) ?? hops[0] ?? direct);
}

/** What counts is kept under it: a proxy that passes on what it is sent would let whole headers in. */
const ADDRESS_MAX = 64;

/** Some proxies write the port too, which differs for every connection. */
function withoutPort(hop: string): string {
  const [, bracketed, plain] = /^\[([^\]]*)\](?::\d+)?$|^(\d+(?:\.\d+){3}):\d+$/.exec(hop) ?? [];
  return bracketed ?? plain ?? hop;
}

const DEVICE_MAX = 120;

/** What a program says that it is; null where it says nothing that people could read. */
export function deviceOf(userAgent: string | undefined): string | null {
  const text = userAgent?.trim().slice(0, DEVICE_MAX) ?? '';
  return text !== '' && isCleanText(text) ? text : null;
}

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
/** W3C Trace Context, version 00; a trace of zeros is none (§3.2.2.3). */
const TRACE_PARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** How others name this request, for the log: by `X-Request-Id`, and by the trace that it belongs to. What is no such name is left out. */
export function idsOf(asked: Pick<Asked, 'header'>): {
  readonly requestId?: string;
  readonly traceId?: string;
} {
  const requestId = asked.header('x-request-id');
  const traceId = TRACE_PARENT.exec(asked.header('traceparent') ?? '')?.[1];
  return {
    ...(requestId === undefined || !REQUEST_ID.test(requestId) ? {} : { requestId }),
    ...(traceId === undefined ? {} : { traceId }),
  };
}
