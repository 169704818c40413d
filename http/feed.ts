/**
 * The live feed: what happens to a tenant's devices in this process, told at once to whoever watches, as server-sent
 * events. Watching costs claims nothing: who reads too slowly is let go, and comes back by itself, as event sources do.
 */

import type { Note } from '../actors/audit/entry.ts';
import type { Cancel, Clock, Instant } from '../actors/base/clock.ts';
import type { CustomerId, DeviceId, TenantId, UserId } from '../actors/base/ids.ts';
import { unreachable } from '../actors/base/unreachable.ts';
import type { DeviceEvent } from '../actors/device/device.ts';
import type { DeviceState } from '../actors/device/state.ts';
import type { DeviceListener } from '../actors/fleet/devices.ts';

export interface FeedEvent {
  readonly type:
    | 'opened'
    | 'closed'
    | 'elapsed'
    | 'claimed'
    | 'refused'
    | 'assigned'
    | 'given-back'
    | 'unassigned';
  readonly at: Instant;
  /** Null when a claim was refused because there is no such device. */
  readonly deviceId: DeviceId | null;
  readonly deviceName: string;
  /** Who owns it now, or did until now; or who was refused. */
  readonly customerId: CustomerId | null;
  /** With `opened`. */
  readonly closesAt: Instant | null;
  /** With `refused`: why. */
  readonly reason: string | null;
}

export interface Watch {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** It ends by itself after it. */
  readonly lastsMs: number;
  /** Asked at every heartbeat: a token that was revoked meanwhile ends it. */
  readonly stillMay: () => Promise<boolean>;
}

export interface Feed {
  /** To be told of every durable event. */
  readonly onDeviceEvent: DeviceListener;
  /** To be told of what is in no journal: refused claims are shown. */
  onNote(note: Note): void;
  /** What happens from now on; undefined when too many watch already. */
  watch(wish: Watch): ReadableStream<Uint8Array> | undefined;
  /** Ends every stream: the process stops. */
  close(): void;
}

/** Streams of one user, of one tenant, and of all. Each is a connection and a few kilobytes. */
const PER_USER_MAX = 10;
const PER_TENANT_MAX = 50;
const ALL_MAX = 1_000;
/** Events that wait for a slow reader, before it is let go. */
const WAITING_MAX = 500;
/** So often is something sent, or proxies take the connection for dead. */
const HEARTBEAT_MS = 15_000;

interface Watcher {
  readonly userId: UserId;
  readonly stillMay: () => Promise<boolean>;
  send(text: string): void;
  end(): void;
}

export function createFeed(clock: Clock): Feed {
  const watchers = new Map<TenantId, Set<Watcher>>();
  const encoder = new TextEncoder();
  let count = 0;
  let closed = false;
  let heartbeat: Cancel | undefined;

  const all = () => [...watchers.values()].flatMap((some) => [...some]);

  function beat(): void {
    heartbeat ??= clock.after(HEARTBEAT_MS, () => {
      heartbeat = undefined;
      for (const watcher of all()) void greet(watcher);
      if (count > 0) beat();
    });
  }

  /** A store that can not be asked just now is no reason to send anybody away. */
  async function greet(watcher: Watcher): Promise<void> {
    if (await watcher.stillMay().catch(() => true)) watcher.send(': still here\n\n');
    else watcher.end();
  }

  function send(tenantId: TenantId, event: FeedEvent): void {
    const some = watchers.get(tenantId);
    if (some === undefined) return;
    const text = `event: device\ndata: ${JSON.stringify(event)}\n\n`;
    for (const watcher of [...some]) watcher.send(text);
  }

  return {
    onDeviceEvent(id, event, state) {
      if (count === 0) return;
      const told = tell(id, event, state);
      if (told !== undefined) send(told.tenantId, told.event);
    },

    onNote({ tenantId, action, deviceId = null, deviceName = '', customerId = null, failure = null }) {
      if (count === 0 || action !== 'CLAIM_REFUSED') return;
      const told = { deviceId, deviceName, customerId, closesAt: null, reason: failure };
      send(tenantId, { type: 'refused', at: clock.now(), ...told });
    },

    watch({ tenantId, userId, lastsMs, stillMay }) {
      const own = watchers.get(tenantId) ?? new Set();
      if (closed || count >= ALL_MAX || own.size >= PER_TENANT_MAX) return undefined;
      if ([...own].filter((watcher) => watcher.userId === userId).length >= PER_USER_MAX) return undefined;
      let end = () => {};
      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            const timer = clock.after(lastsMs, () => end());
            const watcher: Watcher = {
              userId,
              stillMay,
              send(text) {
                if (!own.has(watcher)) return; // it ended while it was asked about
                if ((controller.desiredSize ?? 0) <= 0) end();
                else controller.enqueue(encoder.encode(text));
              },
              end() {
                if (!own.delete(watcher)) return;
                count -= 1;
                if (own.size === 0) watchers.delete(tenantId);
                timer();
                if (count === 0) heartbeat?.();
                if (count === 0) heartbeat = undefined;
                try {
                  controller.close();
                } catch {
                  // the reader is gone already
                }
              },
            };
            end = watcher.end;
            own.add(watcher);
            watchers.set(tenantId, own);
            count += 1;
            controller.enqueue(encoder.encode('retry: 3000\n\n'));
            beat();
            if (lastsMs <= 0) end();
          },
          cancel: () => end(),
        },
        { highWaterMark: WAITING_MAX },
      );
    },

    close() {
      closed = true;
      for (const watcher of all()) watcher.end();
    },
  };
}

function tell(
  deviceId: DeviceId,
  event: DeviceEvent,
  state: DeviceState,
): { readonly tenantId: TenantId; readonly event: FeedEvent } | undefined {
  if (state.status !== 'provisioned') return undefined;
  const { tenantId, name: deviceName } = state;
  const told = (type: FeedEvent['type'], more: Partial<FeedEvent> = {}) => ({
    tenantId,
    event: {
      type,
      at: event.at,
      deviceId,
      deviceName,
      customerId: null,
      closesAt: null,
      reason: null,
      ...more,
    },
  });
  switch (event.type) {
    case 'ClaimWindowOpened':
      return told('opened', { closesAt: event.closesAt });
    case 'ClaimWindowClosed':
      return told('closed');
    case 'ClaimWindowExpired':
      return told('elapsed');
    case 'DeviceClaimed':
      return told('claimed', { customerId: event.customerId });
    case 'DeviceAssigned':
      return told('assigned', { customerId: event.customerId });
    case 'DeviceReclaimed':
      return told('given-back', { customerId: event.previousCustomerId });
    case 'DeviceUnassigned':
      return told('unassigned', { customerId: event.previousCustomerId });
    case 'DeviceProvisioned':
    case 'DeviceUpdated':
    case 'CredentialsChanged':
    case 'DeviceDeleted':
    case 'AttributesSaved':
    case 'AttributesDeleted':
      return undefined;
    default:
      return unreachable(event);
  }
}
