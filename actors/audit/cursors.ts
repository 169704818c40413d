/** Up to which position of each of the journal's logs the audit trail has read. */
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';

const CURSOR = 'log';

export interface Cursors {
  get(which: number): Promise<number>;
  /** Never backwards: the log before it may have been trimmed by another process. */
  raise(which: number, position: number): Promise<void>;
}

export function openCursors(store: Pick<Store, 'records' | 'swap'>): Cursors {
  const cursors = openRecords<{ readonly position: number }>(store, 'audit-cursor');
  const nameOf = (which: number) => (which === 0 ? CURSOR : `${CURSOR}-${which}`);
  return {
    get: async (which) => (await cursors.get(nameOf(which)))?.position ?? 0,
    async raise(which, position) {
      await cursors.update(nameOf(which), (there) =>
        (there?.position ?? 0) >= position ? there : { position },
      );
    },
  };
}
