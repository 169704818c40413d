/** A memory store as several nodes of one process see it who do not know of each other. */
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';

export function createSharedStore(): Store {
  const store = createMemoryStore();
  return {
    ...store,
    get records() {
      return store.records; // a new adapter each time, as a Keyv writes its namespace into it
    },
    shared: true,
  };
}
