/**
 * The HTTP port of the process: listens, limits what a connection may cost, and stops without cutting anybody off.
 *
 * The limits on what is read are Node's own: bytes of headers (431), time for the headers and for a whole request (408),
 * connections at once, idle time. What clients do not read is bounded by `slow-readers.ts`. Node answers 400 to what is
 * not HTTP and closes the connection. An upgraded connection (`upgrades.ts`) still counts among the connections; its time
 * limits are those of whoever took it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { Log } from '../actors/base/log.ts';
import { createOccupancy } from '../actors/limits/occupancy.ts';
import { createQuota } from '../actors/limits/quota.ts';
import { reportBug } from '../actors/runtime/supervision.ts';
import { Turns } from '../actors/runtime/turns.ts';
import type { Certificate } from '../actors/sockets/certificate.ts';
import { paceHandshakes } from '../actors/sockets/handshakes.ts';
import { type Listening, listen } from '../actors/sockets/listen.ts';
import type { DirectDoor } from './direct.ts';
import type { HttpServerSettings } from './settings.ts';
import { boundSlowReaders } from './slow-readers.ts';
import { messagesThatUpgrade, takerOf, type WebSocketUpgrades } from './upgrades.ts';
import { badRequest, internalError } from './wire/errors.ts';
import { toResponse } from './wire/reply.ts';
import { peerOf } from './wire/request.ts';

export interface HttpServerNeeds {
  readonly app: {
    fetch(request: Request, env: unknown): Response | Promise<Response>;
    /** What it takes does not go through `fetch`. */
    readonly direct?: DirectDoor;
  };
  readonly settings: HttpServerSettings;
  readonly log: Log;
  /** With it the port speaks HTTPS only. */
  readonly certificate?: Certificate;
  /** Whether people come over HTTPS: by this certificate, or by a proxy's in front. */
  readonly secure?: boolean;
  /** Without it no connection is upgraded. */
  readonly upgrades?: WebSocketUpgrades;
}

export interface HttpServer {
  readonly name: 'http';
  /** Starts to listen. Rejects with a `ListenError` when the address cannot be had. */
  start(): Promise<Listening>;
  /** For new connections; open ones keep theirs. Only for a server that has a certificate. */
  useCertificate(certificate: Certificate): void;
  /**
   * Accepts nothing new, answers what is under way, and closes connections when they are idle. Resolves when all are
   * closed; after `drainMs` the rest is destroyed.
   */
  stop(drainMs: number): Promise<void>;
}

export function createHttpServer(needs: HttpServerNeeds): HttpServer {
  const { app, settings, log, certificate, upgrades = new Map() } = needs;
  let stopping = false;
  const answer = createAnswer(app, log);
  const { hstsMaxAgeSeconds } = settings;
  const hsts = needs.secure && hstsMaxAgeSeconds > 0 ? `max-age=${hstsMaxAgeSeconds}` : undefined;
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    connections.heard(incoming.socket);
    nameHost(incoming);
    if (hsts !== undefined) outgoing.setHeader('Strict-Transport-Security', hsts);
    if (stopping) {
      outgoing.setHeader('Connection', 'close');
      outgoing.once('finish', () => setImmediate(() => server.closeIdleConnections()));
    }
    if (hasTwoHosts(incoming)) refuseHosts(outgoing);
    else if (letIn?.(peerOfMessage(incoming), outgoing) === false) refuseForNow(outgoing);
    else if (!app.direct?.(incoming, outgoing)) void answer(incoming, outgoing); // never rejects: it has an error handler
  };
  const slowReaders = boundSlowReaders(settings, log);
  const options = { ...serverOptions(settings, upgrades), ServerResponse: slowReaders.BoundedResponse };
  const secure =
    certificate === undefined
      ? undefined
      : createSecureServer(
          {
            ...options,
            ...certificate,
            minVersion: 'TLSv1.2',
            handshakeTimeout: settings.headersTimeoutMs,
          },
          listener,
        );
  if (secure !== undefined) paceHandshakes(secure, new Turns(), settings.headersTimeoutMs);
  const server: Server | SecureServer = secure ?? createServer(options, listener);
  server.maxConnections = settings.maxConnections;
  const peerOfMessage = (message: IncomingMessage) =>
    peerOf(message, message.headersDistinct['x-forwarded-for']?.join(','), settings.trustedProxies);
  const letIn = roomPerAddress(server, settings, log);
  const connections = trackConnections(server);
  const readers = slowReaders.watch(server, secure !== undefined);
  server.on('upgrade', (request, _stream, head) => {
    const { socket } = request;
    connections.handedOver(socket);
    readers.forget(socket);
    if (hasTwoHosts(request)) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const peer = peerOfMessage(request);
    if (letIn?.(peer, socket) === false) {
      socket.end('HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    takerOf(request, upgrades)?.({ request, socket, head, peer });
  });

  return {
    name: 'http',

    start() {
      const { address, port } = settings;
      const onError = (error: Error) => log.error({ err: error }, 'the HTTP socket has an error');
      return listen(server, { what: 'HTTP', address, port, onError });
    },

    useCertificate: (fresh) => secure?.setSecureContext(fresh),

    stop(drainMs) {
      stopping = true;
      if (!server.listening) return Promise.resolve();
      return new Promise((resolve) => {
        // Answers that began before the stop had no 'Connection: close', so their connections become idle later.
        const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
        const deadline = setTimeout(() => connections.cutOff(), drainMs);
        server.close(() => {
          clearInterval(sweep);
          clearTimeout(deadline);
          resolve();
        });
        server.closeIdleConnections();
        connections.closeSilent();
      });
    },
  };
}

const SWEEP_MS = 20;
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * HTTP/1.0 has no Host header (RFC 1945), and the health checks of proxies send none. Such a request was sent to the
 * address that it came in at. Node itself refuses HTTP/1.1 without Host (RFC 9112, section 3.2).
 */
function nameHost(incoming: IncomingMessage): void {
  if (incoming.httpVersionMinor !== 0 || incoming.headers.host !== undefined) return;
  const { localAddress = 'localhost', localPort, localFamily } = incoming.socket;
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  const isV6 = localFamily === 'IPv6' && address.includes(':');
  incoming.headers.host = `${isV6 ? `[${address}]` : address}:${localPort}`;
}

/**
 * A proxy in front may have looked at the other one of two hosts. RFC 9112, section 3.2: both are refused. Node keeps the
 * first and drops the second silently.
 */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === HOST.length && name.toLowerCase() === HOST) hosts += 1;
  }
  return hosts > 1;
}

