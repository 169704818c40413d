/**
 * One place at the broker, held for as long as the bridge runs: a connection that is made again whenever it is lost, by
 * MQTT 5, or by 3.1.1 with a broker that speaks no better.
 */
import type { Cancel } from '../../../actors/base/clock.ts';
import { withJitter } from './back-off.ts';
import { BrokerConnection, type BrokerConnectionNeeds } from './broker-connection.ts';
import type { Version } from './mqtt-client.ts';

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

  /** The version of MQTT that is spoken, or would be. */
  get version(): Version {
    return this.#version;
  }

  /** Connects, and again whenever the connection is lost, until it is stopped. */
  start(): void {
    this.#connection = new BrokerConnection(this.#needs, this.#version, {
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
