/**
 * Which session each device has. One at a time: a newer connection takes over, as in ThingsBoard
 * (`ACTORS_MAX_CONCURRENT_SESSION_PER_DEVICE` = 1) and as [MQTT-3.1.4-2] has it for client identifiers. Here a client is its
 * device: client identifiers are free text, and two devices may choose the same one.
 *
 * Processes on one store exchange news of their sessions (`session-news.ts`), so a newer connection takes over from an older
 * one in any of them.
 */

import type { Clock, Instant } from '../../../actors/base/clock.ts';
import type { DeviceId } from '../../../actors/base/ids.ts';
import type { JsonObject } from '../../../actors/base/json.ts';
import type { SharedNews } from '../../../actors/claiming/attributes.ts';
import { type Bus, silentBus } from '../../../actors/cluster/bus.ts';
import { BehindGateways } from './behind-gateways.ts';
import { Reason, type ReasonCode } from './reasons.ts';
import { type BehindDevice, SessionNews, type Stamp } from './session-news.ts';

/** What the table needs of a session. */
interface Endable {
  /** Asks the session to end; may be called from anywhere. */
  requestEnd(reasonCode: ReasonCode): void;
  /** Asks the session to fetch the device's new credentials; may be called from anywhere. */
  requestCredentials(): void;
  notice(topic: string, payload: string): void;
  share(news: SharedNews): void;
}

interface Entry {
  readonly session: Endable;
  readonly enteredAt: Instant;
  /** Undefined where there are no other processes. */
  readonly stamp: Stamp | undefined;
}

/**
 * Two connections of one device so close together may have begun in either order: then the stamps decide. An older session
 * gives way to any newer one, whatever the clocks say.
 */
const RACE_MS = 2_000;

export class SessionTable {
  readonly #sessions = new Map<DeviceId, Entry>();
  readonly #behind = new BehindGateways<Endable>();
  readonly #clock: Clock;
  readonly #news: SessionNews | undefined;

  constructor(clock: Clock, bus: Bus = silentBus) {
    this.#clock = clock;
    if (bus === silentBus) return;
    this.#news = new SessionNews(bus, clock, {
      entered: (id, stamp) => this.#enteredElsewhere(id, stamp),
      revoked: (id) => this.end(id, Reason.administrativeAction),
      shared: (id, news) => this.#sessions.get(id)?.session.share(news),
      sharedBehind: (device, news) => this.#tellConnected(device, news),
      hasBehind: () => !this.#behind.empty,
      rotated: (id) => this.#sessions.get(id)?.session.requestCredentials(),
      present: () => [...this.#sessions.keys()],
    });
  }

  /** Starts to exchange news with the other processes. */
  start(): void {
    this.#news?.start();
  }

  stop(): void {
    this.#news?.stop();
  }

  /** Enters an authenticated session; the one that its device had is ended. */
  enter(id: DeviceId, session: Endable): void {
    const before = this.#sessions.get(id);
    this.#sessions.set(id, { session, enteredAt: this.#clock.elapsed(), stamp: this.#news?.enter(id) });
    before?.session.requestEnd(Reason.sessionTakenOver);
  }

  /** Whether the device has a session, here or, as far as is known, with another process. */
  has(id: DeviceId): boolean {
    return this.#sessions.has(id) || this.#news?.isElsewhere(id) === true;
  }

  /** Ends the session of a device, if it has one here. */
  end(id: DeviceId, reasonCode: ReasonCode): void {
    this.#sessions.get(id)?.session.requestEnd(reasonCode);
  }

  /** Tells the device something, if it has a session here. */
  notice(id: DeviceId, topic: string, payload: string): void {
    this.#sessions.get(id)?.session.notice(topic, payload);
  }

  /** The device is gone, or its credentials are no longer valid: ends its session, in whatever process. */
  revoke(id: DeviceId): void {
    this.end(id, Reason.administrativeAction);
    this.#news?.revoke(id);
  }

  /** The device is to have other credentials: its session fetches them, in whatever process. */
  rotate(id: DeviceId): void {
    this.#sessions.get(id)?.session.requestCredentials();
    this.#news?.rotate(id);
  }

  /** Shared attributes have changed: the device, or its gateway, hears of it in whatever process it is connected to. */
  share(id: DeviceId, news: SharedNews): void {
    const session = this.#sessions.get(id)?.session;
    if (session !== undefined) session.share(news);
    else if (this.#news?.isElsewhere(id)) this.#news.share(id, news);
  }

  /** The same, to the gateway that created the device and to those that have connected it, in whatever process. */
  shareBehind(device: BehindDevice, news: JsonObject): void {
    const { name, viaGateway } = device;
    if (viaGateway !== undefined) this.share(viaGateway, { type: 'shared', behind: name, news });
    this.#tellConnected(device, news);
    this.#news?.shareBehind(device, news);
  }

  #tellConnected({ id, name, viaGateway }: BehindDevice, news: JsonObject): void {
    const creator = viaGateway && this.#sessions.get(viaGateway)?.session; // it is told anyhow
    for (const session of this.#behind.sessionsOf(id)) {
      if (session !== creator) session.share({ type: 'shared', behind: name, news });
    }
  }

  /** A gateway has connected a device behind it: it hears of the device's attributes until one of them is gone. */
  connectBehind(session: Endable, name: string, id: DeviceId): void {
    const isFirst = this.#behind.empty;
    this.#behind.connect(session, name, id);
    if (isFirst) this.#news?.reportBehind();
  }

  disconnectBehind(session: Endable, name: string): void {
    this.#behind.disconnect(session, name);
  }

  /** Takes a session out, unless another has taken its place. */
  leave(id: DeviceId, session: Endable): void {
    this.#behind.end(session);
    if (this.#sessions.get(id)?.session !== session) return;
    this.#sessions.delete(id);
    this.#news?.leave(id);
  }

  #enteredElsewhere(id: DeviceId, stamp: Stamp): void {
    const mine = this.#sessions.get(id);
    if (mine?.stamp === undefined) return;
    const old = this.#clock.elapsed() - mine.enteredAt > RACE_MS;
    if (old || isLater(stamp, mine.stamp)) mine.session.requestEnd(Reason.sessionTakenOver);
  }
}

function isLater(one: Stamp, other: Stamp): boolean {
  return one.at === other.at ? one.node > other.node : one.at > other.at;
}
