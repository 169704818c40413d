/**
 * The blocks of all trails, as the store has them. Each has a number in the list of its trail and a record of its own, which is
 * replaced only while it is what was read (compare-and-swap).
 */
import type { Instant } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import { type Anchor, type Chained, type ChainHead, chainAfter, chainStart } from './chain.ts';
import type { Line } from './line.ts';
import { BLOCK_ENTRIES, DISORDER_MS } from './query.ts';

/**
 * Up to which position of each of the journal's logs events are in this block or one before it; never less than in the
 * block before. One number where there is one log.
 */
type Positions = number | readonly number[];

export interface Block extends Chained {
  readonly upTo: Positions;
  /** Absent in blocks that an older version wrote. */
  readonly order?: Order;
}

/** How the trail up to the end of a block is in the order of time. */
interface Order {
  /** Of the entries since the last break. */
  readonly latest: Instant;
  /** The newest blocks that have an entry far behind one before it. */
  readonly breaks: readonly number[];
}

/** Each block has them all, and each search looks at them all. Searches by time may miss what is between older ones. */
const BREAKS_MAX = 100;

/** The newest block of a trail. */
export interface OpenBlock {
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

export interface StoredBlocks {
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

export function openStoredBlocks(store: Pick<Store, 'index' | 'records' | 'swap'>): StoredBlocks {
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
      await anchors.update(tenantId, (now) => (isSameCut(now, before) ? after : now));
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

/** Whether two anchors are of one cut. */
export function isSameCut(one: Anchor | undefined, other: Anchor | undefined): boolean {
  return one?.number === other?.number && one?.kept?.name === other?.kept?.name;
}

/** @param before the block in front of it */
export function emptyBlock(number: number, before: Block | undefined): OpenBlock {
  const after = before?.chain?.after;
  const chain = after === undefined ? {} : { chain: { before: after, after } };
  const order = before === undefined ? {} : { order: orderOf(number - 1, before) };
  return { number, block: { upTo: before?.upTo ?? 0, lines: [], ...chain, ...order }, isStored: false };
}

/** Of a block that an older version wrote, as far as its own entries tell. */
export function orderOf(number: number, { order, lines }: Pick<Block, 'order' | 'lines'>): Order {
  return order ?? orderAfter(number, { latest: 0, breaks: [] }, lines);
}

/** Once these lines are at the end of the block of this number. */
export function orderAfter(number: number, before: Order, lines: readonly Line[]): Order {
  let { latest, breaks } = before;
  for (const [at] of lines) {
    const isBehind = at < latest - DISORDER_MS;
    if (isBehind && breaks.at(-1) !== number) breaks = [...breaks, number].slice(-BREAKS_MAX);
    latest = isBehind ? at : Math.max(latest, at);
  }
  return { latest, breaks };
}

/** In a block that an older version began, the chain begins with its first entry. */
export function chainOf(
  tenantId: TenantId,
  { lines, chain }: Block,
): { readonly before: ChainHead; readonly after: ChainHead } {
  const before = chainStart(tenantId);
  return chain ?? { before, after: chainAfter(before, lines) };
}

/** Enough for more blocks than there will ever be, so that names are in the order of their numbers. */
const NUMBER_DIGITS = 12;
const nameOf = (number: number) => String(number).padStart(NUMBER_DIGITS, '0');

/** Up to which position of a log events are in a block or before it. */
export function reached({ upTo }: Block, which: number): number {
  if (typeof upTo === 'number') return which === 0 ? upTo : 0;
  return upTo[which] ?? 0;
}

/** The positions of a block once it has the lines of a stretch, too. */
export function raised(before: Positions, { which, upTo }: Stretch): Positions {
  const all = typeof before === 'number' ? [before] : [...before];
  while (all.length <= which) all.push(0);
  all[which] = Math.max(all[which] ?? 0, upTo);
  return all.length === 1 ? (all[0] ?? 0) : all;
}
