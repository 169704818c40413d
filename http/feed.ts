/**
 * The live feed: what happens to a tenant's devices in this process, as server-sent events. Watching does not slow
 * claims down: a stream whose reader is too slow is ended, and the client connects again, as event sources do.
 */

import type { Note } from '../actors/audit/entry.ts';
import type { Cancel, Clock, Instant } from '../actors/base/clock.ts';
import type { CustomerId, DeviceId, TenantId, UserId } from '../actors/base/ids.ts';
import { unreachable } from '../actors/base/unreachable.ts';
import type { DeviceEvent } from '../actors/device/device.ts';
import type { Device } from '../actors/device/state.ts';
import type { DeviceListener } from '../actors/fleet/devices.ts';
import { StoreUnavailable } from '../actors/store/store.ts';

export interface FeedEvent {
  readonly type:
    | 'opened'
    | 'pending'
    | 'approved'
    | 'closed'
    | 'elapsed'
    | 'claimed'
    | 'refused'
    | 'assigned'
    | 'transferred'
    | 'given-back'
    | 'unassigned'
    | 'reset'
    | 'take-over-asked'
    | 'take-over-ended'
    | 'taken-over';
  readonly at: Instant;
  /** Null when a claim was refused because there is no such device. */
  readonly deviceId: DeviceId | null;
  readonly deviceName: string;
  /** The customer who owns it now, or did until now, or was refused. */
  readonly customerId: CustomerId | null;
  /** Of `opened`, `pending` and `approved`; of `reset` if it opened a window; of `take-over-asked`, when it happens. */
  readonly closesAt: Instant | null;
  /** Of `refused` and `take-over-ended`: why. */
  readonly reason: string | null;
}

interface Watch {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** After this time the stream ends. */
  readonly lastsMs: number;
  /** Asked every second, never rejects: a logout or a token that was revoked ends it. */
  readonly stillMay: () => Promise<boolean>;
}

/** Texts to be sent, until `isEnded` says that nobody reads them any more. */
type Source = (isEnded: () => boolean) => AsyncGenerator<string, void>;

export interface Feed {
  /** Takes every durable event. */
  readonly onDeviceEvent: DeviceListener;
  /** Takes what is in no journal: refused claims. */
  onNote(note: Note): void;
  /**
   * What happens from now on; undefined if too many watch already.
   * @param source what is sent instead, as fast as it is read; ended with the stream
   */
  watch(watch: Watch, source?: Source): ReadableStream<Uint8Array> | undefined;
  /** Ends every stream: the process stops. */
  close(): void;
}

/** Streams of one user, of one tenant, and of all. Each costs a connection and a few kilobytes. */
const PER_USER_MAX = 10;
const PER_TENANT_MAX = 50;
const ALL_MAX = 1_000;
/** Events that wait for a slow reader before its stream is ended. */
const WAITING_MAX = 500;
/** Pages of events that wait for a slow reader; no more are read meanwhile. */
const PAGES_WAITING_MAX = 4;
/** Something is sent this often, because proxies close silent connections. */
const HEARTBEAT_MS = 15_000;
/** Whether they still may is asked this often: whoever logs out stops hearing within two seconds. */
const CHECK_MS = 1_000;
const CHECKS_PER_HEARTBEAT = HEARTBEAT_MS / CHECK_MS;

interface Watcher extends Watch {
  /** It is sent something else. */
  readonly hasSource: boolean;
  send(text: string): void;
  /** Ends the stream; does nothing the second time. */
  end(): void;
}

export function createFeed(clock: Clock): Feed {
  const watchers = new Watchers(clock);
  let closed = false;

  function send(tenantId: TenantId, event: FeedEvent): void {
    const text = `event: device\ndata: ${JSON.stringify(event)}\n\n`;
    for (const watcher of watchers.of(tenantId)) if (!watcher.hasSource) watcher.send(text);
  }

  return {
    onDeviceEvent(id, event, state) {
      if (watchers.count === 0 || state.status !== 'provisioned') return;
      const shown = feedEventOf(id, event, state);
      if (shown !== undefined) send(state.tenantId, shown);
    },

    onNote({ tenantId, action, deviceId = null, deviceName = '', customerId = null, failure = null }) {
      if (watchers.count === 0 || action !== 'CLAIM_REFUSED') return;
      const fields = { deviceId, deviceName, customerId, closesAt: null, reason: failure };
      send(tenantId, { type: 'refused', at: clock.now(), ...fields });
    },

    watch(watch, source) {
      if (closed || watchers.isFull(watch)) return undefined;
      let end = () => {};
      let ended = false;
      const texts = source?.(() => ended);
      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            const cancelTimer = clock.after(watch.lastsMs, () => end());
            const about = { ...watch, hasSource: texts !== undefined };
            const watcher = createWatcher(about, controller, () => {
              ended = true;
              cancelTimer();
              watchers.remove(watcher);
            });
            end = watcher.end;
            watchers.add(watcher);
            watcher.send('retry: 3000\n\n');
            if (watch.lastsMs <= 0) end();
          },
          async pull(controller) {
            if (texts === undefined) return;
            const next = await texts.next().catch((error: unknown) => {
              end();
              if (!(error instanceof StoreUnavailable)) throw error; // the client comes back by itself
              return undefined;
            });
            if (ended) return;
            if (next === undefined || next.done) end();
            else controller.enqueue(encoder.encode(next.value));
          },
          cancel: () => end(),
        },
        { highWaterMark: texts === undefined ? WAITING_MAX : PAGES_WAITING_MAX },
      );
    },

    close() {
      closed = true;
      for (const watcher of watchers.all()) watcher.end();
    },
  };
}

