/**
 * The bus between the workers of one machine, over the channel of node:cluster. Each worker sends to the supervisor,
 * which passes it on to the others. Messages of one turn of the event loop travel together, one parcel at a time.
 * When too many wait to be sent, further ones are dropped, as a bus may.
 */

import { isJsonObject, type JsonObject } from '../../actors/base/json.ts';
import type { Bus } from '../../actors/cluster/bus.ts';

/** Messages in the order in which they were published. */
export interface Parcel {
  readonly type: 'bus';
  readonly messages: readonly (readonly [topic: string, message: JsonObject])[];
}

export function isParcel(value: unknown): value is Parcel {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'bus' &&
    'messages' in value &&
    Array.isArray(value.messages)
  );
}

/** Messages that may wait to be sent. */
const WAITING_MAX = 10_000;

/** The channel of a worker to its supervisor. */
export interface Channel {
  send(parcel: Parcel, sent: () => void): void;
  onParcel(listener: (parcel: Parcel) => void): void;
}

export function createWorkerBus(channel: Channel): Bus {
  const listeners = new Map<string, Set<(message: JsonObject) => void>>();
  let waiting: (readonly [string, JsonObject])[] = [];
  let sending = false;

  function send(): void {
    if (waiting.length === 0) {
      sending = false;
      return;
    }
    const messages = waiting;
    waiting = [];
    channel.send({ type: 'bus', messages }, send);
  }

  channel.onParcel(({ messages }) => {
    for (const [topic, message] of messages) {
      if (!isJsonObject(message)) continue;
      for (const listener of listeners.get(topic) ?? []) listener(message);
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

    subscribe(topic, listener) {
      const ofTopic = listeners.get(topic) ?? new Set();
      listeners.set(topic, ofTopic);
      ofTopic.add(listener);
      return () => {
        ofTopic.delete(listener);
      };
    },
  };
}

/** The channel of this process. */
export function processChannel(): Channel {
  return {
    send(parcel, sent) {
      // Without a channel the supervisor is gone, and this process ends too.
      if (process.connected) process.send?.(parcel, undefined, undefined, sent);
    },
    onParcel(listener) {
      process.on('message', (message) => {
        if (isParcel(message)) listener(message);
      });
    },
  };
}
