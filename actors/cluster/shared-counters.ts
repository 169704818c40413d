/**
 * Counters of several processes on one store that tell each other what they count, over the bus. Looking is as cheap
 * as in memory, which every claim does; only what is counted, a failed attempt, costs a message. What was said on its way
 * to each other is not seen, so of a burst spread over n processes up to n times as many may fail before all of them
 * know; and a process that has just begun knows nothing of before.
 */

import { type Counters, memoryCounters } from '../limits/counters.ts';
import type { Bus } from './bus.ts';

export function sharedCounters(bus: Bus, own: Counters = memoryCounters): Counters {
  return (name, settings) => {
    const counter = own(name, settings);
    const topic = `counted/${name}`;
    bus.subscribe(topic, ({ key }) => {
      if (typeof key === 'string') void counter.add(key);
    });
    return {
      get: (key) => counter.get(key),
      add(key) {
        bus.publish(topic, { key });
        return counter.add(key);
      },
    };
  };
}
