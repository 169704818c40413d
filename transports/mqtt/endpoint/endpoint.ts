/**
 * The MQTT endpoint: devices connect to it with MQTT 3.1, 3.1.1 or 5 and open their claim windows.
 *
 * It is no broker. Devices never talk to each other, so there is no routing, no retained message, no stored session:
 * a publication goes to the device's own actor and nowhere else. One socket or WebSocket (`connection.ts`) feeds one
 * session actor (`session-actor.ts`), whose handlers (`handlers/`) answer; this file accepts, counts, times out and
 * stops.
 */
import { createServer, type Server } from 'node:net';
import type { Clock } from '../../../actors/base/clock.ts';
import type { DeviceId } from '../../../actors/base/ids.ts';
import type { JsonObject } from '../../../actors/base/json.ts';
import { type Log, logBounded } from '../../../actors/base/log.ts';
import type { Secrets } from '../../../actors/base/secret.ts';
import type { Tracing } from '../../../actors/base/tracing.ts';
import { createDeviceAttributes, sharedChanges } from '../../../actors/claiming/attributes.ts';
import { createClaiming } from '../../../actors/claiming/claiming.ts';
import { createGateways } from '../../../actors/claiming/gateways.ts';
import { openGuard, type TokenGuard } from '../../../actors/claiming/wrong-tokens.ts';
import type { Bus } from '../../../actors/cluster/bus.ts';
import type { Device, DeviceState } from '../../../actors/device/state.ts';
import type { DeviceListener, Devices, Directory, Presence } from '../../../actors/fleet/devices.ts';
import type { Profiles } from '../../../actors/fleet/profiles.ts';
import { countedAs } from '../../../actors/limits/address.ts';
import { Crowd } from '../../../actors/runtime/actor.ts';
import { type Parent, spawnParent, stop } from '../../../actors/runtime/nact.ts';
import { Turns } from '../../../actors/runtime/turns.ts';
import type { Certificate } from '../../../actors/sockets/certificate.ts';
import { type Listening, listen } from '../../../actors/sockets/listen.ts';
import type { Upgrade } from '../../../actors/sockets/upgrade.ts';
import type { Transport } from '../../transport.ts';
import { CLAIM_RESPONSE_TOPIC } from '../topics.ts';
import { type ByteStream, Connection, type ConnectionEvents } from './connection.ts';
import { type Due, DueList } from './due.ts';
import type { PacketFigures } from './figures.ts';
import { spawnGatewayWork } from './gateway-actor.ts';
import { type ProtocolVersion, Reason } from './reasons.ts';
import { Session, type SessionContext } from './session.ts';
import { type SessionOwner, spawnSession } from './session-actor.ts';
import { SessionTable } from './session-table.ts';
import { keepAliveOf, type MqttEndpointSettings } from './settings.ts';
import { type ClientCertificate, createTlsDoor, type MqttTlsSettings, type TlsDoor } from './tls.ts';
import { createWebSocketDoor, type WebSocketDoor } from './websocket.ts';

export interface MqttEndpointOptions {
  readonly settings: MqttEndpointSettings;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly profiles: Profiles;
  /** Counts wrong credentials; without it they are not counted. */
  readonly guard?: TokenGuard;
  /** Listens with TLS too. */
  readonly tls?: MqttTlsSettings;
  /** Under which actor the endpoint's supervisor is spawned. */
  readonly parent: Parent;
  readonly clock: Clock;
  readonly log: Log;
  /** To the endpoints of other processes on the same store. */
  readonly bus?: Bus;
  /** Counts packets; without it nobody does. */
  readonly figures?: PacketFigures;
  /** Makes spans; without it, nobody does. */
  readonly tracing?: Tracing | undefined;
}

export interface MqttEndpoint extends Transport, Presence {
  readonly onDeviceEvent: DeviceListener;
  /** Tells a device that is connected here that too many wrong secrets were shown for it (C6). */
  tellOfGuessing(id: DeviceId, waitMs: number): void;
  /** Connections, authenticated or not. */
  readonly connections: number;
  /** The same by version; `none`: not authenticated yet. Looks at each of them. */
  connectionsByProtocol(): Readonly<Record<ProtocolName, number>>;
  /** Where it listens with TLS, once started. */
  readonly tlsListening: Listening | undefined;
  /** Connections from now on are shown this certificate. Throws where it is none. */
  useCertificate(certificate: Certificate): void;
  /** Takes over an HTTP connection whose client asks for WebSocket; one that asks wrongly is answered and closed. */
  upgrade(upgrade: Upgrade): void;
}

