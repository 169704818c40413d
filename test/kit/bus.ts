/** A bus between simulated processes: a message reaches the others one turn of the event loop later, as JSON. */

import type { JsonObject } from '../../actors/base/json.ts';
import type { Bus } from '../../actors/cluster/bus.ts';

export interface Party {
  readonly bus: Bus;
  /** Neither sends nor receives from now on. */
  cut(): void;
}

export function createParties(count: number): readonly Party[] {
  const hear: ((topic: string, message: JsonObject) => void)[] = [];
  return Array.from({ length: count }, (_, self) => {
    const topics = new Map<string, Set<(message: JsonObject) => void>>();
    let connected = true;
    hear[self] = (topic, message) => {
      if (connected) for (const one of topics.get(topic) ?? []) one(message);
    };
    const bus: Bus = {
      publish(topic, message) {
        if (!connected) return;
        const text = JSON.stringify(message);
        setImmediate(() => {
          for (const [other, tell] of hear.entries()) if (other !== self) tell(topic, JSON.parse(text));
        });
      },
      subscribe(topic, one) {
        const some = topics.get(topic) ?? new Set();
        topics.set(topic, some.add(one));
        return () => some.delete(one);
      },
    };
    return {
      bus,
      cut() {
        connected = false;
      },
    };
  });
}
