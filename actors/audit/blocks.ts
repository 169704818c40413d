/**
 * Where audit trails are kept: per tenant a series of blocks, each with two hundred entries, numbered from 1 in the order
 * of time. What a write costs is its keys, so an entry is a line in a block and has no key of its own.
 *
 * A block is replaced only while it is what was read (compare-and-swap, `stored-blocks.ts`), so several processes may write one
 * trail: none loses or doubles what another wrote. When a stretch of a log is read twice, its events are recognised by device and
 * number; a note that may have been written before is looked for.
 */
import { randomUUID } from 'node:crypto';
import type { Instant } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import { nextTurn } from '../base/slices.ts';
import type { Store } from '../store/store.ts';
import {
  type Anchor,
  anchorData,
  type ChainHead,
  chainAfter,
  chainStart,
  type Verified,
  verifyChain,
} from './chain.ts';
import { type Keep, nextAnchor } from './cut.ts';
import type { AuditEntry } from './entry.ts';
import { openKept, partsOf } from './kept.ts';
import { identityOf, type Line, lineOfNote } from './line.ts';
import {
  type AllQuery,
  type AuditPage,
  type AuditQuery,
  allEntries,
  BLOCK_ENTRIES,
  BLOCKS_SEARCHED_MAX,
  type BlockReader,
  findEntries,
  firstBlockFrom,
} from './query.ts';
import {
  chainOf,
  emptyBlock,
  isSameCut,
  type OpenBlock,
  openStoredBlocks,
  orderAfter,
  orderOf,
  raised,
  reached,
  type Stretch,
} from './stored-blocks.ts';

/** Tenants whose newest block is kept in memory. */
const OPEN_MAX = 1_000;
/** An entry may be so much older than one before it: those of devices are read from the log a while after they happened. */
const OUT_OF_ORDER_MS = 60_000;

export interface Blocks {
  /**
   * Writes lines at the end of a tenant's trail, durably; those that are there already are left out.
   * @param stretch where they come from; undefined for notes, which no other process has and which are written again
   *   only after this rejected
   */
  append(tenantId: TenantId, lines: readonly Line[], stretch: Stretch | undefined): Promise<void>;
  /** Writes a note, unless it is there already; whoever may have written it since its instant. */
  appendOnce(tenantId: TenantId, line: Line): Promise<void>;
  find(tenantId: TenantId, query: AuditQuery): Promise<AuditPage>;
  /** Every entry that fits, the oldest first; entries written together may have changed places. */
  all(tenantId: TenantId, query: AllQuery): AsyncGenerator<AuditEntry>;
  /**
   * Entries from a place of the trail on, in their order; those of blocks that are gone are skipped.
   * @param place how many entries are before it
   * @param from blocks that are all older than this instant are skipped, too
   * @param blocksMax how many blocks are read
   */
  since(tenantId: TenantId, place: number, from: Instant, blocksMax: number): Promise<Since>;
  /** Where the tenant's chain is now. */
  head(tenantId: TenantId): Promise<ChainHead>;
  /** Reads the whole trail. @param wanted heads that the chain should have gone through */
  verify(tenantId: TenantId, wanted: readonly ChainHead[]): Promise<Verified>;
  /**
   * Lets go of whole blocks, the oldest first, that are older than may be kept. The two newest stay. Broken off, it is
   * finished by the next time. Resolves to how many entries of the chain are gone by it.
   */
  prune(tenantId: TenantId, keep: Keep, now: Instant): Promise<number>;
}

/** A part of a trail. */
interface Since {
  readonly lines: readonly Line[];
  /** The place behind it. */
  readonly place: number;
  /** Whether it reaches the end. */
  readonly isAll: boolean;
}

