/**
 * MQTT over TLS: a listener of its own that hands on sockets after the handshake, with the client's certificate if it showed
 * one.
 *
 * A client may show a certificate and need not. No authority has to have signed it: it is looked up by its digest, as in
 * ThingsBoard, and the handshake proves that the client has its private key. A handshake that fails or takes too long ends
 * here.
 */
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureVersion, type Server, type TLSSocket } from 'node:tls';
import type { Clock, Instant } from '../../../actors/base/clock.ts';
import { type Log, logBounded } from '../../../actors/base/log.ts';
import type { Certificate } from '../../../actors/sockets/certificate.ts';
import { type Line, paceHandshakes } from '../../../actors/sockets/handshakes.ts';
import { type Listening, listen } from '../../../actors/sockets/listen.ts';
import type { keepAliveOf } from './settings.ts';

export interface MqttTlsSettings {
  readonly bindAddress: string;
  /** TCP port; 0 takes any free one. */
  readonly port: number;
  readonly minVersion: SecureVersion;
  /** Whether a client's certificate is accepted outside of its validity period. */
  readonly skipClientValidity: boolean;
  readonly certificate: Certificate;
}

/** The certificate of a client, in DER, or that it is outside of its validity period. */
export type ClientCertificate =
  | { readonly type: 'der'; readonly der: Buffer }
  | { readonly type: 'not-valid-now' };

export interface TlsDoor {
  start(): Promise<Listening>;
  /** Used for connections from now on. Throws where it is no certificate with its key. */
  useCertificate(certificate: Certificate): void;
  /** Stops listening and ends handshakes. Sockets that were handed on stay open. */
  stop(): void;
}

export interface TlsDoorNeeds {
  readonly settings: MqttTlsSettings;
  readonly connectionsMax: number;
  /** Of TCP. */
  readonly keepAlive: ReturnType<typeof keepAliveOf>;
  readonly handshakeTimeoutMs: number;
  /** In which clients wait for their handshake, and nobody else: a handshake is long. */
  readonly line: Line;
  readonly clock: Clock;
  readonly log: Log;
  readonly onSocket: (socket: TLSSocket, certificate: ClientCertificate | undefined) => void;
}

/** A fleet that reconnects at once waits in the kernel; it grants less where `net.core.somaxconn` is lower. */
const LISTEN_BACKLOG = 4_096;

export function createTlsDoor(needs: TlsDoorNeeds): TlsDoor {
  const { settings, clock, log } = needs;
  const { bindAddress, port, minVersion } = settings;
  /** Sockets in a handshake, by address and port: a TLS socket does not say which TCP socket it is over. */
  const shakingHands = new Map<string, Socket>();
  const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress}:${remotePort}`;

  const server: Server = createServer(
    {
      ...settings.certificate,
      minVersion,
      noDelay: true,
      ...needs.keepAlive,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: needs.handshakeTimeoutMs,
    },
    (socket) => {
      const certificate = certificateOf(socket, settings.skipClientValidity, clock.now());
      needs.onSocket(socket, certificate);
    },
  );
  paceHandshakes(server, needs.line, needs.handshakeTimeoutMs);
  server.maxConnections = needs.connectionsMax;
  server.on('drop', (peer) => {
    const message = 'a limit was reached: there are as many MQTT connections over TLS as there may be';
    logBounded(log, 'warn', performance.now(), { address: peer?.remoteAddress }, message);
  });
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    shakingHands.set(peer, socket);
    socket.once('close', () => shakingHands.delete(peer));
  });
  server.on('secureConnection', (socket) => shakingHands.delete(peerOf(socket)));
  server.on('tlsClientError', (error, socket) => {
    log.debug(
      { peer: socket.remoteAddress, code: (error as NodeJS.ErrnoException).code },
      'mqtt: no TLS handshake',
    );
    socket.destroy();
  });

  return {
    start: () =>
      listen(server, {
        what: 'MQTT over TLS',
        address: bindAddress,
        port,
        backlog: LISTEN_BACKLOG,
        onError: (error) => log.error({ err: error }, 'mqtt: cannot accept TLS connections'),
      }),

    useCertificate(certificate) {
      server.setSecureContext({ ...certificate, minVersion });
    },

    stop() {
      server.close();
      for (const socket of shakingHands.values()) socket.destroy();
    },
  };
}

function certificateOf(
  socket: TLSSocket,
  skipValidity: boolean,
  now: Instant,
): ClientCertificate | undefined {
  const shown: { readonly raw?: Buffer } | null = socket.getPeerCertificate();
  if (shown?.raw === undefined) return undefined;
  const { validFrom, validTo } = new X509Certificate(shown.raw);
  const valid = Date.parse(validFrom) <= now && now <= Date.parse(validTo);
  return valid || skipValidity ? { type: 'der', der: shown.raw } : { type: 'not-valid-now' };
}