/** As people write the versions of MQTT. */
type ProtocolName = 'none' | '3.1' | '3.1.1' | '5';

const PROTOCOL_NAMES: Readonly<Record<ProtocolVersion, ProtocolName>> = { 3: '3.1', 4: '3.1.1', 5: '5' };

/** Creates the endpoint; nothing listens before `start`. */
export function createMqttEndpoint(options: MqttEndpointOptions): MqttEndpoint {
  return new Endpoint(options);
}

/** What a client asks of the endpoint. */
interface ClientHome {
  /** Its side is closed by us. */
  ended(client: Client): void;
  /** Its connection is closed. */
  closed(client: Client): void;
  /** Its session's actor has stopped. */
  stopped(client: Client): void;
}

/** One connection. It hears for itself what happens to it: a function for each of these things would take more than all it knows. */
class Client implements Due, ConnectionEvents, SessionOwner {
  readonly session: Session;
  readonly openedAt: number;
  /** Its address, as it is counted. */
  readonly address: string;
  dueAt: number | undefined;
  readonly #home: ClientHome;

  constructor(home: ClientHome, context: SessionContext, stream: ByteStream, address: string) {
    this.#home = home;
    this.address = address;
    this.openedAt = context.clock.elapsed();
    this.session = new Session(context, new Connection(stream, context.settings, context.clock, this));
  }

  onReadable(): void {
    this.session.read();
  }

  onFailed(error: unknown): void {
    this.session.fail(error);
  }

  onEnded(): void {
    this.#home.ended(this);
  }

  onClosed(): void {
    this.#home.closed(this);
    this.session.tell({ type: 'closed' });
  }

  onStopped(): void {
    this.#home.stopped(this);
  }
}

const LISTEN_BACKLOG = 4_096;