/** Who watches, whether they still may, and the heartbeat of their streams. */
class Watchers {
  readonly #clock: Clock;
  readonly #byTenant = new Map<TenantId, Set<Watcher>>();
  #count = 0;
  #check: Cancel | undefined;
  #checks = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#count;
  }

  all(): readonly Watcher[] {
    return [...this.#byTenant.values()].flatMap((some) => [...some]);
  }

  of(tenantId: TenantId): readonly Watcher[] {
    return [...(this.#byTenant.get(tenantId) ?? [])];
  }

  isFull({ tenantId, userId }: Watch): boolean {
    const own = this.of(tenantId);
    const ofUser = own.filter((watcher) => watcher.userId === userId);
    return this.#count >= ALL_MAX || own.length >= PER_TENANT_MAX || ofUser.length >= PER_USER_MAX;
  }

  add(watcher: Watcher): void {
    const own = this.#byTenant.get(watcher.tenantId) ?? new Set();
    this.#byTenant.set(watcher.tenantId, own.add(watcher));
    this.#count += 1;
    this.#checkSoon();
  }

  remove(watcher: Watcher): void {
    const own = this.#byTenant.get(watcher.tenantId);
    own?.delete(watcher);
    if (own?.size === 0) this.#byTenant.delete(watcher.tenantId);
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#check?.();
    this.#check = undefined;
  }

  #checkSoon(): void {
    this.#check ??= this.#clock.after(CHECK_MS, () => {
      this.#check = undefined;
      this.#checks += 1;
      const beats = this.#checks % CHECKS_PER_HEARTBEAT === 0;
      for (const watcher of this.all()) void check(watcher, beats);
      if (this.#count > 0) this.#checkSoon();
    });
  }
}

const encoder = new TextEncoder();

function createWatcher(
  watch: Watch & Pick<Watcher, 'hasSource'>,
  controller: ReadableStreamDefaultController<Uint8Array>,
  onEnd: () => void,
): Watcher {
  let ended = false;

  function end(): void {
    if (ended) return;
    ended = true;
    onEnd();
    try {
      controller.close();
    } catch {
      // The reader is gone already: a stream that was cancelled cannot be closed.
    }
  }

  return {
    ...watch,
    send(text) {
      if (ended) return;
      if ((controller.desiredSize ?? 0) <= 0) end();
      else controller.enqueue(encoder.encode(text));
    },
    end,
  };
}

async function check(watcher: Watcher, beats: boolean): Promise<void> {
  if (!(await watcher.stillMay())) watcher.end();
  else if (beats) watcher.send(': still here\n\n');
}

/** What the feed shows of an event; undefined if nothing. */
function feedEventOf(
  deviceId: DeviceId,
  event: DeviceEvent,
  { name: deviceName }: Device,
): FeedEvent | undefined {
  const shown = (type: FeedEvent['type'], more: Partial<FeedEvent> = {}): FeedEvent => ({
    type,
    at: event.at,
    deviceId,
    deviceName,
    customerId: null,
    closesAt: null,
    reason: null,
    ...more,
  });
  switch (event.type) {
    case 'ClaimWindowOpened':
      return shown(event.pending ? 'pending' : 'opened', { closesAt: event.closesAt });
    case 'ClaimWindowApproved':
      return shown('approved', { closesAt: event.closesAt });
    case 'ClaimWindowClosed':
      return shown('closed');
    case 'ClaimWindowExpired':
      return shown('elapsed');
    case 'DeviceClaimed':
      return shown('claimed', { customerId: event.customerId });
    case 'DeviceAssigned':
      return shown('assigned', { customerId: event.customerId });
    case 'DeviceTransferred':
      return shown('transferred', { customerId: event.customerId });
    case 'DeviceReclaimed':
      return shown('given-back', { customerId: event.previousCustomerId });
    case 'DeviceUnassigned':
      return shown('unassigned', { customerId: event.previousCustomerId });
    case 'DeviceReset':
      return shown('reset', {
        customerId: event.previousCustomerId,
        closesAt: event.window?.closesAt ?? null,
      });
    case 'TakeOverAsked':
      return shown('take-over-asked', { customerId: event.ownerId, closesAt: event.dueAt });
    case 'TakeOverEnded':
      return shown('take-over-ended', { customerId: event.ownerId, reason: event.why });
    case 'DeviceTakenOver':
      return shown('taken-over', { customerId: event.customerId });
    case 'DeviceProvisioned':
    case 'DeviceUpdated':
    case 'CredentialsChanged':
    case 'ChallengeIssued':
    case 'ResetNoted':
    case 'CredentialsRotated':
    case 'CredentialsRead':
    case 'ClaimsRefused': // each was shown when it was refused
    case 'DeviceDeleted':
    case 'DeviceOffered':
    case 'OfferDeclined':
    case 'OfferWithdrawn':
    case 'OfferExpired':
    case 'AttributesSaved':
    case 'AttributesDeleted':
      return undefined;
    default:
      return unreachable(event);
  }
}
