/**
 * The bus between the workers of one machine: over the channel that node:cluster gives each to its supervisor, which
 * hands what one says to all others. What is said in one turn of the event loop travels together, one parcel at a time;
 * where more is said than can be sent, the rest is dropped, as the bus may.
 */

import { isJsonObject, type JsonObject } from '../../actors/base/json.ts';
import type { Bus } from '../../actors/cluster/bus.ts';

/** What travels: what was said of which topic, in order. */
export interface Parcel {
  readonly type: 'bus';
  readonly said: readonly (readonly [topic: string, message: JsonObject])[];
}

export function isParcel(value: unknown): value is Parcel {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'bus' &&
    'said' in value &&
    Array.isArray(value.said)
  );
}

/** Messages that wait to be sent. */
const WAITING_MAX = 10_000;

/** A process and its channel to the supervisor. */
export interface Channel {
  send(parcel: Parcel, sent: () => void): void;
  /** Calls for every parcel that comes. */
  onParcel(hear: (parcel: Parcel) => void): void;
}

export function createWorkerBus(channel: Channel): Bus {
  const hearers = new Map<string, Set<(message: JsonObject) => void>>();
  let waiting: (readonly [string, JsonObject])[] = [];
  let sending = false;

  function send(): void {
    if (waiting.length === 0) {
      sending = false;
      return;
    }
    const said = waiting;
    waiting = [];
    channel.send({ type: 'bus', said }, send);
  }

  channel.onParcel(({ said }) => {
    for (const [topic, message] of said) {
      if (!isJsonObject(message)) continue;
      for (const hear of hearers.get(topic) ?? []) hear(message);
    }
  });

  return {
    publish(topic, message) {
      if (waiting.length >= WAITING_MAX) return;
      waiting.push([topic, message]);
      if (sending) return;
      sending = true;
      setImmediate(send);
    },

    subscribe(topic, hear) {
      const some = hearers.get(topic) ?? new Set();
      hearers.set(topic, some);
      some.add(hear);
      return () => {
        some.delete(hear);
      };
    },
  };
}

/** The channel of this process. */
export function processChannel(): Channel {
  return {
    send(parcel, sent) {
      // Without a channel the supervisor is gone, and this process ends with it.
      if (process.connected) process.send?.(parcel, undefined, undefined, sent);
    },
    onParcel(hear) {
      process.on('message', (message) => {
        if (isParcel(message)) hear(message);
      });
    },
  };
}
