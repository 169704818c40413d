/**
 * One connection to the broker, made again whenever it is lost: MQTT 5, or 3.1.1 with a broker that speaks no better.
 *
 * The `mqtt` package handles what comes in strictly one after the other and acknowledges a message when its handler is
 * done. Here the handler is done at once, in a way that sends no PUBACK, and the PUBACK is written when the claim is
 * durable; so a thousand are under way where it would be one. How many is bounded twice: a broker that speaks version 5
 * is told (Receive Maximum) and keeps the rest itself; and with a full window reading pauses, for QoS 0, for older brokers,
 * and for those that miscount.
 *
 * Sessions are clean: no message waits for a member of the group that is gone. Each connection is a client object of its
 * own, so that what was received over an old one can not be acknowledged over the next, where the same packet
 * identifier is another message.
 */
import { randomUUID } from 'node:crypto';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import type { Cancel, Clock } from '../../../actors/base/clock.ts';
import type { Log } from '../../../actors/base/log.ts';
import { encodeSuccess } from '../endpoint/codec.ts';
import { withJitter } from './back-off.ts';
import type { BridgeSettings } from './settings.ts';

/** A publication, as it came. */
export interface Arrival {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly responseTopic: string | undefined;
  readonly correlationData: Buffer | undefined;
  /** Publishes with QoS 0, over the connection by which it came. Nothing, when that is gone. */
  reply(topic: string, payload: string): void;
  /** Acknowledges, if that can still be. Makes room in the window. */
  done(): void;
  /** Makes room without acknowledging. */
  forget(): void;
}

export interface LinkNeeds {
  readonly settings: BridgeSettings;
  /** Filters without a group. */
  readonly filters: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  readonly onArrival: (arrival: Arrival) => void;
}

type Version = 4 | 5;

/** What a broker says that speaks no version 5, in the words of 3.1.1 and of 5. */
const UNACCEPTABLE_VERSION = [0x01, 0x84];
const SUBSCRIPTION_QOS = 1;
/** A handler that is done with an error sends no PUBACK; the package goes on and shows the error to nobody. */
const WITHOUT_PUBACK = new Error('acknowledged later');

export class Link {
  readonly #needs: LinkNeeds;
  #connection: Connection | undefined;
  #version: Version = 5;
  #pauseMs: number;
  #cancelPause: Cancel | undefined;
  #stopped = false;

  constructor(needs: LinkNeeds) {
    this.#needs = needs;
    this.#pauseMs = needs.settings.reconnectMinMs;
  }

  /** Whether the broker has granted the subscription. */
  get connected(): boolean {
    return this.#connection?.subscribed ?? false;
  }

  /** The version of MQTT that is spoken, or would be. */
  get version(): Version {
    return this.#version;
  }

  /** Connects, and again whenever the connection is lost, until it is stopped. */
  start(): void {
    this.#connection = new Connection(this.#needs, this.#version, {
      onSubscribed: () => {
        this.#pauseMs = this.#needs.settings.reconnectMinMs;
      },
      onClosed: (refused) => this.#again(refused),
    });
  }

  /** Takes nothing new from now on. Resolves when the broker knows, or is not there. */
  async leave(): Promise<void> {
    this.#stopped = true;
    this.#cancelPause?.();
    await this.#connection?.unsubscribe();
  }

  /** Ends the connection. What is not acknowledged is the broker's to hand to another. */
  async end(): Promise<void> {
    await this.#connection?.end();
  }

  #again(refused: boolean): void {
    this.#connection = undefined;
    if (this.#stopped) return;
    // An old broker says that it is old, or just closes. The next time it is asked anew: it may have been mended.
    const downgrade = refused && this.#version === 5;
    this.#version = downgrade ? 4 : 5;
    const pauseMs = downgrade ? 0 : this.#pauseMs;
    if (downgrade) this.#needs.log.info({}, 'mqtt bridge: no MQTT 5 with this broker; trying 3.1.1');
    else this.#pauseMs = Math.min(pauseMs * 2, this.#needs.settings.reconnectMaxMs);
    this.#cancelPause = this.#needs.clock.after(withJitter(pauseMs), () => this.start());
  }
}

