/**
 * The news of sessions that endpoints of several processes on one store exchange over the bus: which device connected, which
 * one left, whose credentials are no longer valid. So a device that connects to another process leaves no session behind, and
 * every process knows who is connected, unless a message was lost.
 *
 * The news of one turn of the event loop are one message. A process that starts asks the others for all their sessions; one
 * that was silent for too long is taken to have none.
 */
import { randomUUID } from 'node:crypto';
import type { Clock, Instant } from '../../../actors/base/clock.ts';
import type { DeviceId } from '../../../actors/base/ids.ts';
import { isJsonObject, type JsonObject } from '../../../actors/base/json.ts';
import type { SharedNews } from '../../../actors/claiming/attributes.ts';
import type { Bus } from '../../../actors/cluster/bus.ts';

/** When a session began, in an order that all processes agree on (a Lamport clock: later than all that was heard of). */
export interface Stamp {
  readonly at: number;
  readonly node: string;
}

/** A device that a gateway may have connected. */
export interface BehindDevice {
  readonly id: DeviceId;
  readonly name: string;
  /** The gateway that created it. */
  readonly viaGateway: DeviceId | undefined;
}

/** Where the news come from and go to: the sessions of this process. */
export interface Sessions {
  /** A device has a new session with another process. */
  entered(id: DeviceId, stamp: Stamp): void;
  revoked(id: DeviceId): void;
  /** The device is to have other credentials, and its session can fetch them. */
  rotated(id: DeviceId): void;
  /** Shared attributes of the device, or of one behind it, have changed. */
  shared(id: DeviceId, news: SharedNews): void;
  /** The same, for the gateways that have connected the device here. */
  sharedBehind(device: BehindDevice, news: JsonObject): void;
  /** Whether a gateway has connected a device here. */
  hasBehind(): boolean;
  /** The devices that have a session with this process. */
  present(): readonly DeviceId[];
}

const TOPIC = 'mqtt-sessions';
/** The heartbeat of a process. */
const BEAT_MS = 5_000;
/** A process that was silent for so long is taken to have no sessions. */
const SILENCE_MAX_MS = 16_000;
/** Devices in one message. */
const LISTED_MAX = 1_000;

type NewsItem = readonly [what: 'entered' | 'left' | 'revoked' | 'rotated', id: string, at: number];

interface Other {
  heardAt: Instant;
  readonly devices: Set<string>;
  /** Gateways have connected devices there. */
  hasBehind: boolean;
}

export class SessionNews {
  readonly #self = randomUUID();
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #sessions: Sessions;
  readonly #others = new Map<string, Other>();
  /** The latest stamp of this process or heard from another. */
  #latest = 0;
  /** What has happened in this turn of the event loop, in order. */
  #news: NewsItem[] = [];
  #end = () => {};

  constructor(bus: Bus, clock: Clock, sessions: Sessions) {
    this.#bus = bus;
    this.#clock = clock;
    this.#sessions = sessions;
  }

