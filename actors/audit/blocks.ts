/**
 * Where audit trails are kept: per tenant a series of blocks, each with two hundred entries, numbered from 1 in the order
 * of time. What a write costs is its keys, so an entry is a line in a block and has no key of its own.
 *
 * A block is replaced only while it is what was read (compare-and-swap), so several processes may write one trail: none
 * loses or doubles what another wrote. When a stretch of a log is read twice, its events are recognised by device and
 * number.
 */
import { randomUUID } from 'node:crypto';
import type { Instant } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import { nextTurn } from '../base/slices.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import {
  type Anchor,
  anchorData,
  type Chained,
  type ChainHead,
  chainAfter,
  chainStart,
  type Verified,
  verifyChain,
} from './chain.ts';
import type { AuditEntry } from './entry.ts';
import { KEPT_MAX, openKept, partsOf } from './kept.ts';
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
import { fairShares } from './shares.ts';

/** Tenants whose newest block is kept in memory. */
const OPEN_MAX = 1_000;

/**
 * Up to which position of each of the journal's logs events are in this block or one before it; never less than in the
 * block before. One number where there is one log.
 */
type Positions = number | readonly number[];

interface Block extends Chained {
  readonly upTo: Positions;
}

/** The newest block of a trail. */
interface OpenBlock {
  readonly number: number;
  readonly block: Block;
  readonly isStored: boolean;
}

/** A part of one of the journal's logs, from which lines were read. */
export interface Stretch {
  readonly which: number;
  readonly from: number;
  readonly upTo: number;
}

export interface Blocks {
  /**
   * Writes lines at the end of a tenant's trail, durably; those that are there already are left out.
   * @param stretch where they come from; undefined for notes, which no other process has and which are written again
   *   only after this rejected
   */
  append(tenantId: TenantId, lines: readonly Line[], stretch: Stretch | undefined): Promise<void>;
  /** A write failed somewhere: the next one looks up first what is there. */
  forget(): void;
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

/** @param searchedMax how many blocks one search reads */
export function createBlocks(
  store: Pick<Store, 'index' | 'records' | 'swap'>,
  searchedMax = BLOCKS_SEARCHED_MAX,
): Blocks {
  const stored = openStored(store);
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
    const count = parts + (await stored.countOf(tenantId)) - gone;
    const read = (number: number) =>
      older !== undefined && number <= parts
        ? kept.read(tenantId, older, number)
        : stored.linesOf(tenantId, number - parts + gone);
    return { count, kept: { parts, entries: older?.entries ?? 0 }, read };
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
    try {
      const { before, after } = chainOf(tenantId, block);
      const chain = { before, after: chainAfter(after, some) };
      return await stored.replace(tenantId, open, { upTo, lines: [...block.lines, ...some], chain });
    } catch (error) {
      if (stretch === undefined)
        unsure.set(tenantId, Math.min(number, unsure.get(tenantId) ?? Number.POSITIVE_INFINITY));
      throw error;
    }
  }

  const append: Blocks['append'] = async (tenantId, lines, stretch) => {
    let open = unsure.has(tenantId) ? undefined : newest.get(tenantId);
    let left = lines;
    newest.delete(tenantId); // until all of it is durable we do not know what is there
    while (left.length > 0) {
      if (open === undefined) {
        const count = await stored.countOf(tenantId);
        // In this order: what is written after this look-up makes the swap fail.
        open = await stored.newest(tenantId, count);
        const there = await written(tenantId, count, stretch);
        left = lines.filter((line) => !there.has(identityOf(line)));
        if (left.length === 0) break;
      }
      if (open.block.lines.length >= BLOCK_ENTRIES) open = emptyBlock(open.number + 1, open.block);
      const some = left.slice(0, BLOCK_ENTRIES - open.block.lines.length);
      open = await fill(tenantId, open, some, stretch);
      if (open !== undefined) left = left.slice(some.length);
    }
    if (stretch === undefined) unsure.delete(tenantId);
    if (newest.size >= OPEN_MAX) newest.clear();
    if (open !== undefined) newest.set(tenantId, open);
  };

  /** Where the trail is cut: behind the last block in a row that need not be kept. Undefined: nowhere. */
  async function cutOf(
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
    if (last === undefined) return undefined;
    return { number: last.number, head: last.head, lines: beyond };
  }

