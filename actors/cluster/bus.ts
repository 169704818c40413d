/**
 * What the processes on one store tell each other: that a password changed, that a device has a session elsewhere now.
 *
 * Best effort, at most once, without waiting and without failing: whoever missed a message finds the truth in the
 * store, a little later. The sender does not hear itself.
 */
import type { JsonObject } from '../base/json.ts';

export interface Bus {
  publish(topic: string, message: JsonObject): void;
  /** Hears every message of a topic that another process publishes, until what it returns is called. Must not throw. */
  subscribe(topic: string, hear: (message: JsonObject) => void): () => void;
}

/** For a process that has its store to itself. */
export const silentBus: Bus = { publish() {}, subscribe: () => () => {} };
