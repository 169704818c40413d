/**
 * A link to the broker for as long as the bridge runs: a connection that is made again whenever it is lost, by MQTT 5, or by
 * 3.1.1 where the broker does not speak 5.
 */
import type { Cancel } from '../../../actors/base/clock.ts';
import { withJitter } from './back-off.ts';
import { BrokerConnection, type BrokerConnectionNeeds, type EventProperties } from './broker-connection.ts';
import type { Version } from './mqtt-client.ts';

/** An event, by what the version of MQTT can say beside it. */
export interface EventMessage extends EventProperties {
  readonly payload: string;
}

export class Link {
  readonly #needs: BrokerConnectionNeeds;
  #connection: BrokerConnection | undefined;
  #version: Version = 5;
  #pauseMs: number;
  #cancelPause: Cancel | undefined;
  #stopped = false;

  constructor(needs: BrokerConnectionNeeds) {
    this.#needs = needs;
    this.#pauseMs = needs.settings.reconnectMinMs;
  }

  /** Whether the broker has granted the subscription. */
  get connected(): boolean {
    return this.#connection?.subscribed ?? false;
  }

  /** The version of MQTT that the connection speaks, or the next one will. */
  get version(): Version {
    return this.#version;
  }

  /** Connects, and connects again whenever the connection is lost, until `leave`. */
  start(): void {
    this.#connection = new BrokerConnection(this.#needs, this.#version, {
      onSubscribed: () => {
        this.#pauseMs = this.#needs.settings.reconnectMinMs;
      },
      onClosed: (refused) => this.#again(refused),
    });
  }

  /** Publishes with QoS 1. Resolves to whether the broker has it. */
  async tell(topic: string, message: (version: Version) => EventMessage): Promise<boolean> {
    const { payload, ...properties } = message(this.#version);
    return (await this.#connection?.tell(topic, payload, properties)) ?? false;
  }

  /** Unsubscribes. Resolves when the broker has confirmed it, or cannot be reached. */
  async leave(): Promise<void> {
    this.#stopped = true;
    this.#cancelPause?.();
    await this.#connection?.unsubscribe();
  }

  /** Ends the connection. The broker may give what is not acknowledged to another member. */
  async end(): Promise<void> {
    await this.#connection?.end();
  }

  #again(refused: boolean): void {
    this.#connection = undefined;
    if (this.#stopped) return;
    // A broker without version 5 says so, or just closes. Later version 5 is tried again: it may have been upgraded.
    const downgrade = refused && this.#version === 5;
    this.#version = downgrade ? 4 : 5;
    const pauseMs = downgrade ? 0 : this.#pauseMs;
    if (downgrade) this.#needs.log.info({}, 'mqtt bridge: no MQTT 5 with this broker; trying 3.1.1');
    else this.#pauseMs = Math.min(pauseMs * 2, this.#needs.settings.reconnectMaxMs);
    this.#cancelPause = this.#needs.clock.after(withJitter(pauseMs), () => this.start());
  }
}