  /** The next anchor, with what stays of that which is cut and of what was kept before. Undefined: nothing has to go. */
  async function nextAnchor(
    tenantId: TenantId,
    before: Anchor | undefined,
    keep: Keep,
    now: Instant,
  ): Promise<Anchor | undefined> {
    const cut = await cutOf(tenantId, before, keep, now);
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
        if (
          found.type === 'whole' ||
          (now?.number === anchor?.number && now?.kept?.name === anchor?.kept?.name)
        )
          return found;
      }
    },

    forget: () => newest.clear(),

    async find(tenantId, query) {
      return findEntries(await readerOf(tenantId), query, searchedMax);
    },

    async since(tenantId, place, from, blocksMax) {
      const count = await stored.countOf(tenantId);
      const gone = (await stored.anchor(tenantId))?.number ?? 0;
      const next = Math.max(gone, Math.floor(place / BLOCK_ENTRIES));
      const skipped = await firstBlockFrom(
        { count: count - next, read: (number) => stored.linesOf(tenantId, next + number) },
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
      const after = await nextAnchor(tenantId, before, keep, now);
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

/** The blocks of all trails, as the store has them. */
interface StoredBlocks {
  get(tenantId: TenantId, number: number): Promise<Block | undefined>;
  linesOf(tenantId: TenantId, number: number): Promise<readonly Line[]>;
  /** How many blocks there are. */
  countOf(tenantId: TenantId): Promise<number>;
  /** @param count how many blocks there are */
  newest(tenantId: TenantId, count: number): Promise<OpenBlock>;
  /** Undefined: the trail is there from its beginning. */
  anchor(tenantId: TenantId): Promise<Anchor | undefined>;
  /** Unless another process has moved it meanwhile. */
  setAnchor(tenantId: TenantId, before: Anchor | undefined, after: Anchor): Promise<void>;
  /** Removes what is left of the blocks up to this number. */
  removeUpTo(tenantId: TenantId, number: number): Promise<void>;
  /** Writes `next` in place of a block. Resolves to undefined when another process was faster. */
  replace(tenantId: TenantId, open: OpenBlock, next: Block): Promise<OpenBlock | undefined>;
}

function openStored(store: Pick<Store, 'index' | 'records' | 'swap'>): StoredBlocks {
  const { index } = store;
  const blocks = openRecords<Block>(store, 'audit-block');
  const anchors = openRecords<Anchor>(store, 'audit-anchor');
  const listOf = (tenantId: TenantId) => `audit/${tenantId}`;
  const keyOf = (tenantId: TenantId, number: number) => `${tenantId}/${number}`;

  return {
    get: (tenantId, number) => blocks.get(keyOf(tenantId, number)),

    async linesOf(tenantId, number) {
      return (await blocks.get(keyOf(tenantId, number)))?.lines ?? [];
    },

    async countOf(tenantId) {
      const [last] = await index.page(listOf(tenantId), { offset: 0, limit: 1, descending: true });
      return last === undefined ? 0 : Number(last);
    },

    anchor: (tenantId) => anchors.get(tenantId),

    async setAnchor(tenantId, before, after) {
      await anchors.update(tenantId, (now) =>
        now?.number === before?.number && now?.kept?.name === before?.kept?.name ? after : now,
      );
    },

    async removeUpTo(tenantId, number) {
      for (;;) {
        const names = await index.page(listOf(tenantId), { offset: 0, limit: BLOCK_ENTRIES });
        const gone = names.filter((name) => Number(name) <= number);
        if (gone.length === 0) return;
        for (const name of gone) {
          // The block first: one without a number would never be found again.
          await blocks.remove(keyOf(tenantId, Number(name)));
          await index.remove(listOf(tenantId), name);
        }
      }
    },

    async newest(tenantId, count) {
      const block = await blocks.get(keyOf(tenantId, count));
      if (block !== undefined) return { number: count, block, isStored: true };
      // A number can be there without its block, when the write of the block failed.
      const before = await blocks.get(keyOf(tenantId, count - 1));
      return emptyBlock(Math.max(count, 1), before);
    },

    async replace(tenantId, { number, block, isStored }, next) {
      // The number first: then every stored block is found.
      if (!isStored) await index.add(listOf(tenantId), nameOf(number));
      const before = isStored ? blocks.snapshotOf(block) : undefined;
      const isWritten = await blocks.swap(keyOf(tenantId, number), before, next);
      return isWritten ? { number, block: next, isStored: true } : undefined;
    },
  };
}

/** @param before the block in front of it */
function emptyBlock(number: number, before: Block | undefined): OpenBlock {
  const after = before?.chain?.after;
  const chain = after === undefined ? {} : { chain: { before: after, after } };
  return { number, block: { upTo: before?.upTo ?? 0, lines: [], ...chain }, isStored: false };
}

/** In a block that an older version began, the chain begins with its first entry. */
function chainOf(tenantId: TenantId, { lines, chain }: Block) {
  const before = chainStart(tenantId);
  return chain ?? { before, after: chainAfter(before, lines) };
}

/** Enough for more blocks than there will ever be, so that names are in the order of their numbers. */
const NUMBER_DIGITS = 12;
const nameOf = (number: number) => String(number).padStart(NUMBER_DIGITS, '0');

/** Up to which position of a log events are in a block or before it. */
function reached({ upTo }: Block, which: number): number {
  if (typeof upTo === 'number') return which === 0 ? upTo : 0;
  return upTo[which] ?? 0;
}

function raised(before: Positions, { which, upTo }: Stretch): Positions {
  const all = typeof before === 'number' ? [before] : [...before];
  while (all.length <= which) all.push(0);
  all[which] = Math.max(all[which] ?? 0, upTo);
  return all.length === 1 ? (all[0] ?? 0) : all;
}
