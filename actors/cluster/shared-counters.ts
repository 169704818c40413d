/**
 * Counters of several processes on one store: each counts in memory and publishes what it counts over the bus. Every claim
 * reads them, which costs nothing more; a message is sent only for what is counted, a failed attempt.
 *
 * A process sees what others counted a little later, so a burst spread over n processes may fail up to n times as often
 * before all know of it. A process that has just started knows nothing of what was counted before.
 */
import { type Counters, memoryCounters } from '../limits/counters.ts';
import type { Bus } from './bus.ts';

export function sharedCounters(bus: Bus, own: Counters = memoryCounters): Counters {
  return (name, settings) => {
    const counter = own(name, settings);
    const topic = `counted/${name}`;
    bus.subscribe(topic, ({ key, times }) => {
      if (typeof key === 'string') void counter.add(key, typeof times === 'number' ? times : 1);
    });
    return {
      ...counter,
      add(key, times = 1) {
        bus.publish(topic, times === 1 ? { key } : { key, times });
        return counter.add(key, times);
      },
    };
  };
}