class Endpoint implements MqttEndpoint {
  readonly name = 'mqtt';
  readonly #options: MqttEndpointOptions;
  readonly #context: SessionContext;
  readonly #home: Parent;
  readonly #sessions: Crowd;
  readonly #clientHome: ClientHome = {
    ended: (client) =>
      this.#lookLater(client, this.#options.clock.elapsed() + this.#options.settings.closeTimeoutMs),
    closed: (client) => this.#noLongerConnecting(client),
    stopped: (client) => this.#forget(client),
  };
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  /** By when their limits of time may be reached: a silent client is looked at once in its keep-alive. */
  readonly #due: DueList<Client>;
  /** Clients that are not authenticated yet, the oldest first. */
  readonly #connecting = new Set<Client>();
  /** The same, by address. */
  readonly #connectingOf = new Map<string, Set<Client>>();
  readonly #tlsDoor: TlsDoor | undefined;
  readonly #webSocketDoor: WebSocketDoor;
  tlsListening: Listening | undefined;
  #cancelSweep: (() => void) | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: MqttEndpointOptions) {
    const { settings, devices, directory, secrets, profiles, clock, log, bus } = options;
    this.#options = options;
    this.#due = new DueList(settings.sweepIntervalMs, clock.elapsed());
    const claiming = createClaiming(devices, directory, secrets, log);
    const gateways = createGateways({ devices, directory, secrets, profiles, clock, log, settings });
    this.#home = spawnParent(options.parent, 'mqtt-endpoint');
    this.#sessions = new Crowd(this.#home, 'sessions');
    this.#context = {
      settings,
      claiming,
      attributes: createDeviceAttributes(devices),
      guard: options.guard ?? openGuard,
      gateways,
      // Twice what one connection may have under way (QoS 0, and above), so that one connection never meets it.
      gatewayWork: spawnGatewayWork(this.#home, {
        messagesMax: 2 * settings.inFlightMax,
        messageBytesMax: settings.payloadBytesMax,
      }),
      profiles,
      clock,
      log,
      table: new SessionTable(clock, bus),
      turns: new Turns(),
      figures: options.figures,
      tracing: options.tracing,
    };
    const keepAlive = keepAliveOf(settings);
    this.#server = createServer({ noDelay: true, ...keepAlive }, (socket) => this.#accept(socket));
    this.#webSocketDoor = createWebSocketDoor(settings, this.#context.turns, (stream) =>
      this.#accept(stream),
    );
    this.#tlsDoor =
      options.tls &&
      createTlsDoor({
        settings: options.tls,
        keepAlive,
        connectionsMax: settings.connectionsMax,
        handshakeTimeoutMs: settings.connectTimeoutMs,
        line: new Turns(),
        clock,
        log,
        onSocket: (socket, certificate) => this.#accept(socket, certificate),
      });
  }

  get connections(): number {
    return this.#clients.size;
  }

  connectionsByProtocol(): Record<ProtocolName, number> {
    const counts = { none: 0, '3.1': 0, '3.1.1': 0, '5': 0 };
    for (const { session } of this.#clients)
      counts[session.isLetIn ? PROTOCOL_NAMES[session.version] : 'none'] += 1;
    return counts;
  }

  async start(): Promise<Listening> {
    const { settings, log } = this.#options;
    const listening = await listen(this.#server, {
      what: 'MQTT',
      address: settings.bindAddress,
      port: settings.port,
      backlog: LISTEN_BACKLOG,
      onError: (error) => log.error({ err: error }, 'mqtt: cannot accept connections'),
    });
    this.#sweepLater();
    this.tlsListening = await this.#tlsDoor?.start();
    this.#context.table.start();
    return listening;
  }

  useCertificate(certificate: Certificate): void {
    this.#tlsDoor?.useCertificate(certificate);
  }

  upgrade(upgrade: Upgrade): void {
    this.#webSocketDoor.upgrade(upgrade);
  }

  isConnected(id: DeviceId): boolean {
    return this.#context.table.has(id);
  }

  readonly onDeviceEvent: DeviceListener = (id, event, state, before) => {
    switch (event.type) {
      case 'AttributesSaved':
        if (event.scope === 'SHARED_SCOPE') this.#share(id, state, event.values);
        return;
      case 'AttributesDeleted':
        if (event.scope === 'SHARED_SCOPE') this.#share(id, state, { deleted: event.keys });
        return;
      case 'DeviceDeleted':
      case 'CredentialsChanged':
      case 'CredentialsRotated':
        this.#context.table.revoke(id);
        return;
      default:
        if ('ownerEpoch' in event && state.status === 'provisioned') this.#ownerChanged(id, state, before);
    }
  };

  /** It hears its new credentials while it is connected (O9), and what went with the owner (R4). */
  #ownerChanged(id: DeviceId, state: Device, before: DeviceState): void {
    if (state.nextCredentials !== undefined) this.#context.table.rotate(id);
    for (const change of sharedChanges(before, state)) {
      this.#share(id, state, change.type === 'deleted' ? { deleted: change.keys } : change.values);
    }
  }

  /** To the device and to the gateways that it is behind, whose sessions ask whether they still speak for it (O8). */
  #share(id: DeviceId, state: DeviceState, news: JsonObject): void {
    if (state.status === 'absent') return;
    const { table } = this.#context;
    table.share(id, { type: 'shared', news });
    table.shareBehind({ id, name: state.name, viaGateway: state.viaGateway }, news);
  }

  tellOfGuessing(id: DeviceId, waitMs: number): void {
    const message = { status: 'waiting', reason: 'too-many-wrong-secrets', retryAfterMs: waitMs };
    this.#context.table.notice(id, CLAIM_RESPONSE_TOPIC, JSON.stringify(message));
  }

  #accept(stream: ByteStream, certificate?: ClientCertificate): void {
    const { settings } = this.#options;
    const address = countedAs(stream.remoteAddress ?? 'unknown');
    if (this.#clients.size >= settings.connectionsMax) {
      this.#logLimit(address, 'a limit was reached: there are as many MQTT connections as there may be');
      stream.destroy();
      return;
    }
    if (this.#connecting.size >= settings.connectingMax) {
      this.#logLimit(address, 'a limit was reached: too many MQTT connections have not sent CONNECT');
      this.#dropLongestConnecting(address);
    }

    const client = new Client(this.#clientHome, this.#context, stream, address);
    const { session } = client;
    session.connection.certificate = certificate;
    stream.letInWhen?.(() => session.isLetIn);
    spawnSession(this.#sessions, session, client);
    this.#clients.add(client);
    this.#lookLater(client, client.openedAt);
    this.#connecting.add(client);
    const own = this.#connectingOf.get(address);
    if (own === undefined) this.#connectingOf.set(address, new Set([client]));
    else own.add(client);
  }

  #logLimit(address: string, message: string): void {
    logBounded(this.#options.log, 'warn', performance.now(), { address }, message);
  }

  #noLongerConnecting(client: Client): void {
    this.#connecting.delete(client);
    const own = this.#connectingOf.get(client.address);
    own?.delete(client);
    if (own?.size === 0) this.#connectingOf.delete(client.address);
  }

  /**
   * In a flood of connections that never send CONNECT, others must still get through: the oldest is closed, of the newcomer's
   * own address where that has more than its share. So a flood from one address makes room for itself.
   */
  #dropLongestConnecting(address: string): void {
    const { connectingMax } = this.#options.settings;
    const own = this.#connectingOf.get(address) ?? [];
    // Some are authenticated by now and still listed; without them there may be room enough.
    for (const client of own) if (client.session.status !== 'connecting') this.#noLongerConnecting(client);
    const share = connectingMax / Math.max(1, this.#connectingOf.size);
    const isOver = (this.#connectingOf.get(address)?.size ?? 0) > share;
    for (const client of isOver ? own : this.#connecting) {
      if (this.#connecting.size < connectingMax) return;
      this.#noLongerConnecting(client);
      if (client.session.status === 'connecting') {
        client.session.connection.destroy();
        return;
      }
    }
  }

  #forget(client: Client): void {
    this.#clients.delete(client);
    this.#due.remove(client);
    this.#noLongerConnecting(client);
    if (this.#clients.size === 0) this.#onEmpty?.();
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#options.clock.after(this.#options.settings.sweepIntervalMs, () => {
      const now = this.#options.clock.elapsed();
      for (const client of this.#due.take(now)) this.#lookLater(client, this.#checkTimeouts(client, now));
      this.#sweepLater();
    });
  }

  #lookLater(client: Client, at: number): void {
    if (this.#clients.has(client)) this.#due.put(client, at);
  }

  /** @returns when it is to be looked at again: in the next round, or not before it can have been silent for too long */
  #checkTimeouts(client: Client, now: number): number {
    const { session, openedAt } = client;
    const { connectTimeoutMs, closeTimeoutMs } = this.#options.settings;
    const { connection, status } = session;
    if (status !== 'connecting') this.#noLongerConnecting(client);
    if (connection.endedAt !== undefined) {
      if (now - connection.endedAt > closeTimeoutMs) connection.destroy();
    } else if (status === 'connecting') {
      if (now - openedAt > connectTimeoutMs) connection.destroy();
    } else if (!connection.deaf) {
      const silentAt = connection.lastPacketAt + session.silenceMaxMs;
      if (now <= silentAt) return silentAt;
      session.requestEnd(Reason.keepAliveTimeout); // [MQTT-3.1.2-24]
    }
    return now;
  }

  async stop(drainMs: number): Promise<void> {
    this.#server.close();
    this.#tlsDoor?.stop();
    this.#webSocketDoor.stop();
    const drained = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#clients.size === 0) resolve();
      this.#options.clock.after(drainMs, resolve);
    });
    for (const { session } of this.#clients) {
      if (session.status === 'connecting') session.connection.destroy();
      else session.tell({ type: 'drain' });
    }
    // A socket that is not read does not keep the process alive, and nothing is read while draining.
    const awake = setInterval(() => {}, drainMs);
    await drained;
    clearInterval(awake);
    for (const { session } of this.#clients) session.connection.destroy();
    this.#cancelSweep?.();
    this.#context.table.stop();
    stop(this.#home);
  }
}
