/**
 * Entries that outlast their blocks (`shares.ts` says which), older than all that is in blocks. They are written anew each time
 * the trail is cut: first under a name of their own, then the anchor names them, then the ones before go. So a crash leaves the
 * old ones or the new ones. A digest of them is in the anchor and in the entry of the chain that names it.
 *
 * Of two processes that cut at once each writes under another name, and one of them moves the anchor.
 */
import { randomUUID } from 'node:crypto';
import type { TenantId } from '../base/ids.ts';
import { nextTurn } from '../base/slices.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import { type Anchor, chainAfter, type KeptHead, keptStart } from './chain.ts';
import type { Line } from './line.ts';
import { BLOCK_ENTRIES } from './query.ts';

/** Entries of a tenant that are kept beyond its newest ones. */
export const KEPT_MAX = 20_000;

export interface KeptEntries {
  /** Writes them. They count once the anchor names what this resolves to. */
  write(tenantId: TenantId, before: Anchor | undefined, lines: readonly Line[]): Promise<KeptHead>;
  /** @param part counted from 1 */
  read(tenantId: TenantId, kept: KeptHead, part: number): Promise<readonly Line[]>;
  readAll(tenantId: TenantId, kept: KeptHead | undefined): Promise<readonly Line[]>;
  isWhole(tenantId: TenantId, kept: KeptHead): Promise<boolean>;
  /** Removes what the anchor has left behind, and what never came to be named by one. */
  sweep(tenantId: TenantId, anchor: Anchor): Promise<void>;
}

interface KeptPart {
  readonly lines: readonly Line[];
}

/** How many parts there are. */
export const partsOf = (kept: KeptHead | undefined): number =>
  kept === undefined ? 0 : Math.ceil(kept.entries / BLOCK_ENTRIES);

export function openKept(store: Pick<Store, 'index' | 'records' | 'swap'>): KeptEntries {
  const { index } = store;
  const parts = openRecords<KeptPart>(store, 'audit-kept');
  const listOf = (tenantId: TenantId) => `audit-kept/${tenantId}`;
  const keyOf = (tenantId: TenantId, name: string) => `${tenantId}/${name}`;

  const read: KeptEntries['read'] = async (tenantId, { name }, part) =>
    (await parts.get(keyOf(tenantId, partName(name, part))))?.lines ?? [];

  const readAll: KeptEntries['readAll'] = async (tenantId, kept) => {
    const all: Line[] = [];
    if (kept === undefined) return all;
    for (let part = 1; part <= partsOf(kept); part += 1) {
      all.push(...(await read(tenantId, kept, part)));
      await nextTurn();
    }
    return all;
  };

  return {
    read,
    readAll,

    async write(tenantId, before, lines) {
      const name = `${generationOf(before?.kept?.name) + 1}-${randomUUID()}`;
      let { hash } = keptStart(tenantId);
      for (let at = 0; at < lines.length; at += BLOCK_ENTRIES) {
        const some = lines.slice(at, at + BLOCK_ENTRIES);
        const part = partName(name, at / BLOCK_ENTRIES + 1);
        await index.add(listOf(tenantId), part); // first, so that it is found when it has to go
        await parts.put(keyOf(tenantId, part), { lines: some });
        hash = chainAfter({ entries: at, hash }, some).hash;
        await nextTurn();
      }
      return { name, entries: lines.length, hash };
    },

    async isWhole(tenantId, kept) {
      const { entries, hash } = chainAfter(keptStart(tenantId), await readAll(tenantId, kept));
      return entries === kept.entries && hash === kept.hash;
    },

    async sweep(tenantId, { kept }) {
      const generation = generationOf(kept?.name);
      for (let offset = 0; ; ) {
        const names = await index.page(listOf(tenantId), { offset, limit: BLOCK_ENTRIES });
        if (names.length === 0) return;
        // A later generation may be about to get its anchor.
        const gone = names.filter(
          (part) => generationOf(part) <= generation && part.slice(0, part.indexOf('/')) !== kept?.name,
        );
        for (const name of gone) {
          await parts.remove(keyOf(tenantId, name));
          await index.remove(listOf(tenantId), name);
        }
        offset += names.length - gone.length;
      }
    },
  };
}

const partName = (name: string, part: number) => `${name}/${part}`;

/** How often entries had been kept before. */
function generationOf(name: string | undefined): number {
  return name === undefined ? 0 : Number(name.slice(0, name.indexOf('-')));
}
