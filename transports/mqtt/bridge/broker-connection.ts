/**
 * One connection to the broker, from CONNECT to its loss: the shared subscription, what comes in, and acknowledgements once
 * claims are durable.
 *
 * How many messages are under way is bounded twice: a broker that speaks version 5 is told (Receive Maximum) and keeps the
 * rest itself; and with a full window reading pauses, for QoS 0, for older brokers, and for those that miscount.
 *
 * Sessions are clean: no message waits for a member of the group that is gone. Each connection is a client object of its
 * own, so that what was received over an old one cannot be acknowledged over the next, where the same packet identifier is
 * another message.
 */
import type { Cancel, Clock } from '../../../actors/base/clock.ts';
import type { Log } from '../../../actors/base/log.ts';
import { encodeSuccess } from '../endpoint/codec.ts';
import {
  connectClient,
  type MqttClient,
  mayMeanVersion,
  type Publication,
  pingWithoutAnswer,
  type Version,
  writeBytes,
} from './mqtt-client.ts';
import type { BridgeSettings } from './settings.ts';

/** A publication that has arrived. */
export interface Arrival {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  /** The broker may have delivered it before. Whether its device had sent it before, brokers do not tell. */
  readonly isRedelivery: boolean;
  readonly responseTopic: string | undefined;
  readonly correlationData: Buffer | undefined;
  readonly userProperties: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Publishes with QoS 0 over the connection that the publication came by; does nothing when that is lost. */
  reply(topic: string, payload: string): void;
  /** Acknowledges, unless the connection is lost, and makes room in the window. */
  done(): void;
  /** Makes room without acknowledging. */
  forget(): void;
}

export interface BrokerConnectionNeeds {
  readonly settings: BridgeSettings;
  /** Filters without a group. */
  readonly filters: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  readonly onArrival: (arrival: Arrival) => void;
}

/** Of MQTT 5; with 3.1.1 they are left out. */
export interface EventProperties {
  readonly contentType: string;
  readonly userProperties: Record<string, string>;
}

const SUBSCRIPTION_QOS = 1;

export interface BrokerConnectionEvents {
  readonly onSubscribed: () => void;
  /** @param refused before anything was said that only this version of MQTT would understand */
  readonly onClosed: (refused: boolean) => void;
}

export class BrokerConnection {
  readonly #needs: BrokerConnectionNeeds;
  readonly #client: MqttClient;
  readonly #version: Version;
  readonly #events: BrokerConnectionEvents;
  readonly #cancelTimeout: Cancel;
  readonly #filters: string[];
  #status: 'connecting' | 'subscribing' | 'subscribed' | 'leaving' | 'closed' = 'connecting';
  /** Whether the version was refused, or the broker closed without a word. */
  #refused = true;
  /** Messages that were taken in and are neither acknowledged nor dropped. */
  #inFlight = 0;
  /** Resumes reading. */
  #resume: (() => void) | undefined;
  #cancelAwake: Cancel | undefined;
  /** Acknowledgements of this turn of the event loop: one write for all. */
  #acknowledgements: Buffer[] = [];

  constructor(needs: BrokerConnectionNeeds, version: Version, events: BrokerConnectionEvents) {
    const { settings, clock, log } = needs;
    this.#needs = needs;
    this.#version = version;
    this.#events = events;
    this.#filters = needs.filters.map((filter) => `$share/${settings.group}/${filter}`);
    this.#client = connectClient(settings, version, (packet, release) => this.#take(packet, release));
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
    if (this.#status === 'connecting') this.#refused = mayMeanVersion(error);
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

  #take(packet: Publication, release: () => void): void {
    this.#inFlight += 1;
    this.#needs.onArrival(this.#arrival(packet));
    if (this.#inFlight < this.#needs.settings.inFlightMax) release();
    else this.#hold(release);
  }

  #arrival(packet: Publication): Arrival {
    const { topic, payload, qos, dup, messageId, properties } = packet;
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
      isRedelivery: dup,
      responseTopic: properties?.responseTopic,
      correlationData: properties?.correlationData,
      userProperties: properties?.userProperties,
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
   * Stops reading until there is room. The broker's answers to pings are not read then either: pings are still sent, so that
   * the broker knows that we live, but their answers are not waited for.
   */
  #hold(release: () => void): void {
    this.#resume = release;
    const { clock, settings } = this.#needs;
    const keepAwake = () => {
      this.#cancelAwake = clock.after((settings.keepAliveSeconds * 1000) / 2, () => {
        if (this.#resume === undefined || !this.#client.connected) return;
        pingWithoutAnswer(this.#client);
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
    if (bytes.length > 0) writeBytes(this.#client, bytes);
  }

  #publish(topic: string, payload: string, correlationData: Buffer | undefined): void {
    if (!this.#client.connected || this.#client.disconnecting) return;
    const properties = this.#version === 5 && correlationData !== undefined ? { correlationData } : undefined;
    this.#client.publish(topic, payload, properties === undefined ? { qos: 0 } : { qos: 0, properties });
  }

  /**
   * Publishes with QoS 1. Resolves to whether the broker has it; with MQTT 5 the properties go along.
   */
  tell(topic: string, payload: string, properties: EventProperties): Promise<boolean> {
    if (this.#status !== 'subscribed' || !this.#client.connected) return Promise.resolve(false);
    const { clock, settings } = this.#needs;
    const more = this.#version === 5 ? { properties } : {};
    return new Promise((resolve) => {
      const finish = (isThere: boolean) => {
        cancel();
        this.#client.removeListener('close', onClose);
        resolve(isThere);
      };
      const onClose = () => finish(false);
      const cancel = clock.after(settings.connectTimeoutMs, onClose);
      this.#client.once('close', onClose);
      this.#client.publish(topic, payload, { qos: 1, ...more }, (error) => finish(!error));
    });
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
