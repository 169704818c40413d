/** The store that forgets keeps the contract too. */
import { createMemoryStore } from '../../actors/store/memory.ts';
import { storeContract } from '../contract/store.ts';

storeContract(
  'memory',
  async () => {
    const store = createMemoryStore();
    return { store, dispose: () => store.close() };
  },
  { alarmLateMs: 0 },
);