/** @param searchedMax how many blocks one search reads */
export function createBlocks(
  store: Pick<Store, 'index' | 'records' | 'swap'>,
  searchedMax = BLOCKS_SEARCHED_MAX,
): Blocks {
  const stored = openStoredBlocks(store);
  const kept = openKept(store);
  const newest = new Map<TenantId, OpenBlock>();
  /** Per tenant the first block that may hold lines of ours whose write was not acknowledged. */
  const unsure = new Map<TenantId, number>();

  /** The blocks as they are now, those that outlasted theirs first. */
  async function readerOf(tenantId: TenantId): Promise<BlockReader> {
    const anchor = await stored.anchor(tenantId);
    const gone = anchor?.number ?? 0;
    const older = anchor?.kept;
    const parts = partsOf(older);
    const blocks = await stored.countOf(tenantId);
    const count = parts + blocks - gone;
    const read = (number: number) =>
      older !== undefined && number <= parts
        ? kept.read(tenantId, older, number)
        : stored.linesOf(tenantId, number - parts + gone);
    const breaks = async () => {
      const { block } = await stored.newest(tenantId, blocks);
      return (block.order?.breaks ?? []).flatMap((number) => (number > gone ? [number - gone + parts] : []));
    };
    return { count, kept: { parts, entries: older?.entries ?? 0 }, breaks, read };
  }

  /** Whether none of the lines can be there already, as far as the newest block that is kept in memory goes. */
  function isNewTo(tenantId: TenantId, stretch: Stretch | undefined): boolean {
    if (stretch === undefined) return !unsure.has(tenantId);
    const open = newest.get(tenantId);
    return open !== undefined && reached(open.block, stretch.which) <= stretch.from;
  }

  /** Whether a note is in the blocks that were written since its instant. */
  async function isWritten(tenantId: TenantId, count: number, line: Line): Promise<boolean> {
    const [at] = line;
    for (let number = count; number >= 1; number -= 1) {
      const lines = await stored.linesOf(tenantId, number);
      if (lines.some((one) => identityOf(one) === identityOf(line))) return true;
      const [first] = lines;
      // The newest has its number before it is there itself; older ones were let go of.
      if (first === undefined ? number < count : first[0] < at - OUT_OF_ORDER_MS) return false;
    }
    return false;
  }

  /** The identities of lines that may be among those to be written, from the newest blocks. */
  async function written(tenantId: TenantId, count: number, stretch: Stretch | undefined) {
    const found = new Set<string>();
    const last = stretch === undefined ? (unsure.get(tenantId) ?? Number.POSITIVE_INFINITY) : 1;
    for (let number = count; number >= last; number -= 1) {
      const block = await stored.get(tenantId, number);
      if (block !== undefined && stretch !== undefined && reached(block, stretch.which) <= stretch.from)
        break;
      for (const line of block?.lines ?? []) found.add(identityOf(line));
    }
    return found;
  }

  /** Adds lines to the newest block. Resolves to that block, or undefined when another process was faster. */
  async function fill(
    tenantId: TenantId,
    open: OpenBlock,
    some: readonly Line[],
    stretch: Stretch | undefined,
  ) {
    const { number, block } = open;
    const upTo = stretch === undefined ? block.upTo : raised(block.upTo, stretch);
    const { before, after } = chainOf(tenantId, block);
    const chain = { before, after: chainAfter(after, some) };
    const order = orderAfter(number, orderOf(number, block), some);
    return stored.replace(tenantId, open, { upTo, lines: [...block.lines, ...some], chain, order });
  }

  /** The first block that may hold some of the lines is told to `begun`. */
  async function write(
    tenantId: TenantId,
    lines: readonly Line[],
    stretch: Stretch | undefined,
    begun: (number: number) => void,
  ): Promise<OpenBlock | undefined> {
    let open = isNewTo(tenantId, stretch) ? newest.get(tenantId) : undefined;
    let left = lines;
    newest.delete(tenantId); // until all of it is durable we do not know what is there
    while (left.length > 0) {
      if (open === undefined) {
        const count = await stored.countOf(tenantId);
        // In this order: what is written after this look-up makes the swap fail.
        open = await stored.newest(tenantId, count);
        const there = await written(tenantId, count, stretch);
        left = left.filter((line) => !there.has(identityOf(line)));
        if (left.length === 0) break;
      }
      if (open.block.lines.length >= BLOCK_ENTRIES) open = emptyBlock(open.number + 1, open.block);
      begun(open.number);
      const some = left.slice(0, BLOCK_ENTRIES - open.block.lines.length);
      open = await fill(tenantId, open, some, stretch);
      if (open !== undefined) left = left.slice(some.length);
    }
    return open;
  }

  const append: Blocks['append'] = async (tenantId, lines, stretch) => {
    let first = unsure.get(tenantId);
    const begun = (number: number) => {
      first ??= number;
    };
    const open = await write(tenantId, lines, stretch, begun).catch((error: unknown) => {
      if (stretch === undefined && first !== undefined) unsure.set(tenantId, first);
      throw error;
    });
    if (stretch === undefined) unsure.delete(tenantId);
    if (newest.size >= OPEN_MAX) newest.clear();
    if (open !== undefined) newest.set(tenantId, open);
  };

  const appendOnce: Blocks['appendOnce'] = async (tenantId, line) => {
    newest.delete(tenantId);
    for (;;) {
      const count = await stored.countOf(tenantId);
      // In this order, as in `append`.
      const open = await stored.newest(tenantId, count);
      if (await isWritten(tenantId, count, line)) return;
      const { number, block } = open;
      const next = block.lines.length < BLOCK_ENTRIES ? open : emptyBlock(number + 1, block);
      if ((await fill(tenantId, next, [line], undefined)) !== undefined) return;
    }
  };

  async function verifyFrom(tenantId: TenantId, wanted: readonly ChainHead[], anchor: Anchor | undefined) {
    const count = await stored.countOf(tenantId);
    async function* parts() {
      for (let number = (anchor?.number ?? 0) + 1; number <= count; number += 1) {
        const block = await stored.get(tenantId, number);
        // The newest has its number before it is there itself.
        if (block !== undefined || number < count) yield block;
      }
    }
    const isKept = anchor?.kept === undefined || (await kept.isWhole(tenantId, anchor.kept));
    if (!isKept) return { type: 'broken', part: anchor.number } as const;
    return verifyChain(tenantId, parts(), wanted, anchor);
  }

  return {
    append,
    appendOnce,

    async head(tenantId) {
      const { block } = await stored.newest(tenantId, await stored.countOf(tenantId));
      return block.chain?.after ?? chainStart(tenantId);
    },

    async verify(tenantId, wanted) {
      for (;;) {
        const anchor = await stored.anchor(tenantId);
        const found = await verifyFrom(tenantId, wanted, anchor);
        // It may have been cut meanwhile.
        const now = await stored.anchor(tenantId);
        if (found.type === 'whole' || isSameCut(now, anchor)) return found;
      }
    },

    async find(tenantId, query) {
      return findEntries(await readerOf(tenantId), query, searchedMax);
    },

    async since(tenantId, place, from, blocksMax) {
      const count = await stored.countOf(tenantId);
      const gone = (await stored.anchor(tenantId))?.number ?? 0;
      const next = Math.max(gone, Math.floor(place / BLOCK_ENTRIES));
      const skipped = await firstBlockFrom(
        { read: (number) => stored.linesOf(tenantId, next + number) },
        { first: 1, last: count - next, isBreak: false },
        from,
      );
      // The newest is always read: how many entries it has decides the place.
      const first = Math.max(1, Math.min(next + skipped, count));
      const lines: Line[] = [];
      let at = Math.max(place, (first - 1) * BLOCK_ENTRIES);
      for (let number = first; number <= count; number += 1) {
        if (number - first >= blocksMax) return { lines, place: at, isAll: false };
        const all = await stored.linesOf(tenantId, number);
        at = Math.max(at, (number - 1) * BLOCK_ENTRIES); // some may just be let go of
        const some = all.slice(at - (number - 1) * BLOCK_ENTRIES);
        lines.push(...some);
        at += some.length;
        await nextTurn(); // others do not wait for it
      }
      return { lines, place: at, isAll: true };
    },

    async *all(tenantId, query) {
      yield* allEntries(await readerOf(tenantId), query);
    },

    async prune(tenantId, keep, now) {
      const before = await stored.anchor(tenantId);
      const after = await nextAnchor(stored, kept, tenantId, before, keep, now);
      if (after !== undefined) {
        // First: an anchor that no entry of the chain names is none.
        const data = anchorData(after);
        const note = {
          tenantId,
          action: 'TRAIL_PRUNED',
          ...ABOUT_NOTHING,
          data,
          failure: undefined,
        } as const;
        await append(tenantId, [lineOfNote(note, now, randomUUID())], undefined);
        await stored.setAnchor(tenantId, before, after);
      }
      const anchor = await stored.anchor(tenantId);
      if (anchor === undefined) return 0;
      await stored.removeUpTo(tenantId, anchor.number);
      await kept.sweep(tenantId, anchor);
      return anchor.head.entries - (before?.head.entries ?? 0);
    },
  };
}

const ABOUT_NOTHING = {
  deviceId: undefined,
  deviceName: undefined,
  customerId: undefined,
  userId: undefined,
};
