/**
 * The bridge: a client of an external MQTT broker. Devices connect to the broker; many nodes share a subscription there, and
 * each claim goes to one of them.
 *
 * A message is acknowledged to the broker when what it asks for is durable (rule O6), many at a time (`link.ts`), those of
 * one device in order (`deliveries.ts`). Outcomes are published where the device can hear them: the broker's own PUBACK
 * tells it only that the broker has the message.
 *
 * At most once for QoS 0. For QoS 1 nothing is lost while the connection stands; what
 * happens to the messages of a member that dies depends on the broker: the specification has it give them to another member
 * (section 4.8.2), and EMQX does; Mosquitto drops them. A device that hears no outcome sends again, which is harmless.
 */
import type { Cancel, Clock } from '../../../actors/base/clock.ts';
import type { Log } from '../../../actors/base/log.ts';
import type { Secrets } from '../../../actors/base/secret.ts';
import type { Tracing } from '../../../actors/base/tracing.ts';
import { createClaiming } from '../../../actors/claiming/claiming.ts';
import { createGateways } from '../../../actors/claiming/gateways.ts';
import type { Devices, Directory } from '../../../actors/fleet/devices.ts';
import type { Profiles } from '../../../actors/fleet/profiles.ts';
import { type Parent, spawnParent, stop } from '../../../actors/runtime/nact.ts';
import type { Listening } from '../../../actors/sockets/listen.ts';
import type { Transport } from '../../transport.ts';
import { Arrivals } from './arrivals.ts';
import type { Arrival } from './broker-connection.ts';
import { Deliveries } from './deliveries.ts';
import { type EventMessage, Link } from './link.ts';
import type { Version } from './mqtt-client.ts';
import { createService, type Done, type Verdict } from './service.ts';
import type { BridgeSettings } from './settings.ts';
import { type Addressed, createTemplates, type Templates } from './templates.ts';

export interface BridgeOptions {
  readonly settings: BridgeSettings;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly profiles: Profiles;
  /** Under which actor this one is spawned. */
  readonly parent: Parent;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes spans; without it, nobody does. */
  readonly tracing?: Tracing | undefined;
}

/** Messages since the start, by what became of them. */
type Counts = Readonly<Record<Verdict | 'retried' | 'dropped', number>>;

export interface Bridge extends Transport {
  /** How many of the connections have their subscription. */
  readonly connected: number;
  /** The versions of MQTT that the connections speak. */
  readonly versions: readonly number[];
  readonly counts: Counts;
  /** Messages that are being served or wait. */
  readonly inFlight: number;
  /** Publishes an event with QoS 1. Resolves to whether the broker has it. */
  tell(topic: string, message: (version: Version) => EventMessage): Promise<boolean>;
}

/** Throws where a template is wrong. Nothing connects before `start`. */
export function createBridge(options: BridgeOptions): Bridge {
  return new MqttBridge(options);
}

/** How often messages that came to nothing are logged. */
const REPORT_MS = 60_000;

