/**
 * Reads a tenant's trail. A page of the whole trail is found by arithmetic, since every block but the newest is full. A
 * search (by device, customer, user, action, time) reads block after block, up to a bound, and says when it gave up.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, DeviceId, UserId } from '../base/ids.ts';
import { nextTurn } from '../base/slices.ts';
import type { Page } from '../fleet/devices.ts';
import type { Action, AuditEntry } from './entry.ts';
import { entryOf, type Line } from './line.ts';

export const BLOCK_ENTRIES = 200;
/** Blocks that one search reads, the first in the order asked for. */
export const BLOCKS_SEARCHED_MAX = 1_000;
export const ENTRIES_SEARCHED_MAX = BLOCKS_SEARCHED_MAX * BLOCK_ENTRIES;
/** How far entries may be out of the order of time. Where one is further behind, the trail has a break. */
export const DISORDER_MS = 60_000;

export interface AuditQuery {
  /** Counted from 0. */
  readonly page: number;
  readonly pageSize: number;
  /** Both inclusive. */
  readonly startTime?: Instant;
  readonly endTime?: Instant;
  readonly actions?: readonly Action[];
  readonly deviceId?: DeviceId;
  readonly customerId?: CustomerId;
  readonly userId?: UserId;
  /** Whether an entry is about a device (it has a `deviceId`) or about its user. */
  readonly about?: 'DEVICE' | 'USER';
  /** In the name of the device or of the action, whatever the case. */
  readonly textSearch?: string;
  /** Default: the newest first. */
  readonly sortOrder?: 'ASC' | 'DESC';
}

/** A query for all there is, without a place in it. */
export type AllQuery = Omit<AuditQuery, 'page' | 'pageSize' | 'sortOrder'>;

export interface AuditPage extends Page<AuditEntry> {
  /** How far a search came that gave up: what it found is of entries up to, or back to, this instant. */
  readonly searchedTo?: Instant;
}

/** The blocks of one tenant, counted from 1 in the order of time. All are full but the last, and the last of those that were kept. */
export interface BlockReader {
  readonly count: number;
  /** How many of them hold entries that outlasted their blocks, and how many entries these are. */
  readonly kept: { readonly parts: number; readonly entries: number };
  /** Blocks in which time goes back, in their order: the clock was set, or a log was read after a pause. */
  breaks(): Promise<readonly number[]>;
  read(number: number): Promise<readonly Line[]>;
}

/** Blocks in a row. In those that are no break time does not go back. */
interface Span {
  readonly first: number;
  readonly last: number;
  readonly isBreak: boolean;
}

/** @param blocksMax how many blocks a search reads */
export function findEntries(blocks: BlockReader, query: AuditQuery, blocksMax: number): Promise<AuditPage> {
  if (blocks.count === 0) return Promise.resolve({ items: [], total: 0 });
  return isWhole(query) ? pageOfAll(blocks, query) : search(blocks, query, blocksMax);
}

/**
 * Every entry that fits, the oldest first but for what was written together (see `inOrderOfTime`), however many blocks that
 * takes. Blocks begun meanwhile are not read.
 */
export async function* allEntries(blocks: BlockReader, query: AllQuery): AsyncGenerator<AuditEntry> {
  const { startTime = 0, endTime = Number.MAX_SAFE_INTEGER } = query;
  if (blocks.count === 0) return;
  const fits = filterOf(query);
  for (const span of await spansOf(blocks)) {
    for (let number = await firstBlockFrom(blocks, span, startTime); number <= span.last; number += 1) {
      const lines = await blocks.read(number);
      if (!span.isBreak && (lines[0]?.[0] ?? 0) > endTime + DISORDER_MS) break;
      for (const line of lines) {
        if (line[0] >= startTime && line[0] <= endTime && fits(line)) yield entryOf(line);
      }
      await nextTurn(); // others do not wait for it
    }
  }
}

async function spansOf({ count, breaks }: BlockReader): Promise<readonly Span[]> {
  const spans: Span[] = [];
  let first = 1;
  for (const number of await breaks()) {
    if (number > first) spans.push({ first, last: number - 1, isBreak: false });
    spans.push({ first: number, last: number, isBreak: true });
    first = number + 1;
  }
  if (first <= count) spans.push({ first, last: count, isBreak: false });
  return spans;
}

function isWhole(query: AuditQuery): boolean {
  const { startTime, endTime, actions, deviceId, customerId, userId, about, textSearch } = query;
  return [startTime, endTime, actions, deviceId, customerId, userId, about, textSearch].every(
    (part) => part === undefined,
  );
}

