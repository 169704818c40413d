/**
 * Serves the few routes that are asked all the time straight from Node's request and response. What Hono and its
 * adapter would cost them is a URL, headers, a request and an answer that are built and not looked at.
 *
 * It decides nothing of its own: the routes, their order and what is done in each are those of the app (`dispatch.ts`).
 * Whatever is not plain (a query, a body that is chunked or large, a strange host or path) goes through the app.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { reportBug } from '../actors/runtime/supervision.ts';
import { type DispatchNeeds, respond } from './dispatch.ts';
import type { Route } from './route.ts';
import { Direct } from './wire/asked.ts';
import { internalError } from './wire/errors.ts';
import { partsOf, type ResponseParts } from './wire/reply.ts';

/** Takes a request and answers it, or says false: then it is the app's, untouched. */
export type DirectDoor = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

/** Larger bodies are rare, and refusing them is the app's. */
const BODY_BYTES_MAX = 8192;
/** For the rest of a body that nobody waits for. */
const UNREAD_MS = 500;
/** A path of RFC 3986 without dot segments, query and fragment. */
const PLAIN_PATH = /^(?:\/(?!\.\.?(?:\/|$))[\w.~!$&'()*+,;=:@%-]*)+$/;
const PLAIN_HOST = /^[a-z0-9._-]+(?::(?:\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}))?$/;

export function createDirectDoor(routes: readonly Route[], needs: DispatchNeeds): DirectDoor {
  const find = createFinder(routes);
  return (incoming, outgoing) => {
    const { url = '', headers } = incoming;
    const route = find(incoming.method ?? '', url);
    if (route === undefined || !PLAIN_PATH.test(url) || !PLAIN_HOST.test(headers.host ?? '')) return false;
    const declared = Number(headers['content-length'] ?? 0);
    if (!(declared <= BODY_BYTES_MAX) || headers['transfer-encoding'] !== undefined) return false;
    void answer(new Direct(incoming, url), outgoing, route, needs);
    return true;
  };
}

/** Never rejects. */
async function answer(
  asked: Direct,
  outgoing: ServerResponse,
  route: Route,
  needs: DispatchNeeds,
): Promise<void> {
  try {
    const parts = await respond(asked, route, needs);
    if (!asked.incoming.complete) endUnread(asked.incoming, outgoing);
    send(outgoing, parts);
  } catch (error) {
    reportBug(needs.log, 'http request', error, { method: route.method, route: route.path });
    if (outgoing.headersSent) outgoing.destroy();
    else send(outgoing, partsOf(internalError, {}, needs.clock.now()));
  }
}

/** Refused before its body had come: that is let come for a moment, or the connection would be held for it for a minute. */
function endUnread(incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.once('finish', () => {
    const end = () => {
      if (!incoming.complete) incoming.socket.destroy();
    };
    setTimeout(end, UNREAD_MS).unref();
  });
}

function send(outgoing: ServerResponse, { status, headers, body }: ResponseParts): void {
  if (body !== null && typeof body !== 'string') throw new Error('a route that is served directly streams');
  if (body === null) {
    outgoing.writeHead(status, headers).end();
  } else {
    headers['Content-Length'] = String(Buffer.byteLength(body));
    outgoing.writeHead(status, headers).end(body);
  }
}

/** The first route that matches, as in the app, if it is one that is served directly. */
function createFinder(routes: readonly Route[]): (method: string, path: string) => Route | undefined {
  const patterns = routes.map((route) => ({ route, segments: route.path.split('/') }));
  const methods = new Map<string, (typeof patterns)[]>();
  for (const { route, segments } of patterns.filter((pattern) => pattern.route.isFrequent)) {
    const lengths = methods.get(route.method) ?? [];
    methods.set(route.method, lengths);
    lengths[segments.length] ??= patterns.filter(
      (other) => other.route.method === route.method && other.segments.length === segments.length,
    );
  }
  return (method, path) => {
    const lengths = methods.get(method);
    if (lengths === undefined) return undefined;
    const asked = path.split('/');
    const match = lengths[asked.length]?.find(({ segments }) =>
      segments.every((segment, at) => (segment.startsWith(':') ? asked[at] !== '' : segment === asked[at])),
    );
    return match?.route.isFrequent ? match.route : undefined;
  };
}
