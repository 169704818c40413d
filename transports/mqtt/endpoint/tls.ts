/**
 * MQTT over TLS: a listener of its own that hands over sockets once the handshake is done, with the client's
 * certificate where it showed one.
 *
 * A certificate is asked for and not demanded, and no authority is asked about it: it is looked up as a whole, by its
 * digest, as in ThingsBoard. The handshake proves that the client has its private key. What the handshake
 * takes too long for, and what it fails on, ends here and is not heard of elsewhere.
 */
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureVersion, type Server, type TLSSocket } from 'node:tls';
import type { Clock, Instant } from '../../../actors/base/clock.ts';
import type { Log } from '../../../actors/base/log.ts';
import type { Certificate } from '../../../actors/sockets/certificate.ts';
import { type Listening, listen } from '../../../actors/sockets/listen.ts';

export interface MqttTlsSettings {
  readonly bindAddress: string;
  /** TCP port; 0 takes any free one. */
  readonly port: number;
  readonly minVersion: SecureVersion;
  /** Whether a client's certificate is good before and after the time that is written in it. */
  readonly skipClientValidity: boolean;
  readonly certificate: Certificate;
}

/** What a client showed: its DER, or that it is not valid at this time. */
export type ClientCertificate =
  | { readonly type: 'der'; readonly der: Buffer }
  | { readonly type: 'not-valid-now' };

export interface TlsDoor {
  start(): Promise<Listening>;
  /** Connections from now on get this one; those that are open stay as they are. Throws where it is none. */
  useCertificate(certificate: Certificate): void;
  /** Listens no more, and ends handshakes. What was handed over is not touched. */
  stop(): void;
}

export interface TlsDoorNeeds {
  readonly settings: MqttTlsSettings;
  readonly connectionsMax: number;
  readonly handshakeTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly onSocket: (socket: TLSSocket, certificate: ClientCertificate | undefined) => void;
}

/** A fleet that reconnects at once waits in the kernel; it grants less where `net.core.somaxconn` is lower. */
const LISTEN_BACKLOG = 4_096;

export function createTlsDoor(needs: TlsDoorNeeds): TlsDoor {
  const { settings, clock, log } = needs;
  const { bindAddress, port, minVersion } = settings;
  /** By where they come from: a secure socket does not tell the one it is over. */
  const shakingHands = new Map<string, Socket>();
  const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress}:${remotePort}`;

  const server: Server = createServer(
    {
      ...settings.certificate,
      minVersion,
      noDelay: true,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: needs.handshakeTimeoutMs,
    },
    (socket) => {
      const certificate = certificateOf(socket, settings.skipClientValidity, clock.now());
      needs.onSocket(socket, certificate);
    },
  );
  server.maxConnections = needs.connectionsMax;
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
