/**
 * The third of CoAP's three layers: a UDP socket, and what is put together behind it (RFC 7252, RFC 7959).
 *
 *   datagrams ── message.ts ──► messages ── exchanges.ts ──► requests, each once ── resource.ts ──► claiming
 *
 * There is no DTLS: no maintained library for Node serves it. Use a VPN or a DTLS proxy in front.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../actors/base/clock.ts';
import { type Log, logBounded } from '../../actors/base/log.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import type { Tracing } from '../../actors/base/tracing.ts';
import type { AttributeNews } from '../../actors/claiming/attribute-news.ts';
import { createDeviceAttributes } from '../../actors/claiming/attributes.ts';
import { createClaiming } from '../../actors/claiming/claiming.ts';
import { openGuard, type TokenGuard } from '../../actors/claiming/wrong-tokens.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { reportBug } from '../../actors/runtime/supervision.ts';
import { ListenError, type Listening } from '../../actors/sockets/listen.ts';
import type { Transport } from '../transport.ts';
import { Code } from './codes.ts';
import { Exchanges } from './exchanges.ts';
import { Observations } from './observations.ts';
import { responseOf, tooLargeResponse, unavailableResponse } from './request.ts';
import { createResource } from './resource.ts';
import type { CoapSettings } from './settings.ts';
import { Uploads } from './uploads.ts';

export interface CoapEndpointOptions {
  readonly settings: CoapSettings;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly profiles: Pick<Profiles, 'payloadRules'>;
  /** Tells of shared attributes that have changed. */
  readonly news: Pick<AttributeNews, 'watch'>;
  /** Counts wrong tokens; without it they are not counted. */
  readonly guard?: TokenGuard;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracing?: Tracing | undefined;
  /** Hears the code of each answer; without it nobody counts them. */
  readonly onAnswer?: ((code: number) => void) | undefined;
}

/** A burst of many devices waits in the kernel; it grants less where `net.core.rmem_max` is lower. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

/** Creates the server; nothing listens before `start`. */
export function createCoapEndpoint(options: CoapEndpointOptions): Transport {
  const { settings, clock, log } = options;
  const { bindAddress, port } = settings;
  let open = false;
  /** Datagrams that the socket has taken and not sent yet: closing it would drop them. */
  let leaving = 0;
  let onAllLeft: (() => void) | undefined;

  const attributes = createDeviceAttributes(options.devices);
  const observations = new Observations(settings.observationsMax, {
    attributes,
    news: options.news,
    notify: (to, answer, onEnd) => exchanges.notify(to, answer, onEnd),
    later: (task) => void clock.after(0, task),
    failed(error) {
      if (!(error instanceof StoreUnavailable)) reportBug(log, 'coap request', error);
      else log.warn({ err: error }, 'coap: a device that observes could not be looked up');
    },
  });
  const serve = createResource({
    settings,
    attributes,
    observations,
    claiming: createClaiming(options.devices, options.directory, options.secrets, options.log),
    guard: options.guard ?? openGuard,
    uploads: new Uploads(settings, clock),
    profiles: options.profiles,
    log,
    tracing: options.tracing,
  });
  const exchanges = new Exchanges(settings, {
    clock,
    random: Math.random,
    send(datagram, to) {
      // A datagram that cannot be sent counts as lost on the way; CoAP retransmits.
      if (!open) return;
      leaving += 1;
      socket.send(datagram, to.port, to.address, () => {
        leaving -= 1;
        if (leaving === 0) onAllLeft?.();
      });
    },
    serve: (request) =>
      serve(request).catch((error: unknown) => {
        reportBug(log, 'coap request', error);
        return responseOf(Code.internalServerError);
      }),
    onAnswer: options.onAnswer,
    tooLarge: () => tooLargeResponse(settings.payloadBytesMax),
    overloaded: (address) => {
      const message =
        'a limit was reached: too many CoAP requests are in flight, of one peer, of one address or in all';
      logBounded(log, 'warn', performance.now(), { address }, message);
      return unavailableResponse(settings.retryAfterSeconds);
    },
  });

  const socket = createSocket({
    type: isIPv6(bindAddress) ? 'udp6' : 'udp4',
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  });
  socket.on('message', (datagram, from) => {
    if (from.port !== 0) exchanges.receive(datagram, from); // to port 0 nothing can be sent
  });

  return {
    name: 'coap',

    async start(): Promise<Listening> {
      await bind(socket, bindAddress, port);
      open = true;
      socket.on('error', (error) => log.error({ err: error }, 'coap: the socket has an error'));
      const address = socket.address();
      return { address: address.address, port: address.port };
    },

    async stop(drainMs: number): Promise<void> {
      if (!open) return;
      let cancel: (() => void) | undefined;
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(drainMs, resolve);
      });
      const allLeft = async (): Promise<void> => {
        open = false;
        if (leaving > 0) await new Promise<void>((resolve) => (onAllLeft = resolve));
      };
      observations.close();
      await Promise.race([exchanges.drain().then(allLeft), late]);
      cancel?.();
      open = false;
      exchanges.close();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

function bind(socket: Socket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => {
      socket.close();
      reject(new ListenError('CoAP', address, port, error));
    };
    socket.once('error', onError);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', onError);
      resolve();
    });
  });
}
