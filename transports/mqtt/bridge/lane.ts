/**
 * A lane: an actor that serves some of the devices, each of them always by the same lane. What one device has sent is
 * served in the order in which it came, one after the other; all devices at the same time.
 *
 * A message that got no answer stays at the head of its device's line and is tried again, with pauses that grow, until
 * it is answered or the lane stops. How much can wait so is bounded by the windows of the connections, and for each device,
 * so that one that floods does not fill the windows.
 */
import type { Clock } from '../../../actors/base/clock.ts';
import { type Parent, type Ref, spawnActor, tell } from '../../../actors/runtime/nact.ts';
import { type Service, type Settled, tooManyWaiting } from './service.ts';
import type { BridgeSettings } from './settings.ts';
import type { Addressed } from './templates.ts';

/** A message that has come and is not done with. */
export interface Delivery {
  readonly addressed: Addressed;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  /** The message is done with, for good. */
  settle(settled: Settled): void;
  /** Nothing more will be done about it here: it is not acknowledged. */
  drop(why: 'unavailable' | 'stopping' | 'fault'): void;
}

export interface Lane {
  add(delivery: Delivery): void;
  /** What waits is dropped, what is under way is finished. */
  stop(): void;
}

export interface LaneNeeds {
  readonly parent: Parent;
  readonly name: string;
  readonly service: Service;
  readonly clock: Clock;
  readonly settings: Pick<BridgeSettings, 'lineMax' | 'retryMinMs' | 'retryMaxMs'>;
  /** A message had no answer and will be tried again. */
  readonly onRetry: () => void;
  readonly onFault: (error: unknown) => void;
}

/** That there is something in the inbox: many messages of one turn of the event loop are one in the mailbox. */
type Arrived = 'arrived';

export function spawnLane(needs: LaneNeeds): Lane {
  const { parent, name, onFault } = needs;
  const work = new LaneWork(needs);
  const self: Ref<Arrived> = spawnActor<undefined, Arrived>(parent, name, {
    initial: undefined,
    receive() {
      work.takeIn();
      return undefined;
    },
    onCrash(error) {
      onFault(error);
      return 'resume';
    },
  });
  return {
    add(delivery) {
      if (work.inbox.push(delivery) === 1) tell(self, 'arrived');
    },
    stop: () => work.stop(),
  };
}

class LaneWork {
  inbox: Delivery[] = [];
  readonly #needs: LaneNeeds;
  /** By device, what waits behind the message that is being served. */
  readonly #lines = new Map<string, Delivery[]>();
  /** Ends the pauses. */
  readonly #pauses = new Set<() => void>();
  #stopped = false;

  constructor(needs: LaneNeeds) {
    this.#needs = needs;
  }

  takeIn(): void {
    const arrived = this.inbox;
    this.inbox = [];
    for (const delivery of arrived) {
      const { token } = delivery.addressed;
      const line = this.#lines.get(token);
      if (line !== undefined) {
        if (line.length < this.#needs.settings.lineMax) line.push(delivery);
        else delivery.settle(tooManyWaiting);
      } else {
        this.#lines.set(token, []);
        void this.#serveLine(token, delivery);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const end of [...this.#pauses]) end();
    this.takeIn();
  }

  async #serveLine(token: string, first: Delivery): Promise<void> {
    for (let delivery: Delivery | undefined = first; delivery !== undefined; ) {
      try {
        await this.#serve(delivery);
      } catch (error) {
        this.#needs.onFault(error);
        delivery.drop('fault');
      }
      delivery = this.#lines.get(token)?.shift();
    }
    this.#lines.delete(token);
  }

  async #serve(delivery: Delivery): Promise<void> {
    const { retryMinMs, retryMaxMs } = this.#needs.settings;
    for (let pauseMs = retryMinMs; !this.#stopped; pauseMs = Math.min(pauseMs * 2, retryMaxMs)) {
      const served = await this.#needs.service.serve(delivery.addressed, delivery.payload);
      if (served.type === 'settled') return delivery.settle(served);
      if (delivery.qos === 0) return delivery.drop('unavailable'); // at most once is what was asked for
      if (this.#stopped) break;
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

/** Between half of it and all: those that failed together do not come back together. */
export function withJitter(ms: number): number {
  return Math.ceil(ms * (0.5 + Math.random() / 2));
}