const HOST = 'host';

function refuseHosts(outgoing: ServerResponse): void {
  outgoing.writeHead(400, { Connection: 'close', 'Content-Length': 0, 'Cache-Control': 'no-store' }).end();
}

function createAnswer(app: HttpServerNeeds['app'], log: Log) {
  return getRequestListener((request, env) => app.fetch(request, env), {
    errorHandler(error) {
      // Expected here: a request target that is no URL, or a host that is none.
      const isMalformed = error instanceof Error && error.name === 'RequestError';
      if (!isMalformed) reportBug(log, 'http request', error);
      const problem = isMalformed ? badRequest('The request target is malformed') : internalError;
      return toResponse(problem, {}, Date.now());
    },
  });
}

function serverOptions(settings: HttpServerSettings, upgrades: WebSocketUpgrades) {
  return {
    maxHeaderSize: settings.maxHeaderBytes,
    headersTimeout: settings.headersTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(settings.headersTimeoutMs, 5000),
    noDelay: true,
    keepAlive: true, // a peer that vanished is found out while nothing is to be sent
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    IncomingMessage: messagesThatUpgrade(upgrades),
  };
}

function refuseForNow(outgoing: ServerResponse): void {
  outgoing.writeHead(429, { Connection: 'close', 'Retry-After': '1', 'Content-Length': '0' }).end();
}

const TOLD_EVERY_MS = 60_000;

/**
 * One address does not take all connections. Behind trusted proxies a connection does not tell whose it is; a request does,
 * so there requests in flight are counted.
 * @returns how a request is let in; undefined: its connection was
 */
function roomPerAddress(
  server: Server | SecureServer,
  { maxConnectionsPerAddress, trustedProxies }: HttpServerSettings,
  log: Log,
) {
  const held = createOccupancy(maxConnectionsPerAddress);
  const lines = createQuota({ max: 1, windowMs: TOLD_EVERY_MS });

  /** Until `what` is closed. */
  function letIn(address: string, what: Socket | Duplex | ServerResponse): boolean {
    if (held.isFull(address)) {
      if (lines.take('') === 0) {
        log.warn(
          { address, max: maxConnectionsPerAddress },
          'an address has as many HTTP connections as it may',
        );
      }
      return false;
    }
    held.add(address);
    what.once('close', () => held.remove(address));
    return true;
  }

  if (trustedProxies > 0) return letIn;
  server.on('connection', (socket: Socket) => {
    if (!letIn(socket.remoteAddress ?? 'unknown', socket)) socket.destroy();
  });
  return undefined;
}

/** The connections that Node's own methods to close them leave out. */
function trackConnections(server: Server | SecureServer) {
  /** All, because Node does not count a connection as idle before its first request. */
  const all = new Set<Socket>();
  /** Those of TLS that asked nothing yet: their handshake was read, so they do not look silent. */
  const unheard = new Set<Socket>();
  /** Those that were upgraded. They count among all, and whoever took them ends them. */
  const upgraded = new Set<Socket>();

  function track(sockets: Set<Socket>, socket: Socket): void {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  }
  server.on('connection', (socket: Socket) => track(all, socket));
  server.on('secureConnection', (socket: TLSSocket) => track(unheard, socket));

  return {
    /** It sent a request. */
    heard(socket: Socket): void {
      unheard.delete(socket);
    },
    handedOver(socket: Socket): void {
      unheard.delete(socket);
      track(upgraded, socket);
    },
    closeSilent(): void {
      for (const socket of all) if (socket.bytesRead === 0) socket.destroy();
      for (const socket of unheard) socket.destroy();
    },
    cutOff(): void {
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
    },
  };
}
