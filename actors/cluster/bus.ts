/**
 * Messages between the processes on one store: a password changed, a device has a session elsewhere now.
 *
 * At most once, best effort: publishing neither waits nor fails. A process that misses a message finds the truth in the
 * store a little later. The sender does not hear its own messages.
 */
import type { JsonObject } from '../base/json.ts';

export interface Bus {
  publish(topic: string, message: JsonObject): void;
  /** Calls `onMessage`, which must not throw, for each message of other processes. Returns how to unsubscribe. */
  subscribe(topic: string, onMessage: (message: JsonObject) => void): () => void;
}

/** For a process that is alone on its store. */
export const silentBus: Bus = { publish() {}, subscribe: () => () => {} };