  start(): void {
    const unsubscribe = this.#bus.subscribe(TOPIC, (message) => this.#hear(message));
    let cancel = () => {};
    const beat = () => {
      this.reportBehind();
      this.#forgetSilent();
      cancel = this.#clock.after(BEAT_MS, beat);
    };
    this.#end = () => {
      cancel();
      unsubscribe();
    };
    this.#say({ asks: true });
    beat();
  }

  stop(): void {
    this.#end();
    this.#say({ gone: true });
  }

  enter(id: DeviceId): Stamp {
    // By the wall clock: the only one whose readings in two processes can be compared. `elapsed` begins with each process,
    // so a worker that started later would lose to an older session whose news is still under way.
    this.#latest = Math.max(this.#clock.now(), this.#latest + 1);
    this.#report(['entered', id, this.#latest]);
    return { at: this.#latest, node: this.#self };
  }

  leave(id: DeviceId): void {
    this.#report(['left', id, 0]);
  }

  revoke(id: DeviceId): void {
    this.#report(['revoked', id, 0]);
  }

  rotate(id: DeviceId): void {
    this.#report(['rotated', id, 0]);
  }

  share(id: DeviceId, { behind, news }: SharedNews): void {
    this.#say({ shared: { id, news, ...(behind === undefined ? {} : { behind }) } });
  }

  /** Tells the processes in which gateways have connected devices, and nobody where there are none. */
  shareBehind({ id, name, viaGateway }: BehindDevice, news: JsonObject): void {
    if (![...this.#others.values()].some(({ hasBehind }) => hasBehind)) return;
    this.#say({ sharedBehind: { id, name, news, ...(viaGateway === undefined ? {} : { viaGateway }) } });
  }

  reportBehind(): void {
    this.#say({ hasBehind: this.#sessions.hasBehind() });
  }

  isElsewhere(id: DeviceId): boolean {
    for (const { devices } of this.#others.values()) if (devices.has(id)) return true;
    return false;
  }

  #report(item: NewsItem): void {
    this.#news.push(item);
    if (this.#news.length > 1) return;
    setImmediate(() => {
      const news = this.#news;
      this.#news = [];
      this.#say({ news });
    });
  }

  #say(news: JsonObject): void {
    this.#bus.publish(TOPIC, { node: this.#self, ...news });
  }

  #hear({ node, gone, asks, present, news, shared, hasBehind, sharedBehind }: JsonObject): void {
    if (typeof node !== 'string') return;
    if (gone === true) {
      this.#others.delete(node);
      return;
    }
    const other: Other = this.#others.get(node) ?? { heardAt: 0, devices: new Set(), hasBehind: false };
    this.#others.set(node, other);
    other.heardAt = this.#clock.elapsed();
    if (asks === true) this.#reportAll();
    if (isJsonObject(shared)) this.#hearShared(shared);
    if (typeof hasBehind === 'boolean') other.hasBehind = hasBehind;
    if (isJsonObject(sharedBehind)) this.#hearSharedBehind(sharedBehind);
    if (Array.isArray(present)) for (const id of present) other.devices.add(String(id));
    for (const [what, id, at] of newsIn(news)) {
      if (what === 'left') other.devices.delete(id);
      else if (what === 'revoked')
        this.#sessions.revoked(id as DeviceId); // it was a DeviceId where it was sent
      else if (what === 'rotated') this.#sessions.rotated(id as DeviceId);
      else {
        this.#latest = Math.max(this.#latest, at);
        other.devices.add(id);
        this.#sessions.entered(id as DeviceId, { at, node });
      }
    }
  }

  #hearShared({ id, behind, news }: JsonObject): void {
    if (typeof id !== 'string' || !isJsonObject(news)) return;
    const of = typeof behind === 'string' ? { behind } : {};
    this.#sessions.shared(id as DeviceId, { type: 'shared', news, ...of }); // it was a DeviceId where it was sent
  }

  #hearSharedBehind({ id, name, viaGateway, news }: JsonObject): void {
    if (typeof id !== 'string' || typeof name !== 'string' || !isJsonObject(news)) return;
    // They were ids where they were sent.
    const creator = typeof viaGateway === 'string' ? (viaGateway as DeviceId) : undefined;
    this.#sessions.sharedBehind({ id: id as DeviceId, name, viaGateway: creator }, news);
  }

  #reportAll(): void {
    this.reportBehind();
    const all = this.#sessions.present();
    for (let at = 0; at < all.length; at += LISTED_MAX)
      this.#say({ present: all.slice(at, at + LISTED_MAX) });
  }

  #forgetSilent(): void {
    const now = this.#clock.elapsed();
    for (const [node, { heardAt }] of this.#others) {
      if (now - heardAt > SILENCE_MAX_MS) this.#others.delete(node);
    }
  }
}

/** What the message says, as far as this version understands it: the other process may have another version. */
function newsIn(value: unknown): readonly NewsItem[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [];
  return all.filter(
    (one): one is NewsItem =>
      Array.isArray(one) &&
      ['entered', 'left', 'revoked', 'rotated'].includes(one[0]) &&
      typeof one[1] === 'string' &&
      typeof one[2] === 'number',
  );
}
