/** A memory store shared by several simulated nodes in one process. */
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';

export function createSharedStore(): Store {
  const store = createMemoryStore();
  return {
    ...store,
    get records() {
      return store.records; // a new adapter each time, since Keyv stores its namespace in the adapter
    },
    shared: true,
  };
}
