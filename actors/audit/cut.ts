/** Where a trail is cut when it is older or longer than may be kept, and what of that which is cut stays (`kept.ts`). */
import type { Instant } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import { nextTurn } from '../base/slices.ts';
import { type Anchor, chainStart } from './chain.ts';
import { KEPT_MAX, type KeptEntries } from './kept.ts';
import type { Line } from './line.ts';
import { BLOCK_ENTRIES } from './query.ts';
import { fairShares } from './shares.ts';
import type { StoredBlocks } from './stored-blocks.ts';

/** How much of a trail is kept; 0: all. What is beyond either goes. */
export interface Keep {
  /** Entries younger than this, in ms. */
  readonly forMs: number;
  /** So many entries, in steps of a block; and of older ones as many again, shared out among those who wrote them (`shares.ts`). */
  readonly entries: number;
}

const DAY_MS = 86_400_000;
/** Blocks that one call lets go of. */
const PRUNED_MAX = 500;

/** Where the trail is cut: behind the last block in a row that need not be kept. Undefined: nowhere. */
async function cutOf(
  stored: StoredBlocks,
  tenantId: TenantId,
  from: Anchor | undefined,
  { forMs, entries }: Keep,
  now: Instant,
): Promise<(Anchor & { readonly lines: readonly Line[] }) | undefined> {
  const count = await stored.countOf(tenantId);
  let last: Anchor | undefined;
  const beyond: Line[] = [];
  for (let number = (from?.number ?? 0) + 1; number < count - 1; number += 1) {
    const block = await stored.get(tenantId, number);
    if (block === undefined || number - (from?.number ?? 0) > PRUNED_MAX) break;
    const youngest = block.lines.at(-1)?.[0] ?? 0;
    const isOld = forMs > 0 && youngest < now - forMs;
    const isBeyond = entries > 0 && (count - number - 1) * BLOCK_ENTRIES >= entries;
    if (!isOld && !isBeyond) break;
    last = { number, head: block.chain?.after ?? from?.head ?? chainStart(tenantId) };
    if (!isOld) beyond.push(...block.lines);
    await nextTurn(); // others do not wait for it
  }
  return last && { ...last, lines: beyond };
}

/** The next anchor, with what stays of that which is cut and of what was kept before. Undefined: nothing has to go. */
export async function nextAnchor(
  stored: StoredBlocks,
  kept: KeptEntries,
  tenantId: TenantId,
  before: Anchor | undefined,
  keep: Keep,
  now: Instant,
): Promise<Anchor | undefined> {
  const cut = await cutOf(stored, tenantId, before, keep, now);
  const since = keep.forMs > 0 ? now - keep.forMs : 0;
  if (cut === undefined) {
    const [oldest] =
      before?.kept === undefined || since === 0 ? [] : await kept.read(tenantId, before.kept, 1);
    if ((oldest?.[0] ?? since) >= since - Math.min(keep.forMs, DAY_MS)) return undefined;
  }
  const old = await kept.readAll(tenantId, before?.kept);
  const young = [...old, ...(cut?.lines ?? [])].filter(([at]) => at >= since);
  const { number, head } = cut ?? before ?? { number: 0, head: chainStart(tenantId) };
  if (young.length === 0 && before?.kept === undefined) return { number, head };
  const max = keep.entries === 0 ? KEPT_MAX : Math.min(keep.entries, KEPT_MAX);
  return { number, head, kept: await kept.write(tenantId, before, fairShares(young, max)) };
}