class MqttBridge implements Bridge {
  readonly name = 'mqtt-bridge';
  readonly #options: BridgeOptions;
  readonly #templates: Templates;
  readonly #home: Parent;
  readonly #deliveries: Deliveries;
  readonly #links: Link[];
  readonly #arrivals: Arrivals;
  readonly #counts: Record<keyof Counts, number> = {
    opened: 0,
    released: 0,
    refused: 0,
    malformed: 0,
    unknown: 0,
    retried: 0,
    dropped: 0,
  };
  #reported = 0;
  #inFlight = 0;
  #onIdle: (() => void) | undefined;
  #cancelReport: Cancel | undefined;

  constructor(options: BridgeOptions) {
    const { settings, devices, directory, secrets, profiles, clock, log } = options;
    this.#options = options;
    this.#templates = createTemplates(settings.claimTopics, settings.gatewayTopics);
    const claiming = createClaiming(devices, directory, secrets, log);
    const gateways = createGateways({ devices, directory, secrets, profiles, clock, log, settings });
    const service = createService({ ...options, claiming, gateways });
    this.#home = spawnParent(options.parent, 'mqtt-bridge');
    this.#arrivals = new Arrivals(clock);
    this.#deliveries = new Deliveries({
      parent: this.#home,
      service,
      clock,
      log,
      settings,
      onRetry: () => {
        this.#counts.retried += 1;
      },
    });
    const { filters } = this.#templates;
    const onArrival = (arrival: Arrival) => this.#deliver(arrival);
    this.#links = Array.from(
      { length: settings.connections },
      () => new Link({ settings, filters, clock, log, onArrival }),
    );
  }

  get connected(): number {
    return this.#links.filter((link) => link.connected).length;
  }

  get versions(): readonly number[] {
    return this.#links.map((link) => link.version);
  }

  get counts(): Counts {
    return { ...this.#counts };
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  async tell(topic: string, message: (version: Version) => EventMessage): Promise<boolean> {
    // Always the first that stands, so that the events of a device go one way.
    const link = this.#links.find(({ connected }) => connected);
    return link === undefined ? false : link.tell(topic, message);
  }

  /** Resolves at once, with the broker's address: it may be reachable only later. */
  start(): Promise<Listening> {
    for (const link of this.#links) link.start();
    this.#reportLater();
    const { hostname, port, protocol } = new URL(this.#options.settings.url);
    return Promise.resolve({ address: hostname, port: Number(port) || DEFAULT_PORTS[protocol] || 0 });
  }

  async stop(drainMs: number): Promise<void> {
    const { clock } = this.#options;
    const awake = setInterval(() => {}, drainMs + 1); // closed sockets do not keep the process alive
    const timeUp = new Promise<void>((resolve) => {
      clock.after(drainMs, resolve);
    });
    this.#cancelReport?.();
    const unsubscribed = Promise.all(this.#links.map((link) => link.leave()));
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      if (this.#inFlight === 0) resolve();
    });
    // Messages still arrive until the broker has unsubscribed us.
    await Promise.race([unsubscribed.then(() => this.#whenIdle(idle)), timeUp]);
    this.#deliveries.stop();
    await Promise.race([Promise.all(this.#links.map((link) => link.end())), this.#grace()]);
    clearInterval(awake);
    this.#arrivals.stop();
    stop(this.#home);
  }

  #whenIdle(idle: Promise<void>): Promise<void> {
    return this.#inFlight === 0 ? Promise.resolve() : idle;
  }

  #grace(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(GOODBYE_MS, resolve);
    });
  }

  #deliver(arrival: Arrival): void {
    const addressed = this.#templates.read(arrival.topic);
    if (addressed === undefined) {
      // The broker sent what nobody subscribed to. Acknowledged, or it would come again.
      this.#counts.unknown += 1;
      arrival.done();
      return;
    }
    this.#inFlight += 1;
    const { payload, qos, isRedelivery, userProperties } = arrival;
    this.#deliveries.add({
      addressed,
      payload,
      qos,
      isRedelivery,
      userProperties,
      arrivedAt: this.#arrivals.instant(),
      settle: (done) => {
        this.#counts[done.verdict] += 1;
        this.#publish(arrival, addressed, done);
        arrival.done();
        this.#left();
      },
      drop: (why) => {
        this.#counts.dropped += 1;
        // A message that meets a bug would meet it again.
        if (why === 'bug') arrival.done();
        else arrival.forget();
        this.#left();
      },
    });
  }

  #left(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  /** Publishes what came of a message where its device hears it. */
  #publish(arrival: Arrival, addressed: Addressed, { messages }: Done): void {
    const asked = this.#responseTopic(arrival, addressed);
    if (asked === undefined && !this.#options.settings.responses) return;
    for (const message of messages) arrival.reply(asked ?? addressed.responseTopic, message);
  }

  /**
   * The response topic that the message asks for (MQTT 5, section 3.3.2.3.5). We may publish where the device may not: a
   * device that names another's topic would speak in our name. So by default only topics of the device's own part of the
   * tree are allowed, and a topic on which claims are taken never is.
   */
  #responseTopic({ responseTopic }: Arrival, { own, mounted }: Addressed): string | undefined {
    if (responseTopic === undefined || responseTopic === '' || /[+#\0]|^\$/.test(responseTopic))
      return undefined;
    const isOwn = responseTopic.startsWith(own);
    const topic = mounted && !isOwn ? own + responseTopic : responseTopic;
    const allowed = mounted || isOwn || this.#options.settings.responseTopics === 'any';
    return allowed && this.#templates.read(topic) === undefined ? topic : undefined;
  }

  #reportLater(): void {
    this.#cancelReport = this.#options.clock.after(REPORT_MS, () => {
      const { malformed, unknown, dropped, retried } = this.#counts;
      const sum = malformed + unknown + dropped + retried;
      if (sum > this.#reported) {
        this.#options.log.warn(
          { ...this.#counts },
          'mqtt bridge: some messages came to nothing, or had to wait',
        );
      }
      this.#reported = sum;
      this.#reportLater();
    });
  }
}

const GOODBYE_MS = 1_000;
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'mqtt:': 1883,
  'mqtts:': 8883,
  'ws:': 80,
  'wss:': 443,
};
