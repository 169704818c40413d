/**
 * The process's HTTP socket: listens, bounds what a connection may cost, and stops without cutting anybody off.
 *
 * Bounds are Node's own: bytes of headers (431), time for headers and for a whole request (408), connections at once,
 * idle time. Whatever is no HTTP is answered 400 by Node and the connection closed. A connection that is upgraded
 * (`upgrades.ts`) still is one of the connections at once; its time limits are those of whoever took it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { Log } from '../actors/base/log.ts';
import { reportBug } from '../actors/runtime/supervision.ts';
import type { Certificate } from '../actors/sockets/certificate.ts';
import { type Listening, listen } from '../actors/sockets/listen.ts';
import type { HttpServerSettings } from './settings.ts';
import { messagesThatUpgrade, takerOf, type WebSocketUpgrades } from './upgrades.ts';
import { badRequest, internalError } from './wire/errors.ts';
import { toResponse } from './wire/reply.ts';
import { peerOf } from './wire/request.ts';

export interface HttpServerNeeds {
  readonly app: { fetch(request: Request, env: unknown): Response | Promise<Response> };
  readonly settings: HttpServerSettings;
  readonly log: Log;
  /** With it the port speaks HTTPS, and only that. */
  readonly certificate?: Certificate;
  /** Without it no connection leaves HTTP. */
  readonly upgrades?: WebSocketUpgrades;
}

export interface HttpServer {
  readonly name: 'http';
  /** Starts to listen. Rejects with a `ListenError` when the address cannot be had. */
  start(): Promise<Listening>;
  /** New connections are shown this one; those that are there go on. For a server with a certificate. */
  useCertificate(certificate: Certificate): void;
  /**
   * Accepts nothing new, answers what is under way, closes connections as they fall idle. Resolves when all are
   * closed; after `drainMs` the rest is cut off.
   */
  stop(drainMs: number): Promise<void>;
}

export function createHttpServer(needs: HttpServerNeeds): HttpServer {
  const { app, settings, log, certificate, upgrades = new Map() } = needs;
  let stopping = false;
  const answer = getRequestListener((request, env) => app.fetch(request, env), {
    errorHandler(error) {
      // The only errors that come this far: a request target that is no URL, or a host that is none.
      const known = error instanceof Error && error.name === 'RequestError';
      if (!known) reportBug(log, 'http request', error);
      const problem = known ? badRequest('The request target is malformed') : internalError;
      return toResponse(problem, {}, Date.now());
    },
  });

  const options = {
    maxHeaderSize: settings.maxHeaderBytes,
    headersTimeout: settings.headersTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(settings.headersTimeoutMs, 5000),
    noDelay: true,
    IncomingMessage: messagesThatUpgrade(upgrades),
  };
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    unheard.delete(incoming.socket);
    if (stopping) {
      outgoing.setHeader('Connection', 'close');
      outgoing.once('finish', () => setImmediate(() => server.closeIdleConnections()));
    }
    void answer(incoming, outgoing);
  };
  const secure =
    certificate === undefined
      ? undefined
      : createSecureServer({ ...options, ...certificate, minVersion: 'TLSv1.2' }, listener);
  const server: Server | SecureServer = secure ?? createServer(options, listener);
  /** Connections whose handshake is done and that have asked nothing yet: of these bytes have been read. */
  const unheard = new Set<Socket>();
  secure?.on('secureConnection', (socket: TLSSocket) => {
    unheard.add(socket);
    socket.once('close', () => unheard.delete(socket));
  });
  server.maxConnections = settings.maxConnections;
  /** Node does not count a connection as idle before its first request: those are looked after here. */
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  /** Connections that others have taken over. They count among all, and are theirs to end, as long as they do. */
  const upgraded = new Set<Socket>();
  server.on('upgrade', (request, _stream, head) => {
    const { socket } = request;
    unheard.delete(socket);
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    const forwardedFor = request.headersDistinct['x-forwarded-for']?.join(',');
    const peer = peerOf(request, forwardedFor, settings.trustedProxies);
    takerOf(request, upgrades)?.({ request, socket, head, peer });
  });
  const cutOff = () => {
    server.closeAllConnections();
    for (const socket of upgraded) socket.destroy();
  };
  const closeSilent = () => {
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
    for (const socket of unheard) socket.destroy();
  };

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
        // Requests under way when we stopped have no 'close' header yet: look for idle connections until none is left.
        const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
        const deadline = setTimeout(cutOff, drainMs);
        server.close(() => {
          clearInterval(sweep);
          clearTimeout(deadline);
          resolve();
        });
        server.closeIdleConnections();
        closeSilent();
      });
    },
  };
}

const SWEEP_MS = 20;