async function pageOfAll(
  { count, kept, read }: BlockReader,
  { page, pageSize, sortOrder }: AuditQuery,
): Promise<AuditPage> {
  const total = kept.entries + (count - kept.parts - 1) * BLOCK_ENTRIES + (await read(count)).length;
  const end = Math.min((page + 1) * pageSize, total);
  const items: AuditEntry[] = [];
  for (let nth = page * pageSize; nth < end; ) {
    const place = sortOrder === 'ASC' ? nth : total - 1 - nth;
    const [before, within] = place < kept.entries ? [0, place] : [kept.parts, place - kept.entries];
    const lines = await read(before + Math.floor(within / BLOCK_ENTRIES) + 1);
    const inBlock = within % BLOCK_ENTRIES;
    const rest = sortOrder === 'ASC' ? lines.slice(inBlock) : lines.slice(0, inBlock + 1).reverse();
    if (rest.length === 0) break;
    const some = rest.slice(0, end - nth);
    items.push(...some.map(entryOf));
    nth += some.length;
  }
  return { items: inOrderOfTime(items, sortOrder), total };
}

async function search(blocks: BlockReader, query: AuditQuery, blocksMax: number): Promise<AuditPage> {
  const { page, pageSize, startTime = 0, endTime = Number.MAX_SAFE_INTEGER } = query;
  const ascending = query.sortOrder === 'ASC';
  const offset = page * pageSize;
  const fits = filterOf(query);
  const items: AuditEntry[] = [];
  const inOrder = () => inOrderOfTime(items, query.sortOrder);
  let total = 0;
  let searchedTo: Instant | undefined;
  let blocksRead = 0;
  const spans = await spansOf(blocks);
  for (const span of ascending ? spans : spans.toReversed()) {
    let number = ascending
      ? await firstBlockFrom(blocks, span, startTime)
      : await lastBlockUpTo(blocks, span, endTime);
    for (; number >= span.first && number <= span.last; blocksRead += 1) {
      if (blocksRead === blocksMax)
        return { items: inOrder(), total, ...(searchedTo === undefined ? {} : { searchedTo }) };
      const lines = await blocks.read(number);
      const first = lines[0]?.[0] ?? 0;
      const last = lines.at(-1)?.[0] ?? 0;
      const isBeyond = ascending ? first > endTime + DISORDER_MS : last < startTime - DISORDER_MS;
      if (isBeyond && !span.isBreak) break;
      for (const line of ascending ? lines : [...lines].reverse()) {
        if (line[0] < startTime || line[0] > endTime || !fits(line)) continue;
        if (total >= offset && items.length < pageSize) items.push(entryOf(line));
        total += 1;
      }
      searchedTo = ascending ? last : first;
      number += ascending ? 1 : -1;
      await nextTurn(); // others do not wait for a search
    }
  }
  return { items: inOrder(), total };
}

/**
 * Events of several logs and notes are written one after the other, a second's worth of each (more after a pause): a page tells
 * them as they happened. What has one instant stays in the order in which it was written. Pages are cut before they are sorted,
 * so that each entry is on one page alone: at the edge of a page, what was written together may be on the page before or after.
 */
function inOrderOfTime(items: readonly AuditEntry[], sortOrder: AuditQuery['sortOrder']): AuditEntry[] {
  const way = sortOrder === 'ASC' ? 1 : -1;
  return items.toSorted((one, other) => way * (one.at - other.at));
}

function filterOf(query: AllQuery): (line: Line) => boolean {
  const { actions, deviceId, customerId, userId, about } = query;
  const text = query.textSearch?.toLowerCase();
  const hasText = (where: string | 0) =>
    where !== 0 && text !== undefined && where.toLowerCase().includes(text);
  return ([, action, , device, name, customer, user]) =>
    (actions === undefined || actions.includes(action)) &&
    (deviceId === undefined || device === deviceId) &&
    (customerId === undefined || customer === customerId) &&
    (userId === undefined || user === userId) &&
    (about === undefined || (device !== 0) === (about === 'DEVICE')) &&
    (text === undefined || hasText(name) || hasText(action));
}

/** The first block of a span in which an entry from this instant on can be. */
export async function firstBlockFrom(
  { read }: Pick<BlockReader, 'read'>,
  span: Span,
  instant: Instant,
): Promise<number> {
  if (span.isBreak) return span.first;
  return bisect(span, async (number) => ((await read(number)).at(-1)?.[0] ?? 0) >= instant - DISORDER_MS);
}

/** The last block of a span in which an entry up to this instant can be. */
async function lastBlockUpTo(
  { read }: Pick<BlockReader, 'read'>,
  span: Span,
  instant: Instant,
): Promise<number> {
  if (span.isBreak) return span.last;
  const firstBeyond = await bisect(
    span,
    async (number) => ((await read(number))[0]?.[0] ?? 0) > instant + DISORDER_MS,
  );
  return firstBeyond - 1;
}

/** The first number of a span for which it holds, given that it holds for all after it; the one behind it where for none. */
async function bisect({ first, last }: Span, holds: (number: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [first, last + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
