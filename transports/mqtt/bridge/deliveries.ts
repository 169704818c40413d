/**
 * What the broker delivers, as an actor: messages of one device are served one after the other, in the order in which they
 * came; different devices side by side.
 *
 * A message that got no answer keeps its place and is tried again, with a back-off, until it is answered or the bridge
 * stops. How much may wait is bounded by the windows of the connections, and for each device, so that one that floods does
 * not fill the windows.
 */
import type { Clock, Instant } from '../../../actors/base/clock.ts';
import { type Log, logBounded } from '../../../actors/base/log.ts';
import { type Actor, spawnActor } from '../../../actors/runtime/actor.ts';
import type { Parent } from '../../../actors/runtime/nact.ts';
import { reportBug } from '../../../actors/runtime/supervision.ts';
import { withJitter } from './back-off.ts';
import type { Arrival } from './broker-connection.ts';
import { type Done, type Service, tooManyWaiting } from './service.ts';
import type { BridgeSettings } from './settings.ts';
import type { Addressed } from './templates.ts';

/** A message of the broker, until it is settled or dropped. */
export interface Delivery {
  readonly addressed: Addressed;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  /** The broker may have delivered it before. */
  readonly isRedelivery: boolean;
  readonly userProperties: Arrival['userProperties'];
  /** It may wait long for its turn, or for the store. */
  readonly arrivedAt: Instant;
  /** It was served. */
  settle(done: Done): void;
  /** It was not served, and will not be. */
  drop(why: 'unavailable' | 'stopping' | 'bug'): void;
}

export interface DeliveriesNeeds {
  readonly parent: Parent;
  readonly service: Service;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: Pick<BridgeSettings, 'lineMax' | 'retryMinMs' | 'retryMaxMs'>;
  /** A message had no answer and will be tried again. */
  readonly onRetry: () => void;
}

const TOO_MANY_WAITING = 'a limit was reached: too many messages of one device wait at the bridge';

export class Deliveries {
  readonly #needs: DeliveriesNeeds;
  readonly #actor: Actor<Delivery>;
  /** Ends the pauses. */
  readonly #pauses = new Set<() => void>();
  #stopping = false;

  constructor(needs: DeliveriesNeeds) {
    this.#needs = needs;
    this.#actor = spawnActor<Delivery>(needs.parent, 'deliveries', {
      keyOf: ({ addressed }) => addressed.token,
      waitingMax: needs.settings.lineMax,
      receive: (delivery) => this.#serve(delivery),
      onCrash(error, delivery) {
        reportBug(needs.log, 'broker message', error);
        delivery.drop('bug');
        return 'resume';
      },
    });
  }

  add(delivery: Delivery): void {
    if (this.#actor.tell(delivery)) return;
    delivery.settle(tooManyWaiting);
    this.#logLimit(delivery);
  }

  /** Without the topic: the token in it is a secret. */
  #logLimit({ addressed: { kind, token } }: Delivery): void {
    const { log, service, settings } = this.#needs;
    const fields = { deviceId: service.deviceOf(token), kind, lineMax: settings.lineMax };
    logBounded(log, 'warn', performance.now(), fields, TOO_MANY_WAITING);
  }

  /** What waits is dropped, what is under way is finished. */
  stop(): void {
    this.#stopping = true;
    for (const end of [...this.#pauses]) end();
  }

  async #serve(delivery: Delivery): Promise<void> {
    const { retryMinMs, retryMaxMs } = this.#needs.settings;
    const { addressed, payload, arrivedAt, userProperties } = delivery;
    let { isRedelivery } = delivery;
    for (let pauseMs = retryMinMs; !this.#stopping; pauseMs = Math.min(pauseMs * 2, retryMaxMs)) {
      const message = { addressed, payload, isRedelivery, arrivedAt, userProperties };
      const served = await this.#needs.service.serve(message);
      isRedelivery = true; // without an answer nobody knows whether it was served
      if (served.type === 'done') return delivery.settle(served);
      if (delivery.qos === 0) return delivery.drop('unavailable'); // QoS 0: at most once
      if (this.#stopping) break;
      this.#needs.onRetry();
      await this.#pause(withJitter(pauseMs));
    }
    delivery.drop('stopping');
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const cancel = this.#needs.clock.after(ms, end);
      this.#pauses.add(end);
    });
  }
}