interface ConnectionEvents {
  readonly onSubscribed: () => void;
  /** @param refused before anything was said that only this version of MQTT would understand */
  readonly onClosed: (refused: boolean) => void;
}

class Connection {
  readonly #needs: LinkNeeds;
  readonly #client: MqttClient;
  readonly #version: Version;
  readonly #events: ConnectionEvents;
  readonly #cancelTimeout: Cancel;
  readonly #filters: string[];
  #status: 'connecting' | 'subscribing' | 'subscribed' | 'leaving' | 'closed' = 'connecting';
  /** Whether the version was refused, or the broker closed without a word. */
  #refused = true;
  /** Messages taken in and not done with. */
  #inFlight = 0;
  /** Lets the reading go on. */
  #resume: (() => void) | undefined;
  #cancelAwake: Cancel | undefined;
  /** Acknowledgements of this turn of the event loop: one write for all. */
  #acknowledgements: Buffer[] = [];

  constructor(needs: LinkNeeds, version: Version, events: ConnectionEvents) {
    const { settings, clock, log } = needs;
    this.#needs = needs;
    this.#version = version;
    this.#events = events;
    this.#filters = needs.filters.map((filter) => `$share/${settings.group}/${filter}`);
    this.#client = mqtt.connect(settings.url, clientOptions(settings, version));
    const { stream } = this.#client;
    // Acknowledgements are small, and whoever waits for one sends nothing: Nagle's algorithm would have both wait.
    if ('setNoDelay' in stream && typeof stream.setNoDelay === 'function') stream.setNoDelay(true);
    this.#client.handleMessage = (packet, callback) => this.#take(packet, () => callback(WITHOUT_PUBACK));
    this.#client.on('connect', () => this.#subscribe());
    this.#client.on('error', (error) => this.#complain(error));
    this.#client.on('disconnect', ({ reasonCode }) =>
      log.info({ reasonCode }, 'mqtt bridge: the broker ends the connection'),
    );
    this.#client.on('close', () => this.#close());
    this.#cancelTimeout = clock.after(settings.connectTimeoutMs, () => {
      if (this.#status !== 'connecting' && this.#status !== 'subscribing') return;
      this.#refused = false;
      this.#client.stream.destroy();
    });
  }

  get subscribed(): boolean {
    return this.#status === 'subscribed';
  }

  #subscribe(): void {
    const { log } = this.#needs;
    this.#refused = false;
    this.#status = 'subscribing';
    this.#client.subscribe(this.#filters, { qos: SUBSCRIPTION_QOS }, (error) => {
      if (this.#status !== 'subscribing') return;
      if (error) {
        log.error({ problem: error.message }, 'mqtt bridge: the subscription was not granted');
        this.#client.stream.destroy();
        return;
      }
      this.#status = 'subscribed';
      this.#events.onSubscribed();
      log.info({ version: this.#version, filters: this.#filters }, 'mqtt bridge: subscribed');
    });
  }

  #complain(error: Error): void {
    if (this.#status === 'connecting') {
      const code = 'code' in error ? error.code : undefined;
      this.#refused = code === undefined || UNACCEPTABLE_VERSION.includes(Number(code));
    }
    const fields = { problem: error.message, status: this.#status };
    this.#needs.log.warn(fields, 'mqtt bridge: trouble with the broker');
  }

  #close(): void {
    if (this.#status === 'closed') return;
    const refused = this.#status === 'connecting' && this.#refused;
    if (this.#status === 'subscribed') this.#needs.log.warn({}, 'mqtt bridge: the connection is lost');
    this.#status = 'closed';
    this.#cancelTimeout();
    this.#cancelAwake?.();
    this.#resume = undefined;
    this.#acknowledgements = [];
    this.#events.onClosed(refused);
  }

  // ------------------------------------------------------------------------------------------------- what comes in

  #take(packet: IPublishPacket, release: () => void): void {
    this.#inFlight += 1;
    this.#needs.onArrival(this.#arrival(packet));
    if (this.#inFlight < this.#needs.settings.inFlightMax) release();
    else this.#hold(release);
  }

  #arrival(packet: IPublishPacket): Arrival {
    const { topic, payload, qos, messageId, properties } = packet;
    let open = true;
    const close = (): boolean => {
      const was = open;
      open = false;
      if (was) this.#makeRoom();
      return was;
    };
    return {
      topic,
      payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
      qos: qos === 0 ? 0 : 1,
      responseTopic: properties?.responseTopic,
      correlationData: properties?.correlationData,
      reply: (to, text) => this.#publish(to, text, properties?.correlationData),
      done: () => {
        if (close() && qos > 0 && messageId !== undefined) this.#acknowledge(messageId);
      },
      forget: () => {
        close();
      },
    };
  }

  #makeRoom(): void {
    this.#inFlight -= 1;
    if (this.#resume === undefined || this.#inFlight >= this.#needs.settings.inFlightMax) return;
    const resume = this.#resume;
    this.#resume = undefined;
    this.#cancelAwake?.();
    resume();
  }

  /**
   * Reads no more until there is room. The broker's answers to pings are not read either, so pings are sent, for the
   * broker to know that we live, and their answers not waited for.
   */
  #hold(release: () => void): void {
    this.#resume = release;
    const { clock, settings } = this.#needs;
    const keepAwake = () => {
      this.#cancelAwake = clock.after((settings.keepAliveSeconds * 1000) / 2, () => {
        if (this.#resume === undefined || !this.#client.connected) return;
        this.#client.sendPing();
        this.#client.reschedulePing(true);
        keepAwake();
      });
    };
    keepAwake();
  }

  // ------------------------------------------------------------------------------------------------- what goes out

  #acknowledge(messageId: number): void {
    if (!this.#client.connected) return;
    if (this.#acknowledgements.push(encodeSuccess('puback', messageId)) === 1) {
      setImmediate(() => this.#flush());
    }
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#acknowledgements);
    this.#acknowledgements = [];
    if (bytes.length > 0 && this.#client.connected) this.#client.stream.write(bytes);
  }

  #publish(topic: string, payload: string, correlationData: Buffer | undefined): void {
    if (!this.#client.connected || this.#client.disconnecting) return;
    const properties = this.#version === 5 && correlationData !== undefined ? { correlationData } : undefined;
    this.#client.publish(topic, payload, properties === undefined ? { qos: 0 } : { qos: 0, properties });
  }

  // ---------------------------------------------------------------------------------------------------- the end

  async unsubscribe(): Promise<void> {
    if (this.#status !== 'subscribed') return this.end();
    this.#status = 'leaving';
    const { clock, settings } = this.#needs;
    await new Promise<void>((resolve) => {
      clock.after(settings.connectTimeoutMs, resolve);
      this.#client.unsubscribe(this.#filters, () => resolve());
    });
  }

  async end(): Promise<void> {
    if (this.#status === 'closed') return;
    this.#flush();
    const { clock, settings } = this.#needs;
    await new Promise<void>((resolve) => {
      clock.after(settings.connectTimeoutMs, resolve);
      this.#client.end(!this.#client.connected, {}, () => resolve());
    });
    this.#close();
    this.#client.stream.destroy();
  }
}

function clientOptions(settings: BridgeSettings, version: Version): IClientOptions {
  const { username, password, ca, cert, key, keyPassword, inFlightMax, payloadBytesMax, headerBytesMax } =
    settings;
  return {
    protocolVersion: version,
    clientId: `${settings.clientIdPrefix}-${randomUUID()}`,
    clean: true,
    keepalive: settings.keepAliveSeconds,
    connectTimeout: settings.connectTimeoutMs,
    reconnectPeriod: 0, // the link does so itself
    resubscribe: false,
    queueQoSZero: false,
    rejectUnauthorized: settings.rejectUnauthorized,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
    ...(version === 5
      ? {
          properties: {
            sessionExpiryInterval: 0,
            receiveMaximum: inFlightMax,
            maximumPacketSize: payloadBytesMax + headerBytesMax,
            requestProblemInformation: true,
          },
        }
      : {}),
  };
}
